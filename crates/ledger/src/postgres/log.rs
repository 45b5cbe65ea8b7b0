//! A commit's row in the log, from which those who did not make the commit learn all of it. See docs/formats/ledger.md, "log row".
//!
//! What has no column of its own is one protobuf message: a field or a kind of change that a program does not know is passed over,
//! so that nodes of the version before can follow. A change that must not be passed over needs a schema that they cannot read.
//!
//! Invariant: what is read equals what was committed, but for subtrees, tokens and the values of answers and client ids.

use prost::Message;
use tokio_postgres::Row;
use trailbook_merkle::Hash;

use super::{
    change,
    read::{fixed, get, unsigned},
};
use crate::{
    OrganizationKey,
    database::{ChainHead, Committed, DatabaseError, Group, StoredCheckpoint, StoredHead, heads},
};

/// The columns that [`committed`] reads, in its order.
macro_rules! columns {
    () => {
        "number, era, chain, committed_at, body, heads, rest"
    };
}
pub(super) use columns;

/// What has no column of its own.
#[derive(Clone, PartialEq, Message)]
struct Rest {
    /// Whose the heads are, in their order.
    #[prost(message, repeated, tag = "1")]
    names: Vec<Name>,
    #[prost(message, repeated, tag = "2")]
    checkpoints: Vec<Checkpoint>,
    #[prost(message, repeated, tag = "3")]
    changes: Vec<change::Message>,
    /// Keys of 32 bytes, one after the other.
    #[prost(bytes = "vec", tag = "4")]
    answers: Vec<u8>,
    /// Keys of 16 bytes, one after the other.
    #[prost(bytes = "vec", tag = "5")]
    client_ids: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Name {
    #[prost(string, tag = "1")]
    project: String,
    #[prost(string, tag = "2")]
    organization: String,
    #[prost(bool, tag = "3")]
    new: bool,
}

#[derive(Clone, PartialEq, Message)]
struct Checkpoint {
    #[prost(uint64, tag = "1")]
    ledger: u64,
    #[prost(uint32, tag = "2")]
    epoch: u32,
    #[prost(uint64, tag = "3")]
    size: u64,
    #[prost(bytes = "vec", tag = "4")]
    root: Vec<u8>,
    #[prost(string, tag = "5")]
    note: String,
}

/// The `rest` of a group's row.
pub(super) fn encode(group: &Group) -> Vec<u8> {
    let name = |head: &StoredHead| Name {
        project: head.key.project().to_owned(),
        organization: head.key.organization().to_owned(),
        new: head.new,
    };
    let checkpoint = |checkpoint: &StoredCheckpoint| Checkpoint {
        ledger: checkpoint.ledger,
        epoch: checkpoint.epoch,
        size: checkpoint.size,
        root: checkpoint.root.0.to_vec(),
        note: checkpoint.note.clone(),
    };
    let rest = Rest {
        names: group.heads.iter().map(name).collect(),
        checkpoints: group.checkpoints.iter().map(checkpoint).collect(),
        changes: group.changes.iter().map(change::Message::from).collect(),
        answers: group.answers.iter().flat_map(|answer| answer.key).collect(),
        client_ids: group.client_ids.iter().flat_map(|known| known.key).collect(),
    };
    rest.encode_to_vec()
}

/// Reads a row of the log.
pub(super) fn committed(row: &Row) -> Result<Committed, DatabaseError> {
    let head = ChainHead {
        era: unsigned(row, 1)? as u32,
        commit: unsigned(row, 0)?,
        chain: Hash(fixed(row, 2)?),
    };
    let tail = get::<Option<Vec<u8>>>(row, 4)?.map(Into::into);
    let (committed_at, piece, rest) = (get(row, 3)?, get::<Vec<u8>>(row, 5)?, get::<&[u8]>(row, 6)?);
    decode(piece, rest)
        .map(|rest| Committed {
            head,
            committed_at,
            tail,
            ..rest
        })
        .ok_or_else(|| {
            DatabaseError(format!(
                "the log has a malformed row; run `trailbook fsck`: commit={}",
                head.commit
            ))
        })
}

/// What the heads and the rest say; the other fields are to be filled in.
fn decode(piece: Vec<u8>, rest: &[u8]) -> Option<Committed> {
    let rest = Rest::decode(rest).ok()?;
    let moved = heads::decode(piece)?;
    let (answers, no_answer) = rest.answers.as_chunks::<32>();
    let (client_ids, no_id) = rest.client_ids.as_chunks::<16>();
    if moved.len() != rest.names.len() || !no_answer.is_empty() || !no_id.is_empty() {
        return None;
    }
    let heads = moved.into_iter().zip(rest.names).map(|(moved, name)| StoredHead {
        ledger: moved.ledger,
        key: OrganizationKey::new(name.project, name.organization),
        epoch: moved.epoch,
        size: moved.size,
        frontier: moved.frontier,
        received_at: moved.received_at,
        new: name.new,
    });
    let checkpoint = |stored: Checkpoint| {
        Some(StoredCheckpoint {
            ledger: stored.ledger,
            epoch: stored.epoch,
            size: stored.size,
            root: Hash(stored.root.try_into().ok()?),
            note: stored.note,
        })
    };
    let changes = rest.changes.into_iter().filter_map(change::Message::into_change);
    Some(Committed {
        head: ChainHead {
            era: 0,
            commit: 0,
            chain: Hash([0; 32]),
        },
        committed_at: 0,
        tail: None,
        heads: heads.collect(),
        checkpoints: rest.checkpoints.into_iter().map(checkpoint).collect::<Option<_>>()?,
        changes: changes.collect::<Option<_>>()?,
        answers: answers.to_vec(),
        client_ids: client_ids.to_vec(),
    })
}

#[cfg(test)]
mod tests;
