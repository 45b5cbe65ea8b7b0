//! Rows of a segment: what is asked of them is read then, through caches.

use std::{ops::Range, sync::Arc};

use trailbook_event::{filter::Field, text};
use trailbook_ledger::{
    Row, SealedRun,
    segment::{Segment, TextColumn},
};

use super::{
    ROWS_MAX,
    dictionary::{Group, Terms, Wanted},
    interner::Interner,
    moments::Moments,
    subjects::Subjects,
};
use crate::{
    Error,
    caches::Caches,
    index::{Fingerprints, Header, PREAMBLE_BYTES, Part, preamble},
    row_set::RowSet,
};

/// So much of an index is read first: most headers are not longer.
const FIRST_READ_BYTES: u64 = 4096;

/// Which block of which run. Numbers of segments are never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct BlockKey {
    segment: u64,
    first_row: u64,
    block: u32,
}

/// The rows of one index block of a run.
#[derive(Debug)]
pub(crate) struct SealedBlock {
    run: Arc<SealedRun>,
    block: usize,
    caches: Arc<Caches>,
}

/// The parts of an index that are not stored as they are asked for, but derived from a column.
fn derived(column: TextColumn) -> u32 {
    match column {
        TextColumn::TraceId => u32::MAX,
        TextColumn::ClientId => u32::MAX - 1,
    }
}

fn column(group: Group) -> Option<TextColumn> {
    match group {
        Group::TRACE_ID => Some(TextColumn::TraceId),
        Group::CLIENT_ID => Some(TextColumn::ClientId),
        _ => None,
    }
}

impl SealedBlock {
    /// Block `block` of a run, counted from the newest.
    pub(crate) fn new(run: Arc<SealedRun>, block: usize, caches: Arc<Caches>) -> Self {
        Self { run, block, caches }
    }

    pub(super) fn key(&self) -> BlockKey {
        BlockKey {
            segment: self.run.segment.id(),
            first_row: self.run.run.first_row,
            block: self.block as u32,
        }
    }

    pub(crate) fn length(&self) -> usize {
        let numbers = self.numbers();
        (numbers.end - numbers.start) as usize
    }

    /// The numbers of its rows in the run; the first is the newest, which is the last row of the block.
    fn numbers(&self) -> Range<u64> {
        let start = (self.block * ROWS_MAX) as u64;
        start..self.run.run.rows.min(start + ROWS_MAX as u64)
    }

    /// The row with a number of the run.
    pub(crate) fn row_of(&self, number: u64) -> usize {
        (self.numbers().end - 1 - number) as usize
    }

    fn number_of(&self, row: usize) -> u64 {
        self.numbers().end - 1 - row as u64
    }

    pub(super) fn sequences(&self) -> Range<u64> {
        self.run.run.sequences()
    }

    /// When the oldest and the newest row of the run happened.
    pub(super) fn run_reach(&self) -> (i64, i64) {
        let (oldest, newest) = self.run.run.occurred;
        (oldest.millis(), newest.millis())
    }

    pub(super) fn reach(&self) -> Result<(i64, i64), Error> {
        if self.run.run.rows <= ROWS_MAX as u64 {
            return Ok(self.run_reach());
        }
        self.header().map(|header| header.times)
    }

    pub(super) fn moments(&self) -> Result<Arc<Moments>, Error> {
        self.caches.moments(self.key(), || {
            let (segment, run) = (self.segment()?, &self.run.run);
            let mut times = segment.times(run, self.numbers())?;
            let mut sequences = segment.sequences(run, self.numbers())?;
            times.reverse();
            sequences.reverse();
            Moments::in_order(times, &sequences, run.first_sequence)
                .ok_or_else(|| self.damaged("the order of its rows"))
        })
    }

    pub(super) fn terms(&self, field: &Field) -> Result<Terms, Error> {
        let header = self.header()?;
        let Some(group) = Group::of(field, &header.paths) else {
            return Ok(Terms::default());
        };
        let parts = match column(group) {
            Some(column) => vec![self.texts(group, column)?],
            None => self.parts(&header, header.of_group(group))?,
        };
        Ok(Terms::of(group, parts.iter().map(|part| Arc::clone(&part.dictionary))))
    }

    pub(super) fn mark(&self, field: &Field, wanted: Wanted<'_>, set: &mut RowSet) -> Result<(), Error> {
        let group = Group::of(field, &self.header()?.paths);
        match group.map(|group| (group, column(group), wanted)) {
            None => Ok(()),
            Some((group, Some(column), Wanted::Whole(folded))) => self.mark_text(group, column, folded, set),
            Some((group, Some(column), Wanted::Prefix(_))) => {
                self.texts(group, column)?.dictionary.mark(group, wanted, set);
                Ok(())
            }
            Some((group, None, _)) => self.mark_group(group, wanted, set),
        }
    }

    pub(super) fn mark_group(&self, group: Group, wanted: Wanted<'_>, set: &mut RowSet) -> Result<(), Error> {
        let header = self.header()?;
        for part in self.parts(&header, header.of_wanted(group, wanted))? {
            part.dictionary.mark(group, wanted, set);
        }
        Ok(())
    }

