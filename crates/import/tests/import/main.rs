//! Import through its public door: real audit logs, and a server that is ours to break.
#![allow(
    clippy::disallowed_methods,
    reason = "tests work with real files, processes and time"
)]
#![allow(clippy::unwrap_used)]

mod interrupted;
mod real;
mod server;

use std::path::PathBuf;

use trailbook_event::Timestamp;
use trailbook_import::{Input, Mapping, Options, Reject, Report, Server, Source, Summary};

/// Remembers what was reported.
#[derive(Default)]
struct Told {
    reasons: Vec<String>,
}

impl Report for Told {
    fn begins(&mut self, _input: &Input, _bytes: Option<u64>) {}

    fn progress(&mut self, _bytes_read: u64) {}

    fn rejected(&mut self, reject: &Reject<'_>) {
        self.reasons.push(reject.reason.to_owned());
    }

    fn ended(&mut self, _input: &Input, _summary: Summary) {}
}

fn mapped(text: &str) -> Source {
    Source::Mapped(Box::new(Mapping::parse(text).unwrap()))
}

fn options(source: Source, server: Option<&str>, inputs: Vec<PathBuf>, rejects: PathBuf) -> Options {
    Options {
        source,
        organization: "fashion".to_owned(),
        server: server.map(|url| Server {
            url: url.to_owned(),
            key: "key".to_owned(),
            project: None,
        }),
        inputs: inputs.into_iter().map(Input::File).collect(),
        rejects,
        now: Timestamp::parse("2026-11-20T12:00:00Z").unwrap(),
        tls: ureq::tls::TlsConfig::default,
        sleep: |_| (),
    }
}
