//! Writing the Parquet file: cells of rows become pages of columns, pages become row groups.
//!
//! Invariants
//! - Memory is one row group, compressed, and a page of each column.
//! - Each page's place and checksum go to the page table, taken from the very bytes that are written.

use std::{
    fs::File,
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::Bytes;
use parquet::{
    column::{
        page::{CompressedPage, PageWriteSpec, PageWriter},
        writer::{ColumnWriter, get_column_writer, get_typed_column_writer_mut},
    },
    data_type::{BoolType, ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterPropertiesPtr,
        writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite},
    },
};

use super::{
    Compression,
    cells::Cells,
    columns::{Column, Kind, PAGE_ROWS, properties, schema},
    files::HashedFile,
    pages::{ColumnPages, Page, PageTable},
};

/// Rows of a row group: what other engines read at once, and what shares dictionaries.
const GROUP_ROWS: usize = 64 * PAGE_ROWS;
/// A row group whose events take more bytes than this ends.
const GROUP_BYTES: usize = 64 << 20;

/// A row group that was written.
pub(super) struct WrittenGroup {
    pub(super) rows: u64,
    pub(super) table: PageTable,
}

/// The Parquet file being written.
pub(super) struct Data {
    file: SerializedFileWriter<HashedFile>,
    properties: WriterPropertiesPtr,
    /// By column: values of rows that are not yet encoded, at most a page.
    buffers: Vec<Buffer>,
    buffered_rows: usize,
    group: Option<OpenGroup>,
}

struct OpenGroup {
    columns: Vec<(ColumnWriter<'static>, SharedChunk)>,
    rows: usize,
    bytes: usize,
}

impl Data {
    pub(super) fn create(file: File, compression: Compression) -> Result<Self, ParquetError> {
        let properties = Arc::new(properties(compression)?);
        let root = schema().root_schema_ptr();
        Ok(Self {
            file: SerializedFileWriter::new(HashedFile::new(file), root, Arc::clone(&properties))?,
            properties,
            buffers: Column::ALL.map(Buffer::new).into(),
            buffered_rows: 0,
            group: None,
        })
    }

    /// Adds a row; answers the row group that ended with it, if one did.
    pub(super) fn push(&mut self, cells: &Cells<'_>, event_bytes: usize) -> Result<Option<WrittenGroup>, ParquetError> {
        for (column, buffer) in Column::ALL.into_iter().zip(&mut self.buffers) {
            buffer.push(cells, column);
        }
        self.buffered_rows += 1;
        let group = self.group.get_or_insert_with(|| OpenGroup::new(&self.properties));
        group.rows += 1;
        group.bytes += event_bytes;
        let is_full = group.rows >= GROUP_ROWS || group.bytes >= GROUP_BYTES;
        if is_full || self.buffered_rows >= PAGE_ROWS {
            self.encode()?;
        }
        if is_full { self.end_group() } else { Ok(None) }
    }

    /// Hands what is buffered to the encoders.
    fn encode(&mut self) -> Result<(), ParquetError> {
        if let Some(group) = &mut self.group {
            for (buffer, (writer, _)) in self.buffers.iter_mut().zip(&mut group.columns) {
                buffer.encode(writer)?;
            }
        }
        self.buffered_rows = 0;
        Ok(())
    }

    fn end_group(&mut self) -> Result<Option<WrittenGroup>, ParquetError> {
        let Some(group) = self.group.take() else {
            return Ok(None);
        };
        let mut writer = self.file.next_row_group()?;
        let mut table = Vec::with_capacity(group.columns.len());
        for (column, chunk) in group.columns {
            let closed = column.close()?;
            let chunk = std::mem::take(&mut *lock(&chunk));
            writer.append_column(&Bytes::from(chunk.bytes), closed)?;
            table.push(ColumnPages {
                offset: 0,
                dictionary: chunk.dictionary,
                pages: chunk.pages,
            });
        }
        let metadata = writer.close()?;
        for (pages, column) in table.iter_mut().zip(metadata.columns()) {
            pages.offset = column.byte_range().0;
        }
        Ok(Some(WrittenGroup {
            rows: group.rows as u64,
            table: PageTable(table),
        }))
    }

    /// Ends the last row group; [`Data::finish`] comes next.
    pub(super) fn end(&mut self) -> Result<Option<WrittenGroup>, ParquetError> {
        self.encode()?;
        self.end_group()
    }

