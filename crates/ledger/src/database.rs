//! What the ledger asks of a database: a few verbs that SQLite and a database behind a network can both keep.
//!
//! Invariants
//! - Commits are numbered 1, 2, 3 … without gaps; the number, the chain hash and everything in a [`Group`] become
//!   durable together or not at all.
//! - Between [`Database::lock`] and [`Database::commit`] nobody else commits.
//! - Whoever follows [`Database::since`] knows what whoever committed knew.
//!
//! Not here: numbering, hashing, deciding what is a duplicate (`writer`).

use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::sync::watch;
use trailbook_merkle::Hash;

use crate::{EventId, OrganizationKey, PartSecret};

pub(crate) mod heads;
mod records;
mod retentions;

pub use records::{RecordChange, StoredRecord};
pub use retentions::{PendingRetention, RetentionScope, StoredRetention};
pub(crate) use retentions::{decode_days, encode_days};

/// A number that names one ledger inside this deployment.
pub type LedgerId = u64;

/// The tree head of one ledger as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredHead {
    /// Its number.
    pub ledger: LedgerId,
    /// Whose ledger it is.
    pub key: OrganizationKey,
    /// The current epoch, from 1.
    pub epoch: u32,
    /// Number of leaves.
    pub size: u64,
    /// The compact range `[0, size)`: its hashes from the left, 32 bytes each.
    pub frontier: Vec<u8>,
    /// `received_at` of the newest event, milliseconds; of a ledger without events, when it was opened.
    pub received_at: i64,
    /// Whether the ledger begins with the commit at hand.
    pub new: bool,
}

/// The newest commit: its number and chain hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHead {
    /// Increases when the deployment continues after a recovery.
    pub era: u32,
    /// Number of the newest commit, 0 when there is none.
    pub commit: u64,
    /// Hash of the chain up to it.
    pub chain: Hash,
}

/// A commit's events as one opaque piece. See docs/formats/ledger.md, "tail row".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TailRow {
    /// The commit.
    pub commit: u64,
    /// The encoded events.
    pub body: Bytes,
}

/// A complete subtree of 256^level leaves, `level` ≥ 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subtree {
    /// Whose tree.
    pub ledger: LedgerId,
    /// 1 for 256 leaves, 2 for 65,536 …
    pub level: u8,
    /// Position among the subtrees of its level.
    pub index: u64,
    /// Its root.
    pub hash: Hash,
}

/// The answer kept for an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// Hash of credential and key.
    pub key: [u8; 32],
    /// Hash of the request's body.
    pub body: [u8; 32],
    /// The receipt, run-length encoded.
    pub receipt: Vec<u8>,
    /// When it was stored, milliseconds.
    pub stored_at: i64,
}

/// A client id that was stored: enough to recognise and answer a repetition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredClientId {
    /// Keyed hash of ledger and client id.
    pub key: [u8; 16],
    /// Hash of the event's content as sent, shortened.
    pub content: [u8; 16],
    /// The event's position in its ledger.
    pub sequence: u64,
    /// The event's Log ID.
    pub id: EventId,
    /// When it was stored, milliseconds.
    pub stored_at: i64,
}

/// A checkpoint that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// Whose.
    pub ledger: LedgerId,
    /// The epoch in its origin.
    pub epoch: u32,
    /// The tree's size.
    pub size: u64,
    /// The tree's root.
    pub root: Hash,
    /// The signed note.
    pub note: String,
}

/// An object that a segment consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Its name in the object store.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

