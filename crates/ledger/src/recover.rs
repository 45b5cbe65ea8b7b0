//! The explicit way out when a database went back in time: every ledger goes on in a new epoch, and says so.
//!
//! Surviving events stay where they are. The first new leaf of each ledger carries the last checkpoint of the old epoch.

use trailbook_event::{Admission, Limits as EventLimits, NoCatalog, Origin as Sender, Pointer, admit, json};

use crate::{Error, Ledger, OrganizationKey, Parts, chain::Anchors, database::StoredCheckpoint, open::load};

/// What a recovery did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The new era of the deployment.
    pub era: u32,
    /// Ledgers that go on in a new epoch.
    pub ledgers: usize,
    /// What had been found; `None` when nothing contradicted the database.
    pub contradiction: Option<String>,
}

/// The action of the event that begins an epoch.
const RECOVERED_ACTION: &str = "trailbook.ledger.recovered";

/// Continues a database that fell behind what was published: era and epochs move on to one that was never used, in one commit. The database must
/// not be in use. `reason` is kept in every ledger.
pub async fn recover_in_new_epoch(parts: Parts, reason: &str) -> Result<Recovered, Error> {
    // In the old era and epoch: first of all it forgets what was forgotten after it was made.
    Ledger::open(parts.clone()).await?.close().await?;
    let mut loaded = load(&parts).await?;
    let anchors = Anchors::new(std::sync::Arc::clone(&parts.objects));
    let contradiction = anchors.contradiction(loaded.head, &*parts.database).await?;
    loaded.head.era = anchors.newest_era().await?.max(loaded.head.era) + 1;
    for head in &mut loaded.heads {
        // No ledger is in an epoch above the era: this one was never used, not even by commits that are lost.
        head.epoch = loaded.head.era;
    }
    let now = parts.clock.now();
    let limits = EventLimits::default();
    let admission = Admission {
        limits: &limits,
        now,
        defaults: &NoCatalog,
        origin: Sender::Own,
    };
    let mut submissions = std::collections::BTreeMap::<String, Vec<_>>::new();
    for head in &loaded.heads {
        let checkpoint = loaded
            .checkpoints
            .iter()
            .find(|checkpoint| checkpoint.ledger == head.ledger);
        let text = recovery_event(&head.key, head.epoch, checkpoint, reason);
        let value = json::parse(&text, &limits.json()).map_err(|error| Error::corrupt(error.to_string()))?;
        let admitted = admit(&value, &Pointer::root(), &admission);
        let admitted = admitted.map_err(|faults| Error::corrupt(format!("the recovery event: {faults:?}")))?;
        submissions
            .entry(head.key.project().to_owned())
            .or_default()
            .push(admitted);
    }
    let recovered = Recovered {
        era: loaded.head.era,
        ledgers: loaded.heads.len(),
        contradiction,
    };
    let ledger = Ledger::start(parts, loaded, anchors).await?;
    for (project, events) in submissions {
        let submission = ledger.prepare(&project, events, None, &|_| None);
        ledger.append(submission).await?;
    }
    ledger.close().await?;
    Ok(recovered)
}

fn recovery_event(key: &OrganizationKey, epoch: u32, checkpoint: Option<&StoredCheckpoint>, reason: &str) -> String {
    let quoted = |text: &str| {
        let mut out = Vec::new();
        json::write_string(text, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    };
    let note = checkpoint.map_or_else(|| "null".to_owned(), |checkpoint| quoted(&checkpoint.note));
    format!(
        r#"{{"organization":{},"action":"{RECOVERED_ACTION}","action_type":"other","security":true,"actor":{{"type":"system","name":"Trailbook"}},"description":"The ledger continues in epoch {epoch} after its database went back in time","message":{},"metadata":{{"epoch":{epoch},"last_checkpoint":{note}}}}}"#,
        quoted(key.organization()),
        quoted(reason),
    )
}
