//! A change as a protobuf message in the log.
//!
//! Not here: its statements (`history`).

use crate::{
    OrganizationKey, PartSecret, RetentionScope,
    database::{
        Change, Floor, LakeVersion, PendingRetention, RecordChange, StoredObject, StoredPin, StoredRedaction,
        StoredRetention, StoredSegment, StoredTile, decode_days, encode_days,
    },
    pieces,
};

/// A change; without a kind it is one that this program does not know.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Message {
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Kind {
    #[prost(message, tag = "1")]
    Seal(Seal),
    #[prost(message, tag = "2")]
    Replace(Replace),
    #[prost(message, tag = "3")]
    Floor(MovedFloor),
    #[prost(message, tag = "4")]
    Retention(Retention),
    #[prost(message, tag = "5")]
    Redact(Redact),
    #[prost(message, tag = "6")]
    Rewritten(Rewritten),
    #[prost(message, tag = "7")]
    Swept(Names),
    #[prost(message, tag = "8")]
    Pin(Pin),
    #[prost(string, tag = "9")]
    Unpin(String),
    #[prost(message, tag = "10")]
    Record(Record),
    #[prost(message, tag = "11")]
    Lake(Lake),
    #[prost(uint64, tag = "12")]
    LakeForgotten(u64),
}

