//! Measures the tail's index: bytes and microseconds an event, and how long common questions take.
//!
//! `cargo run --release -p trailbook-query --example tail_memory [EVENTS]`; reads `/proc`, so only on Linux.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement reads the clock and its own memory"
)]

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use jiff::tz::TimeZone;
use tokio::sync::watch;
use trailbook_event::{
    Admission, Filter, Limits, NoCatalog, Origin, Parts, Pointer, Timestamp, admit,
    filter::{Field, from_parameter},
    json, language,
};
use trailbook_ledger::{Error, EventId, Head, OrganizationKey, Row, Sealed};
use trailbook_merkle::Hash;
use trailbook_query::{
    CacheSizes, Engine, FacetRequest, Interval, Order, PageRequest, Question, Range, Scope, Source, View,
};
use trailbook_testkit::{Generator, Shape};

const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

struct Plain(Vec<Arc<Row>>, watch::Sender<u64>);

impl Source for Plain {
    fn head(&self, _: &OrganizationKey) -> Option<Head> {
        Some(Head {
            size: self.0.len() as u64,
            epoch: 1,
            received_at: START,
        })
    }

    fn tail(&self, _: &OrganizationKey, from: u64, limit: usize) -> Vec<Arc<Row>> {
        self.0.iter().skip(from as usize).take(limit).cloned().collect()
    }

    fn sealed(&self, _: &OrganizationKey) -> Result<Arc<Sealed>, Error> {
        Ok(Arc::default())
    }

    fn rows(&self, organization: &OrganizationKey, from: u64, limit: usize) -> Result<Vec<Arc<Row>>, Error> {
        Ok(self.tail(organization, from, limit))
    }

    fn commits(&self) -> watch::Receiver<u64> {
        self.1.subscribe()
    }
}

fn main() {
    let events: u64 = std::env::args().nth(1).map_or(200_000, |count| count.parse().unwrap());
    let before = resident_bytes();
    let rows = rows(events);
    let part_bytes: usize = rows.iter().map(|row| row.parts.bytes().len()).sum();
    let with_rows = resident_bytes();
    let engine = Engine::new(Plain(rows, watch::channel(0).0), [0; 32], CacheSizes::default());
    let scope = Scope {
        organization: OrganizationKey::new("default", "acme"),
        own: None,
    };
    let start = Instant::now();
    engine.catch_up(&scope.organization).unwrap();
    let indexing = start.elapsed();
    let with_index = resident_bytes();
    let each = |bytes: u64| bytes as f64 / events as f64;
    println!("{events} events, parts {:.0} B each", each(part_bytes as u64));
    println!(
        "rows   {:>7.1} MB, {:>5.0} B each",
        (with_rows - before) as f64 / 1e6,
        each(with_rows - before)
    );
    println!(
        "index  {:>7.1} MB, {:>5.0} B each",
        (with_index - with_rows) as f64 / 1e6,
        each(with_index - with_rows)
    );
    println!("indexing {:.2} µs each", indexing.as_secs_f64() * 1e6 / events as f64);
    ask(&engine.view(&scope).unwrap());
}

fn ask(view: &View) {
    let filters = [
        ("all", Filter::all()),
        ("action=auth*", from_parameter("action", &["auth*"]).unwrap().unwrap()),
        ("one word", query("role")),
        ("phrase", query("\"the role\"")),
        ("no such word", query("zzzz")),
    ];
    for (name, filter) in filters {
        let question = Question {
            filter,
            range: Range::default(),
        };
        let request = PageRequest {
            question: question.clone(),
            order: Order::Descending,
            limit: 50,
            cursor: None,
        };
        time(&format!("page of 50, {name}"), || {
            view.page(&request).unwrap().rows.len()
        });
        time(&format!("count, {name}"), || view.count(&question).unwrap());
    }
    let question = Question::all();
    let fields = ["action", "actor", "area", "target"].map(|name| Field::from_name(name).unwrap().unwrap());
    let request = FacetRequest {
        question: question.clone(),
        fields: fields.into(),
        limit: 20,
        prefix: None,
    };
    time("facets, four fields", || view.facets(&request).unwrap().len());
    time("histogram by day", || {
        view.histogram(&question, Interval::Day, &TimeZone::UTC).unwrap().len()
    });
    time("export of all", || view.rows(&question, Order::Descending).count());
}

fn query(text: &str) -> Filter {
    language::parse(text, &|_, _, _| None).unwrap()
}

fn time<T: std::fmt::Display>(what: &str, ask: impl Fn() -> T) {
    const TIMES: u32 = 20;
    let start = Instant::now();
    let answer = (0..TIMES).map(|_| ask()).last().unwrap();
    println!(
        "{what:<28} {:>9.3} ms  ({answer})",
        start.elapsed().as_secs_f64() * 1e3 / f64::from(TIMES)
    );
}

fn rows(events: u64) -> Vec<Arc<Row>> {
    let shape = Shape {
        organizations: 1,
        client_ids: true,
        start: START,
        days: 90,
    };
    let limits = Limits::default();
    let admission = Admission {
        limits: &limits,
        now: Timestamp::from_millis(START.millis() + 400 * 86_400_000),
        defaults: &NoCatalog,
        origin: Origin::Sender,
    };
    let generator = Generator::new(1, shape);
    let generated = generator.take(events as usize).zip(0_u64..);
    generated
        .map(|(event, sequence)| {
            let value = json::parse(&event.json, &limits.json()).unwrap();
            let admitted = admit(&value, &Pointer::root(), &admission).unwrap();
            let parts = Parts::new(Bytes::copy_from_slice(admitted.parts.bytes()), admitted.parts.ends()).unwrap();
            Arc::new(Row {
                sequence,
                commit: sequence,
                id: EventId::first(1_790_000_000_000 + sequence, [0; 10]),
                epoch: 1,
                received_at: START,
                occurred_at: admitted.occurred_at,
                country: None,
                secrets: trailbook_ledger::Secrets::Nonce([0; 16]),
                leaf_hash: Hash([0; 32]),
                parts,
            })
        })
        .collect()
}

fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
