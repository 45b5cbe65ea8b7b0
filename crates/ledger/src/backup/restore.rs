//! Making a data directory of a backup.
//!
//! Invariants
//! - Nothing is restored of a backup in which a file is missing or damaged.
//! - The database comes last: without it a directory is none that a server begins with by accident.
//! - What is restored refuses to store and sign until somebody continues it in a new epoch; and before anything of it is read, it forgets
//!   what is recorded as forgotten. Both happen when it is opened (`open`).

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::Path,
};

use super::{BackupError, Contents, KeptFile, KeptLedger, OBJECTS_DIRECTORY, files, finding, ledgers};
use crate::{
    Error, Finding, Fsck, Ledger, Parts, chain, forgotten, fsck,
    open::load,
    sqlite::{self, DATABASE_FILE},
};

/// The database's name until everything else is there.
const DRAFT: &str = "trailbook.db.restoring";

/// Makes a data directory of a backup. `newer` is a data directory or a backup of the same deployment, of which at least the objects are
/// left: what it says was forgotten after the backup is brought along.
///
/// # Errors
/// [`BackupError::Damaged`] names every file that is missing or damaged; then nothing is left behind.
pub fn restore(backup: &Path, to: &Path, newer: Option<&Path>) -> Result<Contents, BackupError> {
    let contents = Contents::read(backup)?;
    if let Some(newer) = newer {
        check_newer(newer, &contents)?;
    }
    files::make_empty(to)?;
    let restored = copy_all(&contents, backup, to, newer);
    if restored.is_err() {
        remove_all(to)?;
    }
    restored.map(|()| contents)
}

fn copy_all(contents: &Contents, backup: &Path, to: &Path, newer: Option<&Path>) -> Result<(), BackupError> {
    let mut damaged = Vec::new();
    for file in &contents.files {
        damaged.extend(copy_checked(file, backup, to)?);
    }
    if damaged.is_empty() {
        damaged = unnamed(contents, to)?;
    }
    if !damaged.is_empty() {
        return Err(BackupError::Damaged(damaged));
    }
    let objects = to.join(OBJECTS_DIRECTORY);
    if let Some(newer) = newer {
        for directory in [forgotten::DIRECTORY, chain::DIRECTORY] {
            copy_new(&newer.join(OBJECTS_DIRECTORY).join(directory), &objects.join(directory))?;
        }
    }
    let marker = chain::restored_marker(contents.era, contents.commit);
    files::write(&objects.join(marker), b"")?;
    files::sync_names(to)?;
    let file = to.join(DATABASE_FILE);
    fs::rename(to.join(DRAFT), &file).map_err(BackupError::io(&file))?;
    files::sync_names(to)
}

/// Copies a file; says what is wrong with it.
fn copy_checked(file: &KeptFile, backup: &Path, to: &Path) -> Result<Option<Finding>, BackupError> {
    if !files::is_inside(&file.name) {
        return Ok(Some(finding(&file.name, "no file of a backup has such a name")));
    }
    let from = backup.join(&file.name);
    let name = if file.name == DATABASE_FILE { DRAFT } else { &file.name };
    let copied = match files::copy(&from, &to.join(name), &file.name, &mut || Ok(())) {
        Err(BackupError::Io { path, source }) if path == from => {
            return Ok(Some(finding(&file.name, source.to_string())));
        }
        copied => copied?,
    };
    Ok(if copied.bytes != file.bytes {
        let detail = format!("it is {} bytes long, the backup says {}", copied.bytes, file.bytes);
        Some(finding(&file.name, detail))
    } else if copied.sha256 != file.sha256 {
        Some(finding(&file.name, "its SHA-256 is not what the backup says"))
    } else {
        None
    })
}