#[derive(Clone, PartialEq, prost::Message)]
struct Seal {
    #[prost(uint64, tag = "1")]
    after: u64,
    #[prost(uint64, tag = "2")]
    through: u64,
    #[prost(message, repeated, tag = "3")]
    segments: Vec<Segment>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Replace {
    #[prost(uint64, repeated, tag = "1")]
    remove: Vec<u64>,
    #[prost(message, repeated, tag = "2")]
    add: Vec<Segment>,
    #[prost(int64, tag = "3")]
    removable_at: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Segment {
    #[prost(uint64, tag = "1")]
    segment: u64,
    #[prost(uint32, tag = "2")]
    level: u32,
    #[prost(uint64, tag = "3")]
    first_commit: u64,
    #[prost(uint64, tag = "4")]
    last_commit: u64,
    #[prost(uint64, tag = "5")]
    first_ledger: u64,
    #[prost(uint64, tag = "6")]
    last_ledger: u64,
    #[prost(bytes = "vec", tag = "7")]
    filter: Vec<u8>,
    #[prost(uint64, tag = "8")]
    events: u64,
    #[prost(sint64, tag = "9")]
    oldest_occurred_at: i64,
    #[prost(sint64, tag = "10")]
    newest_occurred_at: i64,
    #[prost(sint64, tag = "11")]
    oldest_received_at: i64,
    #[prost(sint64, tag = "12")]
    newest_received_at: i64,
    #[prost(uint32, optional, tag = "13")]
    retention_days: Option<u32>,
    #[prost(message, optional, tag = "14")]
    data: Option<Object>,
    #[prost(message, optional, tag = "15")]
    bundle: Option<Object>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Object {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint64, tag = "2")]
    bytes: u64,
    #[prost(bytes = "vec", tag = "3")]
    sha256: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct MovedFloor {
    #[prost(uint64, tag = "1")]
    ledger: u64,
    #[prost(uint64, tag = "2")]
    sequence: u64,
    #[prost(sint64, tag = "3")]
    received_at: i64,
    #[prost(message, repeated, tag = "4")]
    tiles: Vec<Tile>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Tile {
    #[prost(uint64, tag = "1")]
    tile: u64,
    /// As in the table.
    #[prost(bytes = "vec", tag = "2")]
    pieces: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Retention {
    #[prost(string, tag = "1")]
    project: String,
    #[prost(string, optional, tag = "2")]
    organization: Option<String>,
    /// As in the table: 0 is for ever.
    #[prost(uint32, optional, tag = "3")]
    days: Option<u32>,
    #[prost(bool, optional, tag = "4")]
    legal_hold: Option<bool>,
    #[prost(uint32, optional, tag = "5")]
    pending_days: Option<u32>,
    #[prost(sint64, optional, tag = "6")]
    pending_at: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Redact {
    #[prost(uint64, tag = "1")]
    ledger: u64,
    #[prost(uint64, tag = "2")]
    sequence: u64,
    /// As in the table.
    #[prost(bytes = "vec", tag = "3")]
    secrets: Vec<u8>,
    #[prost(sint64, tag = "4")]
    redacted_at: i64,
    #[prost(bool, tag = "5")]
    rewritten: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Rewritten {
    #[prost(uint64, tag = "1")]
    ledger: u64,
    #[prost(uint64, repeated, tag = "2")]
    sequences: Vec<u64>,
    /// One for each sequence.
    #[prost(sint64, repeated, tag = "3")]
    redacted_at: Vec<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Names {
    #[prost(string, repeated, tag = "1")]
    names: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Pin {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(sint64, tag = "2")]
    until: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Record {
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(string, tag = "2")]
    id: String,
    #[prost(uint64, optional, tag = "3")]
    expected: Option<u64>,
    #[prost(bytes = "vec", optional, tag = "4")]
    value: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Lake {
    #[prost(uint64, tag = "1")]
    version: u64,
    #[prost(bytes = "vec", tag = "2")]
    body: Vec<u8>,
}

impl From<&Change> for Message {
    fn from(change: &Change) -> Self {
        let kind = match change.clone() {
            Change::Seal {
                after,
                through,
                segments,
            } => Kind::Seal(Seal {
                after,
                through,
                segments: segments.into_iter().map(Segment::from).collect(),
            }),
            Change::Replace {
                remove,
                add,
                removable_at,
            } => Kind::Replace(Replace {
                remove,
                add: add.into_iter().map(Segment::from).collect(),
                removable_at,
            }),
            Change::Floor { ledger, floor, tiles } => Kind::Floor(MovedFloor {
                ledger,
                sequence: floor.sequence,
                received_at: floor.received_at,
                tiles: tiles.iter().map(Tile::from).collect(),
            }),
            Change::Retention(retention) => Kind::Retention(retention.into()),
            Change::Redact(redaction) => Kind::Redact(Redact {
                ledger: redaction.ledger,
                sequence: redaction.sequence,
                secrets: PartSecret::encode(&redaction.secrets),
                redacted_at: redaction.redacted_at,
                rewritten: redaction.rewritten,
            }),
            Change::Rewritten { ledger, redactions } => {
                let (sequences, redacted_at) = redactions.into_iter().unzip();
                Kind::Rewritten(Rewritten {
                    ledger,
                    sequences,
                    redacted_at,
                })
            }
            Change::Swept { objects } => Kind::Swept(Names { names: objects }),
            Change::Pin(StoredPin { name, until }) => Kind::Pin(Pin { name, until }),
            Change::Unpin { name } => Kind::Unpin(name),
            Change::Record(RecordChange {
                kind,
                id,
                expected,
                value,
            }) => Kind::Record(Record {
                kind,
                id,
                expected,
                value,
            }),
            Change::Lake(LakeVersion { version, body }) => Kind::Lake(Lake { version, body }),
            Change::LakeForgotten { before } => Kind::LakeForgotten(before),
        };
        Self { kind: Some(kind) }
    }
}

impl Message {
    /// The change: `None` when it is of a kind that is not known here, `Some(None)` when it is malformed.
    pub(super) fn into_change(self) -> Option<Option<Change>> {
        Some(change(self.kind?))
    }
}

fn change(kind: Kind) -> Option<Change> {
    Some(match kind {
        Kind::Seal(seal) => Change::Seal {
            after: seal.after,
            through: seal.through,
            segments: stored_segments(seal.segments)?,
        },
        Kind::Replace(replace) => Change::Replace {
            remove: replace.remove,
            add: stored_segments(replace.add)?,
            removable_at: replace.removable_at,
        },
        Kind::Floor(moved) => {
            let tile = |tile: Tile| tile.stored(moved.ledger);
            Change::Floor {
                ledger: moved.ledger,
                floor: Floor {
                    sequence: moved.sequence,
                    received_at: moved.received_at,
                },
                tiles: moved.tiles.into_iter().map(tile).collect::<Option<_>>()?,
            }
        }
        Kind::Retention(retention) => Change::Retention(retention.into()),
        Kind::Redact(redact) => Change::Redact(StoredRedaction {
            ledger: redact.ledger,
            sequence: redact.sequence,
            secrets: PartSecret::decode(&redact.secrets)?,
            redacted_at: redact.redacted_at,
            rewritten: redact.rewritten,
        }),
        Kind::Rewritten(rewritten) => {
            if rewritten.sequences.len() != rewritten.redacted_at.len() {
                return None;
            }
            Change::Rewritten {
                ledger: rewritten.ledger,
                redactions: rewritten.sequences.into_iter().zip(rewritten.redacted_at).collect(),
            }
        }
        Kind::Swept(names) => Change::Swept { objects: names.names },
        Kind::Pin(Pin { name, until }) => Change::Pin(StoredPin { name, until }),
        Kind::Unpin(name) => Change::Unpin { name },
        Kind::Record(record) => Change::Record(RecordChange {
            kind: record.kind,
            id: record.id,
            expected: record.expected,
            value: record.value,
        }),
        Kind::Lake(Lake { version, body }) => Change::Lake(LakeVersion { version, body }),
        Kind::LakeForgotten(before) => Change::LakeForgotten { before },
    })
}

fn stored_segments(segments: Vec<Segment>) -> Option<Vec<StoredSegment>> {
    segments.into_iter().map(Segment::stored).collect()
}

impl From<StoredSegment> for Segment {
    fn from(stored: StoredSegment) -> Self {
        Self {
            segment: stored.segment,
            level: stored.level.into(),
            first_commit: stored.commits.0,
            last_commit: stored.commits.1,
            first_ledger: stored.ledgers.0,
            last_ledger: stored.ledgers.1,
            filter: stored.filter,
            events: stored.events,
            oldest_occurred_at: stored.occurred.0,
            newest_occurred_at: stored.occurred.1,
            oldest_received_at: stored.received.0,
            newest_received_at: stored.received.1,
            retention_days: stored.retention_days,
            data: Some(stored.data.into()),
            bundle: Some(stored.bundle.into()),
        }
    }
}

impl Segment {
    fn stored(self) -> Option<StoredSegment> {
        Some(StoredSegment {
            segment: self.segment,
            level: self.level.try_into().ok()?,
            commits: (self.first_commit, self.last_commit),
            ledgers: (self.first_ledger, self.last_ledger),
            filter: self.filter,
            events: self.events,
            occurred: (self.oldest_occurred_at, self.newest_occurred_at),
            received: (self.oldest_received_at, self.newest_received_at),
            retention_days: self.retention_days,
            data: self.data?.stored()?,
            bundle: self.bundle?.stored()?,
        })
    }
}

impl From<StoredObject> for Object {
    fn from(stored: StoredObject) -> Self {
        Self {
            name: stored.name,
            bytes: stored.bytes,
            sha256: stored.sha256.to_vec(),
        }
    }
}

impl Object {
    fn stored(self) -> Option<StoredObject> {
        Some(StoredObject {
            name: self.name,
            bytes: self.bytes,
            sha256: self.sha256.try_into().ok()?,
        })
    }
}

impl From<&StoredTile> for Tile {
    fn from(stored: &StoredTile) -> Self {
        Self {
            tile: stored.tile,
            pieces: pieces::encode(&stored.pieces),
        }
    }
}

impl Tile {
    fn stored(self, ledger: u64) -> Option<StoredTile> {
        Some(StoredTile {
            ledger,
            tile: self.tile,
            pieces: pieces::decode(&self.pieces)?,
        })
    }
}

impl From<StoredRetention> for Retention {
    fn from(stored: StoredRetention) -> Self {
        Self {
            project: stored.scope.project().to_owned(),
            organization: stored.scope.organization().map(str::to_owned),
            days: encode_days(stored.days),
            legal_hold: stored.legal_hold,
            pending_days: stored.pending.and_then(|pending| encode_days(pending.days)),
            pending_at: stored.pending.map(|pending| pending.at),
        }
    }
}

impl From<Retention> for StoredRetention {
    fn from(message: Retention) -> Self {
        let pending_days = decode_days(message.pending_days);
        Self {
            scope: match message.organization {
                Some(organization) => RetentionScope::Organization(OrganizationKey::new(message.project, organization)),
                None => RetentionScope::Project(message.project.into()),
            },
            days: decode_days(message.days),
            legal_hold: message.legal_hold,
            pending: message.pending_at.map(|at| PendingRetention { days: pending_days, at }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use prost::Message as _;

    use super::*;

    #[test]
    fn a_change_of_a_later_version_is_passed_over_and_a_field_of_one_too() {
        // Field 200, a string: what this program does not know.
        let unknown = [0xc2, 0x0c, 0x03, b'n', b'e', b'w'];
        let message = Message::decode(&unknown[..]).unwrap();
        assert_eq!(message.into_change(), None);
        let known = Message::from(&Change::Unpin { name: "a".to_owned() });
        let with_more = [known.encode_to_vec(), unknown.to_vec()].concat();
        let change = Message::decode(&with_more[..]).unwrap().into_change();
        assert_eq!(change, Some(Some(Change::Unpin { name: "a".to_owned() })));
    }

    #[test]
    fn a_malformed_change_is_not_passed_over() {
        let tile = Tile {
            tile: 1,
            pieces: vec![0; 33],
        };
        let moved = MovedFloor {
            ledger: 1,
            tiles: vec![tile],
            ..MovedFloor::default()
        };
        let message = Message {
            kind: Some(Kind::Floor(moved)),
        };
        assert_eq!(message.into_change(), Some(None));
    }
}
