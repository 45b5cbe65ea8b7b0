//! Measures a start with many segments: how long a ledger takes until it answers, and what it holds in memory.
//!
//! `cargo run --release -p trailbook-ledger --example many_segments [SEGMENTS] [DIRECTORY]`. Nothing is compacted, so that each
//! sealing leaves a segment. A directory that exists already is opened as it is.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement reads the clock and files"
)]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use object_store::local::LocalFileSystem;
use trailbook_event::{Admission, Limits as EventLimits, NoCatalog, Origin, Pointer, Timestamp, admit, json};
use trailbook_ledger::{
    Clock, Ledger, Limits, Measures, OrganizationKey, Parts, Random, Sqlite,
    segment::{Indexer, Parsed},
};
use trailbook_testkit::{Generator, Shape};

/// Events of a segment.
const EVENTS: usize = 16;

struct Wall(Instant);

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_millis(now.as_millis() as i64)
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

/// What indexes say does not matter here.
struct Unindexed;

impl Indexer for Unindexed {
    fn index(&self, _: &[Parsed<'_>]) -> Vec<u8> {
        Vec::new()
    }
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let segments: usize = arguments.next().map_or(10_000, |count| count.parse().unwrap());
    let scratch = tempfile::tempdir().unwrap();
    let directory = arguments.next().map_or(scratch.path().to_owned(), PathBuf::from);
    if !directory.join("objects").exists() {
        make(&directory, segments).await;
    }
    let before = resident_megabytes();
    let started = Instant::now();
    let ledger = Ledger::open(parts(&directory)).await.unwrap();
    let ready = started.elapsed();
    let organization = OrganizationKey::new("default", "fashion-000");
    let runs = ledger.sealed(&organization).unwrap().runs.len();
    let asked = started.elapsed() - ready;
    let stats = ledger.level_stats();
    println!("ready after {ready:.2?}; the runs of one organization ({runs}) after {asked:.2?} more");
    println!("{} MB in memory, of which {before} before", resident_megabytes());
    println!("{stats:?}");
    ledger.close().await.unwrap();
}

fn parts(directory: &Path) -> Parts {
    let measures = Arc::new(Measures::default());
    let objects = directory.join("objects");
    std::fs::create_dir_all(&objects).unwrap();
    Parts {
        database: Arc::new(Sqlite::open(directory, Arc::clone(&measures)).unwrap()),
        objects: Arc::new(LocalFileSystem::new_with_prefix(&objects).unwrap()),
        object_files: trailbook_ledger::ObjectFiles::Local(objects),
        indexer: Arc::new(Unindexed),
        clock: Arc::new(Wall(Instant::now())),
        random: Arc::new(System),
        measures,
        signing_key: [7; 32],
        limits: Limits::default(),
    }
}

async fn make(directory: &Path, segments: usize) {
    let ledger = Ledger::open(parts(directory)).await.unwrap();
    let limits = EventLimits::default();
    let now = Wall(Instant::now()).now();
    let admission = Admission {
        limits: &limits,
        now,
        defaults: &NoCatalog,
        origin: Origin::Sender,
    };
    let shape = Shape {
        organizations: 1_000,
        client_ids: false,
        start: Timestamp::from_millis(now.millis() - 90 * 86_400_000),
        days: 90,
    };
    let mut generator = Generator::new(1, shape);
    for _ in 0..segments {
        let admitted = (0..EVENTS).map(|_| {
            let text = generator.next().unwrap();
            let value = json::parse(&text.json, &limits.json()).unwrap();
            admit(&value, &Pointer::root(), &admission).unwrap()
        });
        let submission = ledger.prepare("default", admitted.collect(), None, &|_| None);
        ledger.append(submission).await.unwrap();
        ledger.seal().await.unwrap();
    }
    ledger.close().await.unwrap();
}

fn resident_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon")).unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes / 1024
}
