//! The events of a stream's next delivery: read, filtered and mapped, within bounds.
//!
//! Invariant: a load is of one epoch, and the same range gives the same load unless events were redacted or have expired since.

use std::sync::Arc;

use bytes::Bytes;
use trailbook_event::{Event, Filter, filter};
use trailbook_ledger::{Ledger, OrganizationKey, Row};

use crate::{Error, json::Envelope, payload::Payload, sink::Record};

/// Bytes of payloads after which a load is full.
pub(super) const LOAD_BYTES_MAX: usize = 8 << 20;
/// Rows looked at for one load, so that a filter that lets nothing through comes to an end.
const ROWS_MAX: u64 = 20_000;
/// Rows read at a time.
const READ_ROWS: usize = 1_000;

/// Which events are wanted.
pub(super) struct Wanted {
    /// Whose.
    pub(super) organization: OrganizationKey,
    /// The first sequence.
    pub(super) begin: u64,
    /// The sequence after the last at most; with `is_fixed`, exactly.
    pub(super) end: u64,
    /// Whether the range was decided before.
    pub(super) is_fixed: bool,
    /// The most events.
    pub(super) events_max: usize,
    /// Which of the range.
    pub(super) filter: Filter,
    /// How long events are kept, milliseconds.
    pub(super) kept_ms: Option<i64>,
}

/// Events that are delivered together.
pub(super) struct Load {
    /// Whose.
    pub(super) organization: OrganizationKey,
    /// Of which epoch.
    pub(super) epoch: u32,
    /// The first sequence that it is about: what expired meanwhile is passed over.
    pub(super) begin: u64,
    /// The sequence after the last.
    pub(super) end: u64,
    /// Events that expired before they could be delivered.
    pub(super) expired: u64,
    /// Those that the filter lets through.
    pub(super) records: Vec<Record>,
    /// How long events are kept, milliseconds.
    pub(super) kept_ms: Option<i64>,
}

/// Reads what is wanted. Blocks on files.
pub(super) fn load(ledger: &Ledger, payload: &Payload, wanted: &Wanted) -> Result<Load, Error> {
    let mut load = Load {
        organization: wanted.organization.clone(),
        epoch: 0,
        begin: wanted.begin,
        end: wanted.begin,
        expired: 0,
        records: Vec::new(),
        kept_ms: wanted.kept_ms,
    };
    let mut bytes = 0;
    while load.end < wanted.end && (wanted.is_fixed || load.end - load.begin < ROWS_MAX) {
        let limit = usize::try_from(wanted.end - load.end).map_or(READ_ROWS, |left| left.min(READ_ROWS));
        let rows = ledger.rows(&wanted.organization, load.end, limit)?;
        let Some(first) = rows.first() else { break };
        if first.sequence > load.end {
            load.expired += first.sequence.min(wanted.end) - load.end;
            load.end = first.sequence.min(wanted.end);
            if load.records.is_empty() {
                load.begin = load.end;
            }
        }
        for row in rows.into_iter().filter(|row| row.sequence < wanted.end) {
            let is_full = load.records.len() >= wanted.events_max || bytes >= LOAD_BYTES_MAX;
            if load.epoch == 0 {
                load.epoch = row.epoch;
            }
            if row.epoch != load.epoch || is_full && !wanted.is_fixed {
                return Ok(load);
            }
            load.end = row.sequence + 1;
            if let Some(record) = mapped(row, payload, wanted)? {
                bytes += record.payload.len();
                load.records.push(record);
            }
        }
    }
    Ok(load)
}

/// An event as it is sent, when the filter lets it through.
fn mapped(row: Arc<Row>, payload: &Payload, wanted: &Wanted) -> Result<Option<Record>, Error> {
    if !wanted.filter.is_all() && !matches(&wanted.filter, &row)? {
        return Ok(None);
    }
    let payload = written(&row, payload, &wanted.organization, wanted.kept_ms)?;
    Ok(Some(Record { row, payload }))
}

/// Whether a filter lets an event through.
///
/// # Errors
/// [`Error::Corrupt`].
pub(crate) fn matches(filter: &Filter, row: &Row) -> Result<bool, Error> {
    let event = Event::parse(&row.parts).map_err(|source| Error::Corrupt {
        sequence: row.sequence,
        source,
    })?;
    Ok(filter.matches(&filter::Record {
        occurred_at: row.occurred_at,
        country: row.country(),
        event: &event,
    }))
}

/// What a mapping makes of an event.
pub(super) fn written(
    row: &Row,
    payload: &Payload,
    organization: &OrganizationKey,
    kept_ms: Option<i64>,
) -> Result<Bytes, Error> {
    let envelope = Envelope {
        project: organization.project(),
        kept_ms,
    };
    let mut out = Vec::with_capacity(1_024);
    payload.write(row, &envelope, &mut out)?;
    Ok(out.into())
}
