#![allow(clippy::unwrap_used)]
use proptest::{
    collection::vec,
    option,
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::*;
use crate::{
    EventId, PartSecret, RetentionScope,
    database::{
        Change, Floor, LakeVersion, PendingRetention, RecordChange, StoredAnswer, StoredClientId, StoredObject,
        StoredPin, StoredRedaction, StoredRetention, StoredSegment, StoredTile,
    },
};

fn key() -> impl Strategy<Value = OrganizationKey> {
    ("[a-z]{1,9}", ".{1,9}").prop_map(|(project, organization)| OrganizationKey::new(project, organization))
}

fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..40)
}

fn head() -> impl Strategy<Value = StoredHead> {
    let numbers = (any::<u64>(), any::<u32>(), any::<u64>(), any::<i64>());
    (numbers, key(), bytes(), any::<bool>()).prop_map(|((ledger, epoch, size, received_at), key, frontier, new)| {
        StoredHead {
            ledger,
            key,
            epoch,
            size,
            frontier,
            received_at,
            new,
        }
    })
}

fn object() -> impl Strategy<Value = StoredObject> {
    let parts = (".{0,9}", any::<u64>(), any::<[u8; 32]>());
    parts.prop_map(|(name, bytes, sha256)| StoredObject { name, bytes, sha256 })
}

fn segment() -> impl Strategy<Value = StoredSegment> {
    let numbers = (any::<u64>(), any::<u8>(), any::<u64>(), option::of(any::<u32>()));
    let ranges = (
        any::<(u64, u64)>(),
        any::<(u64, u64)>(),
        any::<(i64, i64)>(),
        any::<(i64, i64)>(),
    );
    (numbers, ranges, bytes(), object(), object()).prop_map(
        |((segment, level, events, retention_days), (commits, ledgers, occurred, received), filter, data, bundle)| {
            StoredSegment {
                segment,
                level,
                commits,
                ledgers,
                filter,
                events,
                occurred,
                received,
                retention_days,
                data,
                bundle,
            }
        },
    )
}

/// 0 days are for ever and are not set otherwise.
fn days() -> impl Strategy<Value = Option<Option<u32>>> {
    option::of(option::of(1..u32::MAX))
}

fn retention() -> impl Strategy<Value = StoredRetention> {
    let scope = prop_oneof![
        key().prop_map(RetentionScope::Organization),
        "[a-z]{1,9}".prop_map(|project| RetentionScope::Project(project.into())),
    ];
    let pending = option::of((days(), any::<i64>()).prop_map(|(days, at)| PendingRetention { days, at }));
    (scope, days(), option::of(any::<bool>()), pending).prop_map(|(scope, days, legal_hold, pending)| StoredRetention {
        scope,
        days,
        legal_hold,
        pending,
    })
}

fn redaction() -> impl Strategy<Value = StoredRedaction> {
    let secret = any::<(bool, [u8; 32])>().prop_map(|(removed, bytes)| match removed {
        true => PartSecret::Commitment(Hash(bytes)),
        false => PartSecret::Salt(bytes),
    });
    let secrets = proptest::array::uniform5(secret);
    let numbers = (any::<u64>(), any::<u64>(), any::<i64>(), any::<bool>());
    (secrets, numbers).prop_map(
        |(secrets, (ledger, sequence, redacted_at, rewritten))| StoredRedaction {
            ledger,
            sequence,
            secrets: Box::new(secrets),
            redacted_at,
            rewritten,
        },
    )
}

fn floor() -> impl Strategy<Value = Change> {
    let tiles = vec((any::<u64>(), vec((any::<u8>(), 0..8_u8, hash()), 0..4)), 0..3);
    (any::<(u64, u64)>(), any::<i64>(), tiles).prop_map(|((ledger, sequence), received_at, tiles)| Change::Floor {
        ledger,
        floor: Floor { sequence, received_at },
        tiles: tiles
            .into_iter()
            .map(|(tile, pieces)| StoredTile { ledger, tile, pieces })
            .collect(),
    })
}

fn record() -> impl Strategy<Value = Change> {
    (".{0,9}", ".{0,9}", option::of(any::<u64>()), option::of(bytes())).prop_map(|(kind, id, expected, value)| {
        Change::Record(RecordChange {
            kind,
            id,
            expected,
            value,
        })
    })
}

