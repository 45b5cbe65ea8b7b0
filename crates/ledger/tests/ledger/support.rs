//! A ledger on a scratch directory, with a clock and randomness that the test holds in its hands.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use object_store::local::LocalFileSystem;
use sha2::{Digest, Sha256};
use trailbook_event::{Admission, Admitted, Form, Limits as EventLimits, NoCatalog, Timestamp, admit_body};
use trailbook_ledger::{
    Clock, Error, Fsck, IdempotencyKey, Ledger, Limits, Measures, OrganizationKey, Parts, Postgres, PostgresOptions,
    Random, Receipt, RetentionChange, Row, Settlement, Sqlite, Submission,
    database::Database,
    fsck,
    segment::{Indexer, Parsed},
};
use trailbook_testkit::AskedDatabase;

/// A clock that stands still until it is moved.
pub(crate) struct ManualClock {
    wall: AtomicI64,
    monotonic: AtomicI64,
}

impl ManualClock {
    pub(crate) fn advance(&self, millis: i64) {
        self.wall.fetch_add(millis, Ordering::SeqCst);
        self.monotonic.fetch_add(millis, Ordering::SeqCst);
    }

    /// Moves the wall clock alone, as a person does who sets it.
    pub(crate) fn set_off_by(&self, millis: i64) {
        self.wall.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.wall.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.monotonic.load(Ordering::SeqCst) as u64)
    }
}

/// Repeatable "random" bytes.
pub(crate) struct CountedRandom(AtomicU64);

impl Random for CountedRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let block = Sha256::digest(self.0.fetch_add(1, Ordering::SeqCst).to_le_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

/// An index that knows which sequences it has.
pub(crate) struct Sequences;

impl Indexer for Sequences {
    fn index(&self, rows: &[Parsed<'_>]) -> Vec<u8> {
        rows.iter()
            .flat_map(|parsed| parsed.row.sequence.to_le_bytes())
            .collect()
    }
}

/// A scratch data directory and the parts around it.
pub(crate) struct Scratch {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
    random: Arc<CountedRandom>,
    pub(crate) limits: Limits,
    /// In place of the embedded database, when all tests are to work on PostgreSQL.
    asked: Option<AskedDatabase>,
}

pub(crate) const START: i64 = 1_790_000_000_000;

impl Scratch {
    pub(crate) fn new() -> Self {
        Self::seeded(0)
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock {
                wall: AtomicI64::new(START),
                monotonic: AtomicI64::new(0),
            }),
            random: Arc::new(CountedRandom(AtomicU64::new(seed << 32))),
            limits: Limits::default(),
            asked: AskedDatabase::when_asked(),
        }
    }

    /// A copy of the data directory of a closed ledger, at the same time, with other randomness.
    pub(crate) fn copied(&self) -> Self {
        let copy = Self {
            limits: self.limits.clone(),
            asked: self.asked.as_ref().map(AskedDatabase::copied),
            ..Self::seeded(1 + self.random.0.load(Ordering::SeqCst))
        };
        copy.clock
            .wall
            .store(self.clock.wall.load(Ordering::SeqCst), Ordering::SeqCst);
        copy_directory(self.directory.path(), copy.directory.path());
        copy
    }

    pub(crate) fn database_file(&self) -> PathBuf {
        self.directory.path().join(trailbook_ledger::DATABASE_FILE)
    }

    /// The database, on the engine that the tests are to work on.
    pub(crate) async fn database(&self, measures: &Arc<Measures>) -> Arc<dyn Database> {
        let measures = Arc::clone(measures);
        let Some(asked) = &self.asked else {
            return Arc::new(Sqlite::open(self.directory.path(), measures).unwrap());
        };
        let options = PostgresOptions {
            // Of a process that was killed the connections are gone; here they end some time after.
            lock_idle_max: Duration::from_secs(1),
            ..PostgresOptions::default()
        };
        let connected = Postgres::connect(&asked.url(), options, measures).await;
        Arc::new(connected.unwrap())
    }

    pub(crate) fn parts_on(&self, database: Arc<dyn Database>, measures: Arc<Measures>) -> Parts {
        self.parts_of(self.directory.path(), database, measures)
    }

    /// The parts in another data directory.
    pub(crate) fn parts_in(&self, directory: &Path) -> Parts {
        let measures = Arc::new(Measures::default());
        let database = Arc::new(Sqlite::open(directory, Arc::clone(&measures)).unwrap());
        self.parts_of(directory, database, measures)
    }

    fn parts_of(&self, directory: &Path, database: Arc<dyn Database>, measures: Arc<Measures>) -> Parts {
        let objects = directory.join("objects");
        std::fs::create_dir_all(&objects).unwrap();
        Parts {
            database,
            objects: Arc::new(LocalFileSystem::new_with_prefix(&objects).unwrap()),
            object_files: trailbook_ledger::ObjectFiles::Local(objects),
            indexer: Arc::new(Sequences),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            random: Arc::clone(&self.random) as Arc<dyn Random>,
            measures,
            signing_key: [7; 32],
            limits: self.limits.clone(),
        }
    }

    pub(crate) async fn parts(&self) -> Parts {
        let measures = Arc::new(Measures::default());
        self.parts_on(self.database(&measures).await, measures)
    }

    pub(crate) async fn open(&self) -> Ledger {
        Ledger::open(self.parts().await).await.unwrap()
    }

    pub(crate) async fn fsck(&self) -> Fsck {
        fsck(&self.parts().await, true).await.unwrap()
    }

    pub(crate) async fn assert_sound(&self) -> Fsck {
        let report = self.fsck().await;
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
        report
    }

    /// Prepares events given as JSON lines.
    pub(crate) fn submission(&self, ledger: &Ledger, lines: &str, key: Option<(&str, &str)>) -> Submission {
        let idempotency = key.map(|(key, body)| IdempotencyKey {
            credential: [1; 32],
            key: key.to_owned(),
            body: Sha256::digest(body).into(),
        });
        ledger.prepare("default", self.admit(lines), idempotency, &|_| Some(*b"GB"))
    }

    pub(crate) fn admit(&self, lines: &str) -> Vec<Admitted> {
        let limits = EventLimits::default();
        let admission = Admission {
            limits: &limits,
            now: self.clock.now(),
            defaults: &NoCatalog,
            origin: trailbook_event::Origin::Sender,
        };
        admit_body(lines.as_bytes(), Form::Ndjson, &admission).unwrap()
    }

    /// Says how long events are kept, with an event of the organization `records`.
    pub(crate) async fn set_retention(&self, ledger: &Ledger, retention: RetentionChange) {
        let settlement = Settlement {
            retentions: vec![retention],
            events: vec![self.submission(ledger, &event("records", 0), None)],
            ..Settlement::default()
        };
        ledger.settle(settlement).await.unwrap();
    }

    /// Says how long the events of an organization are kept.
    pub(crate) async fn set_days(&self, ledger: &Ledger, name: &str, days: Option<u32>, legal_hold: bool) {
        let retention = RetentionChange {
            scope: (&organization(name)).into(),
            days: Some(days),
            legal_hold: Some(legal_hold),
        };
        self.set_retention(ledger, retention).await;
    }

    pub(crate) async fn append(&self, ledger: &Ledger, lines: &str) -> Result<Receipt, Error> {
        ledger.append(self.submission(ledger, lines, None)).await
    }
}

fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// An event of an organization with a number in it, one line of JSON.
pub(crate) fn event(organization: &str, number: usize) -> String {
    format!(
        "{{\"organization\":\"{organization}\",\"action\":\"thing.done\",\"actor\":{{\"id\":\"u_{}\"}},\"context\":{{\"ip\":\"203.0.113.9\"}},\"metadata\":{{\"n\":{number}}}}}\n",
        number % 7
    )
}

/// The same with a client id.
pub(crate) fn event_with_client_id(organization: &str, client_id: &str, number: usize) -> String {
    event(organization, number).replacen('{', &format!("{{\"client_id\":\"{client_id}\","), 1)
}

pub(crate) fn organization(name: &str) -> OrganizationKey {
    OrganizationKey::new("default", name)
}

/// All rows of a ledger.
pub(crate) fn rows(ledger: &Ledger, name: &str) -> Vec<Arc<Row>> {
    let (organization, mut rows) = (organization(name), Vec::new());
    if ledger.head(&organization).is_none() {
        return rows;
    }
    loop {
        let from = rows.last().map_or(0, |row: &Arc<Row>| row.sequence + 1);
        let more = ledger.rows(&organization, from, usize::MAX).unwrap();
        if more.is_empty() {
            return rows;
        }
        rows.extend(more);
    }
}

/// What a row says, without what two runs may do differently.
pub(crate) fn content(row: &Row) -> (u64, Vec<u8>) {
    (row.sequence, row.parts.bytes().to_vec())
}

/// Ends a ledger and waits until its directory is free again.
pub(crate) async fn close(ledger: Ledger) {
    ledger.close().await.unwrap();
}
