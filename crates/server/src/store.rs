//! The data directory: database, objects and the key that checkpoints are signed with, as the parts of a ledger.
//!
//! Not here: the root key (`root_key`), what is in the files (docs/formats/ledger.md).

mod examine;
mod http;
mod place;

use std::{path::Path, sync::Arc};

use anyhow::{bail, ensure};
use object_store::ObjectStore;
use trailbook_ledger::{
    Clock, DATABASE_FILE, Limits, Measures, ObjectCache, ObjectFiles, Parts, Random, Sqlite, backup::OBJECTS_DIRECTORY,
};
use trailbook_query::BlockIndexer;

pub(crate) use self::place::{Given, Place};
use self::{
    examine::{Check, Extent, examine},
    place::local,
};
use crate::secret_file;

/// The file that keeps the Ed25519 secret of checkpoints.
pub(crate) const SIGNING_KEY_FILE: &str = "signing-key";

/// The directory of a data directory that keeps copies of a remote store's objects.
const CACHE_DIRECTORY: &str = "cache";
/// Bytes of that directory, when nobody said.
pub(crate) const CACHE_BYTES_MAX: usize = 10 << 30;

/// Where objects are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ObjectSettings<'s> {
    /// `None` is a directory in the data directory.
    pub(crate) place: Option<&'s Place>,
    /// Bytes of the cache, when the store is remote.
    pub(crate) cache_bytes_max: u64,
}

impl ObjectSettings<'_> {
    /// In the data directory.
    pub(crate) const DATA: ObjectSettings<'static> = ObjectSettings {
        place: None,
        cache_bytes_max: CACHE_BYTES_MAX as u64,
    };

    /// The store and the files of its objects.
    fn open(self, data: &Path, measures: &Arc<Measures>) -> anyhow::Result<(Arc<dyn ObjectStore>, ObjectFiles)> {
        let within = data.join(OBJECTS_DIRECTORY);
        let directory = match self.place {
            None if data.join(CACHE_DIRECTORY).exists() && !within.exists() => bail!(
                "the objects of {} are in another store: set objects, and what belongs to it, as the server has it",
                data.display()
            ),
            None => within.as_path(),
            Some(place) => match place.directory() {
                Some(directory) => directory,
                None => {
                    let (store, cache) = (place.open()?, data.join(CACHE_DIRECTORY));
                    let files = ObjectCache::open(store.clone(), &cache, self.cache_bytes_max, measures.clone())?;
                    return Ok((store, ObjectFiles::Cache(files)));
                }
            },
        };
        Ok((local(directory)?, ObjectFiles::Local(directory.to_owned())))
    }
}

/// Looks whether objects can be listed and read; the error names the remedy.
pub(crate) async fn look_at(objects: &dyn ObjectStore) -> anyhow::Result<()> {
    let checks = examine(objects, Extent::Reading, "look").await;
    if let Some(found) = checks.iter().find(|check| !check.ok) {
        bail!("cannot {}: {}. Remedy: {}", found.name, found.detail, found.remedy);
    }
    Ok(())
}

/// Tries out everything that is done with objects at a place; `unique` is a name that was never used.
#[allow(dead_code, reason = "for `trailbook doctor`, which is on its way")]
pub(crate) async fn examine_place(place: &Place, unique: &str) -> Vec<Check> {
    match place.open() {
        Ok(store) => examine(&*store, Extent::All, unique).await,
        Err(error) => vec![Check {
            name: "open the object store",
            ok: false,
            detail: format!("{error:#}"),
            remedy: "correct objects and the settings that begin with objects_".to_owned(),
        }],
    }
}

/// The parts of the ledger in a data directory, which is locked as long as they live.
pub(crate) fn parts(
    data: &Path,
    objects: ObjectSettings<'_>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> anyhow::Result<Parts> {
    let measures = Arc::new(Measures::default());
    let database = Sqlite::open(data, measures.clone())?;
    let (objects, object_files) = objects.open(data, &measures)?;
    Ok(Parts {
        database: Arc::new(database),
        objects,
        object_files,
        indexer: Arc::new(BlockIndexer),
        signing_key: signing_key(data, &*random)?,
        clock,
        random,
        measures,
        limits,
    })
}

/// As [`parts`], of a directory that was used before.
pub(crate) fn existing(data: &Path, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> anyhow::Result<Parts> {
    let database = data.join(DATABASE_FILE);
    ensure!(
        database.exists(),
        "{} is no data directory: it has no {DATABASE_FILE}",
        data.display()
    );
    parts(data, ObjectSettings::DATA, Limits::default(), clock, random)
}

fn signing_key(data: &Path, random: &dyn Random) -> anyhow::Result<[u8; 32]> {
    let path = data.join(SIGNING_KEY_FILE);
    if let Some(key) = secret_file::read(&path)? {
        return Ok(key);
    }
    let key = drawn(random);
    secret_file::write(&path, &key)?;
    Ok(key)
}

/// Random bytes.
pub(crate) fn drawn<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}
