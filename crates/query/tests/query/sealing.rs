//! Real segments in a scratch directory.

use std::{
    fs::File,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tempfile::TempDir;
use trailbook_ledger::{
    Row, SealedRun, SegmentHandle,
    segment::{Compression, Segment, Writer},
};
use trailbook_query::BlockIndexer;

use crate::plain::organization;

/// The ledger's number in its segments.
pub(crate) const LEDGER: u64 = 5;

/// Segments, numbered.
pub(crate) struct Segments {
    directory: TempDir,
    next: AtomicU64,
}

impl Segments {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            next: AtomicU64::new(0),
        }
    }

    /// Writes rows, which follow one another, into a segment in which another ledger has a run too.
    pub(crate) fn write(&self, mut rows: Vec<Arc<Row>>) -> SealedRun {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (data, bundle) = self.files(id);
        let create = |path: &PathBuf| {
            File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open(path)
                .unwrap()
        };
        let mut writer = Writer::create(create(&data), create(&bundle), &BlockIndexer, Compression(1)).unwrap();
        let first = Arc::clone(&rows[0]);
        rows.sort_by_key(|row| std::cmp::Reverse((row.occurred_at, row.sequence)));
        writer.begin_run(LEDGER - 1, &organization()).unwrap();
        writer.push(first).unwrap();
        writer.begin_run(LEDGER, &organization()).unwrap();
        rows.into_iter().for_each(|row| writer.push(row).unwrap());
        writer.finish().unwrap();
        let segment = Arc::new(Segment::open(&data, &bundle).unwrap());
        let run = segment.run(LEDGER).unwrap().unwrap();
        SealedRun {
            segment: SegmentHandle::new(id, move || Ok(Arc::clone(&segment))),
            run,
        }
    }

    /// The Parquet file and the bundle of a segment.
    pub(crate) fn files(&self, id: u64) -> (PathBuf, PathBuf) {
        let file = |extension: &str| self.directory.path().join(format!("{id}.{extension}"));
        (file("parquet"), file("bundle"))
    }
}
