//! A ledger, its records, a stream, and a destination that does as it is told.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use object_store::local::LocalFileSystem;
use sha2::{Digest, Sha256};
use trailbook_access::{
    Act, Directory, Origin, PolicySettings,
    act::Actor,
    records::{Destination, Mapping, ParkedEvent, Stream, StreamHealth},
};
use trailbook_deliver::{
    payload::Payload,
    sink::{Batch, Failure, Refused, Sink},
    stream::{Courier, Equipment, Next, Outfitter, Start, Streams},
};
use trailbook_event::Timestamp;
use trailbook_ledger::{
    Clock, Ledger, Limits, Measures, OrganizationKey, Parts, Random, Sqlite,
    segment::{Indexer, Parsed},
};

pub(crate) const STREAM: &str = "str_1";
pub(crate) const START_MS: i64 = 1_800_000_000_000;

pub(crate) struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
    fn monotonic(&self) -> Duration {
        Duration::from_millis((self.0.load(Ordering::SeqCst) - START_MS) as u64)
    }
}

struct Counted(AtomicU64);

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let block = Sha256::digest(self.0.fetch_add(1, Ordering::SeqCst).to_le_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

struct Unindexed;

impl Indexer for Unindexed {
    fn index(&self, _: &[Parsed<'_>]) -> Vec<u8> {
        Vec::new()
    }
}

/// What a destination does with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    /// Takes it.
    Take,
    /// Is not there.
    Fail,
    /// Takes it, and the answer is lost.
    TakeAndFail,
    /// Takes half of it and fails.
    TakeHalfAndFail,
    /// Asks to wait so many seconds.
    Busy(u64),
}

/// A batch as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Came {
    pub(crate) id: String,
    pub(crate) organization: String,
    pub(crate) range: (u64, u64),
    pub(crate) sequences: Vec<u64>,
}

/// A destination.
#[derive(Default)]
pub(crate) struct Place {
    pub(crate) does: Mutex<Option<Does>>,
    pub(crate) refuses: Mutex<BTreeSet<u64>>,
    pub(crate) refuses_all: Mutex<bool>,
    pub(crate) came: Mutex<Vec<Came>>,
    /// Deliveries under way, and the most that ever were.
    pub(crate) under_way: AtomicUsize,
    pub(crate) most_under_way: AtomicUsize,
}

impl Place {
    pub(crate) fn does(&self, does: Does) {
        *self.does.lock().unwrap() = Some(does);
    }

    pub(crate) fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }

    /// The sequences of an organization in the order in which they came first.
    pub(crate) fn first_seen(&self, organization: &str) -> Vec<u64> {
        let mut seen = BTreeSet::new();
        let came = self.came();
        let of = came.iter().filter(|batch| batch.organization == organization);
        let all = of.flat_map(|batch| batch.sequences.iter().copied());
        all.filter(|sequence| seen.insert(*sequence)).collect()
    }

    fn take(&self, batch: &Batch<'_>, count: usize) {
        self.came.lock().unwrap().push(Came {
            id: batch.id(),
            organization: batch.organization.to_owned(),
            range: (batch.begin, batch.end),
            sequences: batch.records[..count]
                .iter()
                .map(|record| record.row.sequence)
                .collect(),
        });
    }
}

struct Road(Arc<Place>);

#[async_trait]
impl Sink for Road {
    async fn send(&self, batch: &Batch<'_>) -> Result<Vec<Refused>, Failure> {
        let place = &self.0;
        let under_way = place.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        place.most_under_way.fetch_max(under_way, Ordering::SeqCst);
        tokio::task::yield_now().await;
        place.under_way.fetch_sub(1, Ordering::SeqCst);
        let refuses =
            |sequence: u64| place.refuses.lock().unwrap().contains(&sequence) || *place.refuses_all.lock().unwrap();
        let does = place.does.lock().unwrap().unwrap_or(Does::Take);
        let count = batch.records.len();
        match does {
            Does::Fail => return Err(Failure::later("no connection")),
            Does::Busy(seconds) => {
                return Err(Failure::Later {
                    reason: "busy".into(),
                    after: Some(Duration::from_secs(seconds)),
                });
            }
            Does::TakeHalfAndFail => place.take(batch, count / 2),
            Does::Take | Does::TakeAndFail if batch.records.iter().any(|record| refuses(record.row.sequence)) => {
                return Err(Failure::Refused {
                    reason: "not such an event".into(),
                });
            }
            Does::Take | Does::TakeAndFail => place.take(batch, count),
        }
        match does {
            Does::Take => Ok(Vec::new()),
            _ => Err(Failure::later("the connection was reset")),
        }
    }
}

struct Shop(Arc<Place>);

impl Outfitter for Shop {
    fn equip(&self, _: &Stream) -> Result<Equipment, String> {
        Ok(Equipment {
            sink: Box::new(Road(self.0.clone())),
            payload: Payload::Native,
        })
    }
}

/// A ledger with its records, a clock, a destination.
pub(crate) struct World {
    pub(crate) directory: Arc<Directory>,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) place: Arc<Place>,
    pub(crate) _scratch: tempfile::TempDir,
}

