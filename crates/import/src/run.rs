//! One import from its first to its last record.

use std::{
    collections::HashSet,
    ops::AddAssign,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trailbook_event::Timestamp;
use ureq::tls::TlsConfig;

use crate::{
    Error, Input, Reject, Server, Source,
    batch::{Batch, Waiting},
    client::Client,
    input,
    mapping::hex,
    prepare::{Preparation, Prepared},
    rejects::Rejects,
    state::State,
};

/// What to import, and where to.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the records are.
    pub source: Source,
    /// The organization that all events go to.
    pub organization: String,
    /// Where to; `None` checks the input and sends nothing.
    pub server: Option<Server>,
    /// What to read, in this order.
    pub inputs: Vec<Input>,
    /// Where rejected records go. How far the import came stands beside it in `….state.json`.
    pub rejects: PathBuf,
    /// The time that counts as now: events may not lie more than 24 h ahead of it.
    pub now: Timestamp,
    /// How the server proves over https which one it is.
    pub tls: fn() -> TlsConfig,
    /// How to wait between attempts.
    pub sleep: fn(Duration),
}

/// What became of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Records read.
    pub records: u64,
    /// Events made of them that were stored (or, in a check, that could be).
    pub stored: u64,
    /// Events whose `client_id` the server knew.
    pub known: u64,
    /// Events whose `client_id` had come before in this import; the first one counts.
    pub repeated: u64,
    /// Entries in the reject file.
    pub rejected: u64,
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.stored += other.stored;
        self.known += other.known;
        self.repeated += other.repeated;
        self.rejected += other.rejected;
    }
}

/// Who is told how an import goes.
pub trait Report {
    /// An input begins; its size on the disk, where that can be known.
    fn begins(&mut self, input: &Input, bytes: Option<u64>);
    /// So many bytes of the input have been read.
    fn progress(&mut self, bytes_read: u64);
    /// A record was rejected.
    fn rejected(&mut self, reject: &Reject<'_>);
    /// An input has ended; what became of its records in this run.
    fn ended(&mut self, input: &Input, summary: Summary);
}

/// Imports everything.
///
/// # Errors
/// When the import cannot go on; what was done is remembered, and the same call continues.
pub fn run(options: &Options, report: &mut dyn Report) -> Result<Summary, Error> {
    let mut state = match &options.server {
        Some(server) => State::open(&state_path(&options.rejects), &import_id(options, server))?,
        None => State::forgotten(),
    };
    let mut import = Import {
        options,
        client: options
            .server
            .as_ref()
            .map(|server| Client::new(server, (options.tls)(), options.sleep)),
        rejects: Rejects::open(&options.rejects, state.rejects_bytes())?,
        total: state.summary(),
        seen: HashSet::new(),
        report,
    };
    for input in &options.inputs {
        import.input(input, &mut state)?;
    }
    let total = import.total;
    state.finish()?;
    Ok(total)
}

/// The state file beside a reject file.
fn state_path(rejects: &Path) -> PathBuf {
    let mut name = rejects.as_os_str().to_owned();
    name.push(".state.json");
    name.into()
}

fn import_id(options: &Options, server: &Server) -> String {
    let Server { url, project, key: _ } = server;
    let whole = serde_json::json!([url, project, options.organization, hex(&options.source.digest())]);
    hex(&Sha256::digest(whole.to_string())[..16])
}

struct Import<'i> {
    options: &'i Options,
    client: Option<Client<'i>>,
    rejects: Rejects,
    total: Summary,
    /// Digests of the client ids that came so far.
    seen: HashSet<[u8; 16]>,
    report: &'i mut dyn Report,
}

/// Where in an input the import is.
struct Place<'p> {
    name: String,
    line: u64,
    /// The record's number in the input, from 1.
    number: u64,
    fingerprint: Option<&'p str>,
    /// Of this input, in this run.
    summary: Summary,
    /// Of the whole import, before this input.
    total_before: Summary,
}

const NOT_UTF8: &str = "This line is not UTF-8; what is not shows as U+FFFD here. Encode it as UTF-8.";

