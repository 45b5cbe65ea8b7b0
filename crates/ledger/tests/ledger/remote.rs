//! A ledger whose objects are in an S3 server that fails as planned, read through the node's cache.

use std::{
    fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use trailbook_ledger::{Error, Ledger, Measures, ObjectCache, ObjectFiles, Parts, fsck, reindex};
use trailbook_merkle::verify_inclusion;
use trailbook_testkit_s3::{Faults, Server, Settings};

use crate::support::{Scratch, close, event, organization, rows};

const DAY: i64 = 24 * 3_600_000;
/// How long something may fail before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is read of an organization.
type Answers = Vec<(u64, Vec<u8>)>;

struct Remote {
    scratch: Scratch,
    server: Server,
    cache_bytes_max: u64,
    bucket: tempfile::TempDir,
}

impl Remote {
    fn new() -> Self {
        let bucket = tempfile::tempdir().unwrap();
        let server = Server::start(Settings {
            directory: bucket.path().to_owned(),
            bucket: "log".to_owned(),
            access_key: "key".to_owned(),
            secret_key: "secret".to_owned(),
            port: 0,
        });
        Self {
            scratch: Scratch::new(),
            server: server.unwrap(),
            cache_bytes_max: 1 << 30,
            bucket,
        }
    }

    fn cache(&self) -> PathBuf {
        self.scratch.directory.path().join("cache")
    }

    async fn parts(&self) -> Parts {
        let measures = Arc::new(Measures::default());
        let parts = self
            .scratch
            .parts_on(self.scratch.database(&measures).await, Arc::clone(&measures));
        let store = self.server.store().unwrap();
        let cache = ObjectCache::open(Arc::clone(&store), &self.cache(), self.cache_bytes_max, measures);
        Parts {
            objects: store,
            object_files: ObjectFiles::Cache(cache.unwrap()),
            ..parts
        }
    }

    async fn open(&self) -> Ledger {
        Ledger::open(self.parts().await).await.unwrap()
    }

    async fn append(&self, ledger: &Ledger, count: usize) {
        for number in 0..count {
            let lines = ["acme", "bolt"].map(|name| event(name, number)).concat();
            self.scratch.append(ledger, &lines).await.unwrap();
            self.scratch.clock.advance(1_000);
        }
    }

    async fn assert_sound(&self) {
        let report = fsck(&self.parts().await, true).await.unwrap();
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
        let local = self.scratch.directory.path().join("objects");
        assert_eq!(fs::read_dir(local).unwrap().count(), 0, "nothing is kept twice");
    }

    /// The files of segments in the bucket.
    fn stored(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.bucket.path().join("log/segments")).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

fn answers(ledger: &Ledger) -> Answers {
    let rows = rows(ledger, "acme");
    rows.iter()
        .map(|row| (row.sequence, row.parts.bytes().to_vec()))
        .collect()
}

/// Tries until it succeeds, as jobs do.
async fn until_done<T, F: Future<Output = Result<T, Error>>>(mut work: impl FnMut() -> F) -> T {
    let begun = Instant::now();
    loop {
        match work().await {
            Ok(done) => return done,
            Err(error) => assert!(
                matches!(error, Error::Storage { .. }) && begun.elapsed() < PATIENCE,
                "{error}"
            ),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_life_on_a_remote_store() {
    let mut remote = Remote::new();
    remote.scratch.limits.compaction.segment_rows_max = 60;
    let ledger = remote.open().await;
    remote.scratch.set_days(&ledger, "bolt", Some(2), false).await;
    for _ in 0..9 {
        remote.append(&ledger, 4).await;
        assert!(ledger.seal().await.unwrap().is_some());
    }
    remote.append(&ledger, 2).await;
    let before = answers(&ledger);
    assert_eq!(before.len(), 38);
    while ledger.compact().await.unwrap().is_some() {}
    assert_eq!(answers(&ledger), before);
    assert!(ledger.seal().await.unwrap().is_some());
    remote.scratch.clock.advance(3 * DAY);
    while ledger.advance_floors().await.unwrap() > 0 {}
    remote.scratch.clock.advance(DAY);
    while ledger.expire().await.unwrap() {}
    let written = remote.stored().len();
    remote.scratch.clock.advance(8 * DAY);
    assert!(ledger.sweep().await.unwrap() > 0);
    assert!(remote.stored().len() < written);
    assert!(rows(&ledger, "bolt").is_empty());
    close(ledger).await;
    remote.assert_sound().await;

    fs::remove_dir_all(remote.cache()).unwrap();
    let ledger = remote.open().await;
    assert_eq!(answers(&ledger), before);
    let acme = organization("acme");
    let newest = ledger.checkpoint(&acme).await.unwrap();
    let row = ledger.rows(&acme, 3, 1).unwrap().remove(0);
    let proof = ledger.prove_inclusion(&acme, 3, newest.size).await.unwrap();
    verify_inclusion(row.leaf_hash, 3, newest.size, &proof, newest.root).unwrap();
    close(ledger).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_smaller_than_the_data_answers_the_same() {
    let mut remote = Remote::new();
    remote.cache_bytes_max = 4 << 10;
    let ledger = remote.open().await;
    for _ in 0..4 {
        remote.append(&ledger, 5).await;
        ledger.seal().await.unwrap();
    }
    let before = answers(&ledger);
    assert_eq!((before.len(), answers(&ledger)), (20, before.clone()));
    close(ledger).await;
    remote.assert_sound().await;
}

/// Two workers, and a single one, of runtimes that read before anything was fetched: what they wait for arrives all the same.
#[test]
fn reads_on_the_threads_of_a_runtime_do_not_wait_for_themselves() {
    let remote = Remote::new();
    let multi = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().unwrap()
    };
    multi().block_on(async {
        let ledger = remote.open().await;
        remote.append(&ledger, 5).await;
        ledger.seal().await.unwrap();
        close(ledger).await;
    });
    let single = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for runtime in [multi(), single] {
        fs::remove_dir_all(remote.cache()).unwrap();
        remote.server.fail(Faults {
            delay_ms: 50,
            ..Faults::default()
        });
        runtime.block_on(async {
            let ledger = remote.open().await;
            let readers: Vec<_> = (0..8)
                .map(|_| {
                    let ledger = ledger.clone();
                    tokio::spawn(async move { answers(&ledger).len() })
                })
                .collect();
            for reader in readers {
                let read = tokio::time::timeout(PATIENCE, reader).await;
                assert_eq!(read.unwrap().unwrap(), 5);
            }
            close(ledger).await;
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_while_sealing_lose_and_double_nothing() {
    let none = Faults::default();
    for faults in [
        Faults {
            error_rate: 0.5,
            ..none.clone()
        },
        Faults {
            error_rate: 0.5,
            status: 500,
            ..none.clone()
        },
        Faults {
            cut_before: 0.5,
            ..none.clone()
        },
        Faults {
            cut_after: 0.5,
            ..none.clone()
        },
        Faults {
            hang: 0.2,
            containing: Some("segments".to_owned()),
            ..none.clone()
        },
        Faults {
            cut_after: 1.0,
            only: Some("PUT".to_owned()),
            ..none.clone()
        },
    ] {
        let remote = Remote::new();
        let ledger = remote.open().await;
        for _ in 0..3 {
            remote.append(&ledger, 4).await;
            remote.server.fail(faults.clone());
            until_done(|| ledger.seal()).await;
            remote.server.fail(none.clone());
        }
        let sequences: Vec<u64> = answers(&ledger).into_iter().map(|(sequence, _)| sequence).collect();
        assert!(sequences.into_iter().eq(0..12), "{faults:?}");
        close(ledger).await;
        remote.assert_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_while_reading_are_waited_out_or_named() {
    let remote = Remote::new();
    let ledger = remote.open().await;
    for _ in 0..6 {
        remote.append(&ledger, 4).await;
        ledger.seal().await.unwrap();
    }
    let before = answers(&ledger);
    close(ledger).await;
    let none = Faults {
        containing: Some("segments".to_owned()),
        ..Faults::default()
    };
    for faults in [
        Faults {
            error_rate: 0.3,
            ..none.clone()
        },
        Faults {
            cut_before: 0.3,
            ..none.clone()
        },
        Faults {
            truncate: 0.3,
            ..none.clone()
        },
        Faults {
            flip: 0.2,
            only: Some("GET".to_owned()),
            ..none.clone()
        },
    ] {
        fs::remove_dir_all(remote.cache()).unwrap();
        let ledger = remote.open().await;
        remote.server.fail(faults.clone());
        assert_eq!(answers(&ledger), before, "{faults:?}");
        remote.server.fail(none.clone());
        close(ledger).await;
    }
    fs::remove_dir_all(remote.cache()).unwrap();
    let ledger = remote.open().await;
    remote.server.fail(Faults {
        error_rate: 1.0,
        ..none.clone()
    });
    let error = ledger.rows(&organization("acme"), 0, 1).unwrap_err();
    assert!(
        matches!(&error, Error::Storage { detail, .. } if detail.contains("object=segments/")),
        "{error}"
    );
    remote.server.fail(none);
    assert_eq!(answers(&ledger), before, "it is asked again");
    close(ledger).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_copies_heal_and_damage_in_the_store_is_named() {
    let remote = Remote::new();
    let ledger = remote.open().await;
    remote.append(&ledger, 40).await;
    ledger.seal().await.unwrap();
    let before = answers(&ledger);
    close(ledger).await;

    for file in fs::read_dir(remote.cache().join("segments")).unwrap() {
        let whole = file.unwrap().path().join("whole");
        let length = fs::metadata(&whole).unwrap().len() as usize;
        fs::write(&whole, vec![0xff; length]).unwrap();
    }
    let ledger = remote.open().await;
    assert_eq!(answers(&ledger), before);
    close(ledger).await;
    remote.assert_sound().await;

    let stored = remote.stored();
    let (bundle, data) = (&stored[0], &stored[1]);
    let intact = fs::read(data).unwrap();
    let mut bytes = intact.clone();
    for byte in &mut bytes[100..] {
        *byte = !*byte;
    }
    fs::write(data, &bytes).unwrap();
    fs::remove_dir_all(remote.cache()).unwrap();
    let report = fsck(&remote.parts().await, true).await.unwrap();
    let name = data.file_name().unwrap().to_str().unwrap();
    assert!(
        report.findings.iter().any(|finding| finding.to_string().contains(name)),
        "{:#?}",
        report.findings
    );
    let ledger = remote.open().await;
    let error = ledger.rows(&organization("acme"), 0, 1).unwrap_err();
    assert!(
        matches!(&error, Error::Corrupt { detail } if detail.contains(name)),
        "{error}"
    );
    close(ledger).await;
    fs::write(data, &intact).unwrap();

    fs::remove_file(bundle).unwrap();
    fs::remove_dir_all(remote.cache()).unwrap();
    let made = reindex(remote.parts().await).await.unwrap();
    assert_eq!((made.replaced.len(), made.findings.len()), (1, 0), "{made:?}");
    let ledger = remote.open().await;
    assert_eq!(answers(&ledger), before);
    close(ledger).await;
    remote.assert_sound().await;
}
