//! Batches made by hand.

use std::sync::Arc;

use bytes::Bytes;
use trailbook_deliver::sink::{Batch, Record};
use trailbook_event::{Parts, Timestamp};
use trailbook_ledger::{EventId, Row, Secrets};
use trailbook_merkle::Hash;

/// 2026-11-20T09:14:07.482Z, when the first event was received.
pub(crate) const RECEIVED_AT: i64 = 1_795_166_047_482;

/// `count` events with the sequences from `first`.
pub(crate) fn records(first: u64, count: u64) -> Vec<Record> {
    (first..first + count).map(record).collect()
}

pub(crate) fn record(sequence: u64) -> Record {
    Record {
        row: Arc::new(row(sequence)),
        payload: Bytes::from(format!("{{\"sequence\":{sequence},\"name\":\"Zoë \\\"Z\\\"\"}}")),
    }
}

/// A record whose payload takes about `bytes`.
pub(crate) fn large(sequence: u64, bytes: usize) -> Record {
    Record {
        payload: Bytes::from(format!("{{\"text\":\"{}\"}}", "x".repeat(bytes))),
        ..record(sequence)
    }
}

pub(crate) fn batch(records: &[Record]) -> Batch<'_> {
    of("acme", records)
}

/// A batch of the organization's.
pub(crate) fn of<'b>(organization: &'b str, records: &'b [Record]) -> Batch<'b> {
    Batch {
        project: "default",
        organization,
        epoch: 1,
        begin: records.first().map_or(0, |record| record.row.sequence),
        end: records.last().map_or(0, |record| record.row.sequence + 1),
        records,
        kept_ms: None,
    }
}

fn row(sequence: u64) -> Row {
    let core = "{\"action\":\"user.role.updated\",\"action_type\":\"update\",\"area\":\"users\",\"client_id\":null,\
        \"description\":\"Made owner\",\"occurred_at\":\"2026-11-20T09:14:06.000Z\",\"organization\":\"acme\",\
        \"product\":null,\"result\":\"success\",\"security\":true,\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\"}";
    let actor = "{\"email\":null,\"id\":\"u_81\",\"name\":\"Sarah\",\"team\":null,\"type\":\"user\"}";
    let context = "{\"ip\":\"203.0.113.24\",\"referrer\":null,\"url\":null,\"user_agent\":null}";
    let details = "{\"changes\":[],\"message\":null,\"metadata\":null}";
    Row {
        sequence,
        commit: sequence,
        id: EventId::first(1_700_000_000_000, [7; 10]).plus(sequence),
        epoch: 1,
        received_at: Timestamp::from_millis(RECEIVED_AT + i64::try_from(sequence).unwrap()),
        occurred_at: Timestamp::parse("2026-11-20T09:14:06.000Z").unwrap(),
        country: None,
        secrets: Secrets::Nonce([1; 16]),
        leaf_hash: Hash([0; 32]),
        parts: parts([core, actor, "[]", context, details]),
    }
}

fn parts(texts: [&str; 5]) -> Parts<Bytes> {
    let mut ends = [0; 5];
    let mut bytes = Vec::new();
    for (text, end) in texts.iter().zip(&mut ends) {
        bytes.extend_from_slice(text.as_bytes());
        *end = u32::try_from(bytes.len()).unwrap();
    }
    Parts::new(Bytes::from(bytes), ends).unwrap()
}