    /// Writes the footer and syncs; answers length and SHA-256.
    pub(super) fn finish(self) -> Result<(u64, [u8; 32]), ParquetError> {
        Ok(self.file.into_inner()?.finish()?)
    }
}

impl OpenGroup {
    fn new(properties: &WriterPropertiesPtr) -> Self {
        let columns = Column::ALL.into_iter().map(|column| {
            let chunk = SharedChunk::default();
            let pages = Box::new(ChunkPages(Arc::clone(&chunk)));
            let writer = get_column_writer(column.descriptor(), Arc::clone(properties), pages);
            (writer, chunk)
        });
        Self {
            columns: columns.collect(),
            rows: 0,
            bytes: 0,
        }
    }
}

/// The pages of a column so far. The encoder owns the writer of its pages, so they are shared with it.
type SharedChunk = Arc<Mutex<Chunk>>;

#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    dictionary: Option<Page>,
    pages: Vec<Page>,
}

struct ChunkPages(SharedChunk);

fn lock(chunk: &SharedChunk) -> MutexGuard<'_, Chunk> {
    chunk.lock().expect("whoever holds it does not panic")
}

impl PageWriter for ChunkPages {
    fn write_page(&mut self, page: CompressedPage) -> Result<PageWriteSpec, ParquetError> {
        let is_data = page.compressed_page().is_data_page();
        let rows = if is_data { page.num_values() } else { 0 };
        let mut bytes = TrackedWrite::new(Vec::new());
        let mut written = SerializedPageWriter::new(&mut bytes).write_page(page)?;
        let bytes = bytes.into_inner()?;
        let length = u32::try_from(bytes.len())?;
        let entry = Page {
            rows,
            length,
            checksum: crc32fast::hash(&bytes),
        };
        let mut chunk = lock(&self.0);
        written.offset += chunk.bytes.len() as u64;
        chunk.bytes.extend_from_slice(&bytes);
        if is_data {
            chunk.pages.push(entry);
        } else {
            chunk.dictionary = Some(entry);
        }
        Ok(written)
    }

    fn close(&mut self) -> Result<(), ParquetError> {
        Ok(())
    }
}

/// Values of one column, not yet encoded.
enum Buffer {
    Numbers(Vec<i64>),
    Flags(Vec<bool>),
    Bytes(Texts),
    Fixed(Texts),
}

/// Byte strings in one piece. `levels` say for optional columns which rows have one.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    levels: Option<Vec<i16>>,
}

impl Buffer {
    fn new(column: Column) -> Self {
        let texts = Texts {
            levels: column.is_optional().then(Vec::new),
            ..Texts::default()
        };
        match column.kind() {
            Kind::Number => Self::Numbers(Vec::new()),
            Kind::Flag => Self::Flags(Vec::new()),
            Kind::Bytes => Self::Bytes(texts),
            Kind::Fixed => Self::Fixed(texts),
        }
    }

    fn push(&mut self, cells: &Cells<'_>, column: Column) {
        match self {
            Self::Numbers(numbers) => numbers.push(cells.number(column)),
            Self::Flags(flags) => flags.push(cells.security),
            Self::Bytes(texts) | Self::Fixed(texts) => texts.push(cells.get(column)),
        }
    }

    fn encode(&mut self, writer: &mut ColumnWriter<'static>) -> Result<(), ParquetError> {
        match self {
            Self::Numbers(numbers) => {
                get_typed_column_writer_mut::<Int64Type>(writer).write_batch(numbers, None, None)?;
                numbers.clear();
            }
            Self::Flags(flags) => {
                get_typed_column_writer_mut::<BoolType>(writer).write_batch(flags, None, None)?;
                flags.clear();
            }
            Self::Bytes(texts) => {
                let (values, levels) = texts.take();
                get_typed_column_writer_mut::<ByteArrayType>(writer).write_batch(&values, levels.as_deref(), None)?;
            }
            Self::Fixed(texts) => {
                let (values, levels) = texts.take();
                let values: Vec<_> = values.into_iter().map(FixedLenByteArray::from).collect();
                get_typed_column_writer_mut::<FixedLenByteArrayType>(writer).write_batch(
                    &values,
                    levels.as_deref(),
                    None,
                )?;
            }
        }
        Ok(())
    }
}

impl Texts {
    fn push(&mut self, text: Option<&[u8]>) {
        if let Some(levels) = &mut self.levels {
            levels.push(i16::from(text.is_some()));
        }
        if let Some(text) = text {
            self.bytes.extend_from_slice(text);
            self.ends.push(self.bytes.len());
        }
    }

    /// What is there, and nothing stays.
    fn take(&mut self) -> (Vec<ByteArray>, Option<Vec<i16>>) {
        let bytes = Bytes::from(std::mem::take(&mut self.bytes));
        let mut start = 0;
        let slice = |end| ByteArray::from(bytes.slice(std::mem::replace(&mut start, end)..end));
        let values = self.ends.drain(..).map(slice).collect();
        (values, self.levels.as_mut().map(std::mem::take))
    }
}
