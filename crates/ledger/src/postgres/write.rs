//! The statements of a commit, but for its changes.

use tokio_postgres::types::ToSql;

use super::{
    log,
    read::{HOUR_MS, signed},
};
use crate::database::{Group, StoredHead, Subtree, heads};

/// Commits older than this are forgotten.
const COMMITS_REMEMBERED: i64 = 100_000;
/// Where it is said that something was committed.
pub(super) const NEWS: &str = "trailbook_commits";

/// A statement to be sent.
pub(super) struct Request<'g> {
    pub(super) sql: &'static str,
    pub(super) values: Vec<Box<dyn ToSql + Sync + Send + 'g>>,
}

macro_rules! request {
    ($sql:expr $(, $value:expr)* $(,)?) => {
        Request { sql: $sql, values: vec![$(Box::new($value)),*] }
    };
}

/// Moves the counter on, and fails when the number is not the next or the era has gone on without us.
const COUNT: &str = "WITH moved AS (UPDATE counter SET era = $1, number = $2::bigint, chain = $3, committed_at = $4
     WHERE shard = 0 AND number = $2::bigint - 1 AND era <= $1 RETURNING number)
     SELECT pg_notify($5, $2::bigint::text), 1 / (SELECT count(*) FROM moved)";

/// All that a group writes but for its changes and the heads of ledgers that were there before.
pub(super) fn group(group: &Group) -> Vec<Request<'_>> {
    let number = signed(group.commit);
    let mut requests = vec![
        request!(
            COUNT,
            i64::from(group.era),
            number,
            &group.chain.0[..],
            group.committed_at,
            NEWS
        ),
        request!(
            "INSERT INTO commits (number, chain, token) VALUES ($1, $2, $3)",
            number,
            &group.chain.0[..],
            &group.token[..]
        ),
        request!("DELETE FROM commits WHERE number <= $1", number - COMMITS_REMEMBERED),
        request!(
            "INSERT INTO log (number, era, chain, committed_at, body, heads, rest) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            number,
            i64::from(group.era),
            &group.chain.0[..],
            group.committed_at,
            group.tail.as_deref(),
            heads::encode(&group.heads),
            log::encode(group)
        ),
    ];
    let new: Vec<&StoredHead> = group.heads.iter().filter(|head| head.new).collect();
    if !new.is_empty() {
        requests.push(enter_ledgers(&new));
    }
    if !group.subtrees.is_empty() {
        requests.push(add_subtrees(&group.subtrees));
    }
    if !group.checkpoints.is_empty() {
        requests.push(add_checkpoints(group));
    }
    remember(group, &mut requests);
    requests
}

/// Writes the heads of new ledgers into their table.
pub(super) fn enter_ledgers<'g>(heads: &[&'g StoredHead]) -> Request<'g> {
    let column = |value: fn(&'g StoredHead) -> i64| heads.iter().map(|head| value(head)).collect::<Vec<i64>>();
    request!(
        "INSERT INTO ledgers (ledger, project, organization, epoch, size, received_at, frontier)
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bytea[])",
        column(|head| signed(head.ledger)),
        heads.iter().map(|head| head.key.project()).collect::<Vec<_>>(),
        heads.iter().map(|head| head.key.organization()).collect::<Vec<_>>(),
        column(|head| head.epoch.into()),
        column(|head| signed(head.size)),
        column(|head| head.received_at),
        heads.iter().map(|head| &head.frontier[..]).collect::<Vec<_>>(),
    )
}

/// Writes heads of known ledgers into their table.
pub(super) fn move_heads(heads: Vec<heads::Moved>) -> Request<'static> {
    let column = |value: fn(&heads::Moved) -> i64| heads.iter().map(value).collect::<Vec<i64>>();
    request!(
        "UPDATE ledgers SET epoch = moved.epoch, size = moved.size, received_at = moved.received_at, frontier = moved.frontier
         FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[])
         AS moved (ledger, epoch, size, received_at, frontier) WHERE ledgers.ledger = moved.ledger",
        column(|head| signed(head.ledger)),
        column(|head| head.epoch.into()),
        column(|head| signed(head.size)),
        column(|head| head.received_at),
        heads.into_iter().map(|head| head.frontier).collect::<Vec<_>>(),
    )
}

