//! Evidence that was touched: never verified, by the verifier as little as by the script, and the finding names what was touched.

use std::io::{Cursor, Read, Write};

use trailbook_verify::{Findings, Place, Report, evidence_bytes};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::{
    evidence::verified,
    ledger::{ALL, Made, ORIGIN, Wanted, row, row_with},
    script::{by_both, by_script},
};

fn tampered(report: Report) -> Findings {
    match report {
        Report::Tampered(findings) => findings,
        other => panic!("{other}"),
    }
}

/// Where an entry's content lies in the archive.
fn span(archive: &[u8], name: &str) -> std::ops::Range<usize> {
    let mut zip = ZipArchive::new(Cursor::new(archive)).unwrap();
    let entry = zip.by_name(name).unwrap();
    let start = entry.data_start().unwrap() as usize;
    start..start + entry.size() as usize
}

/// The archive packed again by another program, one entry's content replaced.
fn repacked(archive: &[u8], name: &str, change: impl FnOnce(String) -> String) -> Vec<u8> {
    let mut zip = ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    let mut change = Some(change);
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).unwrap();
        let entry_name = entry.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if entry_name == name {
            let text = change.take().unwrap()(String::from_utf8(bytes).unwrap());
            bytes = text.into_bytes();
        }
        out.start_file(
            entry_name,
            SimpleFileOptions::DEFAULT.compression_method(CompressionMethod::Stored),
        )
        .unwrap();
        out.write_all(&bytes).unwrap();
    }
    out.finish().unwrap().into_inner()
}

fn lines(text: String, change: impl FnOnce(&mut Vec<String>)) -> String {
    let mut lines: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
    change(&mut lines);
    lines.concat()
}

fn sequences(findings: &Findings) -> Vec<u64> {
    let sequence = |place: &Place| match place {
        Place::Event { sequence, .. } => Some(*sequence),
        Place::Item(_) => None,
    };
    findings
        .list()
        .iter()
        .filter_map(|finding| sequence(&finding.place))
        .collect()
}

fn names(findings: &Findings, item: &str) -> bool {
    findings
        .list()
        .iter()
        .any(|finding| matches!(&finding.place, Place::Item(name) if name.starts_with(item)))
}

fn said(findings: &Findings, words: &str) -> bool {
    findings.list().iter().any(|finding| finding.detail.contains(words))
}

#[test]
fn no_flipped_byte_anywhere_is_verified() {
    let made = Made::new(3);
    let bytes = made.evidence(&ALL);
    let script = span(&bytes, "verify.py");
    // Of the script in the archive a few bytes stand for all: whichever it is, its checksum tells.
    let positions = (0..bytes.len()).filter(|position| !script.contains(position) || position % 97 == 0);
    for (position, flip) in positions.flat_map(|position| [(position, 0x01), (position, 0xff)]) {
        let mut changed = bytes.clone();
        changed[position] ^= flip;
        let report = evidence_bytes(&changed, &made.key);
        assert_ne!(report.exit_code(), 0, "byte {position} xor {flip:#x}");
        // The script is slower, so it gets each byte once.
        if flip == 0x01 {
            let (code, said) = by_script(&changed, &made.key);
            assert!(code == 1 || code == 2, "byte {position} xor {flip:#x}: {said}");
        }
    }
}

#[test]
fn a_flipped_byte_in_a_proven_file_is_tampering_and_names_it() {
    let made = Made::new(6);
    let bytes = made.evidence(&Wanted {
        begin: 1,
        end: 5,
        ..ALL
    });
    for name in [
        "README.txt",
        "verify.py",
        "evidence.json",
        "checkpoint",
        "range-proof.json",
        "leaves.bin",
    ] {
        for position in span(&bytes, name).step_by(if name == "verify.py" { 97 } else { 1 }) {
            let mut changed = bytes.clone();
            changed[position] ^= 0x01;
            let findings = tampered(by_both(&changed, &made.key));
            assert!(names(&findings, name), "{name} byte {position}: {findings:?}");
        }
    }
}

#[test]
fn a_flipped_byte_in_a_line_names_its_event() {
    let made = Made::new(13);
    let whole = Wanted {
        begin: 8,
        end: 12,
        ..ALL
    };
    let filtered = Wanted {
        begin: 6,
        filter: Some("actor:sarah"),
        keep: |sequence| sequence % 2 == 1,
        ..ALL
    };
    for (wanted, of_line) in [
        (whole, (|line| 8 + line) as fn(u64) -> u64),
        (filtered, |line| 7 + 2 * line),
    ] {
        let bytes = made.evidence(&wanted);
        let mut line = 0;
        for position in span(&bytes, "events.jsonl") {
            let flips: &[u8] = if position % 5 == 0 { &[0x01, 0x84] } else { &[0x01] };
            for flip in flips {
                let mut changed = bytes.clone();
                changed[position] ^= flip;
                // The script gets one in three, as it is slower.
                let check = if position % 3 == 0 { by_both } else { evidence_bytes };
                let findings = tampered(check(&changed, &made.key));
                assert!(
                    sequences(&findings).contains(&of_line(line)),
                    "byte {position} xor {flip:#x}: {findings:?}"
                );
            }
            line += u64::from(bytes[position] == b'\n');
        }
    }
}