/// A stream of everything of the project, with batches of ten.
pub(crate) fn stream(organization: Option<&str>) -> Stream {
    Stream {
        id: STREAM.into(),
        project: "default".into(),
        organization: organization.map(ToOwned::to_owned),
        name: "To the other side".into(),
        destination: Destination::Webhook {
            url: "https://receiver.example/".into(),
            headers: Default::default(),
        },
        secrets: String::new(),
        secret_names: Vec::new(),
        mapping: Mapping::Native,
        filter: String::new(),
        batch_events: 10,
        interval_seconds: 60,
        paused: false,
        created_at: START_MS,
        updated_at: START_MS,
    }
}

pub(crate) fn key(organization: &str) -> OrganizationKey {
    OrganizationKey::new("default", organization)
}

impl World {
    pub(crate) async fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let objects = scratch.path().join("objects");
        std::fs::create_dir(&objects).unwrap();
        let clock = Arc::new(SetClock(AtomicI64::new(START_MS)));
        let random = Arc::new(Counted(AtomicU64::new(0)));
        let measures = Arc::new(Measures::default());
        let ledger = Ledger::open(Parts {
            database: Arc::new(Sqlite::open(scratch.path(), measures.clone()).unwrap()),
            objects: Arc::new(LocalFileSystem::new_with_prefix(&objects).unwrap().with_fsync(true)),
            object_files: trailbook_ledger::ObjectFiles::Local(objects),
            indexer: Arc::new(Unindexed),
            clock: clock.clone(),
            random: random.clone(),
            measures,
            signing_key: [7; 32],
            limits: Limits::default(),
        });
        let ledger = ledger.await.unwrap();
        let inputs: (Arc<dyn Clock>, Arc<dyn Random>) = (clock.clone(), random);
        let directory = Directory::open(ledger.clone(), inputs, Box::new(|_| None), PolicySettings::default());
        Self {
            directory: Arc::new(directory.await.unwrap()),
            ledger,
            clock,
            place: Arc::default(),
            _scratch: scratch,
        }
    }

    /// A process that carries streams.
    pub(crate) fn process(&self) -> Arc<Streams> {
        let shop = Arc::new(Shop(self.place.clone()));
        Arc::new(Streams::new(self.directory.clone(), self.clock.clone(), shop))
    }

    pub(crate) fn courier(&self) -> Courier {
        Courier::new(self.process(), STREAM.into())
    }

    /// Stores events of an organization, in one commit.
    pub(crate) async fn store(&self, organization: &str, events: usize) {
        let act = |number: usize| {
            Act::by(
                Actor::system("Test"),
                Origin::default(),
                key(organization),
                "trailbook.user.signed_out",
            )
            .with("number", number)
            .with("even", number.is_multiple_of(2))
        };
        let now = self.clock.now();
        let admitted = (0..events).map(|number| act(number).admitted(now).unwrap());
        let submission = self.ledger.prepare("default", admitted.collect(), None, &|_| None);
        self.ledger.append(submission).await.unwrap();
    }

    /// Sets a stream up.
    pub(crate) async fn set_up(&self, stream: Stream, start: Start) {
        let stream = Stream {
            updated_at: self.now(),
            ..stream
        };
        let starts = self.process().starts(&stream, start).unwrap();
        let mut change = self.directory.change().await;
        starts.into_iter().for_each(|position| change.put(position).unwrap());
        change.put(stream).unwrap();
        change.commit().await.unwrap();
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().millis()
    }

    /// Steps and lets the time pass until there is nothing left to do, or `seconds` have passed.
    pub(crate) async fn carry(&self, courier: &mut Courier, seconds: i64) {
        let end = self.now() + seconds * 1_000;
        loop {
            match courier.step().await.unwrap() {
                Next::Now => {}
                Next::At(at) if at <= end => {
                    self.clock.0.fetch_max(at, Ordering::SeqCst);
                }
                Next::At(_) | Next::Idle | Next::Gone => break,
            }
        }
        self.clock.0.fetch_max(end, Ordering::SeqCst);
    }

    pub(crate) fn health(&self) -> StreamHealth {
        self.directory
            .get::<StreamHealth>(STREAM)
            .map(|health| StreamHealth::clone(&health))
            .unwrap_or_default()
    }

    pub(crate) fn parked(&self) -> Vec<u64> {
        let parked = self.directory.of::<ParkedEvent>(STREAM);
        let mut parked: Vec<u64> = parked.iter().map(|event| event.sequence).collect();
        parked.sort_unstable();
        parked
    }

    /// The actions recorded in a ledger.
    pub(crate) fn actions(&self, organization: &str) -> Vec<String> {
        let rows = self.ledger.rows(&key(organization), 0, 10_000).unwrap_or_default();
        let action =
            |row: &Arc<trailbook_ledger::Row>| trailbook_event::Event::parse(&row.parts).unwrap().action.to_string();
        rows.iter().map(action).collect()
    }
}
