//! When rows expire, which segments are written anew for it, and when.

use trailbook_event::{Part, Timestamp};
use trailbook_ledger::{Clock, Ledger, RetentionChange, RetentionScope};

use crate::support::{Scratch, close, event, organization, rows};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// Appends events to each organization, a second apart.
async fn append(scratch: &Scratch, ledger: &Ledger, names: &[&str], count: usize) {
    for number in 0..count {
        let lines: String = names.iter().map(|name| event(name, number)).collect();
        scratch.append(ledger, &lines).await.unwrap();
        scratch.clock.advance(1_000);
    }
}

async fn set_days(scratch: &Scratch, ledger: &Ledger, name: &str, days: Option<u32>) {
    scratch.set_days(ledger, name, days, false).await;
}

fn first(ledger: &Ledger, name: &str) -> Option<u64> {
    rows(ledger, name).first().map(|row| row.sequence)
}

async fn seal_all(ledger: &Ledger) {
    while ledger.seal().await.unwrap().is_some() {}
}

async fn expire_all(ledger: &Ledger) -> usize {
    let mut rewritten = 0;
    while ledger.expire().await.unwrap() {
        rewritten += 1;
    }
    rewritten
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_waits_for_the_retention_of_those_whose_rows_expired() {
    // The shortest retention of all once decided: a year's segments were written anew each minute because somebody kept a day.
    let mut scratch = Scratch::new();
    scratch.limits.retention_days = Some(365);
    let ledger = scratch.open().await;
    set_days(&scratch, &ledger, "acme", Some(1)).await;
    append(&scratch, &ledger, &["acme", "bolt"], 60).await;
    seal_all(&ledger).await;
    scratch.clock.advance(9 * DAY);
    assert_eq!(ledger.advance_floors().await.unwrap(), 1);
    assert_eq!(expire_all(&ledger).await, 1, "a day's rows are gone");
    assert_eq!((first(&ledger, "acme"), first(&ledger, "bolt")), (None, Some(0)));

    scratch.clock.advance(356 * DAY - 30_500);
    assert_eq!(ledger.advance_floors().await.unwrap(), 2, "of bolt and of the records");
    assert_eq!(first(&ledger, "bolt"), Some(30));
    assert_eq!(expire_all(&ledger).await, 0, "half of the year's rows wait");
    scratch.clock.advance(10_000);
    assert_eq!(ledger.advance_floors().await.unwrap(), 1);
    assert_eq!(expire_all(&ledger).await, 0);
    scratch.clock.advance(8 * HOUR);
    assert_eq!(expire_all(&ledger).await, 1);
    assert_eq!(first(&ledger, "bolt"), Some(40));
    assert_eq!(ledger.advance_floors().await.unwrap(), 1);
    assert_eq!(expire_all(&ledger).await, 1, "nothing is left in it");
    close(ledger).await;
    scratch.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expired_is_erased_although_the_retention_is_longer_now() {
    for longer in [Some(365), None] {
        let mut scratch = Scratch::new();
        scratch.limits.retention_days = Some(1);
        let ledger = scratch.open().await;
        append(&scratch, &ledger, &["acme"], 20).await;
        seal_all(&ledger).await;
        scratch.clock.advance(DAY - 10_500);
        assert_eq!(ledger.advance_floors().await.unwrap(), 1);
        set_days(&scratch, &ledger, "acme", longer).await;
        assert_eq!(first(&ledger, "acme"), Some(10), "a longer retention does not revive");
        assert_eq!(expire_all(&ledger).await, 1);
        scratch.clock.advance(100 * DAY);
        assert_eq!(ledger.advance_floors().await.unwrap(), 0);
        assert_eq!((first(&ledger, "acme"), expire_all(&ledger).await), (Some(10), 0));
        close(ledger).await;
        scratch.assert_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_floor_says_up_to_when_events_expired_and_from_where_entries_are_kept() {
    let mut scratch = Scratch::new();
    scratch.limits.retention_days = Some(1);
    let (ledger, acme) = (scratch.open().await, organization("acme"));
    append(&scratch, &ledger, &["acme"], 300).await;
    seal_all(&ledger).await;
    let expired = |ledger: &Ledger| {
        (
            ledger.expired_through(&acme).unwrap(),
            ledger.minimum_index(&acme).unwrap(),
        )
    };
    assert_eq!(expired(&ledger), (None, 0));
    scratch.clock.advance(DAY - 290_000);
    assert_eq!(ledger.advance_floors().await.unwrap(), 1);
    let through = Timestamp::from_millis(scratch.clock.now().millis() - DAY);
    assert_eq!(
        first(&ledger, "acme"),
        Some(11),
        "that of ten seconds expires in the tenth"
    );
    assert_eq!(
        expired(&ledger),
        (Some(through), 256),
        "a tile that the floor cuts is not whole"
    );
    close(ledger).await;
    let ledger = scratch.open().await;
    assert_eq!(expired(&ledger), (Some(through), 256));
    close(ledger).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_begins_finds_what_waits_to_be_erased() {
    let mut scratch = Scratch::new();
    scratch.limits.retention_days = Some(1);
    let ledger = scratch.open().await;
    append(&scratch, &ledger, &["acme", "bolt"], 20).await;
    seal_all(&ledger).await;
    scratch.clock.advance(DAY - 10_500);
    assert_eq!(ledger.advance_floors().await.unwrap(), 2);
    assert_eq!(expire_all(&ledger).await, 0);
    close(ledger).await;
    let ledger = scratch.open().await;
    assert_eq!(expire_all(&ledger).await, 0);
    scratch.clock.advance(8 * HOUR);
    assert_eq!(expire_all(&ledger).await, 1);
    close(ledger).await;
    scratch.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projects_retention_expires_what_has_none_of_its_own_seven_days_later() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    let of_project = |days, legal_hold| RetentionChange {
        scope: RetentionScope::Project("default".into()),
        days,
        legal_hold,
    };
    set_days(&scratch, &ledger, "bolt", Some(30)).await;
    append(&scratch, &ledger, &["acme", "bolt"], 3).await;
    seal_all(&ledger).await;
    scratch.clock.advance(2 * DAY);
    scratch.set_retention(&ledger, of_project(Some(Some(1)), None)).await;
    scratch.clock.advance(7 * DAY - 1);
    assert_eq!(ledger.advance_floors().await.unwrap(), 0, "the shortening waits");
    scratch
        .set_retention(&ledger, of_project(Some(Some(1)), Some(true)))
        .await;
    scratch.clock.advance(1);
    assert_eq!(ledger.advance_floors().await.unwrap(), 0, "a hold is on");
    scratch.set_retention(&ledger, of_project(Some(Some(1)), None)).await;
    assert_eq!(ledger.advance_floors().await.unwrap(), 2, "of acme and of the records");
    assert_eq!((first(&ledger, "acme"), first(&ledger, "bolt")), (None, Some(0)));
    close(ledger).await;
    scratch.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_whose_rows_are_all_gone_goes_on_expiring() {
    let mut scratch = Scratch::new();
    scratch.limits.retention_days = Some(1);
    let ledger = scratch.open().await;
    for round in 1..=3 {
        append(&scratch, &ledger, &["acme", "bolt"], 5).await;
        assert_eq!(
            ledger.advance_floors().await.unwrap(),
            0,
            "in round {round} nothing is sealed"
        );
        seal_all(&ledger).await;
        assert_eq!(
            ledger.advance_floors().await.unwrap(),
            0,
            "in round {round} nothing is old"
        );
        scratch.clock.advance(2 * DAY);
        assert_eq!(ledger.advance_floors().await.unwrap(), 2, "in round {round}");
        assert_eq!(expire_all(&ledger).await, 1);
        assert_eq!(ledger.advance_floors().await.unwrap(), 0);
        assert_eq!(first(&ledger, "acme"), None);
    }
    close(ledger).await;
    scratch.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_whose_retention_changes_is_read_across_the_classes() {
    // Of two segments that begin with the same commit, the one with the later rows once came first.
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    append(&scratch, &ledger, &["acme"], 1).await;
    set_days(&scratch, &ledger, "bolt", Some(400)).await;
    scratch.clock.advance(8 * DAY);
    append(&scratch, &ledger, &["acme", "bolt"], 3).await;
    seal_all(&ledger).await;
    set_days(&scratch, &ledger, "bolt", None).await;
    for _ in 0..8 {
        append(&scratch, &ledger, &["acme", "bolt"], 3).await;
        seal_all(&ledger).await;
    }
    while ledger.compact().await.unwrap().is_some() {}
    let sequences: Vec<u64> = rows(&ledger, "bolt").iter().map(|row| row.sequence).collect();
    assert_eq!(sequences, (0..27).collect::<Vec<_>>());
    let runs = ledger.sealed(&organization("bolt")).unwrap().runs.clone();
    let firsts: Vec<u64> = runs.iter().map(|run| run.run.first_sequence).collect();
    assert_eq!(firsts[..2], [0, 3]);
    close(ledger).await;
    scratch.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redacted_event_that_expires_leaves_nothing_to_carry_out() {
    let mut scratch = Scratch::new();
    scratch.limits.retention_days = Some(1);
    let ledger = scratch.open().await;
    let acme = organization("acme");
    append(&scratch, &ledger, &["acme"], 5).await;
    let record = scratch.admit(&event("acme", 0)).remove(0);
    seal_all(&ledger).await;
    ledger.redact(&acme, 2, &[Part::Actor], record).await.unwrap();
    scratch.clock.advance(2 * DAY);
    assert_eq!(ledger.advance_floors().await.unwrap(), 1);
    assert_eq!(expire_all(&ledger).await, 1);
    assert!(ledger.sealed(&acme).unwrap().redactions.is_empty());
    close(ledger).await;
    let ledger = scratch.open().await;
    assert!(ledger.sealed(&acme).unwrap().redactions.is_empty());
    close(ledger).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_passes_while_newer_expired_events_are_gone_and_older_ones_wait() {
    let mut scratch = Scratch::new();
    scratch.limits.retention_days = Some(2);
    let ledger = scratch.open().await;
    set_days(&scratch, &ledger, "acme", Some(3)).await;
    // The first segment waits for another organization, the second has nothing else.
    append(&scratch, &ledger, &["acme", "bolt"], 5).await;
    seal_all(&ledger).await;
    set_days(&scratch, &ledger, "records", Some(4)).await;
    append(&scratch, &ledger, &["bolt"], 5).await;
    seal_all(&ledger).await;
    scratch.clock.advance(2 * DAY);
    assert_eq!(ledger.advance_floors().await.unwrap(), 1);
    assert_eq!(expire_all(&ledger).await, 1);
    close(ledger).await;
    scratch.assert_sound().await;
}
