//! `fsck` says exactly what differs.

use rusqlite::{Connection, params};
use trailbook_ledger::{Error, Ledger};

use crate::support::{Scratch, close, event, organization};

/// A closed ledger of 600 events in two organizations, with a checkpoint.
async fn closed() -> Scratch {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    for round in 0..6 {
        let lines: String = (0..100)
            .map(|number| event(["acme", "beta"][number % 2], round * 100 + number))
            .collect();
        scratch.append(&ledger, &lines).await.unwrap();
    }
    ledger.checkpoint(&organization("acme")).await.unwrap();
    close(ledger).await;
    scratch.assert_sound().await;
    scratch
}

async fn findings_after(change: impl FnOnce(&Connection)) -> Vec<String> {
    let scratch = closed().await;
    let connection = Connection::open(scratch.database_file()).unwrap();
    change(&connection);
    drop(connection);
    scratch.fsck().await.findings.iter().map(ToString::to_string).collect()
}

fn assert_only(findings: &[String], expected: &[&str]) {
    assert!(!findings.is_empty(), "nothing was found");
    for finding in findings {
        assert!(
            expected.iter().any(|part| finding.contains(part)),
            "unexpected: {finding}"
        );
    }
    for part in expected {
        assert!(
            findings.iter().any(|finding| finding.contains(part)),
            "{part} is not in {findings:#?}"
        );
    }
}

#[tokio::test]
async fn any_flipped_byte_of_a_tail_row_names_the_commit_or_its_events() {
    let scratch = closed().await;
    let connection = Connection::open(scratch.database_file()).unwrap();
    let body: Vec<u8> = connection
        .query_row("SELECT body FROM tail WHERE number = 3", [], |row| row.get(0))
        .unwrap();
    for position in (0..body.len()).step_by(397) {
        let mut damaged = body.clone();
        damaged[position] ^= 0x10;
        connection
            .execute("UPDATE tail SET body = ?1 WHERE number = 3", [&damaged])
            .unwrap();
        let findings: Vec<String> = scratch.fsck().await.findings.iter().map(ToString::to_string).collect();
        assert!(
            findings.iter().any(|finding| finding.contains("commit 3")),
            "byte {position}: {findings:?}"
        );
        let opened = Ledger::open(scratch.parts().await).await;
        assert!(
            matches!(opened, Err(Error::Corrupt { .. })),
            "byte {position} was served"
        );
    }
}

#[tokio::test]
async fn an_altered_body_under_a_right_checksum_names_the_event() {
    use sha2::{Digest, Sha256};
    // Event 41 of commit 6 is the 21st of beta there: sequence 250 + 20. Its leaf is changed and the checksum made right again.
    let findings = findings_after(|connection| {
        let mut body: Vec<u8> = connection
            .query_row("SELECT body FROM tail WHERE number = 6", [], |row| row.get(0))
            .unwrap();
        let end = body.len() - 8;
        let leaf = 4 + 16 + 4 + 2 * 28 + 4 + 100 * 4 + 32 * 41;
        body[leaf] ^= 1;
        let checksum = Sha256::digest(&body[..end]);
        body[end..].copy_from_slice(&checksum[..8]);
        connection
            .execute("UPDATE tail SET body = ?1 WHERE number = 6", [&body])
            .unwrap();
    })
    .await;
    assert_only(
        &findings,
        &["sequence 270 of default/beta", "head of default/beta", "commit 6"],
    );
}

#[tokio::test]
async fn a_missing_commit_is_named_by_the_gap_it_leaves() {
    let findings = findings_after(|connection| {
        connection.execute("DELETE FROM tail WHERE number = 2", []).unwrap();
    })
    .await;
    assert_only(
        &findings,
        &[
            "should have sequence 50",
            "tree of default/acme",
            "tree of default/beta",
            "commit 3",
            "commit 4",
            "commit 5",
            "commit 6",
        ],
    );
}

#[tokio::test]
async fn heads_subtrees_and_checkpoints_are_compared_with_the_events() {
    let head = findings_after(|connection| {
        connection
            .execute("UPDATE ledgers SET size = size - 1 WHERE organization = 'acme'", [])
            .unwrap();
    })
    .await;
    assert_only(&head, &["head of default/acme"]);
    let frontier = findings_after(|connection| {
        connection
            .execute(
                "UPDATE ledgers SET frontier = zeroblob(length(frontier)) WHERE organization = 'acme'",
                [],
            )
            .unwrap();
    })
    .await;
    assert_only(&frontier, &["head of default/acme: its tree"]);
    let subtree = findings_after(|connection| {
        connection
            .execute("UPDATE subtrees SET hash = zeroblob(32)", [])
            .unwrap();
    })
    .await;
    assert_only(
        &subtree,
        &[
            "subtree 0 of level 1 of default/acme",
            "subtree 0 of level 1 of default/beta",
        ],
    );
    let surplus = findings_after(|connection| {
        connection
            .execute("INSERT INTO subtrees VALUES (1, 1, 7, ?1)", params![[1_u8; 32]])
            .unwrap();
    })
    .await;
    assert_only(&surplus, &["subtree 7 of level 1 of default/acme: it should not exist"]);
    let checkpoint = findings_after(|connection| {
        connection
            .execute("UPDATE checkpoints SET note = replace(note, '300', '299')", [])
            .unwrap();
    })
    .await;
    assert_only(&checkpoint, &["checkpoint of default/acme at 300 events"]);
    let chain = findings_after(|connection| {
        connection
            .execute("UPDATE commits SET chain = zeroblob(32) WHERE number = 4", [])
            .unwrap();
    })
    .await;
    assert_only(&chain, &["commit 4: the chain", "commit 5: the chain"]);
}
