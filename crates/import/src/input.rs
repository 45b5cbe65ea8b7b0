//! Input: files and the standard input, compressed or not, as single records with their line numbers.
//!
//! A file is JSON lines, or one JSON document (a list, or an object that holds the records at a place which the mapping
//! names). Compression is told by the first bytes, not by the name.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use flate2::bufread::MultiGzDecoder;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::{Error, convert, mapping::Path};

/// The longest line, and the largest document, in bytes.
const LINE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Where records come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file.
    File(PathBuf),
    /// The standard input; it cannot be continued after an interruption.
    Stdin,
}

impl Input {
    /// The name in reports and in the reject file.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "-".to_owned(),
        }
    }

    /// The number of bytes as they lie on the disk; `None` when nobody can know.
    pub(crate) fn bytes(&self) -> Option<u64> {
        match self {
            Self::File(path) => path
                .metadata()
                .ok()
                .filter(std::fs::Metadata::is_file)
                .map(|metadata| metadata.len()),
            Self::Stdin => None,
        }
    }

    /// SHA-256 of the bytes of a regular file.
    pub(crate) fn fingerprint(&self) -> Result<Option<[u8; 32]>, Error> {
        let Self::File(path) = self else { return Ok(None) };
        if self.bytes().is_none() {
            return Ok(None);
        }
        let mut digest = Sha256::new();
        let mut file = File::open(path).map_err(Error::file(path))?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer).map_err(Error::file(path))? {
                0 => return Ok(Some(digest.finalize().into())),
                count => digest.update(&buffer[..count]),
            }
        }
    }

    /// Opens the input.
    pub(crate) fn open(&self) -> Result<Lines, Error> {
        let fail = Error::file(self.name());
        let source: Box<dyn Read> = match self {
            Self::File(path) => Box::new(File::open(path).map_err(Error::file(path))?),
            Self::Stdin => Box::new(io::stdin()),
        };
        let bytes_read = Arc::new(AtomicU64::new(0));
        let mut plain = BufReader::with_capacity(
            1 << 16,
            Counted {
                source,
                bytes_read: Arc::clone(&bytes_read),
            },
        );
        let compressed = plain.fill_buf().map_err(fail)?.starts_with(&[0x1f, 0x8b]);
        let reader: Box<dyn BufRead> = if compressed {
            Box::new(BufReader::new(MultiGzDecoder::new(plain)))
        } else {
            Box::new(plain)
        };
        Ok(Lines {
            name: self.name(),
            reader,
            bytes_read,
            number: 0,
            pending: Vec::new().into_iter(),
        })
    }
}

struct Counted {
    source: Box<dyn Read>,
    bytes_read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.bytes_read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The lines of an input that are not blank; a document is one line.
pub(crate) struct Lines {
    name: String,
    reader: Box<dyn BufRead>,
    bytes_read: Arc<AtomicU64>,
    number: u64,
    pending: std::vec::IntoIter<(u64, Vec<u8>)>,
}

impl Lines {
    /// How many bytes have been read from the disk.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// The next line with its number from 1; a document has the number of its first line.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Vec<u8>)>, Error> {
        if let Some(line) = self.pending.next() {
            return Ok(Some(line));
        }
        let first = self.number == 0;
        let Some((number, line)) = self.read()? else {
            return Ok(None);
        };
        if !first || !begins_document(&line) {
            return Ok(Some((number, line)));
        }
        self.document(number, line).map(Some)
    }

    fn read(&mut self) -> Result<Option<(u64, Vec<u8>)>, Error> {
        loop {
            let mut line = Vec::new();
            let count = self
                .reader
                .by_ref()
                .take(LINE_BYTES_MAX + 1)
                .read_until(b'\n', &mut line);
            if count.map_err(Error::file(&self.name))? == 0 {
                return Ok(None);
            }
            if line.len() as u64 > LINE_BYTES_MAX {
                let name = &self.name;
                return Err(Error::Invalid(format!(
                    "{name} has a line of more than 256 MiB; split it into one record a line."
                )));
            }
            self.number += 1;
            if self.number == 1 && line.starts_with("\u{feff}".as_bytes()) {
                line.drain(..3);
            }
            line.truncate(line.trim_ascii_end().len());
            if !line.is_empty() {
                return Ok(Some((self.number, line)));
            }
        }
    }