/// A segment as the manifest knows it. Ranges are inclusive; times are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSegment {
    /// Its number; never used again.
    pub segment: u64,
    /// 0 as sealed, one more with each compaction.
    pub level: u8,
    /// The commits that it covers.
    pub commits: (u64, u64),
    /// Its first and last ledger.
    pub ledgers: (LedgerId, LedgerId),
    /// Which ledgers it may hold: see `manifest::LedgerFilter`.
    pub filter: Vec<u8>,
    /// Its rows.
    pub events: u64,
    /// From the oldest to the newest `occurred_at`.
    pub occurred: (i64, i64),
    /// From the oldest to the newest `received_at`.
    pub received: (i64, i64),
    /// How long its events were to be kept when it was sealed; `None` is for ever.
    pub retention_days: Option<u32>,
    /// The Parquet file.
    pub data: StoredObject,
    /// The bundle.
    pub bundle: StoredObject,
}

/// Where a ledger's floor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Floor {
    /// Nothing below this sequence is read.
    pub sequence: u64,
    /// What lies below was received up to this instant, milliseconds.
    pub received_at: i64,
}

/// What is kept of a tile of 256 leaves that lies, wholly or in part, below the floor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTile {
    /// Whose.
    pub ledger: LedgerId,
    /// Leaves from 256 times this on.
    pub tile: u64,
    /// Complete subtrees: offset of the first leaf in the tile, height, root; ascending.
    pub pieces: Vec<(u8, u8, Hash)>,
}

/// What a redaction left of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRedaction {
    /// Whose event.
    pub ledger: LedgerId,
    /// Its sequence.
    pub sequence: u64,
    /// What is kept of its five parts.
    pub secrets: Box<[PartSecret; 5]>,
    /// When, milliseconds.
    pub redacted_at: i64,
    /// Whether no segment has the removed bytes any more.
    pub rewritten: bool,
}

/// A backup under way: until it ends, or this moment, no object is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPin {
    /// Its name.
    pub name: String,
    /// Milliseconds.
    pub until: i64,
}

/// An object that no manifest names any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Garbage {
    /// Its name.
    pub object: String,
    /// From when on it may be deleted, milliseconds.
    pub removable_at: i64,
}

/// A change of what is kept beside the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The tail up to a commit, inclusive, becomes segments.
    Seal {
        /// The last commit that was sealed before: who sealed from elsewhere is refused.
        after: u64,
        /// The commit; above the last one that was sealed.
        through: u64,
        /// The segments.
        segments: Vec<StoredSegment>,
    },
    /// Segments take the place of others, all of which must be there.
    Replace {
        /// Numbers of those that go.
        remove: Vec<u64>,
        /// Those that come.
        add: Vec<StoredSegment>,
        /// When the objects of those that go may be deleted, milliseconds.
        removable_at: i64,
    },
    /// A floor moves up.
    Floor {
        /// Whose.
        ledger: LedgerId,
        /// Where it moves: above the one before.
        floor: Floor,
        /// What is kept of tiles, in place of what was; a tile without pieces is forgotten.
        tiles: Vec<StoredTile>,
    },
    /// What is set for how long events are kept.
    Retention(StoredRetention),
    /// Parts of an event are removed.
    Redact(StoredRedaction),
    /// Redactions are carried out in all segments.
    Rewritten {
        /// Whose events.
        ledger: LedgerId,
        /// Their sequences, and when they were redacted: a later redaction of the same event stays to be carried out.
        redactions: Vec<(u64, i64)>,
    },
    /// Objects were deleted.
    Swept {
        /// Their names.
        objects: Vec<String>,
    },
    /// A backup begins.
    Pin(StoredPin),
    /// A backup has ended.
    Unpin {
        /// Its pin's name.
        name: String,
    },
    /// A control record is written, at the commit as its version, or removed.
    Record(RecordChange),
    /// The lake's table has a new version: the one after the newest.
    Lake(LakeVersion),
    /// The lake's versions below this one are in its log and are forgotten here.
    LakeForgotten {
        /// The version; the newest is not below it.
        before: u64,
    },
}

/// A version of the lake's table as its log has it; fixed here before anybody writes it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeVersion {
    /// Its number, from 0.
    pub version: u64,
    /// The bytes of its log file.
    pub body: Vec<u8>,
}

