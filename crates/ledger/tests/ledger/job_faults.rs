//! Every write of every job fails, loses its answer, or ends the process: nothing is lost, nothing differs, and nothing is left over.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use trailbook_event::Part;
use trailbook_ledger::{Clock, Error, Ledger};
use trailbook_merkle::{verify_consistency, verify_inclusion};

use crate::{
    faulty::{Fault, Faults},
    faulty_objects::faulty,
    support::{Scratch, close, event, organization, rows},
};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const NAMES: [&str; 4] = ["acme", "bolt", "crow", "records"];

/// A job whose writes fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    Seal,
    Compact,
    CarryOut,
    Floors,
    Expire,
    Sweep,
}

impl Job {
    /// Does all that there is to do.
    async fn run(self, ledger: &Ledger) -> Result<(), Error> {
        match self {
            Job::Seal => while ledger.seal().await?.is_some() {},
            Job::Compact => while ledger.compact().await?.is_some() {},
            Job::CarryOut => while ledger.carry_out_redactions().await? {},
            Job::Floors => while ledger.advance_floors().await? > 0 {},
            Job::Expire => while ledger.expire().await? {},
            Job::Sweep => while ledger.sweep().await? > 0 {},
        }
        Ok(())
    }
}

/// What is read of all organizations: sequence, canonical bytes and leaf hash of each event.
type Answers = Vec<Vec<(u64, Vec<u8>, [u8; 32])>>;

fn answers(ledger: &Ledger) -> Answers {
    let of = |name| {
        let rows = rows(ledger, name);
        let rows = rows.iter().map(|row| {
            assert_eq!(row.leaf_record().leaf_hash(), row.leaf_hash);
            (row.sequence, row.parts.bytes().to_vec(), row.leaf_hash.0)
        });
        rows.collect()
    };
    NAMES.map(of).into()
}

/// Proofs under every checkpoint that was ever signed.
async fn assert_provable(ledger: &Ledger, sizes: &[u64]) {
    let acme = organization("acme");
    let newest = ledger.checkpoint(&acme).await.unwrap();
    let last = rows(ledger, "acme").pop();
    for size in sizes {
        let old = ledger.checkpoint_at(&acme, *size).await.unwrap();
        let proof = ledger.prove_consistency(&acme, old.size, newest.size).await.unwrap();
        verify_consistency(old.size, old.root, newest.size, newest.root, &proof).unwrap();
    }
    if let Some(last) = last {
        let proof = ledger.prove_inclusion(&acme, last.sequence, newest.size).await.unwrap();
        verify_inclusion(last.leaf_hash, last.sequence, newest.size, &proof, newest.root).unwrap();
    }
}

/// A closed ledger that a job has something to do in, and what it answers before and after.
struct Base {
    scratch: Scratch,
    job: Job,
    checkpoints: Vec<u64>,
    before: Answers,
    after: Answers,
}

async fn append(scratch: &Scratch, ledger: &Ledger, names: &[&str], count: usize) {
    for number in 0..count {
        let lines: String = names.iter().map(|name| event(name, number)).collect();
        scratch.append(ledger, &lines).await.unwrap();
        scratch.clock.advance(1_000);
    }
}

async fn redact(scratch: &Scratch, ledger: &Ledger, name: &str, sequence: u64) {
    let record = scratch.admit(&event("records", 0)).remove(0);
    let organization = organization(name);
    let redacted = ledger.redact(&organization, sequence, &[Part::Actor, Part::Context], record);
    redacted.await.unwrap();
}

/// Makes a ledger in which acme's events are kept for two days, and those of others for ever.
async fn base(job: Job) -> Base {
    let mut scratch = Scratch::new();
    scratch.limits.compaction.segment_rows_max = 30;
    let ledger = scratch.open().await;
    let acme = organization("acme");
    scratch.set_days(&ledger, "acme", Some(2), false).await;
    scratch.clock.advance(8 * DAY);
    append(&scratch, &ledger, &NAMES[..3], 5).await;
    let mut checkpoints = vec![ledger.checkpoint(&acme).await.unwrap().size];
    redact(&scratch, &ledger, "bolt", 1).await;
    if job != Job::Seal {
        Job::Seal.run(&ledger).await.unwrap();
        for _ in 0..if job == Job::Compact { 8 } else { 2 } {
            append(&scratch, &ledger, &NAMES[..3], 3).await;
            Job::Seal.run(&ledger).await.unwrap();
        }
        redact(&scratch, &ledger, "acme", 2).await;
        redact(&scratch, &ledger, "crow", 3).await;
        redact(&scratch, &ledger, "bolt", 8).await;
        checkpoints.push(ledger.checkpoint(&acme).await.unwrap().size);
    }
    if matches!(job, Job::Floors | Job::Expire | Job::Sweep) {
        scratch.clock.advance(2 * DAY - 5_000);
    }
    if matches!(job, Job::Expire | Job::Sweep) {
        assert_eq!(ledger.advance_floors().await.unwrap(), 1);
        scratch.clock.advance(9 * HOUR);
    }
    if job == Job::Sweep {
        Job::Expire.run(&ledger).await.unwrap();
        scratch.clock.advance(13 * HOUR);
    }
    let before = answers(&ledger);
    close(ledger).await;
    let after = {
        let copy = scratch.copied();
        let ledger = copy.open().await;
        job.run(&ledger).await.unwrap();
        let after = answers(&ledger);
        close(ledger).await;
        after
    };
    assert_eq!(before == after, job != Job::Floors);
    Base {
        scratch,
        job,
        checkpoints,
        before,
        after,
    }
}

