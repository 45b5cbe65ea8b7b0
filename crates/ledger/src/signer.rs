//! Checkpoints: signed statements of a ledger's size and root.
//!
//! Invariants
//! - A checkpoint is signed only if it extends the last one that was signed for the ledger, by whichever node: a consistency
//!   proof between them is built and verified first, and the writer stores it only while that is still the last one.
//! - It is stored, and the chain head put among the objects, before the signature leaves this module.
//! - A size is signed once in an epoch: what was stored is remembered before anybody else signs for the ledger.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedMutexGuard, oneshot};
use trailbook_merkle::{Checkpoint, Hash, note, verify_consistency};

use crate::{
    Error, Ledger, OrganizationKey,
    database::StoredCheckpoint,
    tail::{LedgerHead, LedgerState},
    writer::{Command, Signature},
};

/// Checkpoints of one ledger are at least this far apart.
const SIGN_EVERY: Duration = Duration::from_secs(1);

/// Signs with the deployment's Ed25519 key.
pub(crate) struct CheckpointSigner {
    secret: [u8; 32],
}

/// A checkpoint and its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// The signed note (C2SP tlog-checkpoint).
    pub note: String,
    /// The tree's size.
    pub size: u64,
    /// The ledger's epoch.
    pub epoch: u32,
    /// The tree's root.
    pub root: Hash,
}

/// Who signs a ledger's checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The checkpoints' first line and the key's name.
    pub origin: String,
    /// The verifier key (C2SP signed-note vkey).
    pub verifier_key: String,
    /// The ledger's epoch.
    pub epoch: u32,
}

impl CheckpointSigner {
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        Self { secret }
    }

    /// The signer under the name of one origin; the key is the same for all.
    pub(crate) fn for_origin(&self, origin: &str) -> Result<note::Signer, Error> {
        note::Signer::new(origin, &self.secret).map_err(|error| Error::corrupt(format!("signer: {error}")))
    }
}

impl From<StoredCheckpoint> for SignedCheckpoint {
    fn from(stored: StoredCheckpoint) -> Self {
        Self {
            note: stored.note,
            size: stored.size,
            epoch: stored.epoch,
            root: stored.root,
        }
    }
}

/// The origin of a ledger's checkpoints in an epoch.
pub(crate) fn origin_name(deployment: &str, organization: &OrganizationKey, epoch: u32) -> String {
    let suffix = if epoch > 1 { format!("/e{epoch}") } else { String::new() };
    format!(
        "{deployment}/{}/{}{suffix}",
        organization.project(),
        organization.organization()
    )
}

/// The newest checkpoint, when it is of the current epoch and covers so many events.
fn covering(ledger: &LedgerState, size: u64) -> Option<StoredCheckpoint> {
    let epoch = ledger.head().epoch;
    ledger
        .checkpoint()
        .filter(|newest| newest.size >= size && newest.epoch == epoch)
}

impl Ledger {
    /// A checkpoint of everything that is stored when this is called. Waits up to a second when another size was signed within the last
    /// second; requests in the meantime share the result. Dropping the future does not undo a signing that has begun.
    pub async fn checkpoint(&self, organization: &OrganizationKey) -> Result<SignedCheckpoint, Error> {
        let ledger = self.state(organization)?;
        let size = ledger.head().size;
        let signing = Arc::clone(&ledger.signing).lock_owned().await;
        if let Some(newest) = covering(&ledger, size) {
            return Ok(newest.into());
        }
        self.inner.shared.refused()?;
        let clock = &self.inner.shared.clock;
        if let Some(at) = *signing {
            tokio::time::sleep((at + SIGN_EVERY).saturating_sub(clock.monotonic())).await;
        }
        // What is stored has to be remembered: nobody's hanging up may come in between.
        let signing = tokio::spawn(self.clone().sign_next(ledger, size, signing));
        signing.await.unwrap_or(Err(Error::Unknown)).map(Into::into)
    }

