//! The rows of a Parquet file without its bundle, read as other engines read it: how a bundle that is damaged or lost is made
//! anew.
//!
//! Invariant: nothing here is held against a leaf. Whoever uses the rows has to know by other means that the file is whole.

use std::{
    io::{self, BufReader, Read},
    sync::Arc,
};

use bytes::Bytes;
use parquet::{
    column::reader::{ColumnReader, get_typed_column_reader},
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, FixedLenByteArrayType, Int64Type},
    errors::ParquetError,
    file::{
        reader::{ChunkReader, FileReader, Length, RowGroupReader},
        serialized_reader::SerializedFileReader,
    },
};

use super::{
    columns::{Column, Kind, schema},
    decode::{Values, spread},
    read::cells,
};
use crate::{Error, OrganizationKey, Row, objects::ObjectFile};

/// The rows of a Parquet file in its order, each with whose it is. An error ends it. Memory is a row group.
pub(crate) struct RowsAlone {
    name: String,
    file: SerializedFileReader<Chunks>,
    next_group: usize,
    group: std::vec::IntoIter<(OrganizationKey, Row)>,
}

impl RowsAlone {
    /// Reads the footer of a file.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the file when it is no Parquet file of events; [`Error::Storage`].
    pub(crate) fn open(opened: ObjectFile) -> Result<Self, Error> {
        let name = opened.name().to_owned();
        let file = SerializedFileReader::new(Chunks(Arc::new(opened))).map_err(|error| unreadable(&name, &error))?;
        if *file.metadata().file_metadata().schema_descr() != *schema() {
            return Err(Error::corrupt(format!(
                "its columns are not those of events: file={name}"
            )));
        }
        Ok(Self {
            name,
            file,
            next_group: 0,
            group: Vec::new().into_iter(),
        })
    }

    fn advance(&mut self) -> Result<Option<(OrganizationKey, Row)>, Error> {
        while self.group.as_slice().is_empty() && self.next_group < self.file.num_row_groups() {
            let group = self.next_group;
            self.next_group += 1;
            let rows = self.file.get_row_group(group).and_then(|group| read_rows(&*group));
            let rows = rows.map_err(|error| unreadable(&self.name, &format_args!("{error} row_group={group}")))?;
            self.group = rows.into_iter();
        }
        Ok(self.group.next())
    }
}

impl Iterator for RowsAlone {
    type Item = Result<(OrganizationKey, Row), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance().transpose();
        if let Some(Err(_)) = next {
            self.next_group = self.file.num_row_groups();
        }
        next
    }
}

/// An object, as the Parquet reader wants files.
struct Chunks(Arc<ObjectFile>);

/// A place in an object from which it is read on.
struct Onward {
    file: Arc<ObjectFile>,
    at: u64,
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.0.length()
    }
}

impl ChunkReader for Chunks {
    type T = BufReader<Onward>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let file = Arc::clone(&self.0);
        Ok(BufReader::new(Onward { file, at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let inside = start
            .checked_add(length as u64)
            .is_some_and(|end| end <= self.0.length());
        let read = if inside { self.0.read(start, length) } else { Ok(None) };
        let read = read.map_err(|error| ParquetError::External(error.into()))?;
        let ends = || ParquetError::EOF(format!("it ends early: offset={start} length={length}"));
        read.map(Bytes::from).ok_or_else(ends)
    }
}

impl Read for Onward {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = self.file.length().saturating_sub(self.at);
        let length = out.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = self.file.read(self.at, length).map_err(io::Error::other)?;
        let read = read.ok_or(io::ErrorKind::UnexpectedEof)?;
        out[..length].copy_from_slice(&read);
        self.at += length as u64;
        Ok(length)
    }
}

fn unreadable(name: &str, what: &dyn std::fmt::Display) -> Error {
    Error::corrupt(format!("{what} file={name}; restore it from a backup"))
}

/// All rows of a row group.
fn read_rows(group: &dyn RowGroupReader) -> Result<Vec<(OrganizationKey, Row)>, ParquetError> {
    let count = usize::try_from(group.metadata().num_rows())?;
    let read = |column: Column| {
        Ok((
            column,
            read_column(group.get_column_reader(column as usize)?, column, count)?,
        ))
    };
    let columns = Column::ALL
        .into_iter()
        .map(read)
        .collect::<Result<Vec<_>, ParquetError>>()?;
    let row = |position| {
        let cells = cells(&columns, position);
        let row = cells.key().zip(cells.row());
        row.ok_or_else(|| ParquetError::General(format!("a row is malformed: row={position}")))
    };
    (0..count).map(row).collect()
}

/// All values of a column.
fn read_column(reader: ColumnReader, column: Column, count: usize) -> Result<Values, ParquetError> {
    Ok(match column.kind() {
        Kind::Number => Values::Numbers(read_values::<Int64Type>(reader, column, count)?.0),
        Kind::Flag => Values::Flags(read_values::<BoolType>(reader, column, count)?.0),
        Kind::Bytes => {
            let (values, levels) = read_values::<ByteArrayType>(reader, column, count)?;
            Values::Bytes(spread(values.into_iter(), levels))
        }
        Kind::Fixed => {
            let (values, levels) = read_values::<FixedLenByteArrayType>(reader, column, count)?;
            Values::Bytes(spread(values.into_iter().map(ByteArray::from), levels))
        }
    })
}

/// The values, and in optional columns which rows have one.
fn read_values<T: DataType>(
    reader: ColumnReader,
    column: Column,
    count: usize,
) -> Result<(Vec<T::T>, Vec<i16>), ParquetError> {
    let mut reader = get_typed_column_reader::<T>(reader);
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    let (rows, _, _) = reader.read_records(count, Some(&mut levels), None, &mut values)?;
    if rows != count {
        let what = format!("a column has {rows} of {count} rows: column={}", column.name());
        return Err(ParquetError::General(what));
    }
    if !column.is_optional() {
        levels.clear();
    }
    Ok((values, levels))
}
