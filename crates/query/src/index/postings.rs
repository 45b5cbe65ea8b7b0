//! Lists of row numbers in the fewest bytes: gaps, runs or bits.

use super::bytes::{Reader, number_bytes, put_number};

/// How a list is written; stands in the two low bits of its first number.
const GAPS: u64 = 0;
const RUNS: u64 = 1;
const BITS: u64 = 2;

/// Appends an ascending list of numbers below `rows`; numbers may come more than once.
pub(super) fn put_rows(out: &mut Vec<u8>, list: &[u16], rows: usize) {
    let sizes = Sizes::of(list);
    let bits = rows.div_ceil(8);
    if !sizes.repeats && sizes.runs_bytes < sizes.gaps_bytes.min(bits) {
        put_number(out, (sizes.runs as u64) << 2 | RUNS);
        let mut reached = 0;
        for run in list.chunk_by(|left, right| left + 1 == *right) {
            put_number(out, u64::from(run[0]) - reached);
            put_number(out, run.len() as u64 - 1);
            reached = u64::from(run[0]) + run.len() as u64;
        }
    } else if !sizes.repeats && bits < sizes.gaps_bytes {
        put_number(out, BITS);
        let start = out.len();
        out.resize(start + bits, 0);
        list.iter()
            .for_each(|row| out[start + usize::from(row / 8)] |= 1 << (row % 8));
    } else {
        put_number(out, (list.len() as u64) << 2 | GAPS);
        let mut last = 0;
        for row in list {
            put_number(out, u64::from(row - last));
            last = *row;
        }
    }
}

/// Reads a list that [`put_rows`] wrote and appends it; `None` when it is not one.
pub(super) fn read_rows(reader: &mut Reader<'_>, rows: usize, into: &mut Vec<u16>) -> Option<()> {
    let first = reader.number()?;
    let (count, form) = (usize::try_from(first >> 2).ok()?, first & 3);
    match form {
        GAPS => read_gaps(reader, count, rows, into),
        RUNS => read_runs(reader, count, rows, into),
        BITS if count == 0 => {
            for (place, byte) in reader.take(rows.div_ceil(8))?.iter().enumerate() {
                let set = (0..8).filter(|bit| byte & (1 << bit) != 0).map(|bit| 8 * place + bit);
                into.extend(set.map(|row| row as u16));
            }
            into.last().is_none_or(|last| usize::from(*last) < rows).then_some(())
        }
        _ => None,
    }
}

fn read_gaps(reader: &mut Reader<'_>, count: usize, rows: usize, into: &mut Vec<u16>) -> Option<()> {
    if count > reader.0.len() {
        return None;
    }
    into.reserve(count);
    let mut row = 0;
    for _ in 0..count {
        row += usize::try_from(reader.number()?).ok().filter(|gap| *gap < rows)?;
        if row >= rows {
            return None;
        }
        into.push(row as u16);
    }
    Some(())
}

fn read_runs(reader: &mut Reader<'_>, count: usize, rows: usize, into: &mut Vec<u16>) -> Option<()> {
    let mut reached = 0_u64;
    for _ in 0..count {
        let start = reached.checked_add(reader.number()?)?;
        reached = start.checked_add(reader.number()?)?.checked_add(1)?;
        if reached > rows as u64 {
            return None;
        }
        into.extend((start..reached).map(|row| row as u16));
    }
    Some(())
}

/// How many bytes the forms take after their first number.
#[derive(Default)]
struct Sizes {
    gaps_bytes: usize,
    runs_bytes: usize,
    runs: usize,
    repeats: bool,
}

impl Sizes {
    fn of(list: &[u16]) -> Self {
        let mut sizes = Self::default();
        let (mut last, mut length) = (0, 0_u64);
        for row in list {
            let gap = u64::from(row - last);
            sizes.gaps_bytes += number_bytes(gap);
            if length > 0 && gap == 1 {
                length += 1;
            } else {
                sizes.repeats |= length > 0 && gap == 0;
                sizes.end_run(length);
                sizes.runs_bytes += number_bytes(gap.saturating_sub(u64::from(length > 0)));
                length = 1;
            }
            last = *row;
        }
        sizes.end_run(length);
        sizes
    }

    fn end_run(&mut self, length: u64) {
        if length > 0 {
            self.runs += 1;
            self.runs_bytes += number_bytes(length - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn written(list: &[u16], rows: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_rows(&mut bytes, list, rows);
        bytes
    }

    #[test]
    fn every_form_is_read_back_and_is_the_smallest() {
        let all: Vec<u16> = (0..1000).collect();
        let even: Vec<u16> = (0..1000).step_by(2).collect();
        let most: Vec<u16> = (0..1000).filter(|row| row % 100 != 7).collect();
        for (list, rows, bytes_max) in [
            (&[][..], 1, 1),
            (&[0], 1, 2),
            (&[0, 0, 4], 5, 4),
            (&[999], 1000, 3),
            (&all, 1000, 4),
            (&even, 1000, 127),
            (&most, 1000, 24),
        ] {
            let bytes = written(list, rows);
            assert!(
                bytes.len() <= bytes_max,
                "{} bytes for {} rows",
                bytes.len(),
                list.len()
            );
            let (mut read, mut reader) = (Vec::new(), Reader(&bytes));
            read_rows(&mut reader, rows, &mut read).unwrap();
            assert_eq!(read, list);
            assert!(reader.0.is_empty());
        }
    }

    #[test]
    fn lists_beyond_the_rows_are_refused() {
        let beyond = [
            written(&[4], 5),
            written(&(0..5).collect::<Vec<_>>(), 5),
            written(&[0, 2, 4, 6, 8, 10, 12, 14], 15),
        ];
        for bytes in beyond {
            assert!(
                read_rows(&mut Reader(&bytes), 4, &mut Vec::new()).is_none(),
                "{bytes:?}"
            );
        }
        let mut huge = Vec::new();
        put_number(&mut huge, u64::MAX);
        assert!(read_rows(&mut Reader(&huge), 4, &mut Vec::new()).is_none());
    }
}
