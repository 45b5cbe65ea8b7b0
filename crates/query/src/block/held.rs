//! Rows in memory with their terms.

use std::sync::Arc;

use trailbook_event::{Record, filter::Field};
use trailbook_ledger::Row;

use super::{
    build::Builder,
    dictionary::{Dictionary, Group, Terms, Wanted},
    event,
    moments::Moments,
    subjects::Subjects,
};
use crate::{Error, row_set::RowSet};

/// Indexed rows in memory.
#[derive(Debug)]
pub(crate) struct Held {
    rows: Box<[Arc<Row>]>,
    moments: Arc<Moments>,
    part_bytes: usize,
    paths: Box<[Box<str>]>,
    dictionary: Arc<Dictionary>,
    actors: Arc<Subjects>,
    targets: Arc<Subjects>,
}

impl Held {
    /// Indexes rows, which stand in sequence order.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a row whose parts cannot be read.
    pub(crate) fn build(rows: Vec<Arc<Row>>) -> Result<Self, Error> {
        let mut builder = Builder::default();
        for (number, row) in rows.iter().enumerate() {
            let event = event(row)?;
            builder.add(
                number as u16,
                &Record {
                    occurred_at: row.occurred_at,
                    country: row.country(),
                    event: &event,
                },
            );
        }
        let built = builder.finish();
        Ok(Self {
            moments: Arc::new(Moments::of_rows(&rows)),
            part_bytes: rows.iter().map(|row| row.parts.bytes().len()).sum(),
            rows: rows.into(),
            paths: built.paths,
            dictionary: Arc::new(built.dictionary),
            actors: Arc::new(built.actors),
            targets: Arc::new(built.targets),
        })
    }

    pub(crate) fn rows(&self) -> &[Arc<Row>] {
        &self.rows
    }

    pub(crate) fn moments(&self) -> &Arc<Moments> {
        &self.moments
    }

    /// The bytes of the rows' parts.
    pub(crate) fn part_bytes(&self) -> usize {
        self.part_bytes
    }

    pub(super) fn group(&self, field: &Field) -> Option<Group> {
        Group::of(field, &self.paths)
    }

    pub(super) fn terms(&self, field: &Field) -> Terms {
        self.group(field)
            .map(|group| Terms::of(group, [Arc::clone(&self.dictionary)]))
            .unwrap_or_default()
    }

    pub(super) fn mark(&self, group: Option<Group>, wanted: Wanted<'_>, set: &mut RowSet) {
        if let Some(group) = group {
            self.dictionary.mark(group, wanted, set);
        }
    }

    pub(super) fn subjects(&self, group: Group) -> Arc<Subjects> {
        Arc::clone(if group == Group::ACTORS {
            &self.actors
        } else {
            &self.targets
        })
    }
}