    /// Adds the rows with a text: their fingerprints say which may have it, and the column which do.
    fn mark_text(&self, group: Group, column: TextColumn, folded: &str, set: &mut RowSet) -> Result<(), Error> {
        let header = self.header()?;
        let mut candidates = Vec::new();
        for part in self.parts(&header, header.of_group(group))? {
            let prints = if column == TextColumn::TraceId {
                &part.trace_ids
            } else {
                &part.client_ids
            };
            let prints = prints
                .iter()
                .flat_map(|prints| prints.candidates(Fingerprints::of(folded)));
            candidates.extend(prints.map(|row| self.number_of(row)));
        }
        if candidates.is_empty() {
            return Ok(());
        }
        candidates.sort_unstable();
        let texts = self.segment()?.texts(&self.run.run, column, &candidates)?;
        let is_it = |text: &Option<String>| text.as_ref().is_some_and(|text| text::equals_folded(text, folded));
        for (number, _) in candidates.iter().zip(&texts).filter(|(_, text)| is_it(text)) {
            set.insert(self.row_of(*number));
        }
        Ok(())
    }

    /// The terms of a field that the index has only fingerprints of.
    fn texts(&self, group: Group, column: TextColumn) -> Result<Arc<Part>, Error> {
        self.caches.part((self.key(), derived(column)), || {
            let numbers: Vec<u64> = self.numbers().collect();
            let texts = self.segment()?.texts(&self.run.run, column, &numbers)?;
            let mut terms = Interner::default();
            for (row, text) in texts.iter().rev().enumerate() {
                if let Some(text) = text {
                    terms.add(group.0, text, row as u16);
                }
            }
            let (_, dictionary, _) = terms.finish(Default::default());
            Ok(Part {
                dictionary: Arc::new(dictionary),
                ..Part::default()
            })
        })
    }

    pub(super) fn subjects(&self, group: Group) -> Result<Arc<Subjects>, Error> {
        let header = self.header()?;
        let field = if group == Group::ACTORS {
            Group::ACTOR
        } else {
            Group::TARGET
        };
        let terms: u32 = self
            .parts(&header, header.of_group(field))?
            .iter()
            .map(|part| part.terms_of(field))
            .sum();
        let parts = self.parts(&header, header.of_group(group))?;
        let subjects = parts.iter().find_map(|part| {
            let subjects = if group == Group::ACTORS {
                &part.actors
            } else {
                &part.targets
            };
            subjects.clone()
        });
        subjects
            .filter(|subjects| subjects.terms_needed() <= terms)
            .ok_or_else(|| self.damaged("the subjects of its index"))
    }

    pub(super) fn rows(&self, rows: &[usize]) -> Result<Vec<Arc<Row>>, Error> {
        let numbers: Vec<u64> = rows.iter().map(|row| self.number_of(*row)).collect();
        let segment = self.run.segment.id();
        self.caches.rows(segment, self.run.run.first_row, &numbers, |missing| {
            Ok(self.segment()?.rows(&self.run.run, missing)?)
        })
    }

    fn header(&self) -> Result<Arc<Header>, Error> {
        self.caches.header(self.key(), || {
            let length = self.segment()?.index_length(&self.run.run, self.block)?;
            let damaged = || self.damaged("the header of its index");
            // The header, or how many bytes it takes.
            let read = |bytes: &[u8]| {
                let (body_length, checksum) = preamble(bytes)?;
                let end = PREAMBLE_BYTES + body_length;
                let Some(body) = bytes.get(PREAMBLE_BYTES..end) else {
                    return (end as u64 <= length).then_some(Err(end as u64));
                };
                let header = Header::read(body, checksum)?;
                let fits = header.rows == self.length() && header.end() <= length;
                fits.then_some(Ok(header))
            };
            match self.index(0..length.min(FIRST_READ_BYTES), read)?.ok_or_else(damaged)? {
                Ok(header) => Ok(header),
                Err(end) => self.index(0..end, |bytes| read(bytes)?.ok())?.ok_or_else(damaged),
            }
        })
    }

    fn parts(&self, header: &Header, parts: Range<usize>) -> Result<Vec<Arc<Part>>, Error> {
        let read = |part: usize| {
            self.caches.part((self.key(), part as u32), || {
                let found = self.index(header.part_bytes(part), |bytes| Part::read(header, part, bytes))?;
                found.ok_or_else(|| self.damaged("a part of its index"))
            })
        };
        parts.map(read).collect()
    }

    fn index<T>(&self, range: Range<u64>, understand: impl Fn(&[u8]) -> Option<T>) -> Result<Option<T>, Error> {
        let segment = self.segment()?;
        Ok(segment.index(&self.run.run, self.block, range, understand)?)
    }

    fn segment(&self) -> Result<Arc<Segment>, Error> {
        Ok(self.run.segment.open()?)
    }

    fn damaged(&self, what: &str) -> Error {
        Error::corrupt(format!(
            "{what} cannot be read: segment={} ledger={} block={}; make it anew with `trailbook reindex`",
            self.run.segment.id(),
            self.run.run.ledger,
            self.block
        ))
    }
}
