//! Bundles that are wrong, damaged or lost are made anew from the Parquet files, or it is said why not.

use std::{fs, path::PathBuf, sync::Arc};

use rusqlite::{Connection, params};
use trailbook_event::Part;
use trailbook_ledger::{
    Ledger, Parts, Reindexed, Row, reindex,
    segment::{Indexer, Parsed},
};
use trailbook_merkle::{Hash, root_of, verify_inclusion};

use crate::support::{Scratch, close, event, organization, rows};

/// An index of other rows than those that it is given: an older version, or one that went wrong.
struct OfOthers;

impl Indexer for OfOthers {
    fn index(&self, rows: &[Parsed<'_>]) -> Vec<u8> {
        rows.iter()
            .flat_map(|parsed| (parsed.row.sequence + 1).to_le_bytes())
            .collect()
    }
}

const ORGANIZATIONS: [&str; 3] = ["acme", "bolt", "crow"];

/// Seals three segments of three organizations, with more in the tail; one event is redacted in its segment, one is yet to be.
async fn sealed(scratch: &Scratch, ledger: Ledger) {
    let acme = organization("acme");
    for round in 0..4 {
        let lines = |number| ORGANIZATIONS.map(|name| event(name, number)).concat();
        let all: String = (round * 100..round * 100 + 100).map(lines).collect();
        scratch.append(&ledger, &all).await.unwrap();
        scratch.clock.advance(10);
        if round < 3 {
            ledger.seal().await.unwrap().unwrap();
        }
        let record = || scratch.admit(&event("acme", 7)).remove(0);
        if round == 1 {
            ledger.redact(&acme, 5, &[Part::Actor], record()).await.unwrap();
            while ledger.carry_out_redactions().await.unwrap() {}
        }
        if round == 3 {
            ledger.redact(&acme, 150, &[Part::Context], record()).await.unwrap();
        }
    }
    close(ledger).await;
}

/// A closed ledger with three sound segments.
async fn sound() -> Scratch {
    let scratch = Scratch::new();
    sealed(&scratch, scratch.open().await).await;
    scratch.assert_sound().await;
    scratch
}

/// The segments' numbers with the files of their objects.
fn segments(scratch: &Scratch) -> Vec<(u64, PathBuf, PathBuf)> {
    let connection = Connection::open(scratch.database_file()).unwrap();
    let mut statement = connection
        .prepare("SELECT segment, data, bundle FROM segments ORDER BY segment")
        .unwrap();
    let file = |name: String| scratch.directory.path().join("objects").join(name);
    let segments = statement.query_map([], |row| {
        Ok((row.get::<_, i64>(0)? as u64, file(row.get(1)?), file(row.get(2)?)))
    });
    segments.unwrap().collect::<Result<_, _>>().unwrap()
}

/// Everything that is stored of the events.
async fn everything(scratch: &Scratch) -> Vec<String> {
    let ledger = scratch.open().await;
    let all = ORGANIZATIONS.map(|name| rows(&ledger, name));
    for (name, rows) in ORGANIZATIONS.iter().zip(&all) {
        assert_provable(&ledger, name, rows).await;
    }
    close(ledger).await;
    all.iter().flatten().map(|row| format!("{row:?}")).collect()
}

async fn assert_provable(ledger: &Ledger, name: &str, rows: &[Arc<Row>]) {
    let leaves: Vec<Hash> = rows.iter().map(|row| row.leaf_hash).collect();
    let (size, organization) = (leaves.len() as u64, organization(name));
    let root = root_of(&leaves[..], size).unwrap();
    for index in (0..size).step_by(37) {
        let proof = ledger.prove_inclusion(&organization, index, size).await.unwrap();
        verify_inclusion(leaves[index as usize], index, size, &proof, root).unwrap();
    }
}

async fn made_anew(scratch: &Scratch) -> Reindexed {
    reindex(scratch.parts().await).await.unwrap()
}

fn texts(findings: &[trailbook_ledger::Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_other_rows_is_found_although_every_checksum_is_right() {
    let scratch = Scratch::new();
    let parts = Parts {
        indexer: Arc::new(OfOthers),
        ..scratch.parts().await
    };
    sealed(&scratch, Ledger::open(parts).await.unwrap()).await;
    let before = everything(&scratch).await;
    let findings = texts(&scratch.fsck().await.findings);
    for (segment, _, _) in segments(&scratch) {
        for name in ORGANIZATIONS {
            let place = format!("index block 0 of ledger default/{name} in segment {segment}: it is not the index");
            assert!(
                findings.iter().any(|found| found.starts_with(&place)),
                "{place} is not in {findings:#?}"
            );
        }
    }
    assert_eq!(findings.len(), 9, "{findings:#?}");
    let old: Vec<u64> = segments(&scratch).iter().map(|(segment, _, _)| *segment).collect();
    let report = made_anew(&scratch).await;
    assert_eq!(
        (report.segments, &report.replaced, &report.findings[..]),
        (3, &old, &[][..])
    );
    scratch.assert_sound().await;
    assert_eq!(everything(&scratch).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_and_damaged_bundles_are_made_anew_and_the_old_objects_are_swept() {
    let scratch = sound().await;
    let (before, old) = (everything(&scratch).await, segments(&scratch));
    fs::remove_file(&old[0].2).unwrap();
    let mut damaged = fs::read(&old[2].2).unwrap();
    damaged.truncate(damaged.len() / 2);
    fs::write(&old[2].2, damaged).unwrap();
    let findings = texts(&scratch.fsck().await.findings);
    for segment in [old[0].0, old[2].0] {
        let place = format!("segment {segment}: ");
        assert!(findings.iter().any(|found| found.starts_with(&place)), "{findings:#?}");
    }
    let report = made_anew(&scratch).await;
    assert_eq!(
        (&report.replaced[..], &report.findings[..]),
        (&[old[0].0, old[2].0][..], &[][..])
    );
    scratch.assert_sound().await;
    assert_eq!(everything(&scratch).await, before);
    let again = made_anew(&scratch).await;
    assert_eq!(
        (again.segments, again.replaced.len()),
        (3, 0),
        "the second time there is nothing to do"
    );
    scratch.clock.advance(13 * 3_600_000);
    let ledger = scratch.open().await;
    assert!(ledger.sweep().await.unwrap() >= 3);
    close(ledger).await;
    for gone in [&old[0].1, &old[2].1, &old[2].2] {
        assert!(!gone.exists(), "{gone:?} is still there");
    }
    assert_eq!(everything(&scratch).await, before);
    scratch.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_of_segments_that_a_floor_cuts_are_made_anew() {
    let mut scratch = Scratch::new();
    scratch.limits.retention_days = Some(1);
    sealed(&scratch, scratch.open().await).await;
    scratch.clock.advance(24 * 3_600_000 - 25);
    let ledger = scratch.open().await;
    assert_eq!(ledger.advance_floors().await.unwrap(), 3);
    let kept: Vec<String> = rows(&ledger, "bolt").iter().map(|row| format!("{row:?}")).collect();
    assert!(!kept.is_empty() && kept.len() < 400, "{} are kept", kept.len());
    close(ledger).await;
    for (_, _, bundle) in segments(&scratch) {
        fs::remove_file(bundle).unwrap();
    }
    let report = made_anew(&scratch).await;
    assert_eq!((report.replaced.len(), &report.findings[..]), (3, &[][..]));
    scratch.assert_sound().await;
    scratch.clock.advance(9 * 3_600_000);
    let ledger = scratch.open().await;
    let now: Vec<String> = rows(&ledger, "bolt").iter().map(|row| format!("{row:?}")).collect();
    assert_eq!(now, kept);
    while ledger.expire().await.unwrap() {}
    close(ledger).await;
    scratch.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_parquet_file_is_refused_by_name() {
    let scratch = sound().await;
    let old = segments(&scratch);
    let [damaged, lost] = [&old[0], &old[1]];
    let mut bytes = fs::read(&damaged.1).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(&damaged.1, bytes).unwrap();
    fs::remove_file(&damaged.2).unwrap();
    fs::remove_file(&lost.1).unwrap();
    let report = made_anew(&scratch).await;
    assert!(report.replaced.is_empty(), "{report:?}");
    let findings = texts(&report.findings);
    assert_eq!(findings.len(), 2, "{findings:#?}");
    for (finding, (segment, data, _)) in findings.iter().zip([damaged, lost]) {
        let name = data.file_name().unwrap().to_str().unwrap();
        assert!(
            finding.starts_with(&format!("segment {segment}: ")) && finding.contains(name),
            "{finding}"
        );
        assert!(finding.contains("restore it from a backup"), "{finding}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_do_not_come_to_the_heads_are_not_accepted() {
    // Another deployment has rows of the same shape. Its Parquet file is put in place, and the manifest made to agree.
    let scratch = sound().await;
    let others = Scratch::seeded(1);
    sealed(&others, others.open().await).await;
    let (old, theirs) = (segments(&scratch), segments(&others));
    let connection = Connection::open(others.database_file()).unwrap();
    let (length, sha256): (i64, Vec<u8>) = connection
        .query_row(
            "SELECT data_bytes, data_sha256 FROM segments ORDER BY segment",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let connection = Connection::open(scratch.database_file()).unwrap();
    connection
        .execute(
            "UPDATE segments SET data_bytes = ?1, data_sha256 = ?2 WHERE segment = ?3",
            params![length, sha256, old[0].0 as i64],
        )
        .unwrap();
    drop(connection);
    fs::copy(&theirs[0].1, &old[0].1).unwrap();
    fs::remove_file(&old[0].2).unwrap();
    let objects = || fs::read_dir(old[0].1.parent().unwrap()).unwrap().count();
    let before = objects();
    let report = made_anew(&scratch).await;
    assert!(report.replaced.is_empty(), "{report:?}");
    let findings = texts(&report.findings);
    for name in ORGANIZATIONS {
        let place = format!(
            "segment {}: what would replace it does not fit its ledgers: head of default/{name}",
            old[0].0
        );
        assert!(
            findings.iter().any(|found| found.starts_with(&place)),
            "{place} is not in {findings:#?}"
        );
    }
    let subtree = "subtree 0 of level 1 of default/bolt: it is not that of the events";
    assert!(findings.iter().any(|found| found.contains(subtree)), "{findings:#?}");
    assert_eq!(objects(), before, "what was not accepted is deleted");
}
