//! Backups that are made while everything goes on, and what is restored from them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use trailbook_event::Part;
use trailbook_ledger::{
    Clock, Error, Fsck, Ledger, Parts, RetentionChange, RetentionScope,
    backup::{BackupError, CONTENTS_FILE, Contents, Source, back_up, check_restored, restore},
    recover_in_new_epoch,
};
use trailbook_merkle::{verify_consistency, verify_inclusion};

use crate::support::{Scratch, close, content, event, organization, rows};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn make(scratch: &Scratch, to: &Path) -> Contents {
    try_make(scratch, to).unwrap()
}

fn try_make(scratch: &Scratch, to: &Path) -> Result<Contents, BackupError> {
    let source = Source {
        data: scratch.directory.path(),
        pin: None,
        secrets: &["signing-key", "root-key.sha256"],
    };
    back_up(source, to, scratch.clock.now(), &mut || Ok(()))
}

/// Places in a directory of their own: for backups, and for what is restored.
struct Places(tempfile::TempDir);

impl Places {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The parts of a ledger in a restored directory, with the clock of the one that it comes from.
    fn parts(&self, scratch: &Scratch, name: &str) -> Parts {
        scratch.parts_in(&self.at(name))
    }

    async fn open(&self, scratch: &Scratch, name: &str) -> Ledger {
        Ledger::open(self.parts(scratch, name)).await.unwrap()
    }

    async fn assert_same_heads(&self, scratch: &Scratch, name: &str, contents: &Contents) -> Fsck {
        let report = check_restored(self.parts(scratch, name), contents).await.unwrap();
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
        report
    }
}

async fn append(scratch: &Scratch, ledger: &Ledger, from: usize, count: usize) {
    for number in from..from + count {
        let lines = ["acme", "bolt"].map(|name| event(name, number)).concat();
        scratch.append(ledger, &lines).await.unwrap();
        scratch.clock.advance(1_000);
    }
}

async fn seal_all(ledger: &Ledger) {
    while ledger.seal().await.unwrap().is_some() {}
}

async fn expire_all(ledger: &Ledger) {
    ledger.advance_floors().await.unwrap();
    while ledger.expire().await.unwrap() {}
}

fn all(ledger: &Ledger, name: &str) -> Vec<(u64, Vec<u8>)> {
    rows(ledger, name).iter().map(|row| content(row)).collect()
}

fn assert_refuses_to_write(error: &Error) {
    assert!(
        matches!(error, Error::Refused { reason } if reason.contains("restored") || reason.contains("went back")),
        "{error}"
    );
}

async fn redact(scratch: &Scratch, ledger: &Ledger, name: &str, sequence: u64, parts: &[Part]) {
    let record = scratch.admit(&event(name, 0)).remove(0);
    ledger
        .redact(&organization(name), sequence, parts, record)
        .await
        .unwrap();
}

