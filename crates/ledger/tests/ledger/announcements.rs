//! New organizations are told of in the commit that gives them their ledger, once.

use trailbook_event::{Admission, Admitted, Limits, NoCatalog, Origin, Pointer, admit, json};
use trailbook_ledger::{Clock, Ledger, OrganizationKey, Settlement, Submission};

use crate::support::{Scratch, close, event, event_with_client_id, organization, rows};

const TOLD: &str = "_system";

/// The event that tells of an organization.
fn tell(scratch: &Scratch, key: &OrganizationKey) -> Admitted {
    let text = format!(
        r#"{{"organization":"{TOLD}","action":"trailbook.organization.created","actor":{{"type":"system","name":"Trailbook"}},
            "targets":[{{"type":"organization","id":"{}"}}]}}"#,
        key.organization()
    );
    let limits = Limits::default();
    let admission = Admission {
        limits: &limits,
        now: scratch.clock.now(),
        defaults: &NoCatalog,
        origin: Origin::Own,
    };
    let value = json::parse(&text, &limits.json()).unwrap();
    admit(&value, &Pointer::root(), &admission).unwrap()
}

/// Events, and what is told of their organizations.
fn announced(scratch: &Scratch, ledger: &Ledger, lines: &str, key: Option<(&str, &str)>) -> Submission {
    let mut submission = scratch.submission(ledger, lines, key);
    ledger.announce(&mut submission, &|key| Some(tell(scratch, key)));
    submission
}

/// Of which organizations was told, and in which commits.
fn told(ledger: &Ledger) -> Vec<(String, u64)> {
    let told = rows(ledger, TOLD);
    let told = told.iter().map(|row| {
        let text = String::from_utf8(row.parts.bytes().to_vec()).unwrap();
        let name = ["acme", "bolt", "crow"]
            .iter()
            .find(|name| text.contains(**name))
            .unwrap();
        ((*name).to_owned(), row.commit)
    });
    told.collect()
}

fn named(told: &[(String, u64)]) -> Vec<(&str, u64)> {
    told.iter().map(|(name, commit)| (name.as_str(), *commit)).collect()
}

#[tokio::test]
async fn new_organizations_are_told_of_in_their_first_commit_after_their_events_and_never_again() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    let lines = event("acme", 0) + &event("bolt", 1) + &event("acme", 2);
    let receipt = ledger.append(announced(&scratch, &ledger, &lines, None)).await.unwrap();
    assert_eq!((receipt.events.len(), receipt.accepted()), (3, 3));
    assert!(
        receipt
            .events
            .iter()
            .all(|stored| stored.organization.organization() != TOLD)
    );
    assert_eq!(
        named(&told(&ledger)),
        [("acme", 1), ("bolt", 1)],
        "nothing is told of itself"
    );
    let ids = rows(&ledger, TOLD)[0].id;
    assert!(receipt.events.iter().all(|stored| stored.id < ids));
    assert_eq!(rows(&ledger, "acme").len(), 2);

    let lines = event("crow", 0) + &event("acme", 1);
    ledger.append(announced(&scratch, &ledger, &lines, None)).await.unwrap();
    assert_eq!(named(&told(&ledger)), [("acme", 1), ("bolt", 1), ("crow", 2)]);
    close(ledger).await;
    let ledger = scratch.open().await;
    assert_eq!(told(&ledger).len(), 3);
    close(ledger).await;
    assert_eq!(scratch.assert_sound().await.events, 8);
}

#[tokio::test]
async fn of_requests_that_race_one_tells_and_the_others_tell_what_is_left() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    let submissions = [event("acme", 0), event("acme", 1) + &event("bolt", 0), event("acme", 2)]
        .map(|lines| announced(&scratch, &ledger, &lines, None));
    let appended = futures::future::join_all(submissions.map(|submission| ledger.append(submission))).await;
    assert!(appended.iter().all(Result::is_ok));
    let told = told(&ledger);
    let mut names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["acme", "bolt"]);
    close(ledger).await;
    assert_eq!(scratch.assert_sound().await.events, 6);
}

#[tokio::test]
async fn repetitions_and_organizations_that_were_opened_are_not_told_of() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    let lines = event_with_client_id("acme", "1", 0);
    let sent = || announced(&scratch, &ledger, &lines, Some(("key", "body")));
    let (first, second) = (sent(), sent());
    let answer = ledger.append(first).await.unwrap();
    assert_eq!(
        ledger.append(second).await.unwrap(),
        answer,
        "the same answer, and nothing new"
    );
    let again = announced(&scratch, &ledger, &lines, None);
    assert_eq!(ledger.append(again).await.unwrap().duplicates(), 1);
    // Prepared while it was new, opened since.
    let late = announced(&scratch, &ledger, &event("bolt", 0), None);
    let opened = Settlement {
        open: vec![organization("bolt")],
        ..Settlement::default()
    };
    ledger.settle(opened).await.unwrap();
    ledger.append(late).await.unwrap();
    assert_eq!(named(&told(&ledger)), [("acme", 1)]);
    close(ledger).await;
    assert_eq!(scratch.assert_sound().await.events, 3);
}

#[tokio::test]
async fn what_is_told_counts_where_room_is_short() {
    let mut scratch = Scratch::new();
    scratch.limits.tail_events_max = 3;
    let ledger = scratch.open().await;
    let lines = event("acme", 0) + &event("bolt", 0);
    let refused = ledger.append(announced(&scratch, &ledger, &lines, None)).await;
    assert!(
        matches!(refused, Err(trailbook_ledger::Error::Overloaded { .. })),
        "{refused:?}"
    );
    assert!(ledger.heads().is_empty());
    ledger
        .append(announced(&scratch, &ledger, &event("acme", 0), None))
        .await
        .unwrap();
    assert_eq!(ledger.heads().len(), 2);
}
