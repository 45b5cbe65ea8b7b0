//! Making a backup, from files that a server goes on working with.

use std::{fs, io, path::Path};

use trailbook_event::Timestamp;

use super::{BackupError, CONTENTS_FILE, Contents, FORMAT, KeptFile, OBJECTS_DIRECTORY, files, finding, hex, ledgers};
use crate::{
    Finding, chain,
    database::{Loaded, StoredObject},
    forgotten,
    sqlite::{self, DATABASE_FILE},
};

/// What a backup is made of.
#[derive(Debug, Clone, Copy)]
pub struct Source<'s> {
    /// The data directory.
    pub data: &'s Path,
    /// The pin that keeps its objects, when somebody works on it: the database has to have it.
    pub pin: Option<&'s str>,
    /// Files of the data directory that are copied as they are; those that are not there are left out.
    pub secrets: &'s [&'s str],
}

/// Makes a backup in an empty directory: the database as it is after one commit, the objects that it names, what was recorded as
/// forgotten, and secrets. `going_on` is called several times a second, to keep the pin; its error ends the backup.
///
/// # Errors
/// [`BackupError::Damaged`] names every object that is missing or not what the database says. After an error the directory is no backup.
pub fn back_up(
    source: Source<'_>,
    to: &Path,
    now: Timestamp,
    going_on: &mut dyn FnMut() -> Result<(), BackupError>,
) -> Result<Contents, BackupError> {
    if !source.data.join(DATABASE_FILE).exists() {
        return Err(BackupError::Refused(format!(
            "{} is no data directory: it has no {DATABASE_FILE}",
            source.data.display()
        )));
    }
    let objects = source.data.join(OBJECTS_DIRECTORY);
    if !objects.exists() {
        return Err(BackupError::Refused(format!(
            "{} has no {OBJECTS_DIRECTORY}: they are in another store, and are backed up by its own means",
            source.data.display()
        )));
    }
    files::make_empty(to)?;
    let (mut kept, loaded) = copy_database(source.data, to, going_on)?;
    if source
        .pin
        .is_some_and(|name| loaded.pins.iter().all(|pin| pin.name != name))
    {
        return Err(BackupError::Refused(format!(
            "the server that was told of the backup is not the one that works on {}",
            source.data.display()
        )));
    }
    kept.extend(copy_segments(&loaded, &objects, to, going_on)?);
    // After the database: what is recorded meanwhile is forgotten as well when it is restored.
    for directory in [forgotten::DIRECTORY, chain::DIRECTORY] {
        kept.extend(copy_directory(directory, &objects, to, going_on)?);
    }
    for name in source.secrets {
        let path = source.data.join(name);
        if path.exists() {
            kept.push(files::copy(&path, &to.join(name), name, going_on)?);
        }
    }
    let contents = Contents {
        format: FORMAT,
        made_at: now.to_string(),
        deployment: loaded.deployment.clone(),
        era: loaded.head.era,
        commit: loaded.head.commit,
        ledgers: ledgers(&loaded)?,
        files: kept,
    };
    files::sync_names(to)?;
    write_contents(to, &contents)?;
    Ok(contents)
}

fn copy_database(
    data: &Path,
    to: &Path,
    going_on: &mut dyn FnMut() -> Result<(), BackupError>,
) -> Result<(Vec<KeptFile>, Loaded), BackupError> {
    let file = to.join(DATABASE_FILE);
    // SQLite fills an empty file, which is for the owner alone.
    files::write(&file, &[])?;
    sqlite::copy(&data.join(DATABASE_FILE), &file)?;
    going_on()?;
    Ok((
        vec![files::describe(&file, DATABASE_FILE, going_on)?],
        sqlite::loaded(&file)?,
    ))
}

/// Copies the objects that the copied database names; all of them have to be what it says.
fn copy_segments(
    loaded: &Loaded,
    objects: &Path,
    to: &Path,
    going_on: &mut dyn FnMut() -> Result<(), BackupError>,
) -> Result<Vec<KeptFile>, BackupError> {
    let (mut kept, mut damaged) = (Vec::new(), Vec::new());
    for object in loaded
        .segments
        .iter()
        .flat_map(|segment| [&segment.data, &segment.bundle])
    {
        let name = format!("{OBJECTS_DIRECTORY}/{}", object.name);
        match files::copy(&objects.join(&object.name), &to.join(&name), &name, going_on) {
            Ok(copied) => {
                damaged.extend(difference(object, &copied));
                kept.push(copied);
            }
            Err(BackupError::Io { source, path }) if path.starts_with(objects) => {
                damaged.push(finding(format!("object {}", object.name), source.to_string()));
            }
            Err(error) => return Err(error),
        }
    }
    if damaged.is_empty() {
        Ok(kept)
    } else {
        Err(BackupError::Damaged(damaged))
    }
}

fn difference(object: &StoredObject, copied: &KeptFile) -> Option<Finding> {
    let place = format!("object {}", object.name);
    if copied.bytes != object.bytes {
        let detail = format!("it is {} bytes long, the database says {}", copied.bytes, object.bytes);
        return Some(finding(place, detail));
    }
    (copied.sha256 != hex(&object.sha256)).then(|| finding(place, "its SHA-256 is not what the database says"))
}

/// Copies small objects whose directory may change meanwhile: one that is gone has been followed by another.
fn copy_directory(
    directory: &str,
    objects: &Path,
    to: &Path,
    going_on: &mut dyn FnMut() -> Result<(), BackupError>,
) -> Result<Vec<KeptFile>, BackupError> {
    let from = objects.join(directory);
    let mut kept: Vec<KeptFile> = Vec::new();
    loop {
        let mut is_complete = true;
        for file in files::names(&from)? {
            let name = format!("{OBJECTS_DIRECTORY}/{directory}/{file}");
            if kept.iter().any(|known| known.name == name) {
                continue;
            }
            match files::copy(&from.join(&file), &to.join(&name), &name, going_on) {
                Err(BackupError::Io { source, path }) if path.starts_with(&from) && is_missing(&source) => {
                    is_complete = false;
                }
                copied => kept.push(copied?),
            }
        }
        if is_complete {
            return Ok(kept);
        }
    }
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

fn write_contents(to: &Path, contents: &Contents) -> Result<(), BackupError> {
    let (draft, file) = (to.join("backup.json.draft"), to.join(CONTENTS_FILE));
    let bytes = serde_json::to_vec_pretty(contents).map_err(|error| BackupError::Stopped(error.to_string()))?;
    files::write(&draft, &bytes)?;
    fs::rename(&draft, &file).map_err(BackupError::io(&file))?;
    files::sync_names(to)
}
