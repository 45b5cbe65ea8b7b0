//! Evidence that is as it was written: verified, whatever the range, by us and by a zip reader of somebody else.

use std::process::Command;

use trailbook_deliver::{Error, evidence};
use trailbook_verify::{Report, Summary, evidence_file};

use crate::{
    ledger::{ALL, Made, Wanted},
    script::by_both,
};

pub(crate) fn verified(report: Report) -> Summary {
    match report {
        Report::Verified(summary) => summary,
        other => panic!("{other}"),
    }
}

#[test]
fn every_range_of_a_ledger_is_verified_and_complete() {
    for size in [0, 1, 2, 7, 8, 9] {
        let made = Made::new(size);
        for begin in 0..=size {
            for end in begin..=size {
                let bytes = made.evidence(&Wanted { begin, end, ..ALL });
                let summary = verified(by_both(&bytes, &made.key));
                assert_eq!((summary.begin, summary.end, summary.events), (begin, end, end - begin));
                assert!(summary.complete && !summary.filtered && summary.notes.is_empty());
            }
        }
    }
}

#[test]
fn a_filtered_export_says_so_and_proves_what_it_left_out() {
    let made = Made::new(20);
    let bytes = made.evidence(&Wanted {
        filter: Some("actor:sarah"),
        keep: |sequence| sequence % 3 == 0,
        ..ALL
    });
    let summary = verified(by_both(&bytes, &made.key));
    assert_eq!((summary.events, summary.filtered, summary.complete), (7, true, false));
    assert!(summary.notes[0].contains("actor:sarah"), "{:?}", summary.notes);
}

#[test]
fn a_large_export_is_verified_from_a_file() {
    let made = Made::new(1000);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), made.evidence(&Wanted { begin: 100, ..ALL })).unwrap();
    assert_eq!(verified(evidence_file(file.path(), &made.key)).events, 900);
}

#[test]
fn python_opens_the_archive_and_a_copy_made_by_it_is_still_verified() {
    const SCRIPT: &str = "import sys, zipfile\n\
        source = zipfile.ZipFile(sys.argv[1])\n\
        assert source.testzip() is None\n\
        with zipfile.ZipFile(sys.argv[2], 'w') as copy:\n\
        \tfor name in source.namelist(): copy.writestr(name, source.read(name))\n";
    let made = Made::new(5);
    let directory = tempfile::tempdir().unwrap();
    let (source, copy) = (directory.path().join("evidence.zip"), directory.path().join("copy.zip"));
    std::fs::write(&source, made.evidence(&ALL)).unwrap();
    let status = Command::new("python3")
        .args(["-c", SCRIPT])
        .args([&source, &copy])
        .status()
        .unwrap();
    assert!(status.success());
    let summary = verified(evidence_file(&copy, &made.key));
    assert_eq!((summary.events, summary.notes.len()), (5, 1), "{:?}", summary.notes);
}

#[test]
fn the_writer_refuses_what_is_not_its_range() {
    let made = Made::new(4);
    let about = evidence::About {
        project: "default",
        organization: "acme",
        origin: "log.example/default/acme",
        begin: 0,
        end: 3,
        filter: None,
        generated_by: "trailbook test",
        generated_at: made.rows[0].received_at,
    };
    let write = |leaves: &[u64], events: &[u64]| {
        let leaves: Vec<_> = leaves
            .iter()
            .map(|at| Ok(made.rows[*at as usize].leaf_record()))
            .collect();
        let events: Vec<_> = events.iter().map(|at| Ok(made.rows[*at as usize].clone())).collect();
        evidence::write(&about, &made.checkpoint, &made.proof(0, 3), leaves, events, Vec::new())
    };
    assert!(write(&[0, 1, 2], &[0, 1, 2]).is_ok());
    let (leaves, events): (&[u64], &[u64]) = (&[0, 1, 2], &[0, 1, 2]);
    for (leaves, events) in [
        (&leaves[..2], events),
        (&[0, 2, 1], events),
        (&[0, 1, 2, 3], events),
        (leaves, &events[..2]),
        (leaves, &[0, 2, 1]),
        (leaves, &[0, 1, 1]),
        (leaves, &[1, 2, 3]),
    ] {
        assert!(
            matches!(write(leaves, events), Err(Error::Range(_))),
            "{leaves:?} {events:?}"
        );
    }
}
