//! A ledger and an engine over it, in a scratch directory, with a clock and randomness that the simulation holds in its hands.

use std::{
    collections::HashSet,
    fs::File,
    net::IpAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use object_store::local::LocalFileSystem;
use tempfile::TempDir;
use trailbook_event::Timestamp;
use trailbook_ledger::{
    Clock, Fsck, Ledger, Limits, Measures, Parts, Postgres, PostgresOptions, Random, Sqlite, database::Database, fsck,
};
use trailbook_query::{BlockIndexer, CacheSizes, Engine};
use trailbook_testkit::AskedDatabase;

use super::{
    Draw,
    gate::{Gate, Gated},
};
use crate::random::SPAN_MS;

/// A clock that stands still until it is moved.
pub(super) struct VirtualClock {
    wall: AtomicI64,
    passed: AtomicI64,
}

impl VirtualClock {
    pub(super) fn advance(&self, millis: i64) {
        self.wall.fetch_add(millis, Ordering::SeqCst);
        self.passed.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.wall.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.passed.load(Ordering::SeqCst) as u64)
    }
}

/// Repeatable "random" bytes.
struct SeededRandom {
    seed: u64,
    draws: AtomicU64,
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let draw = self.draws.fetch_add(1, Ordering::SeqCst);
        let mut source = trailbook_testkit::Random::of_thing(self.seed, draw);
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&source.next_u64().to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A ledger that can be closed and opened again.
pub(super) struct World {
    directory: TempDir,
    pub(super) clock: Arc<VirtualClock>,
    random: Arc<SeededRandom>,
    pub(super) gate: Arc<Gate>,
    limits: Limits,
    cache: CacheSizes,
    /// Objects whose time of modification is virtual.
    dated: HashSet<PathBuf>,
    running: Option<(Ledger, Engine)>,
    /// In place of the embedded database.
    asked: Option<AskedDatabase>,
}

/// Half of the events happen before this time, half later.
pub(super) const START_MS: i64 = SPAN_MS / 2;

impl World {
    pub(super) async fn new(seed: u64, draw: &mut Draw) -> Self {
        let mut limits = Limits {
            seal_events: [10, 60, 400][draw.below(3)],
            retention_days: [None, Some(1), Some(3), Some(30)][draw.below(4)],
            open_segments_max: [2, 256][draw.below(2)],
            ..Limits::default()
        };
        limits.compaction.segment_rows_max = [30, 200, 2_000_000][draw.below(3)];
        limits.compaction.interval_rows_max = [300, 64_000_000][draw.below(2)];
        let nothing = CacheSizes {
            index_bytes: 0,
            row_bytes: 0,
        };
        let mut world = Self {
            directory: tempfile::tempdir().unwrap(),
            clock: Arc::new(VirtualClock {
                wall: AtomicI64::new(START_MS),
                passed: AtomicI64::new(0),
            }),
            random: Arc::new(SeededRandom {
                seed,
                draws: AtomicU64::new(0),
            }),
            gate: Arc::default(),
            limits,
            cache: if draw.percent(30) {
                nothing
            } else {
                CacheSizes::default()
            },
            dated: HashSet::new(),
            running: None,
            asked: AskedDatabase::when_asked(),
        };
        world.open().await;
        world
    }

    async fn database(&self, measures: Arc<Measures>) -> Arc<dyn Database> {
        let Some(asked) = &self.asked else {
            return Arc::new(Sqlite::open(self.directory.path(), measures).unwrap());
        };
        let connected = Postgres::connect(&asked.url(), PostgresOptions::default(), measures).await;
        Arc::new(connected.unwrap())
    }

    async fn parts(&self) -> Parts {
        let measures = Arc::new(Measures::default());
        let directory = self.directory.path().join("objects");
        std::fs::create_dir_all(&directory).unwrap();
        Parts {
            database: self.database(Arc::clone(&measures)).await,
            objects: Arc::new(Gated {
                objects: LocalFileSystem::new_with_prefix(&directory).unwrap(),
                gate: Arc::clone(&self.gate),
            }),
            object_files: trailbook_ledger::ObjectFiles::Local(directory),
            indexer: Arc::new(BlockIndexer),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            random: Arc::clone(&self.random) as Arc<dyn Random>,
            measures,
            signing_key: [7; 32],
            limits: self.limits.clone(),
        }
    }

    async fn open(&mut self) {
        let ledger = Ledger::open(self.parts().await).await.unwrap();
        let engine = Engine::new(ledger.clone(), ledger.secret("cursors"), self.cache);
        self.running = Some((ledger, engine));
    }

    /// Ends everything that runs; answers what a check of all that is stored finds.
    pub(super) async fn stop(&mut self) -> Fsck {
        let (ledger, engine) = self.running.take().unwrap();
        ledger.close().await.unwrap();
        drop((ledger, engine));
        fsck(&self.parts().await, true).await.unwrap()
    }

    /// Ends everything that runs, checks it, and begins again.
    pub(super) async fn reopen(&mut self) {
        let report = self.stop().await;
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
        self.open().await;
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.running.as_ref().unwrap().0
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.running.as_ref().unwrap().1
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.now().millis()
    }

    /// The files of segments. Those that are new are dated as of now.
    pub(super) fn segment_files(&mut self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.directory.path().join("objects/segments")) else {
            return Vec::new();
        };
        let files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(self.now() as u64);
        for file in &files {
            if self.dated.insert(file.clone()) {
                let file = File::options().write(true).open(file).unwrap();
                file.set_modified(now).unwrap();
            }
        }
        files
    }
}

/// The country of some addresses.
pub(super) fn country(address: IpAddr) -> Option<[u8; 2]> {
    match address {
        IpAddr::V4(address) => Some([*b"DE", *b"US"][usize::from(address.octets()[3]) % 2]),
        IpAddr::V6(_) => None,
    }
}
