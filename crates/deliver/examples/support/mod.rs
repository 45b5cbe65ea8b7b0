//! Rows of one ledger, made of events as senders send them.

use std::sync::Arc;

use bytes::Bytes;
use trailbook_event::{Admission, Limits, NoCatalog, Origin, Parts, Pointer, Timestamp, admit, json};
use trailbook_ledger::{EventId, Row, Secrets};
use trailbook_merkle::Hash;

/// When the first event was received. It happened up to 90 days after, and was admitted later still.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const ADMITTED: Timestamp = Timestamp::from_millis(START.millis() + 400 * 86_400_000);

/// The rows of these events in the order of their sequences, from 0.
pub(crate) fn rows<T: AsRef<str>>(events: impl Iterator<Item = T>) -> Vec<Arc<Row>> {
    let limits = Limits::default();
    let admission = Admission {
        limits: &limits,
        now: ADMITTED,
        defaults: &NoCatalog,
        origin: Origin::Sender,
    };
    let row = |(sequence, text): (u64, T)| {
        let value = json::parse(text.as_ref(), &limits.json()).expect("an event is JSON");
        let admitted = admit(&value, &Pointer::root(), &admission).expect("an event is admitted");
        let mut row = Row {
            sequence,
            commit: sequence,
            id: EventId::first(START.millis() as u64, [0; 10]).plus(sequence),
            epoch: 1,
            received_at: START,
            occurred_at: admitted.occurred_at,
            country: [None, Some(*b"DE"), Some(*b"US")][sequence as usize % 3],
            secrets: Secrets::Nonce([7; 16]),
            leaf_hash: Hash([0; 32]),
            parts: Parts::new(Bytes::copy_from_slice(admitted.parts.bytes()), admitted.parts.ends())
                .expect("the ends are those of the bytes"),
        };
        row.leaf_hash = row.leaf_record().leaf_hash();
        Arc::new(row)
    };
    (0..).zip(events).map(row).collect()
}
