//! Measures sealed segments: bytes of the index by group, microseconds to build it, and how long common questions take.
//!
//! `cargo run --release -p trailbook-query --example sealed_speed [EVENTS] [ORGANIZATIONS]`; writes a segment into a scratch
//! directory and asks about the largest organization in it.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement reads the clock and files"
)]

use std::{
    collections::BTreeMap,
    fs::File,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use jiff::tz::TimeZone;
use tokio::sync::watch;
use trailbook_event::{
    Admission, Event, Filter, Limits, NoCatalog, Origin, Parts, Pointer, Timestamp, admit,
    filter::{Field, from_parameter},
    json, language,
};
use trailbook_ledger::{
    Error, EventId, Head, OrganizationKey, Row, Sealed, SealedRun, Secrets, SegmentHandle,
    segment::{BLOCK_ROWS, Compression, Indexer, Parsed, Segment, Writer},
};
use trailbook_merkle::Hash;
use trailbook_query::{
    BlockIndexer, CacheSizes, Engine, FacetRequest, Interval, Order, PageRequest, Question, Range, Scope, Source, View,
};
use trailbook_testkit::{Generator, Shape};

const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const DAY_MS: i64 = 86_400_000;
/// How often each question is asked.
const TIMES: usize = 40;

/// The largest organization's ledger, all of it sealed.
struct History(Arc<Sealed>, watch::Sender<u64>);

impl Source for History {
    fn head(&self, _: &OrganizationKey) -> Option<Head> {
        Some(Head {
            size: self.0.end,
            epoch: 1,
            received_at: START,
        })
    }

    fn tail(&self, _: &OrganizationKey, _: u64, _: usize) -> Vec<Arc<Row>> {
        Vec::new()
    }

    fn sealed(&self, _: &OrganizationKey) -> Result<Arc<Sealed>, Error> {
        Ok(Arc::clone(&self.0))
    }

    fn rows(&self, _: &OrganizationKey, _: u64, _: usize) -> Result<Vec<Arc<Row>>, Error> {
        Ok(Vec::new())
    }

    fn commits(&self) -> watch::Receiver<u64> {
        self.1.subscribe()
    }
}

fn main() {
    let argument = |place, default| {
        std::env::args()
            .nth(place)
            .map_or(default, |text| text.parse().unwrap())
    };
    let (events, organizations) = (argument(1, 1_000_000), argument(2, 1_000));
    let mut ledgers: Vec<(String, Vec<Arc<Row>>)> = rows(events, organizations).into_iter().collect();
    // The largest first, so that its number is known.
    ledgers.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
    for (_, rows) in &mut ledgers {
        rows.sort_by_key(|row| std::cmp::Reverse((row.occurred_at, row.sequence)));
    }
    println!(
        "{events} events, {} ledgers, the largest {}",
        ledgers.len(),
        ledgers[0].1.len()
    );
    indexes(&ledgers, events);
    let directory = tempfile::tempdir().unwrap();
    let sealed = write(&ledgers, &directory);
    let subject = Subject::of(&ledgers[0]);
    drop(ledgers);
    ask(&sealed, &subject);
}

/// Sizes of the indexes, and how long they take to build.
fn indexes(ledgers: &[(String, Vec<Arc<Row>>)], events: usize) {
    let (mut groups, mut took, mut total) = (BTreeMap::<String, usize>::new(), Duration::ZERO, 0);
    let mut small = (0, 0);
    for block in ledgers.iter().flat_map(|(_, rows)| rows.chunks(BLOCK_ROWS)) {
        let parsed = |row| Parsed {
            row,
            event: Event::parse(&row.parts).unwrap(),
        };
        let rows: Vec<Parsed<'_>> = block.iter().map(|row| parsed(&**row)).collect();
        let start = Instant::now();
        let bytes = BlockIndexer.index(&rows);
        took += start.elapsed();
        total += bytes.len();
        add_groups(&bytes, &mut groups);
        let five = BlockIndexer.index(&rows[..rows.len().min(5)]);
        small = (small.0 + five.len(), small.1 + rows.len().min(5));
    }
    let each = |bytes: usize| bytes as f64 / events as f64;
    println!(
        "index {:.1} B an event, built in {:.2} µs an event",
        each(total),
        took.as_secs_f64() * 1e6 / events as f64
    );
    println!("blocks of 5 rows: {:.0} B an event", small.0 as f64 / small.1 as f64);
    for (groups, bytes) in &groups {
        println!("  {groups:<40} {:>6.2} B", each(*bytes));
    }
}

/// Adds the bytes of an index's parts by the groups that they have, as docs/formats/index.md says. Most parts of large
/// indexes have one group.
fn add_groups(index: &[u8], groups: &mut BTreeMap<String, usize>) {
    let mut rest = &index[9..];
    number(&mut rest);
    number(&mut rest);
    number(&mut rest);
    let paths: Vec<String> = (0..number(&mut rest)).map(|_| text(&mut rest)).collect();
    let mut parts = 0;
    for _ in 0..number(&mut rest) {
        let length = number(&mut rest);
        number(&mut rest);
        rest = &rest[4..];
        let first = number(&mut rest);
        let count = number(&mut rest);
        if first & 1 == 1 {
            text(&mut rest);
        }
        let (first, last) = (name(first >> 1, &paths), name((first >> 1) + count - 1, &paths));
        let name = if first == last {
            first
        } else {
            "several small groups".to_owned()
        };
        *groups.entry(name).or_default() += length;
        parts += length;
    }
    *groups.entry("header".to_owned()).or_default() += index.len() - parts;
}

fn name(group: usize, paths: &[String]) -> String {
    let named = Field::names().nth(group).map(str::to_owned);
    named.unwrap_or_else(|| match group - 16 {
        0 => "actors".to_owned(),
        1 => "targets".to_owned(),
        2 => "words".to_owned(),
        path => format!("metadata.{}", paths[path - 3]),
    })
}

fn number(bytes: &mut &[u8]) -> usize {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        number |= usize::from(byte & 0x7f).checked_shl(shift).unwrap_or_default();
        shift += 7;
        if byte < 0x80 {
            return number;
        }
    }
}