/// A commit as those have to know it who did not make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Its number, era and chain hash.
    pub head: ChainHead,
    /// When, milliseconds.
    pub committed_at: i64,
    /// The events, if any.
    pub tail: Option<Bytes>,
    /// New and changed heads.
    pub heads: Vec<StoredHead>,
    /// Signed checkpoints.
    pub checkpoints: Vec<StoredCheckpoint>,
    /// Changes of what is kept beside the events, in their order.
    pub changes: Vec<Change>,
    /// Keys of answers under idempotency keys.
    pub answers: Vec<[u8; 32]>,
    /// Keys of client ids of new events.
    pub client_ids: Vec<[u8; 16]>,
}

/// Everything that one commit writes.
#[derive(Debug, Clone)]
pub struct Group {
    /// The commit's number: the locked one plus one.
    pub commit: u64,
    /// The deployment's era.
    pub era: u32,
    /// The chain hash after this commit.
    pub chain: Hash,
    /// Random; finds out later whether an interrupted commit happened.
    pub token: [u8; 16],
    /// The wall clock, milliseconds.
    pub committed_at: i64,
    /// The events, if any.
    pub tail: Option<Bytes>,
    /// New and changed heads.
    pub heads: Vec<StoredHead>,
    /// Subtrees that became complete.
    pub subtrees: Vec<Subtree>,
    /// Answers under idempotency keys.
    pub answers: Vec<StoredAnswer>,
    /// Client ids of new events.
    pub client_ids: Vec<StoredClientId>,
    /// Signed checkpoints.
    pub checkpoints: Vec<StoredCheckpoint>,
    /// Changes of what is kept beside the events, in their order. When one cannot be made, nothing is written.
    pub changes: Vec<Change>,
    /// Answers and client ids stored before this moment (milliseconds) are forgotten.
    pub forget_before: Option<i64>,
}

/// Why a commit failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// Nothing was written.
    #[error("not committed: {0}")]
    NotCommitted(String),
    /// Nothing was written: what changes is not any more as it was when the change was made, a record at another version, a segment gone.
    #[error("not committed: {0}")]
    Conflict(String),
    /// It may have been written: ask for its token.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// A sync failed: what is on disk is not known, and the process must stop.
    #[error("sync failed: {0}")]
    Fatal(String),
}

/// What a database says when a verb other than commit fails.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct DatabaseError(pub String);

/// What is read once at start.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The newest commit.
    pub head: ChainHead,
    /// When it was committed, milliseconds; 0 when there is none.
    pub committed_at: i64,
    /// All ledgers.
    pub heads: Vec<StoredHead>,
    /// The newest checkpoint of each ledger that has one.
    pub checkpoints: Vec<StoredCheckpoint>,
    /// All segments.
    pub segments: Vec<StoredSegment>,
    /// The last commit that was sealed, 0 when there is none.
    pub sealed_through: u64,
    /// The number for the next segment.
    pub next_segment: u64,
    /// The floors that are not 0.
    pub floors: Vec<(LedgerId, Floor)>,
    /// What was ever set for how long events are kept.
    pub retentions: Vec<StoredRetention>,
    /// All redactions.
    pub redactions: Vec<StoredRedaction>,
    /// Backups under way.
    pub pins: Vec<StoredPin>,
    /// The number for the next version of the lake's table.
    pub next_lake_version: u64,
    /// Made once per deployment and kept secret: keys of hashes and cursors derive from it.
    pub secret: [u8; 32],
    /// Made once per deployment, public: part of every origin.
    pub deployment: String,
}

/// Result of a verb.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, DatabaseError>>;