    /// Signs where the ledger stands, unless another node comes first with a checkpoint of at least `size` events.
    async fn sign_next(
        self,
        ledger: Arc<LedgerState>,
        size: u64,
        mut signing: OwnedMutexGuard<Option<Duration>>,
    ) -> Result<StoredCheckpoint, Error> {
        loop {
            if let Some(newest) = covering(&ledger, size) {
                return Ok(newest);
            }
            // Before the head: what was signed is not ahead of the ledger.
            let last = ledger.checkpoint();
            match self.sign(&ledger, ledger.ledger_head(), last).await {
                // Another node's checkpoint is in memory now: this one has to extend it.
                Err(Error::Conflict { .. }) => {}
                signed => {
                    *signing = Some(self.inner.shared.clock.monotonic());
                    return signed;
                }
            }
        }
    }

    async fn sign(
        &self,
        ledger: &LedgerState,
        head: LedgerHead,
        last: Option<StoredCheckpoint>,
    ) -> Result<StoredCheckpoint, Error> {
        let (size, root) = (head.frontier.size(), head.frontier.root());
        if let Some(last) = &last {
            self.check_key(ledger, last)?;
            self.check_extends(ledger, last, size, root).await?;
        }
        let origin = origin_name(&self.inner.deployment, &ledger.key, head.epoch);
        self.inner.shared.anchors.put(self.inner.shared.chain_head()).await?;
        let checkpoint =
            Checkpoint::new(origin.clone(), size, root).map_err(|error| Error::corrupt(error.to_string()))?;
        let note = self.inner.signer.for_origin(&origin)?.sign(&checkpoint.to_text());
        let note = note.map_err(|error| Error::corrupt(error.to_string()))?;
        let signature = Signature {
            checkpoint: StoredCheckpoint {
                ledger: ledger.id,
                epoch: head.epoch,
                size,
                root,
                note,
            },
            extends: last,
        };
        let (answer, answered) = oneshot::channel();
        let command = Command::Checkpoint(signature, answer);
        self.commands()?.send(command).await.map_err(|_| Error::Refused {
            reason: "the server is stopping".to_owned(),
        })?;
        answered.await.unwrap_or(Err(Error::Unknown))
    }

    /// Refuses to sign with another key than the last checkpoint was signed with, where other nodes sign as well.
    fn check_key(&self, ledger: &LedgerState, last: &StoredCheckpoint) -> Result<(), Error> {
        if self.inner.shared.is_alone {
            return Ok(());
        }
        let origin = origin_name(&self.inner.deployment, &ledger.key, last.epoch);
        let verifier = self.inner.signer.for_origin(&origin)?.verifier().clone();
        note::open(last.note.as_bytes(), &[verifier])
            .map(drop)
            .map_err(|_| Error::Refused {
                reason: "this node's signing_key is not the one that earlier checkpoints are signed with: give all nodes that one".to_owned(),
            })
    }

    /// Refuses to sign what contradicts the last checkpoint.
    async fn check_extends(
        &self,
        ledger: &LedgerState,
        last: &StoredCheckpoint,
        size: u64,
        root: Hash,
    ) -> Result<(), Error> {
        let contradiction = || {
            let reason = format!(
                "the ledger of {} ({size} events) does not extend its checkpoint of {} events: run `trailbook fsck`",
                ledger.key, last.size
            );
            self.inner.shared.refuse(reason.clone());
            Error::Refused { reason }
        };
        if last.size > size {
            return Err(contradiction());
        }
        let proof = self.consistency(ledger, last.size, size).await?;
        verify_consistency(last.size, last.root, size, root, &proof).map_err(|_| contradiction())
    }

    /// The checkpoint that was signed for exactly this size.
    pub async fn checkpoint_at(&self, organization: &OrganizationKey, size: u64) -> Result<SignedCheckpoint, Error> {
        let ledger = self.state(organization)?;
        let stored = self.inner.shared.database.checkpoint(ledger.id, size).await;
        let stored = stored.map_err(|error| Error::storage("read a checkpoint", error))?;
        stored.map(Into::into).ok_or(Error::NotFound)
    }

    /// Under which name and key the ledger's checkpoints are signed.
    pub fn origin(&self, organization: &OrganizationKey) -> Result<Origin, Error> {
        let epoch = self.state(organization)?.head().epoch;
        let origin = origin_name(&self.inner.deployment, organization, epoch);
        let verifier_key = self.inner.signer.for_origin(&origin)?.verifier().to_string();
        Ok(Origin {
            origin,
            verifier_key,
            epoch,
        })
    }
}
