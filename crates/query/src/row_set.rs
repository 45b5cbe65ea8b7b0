//! A set of rows of one block, a bit each.

/// A set of row numbers below a fixed length.
///
/// Invariant: bits at and beyond `length` are zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowSet {
    words: Box<[u64]>,
    length: usize,
}

impl RowSet {
    /// No rows.
    pub(crate) fn empty(length: usize) -> Self {
        Self {
            words: vec![0; length.div_ceil(64)].into(),
            length,
        }
    }

    /// The rows below `end`.
    pub(crate) fn up_to(end: usize, length: usize) -> Self {
        let mut set = Self::empty(length);
        let end = end.min(length);
        set.words[..end / 64].fill(u64::MAX);
        if !end.is_multiple_of(64) {
            set.words[end / 64] = (1 << (end % 64)) - 1;
        }
        set
    }

    pub(crate) fn insert(&mut self, row: usize) {
        self.words[row / 64] |= 1 << (row % 64);
    }

    /// Inserts rows as postings list them.
    pub(crate) fn insert_all(&mut self, rows: &[u16]) {
        rows.iter().for_each(|row| self.insert(usize::from(*row)));
    }

    pub(crate) fn contains(&self, row: usize) -> bool {
        self.words[row / 64] & (1 << (row % 64)) != 0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(crate) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// How many rows from `start` up to `end` are in the set.
    pub(crate) fn count_between(&self, start: usize, end: usize) -> usize {
        let end = end.min(self.length);
        if start >= end {
            return 0;
        }
        let (first, last) = (start / 64, (end - 1) / 64);
        let count = |word: u64| word.count_ones() as usize;
        let (from, to) = (u64::MAX << (start % 64), u64::MAX >> (63 - (end - 1) % 64));
        if first == last {
            return count(self.words[first] & from & to);
        }
        let between = self.words[first + 1..last].iter().map(|word| count(*word));
        count(self.words[first] & from) + between.sum::<usize>() + count(self.words[last] & to)
    }

    pub(crate) fn intersect(&mut self, other: &Self) {
        self.words
            .iter_mut()
            .zip(&other.words)
            .for_each(|(word, other)| *word &= other);
    }

    pub(crate) fn unite(&mut self, other: &Self) {
        self.words
            .iter_mut()
            .zip(&other.words)
            .for_each(|(word, other)| *word |= other);
    }

    pub(crate) fn subtract(&mut self, other: &Self) {
        self.words
            .iter_mut()
            .zip(&other.words)
            .for_each(|(word, other)| *word &= !other);
    }

    /// The rows, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(index, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some(index * 64 + bit)
            })
        })
    }

    /// How many rows the block has, in the set or not.
    pub(crate) fn length(&self) -> usize {
        self.length
    }
}

#[cfg(test)]
mod tests {
    use super::RowSet;

    #[test]
    fn sets_know_their_rows_at_every_length() {
        for length in [0, 1, 63, 64, 65, 200] {
            for end in [0, 1, 63, 64, 65, 128, 200] {
                let set = RowSet::up_to(end, length);
                let expected: Vec<usize> = (0..end.min(length)).collect();
                assert_eq!(set.iter().collect::<Vec<_>>(), expected, "{end} of {length}");
                assert_eq!(set.count(), expected.len());
                assert_eq!(set.is_empty(), expected.is_empty());
                for start in [0, 1, 63, 64, 100] {
                    for stop in [0, 1, 64, 65, 130, 300] {
                        let between = expected.iter().filter(|row| (start..stop).contains(*row)).count();
                        assert_eq!(
                            set.count_between(start, stop),
                            between,
                            "{start}..{stop} of {end} of {length}"
                        );
                    }
                }
            }
        }
    }
}
