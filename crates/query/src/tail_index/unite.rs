//! When blocks of the tail are built anew as one.

use std::ops::Range;

use crate::block::ROWS_MAX;

/// How many blocks of a kind are left beside one another.
const FAN: usize = 8;
/// Blocks of this many bytes are left as they are.
pub(super) const BLOCK_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The blocks at the end that are to become one: [`FAN`] of a kind or smaller, with at most `rows_max` rows together. Given
/// the rows and bytes of each.
pub(super) fn to_unite(sizes: &[(usize, usize)], rows_max: usize) -> Option<Range<usize>> {
    let mut kind_max = FAN;
    while kind_max < ROWS_MAX {
        let beginning = sizes
            .iter()
            .rposition(|(rows, _)| *rows >= kind_max)
            .map_or(0, |large| large + 1);
        let small = &sizes[beginning..];
        let rows: usize = small.iter().map(|(rows, _)| rows).sum();
        let bytes: usize = small.iter().map(|(_, bytes)| bytes).sum();
        if small.len() >= FAN && rows <= rows_max && bytes <= BLOCK_BYTES_MAX {
            return Some(beginning..sizes.len());
        }
        kind_max *= FAN;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_blocks_of_a_kind_at_the_end_become_one() {
        for (sizes, rows_max, expected) in [
            (&[][..], 100, None),
            (&[1; 7][..], 100, None),
            (&[1; 8][..], 100, Some(0..8)),
            (&[1; 8][..], 7, None),
            (&[9, 1, 1, 1, 1, 1, 1, 1, 7][..], 100, Some(1..9)),
            (&[1, 1, 1, 1, 1, 1, 1, 9][..], 100, Some(0..8)),
            (&[64, 9, 9, 9, 9, 9, 9, 9, 9][..], 100, Some(1..9)),
            (&[64, 9, 9, 9, 9, 9, 9, 1][..], 100, None),
            (&[100_000; 8][..], usize::MAX, None),
        ] {
            let sizes: Vec<_> = sizes.iter().map(|rows| (*rows, 700 * rows)).collect();
            assert_eq!(to_unite(&sizes, rows_max), expected, "{sizes:?}");
        }
    }
}
