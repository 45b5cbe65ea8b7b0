//! Reading values of one column for some rows of a row group: only the pages that hold them, each checked before it is decoded.

use std::{
    cell::{Cell, RefCell},
    io::Cursor,
    ops::Range,
    sync::Arc,
};

use bytes::Bytes;
use parquet::{
    basic::Compression as Codec,
    column::{
        page::{Page, PageMetadata, PageReader},
        reader::ColumnReaderImpl,
    },
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, FixedLenByteArrayType, Int64Type},
    errors::ParquetError,
    file::{metadata::ColumnChunkMetaData, serialized_reader::SerializedPageReader},
};

use zstd::{bulk::Decompressor, zstd_safe};

use super::{
    columns::{Column, Kind},
    files::Source,
    pages::{self, ColumnPages},
};
use crate::Error;

/// No page is longer when decompressed: a page ends at a mebibyte, and an event of some more is its last.
const PAGE_BYTES_MAX: u64 = 256 << 20;

/// Values of a column, one for each row that was asked for.
pub(super) enum Values {
    Numbers(Vec<i64>),
    Flags(Vec<bool>),
    Bytes(Vec<Option<ByteArray>>),
}

/// The values of rows of a row group; `rows` ascend and are rows that it has.
pub(super) fn read(source: &Source, column: Column, pages: &ColumnPages, rows: &[u64]) -> Result<Values, Error> {
    match column.kind() {
        Kind::Number => numbers(source, column, pages, rows).map(Values::Numbers),
        Kind::Flag => Ok(Values::Flags(decode::<BoolType>(source, column, pages, rows)?.0)),
        Kind::Bytes | Kind::Fixed => bytes(source, column, pages, rows).map(Values::Bytes),
    }
}

/// The values of a column of numbers.
pub(super) fn numbers(source: &Source, column: Column, pages: &ColumnPages, rows: &[u64]) -> Result<Vec<i64>, Error> {
    Ok(decode::<Int64Type>(source, column, pages, rows)?.0)
}

/// The values of a column of byte strings, of fixed length or not.
pub(super) fn bytes(
    source: &Source,
    column: Column,
    pages: &ColumnPages,
    rows: &[u64],
) -> Result<Vec<Option<ByteArray>>, Error> {
    if column.kind() == Kind::Fixed {
        let (values, levels) = decode::<FixedLenByteArrayType>(source, column, pages, rows)?;
        return Ok(spread(values.into_iter().map(ByteArray::from), levels));
    }
    let (values, levels) = decode::<ByteArrayType>(source, column, pages, rows)?;
    Ok(spread(values.into_iter(), levels))
}

fn decode<T: DataType>(
    source: &Source,
    column: Column,
    pages: &ColumnPages,
    rows: &[u64],
) -> Result<(Vec<T::T>, Vec<i16>), Error> {
    let wanted = Wanted::new(pages, rows);
    let bytes = wanted.bytes(source, column)?;
    let values = wanted.decode::<T>(column, bytes);
    values.map_err(|error| {
        source.corrupt(format_args!(
            "pages cannot be decoded: {error} column={}",
            column.name()
        ))
    })
}

/// Puts values to the rows that have one. Without levels all rows have.
pub(super) fn spread(mut values: impl Iterator<Item = ByteArray>, levels: Vec<i16>) -> Vec<Option<ByteArray>> {
    if levels.is_empty() {
        return values.map(Some).collect();
    }
    let value = |level| if level > 0 { values.next() } else { None };
    levels.into_iter().map(value).collect()
}

/// Where the pages are that hold rows of a row group; `rows` as in [`read`].
pub(super) fn places(column: &ColumnPages, rows: &[u64]) -> impl Iterator<Item = Range<u64>> + use<> {
    let pages = Wanted::new(column, rows).pages.into_iter();
    pages.map(|(offset, page)| offset..offset + u64::from(page.length))
}

/// Where the first of some pages is that does not match its checksum.
fn first_damaged(pages: &[(u64, pages::Page)], bytes: &[u8]) -> Option<u64> {
    let mut rest = bytes;
    let damaged = pages.iter().find(|(_, page)| {
        let (page_bytes, later) = rest.split_at(page.length as usize);
        rest = later;
        crc32fast::hash(page_bytes) != page.checksum
    });
    damaged.map(|(offset, _)| *offset)
}

/// The pages that are needed, and which of their rows.
struct Wanted {
    /// Where each begins, the dictionary first.
    pages: Vec<(u64, pages::Page)>,
    has_dictionary: bool,
    /// Rows of all these pages.
    rows: u64,
    /// Rows that are wanted, counted from the first row of the first page.
    spans: Vec<Range<u64>>,
}

impl Wanted {
    fn new(column: &ColumnPages, rows: &[u64]) -> Self {
        let mut wanted = Self {
            pages: Vec::new(),
            has_dictionary: column.dictionary.is_some(),
            rows: 0,
            spans: Vec::new(),
        };
        let mut offset = column.offset;
        if let Some(dictionary) = column.dictionary {
            wanted.pages.push((offset, dictionary));
            offset += u64::from(dictionary.length);
        }
        let (mut first, mut rest) = (0, rows);
        for page in &column.pages {
            let end = first + u64::from(page.rows);
            let (here, later) = rest.split_at(rest.partition_point(|row| *row < end));
            if !here.is_empty() {
                here.iter().for_each(|row| wanted.add_row(wanted.rows + (row - first)));
                wanted.pages.push((offset, *page));
                wanted.rows += u64::from(page.rows);
            }
            (first, rest) = (end, later);
            offset += u64::from(page.length);
        }
        wanted
    }

