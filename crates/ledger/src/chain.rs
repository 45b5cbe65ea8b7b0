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
            .list(Some(&Path::from("chain")))
            .map_ok(|object| parse_key(&object.location))
            .try_filter_map(|head| std::future::ready(Ok(head)))
            .try_collect()
            .await
            .map_err(|error| Error::storage("list the chain heads", error))?;
        heads.sort_by_key(|head| (head.era, head.commit));
        Ok(heads)
    }

    /// Compares the database with the newest chain head among the objects. `Some` says why it must not be written to.
    pub(crate) async fn contradiction(
        &self,
        stored: ChainHead,
        database: &dyn Database,
    ) -> Result<Option<String>, Error> {
        let Some(anchor) = self.list().await?.pop() else {
            return Ok(None);
        };
        if (anchor.era, anchor.commit) > (stored.era, stored.commit) {
            return Ok(Some(format!(
                "the database ends at commit {} (era {}) but commit {} (era {}) was published: it went back in time, as a \
                 restored copy does. Reads go on. Put the newer database back, or continue in a new epoch with \
                 `trailbook recover --new-epoch`",
                stored.commit, stored.era, anchor.commit, anchor.era
            )));
        }
        if anchor.era < stored.era {
            return Ok(None);
        }
        let chain = database
            .chain(anchor.commit)
            .await
            .map_err(|error| Error::storage("read the chain", error))?;
        Ok(chain.filter(|chain| *chain != anchor.chain).map(|_| {
            format!(
                "commit {} of the database is not the one that was published: its history was replaced. Reads go on. Put \
                 the right database back, or continue in a new epoch with `trailbook recover --new-epoch`",
                anchor.commit
            )
        }))
    }
}

fn key(head: ChainHead) -> Path {
    Path::from(format!(
        "chain/{:010}-{:020}-{}",
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
