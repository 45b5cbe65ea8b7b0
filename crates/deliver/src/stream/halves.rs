//! A batch that its destination refuses is sent in halves, until the events are known that are to blame.
//!
//! Invariants
//! - Every event was taken, or is among those refused; or the whole batch is tried again.
//! - A destination that refuses everything is itself to blame: nothing is parked then.

use std::collections::VecDeque;

use crate::sink::{Batch, Failure, Record, Refused, Sink};

/// Refused events in a row after which the destination is taken to be at fault, and not the events.
const DOUBT_AFTER: usize = 64;

/// Sends a batch. `Ok` names the events that the destination will never take.
///
/// # Errors
/// [`Failure::Later`] alone: the batch is to be sent again, whatever of it was taken.
pub(super) async fn send(sink: &dyn Sink, batch: &Batch<'_>) -> Result<Vec<Refused>, Failure> {
    let mut refused = Vec::new();
    let mut in_a_row = 0;
    let mut waiting = VecDeque::from([batch.records]);
    while let Some(records) = waiting.pop_front() {
        match sink.send(&part(batch, records)).await {
            Ok(named) => {
                in_a_row = if named.len() < records.len() {
                    0
                } else {
                    in_a_row + named.len()
                };
                refused.extend(named);
            }
            Err(Failure::Refused { reason }) if records.len() == 1 => {
                in_a_row += 1;
                refused.push(Refused {
                    sequence: records[0].row.sequence,
                    reason,
                });
            }
            Err(Failure::Refused { .. }) => {
                let (first, second) = records.split_at(records.len() / 2);
                waiting.push_front(second);
                waiting.push_front(first);
            }
            Err(later) => return Err(later),
        }
        if in_a_row >= DOUBT_AFTER {
            let reason = refused.pop().map(|refused| refused.reason).unwrap_or_default();
            return Err(Failure::later(format!(
                "The destination refuses all events, {in_a_row} in a row, so none of them is parked: {reason}"
            )));
        }
    }
    Ok(refused)
}

/// Some of a batch's events as a batch: of the whole range when they are all.
fn part<'b>(whole: &Batch<'b>, records: &'b [Record]) -> Batch<'b> {
    let range = match (records.first(), records.last()) {
        (Some(first), Some(last)) if records.len() < whole.records.len() => (first.row.sequence, last.row.sequence + 1),
        _ => (whole.begin, whole.end),
    };
    Batch {
        begin: range.0,
        end: range.1,
        records,
        ..*whole
    }
}
