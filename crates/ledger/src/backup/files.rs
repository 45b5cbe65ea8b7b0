//! Files on their way into a backup or out of one: for the owner alone, synced, and hashed while they are copied.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Component, Path},
};

use sha2::{Digest, Sha256};

use super::{BackupError, KeptFile, hex};

/// Bytes that are copied at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// Makes a directory for the owner alone; one that is there has to be empty.
pub(super) fn make_empty(directory: &Path) -> Result<(), BackupError> {
    make_directories(directory)?;
    let mut entries = fs::read_dir(directory).map_err(BackupError::io(directory))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(BackupError::Refused(format!(
            "{} is not empty: choose a directory that is not there yet, or an empty one",
            directory.display()
        ))),
    }
}

/// Makes a directory and those above it, each for the owner alone where it is not there yet.
pub(super) fn make_directories(directory: &Path) -> Result<(), BackupError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(directory).map_err(BackupError::io(directory))
}

/// Copies a file to where none is, synced; answers what was copied. `going_on` is called now and then.
pub(super) fn copy(
    from: &Path,
    to: &Path,
    name: &str,
    going_on: &mut dyn FnMut() -> Result<(), BackupError>,
) -> Result<KeptFile, BackupError> {
    if let Some(directory) = to.parent() {
        make_directories(directory)?;
    }
    let source = File::open(from).map_err(BackupError::io(from))?;
    let mut copy = create(to)?;
    let kept = read(source, from, name, &mut |chunk| {
        copy.write_all(chunk).map_err(BackupError::io(to))?;
        going_on()
    })?;
    copy.sync_all().map_err(BackupError::io(to))?;
    Ok(kept)
}

/// Syncs a file that somebody else wrote, and says what is in it. `going_on` is called now and then.
pub(super) fn describe(
    path: &Path,
    name: &str,
    going_on: &mut dyn FnMut() -> Result<(), BackupError>,
) -> Result<KeptFile, BackupError> {
    let file = File::open(path).map_err(BackupError::io(path))?;
    file.sync_all().map_err(BackupError::io(path))?;
    read(file, path, name, &mut |_| going_on())
}

/// Reads a file to its end, chunk by chunk, and says what was in it.
fn read(
    mut file: File,
    path: &Path,
    name: &str,
    take: &mut dyn FnMut(&[u8]) -> Result<(), BackupError>,
) -> Result<KeptFile, BackupError> {
    let (mut hash, mut bytes, mut chunk) = (Sha256::new(), 0, vec![0; CHUNK_BYTES]);
    loop {
        let length = file.read(&mut chunk).map_err(BackupError::io(path))?;
        if length == 0 {
            break;
        }
        hash.update(&chunk[..length]);
        bytes += length as u64;
        take(&chunk[..length])?;
    }
    Ok(KeptFile {
        name: name.to_owned(),
        bytes,
        sha256: hex(&hash.finalize()),
    })
}

/// Writes a new file, synced.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    if let Some(directory) = path.parent() {
        make_directories(directory)?;
    }
    let mut file = create(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(BackupError::io(path))
}

fn create(path: &Path) -> Result<File, BackupError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path).map_err(BackupError::io(path))
}

/// Syncs a directory and all below it, so that the names last.
pub(super) fn sync_names(directory: &Path) -> Result<(), BackupError> {
    for entry in fs::read_dir(directory).map_err(BackupError::io(directory))? {
        let entry = entry.map_err(BackupError::io(directory))?;
        if entry.file_type().map_err(BackupError::io(directory))?.is_dir() {
            sync_names(&entry.path())?;
        }
    }
    let synced = File::open(directory).and_then(|opened| opened.sync_all());
    synced.map_err(BackupError::io(directory))
}

/// The names of the objects in a directory, in order; none when it is not there.
pub(super) fn names(directory: &Path) -> Result<Vec<String>, BackupError> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(BackupError::io(directory))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(BackupError::io(directory))?;
        // An object that is being put has a name with this sign, which no object has.
        names.extend(entry.file_name().into_string().ok().filter(|name| !name.contains('#')));
    }
    names.sort_unstable();
    Ok(names)
}

/// Whether a name in a backup stays in its directory.
pub(super) fn is_inside(name: &str) -> bool {
    let mut components = Path::new(name).components().peekable();
    components.peek().is_some() && components.all(|component| matches!(component, Component::Normal(_)))
}
