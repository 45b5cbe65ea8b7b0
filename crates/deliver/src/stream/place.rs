//! Where a stream begins in a ledger: now, from the beginning, from a moment, from a sequence.

use trailbook_access::{SYSTEM, records::StreamPosition};
use trailbook_event::Timestamp;
use trailbook_ledger::{Head, Ledger, OrganizationKey};

use crate::Error;

/// Where a stream begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With what is stored from now on.
    Now,
    /// With the first event that is kept.
    Beginning,
    /// With the first event that was received at this time or later.
    From(Timestamp),
    /// With a sequence.
    Sequence(u64),
}

impl Start {
    /// The position in an organization's ledger of a stream that begins so. May read files.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn position(
        self,
        ledger: &Ledger,
        stream: &str,
        organization: &OrganizationKey,
        head: &Head,
    ) -> Result<StreamPosition, Error> {
        let next = match self {
            Self::Now => head.size,
            Self::Beginning => 0,
            Self::From(time) if head.received_at < time => head.size,
            Self::From(time) => first(ledger, organization, head.size, |row| row.received_at >= time)?,
            Self::Sequence(sequence) => sequence.min(head.size),
        };
        Ok(StreamPosition {
            stream: stream.to_owned(),
            project: organization.project().to_owned(),
            organization: organization.organization().to_owned(),
            epoch: head.epoch,
            next,
            end: None,
        })
    }
}

/// The organizations of a project that are its customers, with the heads of their ledgers.
pub(super) fn customers(ledger: &Ledger, project: &str) -> Vec<(OrganizationKey, Head)> {
    let mut heads = ledger.heads();
    heads.retain(|(key, head)| key.project() == project && key.organization() != SYSTEM && head.size > 0);
    heads
}

/// A position after its ledger has continued from an older copy: what was delivered of the events that are lost counts no more.
pub(super) fn in_epoch(
    ledger: &Ledger,
    organization: &OrganizationKey,
    head: &Head,
    position: StreamPosition,
) -> Result<StreamPosition, Error> {
    let (was, size) = (position.epoch, head.size);
    if was >= head.epoch {
        return Ok(position);
    }
    let begins = first(ledger, organization, size, |row| row.epoch > was)?;
    Ok(StreamPosition {
        epoch: head.epoch,
        next: position.next.min(begins),
        end: None,
        ..position
    })
}

/// The first sequence below `size` of a row for which `holds`, which it does for all that follow; `size` when there is none.
pub(crate) fn first(
    ledger: &Ledger,
    organization: &OrganizationKey,
    size: u64,
    holds: impl Fn(&trailbook_ledger::Row) -> bool,
) -> Result<u64, Error> {
    let mut left = 0..size;
    while left.start < left.end {
        let middle = left.start.midpoint(left.end);
        // Below the floor the first row that is kept answers.
        match ledger.rows(organization, middle, 1)?.first() {
            Some(row) if holds(row) => left.end = middle,
            Some(row) => left.start = row.sequence + 1,
            None => left.end = middle,
        }
    }
    Ok(left.start)
}