/// Says that all heads up to a commit are in their table.
pub(super) fn heads_at(commit: u64) -> Request<'static> {
    request!("UPDATE counter SET heads_at = $1 WHERE shard = 0", signed(commit))
}

pub(super) fn add_subtrees(subtrees: &[Subtree]) -> Request<'_> {
    request!(
        "INSERT INTO subtrees (ledger, level, position, hash)
         SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bytea[])",
        subtrees
            .iter()
            .map(|subtree| signed(subtree.ledger))
            .collect::<Vec<_>>(),
        subtrees
            .iter()
            .map(|subtree| i16::from(subtree.level))
            .collect::<Vec<_>>(),
        subtrees.iter().map(|subtree| signed(subtree.index)).collect::<Vec<_>>(),
        subtrees.iter().map(|subtree| &subtree.hash.0[..]).collect::<Vec<_>>(),
    )
}

pub(super) fn add_checkpoints(group: &Group) -> Request<'_> {
    let checkpoints = &group.checkpoints;
    request!(
        "INSERT INTO checkpoints (ledger, epoch, size, root, note)
         SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::text[])",
        checkpoints
            .iter()
            .map(|checkpoint| signed(checkpoint.ledger))
            .collect::<Vec<_>>(),
        checkpoints
            .iter()
            .map(|checkpoint| i64::from(checkpoint.epoch))
            .collect::<Vec<_>>(),
        checkpoints
            .iter()
            .map(|checkpoint| signed(checkpoint.size))
            .collect::<Vec<_>>(),
        checkpoints
            .iter()
            .map(|checkpoint| &checkpoint.root.0[..])
            .collect::<Vec<_>>(),
        checkpoints
            .iter()
            .map(|checkpoint| &checkpoint.note[..])
            .collect::<Vec<_>>(),
    )
}

/// Answers and client ids, and that old ones are forgotten.
pub(super) fn remember<'g>(group: &'g Group, requests: &mut Vec<Request<'g>>) {
    let (answers, known) = (&group.answers, &group.client_ids);
    if !answers.is_empty() {
        requests.push(request!(
            "INSERT INTO answers (key, body, receipt, stored_at)
             SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[])
             ON CONFLICT (key) DO UPDATE SET body = excluded.body, receipt = excluded.receipt, stored_at = excluded.stored_at",
            answers.iter().map(|answer| &answer.key[..]).collect::<Vec<_>>(),
            answers.iter().map(|answer| &answer.body[..]).collect::<Vec<_>>(),
            answers.iter().map(|answer| &answer.receipt[..]).collect::<Vec<_>>(),
            answers.iter().map(|answer| answer.stored_at).collect::<Vec<_>>(),
        ));
    }
    if !known.is_empty() {
        requests.push(request!(
            "INSERT INTO client_ids (hour, key, content, sequence, id, stored_at)
             SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bytea[], $6::bigint[])",
            known.iter().map(|known| known.stored_at / HOUR_MS).collect::<Vec<_>>(),
            known.iter().map(|known| &known.key[..]).collect::<Vec<_>>(),
            known.iter().map(|known| &known.content[..]).collect::<Vec<_>>(),
            known.iter().map(|known| signed(known.sequence)).collect::<Vec<_>>(),
            known.iter().map(|known| &known.id.bytes()[..]).collect::<Vec<_>>(),
            known.iter().map(|known| known.stored_at).collect::<Vec<_>>(),
        ));
    }
    if let Some(before) = group.forget_before {
        requests.push(request!("DELETE FROM answers WHERE stored_at < $1", before));
        requests.push(request!("DELETE FROM client_ids WHERE hour < $1", before / HOUR_MS));
    }
}
