//! The data directory: database, objects and the key that checkpoints are signed with, as the parts of a ledger.
//!
//! Not here: the root key (`root_key`), what is in the files (docs/formats/ledger.md).

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context, ensure};
use object_store::local::LocalFileSystem;
use trailbook_ledger::{
    Clock, DATABASE_FILE, Limits, Measures, ObjectFiles, Parts, Random, Sqlite, backup::OBJECTS_DIRECTORY,
};
use trailbook_query::BlockIndexer;

use crate::secret_file;

/// The file that keeps the Ed25519 secret of checkpoints.
pub(crate) const SIGNING_KEY_FILE: &str = "signing-key";

/// The parts of the ledger in a data directory, which is locked as long as they live.
pub(crate) fn parts(
    data: &Path,
    limits: Limits,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> anyhow::Result<Parts> {
    let measures = Arc::new(Measures::default());
    let database = Sqlite::open(data, measures.clone())?;
    let objects = data.join(OBJECTS_DIRECTORY);
    fs::create_dir_all(&objects).with_context(|| format!("{} cannot be made", objects.display()))?;
    Ok(Parts {
        database: Arc::new(database),
        objects: Arc::new(LocalFileSystem::new_with_prefix(&objects)?.with_fsync(true)),
        object_files: ObjectFiles::Local(objects),
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
    parts(data, Limits::default(), clock, random)
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
