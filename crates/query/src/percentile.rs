//! Exact percentiles by nearest rank: the p-th percentile of n values is the value at place ⌈p/100 · n⌉ of the sorted list,
//! counted from 1, so it is always one of the values.

/// The percentile of values that come with how often each occurs, ascending; `None` without values.
pub(crate) fn nearest_rank(sorted: &[(f64, u64)], percent: u64) -> Option<f64> {
    let total: u64 = sorted.iter().map(|(_, count)| count).sum();
    let rank = (u128::from(total) * u128::from(percent)).div_ceil(100);
    let mut passed = 0;
    let reached = |(_, count): &&(f64, u64)| {
        passed += u128::from(*count);
        passed >= rank
    };
    sorted.iter().find(reached).map(|(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use super::nearest_rank;

    #[test]
    fn the_textbook_example_by_nearest_rank() {
        let values = [(15.0, 1), (20.0, 1), (35.0, 1), (40.0, 1), (50.0, 1)];
        let percentiles = [5, 30, 40, 50, 95, 99, 100].map(|percent| nearest_rank(&values, percent));
        assert_eq!(percentiles, [15.0, 20.0, 20.0, 35.0, 50.0, 50.0, 50.0].map(Some));
        assert_eq!(nearest_rank(&[(1.0, 99), (7.0, 1)], 99), Some(1.0));
        assert_eq!(nearest_rank(&[(1.0, 98), (7.0, 2)], 99), Some(7.0));
        assert_eq!(nearest_rank(&[], 50), None);
    }
}
