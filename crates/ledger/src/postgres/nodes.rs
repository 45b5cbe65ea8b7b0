//! The nodes that work on the database, how far each of them has followed, and erasing what none of them needs any more.
//!
//! Invariants
//! - A row of the log leaves only when its heads are in their table, its events are sealed, and every node that was seen lately has
//!   followed beyond it.
//! - A node is entered before it loads, so that nothing above what it loads leaves before it has followed.
//!
//! Not here: what a node does when rows that it needs are gone (`follow`).

use std::time::Duration;

use super::{
    pool::Pool,
    read::{Answer, all, get, signed, unsigned},
};
use crate::database::DatabaseError;

/// Rows of the log that leave at a time.
const STEP_ROWS: i64 = 256;

/// A node as the database knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Made when it connected.
    pub id: String,
    /// As it was set.
    pub name: String,
    /// Of the program.
    pub version: String,
    /// The commit up to which it has followed; 0 while it loads.
    pub position: u64,
    /// How long ago it was heard of, by the server's clock.
    pub seen_ago: Duration,
}

/// An id for a node.
pub(super) async fn new_id(pool: &Pool) -> Answer<String> {
    let rows = pool.rows("SELECT gen_random_uuid()::text", &[]).await?;
    let row = rows.first();
    row.map_or_else(
        || Err(DatabaseError("the server made no id".to_owned())),
        |row| get(row, 0),
    )
}

/// Enters a node or says that it is still there.
pub(super) async fn enter(pool: &Pool, id: &str, name: &str, version: &str, position: u64) -> Answer<()> {
    let sql = "INSERT INTO nodes (node, name, version, position, seen_at) VALUES ($1::text::uuid, $2, $3, $4, clock_timestamp())
               ON CONFLICT (node) DO UPDATE SET position = excluded.position, seen_at = excluded.seen_at";
    pool.rows(sql, &[&id, &name, &version, &signed(position)])
        .await
        .map(drop)
}

/// The nodes of which was heard within a day, by name.
pub(super) async fn nodes(pool: &Pool) -> Answer<Vec<Node>> {
    let sql = "SELECT node::text, name, version, position,
               (extract(epoch FROM clock_timestamp() - seen_at) * 1000)::bigint FROM nodes ORDER BY name, node";
    all(&pool.rows(sql, &[]).await?, |row| {
        Ok(Node {
            id: get(row, 0)?,
            name: get(row, 1)?,
            version: get(row, 2)?,
            position: unsigned(row, 3)?,
            seen_ago: Duration::from_millis(get::<i64>(row, 4)?.max(0) as u64),
        })
    })
}

/// Erases rows of the log that nobody needs, a few at a time, and nodes that have been away for a day. A node that is not heard of is
/// waited for a minute.
pub(super) async fn erase(pool: &Pool) -> Answer<()> {
    let forget = "DELETE FROM nodes WHERE seen_at < clock_timestamp() - interval '1 day'";
    pool.rows(forget, &[]).await?;
    let erase = "WITH followed AS (SELECT least(heads_at, (SELECT min(position) FROM nodes
                 WHERE seen_at > clock_timestamp() - interval '60 s')) AS by_all FROM counter WHERE shard = 0)
                 DELETE FROM log WHERE number IN (SELECT log.number FROM log, followed, sealed
                 WHERE log.number <= by_all AND sealed.shard = 0 AND (body IS NULL OR log.number <= through)
                 ORDER BY log.number LIMIT $1 FOR UPDATE OF log SKIP LOCKED) RETURNING number";
    while pool.rows(erase, &[&STEP_ROWS]).await?.len() == STEP_ROWS as usize {}
    Ok(())
}