impl Place<'_> {
    fn reject<'r>(&'r self, reason: &'r str, record: &'r str) -> Reject<'r> {
        Reject {
            file: &self.name,
            line: self.line,
            number: self.number,
            reason,
            record,
        }
    }
}

impl Import<'_> {
    fn input(&mut self, input: &Input, state: &mut State) -> Result<(), Error> {
        let fingerprint = input.fingerprint()?.map(|digest| hex(&digest));
        let done = fingerprint
            .as_deref()
            .map_or(0, |fingerprint| state.records_done(fingerprint));
        let mut place = Place {
            name: input.name(),
            line: 0,
            number: 0,
            fingerprint: fingerprint.as_deref(),
            summary: Summary::default(),
            total_before: self.total,
        };
        let mut preparation = Preparation::new(&self.options.source, &self.options.organization, self.options.now);
        let mut batch = Batch::default();
        let mut lines = input.open()?;
        self.report.begins(input, input.bytes());
        while let Some((line, bytes)) = lines.next()? {
            place.line = line;
            let Ok(text) = std::str::from_utf8(&bytes) else {
                place.number += 1;
                let lossy = String::from_utf8_lossy(&bytes);
                let was_done = place.number <= done;
                self.record(&mut place, &lossy, vec![Err(NOT_UTF8.to_owned())], was_done, &mut batch)?;
                continue;
            };
            for record in input::records(text, self.options.source.records()) {
                place.number += 1;
                let events = preparation.events(record);
                let was_done = place.number <= done;
                self.record(&mut place, record, events, was_done, &mut batch)?;
                if batch.is_full() {
                    self.flush(&mut place, &mut batch, state)?;
                }
            }
            self.report.progress(lines.bytes_read());
        }
        self.flush(&mut place, &mut batch, state)?;
        self.report.ended(input, place.summary);
        Ok(())
    }

    /// Sorts the events of one record. What was done before an interruption is only remembered as seen.
    fn record(
        &mut self,
        place: &mut Place<'_>,
        record: &str,
        events: Vec<Result<Prepared, String>>,
        was_done: bool,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        place.summary.records += u64::from(!was_done);
        for event in events {
            match event {
                Ok(event) => {
                    let is_first = event.client_id.as_ref().is_none_or(|id| self.seen.insert(digest(id)));
                    if is_first && !was_done {
                        batch.push(Waiting {
                            event,
                            line: place.line,
                            number: place.number,
                            record: record.to_owned(),
                        });
                    } else if !was_done {
                        place.summary.repeated += 1;
                    }
                }
                Err(reason) if !was_done => {
                    place.summary.rejected += 1;
                    self.reject(&place.reject(&reason, record))?;
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn reject(&mut self, reject: &Reject<'_>) -> Result<(), Error> {
        self.rejects.write(reject)?;
        self.report.rejected(reject);
        Ok(())
    }

    /// Sends what waits, and remembers that everything up to here is done.
    fn flush(&mut self, place: &mut Place<'_>, batch: &mut Batch, state: &mut State) -> Result<(), Error> {
        let waiting = batch.take();
        match &self.client {
            None => place.summary.stored += waiting.len() as u64,
            Some(client) => {
                let input = place.fingerprint.unwrap_or(&place.name);
                let outcome = client.deliver(&self.options.organization, input, waiting)?;
                place.summary.stored += outcome.stored;
                place.summary.known += outcome.known;
                place.summary.rejected += outcome.refused.len() as u64;
                for (
                    Waiting {
                        line, number, record, ..
                    },
                    reason,
                ) in &outcome.refused
                {
                    self.reject(&Reject {
                        file: &place.name,
                        line: *line,
                        number: *number,
                        reason,
                        record,
                    })?;
                }
            }
        }
        let bytes = self.rejects.flush()?;
        self.total = place.total_before;
        self.total += place.summary;
        state.save(place.fingerprint, place.number, bytes, self.total)
    }
}

fn digest(id: &str) -> [u8; 16] {
    let mut digest = [0; 16];
    digest.copy_from_slice(&Sha256::digest(id)[..16]);
    digest
}
