//! Keeps the query index near the ledger, so that a read does not pay for everything that came since the last one.
//!
//! Indexing costs more than storing, so it waits for a pause in ingest; a read that comes first catches up by itself.
//!
//! Not here: the index (`trailbook_query`), which is exact with or without this.

use std::{collections::HashMap, time::Duration};

use tokio::time::timeout;
use trailbook_ledger::{Ledger, OrganizationKey};
use trailbook_query::Engine;

/// How long nothing is committed before indexing begins.
const PAUSE: Duration = Duration::from_millis(100);

/// Indexes what is committed, until the ledger closes.
pub(crate) async fn follow(ledger: Ledger, engine: Engine) {
    let (mut commits, mut indexed) = (ledger.commits(), HashMap::<OrganizationKey, u64>::new());
    let mut sealed = 0;
    while commits.changed().await.is_ok() {
        while sealed == ledger.sealed_through() {
            match timeout(PAUSE, commits.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) => break,
            }
        }
        if sealed != ledger.sealed_through() {
            // What is sealed leaves the index of the tail, also where nobody reads.
            sealed = ledger.sealed_through();
            let engine = engine.clone();
            if let Err(error) = tokio::task::spawn_blocking(move || engine.trim()).await {
                tracing::error!(%error, "what is sealed stays in the index of the tail");
            }
        }
        if ledger.is_tail_full() {
            // The pause is because sealing does not keep up, and what would be indexed is sealed soon.
            continue;
        }
        for (organization, head) in ledger.heads() {
            if commits.has_changed().unwrap_or(true) {
                commits.mark_changed();
                break;
            }
            if indexed.get(&organization) == Some(&head.size) {
                continue;
            }
            let (engine, wanted) = (engine.clone(), organization.clone());
            match tokio::task::spawn_blocking(move || engine.catch_up(&wanted)).await {
                Ok(Ok(())) => _ = indexed.insert(organization, head.size),
                Ok(Err(error)) => tracing::error!(%error, "events could not be indexed"),
                Err(error) => tracing::error!(%error, "indexing ended early"),
            }
        }
    }
}
