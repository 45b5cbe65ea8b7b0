//! Reading the Parquet file: single rows by the offset index, and long stretches of them.

use std::{
    fs::File,
    io::{self, Read},
    ops::Range,
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::Arc,
};

use bytes::Bytes;
use parquet::{
    column::reader::{ColumnReaderImpl, GenericColumnReader},
    data_type::{
        BoolType, ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type,
    },
    errors::ParquetError,
    file::{
        metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader},
        reader::{ChunkReader, Length},
        serialized_reader::SerializedPageReader,
    },
};
use trailbook_merkle::Hash;

use super::columns::{COLUMNS, Id, Kind, Record, schema};
use crate::{Error, Row};

/// A file that is read from any position, by several readers at a time.
#[derive(Debug, Clone)]
struct Positioned {
    file: Arc<File>,
    length: u64,
}

/// A reader of a [`Positioned`] from a position on.
struct From {
    file: Arc<File>,
    position: u64,
}

impl Read for From {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(bytes, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Length for Positioned {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Positioned {
    type T = From;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(From {
            file: Arc::clone(&self.file),
            position: start,
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let end = start.checked_add(length as u64).filter(|end| *end <= self.length);
        end.ok_or_else(|| ParquetError::EOF("a page lies beyond the end of the file".to_owned()))?;
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// An open Parquet file of a segment.
#[derive(Debug)]
pub(super) struct Data {
    file: Arc<Positioned>,
    path: PathBuf,
    metadata: ParquetMetaData,
    /// The first row of each row group, and the number of rows in all.
    group_starts: Vec<u64>,
}

impl Data {
    pub(super) fn open(path: PathBuf) -> Result<Self, Error> {
        let open = || -> io::Result<Positioned> {
            let file = File::open(&path)?;
            let length = file.metadata()?.len();
            Ok(Positioned {
                file: Arc::new(file),
                length,
            })
        };
        let file = open().map_err(|error| Error::storage("open a segment", format!("{}: {error}", path.display())))?;
        let metadata = ParquetMetaDataReader::new()
            .with_offset_index_policy(PageIndexPolicy::Required)
            .with_column_index_policy(PageIndexPolicy::Skip)
            .parse_and_finish(&file);
        let metadata = metadata.map_err(|error| corrupt(&path, &error))?;
        let names = metadata
            .file_metadata()
            .schema()
            .get_fields()
            .iter()
            .map(|field| field.name().to_owned());
        if !names.eq(schema().get_fields().iter().map(|field| field.name().to_owned())) {
            return Err(corrupt(&path, &"it has other columns than a segment"));
        }
        let mut group_starts = vec![0];
        for group in metadata.row_groups() {
            let rows =
                u64::try_from(group.num_rows()).map_err(|_| corrupt(&path, &"a row group has a negative length"))?;
            group_starts.push(group_starts.last().copied().unwrap_or_default() + rows);
        }
        Ok(Self {
            file: Arc::new(file),
            path,
            metadata,
            group_starts,
        })
    }

    pub(super) fn corrupt(&self, what: &dyn std::fmt::Display) -> Error {
        corrupt(&self.path, what)
    }

    /// Rows of all row groups.
    pub(super) fn rows_in_all(&self) -> u64 {
        self.group_starts.last().copied().unwrap_or_default()
    }

    /// How ascending row numbers fall into row groups: each group, and the rows in it.
    fn by_group(&self, rows: &[u64]) -> Result<Vec<(usize, Vec<usize>)>, Error> {
        let mut groups: Vec<(usize, Vec<usize>)> = Vec::new();
        for row in rows {
            if *row >= self.rows_in_all() {
                return Err(self.corrupt(&format!("it has no row {row}")));
            }
            let group = self.group_starts.partition_point(|start| start <= row) - 1;
            let place = (row - self.group_starts[group]) as usize;
            match groups.last_mut() {
                Some((last, places)) if *last == group => places.push(place),
                _ => groups.push((group, vec![place])),
            }
        }
        Ok(groups)
    }

    fn reader<T: DataType>(&self, group: usize, id: Id) -> Result<ColumnReaderImpl<T>, ParquetError> {
        let metadata = self.metadata.row_group(group);
        let column = metadata.column(id as usize);
        let pages = self
            .metadata
            .page_index()
            .and_then(|index| index.offset_index(group, id as usize));
        let pages = pages.map(|index| index.page_locations().clone());
        let rows = metadata.num_rows() as usize;
        let pages = SerializedPageReader::new(Arc::clone(&self.file), column, rows, pages)?;
        Ok(GenericColumnReader::new(column.column_descr_ptr(), Box::new(pages)))
    }

    /// The values of a column in some rows of a group, ascending; without `None` where the column is not optional.
    fn values<T: DataType>(&self, group: usize, id: Id, places: &[usize]) -> Result<Vec<Option<T::T>>, Error> {
        self.read_values::<T>(group, id, places)
            .map_err(|error| self.corrupt(&error))
    }

    fn read_values<T: DataType>(
        &self,
        group: usize,
        id: Id,
        places: &[usize],
    ) -> Result<Vec<Option<T::T>>, ParquetError> {
        let mut reader = self.reader::<T>(group, id)?;
        let (mut at, mut values, mut present) = (0, Vec::with_capacity(places.len()), Vec::with_capacity(places.len()));
        for stretch in stretches(places) {
            if stretch.start > at && reader.skip_records(stretch.start - at)? != stretch.start - at {
                return Err(ParquetError::EOF("a column ends early".to_owned()));
            }
            let (wanted, known) = (stretch.len(), present.len());
            let optional = COLUMNS[id as usize].optional;
            let mut read = 0;
            while read < wanted {
                let levels = optional.then_some(&mut present);
                let (records, _, _) = reader.read_records(wanted - read, levels, None, &mut values)?;
                if records == 0 {
                    return Err(ParquetError::EOF("a column ends early".to_owned()));
                }
                read += records;
            }
            if !optional {
                present.resize(known + wanted, 1);
            }
            at = stretch.end;
        }
        let mut values = values.into_iter();
        let all: Vec<Option<T::T>> = present
            .iter()
            .map(|level| (*level == 1).then(|| values.next()).flatten())
            .collect();
        Ok(all)
    }

    /// The values of a column that is not optional.
    fn required<T: DataType>(&self, group: usize, id: Id, places: &[usize]) -> Result<Vec<T::T>, Error> {
        let values: Option<Vec<T::T>> = self.values::<T>(group, id, places)?.into_iter().collect();
        values
            .filter(|values| values.len() == places.len())
            .ok_or_else(|| self.corrupt(&format!("values are missing in column {}", COLUMNS[id as usize].name)))
    }

    /// Integers of a column in ascending rows.
    pub(super) fn integers(&self, id: Id, rows: &[u64]) -> Result<Vec<i64>, Error> {
        let mut all = Vec::with_capacity(rows.len());
        for (group, places) in self.by_group(rows)? {
            all.extend(self.required::<Int64Type>(group, id, &places)?);
        }
        Ok(all)
    }

    /// 16 bytes of a column in ascending rows.
    pub(super) fn fixed(&self, id: Id, rows: &[u64]) -> Result<Vec<FixedLenByteArray>, Error> {
        let mut all = Vec::with_capacity(rows.len());
        for (group, places) in self.by_group(rows)? {
            all.extend(self.required::<FixedLenByteArrayType>(group, id, &places)?);
        }
        Ok(all)
    }

    /// Texts of a column in ascending rows.
    pub(super) fn texts(&self, id: Id, rows: &[u64]) -> Result<Vec<Option<String>>, Error> {
        let mut all = Vec::with_capacity(rows.len());
        for (group, places) in self.by_group(rows)? {
            for value in self.values::<ByteArrayType>(group, id, &places)? {
                let text = value.map(|value| value.as_utf8().map(ToOwned::to_owned)).transpose();
                all.push(text.map_err(|error| self.corrupt(&error))?);
            }
        }
        Ok(all)
    }

    /// Whole rows, ascending, each with its leaf hash. What they hash to is not compared here.
    pub(super) fn rows(&self, rows: &[u64], leaf_hashes: &[Hash]) -> Result<Vec<Row>, Error> {
        let mut all = Vec::with_capacity(rows.len());
        let mut hashes = leaf_hashes.iter();
        for (group, places) in self.by_group(rows)? {
            for (record, hash) in self.records(group, &places)?.into_iter().zip(hashes.by_ref()) {
                let sequence = record.sequence;
                let row = record.into_row(*hash);
                all.push(row.map_err(|what| self.corrupt(&format!("the row of sequence {sequence}: {what}")))?);
            }
        }
        Ok(all)
    }

    fn records(&self, group: usize, places: &[usize]) -> Result<Vec<Record>, Error> {
        let mut texts: Vec<std::vec::IntoIter<Option<ByteArray>>> = Vec::with_capacity(COLUMNS.len());
        for (place, column) in COLUMNS.iter().enumerate() {
            let wanted = matches!(column.kind, Kind::Text | Kind::Bytes) && place != Id::Project as usize;
            let values = if wanted {
                self.read_texts(group, place, places)?
            } else {
                Vec::new()
            };
            texts.push(values.into_iter());
        }
        let mut sequences = self.required::<Int64Type>(group, Id::Sequence, places)?.into_iter();
        let mut commits = self.required::<Int64Type>(group, Id::Commit, places)?.into_iter();
        let mut ids = self
            .required::<FixedLenByteArrayType>(group, Id::Id, places)?
            .into_iter();
        let mut epochs = self.required::<Int32Type>(group, Id::Epoch, places)?.into_iter();
        let mut received = self.required::<Int64Type>(group, Id::ReceivedAt, places)?.into_iter();
        let mut occurred = self.required::<Int64Type>(group, Id::OccurredAt, places)?.into_iter();
        let mut security = self.required::<BoolType>(group, Id::Security, places)?.into_iter();
        let mut nonces = self
            .values::<FixedLenByteArrayType>(group, Id::Nonce, places)?
            .into_iter();
        let record = || {
            Some(Record {
                sequence: sequences.next()?,
                commit: commits.next()?,
                id: ids.next()?,
                epoch: epochs.next()?,
                received_at: received.next()?,
                occurred_at: occurred.next()?,
                security: security.next()?,
                texts: texts.iter_mut().map(|values| values.next().flatten()).collect(),
                nonce: nonces.next()?,
            })
        };
        Ok(std::iter::from_fn(record).collect())
    }

    fn read_texts(&self, group: usize, place: usize, places: &[usize]) -> Result<Vec<Option<ByteArray>>, Error> {
        self.values::<ByteArrayType>(group, Id::ALL[place], places)
    }
}

/// Ascending places as stretches without gaps.
fn stretches(places: &[usize]) -> Vec<Range<usize>> {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    for place in places {
        match stretches.last_mut() {
            Some(last) if last.end == *place => last.end += 1,
            _ => stretches.push(*place..place + 1),
        }
    }
    stretches
}

fn corrupt(path: &std::path::Path, what: &dyn std::fmt::Display) -> Error {
    Error::corrupt(format!("{}: {what}; run `trailbook fsck --deep`", path.display()))
}
