//! Objects, and the local files in which they are found.
//!
//! Everything that is kept as an object can also be read as a file: with the objects in a local directory these are the
//! same files, with a remote store they are this node's copies.
//!
//! Invariants
//! - An object is synced before [`Objects::put_file`] returns, and is never written again.
//! - Names are unique: what is put under a name is the same bytes each time, or the name was never used.

use std::{
    fs::{self, File},
    io,
    path::PathBuf,
    sync::Arc,
    time::SystemTime,
};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart, path::Path as Name};

use crate::Error;

/// Bytes of one part of an upload.
const PART_BYTES: usize = 8 << 20;
/// Uploads of parts that may be under way at a time.
const PARTS_WAITING: usize = 4;
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

/// The object store of a deployment and the directory of its objects' files.
#[derive(Clone)]
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    directory: PathBuf,
}

impl Objects {
    /// `directory` is where a local store keeps its objects, or where those of a remote one are copied to.
    pub(crate) fn new(store: Arc<dyn ObjectStore>, directory: PathBuf) -> Self {
        Self { store, directory }
    }

    /// The file of an object.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// A new file to write what shall become an object into, readable and writable.
    pub(crate) fn scratch(&self, name: &str) -> Result<(ScratchFile, File), Error> {
        let directory = self.directory.join(SCRATCH);
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
        match fs::remove_dir_all(self.directory.join(SCRATCH)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::storage("clear scratch files", error)),
            _ => Ok(()),
        }
    }

    /// Makes an object of a scratch file. When this returns it is durable and its file is there.
    pub(crate) async fn put_file(&self, scratch: ScratchFile, name: &str) -> Result<(), Error> {
        let failed = |error: &dyn std::fmt::Display| Error::storage("put an object", error);
        let upload = self
            .store
            .put_multipart(&Name::from(name))
            .await
            .map_err(|error| failed(&error))?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        let mut file = File::open(&scratch.0).map_err(|error| failed(&error))?;
        let mut part = vec![0; PART_BYTES];
        loop {
            let read = io::Read::read(&mut file, &mut part).map_err(|error| failed(&error))?;
            if read == 0 {
                break;
            }
            upload
                .wait_for_capacity(PARTS_WAITING)
                .await
                .map_err(|error| failed(&error))?;
            upload.write(&part[..read]);
        }
        upload.finish().await.map_err(|error| failed(&error))?;
        let path = self.file(name);
        if path.exists() {
            return Ok(());
        }
        let directory = path.parent().unwrap_or(&self.directory);
        fs::create_dir_all(directory)
            .and_then(|()| fs::rename(&scratch.0, &path))
            .map_err(|error| failed(&error))
    }

    /// Puts a small object. When this returns it is durable.
    pub(crate) async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let put = self.store.put(&Name::from(name), PutPayload::from(bytes)).await;
        put.map(drop).map_err(|error| Error::storage("put an object", error))
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
        match fs::remove_file(self.file(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::storage("delete an object's file", error))
            }
            _ => Ok(()),
        }
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

    /// The files of a directory of objects, named like objects. Some may be none: what is left of uploads that were cut off.
    pub(crate) fn files(&self, directory: &str) -> Result<Vec<Listed>, Error> {
        let failed = |error: io::Error| Error::storage("list objects' files", error);
        let entries = match fs::read_dir(self.directory.join(directory)) {
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
