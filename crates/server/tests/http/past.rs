//! Data directories whose events were stored long ago, made by the ledger with a clock that the test sets.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use object_store::local::LocalFileSystem;
use serde_json::Value;
use trailbook_event::{Admission, Form, Limits as EventLimits, NoCatalog, Origin, Timestamp, admit_body};
use trailbook_ledger::{Clock, Ledger, Limits, Measures, OrganizationKey, Parts, Random, Sqlite};
use trailbook_query::BlockIndexer;

use crate::server::event;

struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst) as u64)
    }
}

struct Drawn;

impl Random for Drawn {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }
}

/// Stores batches of an organization's events, each so many at a time in milliseconds, with a checkpoint after each, and seals
/// them; the Log IDs.
pub(crate) fn store(data: &Path, organization: &str, batches: &[(i64, usize)]) -> Vec<String> {
    let clock = Arc::new(SetClock(AtomicI64::new(batches[0].0)));
    let objects = data.join("objects");
    fs::create_dir_all(&objects).unwrap();
    fs::write(data.join("signing-key"), "07".repeat(32)).unwrap();
    let measures = Arc::new(Measures::default());
    let parts = Parts {
        database: Arc::new(Sqlite::open(data, measures.clone()).unwrap()),
        objects: Arc::new(LocalFileSystem::new_with_prefix(&objects).unwrap()),
        object_files: trailbook_ledger::ObjectFiles::Local(objects),
        indexer: Arc::new(BlockIndexer),
        clock: clock.clone(),
        random: Arc::new(Drawn),
        measures,
        signing_key: [7; 32],
        limits: Limits::default(),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let ledger = Ledger::open(parts).await.unwrap();
        let (key, mut ids) = (OrganizationKey::new("default", organization), Vec::new());
        for (at, count) in batches {
            clock.0.store(*at, Ordering::SeqCst);
            let first = ids.len();
            ids.extend(append(&ledger, &clock, organization, first..first + count).await);
            ledger.checkpoint(&key).await.unwrap();
        }
        ledger.seal().await.unwrap().unwrap();
        ledger.close().await.unwrap();
        ids
    })
}

async fn append(ledger: &Ledger, clock: &SetClock, organization: &str, numbers: std::ops::Range<usize>) -> Vec<String> {
    let line = |number| {
        let mut event: Value = event(organization, number);
        event.as_object_mut().unwrap().remove("occurred_at");
        format!("{event}\n")
    };
    let lines: String = numbers.map(line).collect();
    let limits = EventLimits::default();
    let admission = Admission {
        limits: &limits,
        now: clock.now(),
        defaults: &NoCatalog,
        origin: Origin::Sender,
    };
    let admitted = admit_body(lines.as_bytes(), Form::Ndjson, &admission).unwrap();
    let submission = ledger.prepare("default", admitted, None, &|_| None);
    let receipt = ledger.append(submission).await.unwrap();
    receipt.events.iter().map(|stored| stored.id.to_string()).collect()
}
