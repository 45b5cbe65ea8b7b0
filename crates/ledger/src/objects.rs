//! Objects, and the local files in which they are found.
//!
//! Everything that is kept as an object can also be read as a file: with the objects in a local directory these are the
//! same files, with a remote store they are pieces of this node's cache.
//!
//! Invariants
//! - An object is durable before [`Objects::put_file`] returns, and is never written again.
//! - Names are unique: what is put under a name is the same bytes each time, or the name was never used. So putting is
//!   repeated without harm when an answer was lost.

mod cache;
mod fetch;
mod file;
mod kept;
#[cfg(test)]
mod tests;

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart, path::Path as Name};
use sha2::{Digest, Sha256};

pub use self::cache::ObjectCache;
pub(crate) use self::file::ObjectFile;
use self::kept::Known;
use crate::{
    Error,
    database::{StoredObject, StoredSegment},
    segment::{Segment, Source},
};

/// Where a node finds objects as files.
#[derive(Debug, Clone)]
pub enum ObjectFiles {
    /// The store is local, and these are its own: the directory that it keeps them in.
    Local(PathBuf),
    /// The store is remote: copies of what was used lately.
    Cache(ObjectCache),
}

/// Bytes of one part of an upload; what is not longer goes to a remote store by one request.
const PART_BYTES: usize = 8 << 20;
/// Uploads of parts that may be under way at a time.
const PARTS_WAITING: usize = 4;
/// How often an upload to a remote store is tried, beside the store's own repetitions of single requests.
const PUT_TRIES: u32 = 3;
/// The pause after the first try; it doubles.
const PUT_PAUSE: Duration = Duration::from_millis(500);
/// Where files are written before they become objects.
const SCRATCH: &str = "scratch";

/// A file that may become an object. It goes with this.
#[derive(Debug)]
pub(crate) struct ScratchFile(PathBuf);

impl Drop for ScratchFile {
    fn drop(&mut self) {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, path = %self.0.display(), "a scratch file stays until the next start");
            }
            _ => {}
        }
    }
}

/// An object as it is listed.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) modified: SystemTime,
}

/// The object store of a deployment and the files of its objects.
#[derive(Clone)]
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    files: ObjectFiles,
}

