#![allow(clippy::unwrap_used)]
use serde_json::Value;

use super::{action::SCHEMA, id, version};
use crate::{
    database::{ChainHead, Change, LakeVersion, Loaded, StoredObject, StoredSegment},
    manifest::Manifest,
};

fn segment(segment: u64, data: &str, events: u64) -> StoredSegment {
    let object = |name: String| StoredObject {
        name,
        bytes: 1_000 + segment,
        sha256: [0; 32],
    };
    StoredSegment {
        segment,
        level: 0,
        commits: (segment, segment),
        ledgers: (1, 1),
        filter: Vec::new(),
        events,
        occurred: (1_790_000_000_000, 1_790_000_000_001),
        received: (1_790_000_000_002, 1_790_000_000_003),
        retention_days: None,
        data: object(format!("segments/{data}.parquet")),
        bundle: object(format!("segments/{segment}.bundle")),
    }
}

fn manifest(segments: Vec<StoredSegment>, next_lake_version: u64) -> Manifest {
    let loaded = Loaded {
        head: ChainHead {
            era: 1,
            commit: 9,
            chain: trailbook_merkle::Hash([0; 32]),
        },
        committed_at: 0,
        heads: Vec::new(),
        checkpoints: Vec::new(),
        segments,
        sealed_through: 7,
        next_segment: 9,
        floors: Vec::new(),
        retentions: Vec::new(),
        redactions: Vec::new(),
        pins: Vec::new(),
        next_lake_version,
        secret: [0; 32],
        deployment: "trailbook/0123456789ab".to_owned(),
    };
    Manifest::new(&loaded, None)
}

fn replace(remove: u64, add: StoredSegment) -> Change {
    Change::Replace {
        remove: vec![remove],
        add: vec![add],
        removable_at: 0,
    }
}

/// The lines of the version that a change makes.
fn lines(manifest: &Manifest, change: Change) -> Vec<String> {
    let made = version(manifest, &[change], 1_790_000_000_004);
    let Some(Change::Lake(LakeVersion { version, body })) = made else {
        panic!("{made:?}");
    };
    assert_eq!(version, manifest.lake().next_version);
    let body = String::from_utf8(body).unwrap();
    assert!(body.ends_with('\n'));
    body.lines().map(str::to_owned).collect()
}

const ADDED: &str = r#"{"add":{"path":"segments/b.parquet","partitionValues":{},"size":1002,"modificationTime":1790000000003,"dataChange":true,"stats":"{\"numRecords\":5,\"minValues\":{\"received_at\":\"2026-09-21T14:13:20.002Z\",\"occurred_at\":\"2026-09-21T14:13:20.000Z\"},\"maxValues\":{\"received_at\":\"2026-09-21T14:13:20.003Z\",\"occurred_at\":\"2026-09-21T14:13:20.001Z\"},\"nullCount\":{\"received_at\":0,\"occurred_at\":0}}"}}"#;

#[test]
fn versions_are_written_as_documented() {
    let seal = Change::Seal {
        after: 7,
        through: 8,
        segments: vec![segment(2, "b", 5)],
    };
    let first = lines(&manifest(Vec::new(), 0), seal.clone());
    assert_eq!(
        first[..2],
        [
            format!(
                r#"{{"commitInfo":{{"timestamp":1790000000004,"operation":"WRITE","operationParameters":{{"sealedThrough":"8"}},"engineInfo":"Trailbook/{}"}}}}"#,
                env!("CARGO_PKG_VERSION")
            ),
            r#"{"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["trailbook"]}}"#.to_owned(),
        ]
    );
    let table: Value = serde_json::from_str(&first[2]).unwrap();
    assert_eq!(table["metaData"]["id"], id("trailbook/0123456789ab"));
    let bounded = &table["metaData"]["configuration"]["delta.dataSkippingStatsColumns"];
    assert_eq!(bounded, "received_at,occurred_at");
    assert_eq!(first[3..], [ADDED]);
    let second = lines(&manifest(vec![segment(1, "a", 4)], 3), seal);
    assert_eq!(second[1..], [ADDED]);
    let erased = lines(&manifest(vec![segment(1, "a", 6)], 3), replace(1, segment(2, "b", 5)));
    assert!(erased[0].contains(r#""operation":"DELETE","operationParameters":{"sealedThrough":"7"}"#));
    assert_eq!(
        erased[1..],
        [
            r#"{"remove":{"path":"segments/a.parquet","deletionTimestamp":1790000000004,"dataChange":true,"extendedFileMetadata":true,"partitionValues":{},"size":1001}}"#,
            ADDED,
        ]
    );
}

#[test]
fn what_is_only_rearranged_changes_no_data() {
    let before = manifest(vec![segment(1, "a", 5)], 3);
    let rearranged = lines(&before, replace(1, segment(2, "b", 5)));
    assert!(rearranged[0].contains("OPTIMIZE"));
    assert!(
        rearranged[1..]
            .iter()
            .all(|line| line.contains(r#""dataChange":false"#))
    );
}

#[test]
fn a_new_bundle_is_no_new_version() {
    let before = manifest(vec![segment(1, "a", 5)], 3);
    assert_eq!(version(&before, &[replace(1, segment(2, "a", 5))], 0), None);
    assert_eq!(version(&before, &[Change::Swept { objects: Vec::new() }], 0), None);
}

#[test]
fn the_columns_are_those_of_segments() {
    let schema: Value = serde_json::from_str(&SCHEMA).unwrap();
    let fields = schema["fields"].as_array().unwrap();
    let of = |kind: &str| -> Vec<&str> {
        let fields = fields.iter().filter(|field| field["type"] == kind);
        fields.map(|field| field["name"].as_str().unwrap()).collect()
    };
    assert_eq!(of("long"), ["sequence", "commit", "epoch"]);
    assert_eq!(of("timestamp"), ["received_at", "occurred_at"]);
    assert_eq!(of("boolean"), ["security"]);
    assert_eq!(of("binary"), ["id", "nonce", "redaction"]);
    assert_eq!((of("string").len(), fields.len()), (26, 35));
}
