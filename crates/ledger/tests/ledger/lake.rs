//! The lake's log says what the manifest says, whatever happens to either.

use std::{
    fs::{self, File},
    time::{Duration, SystemTime},
};

use serde_json::Value;
use trailbook_event::Part;
use trailbook_ledger::{Clock, Ledger, recover_in_new_epoch};

use crate::{
    lake_log::{Log, assert_log},
    support::{Scratch, close, event, organization, rows},
};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// Seals some events of some organizations, so many times.
async fn seal(scratch: &Scratch, ledger: &Ledger, names: &[&str], times: usize) {
    for number in 0..times {
        let lines: String = names.iter().map(|name| event(name, number)).collect();
        scratch.append(ledger, &lines).await.unwrap();
        scratch.clock.advance(1_000);
        ledger.seal().await.unwrap().unwrap();
    }
}

/// What a version says it did, and whether it changed what is in the table.
fn operation(log: &Log, version: u64) -> (String, Vec<bool>) {
    let body = std::str::from_utf8(&log.versions[&version]).unwrap();
    let actions: Vec<Value> = body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let changes = actions.iter().skip(1);
    let changes = changes.map(|action| action.as_object().unwrap().values().next().unwrap()["dataChange"].as_bool());
    let operation = actions[0]["commitInfo"]["operation"].as_str().unwrap();
    (operation.to_owned(), changes.flatten().collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_the_segments_is_a_version() {
    let mut scratch = Scratch::new();
    scratch.limits.seal_events = 10;
    let ledger = scratch.open().await;
    scratch.set_days(&ledger, "acme", Some(2), false).await;
    scratch.clock.advance(8 * DAY);
    assert!(!ledger.write_lake().await.unwrap(), "nothing is sealed");
    seal(&scratch, &ledger, &["acme", "bolt"], 8).await;
    assert!(ledger.write_lake().await.unwrap());
    assert!(!ledger.write_lake().await.unwrap(), "nothing has changed");
    while ledger.compact().await.unwrap().is_some() {}
    let compacted = Log::read(&scratch).versions.len() as u64;
    let record = scratch.admit(&event("records", 0)).remove(0);
    ledger
        .redact(&organization("bolt"), 1, &[Part::Actor], record)
        .await
        .unwrap();
    while ledger.carry_out_redactions().await.unwrap() {}
    scratch.clock.advance(2 * DAY + 9 * HOUR);
    while ledger.advance_floors().await.unwrap() > 0 {}
    while ledger.expire().await.unwrap() {}
    ledger.write_lake().await.unwrap();
    let (acme, bolt) = (rows(&ledger, "acme").len(), rows(&ledger, "bolt").len());
    assert_eq!((acme, bolt), (0, 8));
    close(ledger).await;

    let log = assert_log(&scratch, "at the end").await;
    let first = log.actions(0);
    assert_eq!(first[..3], ["commitInfo", "protocol", "metaData"]);
    assert!(first[3..].iter().all(|action| action == "add") && first.len() > 3);
    assert_eq!(operation(&log, 1).0, "WRITE");
    let newest = *log.versions.keys().next_back().unwrap();
    let later: Vec<(String, Vec<bool>)> = (compacted..=newest).map(|version| operation(&log, version)).collect();
    let rearranged = later.iter().filter(|(operation, _)| operation == "OPTIMIZE");
    assert!(rearranged.clone().count() > 0 && rearranged.flat_map(|(_, changes)| changes).all(|change| !change));
    let erased = later.iter().filter(|(operation, _)| operation == "DELETE");
    assert!(erased.clone().count() > 1 && erased.flat_map(|(_, changes)| changes).all(|change| *change));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_from_before_the_lake_begins_with_all_that_it_has() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    seal(&scratch, &ledger, &["acme"], 3).await;
    close(ledger).await;
    forget_lake(&scratch);
    let ledger = scratch.open().await;
    assert!(!ledger.write_lake().await.unwrap());
    seal(&scratch, &ledger, &["acme"], 1).await;
    ledger.write_lake().await.unwrap();
    close(ledger).await;
    let log = assert_log(&scratch, "upgraded").await;
    assert_eq!(
        log.actions(0),
        ["commitInfo", "protocol", "metaData", "add", "add", "add", "add"]
    );
}

/// As if nobody had heard of the lake.
fn forget_lake(scratch: &Scratch) {
    let connection = rusqlite::Connection::open(scratch.database_file()).unwrap();
    connection.execute("DELETE FROM lake", []).unwrap();
    let _ = fs::remove_dir_all(scratch.directory.path().join("objects/_delta_log"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_gone_or_damaged_is_made_again() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    seal(&scratch, &ledger, &["acme"], 120).await;
    ledger.write_lake().await.unwrap();
    seal(&scratch, &ledger, &["acme"], 3).await;
    ledger.write_lake().await.unwrap();
    close(ledger).await;
    let whole = assert_log(&scratch, "whole").await;
    assert_eq!(whole.checkpoints.keys().copied().collect::<Vec<_>>(), [119]);
    let directory = scratch.directory.path().join("objects/_delta_log");

    fs::write(directory.join(format!("{:020}.json", 121)), "{").unwrap();
    let ledger = scratch.open().await;
    ledger.write_lake().await.unwrap();
    close(ledger).await;
    assert_log(&scratch, "damaged").await;
    assert_eq!(Log::read(&scratch).versions, whole.versions);

    fs::remove_dir_all(&directory).unwrap();
    let ledger = scratch.open().await;
    ledger.write_lake().await.unwrap();
    seal(&scratch, &ledger, &["acme"], 1).await;
    ledger.write_lake().await.unwrap();
    close(ledger).await;
    let log = assert_log(&scratch, "made again").await;
    // What the database had forgotten is gone, and a checkpoint stands for it.
    assert_eq!(log.checkpoints.keys().copied().collect::<Vec<_>>(), [122]);
    assert_eq!(
        log.versions.keys().copied().collect::<Vec<_>>(),
        [119, 120, 121, 122, 123]
    );
    assert_eq!((whole.begins_with, log.begins_with.unwrap().0), (None, 122));
    assert_eq!(log.table(122), whole.table(122));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_put_back_takes_the_log_with_it() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    seal(&scratch, &ledger, &["acme"], 2).await;
    ledger.write_lake().await.unwrap();
    ledger.checkpoint(&organization("acme")).await.unwrap();
    close(ledger).await;
    let yesterday = fs::read(scratch.database_file()).unwrap();
    let ledger = scratch.open().await;
    seal(&scratch, &ledger, &["acme", "bolt"], 4).await;
    ledger.write_lake().await.unwrap();
    ledger.checkpoint(&organization("acme")).await.unwrap();
    close(ledger).await;
    let lost = Log::read(&scratch);
    fs::write(scratch.database_file(), yesterday).unwrap();

    let ledger = scratch.open().await;
    assert!(
        ledger.write_lake().await.is_err(),
        "who refuses to write leaves the log alone"
    );
    close(ledger).await;
    assert_eq!(Log::read(&scratch).versions, lost.versions);
    recover_in_new_epoch(scratch.parts().await, "put back").await.unwrap();
    let ledger = scratch.open().await;
    seal(&scratch, &ledger, &["acme"], 1).await;
    ledger.write_lake().await.unwrap();
    close(ledger).await;
    let log = assert_log(&scratch, "put back").await;
    assert_eq!(log.versions.len(), 3);
    assert_eq!(log.versions[&1], lost.versions[&1]);
    assert_ne!(log.versions[&2], lost.versions[&2]);
}

/// Dates the log's files as of the virtual now.
fn date_log(scratch: &Scratch) {
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(scratch.clock.now().millis() as u64);
    for entry in fs::read_dir(scratch.directory.path().join("objects/_delta_log")).unwrap() {
        let file = File::options().write(true).open(entry.unwrap().path()).unwrap();
        file.set_modified(now).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_older_than_thirty_days_goes_up_to_a_checkpoint() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    let mut logs = Vec::new();
    for days in [29, 2, 0] {
        seal(&scratch, &ledger, &["acme"], 100).await;
        ledger.write_lake().await.unwrap();
        logs.push(Log::read(&scratch));
        if logs.len() == 1 {
            date_log(&scratch);
        }
        scratch.clock.advance(days * DAY);
    }
    close(ledger).await;
    let kept = assert_log(&scratch, "cleaned").await;
    let checkpoints = |log: &Log| log.checkpoints.keys().copied().collect::<Vec<_>>();
    let first = |log: &Log| *log.versions.keys().next().unwrap();
    assert_eq!((checkpoints(&logs[1]), first(&logs[1])), (vec![99, 199], 0));
    assert_eq!((checkpoints(&kept), first(&kept)), (vec![99, 199, 299], 99));
    assert_eq!((logs[1].begins_with, kept.begins_with.unwrap().0), (None, 99));
    assert_eq!(kept.table(150), logs[1].table(150));
}
