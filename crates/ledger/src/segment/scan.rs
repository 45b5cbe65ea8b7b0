//! All rows of a segment in the order of the file: how segments are merged.

use std::{collections::HashMap, sync::Arc};

use super::{Run, Segment, tile::Tile};
use crate::{Error, Row, database::LedgerId};

/// Rows that are read at a time.
const CHUNK_ROWS: u64 = 4_096;

/// The rows of a segment in the order of the file, each with its ledger and checked against its leaf. An error ends it.
pub(crate) struct Scan {
    segment: Arc<Segment>,
    runs: std::vec::IntoIter<Run>,
    run: Option<Run>,
    /// Of the run at hand: its tiles.
    tiles: HashMap<u64, Tile>,
    /// Row groups that are left: the first row and the number of rows of each.
    groups: Vec<(u64, u64)>,
    group: usize,
    /// The row of the file that comes next.
    next: u64,
    chunk: std::vec::IntoIter<Option<Row>>,
}

impl Scan {
    /// Begins with the first row.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the file; [`Error::Storage`].
    pub(crate) fn new(segment: Arc<Segment>) -> Result<Self, Error> {
        Ok(Self {
            runs: segment.runs()?.into_iter(),
            groups: segment.groups().collect(),
            segment,
            run: None,
            tiles: HashMap::new(),
            group: 0,
            next: 0,
            chunk: Vec::new().into_iter(),
        })
    }

    fn advance(&mut self) -> Result<Option<(LedgerId, Row)>, Error> {
        let row = match self.chunk.next() {
            Some(row) => row,
            None => match self.read_chunk()? {
                Some(row) => row,
                None => return Ok(None),
            },
        };
        if self
            .run
            .as_ref()
            .is_none_or(|run| self.next >= run.first_row + run.rows)
        {
            self.run = self.runs.next();
            self.tiles.clear();
        }
        let Some(run) = &self.run else { return Ok(None) };
        let number = self.next - run.first_row;
        self.next += 1;
        let row = row.ok_or_else(|| self.segment.malformed(run, number))?;
        self.segment.check(run, number, &row, &mut self.tiles)?;
        Ok(Some((run.ledger, row)))
    }

    /// Reads on; the first row of what was read.
    fn read_chunk(&mut self) -> Result<Option<Option<Row>>, Error> {
        let Some((first, rows)) = self.groups.get(self.group).copied() else {
            return Ok(None);
        };
        let begin = self.next - first;
        let end = (begin + CHUNK_ROWS).min(rows);
        if end == rows {
            self.group += 1;
        }
        let wanted: Vec<u64> = (begin..end).collect();
        self.chunk = self.segment.read_rows(self.group_of(first), &wanted)?.into_iter();
        Ok(self.chunk.next())
    }

    fn group_of(&self, first: u64) -> usize {
        self.groups.partition_point(|(row, _)| *row < first)
    }
}

impl Iterator for Scan {
    type Item = Result<(LedgerId, Row), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance().transpose();
        if let Some(Err(_)) = next {
            self.group = self.groups.len();
            self.chunk = Vec::new().into_iter();
        }
        next
    }
}