    /// The whole input as one document, or else its lines one after the other.
    fn document(&mut self, number: u64, line: Vec<u8>) -> Result<(u64, Vec<u8>), Error> {
        let mut lines = vec![(number, line)];
        let mut bytes = lines[0].1.len() as u64;
        while let Some(line) = self.read()? {
            bytes += line.1.len() as u64;
            if bytes > LINE_BYTES_MAX {
                let name = &self.name;
                return Err(Error::Invalid(format!(
                    "{name} is a document of more than 256 MiB; split it into one record a line."
                )));
            }
            lines.push(line);
        }
        let whole = lines
            .iter()
            .map(|(_, line)| line.as_slice())
            .collect::<Vec<_>>()
            .join(&b'\n');
        if serde_json::from_slice::<&RawValue>(&whole).is_ok() {
            return Ok((number, whole));
        }
        self.pending = lines.into_iter();
        Ok(self.pending.next().unwrap_or_default())
    }
}

/// Whether a first line opens a list or an object that it does not close.
fn begins_document(line: &[u8]) -> bool {
    matches!(line.first(), Some(b'[' | b'{'))
        && serde_json::from_slice::<&RawValue>(line).is_err_and(|error| error.is_eof())
}

/// The records of one line: the elements of a list, those at the first of the places that holds a list, or the line itself.
pub(crate) fn records<'t>(text: &'t str, places: &[Path]) -> Vec<&'t str> {
    let held = || {
        places.iter().find_map(|place| {
            let keys = place.keys()?;
            // Most lines are single records: looking for the key is far cheaper than reading them once more.
            keys.iter()
                .all(|key| text.contains(key))
                .then(|| descend(text, &keys))?
                .and_then(convert::items)
        })
    };
    match convert::items(text).or_else(held) {
        Some(items) => items.into_iter().map(RawValue::get).collect(),
        None => vec![text],
    }
}

fn descend<'t>(text: &'t str, keys: &[&str]) -> Option<&'t str> {
    keys.iter().try_fold(text, |text, key| {
        let members = convert::members(text)?;
        members
            .into_iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.get())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn lines(bytes: &[u8]) -> Vec<(u64, String)> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let mut lines = Input::File(file.path().to_owned()).open().unwrap();
        let mut read = Vec::new();
        while let Some((number, line)) = lines.next().unwrap() {
            read.push((number, String::from_utf8(line).unwrap()));
        }
        read
    }

    #[test]
    fn lines_keep_their_numbers_and_blank_ones_are_left_out() {
        assert_eq!(lines(b"\xef\xbb\xbf{}\r\n\n[1]"), [(1, "{}".into()), (3, "[1]".into())]);
    }

    #[test]
    fn a_document_over_several_lines_is_one() {
        assert_eq!(
            lines(b"\n{\n \"Records\": [1,\n2]}\n"),
            [(2, "{\n \"Records\": [1,\n2]}".into())]
        );
    }

    #[test]
    fn a_torn_first_line_does_not_hide_the_others() {
        assert_eq!(
            lines(b"{\"a\":\n{}\n{}"),
            [(1, "{\"a\":".into()), (2, "{}".into()), (3, "{}".into())]
        );
    }

    #[test]
    fn compression_is_told_by_the_bytes_also_in_several_members() {
        let mut bytes = Vec::new();
        for text in ["{}\n", "[]\n"] {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            bytes.extend(encoder.finish().unwrap());
        }
        assert_eq!(lines(&bytes), [(1, "{}".into()), (2, "[]".into())]);
    }

    #[test]
    fn records_are_opened_where_they_are_held() {
        let place = [Path::parse("/a/Records").unwrap()];
        assert_eq!(records("[1, {\"b\":2}]", &place), ["1", "{\"b\":2}"]);
        assert_eq!(records("{\"a\":{\"Records\":[1,2]}}", &place), ["1", "2"]);
        assert_eq!(records("{\"a\":{\"Records\":3}}", &place), ["{\"a\":{\"Records\":3}}"]);
        assert_eq!(records("{\"a\":1}", &place), ["{\"a\":1}"]);
    }
}