#[test]
fn a_flipped_byte_in_a_leaf_record_names_its_event() {
    let made = Made::new(4);
    let bytes = made.evidence(&ALL);
    for (offset, position) in span(&bytes, "leaves.bin").enumerate() {
        let mut changed = bytes.clone();
        changed[position] ^= 0x01;
        let findings = tampered(by_both(&changed, &made.key));
        assert!(
            sequences(&findings).contains(&(offset as u64 / 214)),
            "leaf byte {offset}: {findings:?}"
        );
    }
}

#[test]
fn lines_dropped_doubled_or_reordered_are_noticed() {
    let made = Made::new(8);
    let bytes = made.evidence(&ALL);
    type Change = fn(&mut Vec<String>);
    let cases: [(Change, u64); 4] = [
        (|lines| drop(lines.remove(3)), 3),
        (|lines| drop(lines.pop()), 7),
        (|lines| lines.swap(2, 3), 2),
        (|lines| lines.rotate_left(1), 0),
    ];
    for (change, sequence) in cases {
        let findings = tampered(by_both(
            &repacked(&bytes, "events.jsonl", |text| lines(text, change)),
            &made.key,
        ));
        assert!(sequences(&findings).contains(&sequence), "{sequence}: {findings:?}");
    }
    let doubled = repacked(&bytes, "events.jsonl", |text| {
        lines(text, |lines| lines.insert(3, lines[2].clone()))
    });
    let findings = tampered(by_both(&doubled, &made.key));
    assert!(
        said(&findings, "of event 2") && said(&findings, "second time"),
        "{findings:?}"
    );
}

#[test]
fn an_event_rewritten_with_everything_that_can_be_recomputed_fails_at_the_root() {
    let made = Made::new(8);
    let mut rows: Vec<_> = (0..8).map(row).collect();
    rows[4] = row_with(4, "Somebody else", "null");
    let mut forged = Made::of(rows, ORIGIN, [1; 32]);
    forged.checkpoint = made.checkpoint.clone();
    let findings = tampered(by_both(&forged.evidence(&ALL), &made.key));
    assert!(
        names(&findings, "leaves.bin") && said(&findings, "root"),
        "{findings:?}"
    );
}

#[test]
fn the_manifest_cannot_claim_another_range_filter_organization_or_origin() {
    let made = Made::new(8);
    let part = made.evidence(&Wanted {
        begin: 2,
        end: 6,
        ..ALL
    });
    let filtered = made.evidence(&Wanted {
        filter: Some("x"),
        keep: |sequence| sequence != 5,
        ..ALL
    });
    for (bytes, from, to) in [
        (&part, "\"begin\": 2", "\"begin\": 1"),
        (&part, "\"end\": 6", "\"end\": 7"),
        (&part, "\"end\": 6", "\"end\": 5"),
        (&part, "\"size\": 8", "\"size\": 9"),
        (&part, "\"events\": 4", "\"events\": 5"),
        (&part, "\"epoch\": 1", "\"epoch\": 2"),
        (&part, "\"project\": \"default\"", "\"project\": \"other\""),
        (&part, "\"organization\": \"acme\"", "\"organization\": \"other\""),
        (
            &part,
            "\"origin\": \"log.example/default/acme\"",
            "\"origin\": \"other.example/default/acme\"",
        ),
        (&filtered, "\"filtered\": true", "\"filtered\": false"),
    ] {
        let changed = repacked(bytes, "evidence.json", |text| {
            assert!(text.contains(from), "{from} is in {text}");
            text.replace(from, to)
        });
        tampered(by_both(&changed, &made.key));
    }
}

#[test]
fn a_checkpoint_of_another_key_ledger_or_size_is_refused() {
    let made = Made::new(8);
    let bytes = made.evidence(&ALL);
    verified(by_both(&bytes, &made.key));
    let other_key = Made::signed(8, ORIGIN, [3; 32]);
    assert!(names(&tampered(by_both(&bytes, &other_key.key)), "checkpoint"));
    let other_name = Made::signed(8, "log.example/default/other", [9; 32]);
    assert!(names(&tampered(by_both(&bytes, &other_name.key)), "checkpoint"));
    for note in [other_name.checkpoint.note, Made::new(9).checkpoint.note] {
        tampered(by_both(&repacked(&bytes, "checkpoint", |_| note), &made.key));
    }
}

#[test]
fn what_is_no_evidence_could_not_be_checked() {
    let made = Made::new(2);
    let bytes = made.evidence(&ALL);
    let mut renamed = bytes.clone();
    let at = renamed.windows(10).rposition(|window| window == b"leaves.bin").unwrap();
    renamed[at] = b'L';
    for unreadable in [
        &b""[..],
        b"PK",
        b"not a zip at all",
        &bytes[..bytes.len() / 2],
        &renamed,
    ] {
        let report = by_both(unreadable, &made.key);
        assert!(matches!(report, Report::Unreadable(_)), "{report}");
    }
    let later = repacked(&bytes, "evidence.json", |text| {
        text.replace("\"version\": 1", "\"version\": 2")
    });
    assert!(matches!(by_both(&later, &made.key), Report::Unreadable(why) if why.contains("version 2")));
}