fn text(bytes: &mut &[u8]) -> String {
    let length = number(bytes);
    let (text, rest) = bytes.split_at(length);
    *bytes = rest;
    String::from_utf8(text.to_vec()).unwrap()
}

fn write(ledgers: &[(String, Vec<Arc<Row>>)], directory: &tempfile::TempDir) -> Arc<Sealed> {
    let file = |name: &str| directory.path().join(name);
    let create = |name: &str| File::create(file(name)).unwrap();
    let start = Instant::now();
    let (data, bundle) = (create("segment.parquet"), create("segment.bundle"));
    let mut writer = Writer::create(data, bundle, &BlockIndexer, Compression(3)).unwrap();
    for (number, (organization, rows)) in (0..).zip(ledgers) {
        writer
            .begin_run(number, &OrganizationKey::new("default", organization.as_str()))
            .unwrap();
        rows.iter().for_each(|row| writer.push(Arc::clone(row)).unwrap());
    }
    let contents = writer.finish().unwrap();
    let (data, bundle) = (contents.data.0, contents.bundle.0);
    println!(
        "segment {} + {} MB, written in {:.1} s",
        data >> 20,
        bundle >> 20,
        start.elapsed().as_secs_f64()
    );
    let segment = Arc::new(Segment::open(&file("segment.parquet"), &file("segment.bundle")).unwrap());
    let run = segment.run(0).unwrap().unwrap();
    Arc::new(Sealed {
        end: run.sequences().end,
        runs: vec![SealedRun {
            segment: SegmentHandle::new(1, move || Ok(Arc::clone(&segment))),
            run,
        }],
        ..Sealed::default()
    })
}

/// What questions ask for.
struct Subject {
    organization: OrganizationKey,
    id: EventId,
    trace: String,
    actor: String,
    actions: Vec<String>,
    end: i64,
}

impl Subject {
    fn of((organization, rows): &(String, Vec<Arc<Row>>)) -> Self {
        let events: Vec<Event<'_>> = rows
            .iter()
            .take(1000)
            .map(|row| Event::parse(&row.parts).unwrap())
            .collect();
        let mut actions: Vec<String> = events.iter().map(|event| event.action.to_string()).collect();
        actions.sort();
        actions.dedup();
        actions.truncate(3);
        Self {
            organization: OrganizationKey::new("default", organization.as_str()),
            id: rows[rows.len() / 2].id,
            trace: events
                .iter()
                .find_map(|event| event.trace_id.as_ref())
                .unwrap()
                .to_string(),
            actor: events
                .iter()
                .find_map(|event| event.actor.id.as_ref())
                .unwrap()
                .to_string(),
            actions,
            end: rows[0].occurred_at.millis(),
        }
    }
}

