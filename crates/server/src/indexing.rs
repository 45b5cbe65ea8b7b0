//! Keeps the query index near the ledger, so that a read after a burst does not pay for the whole burst.
//!
//! Not here: the index (`trailbook_query`), which is exact with or without this.

use std::{collections::HashMap, time::Duration};

use tokio::time::sleep;
use trailbook_ledger::{Ledger, OrganizationKey};
use trailbook_query::Engine;

/// How long events are gathered: the more of them are indexed at a time, the cheaper each one is.
const GATHER: Duration = Duration::from_millis(250);

/// Indexes what is committed, until the ledger closes.
pub(crate) async fn follow(ledger: Ledger, engine: Engine) {
    let (mut commits, mut indexed) = (ledger.commits(), HashMap::<OrganizationKey, u64>::new());
    while commits.changed().await.is_ok() {
        sleep(GATHER).await;
        commits.borrow_and_update();
        for (organization, head) in ledger.heads() {
            if indexed.insert(organization.clone(), head.size) == Some(head.size) {
                continue;
            }
            let (engine, wanted) = (engine.clone(), organization);
            let caught_up = tokio::task::spawn_blocking(move || engine.catch_up(&wanted)).await;
            if let Ok(Err(error)) = caught_up {
                tracing::error!(%error, "events could not be indexed");
            }
        }
    }
}
