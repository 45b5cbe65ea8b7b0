//! Exports on request: queued, made in the background, kept for a day as parts in the object store.
//!
//! Invariants
//! - Memory is a part and a few batches of rows, whatever the size of the result.
//! - An export is made by one process at a time, which holds its lease; whoever finds it unfinished goes on after its last part.
//! - Nothing is made or handed out for somebody who may not export any more.
//!
//! Not here: the formats (`trailbook_deliver`), requests and downloads (`http::exports`).

mod make;
mod parts;
mod send;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use futures::TryStreamExt as _;
use object_store::{ObjectStore, ObjectStoreExt as _, path::Path};
use tokio::{
    sync::{Notify, Semaphore, watch},
    time::timeout,
};
use trailbook_access::{
    Error as RecordError,
    records::{Export, ExportState},
};
use trailbook_ledger::LEASE_MS;

use crate::http::App;

/// Exports that are made at a time.
const AT_ONCE: usize = 2;
/// Between two looks at what is to be done.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long the record of an export stays after its file is gone, milliseconds.
const REMEMBERED_MS: i64 = 7 * 24 * 3_600_000;
/// The directory of parts in the object store.
const DIRECTORY: &str = "exports";

/// Exports in the making.
pub(crate) struct Exports {
    pub(crate) objects: Arc<dyn ObjectStore>,
    holder: String,
    wake: Notify,
    places: Arc<Semaphore>,
    /// Those that this process makes now.
    making: Mutex<HashSet<String>>,
    /// When a letter with an export was tried last, milliseconds.
    tried: Mutex<HashMap<String, i64>>,
}

impl Exports {
    /// Exports whose parts are kept in this store. `holder` is nobody else's.
    pub(crate) fn new(objects: Arc<dyn ObjectStore>, holder: String) -> Self {
        Self {
            objects,
            holder,
            wake: Notify::new(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
            making: Mutex::default(),
            tried: Mutex::default(),
        }
    }

    /// Says that there may be something to do.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Deletes the parts of an export, written or not.
    ///
    /// # Errors
    /// Those of the object store.
    pub(crate) async fn delete_parts(&self, id: &str) -> Result<(), object_store::Error> {
        let prefix = Path::from(format!("{DIRECTORY}/{id}"));
        let names = self.objects.list(Some(&prefix)).map_ok(|object| object.location);
        let names: Vec<Path> = names.try_collect().await?;
        for name in names {
            self.objects.delete(&name).await?;
        }
        Ok(())
    }

    fn making(&self) -> MutexGuard<'_, HashSet<String>> {
        self.making.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tried(&self) -> MutexGuard<'_, HashMap<String, i64>> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lease(id: &str) -> String {
        format!("export {id}")
    }
}

/// Makes what is asked for, and lets go of what is over, until the server stops.
pub(crate) async fn work(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    let weak = Arc::downgrade(&app);
    drop(app);
    loop {
        let Some(app) = weak.upgrade() else { return };
        if let Err(error) = clean(&app).await {
            tracing::warn!(%error, "exports that are over could not be removed yet, and will be tried again");
        }
        begin_waiting(&app, &weak).await;
        send::send_due(&app);
        let exports = &app.exports;
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            _ = timeout(LOOK_EVERY, exports.wake.notified()) => {}
        }
    }
}

/// Begins the exports that wait, the oldest first, as far as there are places.
async fn begin_waiting(app: &Arc<App>, weak: &Weak<App>) {
    let is_waiting = |export: &Arc<Export>| matches!(export.state, ExportState::Queued | ExportState::Running);
    let mut waiting: Vec<Arc<Export>> = app
        .directory
        .state()
        .exports
        .all()
        .filter(|one| is_waiting(one))
        .cloned()
        .collect();
    waiting.sort_by_key(|export| (export.created_at, export.id.clone()));
    for export in waiting {
        let Ok(place) = app.exports.places.clone().try_acquire_owned() else {
            return;
        };
        match app.ledger.lease(&Exports::lease(&export.id), &app.exports.holder).await {
            Ok(true) if app.exports.making().insert(export.id.clone()) => {}
            Ok(_) => continue,
            Err(error) => {
                tracing::warn!(%error, "an export could not be begun and will be tried again");
                return;
            }
        }
        let weak = weak.clone();
        tokio::spawn(async move {
            if let Some(app) = weak.upgrade() {
                let id = export.id.clone();
                tokio::select! {
                    () = make::make(&app, export) => {}
                    () = keep_lease(&app, &id) => tracing::warn!("an export is made by another process now"),
                }
                app.exports.making().remove(&id);
                app.exports.wake();
            }
            drop(place);
        });
    }
}

/// Keeps an export's lease; ends when another process has it.
async fn keep_lease(app: &App, id: &str) {
    let every = Duration::from_millis(LEASE_MS as u64 / 3);
    loop {
        tokio::time::sleep(every).await;
        if let Ok(false) = app.ledger.lease(&Exports::lease(id), &app.exports.holder).await {
            return;
        }
    }
}

