//! A directory of objects at whose gate a job can be stopped, so that other things happen while it is under way.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result, local::LocalFileSystem, path::Path,
};
use tokio::sync::oneshot;

/// Stops who puts an object.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<Option<Closed>>);

/// A gate that was closed for one of the next puts.
#[derive(Debug)]
struct Closed {
    puts_before: usize,
    reached: oneshot::Sender<()>,
    opened: oneshot::Receiver<()>,
}

impl Gate {
    /// Closes the gate for the put after the next so many. Answers what becomes ready when somebody has come to it, or never will,
    /// and what opens it.
    pub(super) fn close(&self, puts_before: usize) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let (reached, is_reached) = oneshot::channel();
        let (open, opened) = oneshot::channel();
        *self.0.lock().unwrap() = Some(Closed {
            puts_before,
            reached,
            opened,
        });
        (is_reached, open)
    }

    /// Takes back what [`Gate::close`] did, if nobody came.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap() = None;
    }

    async fn pass(&self) {
        let closed = {
            let mut closed = self.0.lock().unwrap();
            match &mut *closed {
                Some(waiting) if waiting.puts_before > 0 => {
                    waiting.puts_before -= 1;
                    None
                }
                _ => closed.take(),
            }
        };
        if let Some(closed) = closed {
            closed.reached.send(()).unwrap();
            closed.opened.await.unwrap();
        }
    }
}

/// Objects behind a gate.
#[derive(Debug)]
pub(super) struct Gated {
    pub(super) objects: LocalFileSystem,
    pub(super) gate: Arc<Gate>,
}

impl fmt::Display for Gated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.objects.fmt(formatter)
    }
}

#[async_trait]
impl ObjectStore for Gated {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.objects.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.gate.pass().await;
        self.objects.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.objects.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.objects.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.objects.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.objects.copy_opts(from, to, options).await
    }
}
