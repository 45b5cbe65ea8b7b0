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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use trailbook_event::{Admission, NoCatalog, Origin, Pointer, admit, json};
    use trailbook_ledger::{Clock as _, Limits};
    use trailbook_query::CacheSizes;

    use super::*;
    use crate::{
        inputs::{OsRandom, SystemClock},
        store,
    };

    async fn store_one(ledger: &Ledger) {
        let limits = trailbook_event::Limits::default();
        let admission = Admission {
            limits: &limits,
            now: SystemClock::start().now(),
            defaults: &NoCatalog,
            origin: Origin::Sender,
        };
        let event = r#"{"organization":"acme","action":"a.b","actor":{"id":"u"}}"#;
        let value = json::parse(event, &limits.json()).unwrap();
        let admitted = admit(&value, &Pointer::root(), &admission).unwrap();
        let submission = ledger.prepare("default", vec![admitted], None, &|_| None);
        ledger.append(submission).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_sealed_leaves_memory_although_nobody_reads() {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(SystemClock::start());
        let parts = store::parts(
            directory.path(),
            store::ObjectSettings::DATA,
            Limits::default(),
            clock,
            Arc::new(OsRandom),
        )
        .unwrap();
        let ledger = Ledger::open(parts).await.unwrap();
        let engine = Engine::new(ledger.clone(), [7; 32], CacheSizes::default());
        store_one(&ledger).await;
        let acme = OrganizationKey::new("default", "acme");
        engine.catch_up(&acme).unwrap();
        let row = Arc::downgrade(&ledger.tail(&acme, 0, 1)[0]);
        tokio::spawn(follow(ledger.clone(), engine.clone()));
        ledger.seal().await.unwrap().unwrap();
        let gone = async {
            while row.strong_count() > 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(60), gone)
            .await
            .expect("the row stays in memory");
        ledger.close().await.unwrap();
    }
}