impl Objects {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, files: ObjectFiles) -> Self {
        Self { store, files }
    }

    /// The directory of files of this node's own.
    fn directory(&self) -> &Path {
        match &self.files {
            ObjectFiles::Local(directory) => directory,
            ObjectFiles::Cache(cache) => cache.directory(),
        }
    }

    /// An object as a file. A remote one is not asked for before it is read.
    pub(crate) fn open(&self, object: &StoredObject) -> io::Result<ObjectFile> {
        match &self.files {
            ObjectFiles::Local(directory) => ObjectFile::open(&directory.join(&object.name)),
            ObjectFiles::Cache(cache) => Ok(ObjectFile::cached(cache.clone(), Known::from(object))),
        }
    }

    /// A segment, opened.
    pub(crate) fn segment(&self, stored: &StoredSegment) -> Result<Segment, Error> {
        let (data, bundle) = (&stored.data, &stored.bundle);
        Segment::of(
            Source::data(self.open(data), &self.called(data))?,
            Source::bundle(self.open(bundle), &self.called(bundle))?,
        )
    }

    /// What to call an object in errors.
    fn called(&self, object: &StoredObject) -> String {
        match &self.files {
            ObjectFiles::Local(directory) => directory.join(&object.name).display().to_string(),
            ObjectFiles::Cache(_) => object.name.clone(),
        }
    }

    /// Holds what the store has against the length and, when asked to look deep, the SHA-256 in the manifest; `Err` says what differs.
    pub(crate) fn check(&self, object: &StoredObject, deep: bool) -> Result<(), String> {
        let (length, hash) = match &self.files {
            ObjectFiles::Local(directory) => {
                hash_file(&directory.join(&object.name), deep).map_err(|error| error.to_string())?
            }
            ObjectFiles::Cache(cache) => {
                let looked = look(Arc::clone(&self.store), Name::from(object.name.as_str()), deep);
                let looked = cache.wait_for(looked).map_err(|error| error.to_string())?;
                looked.map_err(|error| error.to_string())?
            }
        };
        if length != object.bytes {
            return Err(format!("it is {length} bytes long, the manifest says {}", object.bytes));
        }
        match hash {
            Some(hash) if hash != object.sha256 => Err("its SHA-256 is not what the manifest says".to_owned()),
            _ => Ok(()),
        }
    }

    /// A new file to write what shall become an object into, readable and writable.
    pub(crate) fn scratch(&self, name: &str) -> Result<(ScratchFile, File), Error> {
        let directory = self.directory().join(SCRATCH);
        let path = directory.join(name.replace('/', "-"));
        let create = || {
            fs::create_dir_all(&directory)?;
            File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(&path)
        };
        let file = create().map_err(|error| Error::storage("make a scratch file", error))?;
        Ok((ScratchFile(path), file))
    }

    /// Forgets scratch files that an earlier process left behind.
    pub(crate) fn clear_scratch(&self) -> Result<(), Error> {
        match fs::remove_dir_all(self.directory().join(SCRATCH)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::storage("clear scratch files", error)),
            _ => Ok(()),
        }
    }

    /// Makes an object of a scratch file. When this returns it is durable and its file is there.
    pub(crate) async fn put_file(&self, scratch: ScratchFile, name: &str) -> Result<(), Error> {
        let failed = |error: &dyn std::fmt::Display| Error::storage("put an object", format!("{error} object={name}"));
        match &self.files {
            ObjectFiles::Local(directory) => {
                self.upload(&scratch, name).await?;
                let path = directory.join(name);
                if path.exists() {
                    return Ok(());
                }
                fs::create_dir_all(path.parent().unwrap_or(directory))
                    .and_then(|()| fs::rename(&scratch.0, &path))
                    .map_err(|error| failed(&error))
            }
            ObjectFiles::Cache(cache) => {
                let bytes = fs::metadata(&scratch.0).map_err(|error| failed(&error))?.len();
                self.upload_surely(&scratch, name, bytes).await?;
                cache.adopt(name, &scratch.0, bytes);
                Ok(())
            }
        }
    }

    /// Puts an object, and looks whether it is there: the only answer that counts.
    async fn upload_surely(&self, scratch: &ScratchFile, name: &str, bytes: u64) -> Result<(), Error> {
        let mut pause = PUT_PAUSE;
        let mut tries = 1;
        loop {
            let put = match bytes <= PART_BYTES as u64 {
                true => self.upload_at_once(scratch, name).await,
                false => self.upload(scratch, name).await,
            };
            let found = self.store.head(&Name::from(name)).await;
            let error = match (found, put) {
                (Ok(found), _) if found.size == bytes => return Ok(()),
                (_, Err(error)) => error,
                (Ok(found), Ok(())) => {
                    let what = format!("{} of {bytes} bytes are there object={name}", found.size);
                    Error::storage("put an object", what)
                }
                (Err(error), Ok(())) => Error::storage("look at an object", format!("{error} object={name}")),
            };
            if tries == PUT_TRIES {
                return Err(error);
            }
            tracing::warn!(%error, tries, "an object has to be put again");
            tokio::time::sleep(pause).await;
            pause *= 2;
            tries += 1;
        }
    }

    async fn upload(&self, scratch: &ScratchFile, name: &str) -> Result<(), Error> {
        let failed = |error: &dyn std::fmt::Display| Error::storage("put an object", format!("{error} object={name}"));
        let upload = self.store.put_multipart(&Name::from(name)).await;
        let mut upload = WriteMultipart::new_with_chunk_size(upload.map_err(|error| failed(&error))?, PART_BYTES);
        let mut file = File::open(&scratch.0).map_err(|error| failed(&error))?;
        let mut part = vec![0; PART_BYTES];
        loop {
            let read = file.read(&mut part).map_err(|error| failed(&error))?;
            if read == 0 {
                break;
            }
            let room = upload.wait_for_capacity(PARTS_WAITING).await;
            room.map_err(|error| failed(&error))?;
            upload.write(&part[..read]);
        }
        upload.finish().await.map(drop).map_err(|error| failed(&error))
    }

    async fn upload_at_once(&self, scratch: &ScratchFile, name: &str) -> Result<(), Error> {
        let bytes = fs::read(&scratch.0);
        let bytes = bytes.map_err(|error| Error::storage("put an object", format!("{error} object={name}")))?;
        self.put(name, bytes).await
    }

    /// Puts a small object. When this returns it is durable.
    pub(crate) async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let put = self.store.put(&Name::from(name), PutPayload::from(bytes)).await;
        put.map(drop)
            .map_err(|error| Error::storage("put an object", format!("{error} object={name}")))
    }

    /// The bytes of a small object.
    pub(crate) async fn get(&self, name: &str) -> Result<Bytes, Error> {
        let failed = |error| Error::storage("get an object", error);
        let found = self.store.get(&Name::from(name)).await.map_err(failed)?;
        found.bytes().await.map_err(failed)
    }

    /// Deletes an object and its file; that it is not there is no error.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), Error> {
        match self.store.delete(&Name::from(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(Error::storage("delete an object", error)),
        }
        match &self.files {
            ObjectFiles::Cache(cache) => cache.forget(name),
            ObjectFiles::Local(directory) => match fs::remove_file(directory.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::storage("delete an object's file", error));
                }
                _ => {}
            },
        }
        Ok(())
    }

    /// The objects whose names begin with a directory.
    pub(crate) async fn list(&self, directory: &str) -> Result<Vec<Listed>, Error> {
        self.store
            .list(Some(&Name::from(directory)))
            .map_ok(|object| Listed {
                name: object.location.to_string(),
                modified: object.last_modified.into(),
            })
            .try_collect()
            .await
            .map_err(|error| Error::storage("list objects", error))
    }

    /// The files of a directory of a local store's objects, named like objects. Some may be none: what is left of uploads that were
    /// cut off.
    pub(crate) fn files(&self, directory: &str) -> Result<Vec<Listed>, Error> {
        let ObjectFiles::Local(files) = &self.files else {
            return Ok(Vec::new());
        };
        let failed = |error: io::Error| Error::storage("list objects' files", error);
        let entries = match fs::read_dir(files.join(directory)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            files.push(Listed {
                name: format!("{directory}/{}", entry.file_name().display()),
                modified: entry.metadata().and_then(|data| data.modified()).map_err(failed)?,
            });
        }
        Ok(files)
    }
}

impl From<&StoredObject> for Known {
    fn from(object: &StoredObject) -> Self {
        Self {
            name: Arc::from(object.name.as_str()),
            bytes: object.bytes,
            sha256: object.sha256,
        }
    }
}

/// Length and, when asked for, SHA-256 of a file.
fn hash_file(path: &Path, deep: bool) -> io::Result<(u64, Option<[u8; 32]>)> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    if !deep {
        return Ok((length, None));
    }
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((length, Some(hash.finalize().into()))),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// Length and, when asked for, SHA-256 of what the store has, whatever the cache has.
async fn look(store: Arc<dyn ObjectStore>, name: Name, deep: bool) -> object_store::Result<(u64, Option<[u8; 32]>)> {
    if !deep {
        return Ok((store.head(&name).await?.size, None));
    }
    let found = store.get(&name).await?;
    let (mut length, mut hash) = (0, Sha256::new());
    let mut bytes = found.into_stream();
    while let Some(bytes) = bytes.try_next().await? {
        length += bytes.len() as u64;
        hash.update(&bytes);
    }
    Ok((length, Some(hash.finalize().into())))
}