/// The database. Every method is safe to call again except `commit`, which is answered by its token.
pub trait Database: Send + Sync + 'static {
    /// Reads the state that the ledger keeps in memory; on first use stores `secret` and `deployment`.
    fn load(&self, secret: [u8; 32], deployment: String) -> Answer<'_, Loaded>;
    /// Tail rows of the commits above `after` up to `through` in order: at least one if there is one, about `bytes_max` in all.
    fn tail(&self, after: u64, through: u64, bytes_max: usize) -> Answer<'_, Vec<TailRow>>;
    /// The newest commit; `None` where nobody else can commit. What was acknowledged before this is called is at or below it.
    fn newest(&self) -> Answer<'_, Option<ChainHead>>;
    /// What others committed above `known`, in order and without a gap: at least one if there is one, about `bytes_max` in all.
    /// None when the one after `known` is not remembered any more.
    fn since(&self, known: u64, bytes_max: usize) -> Answer<'_, Vec<Committed>>;
    /// Changes when others may have committed; `None` where nobody else can.
    fn news(&self) -> Option<watch::Receiver<u64>>;
    /// Another number whenever commits go through another connection, which may lead to another server.
    fn session(&self) -> u64;
    /// Takes the order of commits until the next `commit` or `unlock`; answers the newest commit, and all that others committed
    /// above `known`, as `since` does.
    fn lock(&self, known: u64) -> Answer<'_, (ChainHead, Vec<Committed>)>;
    /// Gives the order of commits back without a commit.
    fn unlock(&self) -> BoxFuture<'_, ()>;
    /// Writes a group durably and gives the order back, whatever happens.
    fn commit(&self, group: Group) -> BoxFuture<'_, Result<(), CommitError>>;
    /// The commit that carried `token`, if it happened: once this has answered, it can no longer happen.
    fn committed(&self, token: [u8; 16]) -> Answer<'_, Option<u64>>;
    /// The chain hash of a commit; none when it does not exist or is too old to be remembered.
    fn chain(&self, commit: u64) -> Answer<'_, Option<Hash>>;
    /// The answer kept under an idempotency key.
    fn answer(&self, key: [u8; 32]) -> Answer<'_, Option<StoredAnswer>>;
    /// Which of these client ids are stored since `since` (milliseconds).
    fn client_ids(&self, keys: Vec<[u8; 16]>, since: i64) -> Answer<'_, Vec<StoredClientId>>;
    /// Keys of all remembered answers and client ids since `since`, with the time they were stored.
    #[allow(clippy::type_complexity)]
    fn remembered(&self, since: i64) -> Answer<'_, (Vec<([u8; 32], i64)>, Vec<([u8; 16], i64)>)>;
    /// Complete subtrees of one level in `[begin, end)`, in order.
    fn subtrees(&self, ledger: LedgerId, level: u8, begin: u64, end: u64) -> Answer<'_, Vec<Subtree>>;
    /// What is kept of the tiles `[first, end)` of a ledger, in order.
    fn tiles(&self, ledger: LedgerId, first: u64, end: u64) -> Answer<'_, Vec<StoredTile>>;
    /// Objects that may be deleted at `now` (milliseconds).
    fn garbage(&self, now: i64) -> Answer<'_, Vec<Garbage>>;
    /// Takes or renews the lease of a job until `until`; `false` when another holder has it at `now`. Atomic.
    fn lease(&self, job: String, holder: String, now: i64, until: i64) -> Answer<'_, bool>;
    /// Gives back all leases of a holder.
    fn release(&self, holder: String) -> Answer<'_, ()>;
    /// Versions of the lake's table from `first` on, in order, at most `count`.
    fn lake(&self, first: u64, count: u32) -> Answer<'_, Vec<LakeVersion>>;
    /// All control records, by kind and id.
    fn records(&self) -> Answer<'_, Vec<StoredRecord>>;
    /// The checkpoint of this size, if one was signed.
    fn checkpoint(&self, ledger: LedgerId, size: u64) -> Answer<'_, Option<StoredCheckpoint>>;
    /// All checkpoints of a ledger, oldest first.
    fn checkpoints(&self, ledger: LedgerId) -> Answer<'_, Vec<StoredCheckpoint>>;
}
