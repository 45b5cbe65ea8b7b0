//! A database on either engine, and groups to commit.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use trailbook_ledger::{
    DATABASE_FILE, Measures, OrganizationKey, Postgres, PostgresOptions, Sqlite,
    database::{Change, CommitError, Database, Group, Loaded, StoredHead, StoredObject, StoredSegment, TailRow},
};
use trailbook_merkle::Hash;
use trailbook_testkit::{PostgresDatabase, PostgresServer};

/// Where a database is, which may be opened again and again, and goes with this value.
pub(crate) trait Place {
    /// Opens it.
    async fn open(&self) -> Arc<dyn Database>;
}

/// A directory for an embedded database.
pub(crate) struct Scratch {
    directory: tempfile::TempDir,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.directory().join(DATABASE_FILE)
    }

    pub(crate) fn sqlite(&self) -> Sqlite {
        Sqlite::open(self.directory(), Arc::new(Measures::default())).unwrap()
    }
}

impl Place for Scratch {
    async fn open(&self) -> Arc<dyn Database> {
        Arc::new(self.sqlite())
    }
}

/// An empty database on a PostgreSQL server.
pub(crate) struct Served {
    // Dropped in this order: a server of one's own takes its databases with it.
    pub(crate) server: PostgresServer,
    pub(crate) database: PostgresDatabase,
}

impl Served {
    pub(crate) fn new() -> Self {
        Self::on(PostgresServer::shared())
    }

    pub(crate) fn on(server: PostgresServer) -> Self {
        Self {
            database: server.database(),
            server,
        }
    }

    pub(crate) async fn postgres(&self) -> Postgres {
        connect(&self.database.url(), PostgresOptions::default()).await
    }
}

impl Place for Served {
    async fn open(&self) -> Arc<dyn Database> {
        Arc::new(self.postgres().await)
    }
}

pub(crate) async fn connect(url: &str, options: PostgresOptions) -> Postgres {
    Postgres::connect(url, options, Arc::new(Measures::default()))
        .await
        .unwrap()
}

/// Tests that every engine has to pass: each is given a place.
macro_rules! on_every_engine {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(crate::support::Scratch::new()).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(crate::support::Served::new()).await;
                }
            )*
        }
    };
}
pub(crate) use on_every_engine;

pub(crate) async fn load(database: &dyn Database) -> Loaded {
    database
        .load([3; 32], "trailbook/000000000000".to_owned())
        .await
        .unwrap()
}

/// The rows that are not sealed.
pub(crate) async fn tail(database: &dyn Database) -> Vec<TailRow> {
    let loaded = load(database).await;
    let rows = database.tail(loaded.sealed_through, loaded.head.commit, usize::MAX);
    rows.await.unwrap()
}

/// A group without anything.
pub(crate) fn group(commit: u64) -> Group {
    Group {
        commit,
        era: 1,
        chain: Hash([commit as u8; 32]),
        token: [commit as u8; 16],
        committed_at: 1_000 * commit as i64,
        tail: None,
        heads: Vec::new(),
        subtrees: Vec::new(),
        answers: Vec::new(),
        client_ids: Vec::new(),
        checkpoints: Vec::new(),
        changes: Vec::new(),
        forget_before: None,
    }
}

/// A group with events: one ledger's head moves to `size`.
pub(crate) fn events(commit: u64, size: u64) -> Group {
    Group {
        tail: Some(format!("body of commit {commit}").into_bytes().into()),
        heads: vec![head(size, size == 1)],
        ..group(commit)
    }
}

/// The head of ledger 1.
pub(crate) fn head(size: u64, new: bool) -> StoredHead {
    StoredHead {
        ledger: 1,
        key: OrganizationKey::new("default", "acme"),
        epoch: 1,
        size,
        frontier: vec![size as u8; 32],
        received_at: size as i64,
        new,
    }
}

/// A group of changes.
pub(crate) fn changes(commit: u64, changes: impl Into<Vec<Change>>) -> Group {
    Group {
        changes: changes.into(),
        ..group(commit)
    }
}

pub(crate) fn segment(segment: u64, commits: (u64, u64)) -> StoredSegment {
    let object = |name: &str| StoredObject {
        name: format!("segments/{segment}.{name}"),
        bytes: 1_000 + segment,
        sha256: [segment as u8; 32],
    };
    StoredSegment {
        segment,
        level: 2,
        commits,
        ledgers: (1, 9),
        filter: vec![0xff; 8],
        events: 7,
        occurred: (-5, 60),
        received: (10, 70),
        retention_days: segment.is_multiple_of(2).then_some(30),
        data: object("parquet"),
        bundle: object("bundle"),
    }
}

/// Commits a group that must be refused, and looks whether it left nothing behind.
pub(crate) async fn assert_refused(database: &dyn Database, refused: Group) {
    let before = load(database).await;
    let before_tail = tail(database).await;
    let garbage = database.garbage(i64::MAX - 1).await.unwrap();
    let records = database.records().await.unwrap();
    let (commit, token) = (refused.commit, [0xee; 16]);
    let answer = database.commit(Group { token, ..refused }).await;
    let is_refused = matches!(answer, Err(CommitError::NotCommitted(_) | CommitError::Conflict(_)));
    assert!(is_refused, "{answer:?}");
    let after = load(database).await;
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    assert_eq!(tail(database).await, before_tail);
    assert_eq!(database.garbage(i64::MAX - 1).await.unwrap(), garbage);
    assert_eq!(database.records().await.unwrap(), records);
    assert_eq!(database.committed(token).await.unwrap(), None);
    assert_eq!(database.chain(commit).await.unwrap(), None);
}

/// A connection past the database's own.
pub(crate) async fn client(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "not within a minute: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