async fn set_days(scratch: &Scratch, ledger: &Ledger, name: &str, days: Option<u32>, legal_hold: bool) {
    scratch.set_days(ledger, name, days, legal_hold).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_restored_answers_and_proves_as_the_original_and_goes_on_in_a_new_epoch() {
    let (mut scratch, places) = (Scratch::new(), Places::new());
    scratch.limits.seal_events = 60;
    let (ledger, acme) = (scratch.open().await, organization("acme"));
    fs::write(scratch.directory.path().join("signing-key"), "secret").unwrap();
    append(&scratch, &ledger, 0, 200).await;
    ledger.checkpoint(&acme).await.unwrap();
    seal_all(&ledger).await;
    append(&scratch, &ledger, 200, 5).await;
    redact(&scratch, &ledger, "acme", 7, &[Part::Actor]).await;
    let checkpoint = ledger.checkpoint(&acme).await.unwrap();
    let before = [all(&ledger, "acme"), all(&ledger, "bolt")];
    let contents = make(&scratch, &places.at("backup"));
    append(&scratch, &ledger, 205, 5).await;
    close(ledger).await;

    restore(&places.at("backup"), &places.at("restored"), None).unwrap();
    assert_eq!(fs::read(places.at("restored/signing-key")).unwrap(), b"secret");
    assert!(!places.at("restored/root-key.sha256").exists());
    let report = places.assert_same_heads(&scratch, "restored", &contents).await;
    assert_eq!(report.events, 411);
    let ledger = places.open(&scratch, "restored").await;
    assert_eq!([all(&ledger, "acme"), all(&ledger, "bolt")], before);
    let leaf = rows(&ledger, "acme")[77].leaf_hash;
    let proof = ledger.prove_inclusion(&acme, 77, checkpoint.size).await.unwrap();
    verify_inclusion(leaf, 77, checkpoint.size, &proof, checkpoint.root).unwrap();
    assert_refuses_to_write(&scratch.append(&ledger, &event("acme", 0)).await.unwrap_err());
    close(ledger).await;

    let recovered = recover_in_new_epoch(places.parts(&scratch, "restored"), "disk failure")
        .await
        .unwrap();
    assert_eq!((recovered.era, recovered.ledgers), (2, 2));
    scratch.clock.advance(2_000);
    let ledger = places.open(&scratch, "restored").await;
    scratch.append(&ledger, &event("crow", 0)).await.unwrap();
    let newer = ledger.checkpoint(&acme).await.unwrap();
    let proof = ledger
        .prove_consistency(&acme, checkpoint.size, newer.size)
        .await
        .unwrap();
    verify_consistency(checkpoint.size, checkpoint.root, newer.size, newer.root, &proof).unwrap();
    // The lost commits may have had a ledger of this name: its origin is not used again.
    let crow = ledger.checkpoint(&organization("crow")).await.unwrap();
    assert_eq!((newer.epoch, crow.epoch), (2, 2));
    close(ledger).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_whole_while_a_writer_appends_seals_compacts_and_expires() {
    let (mut scratch, places) = (Scratch::new(), Places::new());
    scratch.limits.seal_events = 40;
    scratch.limits.retention_days = Some(1);
    let scratch = Arc::new(scratch);
    let ledger = scratch.open().await;
    append(&scratch, &ledger, 0, 100).await;
    let stop = Arc::new(AtomicBool::new(false));
    let busy = {
        let (scratch, ledger, stop) = (Arc::clone(&scratch), ledger.clone(), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut number = 100;
            while !stop.load(Ordering::SeqCst) {
                append(&scratch, &ledger, number, 10).await;
                number += 10;
                scratch.clock.advance(HOUR);
                seal_all(&ledger).await;
                while ledger.compact().await.unwrap().is_some() {}
                expire_all(&ledger).await;
                ledger.sweep().await.unwrap();
            }
        })
    };
    let mut commits = Vec::new();
    for number in 0..8 {
        let (backup, restored) = (format!("backup{number}"), format!("restored{number}"));
        // Long enough for a clock that runs an hour at each turn.
        ledger.pin("test", 1_000 * DAY).await.unwrap();
        let made = {
            let (scratch, to) = (Arc::clone(&scratch), places.at(&backup));
            tokio::task::spawn_blocking(move || make(&scratch, &to)).await.unwrap()
        };
        ledger.unpin("test").await.unwrap();
        restore(&places.at(&backup), &places.at(&restored), None).unwrap();
        places.assert_same_heads(&scratch, &restored, &made).await;
        commits.push(made.commit);
    }
    stop.store(true, Ordering::SeqCst);
    busy.await.unwrap();
    assert!(commits.windows(2).all(|pair| pair[0] < pair[1]), "{commits:?}");
    close(ledger).await;
    scratch.assert_sound().await;
}

/// Makes a backup; once its database is copied, two days pass in which everything in it expires and is swept.
async fn made_while_everything_expires(pinned: bool) -> Result<Contents, BackupError> {
    let (mut scratch, places) = (Scratch::new(), Places::new());
    scratch.limits.retention_days = Some(1);
    let ledger = scratch.open().await;
    append(&scratch, &ledger, 0, 20).await;
    seal_all(&ledger).await;
    if pinned {
        ledger.pin("backup", 10 * DAY).await.unwrap();
    }
    let (runtime, to) = (tokio::runtime::Handle::current(), places.at("backup"));
    let meanwhile = ledger.clone();
    let made = tokio::task::spawn_blocking(move || {
        let source = Source {
            data: scratch.directory.path(),
            pin: None,
            secrets: &[],
        };
        let mut is_first = true;
        back_up(source, &to, scratch.clock.now(), &mut || {
            if std::mem::take(&mut is_first) {
                runtime.block_on(async {
                    scratch.clock.advance(2 * DAY);
                    expire_all(&meanwhile).await;
                    scratch.clock.advance(13 * HOUR);
                    meanwhile.sweep().await.unwrap();
                });
            }
            Ok(())
        })
    });
    let made = made.await.unwrap();
    close(ledger).await;
    made
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_backup_finds_what_its_database_names_however_long_it_takes() {
    made_while_everything_expires(true).await.unwrap();
    assert_eq!(damaged(made_while_everything_expires(false).await).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_forgotten_after_the_backup_is_forgotten_in_what_is_restored() {
    let (mut scratch, places) = (Scratch::new(), Places::new());
    scratch.limits.retention_days = Some(30);
    scratch.limits.seal_events = 50;
    let ledger = scratch.open().await;
    append(&scratch, &ledger, 0, 30).await;
    seal_all(&ledger).await;
    // These stay in the tail of the backup.
    append(&scratch, &ledger, 30, 10).await;
    let received: Vec<i64> = rows(&ledger, "acme")
        .iter()
        .map(|row| row.received_at.millis())
        .collect();
    make(&scratch, &places.at("backup"));

    redact(&scratch, &ledger, "bolt", 3, &[Part::Actor]).await;
    redact(&scratch, &ledger, "bolt", 3, &[Part::Context]).await;
    redact(&scratch, &ledger, "bolt", 35, &[Part::Details]).await;
    // An event that the backup does not have.
    redact(&scratch, &ledger, "bolt", 40, &[Part::Details]).await;
    set_days(&scratch, &ledger, "bolt", Some(30), true).await;
    seal_all(&ledger).await;
    scratch
        .clock
        .advance(received[34] + 30 * DAY - scratch.clock.now().millis());
    expire_all(&ledger).await;
    assert_eq!(rows(&ledger, "acme")[0].sequence, 35);
    // For ever from now on: that brings nothing back.
    set_days(&scratch, &ledger, "acme", None, false).await;
    let project = RetentionScope::Project("default".into());
    let of_project = RetentionChange {
        scope: project.clone(),
        days: Some(Some(77)),
        legal_hold: None,
    };
    scratch.set_retention(&ledger, of_project).await;
    let kept = [
        rows(&ledger, "acme")[..5].to_vec(),
        rows(&ledger, "bolt")[..40].to_vec(),
    ];
    close(ledger).await;

    restore(
        &places.at("backup"),
        &places.at("restored"),
        Some(scratch.directory.path()),
    )
    .unwrap();
    // Whatever this deployment's own retention is meanwhile.
    scratch.limits.retention_days = None;
    let ledger = places.open(&scratch, "restored").await;
    let restored = [rows(&ledger, "acme"), rows(&ledger, "bolt")];
    for (kept, restored) in kept.iter().zip(&restored) {
        let of = |rows: &[Arc<trailbook_ledger::Row>]| -> Vec<_> {
            rows.iter().map(|row| (content(row), row.redacted())).collect()
        };
        assert_eq!(of(restored), of(kept));
    }
    assert_eq!(restored[1][3].redacted(), [Part::Actor, Part::Context]);
    assert_refuses_to_write(&scratch.append(&ledger, &event("acme", 0)).await.unwrap_err());
    close(ledger).await;
    // Nothing is done twice, and the next epoch begins with all of it.
    recover_in_new_epoch(places.parts(&scratch, "restored"), "restored")
        .await
        .unwrap();
    scratch.clock.advance(2_000);
    // What was set for an organization is its own, even where it is the deployment's as well.
    scratch.limits.retention_days = Some(30);
    let ledger = places.open(&scratch, "restored").await;
    assert_eq!(rows(&ledger, "acme")[0].sequence, 35);
    assert_eq!(ledger.retention(&organization("acme")).days, None);
    assert!(ledger.retention(&organization("bolt")).legal_hold);
    assert_eq!(ledger.own_retention(project).unwrap().days, Some(Some(77)));
    assert_eq!(ledger.retention(&organization("records")).days, Some(77));
    while ledger.carry_out_redactions().await.unwrap() {}
    assert_eq!(rows(&ledger, "bolt")[3].redacted(), [Part::Actor, Part::Context]);
    close(ledger).await;
    let report = trailbook_ledger::fsck(&places.parts(&scratch, "restored"), true)
        .await
        .unwrap();
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_anything_newer_what_expired_by_time_is_forgotten_all_the_same() {
    let (mut scratch, places) = (Scratch::new(), Places::new());
    scratch.limits.retention_days = Some(1);
    let ledger = scratch.open().await;
    append(&scratch, &ledger, 0, 10).await;
    make(&scratch, &places.at("backup"));
    close(ledger).await;
    restore(&places.at("backup"), &places.at("restored"), None).unwrap();
    scratch.clock.advance(DAY - 4_500);
    let ledger = places.open(&scratch, "restored").await;
    assert_eq!(
        rows(&ledger, "acme")[0].sequence,
        6,
        "in the tail of the backup as well"
    );
    close(ledger).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expired_in_the_tail_is_forgotten_before_the_first_read() {
    let mut scratch = Scratch::new();
    scratch.limits.retention_days = Some(1);
    let ledger = scratch.open().await;
    append(&scratch, &ledger, 0, 10).await;
    close(ledger).await;
    let ledger = scratch.open().await;
    scratch.clock.advance(DAY - 4_500);
    ledger.forget_expired().await.unwrap();
    assert_eq!(rows(&ledger, "acme")[0].sequence, 6);
    close(ledger).await;
    // A clock that is days ahead of the newest commit may be wrong: see `keep`.
    scratch.clock.advance(3 * DAY);
    let ledger = scratch.open().await;
    ledger.forget_expired().await.unwrap();
    assert_eq!(rows(&ledger, "acme")[0].sequence, 6);
    scratch.clock.advance(HOUR);
    ledger.forget_expired().await.unwrap();
    assert!(rows(&ledger, "acme").is_empty());
    close(ledger).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_file_that_is_put_back_by_hand_forgets_as_well() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    append(&scratch, &ledger, 0, 5).await;
    close(ledger).await;
    let yesterday = fs::read(scratch.database_file()).unwrap();
    let ledger = scratch.open().await;
    redact(&scratch, &ledger, "acme", 2, &[Part::Actor]).await;
    close(ledger).await;
    fs::write(scratch.database_file(), yesterday).unwrap();
    let ledger = scratch.open().await;
    assert_eq!(rows(&ledger, "acme").len(), 5);
    assert_eq!(rows(&ledger, "acme")[2].redacted(), [Part::Actor]);
    close(ledger).await;
    // What cannot be read might be the record of what must not be read.
    let record = fs::read_dir(scratch.directory.path().join("objects/forgotten"))
        .unwrap()
        .next();
    fs::write(record.unwrap().unwrap().path(), "{").unwrap();
    let opened = Ledger::open(scratch.parts().await).await;
    assert!(matches!(opened.err(), Some(Error::Corrupt { detail }) if detail.contains("forgotten/")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redaction_of_a_lost_event_does_not_touch_the_one_in_its_place() {
    let (scratch, places) = (Scratch::new(), Places::new());
    let ledger = scratch.open().await;
    append(&scratch, &ledger, 0, 5).await;
    make(&scratch, &places.at("backup"));
    append(&scratch, &ledger, 5, 5).await;
    redact(&scratch, &ledger, "acme", 7, &[Part::Actor]).await;
    close(ledger).await;
    restore(&places.at("backup"), &places.at("one"), Some(scratch.directory.path())).unwrap();
    recover_in_new_epoch(places.parts(&scratch, "one"), "restored")
        .await
        .unwrap();
    scratch.clock.advance(2_000);
    let ledger = places.open(&scratch, "one").await;
    append(&scratch, &ledger, 20, 5).await;
    close(ledger).await;
    let source = Source {
        data: &places.at("one"),
        pin: None,
        secrets: &[],
    };
    back_up(source, &places.at("again"), scratch.clock.now(), &mut || Ok(())).unwrap();
    restore(&places.at("again"), &places.at("two"), Some(scratch.directory.path())).unwrap();
    let ledger = places.open(&scratch, "two").await;
    assert_eq!(rows(&ledger, "acme").len(), 11);
    assert_eq!(rows(&ledger, "acme")[7].redacted(), []);
    close(ledger).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_records_become_one_that_says_the_same() {
    let (mut scratch, places) = (Scratch::new(), Places::new());
    scratch.limits.retention_days = Some(1);
    let ledger = scratch.open().await;
    append(&scratch, &ledger, 0, 80).await;
    seal_all(&ledger).await;
    make(&scratch, &places.at("backup"));
    scratch.clock.advance(DAY - 80_000);
    for _ in 0..70 {
        scratch.clock.advance(1_000);
        ledger.advance_floors().await.unwrap();
    }
    redact(&scratch, &ledger, "acme", 75, &[Part::Actor]).await;
    set_days(&scratch, &ledger, "acme", None, false).await;
    set_days(&scratch, &ledger, "acme", None, true).await;
    let records = || {
        fs::read_dir(scratch.directory.path().join("objects/forgotten"))
            .unwrap()
            .count()
    };
    assert!(records() > 70, "{}", records());
    let kept = rows(&ledger, "acme")[0].sequence;
    ledger.sweep().await.unwrap();
    assert_eq!(records(), 1);
    redact(&scratch, &ledger, "acme", 75, &[Part::Targets]).await;
    close(ledger).await;
    scratch.limits.retention_days = None;
    restore(
        &places.at("backup"),
        &places.at("restored"),
        Some(scratch.directory.path()),
    )
    .unwrap();
    let ledger = places.open(&scratch, "restored").await;
    let restored = rows(&ledger, "acme");
    assert_eq!(restored[0].sequence, kept);
    assert_eq!(restored[(75 - kept) as usize].redacted(), [Part::Actor, Part::Targets]);
    assert!(ledger.retention(&organization("acme")).legal_hold);
    close(ledger).await;
}

/// A backup of a ledger with two segments.
async fn backed_up(scratch: &Scratch, places: &Places) -> Contents {
    let ledger = scratch.open().await;
    for _ in 0..2 {
        append(scratch, &ledger, 0, 20).await;
        seal_all(&ledger).await;
    }
    let contents = make(scratch, &places.at("backup"));
    close(ledger).await;
    contents
}

fn damaged(result: Result<Contents, BackupError>) -> Vec<String> {
    match result {
        Err(BackupError::Damaged(findings)) => findings.into_iter().map(|finding| finding.place).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_missing_or_damaged_file_is_named_and_nothing_is_restored() {
    let (scratch, places) = (Scratch::new(), Places::new());
    let contents = backed_up(&scratch, &places).await;
    let names: Vec<String> = contents.files.iter().map(|file| file.name.clone()).collect();
    assert!(names.len() >= 5, "{names:?}");
    for (number, name) in names.iter().enumerate() {
        let path = places.at("backup").join(name);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        fs::write(&path, &flipped).unwrap();
        let to = places.at(&format!("restored{number}"));
        assert_eq!(
            damaged(restore(&places.at("backup"), &to, None)),
            std::slice::from_ref(name)
        );
        assert_eq!(fs::read_dir(&to).unwrap().count(), 0);
        fs::write(&path, &whole[1..]).unwrap();
        assert_eq!(
            damaged(restore(&places.at("backup"), &to, None)),
            std::slice::from_ref(name)
        );
        fs::write(&path, &whole).unwrap();
    }
    let objects: Vec<String> = names.into_iter().filter(|name| name.contains("segments/")).collect();
    assert_eq!(objects.len(), 4);
    for name in &objects {
        fs::remove_file(places.at("backup").join(name)).unwrap();
    }
    let to = places.at("restored");
    assert_eq!(damaged(restore(&places.at("backup"), &to, None)), objects);
    assert_eq!(fs::read_dir(&to).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_that_leave_out_an_object_or_lead_elsewhere_are_refused() {
    let (scratch, places) = (Scratch::new(), Places::new());
    let mut contents = backed_up(&scratch, &places).await;
    let file = places.at("backup").join(CONTENTS_FILE);
    let write = |contents: &Contents| fs::write(&file, serde_json::to_vec(contents).unwrap()).unwrap();
    let place = contents
        .files
        .iter()
        .position(|file| file.name.contains("segments/"))
        .unwrap();
    let left_out = contents.files.remove(place);
    write(&contents);
    assert_eq!(
        damaged(restore(&places.at("backup"), &places.at("one"), None)),
        std::slice::from_ref(&left_out.name)
    );
    contents.files.push(left_out);
    contents.files[place].name = "../elsewhere".to_owned();
    write(&contents);
    let named = damaged(restore(&places.at("backup"), &places.at("two"), None));
    assert_eq!(named, ["../elsewhere"]);
    assert!(!places.at("elsewhere").exists());
    // A head that is not the backup's is found by comparing.
    let mut contents = backed_up_elsewhere(&scratch, &places);
    restore(&places.at("another"), &places.at("three"), None).unwrap();
    contents.ledgers[0].size -= 1;
    contents.ledgers[1].root.replace_range(..2, "zz");
    let report = check_restored(places.parts(&scratch, "three"), &contents)
        .await
        .unwrap();
    let places: Vec<&str> = report.findings.iter().map(|finding| finding.place.as_str()).collect();
    assert_eq!(places, ["head of default/acme", "head of default/bolt"]);
}

fn backed_up_elsewhere(scratch: &Scratch, places: &Places) -> Contents {
    make(scratch, &places.at("another"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_backup_and_directories_in_use_are_refused() {
    let (scratch, places) = (Scratch::new(), Places::new());
    backed_up(&scratch, &places).await;
    let refused = |result: Result<Contents, BackupError>| match result {
        Err(BackupError::Refused(what)) => what,
        other => panic!("{other:?}"),
    };
    assert!(refused(try_make(&scratch, &places.at("backup"))).contains("not empty"));
    assert!(refused(restore(&places.at("backup"), scratch.directory.path(), None)).contains("not empty"));
    assert!(refused(restore(&places.at("backup"), &places.at("to"), Some(places.0.path()))).contains("neither"));
    // What a backup leaves that was killed after its last file.
    fs::remove_file(places.at("backup").join(CONTENTS_FILE)).unwrap();
    assert!(refused(restore(&places.at("backup"), &places.at("to"), None)).contains("not finished"));
    // One that is told to stop.
    let source = Source {
        data: scratch.directory.path(),
        pin: None,
        secrets: &[],
    };
    let mut calls = 0;
    let stopped = back_up(source, &places.at("stopped"), scratch.clock.now(), &mut || {
        calls += 1;
        if calls > 3 {
            Err(BackupError::Stopped("enough".to_owned()))
        } else {
            Ok(())
        }
    });
    assert!(matches!(stopped, Err(BackupError::Stopped(_))), "{stopped:?}");
    assert!(refused(restore(&places.at("stopped"), &places.at("to"), None)).contains("not finished"));
    assert!(!places.at("to").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_damaged_objects_names_them_all() {
    let (scratch, places) = (Scratch::new(), Places::new());
    let contents = backed_up(&scratch, &places).await;
    let mut objects: Vec<&str> = contents.files.iter().map(|file| file.name.as_str()).collect();
    objects.retain(|name| name.contains("segments/"));
    let at = |name: &str| scratch.directory.path().join(name);
    fs::remove_file(at(objects[0])).unwrap();
    let mut bytes = fs::read(at(objects[3])).unwrap();
    bytes[9] ^= 1;
    fs::write(at(objects[3]), bytes).unwrap();
    let named = damaged(try_make(&scratch, &places.at("damaged")));
    let expected: Vec<String> = [0, 3].map(|place| objects[place].replace("objects/", "object ")).into();
    assert_eq!(named, expected);
    assert!(Contents::read(&places.at("damaged")).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_another_deployment_are_refused() {
    let (scratch, other, places) = (Scratch::new(), Scratch::seeded(9), Places::new());
    backed_up(&scratch, &places).await;
    let ledger = other.open().await;
    append(&other, &ledger, 0, 5).await;
    redact(&other, &ledger, "acme", 2, &[Part::Actor]).await;
    close(ledger).await;
    let named = damaged(restore(
        &places.at("backup"),
        &places.at("to"),
        Some(other.directory.path()),
    ));
    assert!(named.len() == 1 && named[0].contains("objects/forgotten/"), "{named:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_keeps_objects_until_it_is_taken_out_or_ends() {
    let mut scratch = Scratch::new();
    scratch.limits.retention_days = Some(1);
    let ledger = scratch.open().await;
    let objects = || {
        fs::read_dir(scratch.directory.path().join("objects/segments"))
            .unwrap()
            .count()
    };
    for round in 0..2 {
        append(&scratch, &ledger, 0, 10).await;
        seal_all(&ledger).await;
        scratch.clock.advance(2 * DAY);
        expire_all(&ledger).await;
        let until = ledger.pin("backup", DAY).await.unwrap();
        assert_eq!(until, scratch.clock.now().millis() + DAY);
        scratch.clock.advance(13 * HOUR);
        assert_eq!((ledger.sweep().await.unwrap(), objects()), (0, 2), "round {round}");
        // Renewed.
        ledger.pin("backup", DAY).await.unwrap();
        scratch.clock.advance(DAY - 1);
        assert_eq!((ledger.sweep().await.unwrap(), objects()), (0, 2));
        if round == 0 {
            ledger.unpin("backup").await.unwrap();
        } else {
            scratch.clock.advance(1);
        }
        assert_eq!((ledger.sweep().await.unwrap(), objects()), (2, 0));
    }
    close(ledger).await;
}
