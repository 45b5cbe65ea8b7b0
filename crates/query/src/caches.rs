//! What was read of segments and may be asked for again, bounded in bytes.

use std::sync::Arc;

use quick_cache::{Weighter, sync::Cache};
use trailbook_ledger::Row;

use crate::{
    Error,
    block::{BlockKey, Moments},
    index::{Header, Part},
};

/// How much of segments an [`crate::Engine`] keeps in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSizes {
    /// Bytes of indexes.
    pub index_bytes: u64,
    /// Bytes of rows.
    pub row_bytes: u64,
}

impl Default for CacheSizes {
    fn default() -> Self {
        Self {
            index_bytes: 256 << 20,
            row_bytes: 64 << 20,
        }
    }
}

/// Memory of a row beside its parts, and of an entry of a cache.
const ENTRY_BYTES: usize = 240;
/// Of an average part, header or list of moments; only for the caches' first layout.
const PART_BYTES: u64 = 64 * 1024;
/// As [`PART_BYTES`], for rows.
const ROW_BYTES: u64 = 2048;

/// Weighs what is cached in bytes.
#[derive(Clone)]
struct Bytes;

macro_rules! weigh {
    ($key:ty, $value:ty, $bytes:expr) => {
        impl Weighter<$key, Arc<$value>> for Bytes {
            fn weight(&self, _: &$key, value: &Arc<$value>) -> u64 {
                let bytes: fn(&$value) -> usize = $bytes;
                (bytes(value) + ENTRY_BYTES) as u64
            }
        }
    };
}

weigh!(BlockKey, Header, Header::memory);
weigh!(BlockKey, Moments, Moments::memory);
weigh!((BlockKey, u32), Part, Part::memory);
weigh!((u64, u64), Row, |row| row.parts.bytes().len());

/// Rows that are read at once and more than this are not kept: whoever reads so many reads them once.
const KEPT_ROWS_MAX: usize = 1_024;

/// The caches of an engine.
pub(crate) struct Caches {
    headers: Cache<BlockKey, Arc<Header>, Bytes>,
    moments: Cache<BlockKey, Arc<Moments>, Bytes>,
    parts: Cache<(BlockKey, u32), Arc<Part>, Bytes>,
    /// By segment and place in its Parquet file.
    rows: Cache<(u64, u64), Arc<Row>, Bytes>,
}

impl Caches {
    pub(crate) fn new(sizes: CacheSizes) -> Self {
        // Headers are needed for everything and small; moments have 12 bytes a row where parts have some hundred.
        let (headers, moments) = (sizes.index_bytes / 16, sizes.index_bytes / 4);
        let parts = sizes.index_bytes - headers - moments;
        let items = |bytes: u64, each: u64| (bytes / each) as usize + 1;
        Self {
            headers: Cache::with_weighter(items(headers, PART_BYTES / 16), headers, Bytes),
            moments: Cache::with_weighter(items(moments, PART_BYTES), moments, Bytes),
            parts: Cache::with_weighter(items(parts, PART_BYTES), parts, Bytes),
            rows: Cache::with_weighter(items(sizes.row_bytes, ROW_BYTES), sizes.row_bytes, Bytes),
        }
    }

    /// How often each cache had what was asked for, and how often not.
    pub(crate) fn counts(&self) -> [(&'static str, u64, u64); 4] {
        [
            ("headers", self.headers.hits(), self.headers.misses()),
            ("moments", self.moments.hits(), self.moments.misses()),
            ("parts", self.parts.hits(), self.parts.misses()),
            ("rows", self.rows.hits(), self.rows.misses()),
        ]
    }

    pub(crate) fn header(
        &self,
        key: BlockKey,
        read: impl FnOnce() -> Result<Header, Error>,
    ) -> Result<Arc<Header>, Error> {
        self.headers.get_or_insert_with(&key, || read().map(Arc::new))
    }

    pub(crate) fn moments(
        &self,
        key: BlockKey,
        read: impl FnOnce() -> Result<Moments, Error>,
    ) -> Result<Arc<Moments>, Error> {
        self.moments.get_or_insert_with(&key, || read().map(Arc::new))
    }

    pub(crate) fn part(
        &self,
        key: (BlockKey, u32),
        read: impl FnOnce() -> Result<Part, Error>,
    ) -> Result<Arc<Part>, Error> {
        self.parts.get_or_insert_with(&key, || read().map(Arc::new))
    }

    /// Rows of a run by their numbers, in the order of these; `read` reads those that are not here, in ascending order.
    pub(crate) fn rows(
        &self,
        segment: u64,
        first_row: u64,
        numbers: &[u64],
        read: impl FnOnce(&[u64]) -> Result<Vec<Row>, Error>,
    ) -> Result<Vec<Arc<Row>>, Error> {
        let place = |number: u64| (segment, first_row + number);
        let mut rows: Vec<Option<Arc<Row>>> = numbers.iter().map(|number| self.rows.get(&place(*number))).collect();
        let absent = numbers.iter().zip(&rows).filter(|(_, row)| row.is_none());
        let mut missing: Vec<u64> = absent.map(|(number, _)| *number).collect();
        missing.sort_unstable();
        if !missing.is_empty() {
            let read: Vec<Arc<Row>> = read(&missing)?.into_iter().map(Arc::new).collect();
            if missing.len() <= KEPT_ROWS_MAX {
                for (number, row) in missing.iter().zip(&read) {
                    self.rows.insert(place(*number), Arc::clone(row));
                }
            }
            for (number, slot) in numbers.iter().zip(&mut rows) {
                if let (None, Ok(at)) = (&slot, missing.binary_search(number)) {
                    *slot = read.get(at).cloned();
                }
            }
        }
        let rows: Option<Vec<Arc<Row>>> = rows.into_iter().collect();
        rows.ok_or_else(|| Error::corrupt(format!("rows are missing: segment={segment}; run `trailbook fsck`")))
    }
}

impl std::fmt::Debug for Caches {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Caches")
    }
}
