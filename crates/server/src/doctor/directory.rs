//! The data directory and the files of secrets: who may read them, where they lie, and whether what is synced stays.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::fs::{Access, StatVfs};

use super::check::Check;
use crate::{
    config::{Settings, Shown},
    encryption, root_key, store,
};

const GIB: u64 = 1 << 30;
/// Less free space than this lasts for minutes.
const FREE_BYTES_MIN: u64 = GIB;

/// Syncs that are timed.
const SYNCS: usize = 9;
/// What is written before each, bytes.
const SYNC_BYTES: usize = 4_096;
/// No disk keeps 4 KiB sooner than this; memory does.
const SYNC_MIN: Duration = Duration::from_micros(15);
/// From here on acknowledgements are slow.
const SYNC_MAX: Duration = Duration::from_millis(50);

/// How a file system bears on what is kept in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A disk of this machine.
    Disk,
    /// Gone with the container or the machine's power.
    Fleeting,
    /// Locks and syncs of SQLite may not hold.
    Remote,
}

/// File systems by the number that the kernel gives them (statfs(2)).
const FILE_SYSTEMS: [(u64, &str, Kind); 11] = [
    (0xEF53, "ext4", Kind::Disk),
    (0x5846_5342, "xfs", Kind::Disk),
    (0x9123_683E, "btrfs", Kind::Disk),
    (0x2FC1_2FC1, "zfs", Kind::Disk),
    (0xF2F5_2010, "f2fs", Kind::Disk),
    (0x0102_1994, "tmpfs", Kind::Fleeting),
    (0x794C_7630, "overlayfs", Kind::Fleeting),
    (0x6969, "nfs", Kind::Remote),
    (0xFF53_4D42, "cifs", Kind::Remote),
    (0xFE53_4D42, "smb2", Kind::Remote),
    (0x6573_5546, "fuse", Kind::Remote),
];

