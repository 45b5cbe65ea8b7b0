//! A directory of objects whose writes fail as planned.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result, UploadPart, local::LocalFileSystem, path::Path,
};
use trailbook_ledger::{Measures, Parts};

use crate::{
    faulty::{Fault, Faults, Faulty},
    support::Scratch,
};

/// Objects whose writes are `put`, `create`, `part`, `complete` and `delete`.
pub(crate) struct FaultyObjects {
    pub(crate) inner: Arc<LocalFileSystem>,
    pub(crate) faults: Arc<Faults>,
}

fn failed() -> object_store::Error {
    object_store::Error::Generic {
        store: "faulty",
        source: "planned".into(),
    }
}

/// Does a write, unless it is the one that is planned to fail.
async fn write<T>(faults: &Faults, verb: &'static str, write: impl Future<Output = Result<T>>) -> Result<T> {
    match faults.strikes(verb) {
        None => write.await,
        Some(Fault::LostAfter) => {
            write.await?;
            Err(failed())
        }
        Some(Fault::KilledBefore) => faults.die().await,
        Some(Fault::KilledAfter) => {
            let _done = std::mem::ManuallyDrop::new(write.await?);
            faults.die().await
        }
        Some(Fault::Before | Fault::LostBefore | Fault::Sync) => Err(failed()),
    }
}

impl fmt::Debug for FaultyObjects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(formatter)
    }
}

impl fmt::Display for FaultyObjects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, formatter)
    }
}

#[async_trait]
impl ObjectStore for FaultyObjects {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        write(&self.faults, "put", self.inner.put_opts(location, payload, options)).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let create = self.inner.put_multipart_opts(location, options);
        let upload = write(&self.faults, "create", create).await?;
        Ok(Box::new(FaultyUpload {
            inner: Some(upload),
            faults: Arc::clone(&self.faults),
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let (inner, faults) = (Arc::clone(&self.inner), Arc::clone(&self.faults));
        let delete = move |location: Result<Path>| {
            let (inner, faults) = (Arc::clone(&inner), Arc::clone(&faults));
            async move {
                let location = location?;
                let one = futures::stream::iter([Ok(location)]).boxed();
                let mut deleted = inner.delete_stream(one);
                write(&faults, "delete", async {
                    deleted.next().await.unwrap_or_else(|| Err(failed()))
                })
                .await
            }
        };
        locations.then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// An upload that fails as planned.
struct FaultyUpload {
    inner: Option<Box<dyn MultipartUpload>>,
    faults: Arc<Faults>,
}

impl fmt::Debug for FaultyUpload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(formatter)
    }
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let part = self.inner.as_mut().unwrap().put_part(data);
        let faults = Arc::clone(&self.faults);
        Box::pin(async move { write(&faults, "part", part).await })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        write(&self.faults, "complete", self.inner.as_mut().unwrap().complete()).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.as_mut().unwrap().abort().await
    }
}

impl Drop for FaultyUpload {
    fn drop(&mut self) {
        // Who is dead does not clean up.
        if self.faults.is_dead() {
            std::mem::forget(self.inner.take());
        }
    }
}

/// The parts of a ledger whose writes fail as planned.
pub(crate) async fn faulty(scratch: &Scratch, faults: &Arc<Faults>) -> Parts {
    let measures = Arc::new(Measures::default());
    let database = Faulty {
        inner: scratch.database(&measures).await,
        faults: Arc::clone(faults),
    };
    let parts = scratch.parts_on(Arc::new(database), measures);
    let directory = scratch.directory.path().join("objects");
    let objects = FaultyObjects {
        inner: Arc::new(LocalFileSystem::new_with_prefix(directory).unwrap()),
        faults: Arc::clone(faults),
    };
    Parts {
        objects: Arc::new(objects),
        ..parts
    }
}