/// The objects that the database names and the backup does not.
fn unnamed(contents: &Contents, to: &Path) -> Result<Vec<Finding>, BackupError> {
    let named: HashSet<&str> = contents.files.iter().map(|file| file.name.as_str()).collect();
    if !named.contains(DATABASE_FILE) {
        return Ok(vec![finding(DATABASE_FILE, "the backup has no database")]);
    }
    let loaded = sqlite::loaded(&to.join(DRAFT))?;
    let objects = loaded
        .segments
        .iter()
        .flat_map(|segment| [&segment.data, &segment.bundle]);
    let names = objects.map(|object| format!("{OBJECTS_DIRECTORY}/{}", object.name));
    Ok(names
        .filter(|name| !named.contains(name.as_str()))
        .map(|name| finding(name, "the database names it, the backup does not have it"))
        .collect())
}

/// What was forgotten elsewhere has to be readable, and of the same deployment.
fn check_newer(newer: &Path, contents: &Contents) -> Result<(), BackupError> {
    let objects = newer.join(OBJECTS_DIRECTORY);
    if !objects.is_dir() {
        return Err(BackupError::Refused(format!(
            "{} is neither a data directory nor a backup: it has no {OBJECTS_DIRECTORY}",
            newer.display()
        )));
    }
    let directory = objects.join(forgotten::DIRECTORY);
    let mut damaged = Vec::new();
    for name in files::names(&directory)? {
        let path = directory.join(&name);
        let bytes = fs::read(&path).map_err(BackupError::io(&path))?;
        if let Err(what) = forgotten::decode(&bytes, &contents.deployment) {
            damaged.push(finding(path.display().to_string(), what));
        }
    }
    if damaged.is_empty() {
        Ok(())
    } else {
        Err(BackupError::Damaged(damaged))
    }
}

/// Copies the files that are not there yet: of the same name, they are the same.
fn copy_new(from: &Path, to: &Path) -> Result<(), BackupError> {
    for name in files::names(from)? {
        if !to.join(&name).exists() {
            files::copy(&from.join(&name), &to.join(&name), &name, &mut || Ok(()))?;
        }
    }
    Ok(())
}

/// Empties a directory that was empty before.
fn remove_all(directory: &Path) -> Result<(), BackupError> {
    for entry in fs::read_dir(directory).map_err(BackupError::io(directory))? {
        let path = entry.map_err(BackupError::io(directory))?.path();
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.map_err(BackupError::io(&path))?;
    }
    Ok(())
}

/// Checks what was restored, as `fsck` does, and that every ledger stands where the backup says; then makes it forget what is to be
/// forgotten. Every difference is a finding.
///
/// # Errors
/// As [`fsck()`] and [`Ledger::open`].
pub async fn check_restored(parts: Parts, contents: &Contents) -> Result<Fsck, Error> {
    let mut report = fsck(&parts, false).await?;
    // That it was restored is no difference.
    report.findings.retain(|finding| finding.place != "chain");
    let restored = ledgers(&load(&parts).await?)?;
    report.findings.extend(differences(&contents.ledgers, &restored));
    Ledger::open(parts).await?.close().await?;
    Ok(report)
}

fn differences(kept: &[KeptLedger], restored: &[KeptLedger]) -> Vec<Finding> {
    let by_key = |ledgers: &[KeptLedger]| -> BTreeMap<String, KeptLedger> {
        let keyed = ledgers
            .iter()
            .map(|ledger| (format!("{}/{}", ledger.project, ledger.organization), ledger.clone()));
        keyed.collect()
    };
    let (kept, restored) = (by_key(kept), by_key(restored));
    let stands = |ledger: Option<&KeptLedger>| {
        ledger.map_or("it does not exist".to_owned(), |ledger| {
            format!(
                "it has {} events and root {} in epoch {}",
                ledger.size, ledger.root, ledger.epoch
            )
        })
    };
    let keys: std::collections::BTreeSet<&String> = kept.keys().chain(restored.keys()).collect();
    keys.into_iter()
        .filter(|key| kept.get(*key) != restored.get(*key))
        .map(|key| {
            let (before, now) = (stands(kept.get(key)), stands(restored.get(key)));
            finding(
                format!("head of {key}"),
                format!("in the backup {before}, restored {now}"),
            )
        })
        .collect()
}
