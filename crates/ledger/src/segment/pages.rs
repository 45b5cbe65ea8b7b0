//! Where the pages of a row group are in the Parquet file, and their checksums: a table in the bundle, so that single pages
//! can be read and nothing that is damaged is decoded.
//!
//! Invariant: a table that was read lies within the file that it describes.
//! See docs/formats/segment.md, "Page table".

use super::{
    bytes::Fields,
    columns::{COLUMNS, Column},
};

/// Column: offset u64, dictionary length u32, dictionary checksum u32, pages u32.
const COLUMN_BYTES: usize = 20;
/// Page: rows u32, length u32, checksum u32.
const PAGE_BYTES: usize = 12;

/// A page as it stands in the file, with its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// Rows whose values it holds; 0 for a dictionary.
    pub(super) rows: u32,
    pub(super) length: u32,
    pub(super) checksum: u32,
}

/// The pages of one column of a row group; they follow one another, the dictionary first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColumnPages {
    /// Where the first of them begins.
    pub(super) offset: u64,
    pub(super) dictionary: Option<Page>,
    pub(super) pages: Vec<Page>,
}

impl ColumnPages {
    /// Bytes of all pages.
    fn length(&self) -> u64 {
        let pages = self.pages.iter().chain(&self.dictionary);
        pages.map(|page| u64::from(page.length)).sum()
    }

    fn rows(&self) -> u64 {
        self.pages.iter().map(|page| u64::from(page.rows)).sum()
    }
}

/// The pages of a row group, by column.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PageTable(pub(super) Vec<ColumnPages>);

impl PageTable {
    pub(super) fn column(&self, column: Column) -> &ColumnPages {
        &self.0[column as usize]
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for column in &self.0 {
            let dictionary = column.dictionary.map_or((0, 0), |page| (page.length, page.checksum));
            out.extend_from_slice(&column.offset.to_le_bytes());
            for field in [dictionary.0, dictionary.1, column.pages.len() as u32] {
                out.extend_from_slice(&field.to_le_bytes());
            }
        }
        for page in self.0.iter().flat_map(|column| &column.pages) {
            for field in [page.rows, page.length, page.checksum] {
                out.extend_from_slice(&field.to_le_bytes());
            }
        }
        out
    }

    /// A table from its bytes; `None` when it is not that of `rows` rows within `data_bytes` bytes.
    pub(super) fn decode(bytes: &[u8], rows: u64, data_bytes: u64) -> Option<Self> {
        let (heads, pages) = bytes.split_at_checked(COLUMNS * COLUMN_BYTES)?;
        let mut pages = Fields(pages);
        let columns = heads.chunks_exact(COLUMN_BYTES).map(|head| {
            let mut head = Fields(head);
            let offset = head.u64()?;
            let (length, checksum, count) = (head.u32()?, head.u32()?, head.u32()? as usize);
            let dictionary = (length > 0).then_some(Page {
                rows: 0,
                length,
                checksum,
            });
            let mut entries = Fields(pages.bytes(count.checked_mul(PAGE_BYTES)?)?);
            let page = |_| {
                Some(Page {
                    rows: entries.u32()?,
                    length: entries.u32()?,
                    checksum: entries.u32()?,
                })
            };
            let pages = (0..count).map(page).collect::<Option<_>>()?;
            let column = ColumnPages {
                offset,
                dictionary,
                pages,
            };
            let end = offset.checked_add(column.length())?;
            (column.rows() == rows && end <= data_bytes).then_some(column)
        });
        let table = columns.collect::<Option<Vec<_>>>()?;
        pages.is_empty().then_some(Self(table))
    }
}
