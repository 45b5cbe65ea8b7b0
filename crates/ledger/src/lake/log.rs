//! The table's log among the objects: written from the database in the order of the versions, with checkpoints; what is too old is deleted.
//!
//! Invariants
//! - The log has the versions up to some number without a gap, each with the bytes that the database has.
//! - Whoever begins writes everything once more that the database still has, and takes away what the database does not know: then the log is
//!   right, whatever was lost, restored or put back.
//!
//! Not here: what versions say (`lake`).

use std::{
    sync::{Mutex, PoisonError, atomic::Ordering},
    time::{Duration, SystemTime},
};

use super::checkpoint::{self, checkpoint};
use crate::{
    Error, Ledger,
    database::{Change, LakeVersion},
};

/// Where the log is.
const DIRECTORY: &str = "_delta_log";
/// Names the checkpoint with which the log begins, once it does not begin with version 0.
const FIRST_CHECKPOINT: &str = "_delta_log/_last_checkpoint";
/// Versions from one checkpoint to the next.
const CHECKPOINT_EVERY: u64 = 100;
/// Versions that are read at a time.
const READ_VERSIONS: u32 = 32;
/// How long a version can be asked for, at least.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);

/// How far this process knows the log to be; `None` before it has looked.
#[derive(Debug, Default)]
pub(crate) struct Progress(Mutex<Option<Written>>);

#[derive(Debug, Clone, Copy)]
struct Written {
    /// The first version that it may lack.
    next: u64,
    /// The newest checkpoint.
    checkpoint: Option<u64>,
}

/// A file of the log.
struct File {
    name: String,
    version: u64,
    is_checkpoint: bool,
    modified: SystemTime,
}

impl Progress {
    fn get(&self) -> Option<Written> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, written: Written) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(written);
    }
}

impl Ledger {
    /// Whether the lake's log may lack a version.
    pub(crate) fn is_lake_behind(&self) -> bool {
        let history = &self.inner.shared.history;
        let next = history.manifest().lake().next_version;
        next > 0 && history.lake.get().is_none_or(|written| written.next < next)
    }

    /// Writes to the lake's log what it lacks; `true` when that was something. Safe to repeat after any failure, and for several
    /// processes at a time.
    ///
    /// # Errors
    /// [`Error::Storage`]; [`Error::Refused`] when the database may be behind what was published.
    pub async fn write_lake(&self) -> Result<bool, Error> {
        let shared = &self.inner.shared;
        shared.refused()?;
        let progress = &shared.history.lake;
        let before = progress.get();
        self.measure_lake(before);
        let mut written = match before {
            Some(written) => self.write_versions(written).await?,
            None => self.begin_log().await?,
        };
        progress.set(written);
        self.measure_lake(Some(written));
        if written.next >= written.checkpoint.map_or(0, |version| version + 1) + CHECKPOINT_EVERY {
            let (after, version) = self.write_checkpoint(written).await?;
            written = after;
            progress.set(written);
            self.change(vec![Change::LakeForgotten { before: version }].into())
                .await?;
            self.delete_old_log().await?;
        }
        Ok(written.next > before.map_or(0, |before| before.next))
    }

    fn measure_lake(&self, written: Option<Written>) {
        let shared = &self.inner.shared;
        let next = shared.history.manifest().lake().next_version;
        let waiting = next.saturating_sub(written.map_or(0, |written| written.next));
        shared.measures.lake_versions_waiting.store(waiting, Ordering::Relaxed);
    }

    /// Makes the log what it has to be, whatever it is.
    async fn begin_log(&self) -> Result<Written, Error> {
        // In this order: a version that is listed, and right, is then found in the database.
        let listed = self.log_files().await?;
        let first = self.lake_versions(0).await?.first().map(|version| version.version);
        let nothing = Written {
            next: first.unwrap_or(0),
            checkpoint: None,
        };
        let mut written = self.write_versions(nothing).await?;
        let (known, unknown): (Vec<File>, Vec<File>) = listed.into_iter().partition(|file| file.version < written.next);
        for file in unknown.iter().rev() {
            self.inner.shared.history.objects().delete(&file.name).await?;
        }
        let mut checkpoints = known.iter().filter(|file| file.is_checkpoint).map(|file| file.version);
        let begins_with = checkpoints.next();
        written.checkpoint = checkpoints.next_back().or(begins_with);
        let begins_with = if !leads_to(&known, nothing.next, written.checkpoint) {
            let (after, version) = self.write_checkpoint(written).await?;
            written = after;
            Some(version)
        } else {
            let is_whole = known.first().is_none_or(|file| file.version == 0);
            begins_with.filter(|_| !is_whole)
        };
        match begins_with {
            Some(version) => self.begin_with(version).await?,
            None => self.inner.shared.history.objects().delete(FIRST_CHECKPOINT).await?,
        }
        Ok(written)
    }

