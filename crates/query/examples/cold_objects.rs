//! Measures the first questions of a node that has nothing in its cache, over objects in a local S3 server: how long, how many requests,
//! how many bytes.
//!
//! `cargo run --release -p trailbook-query --example cold_objects [EVENTS [DIRECTORY]]`; what was made in a directory is used again.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement reads the clock and files"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use trailbook_event::{
    Admission, Filter, Limits as EventLimits, NoCatalog, Origin, Pointer, Timestamp, admit, filter::from_parameter,
    json, language,
};
use trailbook_ledger::{
    Clock, Ledger, Limits, Measures, ObjectCache, ObjectFiles, OrganizationKey, Parts, Random, Sqlite,
};
use trailbook_query::{BlockIndexer, CacheSizes, Engine, Order, PageRequest, Question, Range, Scope};
use trailbook_testkit::{Generator, Shape};
use trailbook_testkit_s3::{Server, Settings};

/// Events of a submission.
const BATCH: usize = 2_000;
/// Events of a sealing.
const SEALED: u64 = 200_000;
const ORGANIZATION: &str = "fashion-000";

struct Wall(Instant);

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_millis(since.as_millis() as i64)
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

struct System;

impl Random for System {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let events: u64 = arguments.next().map_or(10_000_000, |count| count.parse().unwrap());
    let scratch = tempfile::tempdir().unwrap();
    let directory = arguments.next().map_or(scratch.path().to_owned(), PathBuf::from);
    fs::create_dir_all(&directory).unwrap();
    let server = Server::start(Settings {
        directory: directory.join("s3"),
        bucket: "log".to_owned(),
        access_key: "key".to_owned(),
        secret_key: "secret".to_owned(),
        port: 0,
    });
    let server = server.unwrap();
    if !directory.join("made").exists() {
        make(&directory, &server, events).await;
        fs::write(directory.join("made"), "").unwrap();
    }
    fs::remove_dir_all(directory.join("cache")).unwrap();
    let parts = parts(&directory, &server);
    let measures = Arc::clone(&parts.measures);
    let started = Instant::now();
    let ledger = Ledger::open(parts).await.unwrap();
    println!("ready after {:.2?}; {:?}", started.elapsed(), ledger.level_stats());
    let engine = Engine::new(ledger.clone(), [7; 32], CacheSizes::default());
    let questions = [
        ("newest 50", Filter::all()),
        (
            "an action, newest 50",
            from_parameter("action", &["auth*"]).unwrap().unwrap(),
        ),
        ("a word, newest 50", language::parse("report", &|_, _, _| None).unwrap()),
        ("newest 50 again", Filter::all()),
    ];
    for (name, filter) in questions {
        let gets = || server.count().get("GET").copied().unwrap_or_default();
        let (before, bytes) = (gets(), measures.cache_bytes.load(Ordering::Relaxed));
        let asked = Instant::now();
        let engine = &engine;
        let found = tokio::task::block_in_place(|| ask(engine, filter));
        println!(
            "{name:<24} {:>8.2?}  {:>4} requests  {:>6.1} MB  ({found})",
            asked.elapsed(),
            gets() - before,
            (measures.cache_bytes.load(Ordering::Relaxed) - bytes) as f64 / 1e6
        );
    }
    ledger.close().await.unwrap();
}

fn ask(engine: &Engine, filter: Filter) -> usize {
    let scope = Scope {
        organization: OrganizationKey::new("default", ORGANIZATION),
        own: None,
    };
    let request = PageRequest {
        question: Question {
            filter,
            range: Range::default(),
        },
        order: Order::Descending,
        limit: 50,
        cursor: None,
    };
    engine.view(&scope).unwrap().page(&request).unwrap().rows.len()
}

fn parts(directory: &Path, server: &Server) -> Parts {
    let measures = Arc::new(Measures::default());
    let store = server.store().unwrap();
    let cache = ObjectCache::open(store.clone(), &directory.join("cache"), 10 << 30, measures.clone());
    Parts {
        database: Arc::new(Sqlite::open(directory, measures.clone()).unwrap()),
        objects: store,
        object_files: ObjectFiles::Cache(cache.unwrap()),
        indexer: Arc::new(BlockIndexer),
        clock: Arc::new(Wall(Instant::now())),
        random: Arc::new(System),
        measures,
        signing_key: [7; 32],
        limits: Limits::default(),
    }
}

async fn make(directory: &Path, server: &Server, events: u64) {
    let ledger = Ledger::open(parts(directory, server)).await.unwrap();
    let limits = EventLimits::default();
    let now = Wall(Instant::now()).now();
    let admission = Admission {
        limits: &limits,
        now,
        defaults: &NoCatalog,
        origin: Origin::Sender,
    };
    let shape = Shape {
        organizations: 1,
        client_ids: false,
        start: Timestamp::from_millis(now.millis() - 90 * 86_400_000),
        days: 90,
    };
    let mut generator = Generator::new(1, shape);
    let mut unsealed = 0;
    for made in (0..events).step_by(BATCH) {
        let admitted = (0..BATCH).map(|_| {
            let text = generator.next().unwrap();
            let value = json::parse(&text.json, &limits.json()).unwrap();
            admit(&value, &Pointer::root(), &admission).unwrap()
        });
        let submission = ledger.prepare("default", admitted.collect(), None, &|_| None);
        ledger.append(submission).await.unwrap();
        unsealed += BATCH as u64;
        if unsealed >= SEALED || made + BATCH as u64 >= events {
            while ledger.seal().await.unwrap().is_some() {}
            while ledger.compact().await.unwrap().is_some() {}
            unsealed = 0;
        }
    }
    ledger.close().await.unwrap();
}
