//! The live feed: matching events as they are committed, in sequence order, woken by the ledger and never by a timer.

use std::sync::Arc;

use tokio::sync::watch;
use trailbook_event::{Event, Filter, Record};
use trailbook_ledger::{OrganizationKey, Row};

use crate::{Engine, Error};

/// Rows that are looked at before others get their turn.
const BATCH_ROWS: usize = 256;

/// The events of one scope and filter from a sequence on.
pub struct LiveFeed {
    engine: Engine,
    organization: OrganizationKey,
    filter: Filter,
    commits: watch::Receiver<u64>,
    next: u64,
}

impl LiveFeed {
    pub(crate) fn new(
        engine: Engine,
        organization: OrganizationKey,
        filter: Filter,
        commits: watch::Receiver<u64>,
        next: u64,
    ) -> Self {
        Self {
            engine,
            organization,
            filter,
            commits,
            next,
        }
    }

    /// Waits for matching events and returns them, oldest sequence first; an empty list says that the ledger has closed.
    ///
    /// Cancel safe: an event is not passed over when the future is dropped before it is ready.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Storage`] when sealed events cannot be read; asking again reads them again.
    pub async fn next(&mut self) -> Result<Vec<Arc<Row>>, Error> {
        loop {
            // Marked as seen before looking, so that a commit in between wakes the wait below.
            self.commits.borrow_and_update();
            let rows = self.rows().await?;
            if let Some(last) = rows.last() {
                self.next = last.sequence + 1;
                let matching: Vec<_> = rows.into_iter().filter(|row| self.matches(row)).collect();
                if !matching.is_empty() {
                    return Ok(matching);
                }
                tokio::task::yield_now().await;
            } else if self.commits.changed().await.is_err() {
                return Ok(Vec::new());
            }
        }
    }

    /// The next rows; those of the tail are at hand, others are read where that holds nobody up.
    async fn rows(&self) -> Result<Vec<Arc<Row>>, Error> {
        let (source, next) = (self.engine.source(), self.next);
        let tail = source.tail(&self.organization, next, BATCH_ROWS);
        let is_next = tail.first().is_some_and(|row| row.sequence == next);
        if is_next || source.head(&self.organization).is_none_or(|head| head.size <= next) {
            return Ok(tail);
        }
        let (engine, organization) = (self.engine.clone(), self.organization.clone());
        let read = tokio::task::spawn_blocking(move || engine.source().rows(&organization, next, BATCH_ROWS));
        match read.await {
            Ok(rows) => Ok(rows?),
            Err(error) => Err(Error::Storage {
                detail: format!("reading sealed events ended early: {error}"),
            }),
        }
    }

    /// The first sequence that has not been looked at.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// A row that cannot be read matches nothing here; reading it by its id says that it is damaged.
    fn matches(&self, row: &Row) -> bool {
        Event::parse(&row.parts).is_ok_and(|event| {
            self.filter.matches(&Record {
                occurred_at: row.occurred_at,
                country: row.country(),
                event: &event,
            })
        })
    }
}
