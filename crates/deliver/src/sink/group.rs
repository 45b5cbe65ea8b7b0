//! Cutting a batch into requests that a destination takes.

use std::ops::Range;

/// What a destination takes at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) entries: usize,
    pub(super) bytes: usize,
}

/// Ranges of entries in their order, each within the limits, but for one with a single entry that is larger than they allow.
pub(super) fn group(sizes: impl IntoIterator<Item = usize>, limits: Limits) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (index, size) in sizes.into_iter().enumerate() {
        let fits = |group: &Range<usize>| group.len() < limits.entries && bytes + size <= limits.bytes;
        match groups.last_mut().filter(|group| fits(group)) {
            Some(group) => {
                group.end += 1;
                bytes += size;
            }
            None => {
                groups.push(index..index + 1);
                bytes = size;
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stay_in_order_and_within_both_limits() {
        let limits = Limits { entries: 3, bytes: 10 };
        let grouped = |sizes: &[usize]| group(sizes.iter().copied(), limits);
        assert_eq!(grouped(&[]), Vec::<Range<usize>>::new());
        assert_eq!(grouped(&[1, 1, 1, 1]), [0..3, 3..4]);
        assert_eq!(grouped(&[5, 5, 1]), [0..2, 2..3]);
        assert_eq!(grouped(&[1, 99, 1, 1]), [0..1, 1..2, 2..4]);
    }
}