fn ask(sealed: &Arc<Sealed>, subject: &Subject) {
    let last_days = |days: i64| Range {
        from: Some(Timestamp::from_millis(subject.end - days * DAY_MS)),
        to: None,
    };
    let parameter = |name: &str, values: &[&str]| from_parameter(name, values).unwrap().unwrap();
    let question = |filter, range| Question { filter, range };
    let all = question(Filter::all(), Range::default());
    let actor = question(parameter("actor", &[&subject.actor]), last_days(7));
    let actions: Vec<&str> = subject.actions.iter().map(String::as_str).collect();
    let security = parameter("security", &["true"]).and(parameter("action", &actions));
    let security = question(security, Range::default());
    let word = question(language::parse("report", &|_, _, _| None).unwrap(), Range::default());
    let fields = ["action", "area", "actor", "result"].map(|name| Field::from_name(name).unwrap().unwrap());
    let facets = FacetRequest {
        question: question(Filter::all(), last_days(30)),
        fields: fields.into(),
        limit: 20,
        prefix: None,
    };
    let page = |view: &View, question: &Question| {
        let request = PageRequest {
            question: question.clone(),
            order: Order::Descending,
            limit: 50,
            cursor: None,
        };
        view.page(&request).unwrap().rows.len() as u64
    };
    let engine = |cache| {
        let source = History(Arc::clone(sealed), watch::channel(0).0);
        Engine::new(source, [0; 32], cache)
    };
    let scope = Scope {
        organization: subject.organization.clone(),
        own: None,
    };
    let warm = engine(CacheSizes::default());
    let time = |what: &str, ask: &dyn Fn(&View) -> u64| {
        let answer = ask(&warm.view(&scope).unwrap());
        let warm = durations(|| {
            let view = warm.view(&scope).unwrap();
            timed(|| ask(&view))
        });
        let cold = durations(|| {
            let view = engine(CacheSizes::default()).view(&scope).unwrap();
            timed(|| ask(&view))
        });
        println!("{what:<28} warm {warm}   cold {cold}   ({answer})");
    };
    time("newest 50", &|view| page(view, &all));
    time("actor, 7 days", &|view| page(view, &actor));
    time("security and 3 actions", &|view| page(view, &security));
    time("word, newest 50", &|view| page(view, &word));
    time("word, count", &|view| view.count(&word).unwrap());
    time("facets, 30 days, 4 fields", &|view| {
        view.facets(&facets).unwrap().len() as u64
    });
    time("histogram, 90 days", &|view| {
        view.histogram(&all, Interval::Day, &TimeZone::UTC).unwrap().len() as u64
    });
    time("by id", &|view| u64::from(view.event(&subject.id).unwrap().is_some()));
    time("by trace", &|view| {
        view.trace(&subject.trace).unwrap().events.len() as u64
    });
}

fn timed<T>(ask: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    std::hint::black_box(ask());
    start.elapsed()
}

/// The median and the 95th percentile.
fn durations(measure: impl Fn() -> Duration) -> String {
    let mut durations: Vec<Duration> = (0..TIMES).map(|_| measure()).collect();
    durations.sort_unstable();
    let ms = |percent: usize| durations[(TIMES * percent / 100).min(TIMES - 1)].as_secs_f64() * 1e3;
    format!("{:>8.3} {:>8.3} ms", ms(50), ms(95))
}

fn rows(events: usize, organizations: usize) -> BTreeMap<String, Vec<Arc<Row>>> {
    let shape = Shape {
        organizations,
        client_ids: true,
        start: START,
        days: 90,
    };
    let limits = Limits::default();
    let admission = Admission {
        limits: &limits,
        now: Timestamp::from_millis(START.millis() + 400 * DAY_MS),
        defaults: &NoCatalog,
        origin: Origin::Sender,
    };
    let mut ledgers = BTreeMap::<String, Vec<Arc<Row>>>::new();
    for event in Generator::new(1, shape).take(events) {
        let value = json::parse(&event.json, &limits.json()).unwrap();
        let admitted = admit(&value, &Pointer::root(), &admission).unwrap();
        let rows = ledgers.entry(event.organization.to_string()).or_default();
        let sequence = rows.len() as u64;
        let mut row = Row {
            sequence,
            commit: sequence,
            id: EventId::first(1_790_000_000_000 + sequence, [0; 10]),
            epoch: 1,
            received_at: START,
            occurred_at: admitted.occurred_at,
            country: [None, Some(*b"DE"), Some(*b"US")][sequence as usize % 3],
            secrets: Secrets::Nonce([0; 16]),
            leaf_hash: Hash([0; 32]),
            parts: Parts::new(Bytes::copy_from_slice(admitted.parts.bytes()), admitted.parts.ends()).unwrap(),
        };
        row.leaf_hash = row.leaf_record().leaf_hash();
        rows.push(Arc::new(row));
    }
    ledgers
}
