//! Events on their way: gathered into batches, held against what the server knows already, sent, and accounted for.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use crate::{Error, client::Answer, client::Client, mapping::hex, prepare::Prepared};

/// Events in a batch.
const EVENTS_MAX: usize = 500;
/// Bytes of the events in a batch.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// An event that waits, with the record that it came from.
pub(crate) struct Waiting {
    pub(crate) event: Prepared,
    pub(crate) line: u64,
    /// The number of the record in its input.
    pub(crate) number: u64,
    pub(crate) record: String,
}

/// Events that wait to be sent together; those of one record are never in two batches.
#[derive(Default)]
pub(crate) struct Batch {
    waiting: Vec<Waiting>,
    bytes: usize,
}

/// What became of a batch.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) stored: u64,
    pub(crate) known: u64,
    pub(crate) refused: Vec<(Waiting, String)>,
}

impl Batch {
    pub(crate) fn push(&mut self, waiting: Waiting) {
        self.bytes += waiting.event.body.len();
        self.waiting.push(waiting);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= EVENTS_MAX || self.bytes >= BYTES_MAX
    }

    /// Takes everything out.
    pub(crate) fn take(&mut self) -> Vec<Waiting> {
        self.bytes = 0;
        std::mem::take(&mut self.waiting)
    }
}

impl Client<'_> {
    /// Stores what is not there yet. `input` tells apart inputs whose events have no ids: the same events sent again for
    /// the same input are the same request.
    pub(crate) fn deliver(&self, organization: &str, input: &str, waiting: Vec<Waiting>) -> Result<Outcome, Error> {
        let ids = |waiting: &Waiting| {
            waiting
                .event
                .client_id
                .clone()
                .map(|id| (id, waiting.event.occurred_at))
        };
        let ids: Vec<_> = waiting.iter().filter_map(ids).collect();
        let borrowed: Vec<_> = ids.iter().map(|(id, time)| (id.as_str(), *time)).collect();
        let known = if borrowed.is_empty() {
            HashSet::new()
        } else {
            self.known(organization, &borrowed)?
        };
        let is_new = |waiting: &Waiting| waiting.event.client_id.as_ref().is_none_or(|id| !known.contains(id));
        let (new, old): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_new);
        let mut outcome = Outcome {
            known: old.len() as u64,
            ..Outcome::default()
        };
        self.send(input, new, &mut outcome)?;
        Ok(outcome)
    }

    /// Sends events; without those that the server refuses, or in halves when it does not say which.
    fn send(&self, input: &str, events: Vec<Waiting>, outcome: &mut Outcome) -> Result<(), Error> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Ok(());
        };
        let body = body(&events);
        let range = format!("{input} {} {} ", first.number, last.number);
        let key = hex(&Sha256::new().chain_update(range).chain_update(&body).finalize());
        match self.store(&body, &key)? {
            Answer::Stored { duplicates } => {
                outcome.known += duplicates;
                outcome.stored += events.len() as u64 - duplicates;
                Ok(())
            }
            Answer::Refused { mut faults, detail } => {
                let count = events.len();
                let mut rest = Vec::with_capacity(count);
                for (index, waiting) in events.into_iter().enumerate() {
                    match faults.remove(&index) {
                        Some(reason) => outcome.refused.push((waiting, reason)),
                        None if count == 1 => outcome.refused.push((waiting, detail.clone())),
                        None => rest.push(waiting),
                    }
                }
                if rest.len() == count {
                    let right = rest.split_off(count / 2);
                    self.send(input, rest, outcome)?;
                    return self.send(input, right, outcome);
                }
                self.send(input, rest, outcome)
            }
        }
    }
}

fn body(events: &[Waiting]) -> Vec<u8> {
    let mut body = b"{\"events\":[".to_vec();
    for (index, waiting) in events.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&waiting.event.body);
    }
    body.extend_from_slice(b"]}");
    body
}
