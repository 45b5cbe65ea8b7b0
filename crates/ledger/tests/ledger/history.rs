//! What is sealed, compacted, expired or redacted answers as before, and every proof goes on holding.

use std::sync::Arc;

use trailbook_event::Part;
use trailbook_ledger::{Error, Ledger, PartSecret, Row};
use trailbook_merkle::{Hash, root_of, verify_consistency, verify_inclusion, verify_range};

use crate::support::{Scratch, close, content, event, organization, rows};

/// Appends `count` events each of three organizations, late ones among them, in commits of a few.
async fn append(scratch: &Scratch, ledger: &Ledger, from: usize, count: usize) {
    for first in (from..from + count).step_by(17) {
        let numbers = first..(first + 17).min(from + count);
        let line = |number: usize| {
            let late = (number * 7919) % 1_000;
            let occurred_at = trailbook_event::Timestamp::from_millis(crate::support::START - late as i64 * 60_000);
            let at = format!("{{\"occurred_at\":\"{occurred_at}\",\"trace_id\":\"t{}\",", number / 3);
            ["acme", "bolt", "crow"]
                .map(|name| event(name, number).replacen('{', &at, 1))
                .concat()
        };
        let lines: String = numbers.map(line).collect();
        scratch.append(ledger, &lines).await.unwrap();
        scratch.clock.advance(10);
    }
}

fn all(ledger: &Ledger) -> Vec<Vec<(u64, Vec<u8>)>> {
    ["acme", "bolt", "crow"]
        .map(|name| rows(ledger, name).iter().map(|row| content(row)).collect())
        .into()
}