/// Deletes the files of exports that are over, later their records, and parts that nobody knows.
async fn clean(app: &Arc<App>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let now = app.clock.now().millis();
    let all: Vec<Arc<Export>> = app.directory.state().exports.all().cloned().collect();
    let is_over = |export: &Export| export.expires_at().is_some_and(|at| at <= now);
    for export in all.iter().filter(|export| is_over(export)) {
        if export.state != ExportState::Expired {
            app.exports.delete_parts(&export.id).await?;
            change(app, &export.id, |export| export.state = ExportState::Expired).await?;
        } else if export.expires_at().is_some_and(|at| at + REMEMBERED_MS <= now) {
            let mut change = app.directory.change().await;
            change.remove::<Export>(&export.id);
            change.commit().await?;
        }
    }
    delete_unknown(app).await?;
    app.exports
        .tried()
        .retain(|id, _| app.directory.get::<Export>(id).is_some());
    Ok(())
}

/// Deletes the parts of exports that are not there any more.
async fn delete_unknown(app: &App) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let listed = app
        .exports
        .objects
        .list_with_delimiter(Some(&Path::from(DIRECTORY)))
        .await?;
    let ids: HashSet<String> = listed
        .common_prefixes
        .iter()
        .filter_map(|path| Some(path.filename()?.to_owned()))
        .collect();
    // An export has its record before its parts, on whichever node it is made.
    app.ledger.catch_up().await?;
    for id in ids {
        if app.directory.get::<Export>(&id).is_none() && !app.exports.making().contains(&id) {
            app.exports.delete_parts(&id).await?;
        }
    }
    Ok(())
}

/// Changes an export that is still there; `false` when it is not.
pub(crate) async fn change(app: &App, id: &str, alter: impl FnOnce(&mut Export)) -> Result<bool, RecordError> {
    let mut change = app.directory.change().await;
    let Some(export) = app.directory.get::<Export>(id) else {
        return Ok(false);
    };
    let mut altered = Export::clone(&export);
    alter(&mut altered);
    change.put(altered)?;
    change.commit().await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use object_store::PutPayload;
    use trailbook_access::records::{EXPORT_KEPT_MS, ExportFormat, ExportMade, ExportRequest, OwnerKind, ViewOwner};

    use super::*;
    use crate::http::tests::app;

    fn export(id: &str, state: ExportState, finished_at: i64) -> Export {
        Export {
            id: id.into(),
            project: "default".into(),
            organization: "acme".into(),
            owner: ViewOwner {
                kind: OwnerKind::Root,
                id: "root".into(),
            },
            credential: "root".into(),
            owner_name: None,
            own_filter: None,
            request: ExportRequest {
                format: ExportFormat::Csv,
                all: true,
                from: None,
                to: None,
                filter: String::new(),
                columns: None,
                time_zone: None,
                labels: false,
                mapping: None,
            },
            email: None,
            state,
            made: ExportMade {
                parts: vec![5],
                ..ExportMade::default()
            },
            error: None,
            warning: None,
            created_at: finished_at,
            finished_at: Some(finished_at),
        }
    }

    async fn parts(app: &App) -> Vec<String> {
        let listed = app.exports.objects.list(Some(&Path::from(DIRECTORY)));
        let names = listed.map_ok(|object| object.location.to_string());
        let mut names: Vec<String> = names.try_collect().await.expect("a list");
        names.sort();
        names
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn files_go_after_a_day_records_after_a_week_more_and_parts_that_nobody_knows_at_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let app = app(directory.path()).await;
        let now = app.clock.now().millis();
        let mut change = app.directory.change().await;
        for (id, state, finished_at) in [
            ("exp_new", ExportState::Ready, now - EXPORT_KEPT_MS + 60_000),
            ("exp_over", ExportState::Ready, now - EXPORT_KEPT_MS),
            ("exp_old", ExportState::Expired, now - EXPORT_KEPT_MS - REMEMBERED_MS),
        ] {
            change.put(export(id, state, finished_at)).expect("a record");
        }
        change.commit().await.expect("committed");
        for id in ["exp_new", "exp_over", "exp_unknown"] {
            let name = Path::from(format!("{DIRECTORY}/{id}/000000"));
            app.exports
                .objects
                .put(&name, PutPayload::from("bytes"))
                .await
                .expect("a part");
        }
        clean(&app).await.expect("cleaned");
        let state = |id: &str| app.directory.get::<Export>(id).map(|export| export.state);
        assert_eq!(parts(&app).await, ["exports/exp_new/000000"]);
        assert_eq!(state("exp_new"), Some(ExportState::Ready));
        assert_eq!(state("exp_over"), Some(ExportState::Expired));
        assert_eq!(state("exp_old"), None);
    }
}