/// Everything about the data directory.
pub(super) fn examine(settings: &Settings) -> Vec<Check> {
    let data = &settings.data;
    match fs::metadata(data) {
        Ok(metadata) if !metadata.is_dir() => vec![Check::failed(
            "data directory",
            format!("{} is no directory", data.display()),
            "name a directory with data",
        )],
        Ok(metadata) => {
            let mut checks = vec![owner(settings, &metadata)];
            checks.extend(space(settings));
            checks.push(syncs(data));
            checks
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => vec![to_be_made(data)],
        Err(error) => vec![Check::failed(
            "data directory",
            format!("{} cannot be looked at: {error}", data.display()),
            "run doctor as the user that the server runs as",
        )],
    }
}

/// A directory that the server is to make at its first start.
fn to_be_made(data: &Path) -> Check {
    let absolute = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let above = absolute
        .ancestors()
        .find(|ancestor| ancestor.exists())
        .unwrap_or(Path::new("/"));
    match rustix::fs::access(above, Access::WRITE_OK) {
        Ok(()) => Check::ok(
            "data directory",
            format!("{} is not there yet and can be made", data.display()),
        ),
        Err(error) => Check::failed(
            "data directory",
            format!(
                "{} is not there and cannot be made in {}: {error}",
                data.display(),
                above.display()
            ),
            "make it, and give it to the user that the server runs as",
        ),
    }
}

fn owner(settings: &Settings, metadata: &fs::Metadata) -> Check {
    let (us, owner, mode) = (
        rustix::process::geteuid().as_raw(),
        metadata.uid(),
        metadata.mode() & 0o777,
    );
    let found = format!("{} belongs to user {owner}, mode {mode:03o}", settings.data.display());
    if is_cache(settings) {
        return Check::ok("data directory", format!("{found}; it holds a cache alone"));
    }
    if us != owner {
        return Check::warning(
            "data directory",
            format!("{found}; this is user {us}"),
            "run doctor and the server as the directory's owner",
        );
    }
    match (mode & 0o002, mode & 0o055) {
        (0, 0) => Check::ok("data directory", found),
        (0, _) => Check::warning(
            "data directory",
            format!("{found}: others on this machine can look into it"),
            "chmod 700: what is stored is for the server alone",
        ),
        _ => Check::failed(
            "data directory",
            format!("{found}: anybody on this machine can put files into it"),
            "chmod 700",
        ),
    }
}

/// Whether the directory keeps nothing but a cache, which may lie anywhere and be lost at any time.
fn is_cache(settings: &Settings) -> bool {
    settings.on_postgres() && settings.objects.is_some()
}

/// Free space, and what kind of file system it is.
fn space(settings: &Settings) -> Vec<Check> {
    let data = &settings.data;
    let (Ok(volume), Ok(kind)) = (rustix::fs::statvfs(data), rustix::fs::statfs(data)) else {
        return vec![Check::warning(
            "disk",
            format!("the file system of {} says nothing of itself", data.display()),
            "use a file system of a disk of this machine",
        )];
    };
    // The number's sign depends on the processor; its lower 32 bits are the same everywhere.
    let number = kind.f_type as u64 & 0xFFFF_FFFF;
    let known = FILE_SYSTEMS.iter().find(|(known, _, _)| *known == number);
    let (name, kind) = known.map_or(("an unknown kind", Kind::Disk), |(_, name, kind)| (*name, *kind));
    vec![file_system(settings, name, kind), free(settings, &volume)]
}

fn file_system(settings: &Settings, name: &str, kind: Kind) -> Check {
    match kind {
        _ if is_cache(settings) => Check::ok("file system", name.into()),
        Kind::Disk => Check::ok("file system", name.into()),
        Kind::Fleeting => Check::warning(
            "file system",
            format!("{name}: what is written there is gone with the container or the power"),
            "mount a volume at the data directory",
        ),
        Kind::Remote => Check::failed(
            "file system",
            format!("{name}: its locks and syncs are not those of a disk"),
            "use a disk of this machine, or PostgreSQL and an object store",
        ),
    }
}

fn free(settings: &Settings, volume: &StatVfs) -> Check {
    let (free, all) = (volume.f_bavail * volume.f_frsize, volume.f_blocks * volume.f_frsize);
    let found = format!("{:.1} of {:.1} GiB are free", gib(free), gib(all));
    if free < FREE_BYTES_MIN || free < all / 10 {
        return Check::warning("disk", found, "make space: a full disk refuses events");
    }
    if settings.objects.is_some() && settings.limits.cache_bytes > all / 10 * 9 {
        let limit = gib(settings.limits.cache_bytes);
        return Check::warning(
            "disk",
            format!("{found}; cache_bytes_max allows {limit:.1} GiB"),
            "lower cache_bytes_max below the size of the disk",
        );
    }
    Check::ok("disk", found)
}

fn gib(bytes: u64) -> f64 {
    bytes as f64 / GIB as f64
}

/// Whether a sync takes as long as a disk needs.
fn syncs(data: &Path) -> Check {
    match time_of_sync(data) {
        Ok(median) if median < SYNC_MIN => Check::warning(
            "fsync",
            format!("{median:?}: no disk is that fast"),
            "find out whether the disk, or the host of this virtual machine, keeps in memory what it says to have written",
        ),
        Ok(median) if median > SYNC_MAX => Check::warning(
            "fsync",
            format!("{median:?}: every acknowledgement waits for one"),
            "use a faster disk",
        ),
        Ok(median) => Check::ok("fsync", format!("{median:?}, the median of {SYNCS}")),
        Err(error) => Check::failed(
            "fsync",
            format!("a file in {} cannot be written and synced: {error}", data.display()),
            "give the directory to the user that the server runs as; see whether the disk is full or read-only",
        ),
    }
}

fn time_of_sync(data: &Path) -> io::Result<Duration> {
    let path = data.join(format!("doctor-{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    let times = write_and_sync(&mut file);
    fs::remove_file(&path)?;
    let mut times = times?;
    times.sort_unstable();
    Ok(times[SYNCS / 2])
}

fn write_and_sync(file: &mut File) -> io::Result<Vec<Duration>> {
    let one = |_| {
        file.write_all(&[7; SYNC_BYTES])?;
        let started = Instant::now();
        file.sync_data()?;
        Ok(started.elapsed())
    };
    (0..SYNCS).map(one).collect()
}

/// Who may read the files that hold secrets: those that settings name, and those that the server made.
pub(super) fn secrets(settings: &Settings, shown: &[Shown]) -> Vec<Check> {
    let named = shown.iter().filter(|setting| setting.name.ends_with("_file"));
    let named = named.filter_map(|setting| setting.value.as_ref().map(PathBuf::from));
    let made = [root_key::FILE, encryption::FILE, store::SIGNING_KEY_FILE].map(|file| settings.data.join(file));
    let files: Vec<PathBuf> = named.chain(made.into_iter().filter(|path| path.exists())).collect();
    let open: Vec<Check> = files.iter().filter_map(|path| open_to_others(path)).collect();
    match (files.len(), open.is_empty()) {
        (0, _) => Vec::new(),
        (count, true) => vec![Check::ok("files of secrets", format!("{count}, closed to others"))],
        _ => open,
    }
}

fn open_to_others(path: &Path) -> Option<Check> {
    let mode = fs::metadata(path).ok()?.mode() & 0o777;
    (mode & 0o007 != 0).then(|| {
        Check::warning(
            "files of secrets",
            format!("anybody on this machine can read {} (mode {mode:03o})", path.display()),
            "chmod 600, or 640 with the server's group; in a container that nobody else uses it does no harm",
        )
    })
}