async fn assert_provable(ledger: &Ledger, name: &str, leaves: &[Hash], first: u64) {
    let organization = organization(name);
    let size = leaves.len() as u64;
    let root = root_of(leaves, size).unwrap();
    for index in (first..size).step_by(61).chain([first, size - 1]) {
        let proof = ledger.prove_inclusion(&organization, index, size).await.unwrap();
        verify_inclusion(leaves[index as usize], index, size, &proof, root).unwrap();
    }
    for begin in [first, first + (size - first) / 2, size - 1] {
        let proof = ledger.prove_range(&organization, begin, size, size).await.unwrap();
        verify_range(begin, size, size, &leaves[begin as usize..], &proof, root).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sealing_and_compacting_change_no_answer_and_no_proof() {
    let mut scratch = Scratch::new();
    scratch.limits.seal_events = 200;
    let ledger = scratch.open().await;
    append(&scratch, &ledger, 0, 700).await;
    let before = all(&ledger);
    let leaves: Vec<Hash> = rows(&ledger, "bolt").iter().map(|row| row.leaf_hash).collect();
    let mut sealed = 0;
    while let Some(tail) = ledger.seal().await.unwrap() {
        sealed += tail.events;
        assert_eq!(all(&ledger), before, "after sealing up to commit {}", tail.through);
    }
    assert_eq!(sealed, 2_100);
    assert_provable(&ledger, "bolt", &leaves, 0).await;
    append(&scratch, &ledger, 700, 50).await;
    let before = all(&ledger);
    let mut merges = 0;
    while let Some(compacted) = ledger.compact().await.unwrap() {
        assert!(compacted.added < compacted.removed);
        merges += 1;
        assert_eq!(all(&ledger), before);
    }
    assert!(merges > 0);
    close(ledger).await;
    let ledger = scratch.open().await;
    assert_eq!(all(&ledger), before);
    append(&scratch, &ledger, 750, 5).await;
    let leaves: Vec<Hash> = rows(&ledger, "bolt").iter().map(|row| row.leaf_hash).collect();
    assert_provable(&ledger, "bolt", &leaves, 0).await;
    close(ledger).await;
    let report = scratch.assert_sound().await;
    assert_eq!(report.events, 3 * 755);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expired_is_never_read_again_and_checkpoints_stay_consistent() {
    let mut scratch = Scratch::new();
    scratch.limits.seal_events = 300;
    scratch.limits.retention_days = Some(1);
    let ledger = scratch.open().await;
    let acme = organization("acme");
    let mut checkpoints = Vec::new();
    for batch in 0..6 {
        append(&scratch, &ledger, batch * 150, 150).await;
        scratch.clock.advance(60_000);
        checkpoints.push(ledger.checkpoint(&acme).await.unwrap());
        while ledger.seal().await.unwrap().is_some() {}
    }
    let leaves: Vec<Hash> = rows(&ledger, "acme").iter().map(|row| row.leaf_hash).collect();
    let received: Vec<i64> = rows(&ledger, "acme")
        .iter()
        .map(|row| row.received_at.millis())
        .collect();
    let first = received[0];
    scratch
        .clock
        .advance(first + 24 * 3_600_000 - trailbook_ledger::Clock::now(&*scratch.clock).millis() - 1);
    assert_eq!(ledger.advance_floors().await.unwrap(), 0, "nothing is old enough");
    let half = received[400];
    scratch.clock.advance(half - first + 1);
    assert_eq!(ledger.advance_floors().await.unwrap(), 3);
    let kept = received.partition_point(|at| *at <= half) as u64;
    let left = rows(&ledger, "acme");
    assert_eq!(left.first().map(|row| row.sequence), Some(kept));
    assert_eq!(left.len() as u64, 900 - kept);
    assert_provable(&ledger, "acme", &leaves, kept).await;
    scratch.clock.advance(9 * 3_600_000);
    while ledger.expire().await.unwrap() {}
    assert_eq!(rows(&ledger, "acme").first().map(|row| row.sequence), Some(kept));
    assert_provable(&ledger, "acme", &leaves, kept).await;
    for old in &checkpoints {
        for new in &checkpoints {
            if old.size <= new.size {
                let proof = ledger.prove_consistency(&acme, old.size, new.size).await.unwrap();
                verify_consistency(old.size, old.root, new.size, new.root, &proof).unwrap();
            }
        }
    }
    scratch.clock.advance(13 * 3_600_000);
    assert!(ledger.sweep().await.unwrap() > 0);
    close(ledger).await;
    scratch.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redaction_removes_bytes_everywhere_and_leaves_every_proof() {
    let mut scratch = Scratch::new();
    scratch.limits.seal_events = 200;
    let ledger = scratch.open().await;
    append(&scratch, &ledger, 0, 150).await;
    ledger.seal().await.unwrap().unwrap();
    let acme = organization("acme");
    let leaves: Vec<Hash> = rows(&ledger, "acme").iter().map(|row| row.leaf_hash).collect();
    let record = || scratch.admit(&event("acme", 0)).remove(0);
    for sequence in [3, 149] {
        ledger
            .redact(&acme, sequence, &[Part::Actor, Part::Context], record())
            .await
            .unwrap();
    }
    let check = |row: &Arc<Row>| {
        assert_eq!(row.redacted(), [Part::Actor, Part::Context]);
        assert!(matches!(row.secret(Part::Core), PartSecret::Salt(_)));
        assert!(!String::from_utf8_lossy(row.parts.bytes()).contains("203.0.113.9"));
        assert_eq!(row.country, None);
        assert_eq!(row.leaf_record().leaf_hash(), leaves[row.sequence as usize]);
    };
    let redacted = |ledger: &Ledger| {
        let all = rows(ledger, "acme");
        assert_eq!(all.len(), 152);
        [&all[3], &all[149]].into_iter().for_each(check);
    };
    redacted(&ledger);
    close(ledger).await;
    let ledger = scratch.open().await;
    redacted(&ledger);
    while ledger.seal().await.unwrap().is_some() {}
    redacted(&ledger);
    while ledger.carry_out_redactions().await.unwrap() {}
    redacted(&ledger);
    assert_provable(
        &ledger,
        "acme",
        &rows(&ledger, "acme")
            .iter()
            .map(|row| row.leaf_hash)
            .collect::<Vec<_>>(),
        0,
    )
    .await;
    close(ledger).await;
    scratch.assert_sound().await;
    let gone = ledger_error_of_missing(&scratch).await;
    assert!(matches!(gone, Error::NotFound));
}

async fn ledger_error_of_missing(scratch: &Scratch) -> Error {
    let ledger = scratch.open().await;
    let record = scratch.admit(&event("acme", 0)).remove(0);
    let error = ledger
        .redact(&organization("acme"), 9_999, &[Part::Actor], record)
        .await
        .unwrap_err();
    close(ledger).await;
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tail_takes_less_memory_after_a_redaction_and_none_once_it_is_sealed() {
    // What a redaction saved was once subtracted twice; then nothing more could be appended.
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    append(&scratch, &ledger, 0, 20).await;
    let record = scratch.admit(&event("acme", 0)).remove(0);
    ledger
        .redact(&organization("acme"), 3, &Part::ALL, record)
        .await
        .unwrap();
    let bytes = |ledger: &Ledger| ledger.measures().tail_bytes.load(std::sync::atomic::Ordering::Relaxed);
    let taken = bytes(&ledger);
    close(ledger).await;
    let ledger = scratch.open().await;
    assert_eq!(bytes(&ledger), taken);
    ledger.seal().await.unwrap().unwrap();
    assert_eq!(bytes(&ledger), 0);
    append(&scratch, &ledger, 20, 1).await;
    close(ledger).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redactions_of_one_event_at_the_same_time_all_hold() {
    // Each reads the event before the other is committed; the second once brought back what the first had removed.
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    append(&scratch, &ledger, 0, 5).await;
    let acme = organization("acme");
    for sequence in [1, 2] {
        let record = || scratch.admit(&event("acme", 0)).remove(0);
        let (one, other) = tokio::join!(
            ledger.redact(&acme, sequence, &[Part::Actor], record()),
            ledger.redact(&acme, sequence, &[Part::Context], record()),
        );
        one.and(other).unwrap();
        let redacted = |row: &Row| assert_eq!(row.redacted(), [Part::Actor, Part::Context]);
        redacted(&rows(&ledger, "acme")[sequence as usize]);
        ledger.seal().await.unwrap();
        redacted(&rows(&ledger, "acme")[sequence as usize]);
    }
    close(ledger).await;
    scratch.assert_sound().await;
}
