//! Measures segments: bytes an event by column and section, and how fast they are sealed, compacted and read.
//!
//! `cargo run --release -p trailbook-ledger --example segment_size [EVENTS]`
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement reads the clock"
)]

use std::{collections::BTreeMap, fs::File, path::Path, sync::Arc, time::Instant};

use object_store::local::LocalFileSystem;
use parquet::file::metadata::ParquetMetaDataReader;
use trailbook_event::{Admission, Limits as EventLimits, NoCatalog, Origin, Pointer, Timestamp, admit, json};
use trailbook_ledger::{
    Clock, Ledger, Limits, Measures, Parts, Random, Sqlite,
    segment::{Indexer, Parsed, Segment},
};
use trailbook_testkit::{Generator, Shape};

const START: i64 = 1_790_000_000_000;
const BATCH: usize = 1_000;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(START)
    }
    fn monotonic(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }
}

struct Counted(std::sync::atomic::AtomicU64);

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // Splitmix64: nonces and ids must be as hard to compress as real ones.
            let count = self
                .0
                .fetch_add(0x9E37_79B9_7F4A_7C15, std::sync::atomic::Ordering::Relaxed);
            let mixed = (count ^ (count >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Leaves the index out: it is measured where it is made.
struct Unindexed;

impl Indexer for Unindexed {
    fn index(&self, _: &[Parsed<'_>]) -> Vec<u8> {
        Vec::new()
    }
}

fn main() {
    let events: usize = std::env::args().nth(1).map_or(200_000, |count| count.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(measure(events, directory.path()));
}

async fn measure(events: usize, directory: &Path) {
    let measures = Arc::new(Measures::default());
    let objects = directory.join("objects");
    std::fs::create_dir_all(&objects).unwrap();
    let parts = Parts {
        database: Arc::new(Sqlite::open(directory, Arc::clone(&measures)).unwrap()),
        objects: Arc::new(LocalFileSystem::new_with_prefix(&objects).unwrap()),
        object_files: trailbook_ledger::ObjectFiles::Local(objects.clone()),
        indexer: Arc::new(Unindexed),
        clock: Arc::new(Fixed),
        random: Arc::new(Counted(0.into())),
        measures,
        signing_key: [7; 32],
        limits: Limits {
            seal_events: (events as u64 / 8).max(1),
            ..Limits::default()
        },
    };
    let ledger = Ledger::open(parts).await.unwrap();
    load(&ledger, events).await;
    let started = Instant::now();
    while ledger.seal().await.unwrap().is_some() {}
    report("sealed", events, started);
    sizes(&objects, events);
    let started = Instant::now();
    while ledger.compact().await.unwrap().is_some() {}
    report("compacted", events, started);
    sizes(&objects, events);
    read(&objects);
}

async fn load(ledger: &Ledger, events: usize) {
    let limits = EventLimits::default();
    let admission = Admission {
        limits: &limits,
        now: Timestamp::from_millis(START),
        defaults: &NoCatalog,
        origin: Origin::Sender,
    };
    let shape = Shape {
        organizations: 1_000,
        client_ids: false,
        start: Timestamp::from_millis(START - 90 * 86_400_000),
        days: 90,
    };
    let mut generator = Generator::new(1, shape);
    for _ in 0..events / BATCH {
        let admitted = (0..BATCH).map(|_| {
            let text = generator.next().unwrap();
            let value = json::parse(&text.json, &limits.json()).unwrap();
            admit(&value, &Pointer::root(), &admission).unwrap()
        });
        let submission = ledger.prepare("default", admitted.collect(), None, &|_| Some(*b"GB"));
        ledger.append(submission).await.unwrap();
    }
}

fn report(what: &str, events: usize, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{what}: {:.0} events/s, {:.2} µs an event",
        events as f64 / seconds,
        seconds * 1e6 / events as f64
    );
}

/// The newest files of segments, by name.
fn files(objects: &Path, extension: &str) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(objects.join("segments"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    let level = |path: &Path| {
        path.file_stem()
            .unwrap()
            .to_string_lossy()
            .split('-')
            .nth(2)
            .unwrap()
            .to_owned()
    };
    let newest = files.iter().map(|path| level(path)).max().unwrap();
    files.retain(|path| level(path) == newest);
    files.sort();
    files
}

fn sizes(objects: &Path, events: usize) {
    let each = |bytes: u64| bytes as f64 / events as f64;
    let mut columns = BTreeMap::<String, u64>::new();
    for path in files(objects, "parquet") {
        let file = File::open(path).unwrap();
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).unwrap();
        for column in metadata.row_groups().iter().flat_map(|group| group.columns()) {
            *columns.entry(column.column_path().string()).or_default() += column.compressed_size() as u64;
        }
        let all = file.metadata().unwrap().len();
        *columns.entry("(whole file)".to_owned()).or_default() += all;
    }
    let bundle: u64 = files(objects, "bundle")
        .iter()
        .map(|path| path.metadata().unwrap().len())
        .sum();
    columns.insert("(bundle without index)".to_owned(), bundle);
    let mut sorted: Vec<_> = columns.into_iter().collect();
    sorted.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    for (column, bytes) in sorted {
        println!("  {:>7.2} B  {column}", each(bytes));
    }
}

fn read(objects: &Path) {
    let (data, bundle) = (files(objects, "parquet"), files(objects, "bundle"));
    let segment = Segment::open(&data[0], &bundle[0]).unwrap();
    let run = segment.runs().unwrap().into_iter().max_by_key(|run| run.rows).unwrap();
    println!("largest run: {} rows", run.rows);
    let rows = run.rows;
    for (what, step) in [
        ("50 neighbours", 1),
        ("50 of 500", 10),
        ("50 of 5,000", 100),
        ("50 scattered", rows / 51),
    ] {
        let numbers: Vec<u64> = (0..50)
            .map(|place| place * step.max(1))
            .filter(|number| *number < rows)
            .collect();
        let mut took: Vec<f64> = (0..100)
            .map(|_| {
                let started = Instant::now();
                segment.rows(&run, &numbers).unwrap();
                started.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        took.sort_by(f64::total_cmp);
        println!("{what}: p50 {:.2} ms, p95 {:.2} ms", took[50], took[95]);
    }
    let started = Instant::now();
    let mut read = 0;
    for first in (0..rows).step_by(2_048) {
        let numbers: Vec<u64> = (first..(first + 2_048).min(rows)).collect();
        read += segment.rows(&run, &numbers).unwrap().len();
    }
    println!("in a row: {:.0} rows/s", read as f64 / started.elapsed().as_secs_f64());
    let started = Instant::now();
    segment.times(&run, 0..rows.min(32_768)).unwrap();
    println!("times of a block: {:.2} ms", started.elapsed().as_secs_f64() * 1e3);
}
