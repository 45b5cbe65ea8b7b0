//! What the ledger has to answer: all events in a vector, floors and redactions beside it.

use std::{collections::BTreeMap, sync::Arc};

use trailbook_event::{Admitted, Part};
use trailbook_ledger::{DAY_MS, EventId, Ledger, OrganizationKey, Receipt, Retention, Row, SignedCheckpoint};
use trailbook_merkle::{Hash, root_of};

use super::world::country;
use crate::plain::redaction;

/// How long a client id is known.
const REMEMBERED_MS: i64 = 24 * 3_600_000;

/// All ledgers.
#[derive(Default)]
pub(super) struct Model {
    pub(super) ledgers: BTreeMap<OrganizationKey, Known>,
    client_ids: BTreeMap<(OrganizationKey, String), (EventId, i64)>,
}

/// One organization's ledger.
#[derive(Default)]
pub(super) struct Known {
    /// All events that were ever stored, redactions carried out.
    pub(super) rows: Vec<Arc<Row>>,
    pub(super) floor: u64,
    pub(super) checkpoints: Vec<SignedCheckpoint>,
}

impl Known {
    /// The events that can be read.
    pub(super) fn readable(&self) -> &[Arc<Row>] {
        &self.rows[self.floor as usize..]
    }

    pub(super) fn size(&self) -> u64 {
        self.rows.len() as u64
    }

    pub(super) fn leaves(&self) -> Vec<Hash> {
        self.rows.iter().map(|row| row.leaf_hash).collect()
    }

    pub(super) fn root(&self, size: u64) -> Hash {
        root_of(&self.leaves()[..], size).unwrap()
    }

    /// Removes parts of an event.
    pub(super) fn redact(&mut self, sequence: u64, parts: &[Part]) {
        let row = &mut self.rows[sequence as usize];
        *row = Arc::new(redaction(row, parts).carried_out(row));
    }

    /// Where the floor has to be at a moment; what is not sealed waits.
    fn floor_at(&self, retention: &Retention, sealed_through: u64, now: i64) -> u64 {
        let days = match retention.pending {
            Some((days, at)) if at <= now => days,
            _ => retention.days,
        };
        let Some(days) = days.filter(|_| !retention.legal_hold) else {
            return self.floor;
        };
        let expired =
            |row: &Arc<Row>| row.commit <= sealed_through && row.received_at.millis() + i64::from(days) * DAY_MS <= now;
        let expired = self.rows.iter().take_while(|row| expired(row)).count();
        self.floor.max(expired as u64)
    }
}

impl Model {
    /// The organizations that have a ledger.
    pub(super) fn organizations(&self) -> Vec<OrganizationKey> {
        self.ledgers.keys().cloned().collect()
    }

    /// Checks what became of events that were sent at `now`, and remembers them.
    pub(super) fn appended(&mut self, ledger: &Ledger, sent: &[Admitted], receipt: &Receipt, now: i64) {
        assert_eq!(receipt.events.len(), sent.len());
        for (event, stored) in sent.iter().zip(&receipt.events) {
            assert_eq!(stored.organization.organization(), event.organization);
            let client_id = event.client_id.as_ref();
            let key = client_id.map(|client_id| (stored.organization.clone(), client_id.id.clone()));
            let known = key.as_ref().and_then(|key| self.client_ids.get(key));
            let repeated = known.filter(|(_, at)| *at >= now - REMEMBERED_MS);
            assert_eq!(stored.duplicate, repeated.is_some());
            if let Some((id, _)) = repeated {
                assert_eq!(stored.id, *id);
                continue;
            }
            if let Some(key) = key {
                self.client_ids.insert(key, (stored.id, now));
            }
            let row = self.next_row(ledger, &stored.organization, event, now);
            assert_eq!((row.id, row.sequence), (stored.id, stored.sequence));
        }
    }

    /// Remembers an event that the ledger has recorded of itself.
    pub(super) fn recorded(&mut self, ledger: &Ledger, organization: &OrganizationKey, record: &Admitted, now: i64) {
        self.next_row(ledger, organization, record, now);
    }

    /// The ledger's next row has to be this event.
    fn next_row(&mut self, ledger: &Ledger, organization: &OrganizationKey, event: &Admitted, now: i64) -> Arc<Row> {
        let known = self.ledgers.entry(organization.clone()).or_default();
        let row = ledger.tail(organization, known.size(), 1).remove(0);
        assert_eq!(row.sequence, known.size());
        assert_eq!((row.received_at.millis(), row.occurred_at), (now, event.occurred_at));
        assert_eq!(
            (row.parts.bytes().as_ref(), row.parts.ends()),
            (event.parts.bytes().as_slice(), event.parts.ends())
        );
        assert_eq!(row.country, event.ip.and_then(country));
        assert_eq!(row.leaf_record().leaf_hash(), row.leaf_hash);
        known.rows.push(Arc::clone(&row));
        row
    }

    /// Moves the floors to where they have to be; answers how many move.
    pub(super) fn advance_floors(&mut self, ledger: &Ledger, now: i64) -> usize {
        let mut moved = 0;
        for (organization, known) in &mut self.ledgers {
            let floor = known.floor_at(&ledger.retention(organization), ledger.sealed_through(), now);
            moved += usize::from(floor > known.floor);
            known.floor = floor;
        }
        moved
    }
}

/// Rows have to be the same in every respect.
pub(super) fn assert_same(found: &[Arc<Row>], expected: &[Arc<Row>]) {
    let sequences = |rows: &[Arc<Row>]| rows.iter().map(|row| row.sequence).collect::<Vec<_>>();
    assert_eq!(sequences(found), sequences(expected));
    for (found, expected) in found.iter().zip(expected) {
        assert!(is_same(found, expected), "{found:?} is not {expected:?}");
    }
}

fn is_same(one: &Row, other: &Row) -> bool {
    let of = |row: &Row| {
        let times = (row.received_at, row.occurred_at, row.commit, row.epoch);
        (times, row.id, row.country, row.secrets.clone(), row.leaf_hash)
    };
    of(one) == of(other) && one.parts.bytes() == other.parts.bytes() && one.parts.ends() == other.parts.ends()
}
