//! `trailbook-bench`: the benchmark's load client. It sends generated events over HTTP with as little work of its own as
//! possible, and prints one JSON line with what it measured.
//!
//! Invariants
//! - Requests are built before the clock starts; while it runs, bytes are written and answers are checked, nothing else. (`stream`
//!   makes its events meanwhile, a few requests ahead, and says what that cost.)
//! - An answer other than 201 with all events accepted ends the run with an error: there is no figure for a failed run. (`stream` sends
//!   again what is refused at a limit, and its wait counts.)
//!
//! Not here: starting servers, other systems, tables (`bench/run`).
#![allow(clippy::disallowed_methods, reason = "a measurement")]

mod answer;
mod batches;
mod outcome;
mod process;
mod requests;
mod rows;
mod singles;
mod stages;
mod stream;

use std::{
    io::{BufWriter, Write},
    net::SocketAddr,
};

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use trailbook_event::Timestamp;
use trailbook_testkit::{Generator, Shape};

/// Loads a running Trailbook server and reports what it did.
#[derive(Parser)]
struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Sends batches, each connection waiting for its answer before it sends the next.
    Ingest(Ingest),
    /// Sends one event a request over many connections.
    Single(Single),
    /// Sends a history: batches of events that are always new, made while they are sent. Waits while the server is at a limit.
    Stream(Stream),
    /// Writes events as JSON lines to standard output: the same events that the other commands send first.
    Generate(Generate),
    /// Writes the same events as CSV rows for the tables of other systems, without a header; see `rows.rs` for the columns.
    Rows(Rows),
}

/// What the events are like.
#[derive(Args)]
struct Events {
    /// Seed of the generator: equal seeds give equal events.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Organizations that the events are spread over.
    #[arg(long, default_value_t = 1_000)]
    organizations: usize,
    /// All organizations have about the same number of events, instead of by Zipf.
    #[arg(long)]
    equal: bool,
    /// So many events fill the 90 days, before the stream passes over them again.
    #[arg(long, default_value_t = trailbook_testkit::PASS_EVENTS)]
    fill: u64,
}

impl Events {
    fn generator(&self, client_ids: bool) -> anyhow::Result<Generator> {
        let start = Timestamp::parse("2026-01-01T00:00:00Z").context("the start is well-formed")?;
        let shape = Shape {
            organizations: self.organizations,
            client_ids,
            start,
            days: 90,
        };
        let generator = Generator::new(self.seed, shape).filling(self.fill);
        Ok(if self.equal {
            generator.with_equal_organizations()
        } else {
            generator
        })
    }
}

/// Which server, and what to read of it.
#[derive(Args)]
struct Target {
    /// Address of the server, such as http://127.0.0.1:8321.
    #[arg(long, value_parser = address)]
    server: SocketAddr,
    /// Key that may write events; with `--stages` it must be the root key or the server must be on this machine.
    #[arg(long, env = "TRAILBOOK_KEY", hide_env_values = true)]
    key: String,
    /// Process id of the server: its CPU time and memory are reported.
    #[arg(long)]
    pid: Option<u32>,
    /// Report where the server's time went, from its /metrics.
    #[arg(long)]
    stages: bool,
}

#[derive(Args)]
struct Ingest {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    events: Events,
    /// Events in a request.
    #[arg(long, default_value_t = 500)]
    batch: usize,
    #[arg(long, default_value_t = 2)]
    connections: usize,
    /// Events to send in all; rounded up to whole requests on every connection.
    #[arg(long = "events", default_value_t = 2_000_000)]
    count: u64,
    /// Different requests to build; they are sent again and again.
    #[arg(long, default_value_t = 200)]
    bodies: usize,
    /// Give every event a client id of its own.
    #[arg(long)]
    client_ids: bool,
}

#[derive(Args)]
struct Single {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    events: Events,
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Events to send in all.
    #[arg(long = "events", default_value_t = 200_000)]
    count: u64,
    /// Different requests to build; they are sent again and again.
    #[arg(long, default_value_t = 20_000)]
    bodies: usize,
}

#[derive(Args)]
struct Stream {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    events: Events,
    /// Events in a request.
    #[arg(long, default_value_t = 500)]
    batch: usize,
    #[arg(long, default_value_t = 2)]
    connections: usize,
    /// Events to send in all: a multiple of the batch.
    #[arg(long = "events")]
    count: u64,
    /// Events a second at most; as many as the server takes without.
    #[arg(long)]
    rate: Option<u32>,
}

#[derive(Args)]
struct Rows {
    #[command(flatten)]
    events: Events,
    /// Rows to write.
    #[arg(long = "events")]
    count: usize,
}

#[derive(Args)]
struct Generate {
    #[command(flatten)]
    events: Events,
    /// Events to write.
    #[arg(long = "events")]
    count: usize,
    /// Give every event a client id of its own.
    #[arg(long)]
    client_ids: bool,
}

fn address(url: &str) -> Result<SocketAddr, String> {
    let host = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
    host.parse()
        .map_err(|_| format!("{url:?} is not an address such as http://127.0.0.1:8321"))
}

fn main() -> anyhow::Result<()> {
    match Command::parse().what {
        What::Ingest(ingest) => {
            let requests = requests::batches(&ingest)?;
            let outcome = outcome::measured(&ingest.target, || batches::run(&ingest, requests))?;
            println!("{outcome}");
        }
        What::Single(single) => {
            let requests = requests::singles(&single)?;
            let outcome = outcome::measured(&single.target, || singles::run(&single, &requests))?;
            println!("{outcome}");
        }
        What::Stream(stream) => {
            let outcome = outcome::measured(&stream.target, || stream::run(&stream))?;
            println!("{outcome}");
        }
        What::Rows(asked) => rows::write(
            asked.events.generator(false)?.take(asked.count),
            std::io::stdout().lock(),
        )?,
        What::Generate(generate) => {
            let mut out = BufWriter::new(std::io::stdout().lock());
            for event in generate.events.generator(generate.client_ids)?.take(generate.count) {
                writeln!(out, "{}", event.json)?;
            }
            out.flush()?;
        }
    }
    Ok(())
}