fn change() -> impl Strategy<Value = Change> {
    let seal = (any::<(u64, u64)>(), vec(segment(), 0..3));
    let replace = (vec(any::<u64>(), 0..3), vec(segment(), 0..3), any::<i64>());
    prop_oneof![
        seal.prop_map(|((after, through), segments)| Change::Seal {
            after,
            through,
            segments
        }),
        replace.prop_map(|(remove, add, removable_at)| Change::Replace {
            remove,
            add,
            removable_at
        }),
        floor(),
        retention().prop_map(Change::Retention),
        redaction().prop_map(Change::Redact),
        (any::<u64>(), vec(any::<(u64, i64)>(), 0..4))
            .prop_map(|(ledger, redactions)| Change::Rewritten { ledger, redactions }),
        vec(".{0,9}", 0..4).prop_map(|objects| Change::Swept { objects }),
        (".{0,9}", any::<i64>()).prop_map(|(name, until)| Change::Pin(StoredPin { name, until })),
        ".{0,9}".prop_map(|name| Change::Unpin { name }),
        record(),
        (any::<u64>(), bytes()).prop_map(|(version, body)| Change::Lake(LakeVersion { version, body })),
        any::<u64>().prop_map(|before| Change::LakeForgotten { before }),
    ]
}

fn checkpoint() -> impl Strategy<Value = StoredCheckpoint> {
    let numbers = (any::<u64>(), any::<u32>(), any::<u64>());
    (numbers, hash(), ".{0,20}").prop_map(|((ledger, epoch, size), root, note)| StoredCheckpoint {
        ledger,
        epoch,
        size,
        root,
        note,
    })
}

fn group() -> impl Strategy<Value = Group> {
    let memory = (vec(any::<[u8; 32]>(), 0..4), vec(any::<[u8; 16]>(), 0..4));
    let lists = (vec(head(), 0..4), vec(checkpoint(), 0..3), vec(change(), 0..4));
    (lists, memory).prop_map(|((heads, checkpoints, changes), (answers, ids))| Group {
        commit: 1,
        era: 1,
        chain: Hash([0; 32]),
        token: [0; 16],
        committed_at: 0,
        tail: None,
        heads,
        subtrees: Vec::new(),
        answers: answers.into_iter().map(answer).collect(),
        client_ids: ids.into_iter().map(client_id).collect(),
        checkpoints,
        changes,
        forget_before: None,
    })
}

fn answer(key: [u8; 32]) -> StoredAnswer {
    StoredAnswer {
        key,
        body: [1; 32],
        receipt: vec![2],
        stored_at: 3,
    }
}

fn client_id(key: [u8; 16]) -> StoredClientId {
    StoredClientId {
        key,
        content: [1; 16],
        sequence: 2,
        id: EventId::from_bytes([3; 16]),
        stored_at: 4,
    }
}

#[test]
fn who_reads_a_row_knows_what_whoever_wrote_it_knew() {
    let mut runner = TestRunner::new(Config::with_cases(512));
    let holds = |group: Group| {
        let read = decode(heads::encode(&group.heads), &encode(&group)).unwrap();
        prop_assert_eq!(read.heads, group.heads);
        prop_assert_eq!(read.checkpoints, group.checkpoints);
        prop_assert_eq!(read.changes, group.changes);
        let answers: Vec<_> = group.answers.iter().map(|answer| answer.key).collect();
        let client_ids: Vec<_> = group.client_ids.iter().map(|known| known.key).collect();
        prop_assert_eq!((read.answers, read.client_ids), (answers, client_ids));
        Ok(())
    };
    runner.run(&group(), holds).unwrap();
}

#[test]
fn a_damaged_row_is_refused_or_read_and_never_a_panic() {
    let mut runner = TestRunner::new(Config::with_cases(512));
    let damage = (group(), any::<prop::sample::Index>(), any::<u8>());
    let holds = |(group, at, byte): (Group, prop::sample::Index, u8)| {
        let (piece, mut rest) = (heads::encode(&group.heads), encode(&group));
        if !rest.is_empty() {
            let at = at.index(rest.len());
            rest[at] ^= byte;
            decode(piece.clone(), &rest[..at]);
            decode(piece, &rest);
        }
        Ok(())
    };
    runner.run(&damage, holds).unwrap();
}