/// Runs in a process of its own, as it were: when this returns, nothing of it is left running.
fn in_a_process<T>(life: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(life)
}

/// How often each kind of write happens when nothing fails.
fn writes(base: &Base) -> BTreeMap<&'static str, usize> {
    let (copy, faults) = (base.scratch.copied(), Faults::none());
    in_a_process(async {
        let ledger = Ledger::open(faulty(&copy, &faults).await).await.unwrap();
        base.job.run(&ledger).await.unwrap();
        close(ledger).await;
    });
    let mut calls = faults.calls();
    calls.retain(|verb, _| ["create", "part", "complete", "delete", "commit"].contains(verb));
    calls
}

/// Does the job with one fault, and everything that has to hold afterwards.
fn strike(base: &Base, verb: &'static str, countdown: usize, fault: Fault) {
    let place = format!("{:?}: {verb} {countdown} {fault:?}", base.job);
    let copy = base.scratch.copied();
    let faults = Faults::planned(verb, countdown, fault);
    let is_known = |answers: &Answers| *answers == base.before || *answers == base.after;
    in_a_process(async {
        let ledger = Ledger::open(faulty(&copy, &faults).await).await.unwrap();
        let outcome = tokio::select! {
            outcome = base.job.run(&ledger) => outcome,
            () = faults.death() => return,
        };
        assert!(faults.has_struck(), "{place}");
        match outcome {
            // What became of a commit is asked, and the job goes on.
            Ok(()) => assert!(verb == "commit" && fault == Fault::LostAfter, "{place}"),
            Err(error) => assert!(matches!(error, Error::Storage { .. }), "{place}: {error}"),
        }
        assert!(is_known(&answers(&ledger)), "{place}");
        if countdown % 2 == 1 {
            base.job.run(&ledger).await.unwrap();
            assert!(answers(&ledger) == base.after, "{place}, and again");
            assert!(scratch_files(&copy).is_empty(), "{place}");
        }
        close(ledger).await;
    });
    in_a_process(async {
        assert_sound(&copy, &place).await;
        let ledger = copy.open().await;
        assert!(is_known(&answers(&ledger)), "{place}, opened again");
        base.job.run(&ledger).await.unwrap();
        assert!(answers(&ledger) == base.after, "{place}, opened and done again");
        copy.clock.advance(2_000);
        assert_provable(&ledger, &base.checkpoints).await;
        date_files(&copy);
        copy.clock.advance(8 * DAY);
        Job::Sweep.run(&ledger).await.unwrap();
        assert!(answers(&ledger) == base.after, "{place}, swept");
        close(ledger).await;
        let segments = assert_sound(&copy, &place).await;
        assert_eq!(
            segment_files(&copy).len() as u64,
            2 * segments,
            "{place}: {:?}",
            segment_files(&copy)
        );
        assert!(scratch_files(&copy).is_empty(), "{place}");
    });
}

/// Checks everything that is stored; answers how many segments there are.
async fn assert_sound(scratch: &Scratch, place: &str) -> u64 {
    let report = scratch.fsck().await;
    assert!(report.findings.is_empty(), "{place}: {:#?}", report.findings);
    report.segments
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn segment_files(scratch: &Scratch) -> Vec<PathBuf> {
    files(&scratch.directory.path().join("objects/segments"))
}

fn scratch_files(scratch: &Scratch) -> Vec<PathBuf> {
    files(&scratch.directory.path().join("objects/scratch"))
}

/// Dates the files of segments as of the virtual now.
fn date_files(scratch: &Scratch) {
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(scratch.clock.now().millis() as u64);
    for file in segment_files(scratch) {
        File::options()
            .write(true)
            .open(file)
            .unwrap()
            .set_modified(now)
            .unwrap();
    }
}

/// Every write of a job × every fault.
fn every_write_may_fail(job: Job, expected: &[&str]) {
    let base = in_a_process(base(job));
    let writes = writes(&base);
    assert!(writes.keys().eq(expected), "{job:?}: {writes:?}");
    for (verb, count) in writes {
        for countdown in 0..count {
            for fault in [Fault::Before, Fault::LostAfter, Fault::KilledBefore, Fault::KilledAfter] {
                strike(&base, verb, countdown, fault);
            }
        }
    }
}

#[test]
fn every_write_of_a_seal_may_fail() {
    every_write_may_fail(Job::Seal, &["commit", "complete", "create", "part"]);
}

#[test]
fn every_write_of_a_compaction_may_fail() {
    every_write_may_fail(Job::Compact, &["commit", "complete", "create", "part"]);
}

#[test]
fn every_write_of_redactions_may_fail() {
    every_write_may_fail(Job::CarryOut, &["commit", "complete", "create", "part"]);
}

#[test]
fn every_write_of_floors_may_fail() {
    every_write_may_fail(Job::Floors, &["commit"]);
}

#[test]
fn every_write_of_an_expiry_may_fail() {
    every_write_may_fail(Job::Expire, &["commit", "complete", "create", "part"]);
}

#[test]
fn every_write_of_a_sweep_may_fail() {
    every_write_may_fail(Job::Sweep, &["commit", "delete"]);
}
