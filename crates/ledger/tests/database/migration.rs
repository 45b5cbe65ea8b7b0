//! A database that an earlier version wrote is brought to the current schema, with all that is in it.

use rusqlite::{Connection, params};
use trailbook_ledger::{
    OpenError, OrganizationKey, RetentionScope, Sqlite,
    database::{Change, Database, PendingRetention, StoredRetention},
};
use trailbook_merkle::Hash;

use crate::support::{Scratch, changes, events, head, load, segment, tail};

const CURRENT: i64 = 4;

fn version(scratch: &Scratch) -> i64 {
    let connection = Connection::open(scratch.file()).unwrap();
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap()
}

/// A database of version 1 with two commits of one ledger.
fn write_version_1(scratch: &Scratch) {
    let connection = Connection::open(scratch.file()).unwrap();
    connection
        .execute_batch(include_str!("../../src/sqlite/schema.sql"))
        .unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    let (acme, chain) = (head(2, false), [2_u8; 32]);
    let write = |sql: &str, values: &[&dyn rusqlite::ToSql]| assert_eq!(connection.execute(sql, values).unwrap(), 1);
    write(
        "INSERT INTO deployment VALUES (0, 'trailbook/0123456789ab', ?1)",
        params![[9_u8; 32]],
    );
    write(
        "UPDATE counter SET number = 2, chain = ?1, committed_at = 2000, heads_at = 2",
        params![chain],
    );
    write("INSERT INTO commits VALUES (2, ?1, ?2)", params![chain, [2_u8; 16]]);
    for commit in [1, 2] {
        let body = format!("body of commit {commit}").into_bytes();
        write("INSERT INTO tail VALUES (?1, ?2, x'')", params![commit, body]);
    }
    write(
        "INSERT INTO ledgers VALUES (1, 'default', 'acme', 1, 2, 2, ?1)",
        params![acme.frontier],
    );
}

#[tokio::test]
async fn a_database_of_version_1_keeps_its_rows_and_can_be_sealed() {
    let scratch = Scratch::new();
    write_version_1(&scratch);
    let database = scratch.sqlite();
    let loaded = load(&database).await;
    assert_eq!(
        (loaded.deployment.as_str(), loaded.secret),
        ("trailbook/0123456789ab", [9; 32])
    );
    assert_eq!((loaded.head.commit, loaded.head.chain), (2, Hash([2; 32])));
    assert_eq!(loaded.heads, [head(2, false)]);
    assert_eq!((loaded.sealed_through, loaded.next_segment), (0, 1));
    assert_eq!(tail(&database).await.len(), 2);
    database.commit(events(3, 3)).await.unwrap();
    let seal = Change::Seal {
        after: 0,
        through: 2,
        segments: vec![segment(1, (1, 2))],
    };
    database.commit(changes(4, [seal])).await.unwrap();
    let left: Vec<u64> = tail(&database).await.iter().map(|row| row.commit).collect();
    assert_eq!(left, [3]);
    drop(database);
    assert_eq!(version(&scratch), CURRENT);
    assert_eq!(load(&scratch.sqlite()).await.segments, [segment(1, (1, 2))]);
}

#[tokio::test]
async fn the_retentions_of_version_2_are_those_of_their_organizations() {
    let scratch = Scratch::new();
    write_version_1(&scratch);
    let connection = Connection::open(scratch.file()).unwrap();
    connection
        .execute_batch(include_str!("../../src/sqlite/history.sql"))
        .unwrap();
    connection
        .execute_batch(
            "INSERT INTO retentions VALUES ('default', 'acme', 365, 0, 30, 77), ('default', 'bolt', NULL, 1, NULL, NULL);
             PRAGMA user_version = 2",
        )
        .unwrap();
    drop(connection);
    let of = |name, days, legal_hold, pending| StoredRetention {
        scope: RetentionScope::Organization(OrganizationKey::new("default", name)),
        days: Some(days),
        legal_hold,
        pending,
    };
    let pending = PendingRetention {
        days: Some(Some(30)),
        at: 77,
    };
    let expected = [
        of("acme", Some(365), None, Some(pending)),
        of("bolt", None, Some(true), None),
    ];
    assert_eq!(load(&scratch.sqlite()).await.retentions, expected);
    assert_eq!(version(&scratch), CURRENT);
}

#[tokio::test]
async fn a_migration_that_fails_leaves_the_version_that_was_there() {
    let scratch = Scratch::new();
    write_version_1(&scratch);
    // The last table of version 2 is in the way: all before it have been made when this shows.
    let connection = Connection::open(scratch.file()).unwrap();
    connection.execute_batch("CREATE TABLE leases (other)").unwrap();
    let opened = Sqlite::open(scratch.directory(), Default::default());
    assert!(matches!(opened, Err(OpenError::Database(_))));
    assert_eq!(version(&scratch), 1);
    connection.execute_batch("DROP TABLE leases").unwrap();
    drop(connection);
    assert_eq!(load(&scratch.sqlite()).await.heads, [head(2, false)]);
}

#[test]
fn a_database_of_a_newer_version_is_refused_and_not_touched() {
    let scratch = Scratch::new();
    drop(scratch.sqlite());
    let connection = Connection::open(scratch.file()).unwrap();
    connection.pragma_update(None, "user_version", CURRENT + 1).unwrap();
    let opened = Sqlite::open(scratch.directory(), Default::default());
    assert!(matches!(opened, Err(OpenError::TooNew { found, known }) if (found, known) == (CURRENT + 1, CURRENT)));
    assert_eq!(version(&scratch), CURRENT + 1);
}