    /// Writes the versions from the first that the log may lack on.
    async fn write_versions(&self, mut written: Written) -> Result<Written, Error> {
        loop {
            let versions = self.lake_versions(written.next).await?;
            if versions.is_empty() {
                return Ok(written);
            }
            for LakeVersion { version, body } in versions {
                let name = format!("{DIRECTORY}/{version:020}.json");
                self.inner.shared.history.objects().put(&name, body).await?;
                written.next = version + 1;
            }
        }
    }

    /// Writes a checkpoint of the newest version that this process knows of, and the log up to it; answers which version that is.
    async fn write_checkpoint(&self, written: Written) -> Result<(Written, u64), Error> {
        let history = &self.inner.shared.history;
        let manifest = history.manifest();
        let mut written = self.write_versions(written).await?;
        let version = manifest.lake().next_version.saturating_sub(1);
        let made = tokio::task::spawn_blocking(move || checkpoint(&manifest)).await;
        let made = made.map_err(|error| Error::storage("make a checkpoint of the lake", error))??;
        history.objects().put(&checkpoint_name(version), made).await?;
        written.checkpoint = Some(version);
        Ok((written, version))
    }

    /// Tells readers with which checkpoint the log begins. It is not the newest one, as the protocol has it: they find that by themselves,
    /// and some (Sail 0.7) take what is named for the oldest that they may use.
    async fn begin_with(&self, version: u64) -> Result<(), Error> {
        let objects = self.inner.shared.history.objects();
        let rows = checkpoint::rows(objects.get(&checkpoint_name(version)).await?)?;
        let named = format!(r#"{{"version":{version},"size":{rows}}}"#);
        objects.put(FIRST_CHECKPOINT, named.into_bytes()).await
    }

    /// Deletes what only leads to versions that nobody can ask for any more: what lies before a checkpoint that is old enough, and not
    /// the newest one.
    async fn delete_old_log(&self) -> Result<(), Error> {
        let shared = &self.inner.shared;
        let now = Duration::from_millis(u64::try_from(shared.clock.now().millis()).unwrap_or_default());
        let files = self.log_files().await?;
        let checkpoints: Vec<&File> = files.iter().filter(|file| file.is_checkpoint).collect();
        let is_old = |file: &&&File| {
            let modified = file.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            modified + KEPT < now
        };
        let Some(first) = checkpoints.iter().rev().skip(1).find(is_old) else {
            return Ok(());
        };
        self.begin_with(first.version).await?;
        for file in files.iter().filter(|file| file.version < first.version) {
            shared.history.objects().delete(&file.name).await?;
        }
        Ok(())
    }

    /// Some versions that the database has from `first` on.
    async fn lake_versions(&self, first: u64) -> Result<Vec<LakeVersion>, Error> {
        let versions = self.inner.shared.database.lake(first, READ_VERSIONS).await;
        versions.map_err(|error| Error::storage("read the lake's versions", error))
    }

    /// The files of the log, in the order of their versions.
    async fn log_files(&self) -> Result<Vec<File>, Error> {
        let listed = self.inner.shared.history.objects().list(DIRECTORY).await?;
        let mut files: Vec<File> = listed
            .into_iter()
            .filter_map(|listed| File::of(listed.name, listed.modified))
            .collect();
        files.sort_unstable_by_key(|file| (file.version, file.is_checkpoint));
        Ok(files)
    }
}

fn checkpoint_name(version: u64) -> String {
    format!("{DIRECTORY}/{version:020}.checkpoint.parquet")
}

impl File {
    /// `None` when the log has no files of this name.
    fn of(name: String, modified: SystemTime) -> Option<Self> {
        let (version, kind) = name.strip_prefix(DIRECTORY)?.strip_prefix('/')?.split_once('.')?;
        let is_checkpoint = match kind {
            "json" => false,
            "checkpoint.parquet" => true,
            _ => return None,
        };
        Some(Self {
            version: version.parse().ok()?,
            is_checkpoint,
            modified,
            name,
        })
    }
}

/// Whether the versions from `first` on can be read: what lies before them is there from the beginning, or a checkpoint has it.
fn leads_to(files: &[File], first: u64, checkpoint: Option<u64>) -> bool {
    let versions = files.iter().filter(|file| !file.is_checkpoint && file.version < first);
    versions.count() as u64 == first || checkpoint.is_some_and(|version| version + 1 >= first)
}