    fn add_row(&mut self, row: u64) {
        match self.spans.last_mut() {
            Some(last) if last.end == row => last.end += 1,
            _ => self.spans.push(row..row + 1),
        }
    }

    /// The pages' bytes, one after the other; neighbours are read at once.
    fn bytes(&self, source: &Source, column: Column) -> Result<Bytes, Error> {
        let total: usize = self.pages.iter().map(|(_, page)| page.length as usize).sum();
        let mut bytes = Vec::with_capacity(total);
        for neighbours in self
            .pages
            .chunk_by(|(offset, page), next| offset + u64::from(page.length) == next.0)
        {
            let length = neighbours.iter().map(|(_, page)| page.length as usize).sum();
            let damaged = Cell::new(0);
            let read = source.understood(neighbours[0].0, length, |read| {
                let found = first_damaged(neighbours, &read);
                damaged.set(found.unwrap_or_default());
                found.is_none().then_some(read)
            })?;
            let read = read.ok_or_else(|| {
                source.corrupt(format_args!(
                    "a page does not match its checksum: column={} offset={}",
                    column.name(),
                    damaged.get()
                ))
            })?;
            bytes.extend_from_slice(&read);
        }
        Ok(Bytes::from(bytes))
    }

    /// The wanted rows' values and, in optional columns, which rows have one.
    fn decode<T: DataType>(&self, column: Column, bytes: Bytes) -> Result<(Vec<T::T>, Vec<i16>), ParquetError> {
        let metadata = ColumnChunkMetaData::builder(column.descriptor())
            // The pages are compressed; `Unpacked` sees to it.
            .set_compression(Codec::UNCOMPRESSED)
            .set_num_values(self.rows as i64)
            .set_total_compressed_size(bytes.len() as i64)
            .set_data_page_offset(0)
            .set_dictionary_page_offset(self.has_dictionary.then_some(0))
            .build()?;
        let pages = SerializedPageReader::new(Arc::new(bytes), &metadata, self.rows as usize, None)?;
        let mut reader = ColumnReaderImpl::<T>::new(column.descriptor(), Box::new(Unpacked(pages)));
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        let mut at = 0;
        for span in &self.spans {
            let skipped = reader.skip_records((span.start - at) as usize)? as u64;
            let length = (span.end - span.start) as usize;
            let (read, _, _) = reader.read_records(length, Some(&mut levels), None, &mut values)?;
            if at + skipped != span.start || read != length {
                return Err(ParquetError::General(
                    "a page has fewer rows than the page table says".to_owned(),
                ));
            }
            at = span.end;
        }
        if !column.is_optional() {
            levels.clear();
        }
        Ok((values, levels))
    }
}

/// Pages, decompressed. The crate's own reader would set up a compressor and a decompressor for each column, which takes
/// longer than reading a page.
struct Unpacked(SerializedPageReader<Bytes>);

impl PageReader for Unpacked {
    fn get_next_page(&mut self) -> Result<Option<Page>, ParquetError> {
        let mut page = self.0.get_next_page()?;
        match &mut page {
            Some(Page::DictionaryPage { buf, .. }) => *buf = decompress(buf, 0)?,
            Some(Page::DataPageV2 {
                buf,
                def_levels_byte_len,
                is_compressed: is_compressed @ true,
                ..
            }) => {
                *buf = decompress(buf, *def_levels_byte_len as usize)?;
                *is_compressed = false;
            }
            _ => {}
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>, ParquetError> {
        self.0.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<(), ParquetError> {
        self.0.skip_next_page()
    }
}

impl Iterator for Unpacked {
    type Item = Result<Page, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

thread_local! {
    static DECOMPRESSOR: RefCell<Decompressor<'static>> =
        RefCell::new(Decompressor::new().expect("a decompressor without a dictionary"));
}

/// What was compressed after the first `plain` bytes.
fn decompress(bytes: &[u8], plain: usize) -> Result<Bytes, ParquetError> {
    let malformed = |what: &str| ParquetError::General(format!("a page is malformed: {what}"));
    let (plain, compressed) = bytes
        .split_at_checked(plain)
        .ok_or_else(|| malformed("its levels are cut"))?;
    let length = zstd_safe::get_frame_content_size(compressed).ok().flatten();
    let length = length
        .filter(|length| *length <= PAGE_BYTES_MAX)
        .ok_or_else(|| malformed("its length"))?;
    let mut out = Vec::with_capacity(plain.len() + length as usize);
    out.extend_from_slice(plain);
    let mut rest = Cursor::new(out);
    rest.set_position(plain.len() as u64);
    DECOMPRESSOR
        .with_borrow_mut(|decompressor| decompressor.decompress_to_buffer(compressed, &mut rest))
        .map_err(|error| malformed(&error.to_string()))?;
    Ok(Bytes::from(rest.into_inner()))
}
