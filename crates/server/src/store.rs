//! Where everything is kept: the database, the objects and the key that checkpoints are signed with, as the parts of a ledger.
//!
//! Not here: the root key (`root_key`), what is in the files (docs/formats/ledger.md).

mod examine;
mod http;
mod place;

use std::{path::Path, sync::Arc};

use anyhow::{Context, bail, ensure};
use object_store::ObjectStore;
use trailbook_ledger::{
    Clock, DATABASE_FILE, DirectoryLock, Limits, Measures, ObjectCache, ObjectFiles, Parts, Postgres, PostgresOptions,
    Random, Sqlite, backup::OBJECTS_DIRECTORY, database::Database,
};
use trailbook_query::BlockIndexer;

use self::examine::{Extent, examine};
pub(crate) use self::{
    examine::Check,
    place::{Given, Place, local},
};
use crate::{
    config::{Settings, SigningKey},
    inputs::{OsRandom, SystemClock},
    secret_file,
};

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

    /// The store alone.
    pub(crate) fn store(self, data: &Path) -> anyhow::Result<Arc<dyn ObjectStore>> {
        match self.place {
            Some(place) => place.open(),
            None => local(&data.join(OBJECTS_DIRECTORY)),
        }
    }

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

/// What a process works on.
#[derive(Clone, Copy)]
pub(crate) struct Workplace<'s> {
    /// This node's directory.
    pub(crate) data: &'s Path,
    /// The URL of a PostgreSQL database; `None` is SQLite in the directory.
    pub(crate) database: Option<&'s str>,
    /// This node's name in the database's list of nodes.
    pub(crate) node_name: &'s str,
    /// Where objects are.
    pub(crate) objects: ObjectSettings<'s>,
    /// The Ed25519 secret of checkpoints; `None` is the one of the directory.
    pub(crate) signing_key: Option<[u8; 32]>,
}

impl<'s> Workplace<'s> {
    /// A directory with everything in it.
    pub(crate) fn directory(data: &'s Path) -> Self {
        Self {
            data,
            database: None,
            node_name: "",
            objects: ObjectSettings::DATA,
            signing_key: None,
        }
    }

    /// What the settings say.
    pub(crate) fn of(settings: &'s Settings) -> Self {
        Self {
            data: &settings.data,
            database: settings.database.as_deref(),
            node_name: &settings.node_name,
            objects: ObjectSettings {
                place: settings.objects.as_ref(),
                cache_bytes_max: settings.limits.cache_bytes,
            },
            signing_key: settings.signing_key.as_ref().map(SigningKey::bytes),
        }
    }

    /// The parts of the ledger. The directory is locked as long as they live.
    pub(crate) async fn parts(
        self,
        limits: Limits,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> anyhow::Result<Parts> {
        let measures = Arc::new(Measures::default());
        let database = self.open_database(measures.clone()).await?;
        let (objects, object_files) = self.objects.open(self.data, &measures)?;
        let signing_key = match self.signing_key {
            Some(given) => given,
            None => signing_key(self.data, &*random)?,
        };
        Ok(Parts {
            database,
            objects,
            object_files,
            indexer: Arc::new(BlockIndexer),
            signing_key,
            clock,
            random,
            measures,
            limits,
        })
    }

    /// As [`Workplace::parts`], of what was used before, for a command that comes and goes.
    pub(crate) async fn existing(self) -> anyhow::Result<Parts> {
        let file = self.data.join(DATABASE_FILE);
        ensure!(
            self.database.is_some() || file.exists(),
            "{} is no data directory: it has no {DATABASE_FILE}",
            self.data.display()
        );
        let (clock, random) = (Arc::new(SystemClock::start()), Arc::new(OsRandom));
        self.parts(Limits::default(), clock, random).await
    }

    async fn open_database(self, measures: Arc<Measures>) -> anyhow::Result<Arc<dyn Database>> {
        let Some(url) = self.database else {
            return Ok(Arc::new(Sqlite::open(self.data, measures)?));
        };
        // Two nodes in one directory would mistake each other's scratch files for their own.
        let lock = DirectoryLock::take(self.data)?;
        let options = PostgresOptions {
            node_name: self.node_name.to_owned(),
            ..PostgresOptions::default()
        };
        let database = Postgres::connect(url, options, measures).await;
        let database = database.context("the database cannot be used")?;
        Ok(Arc::new(database.holding(lock)))
    }
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
