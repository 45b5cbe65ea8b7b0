//! The hash chain over commits, and its newest link kept among the objects, so that a database that went back in time is noticed.
//! See docs/formats/ledger.md, "chain".

use std::sync::Arc;

use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, path::Path};
use sha2::{Digest, Sha256};
use trailbook_merkle::Hash;

use crate::{
    Error,
    database::{ChainHead, Database, LedgerId},
};

/// Where the chain heads are.
pub(crate) const DIRECTORY: &str = "chain";
/// Where it is said that the database was restored.
const RESTORED: &str = "restored";
/// Chain heads kept among the objects; older ones are deleted.
const HEADS_KEPT: usize = 16;

/// One ledger's head after a commit, as the chain sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChangedHead {
    pub(crate) ledger: LedgerId,
    pub(crate) epoch: u32,
    pub(crate) size: u64,
    pub(crate) root: Hash,
}

/// The chain hash after a commit that changed `heads`, which are in the order of their ledgers' numbers.
pub(crate) fn next(previous: Hash, era: u32, commit: u64, heads: &[ChangedHead]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"trailbook/chain/v1\0");
    hash.update(previous.0);
    hash.update(0_u32.to_be_bytes()); // the shard
    hash.update(era.to_be_bytes());
    hash.update(commit.to_be_bytes());
    hash.update((heads.len() as u32).to_be_bytes());
    for head in heads {
        hash.update(head.ledger.to_be_bytes());
        hash.update(head.epoch.to_be_bytes());
        hash.update(head.size.to_be_bytes());
        hash.update(head.root.0);
    }
    Hash(hash.finalize().into())
}

/// The chain heads among the objects.
pub(crate) struct Anchors {
    objects: Arc<dyn ObjectStore>,
    newest: tokio::sync::Mutex<Option<ChainHead>>,
}

impl Anchors {
    pub(crate) fn new(objects: Arc<dyn ObjectStore>) -> Self {
        Self {
            objects,
            newest: tokio::sync::Mutex::new(None),
        }
    }

    /// Puts a chain head under its own key. Returns when it is there; putting it again is harmless.
    pub(crate) async fn put(&self, head: ChainHead) -> Result<(), Error> {
        let mut newest = self.newest.lock().await;
        if newest.is_some_and(|newest| (newest.era, newest.commit) >= (head.era, head.commit)) {
            return Ok(());
        }
        self.objects
            .put(&key(head), PutPayload::from(head.chain.0.to_vec()))
            .await
            .map_err(|error| Error::storage("put the chain head", error))?;
        *newest = Some(head);
        drop(newest);
        let all = self.list().await?;
        for old in all.iter().rev().skip(HEADS_KEPT) {
            if let Err(error) = self.objects.delete(&key(*old)).await {
                tracing::warn!(%error, "an old chain head could not be deleted");
            }
        }
        Ok(())
    }

    /// The newest era among the objects, 0 when there is none.
    pub(crate) async fn newest_era(&self) -> Result<u32, Error> {
        Ok(self.list().await?.last().map_or(0, |head| head.era))
    }

    /// All chain heads among the objects, oldest first.
    async fn list(&self) -> Result<Vec<ChainHead>, Error> {
        let mut heads: Vec<ChainHead> = self
            .objects
            .list(Some(&Path::from(DIRECTORY)))
            .map_ok(|object| parse_key(&object.location))
            .try_filter_map(|head| std::future::ready(Ok(head)))
            .try_collect()
            .await
            .map_err(|error| Error::storage("list the chain heads", error))?;
        heads.sort_by_key(|head| (head.era, head.commit));
        Ok(heads)
    }

    /// Compares the database, which stands at `stored` or further, with the chain heads among the objects. `Some` says why it must not be
    /// written to.
    pub(crate) async fn contradiction(
        &self,
        stored: ChainHead,
        database: &dyn Database,
    ) -> Result<Option<String>, Error> {
        let anchors = self.list().await?;
        // Another node may have committed what it published just now.
        let newest = database.newest().await;
        let newest = newest.map_err(|error| Error::storage("ask for the newest commit", error))?;
        let stored = newest.unwrap_or(stored);
        if let Some(anchor) = anchors
            .last()
            .filter(|anchor| (anchor.era, anchor.commit) > (stored.era, stored.commit))
        {
            return Ok(Some(format!(
                "the database ends at commit {} (era {}) but commit {} (era {}) was published: it went back in time, as a \
                 restored copy does. Reads go on. Put the newer database back, or continue in a new epoch with \
                 `trailbook recover`",
                stored.commit, stored.era, anchor.commit, anchor.era
            )));
        }
        for anchor in anchors.iter().filter(|anchor| anchor.era == stored.era) {
            let chain = database.chain(anchor.commit).await;
            let chain = chain.map_err(|error| Error::storage("read the chain", error))?;
            if chain.is_some_and(|chain| chain != anchor.chain) {
                return Ok(Some(format!(
                    "commit {} of the database is not the one that was published: its history was replaced. Reads go on. Put \
                     the right database back, or continue in a new epoch with `trailbook recover`",
                    anchor.commit
                )));
            }
        }
        self.restored(stored).await
    }

    /// Whether the database was restored in this era: what was stored and signed after its backup is not known.
    async fn restored(&self, stored: ChainHead) -> Result<Option<String>, Error> {
        let markers: Vec<Option<(u32, u64)>> = self
            .objects
            .list(Some(&Path::from(RESTORED)))
            .map_ok(|object| parse_marker(&object.location))
            .try_collect()
            .await
            .map_err(|error| Error::storage("list restorations", error))?;
        let newest = markers.into_iter().flatten().max();
        Ok(newest.filter(|(era, _)| *era >= stored.era).map(|(era, commit)| {
            format!(
                "the database was restored from a backup of commit {commit} (era {era}); what was stored and signed after it is \
                 not known here. Reads go on. Continue in a new epoch with `trailbook recover`"
            )
        }))
    }
}

/// The object that says that a database was restored from a backup of a commit.
pub(crate) fn restored_marker(era: u32, commit: u64) -> String {
    format!("{RESTORED}/{era:010}-{commit:020}")
}

fn parse_marker(path: &Path) -> Option<(u32, u64)> {
    let (era, commit) = path.filename()?.split_once('-')?;
    Some((era.parse().ok()?, commit.parse().ok()?))
}

fn key(head: ChainHead) -> Path {
    Path::from(format!(
        "{DIRECTORY}/{:010}-{:020}-{}",
        head.era,
        head.commit,
        hex(&head.chain)
    ))
}

fn hex(hash: &Hash) -> String {
    hash.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parse_key(path: &Path) -> Option<ChainHead> {
    let mut fields = path.filename()?.splitn(3, '-');
    let (era, commit, chain) = (fields.next()?, fields.next()?, fields.next()?);
    let mut bytes = [0; 32];
    if chain.len() != 64 || !chain.is_ascii() {
        return None;
    }
    for (position, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&chain[2 * position..2 * position + 2], 16).ok()?;
    }
    Some(ChainHead {
        era: era.parse().ok()?,
        commit: commit.parse().ok()?,
        chain: Hash(bytes),
    })
}
