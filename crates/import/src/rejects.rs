//! The reject file: JSON lines, one per record (or per event of a record) that could not be imported.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::Error;

/// A record that was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reject<'r> {
    /// The input's name, `-` for the standard input.
    pub file: &'r str,
    /// The line of the record, or the first line of its document, from 1.
    pub line: u64,
    /// The number of the record in the input, from 1.
    pub number: u64,
    /// Why, as sentences.
    pub reason: &'r str,
    /// The record: as it was when it is JSON, else its text.
    #[serde(serialize_with = "as_it_was")]
    pub record: &'r str,
}

fn as_it_was<S: Serializer>(record: &str, serializer: S) -> Result<S::Ok, S::Error> {
    // A line break may stand between tokens of a document, and would break the JSON lines.
    match serde_json::from_str::<&RawValue>(record) {
        Ok(json) if !record.contains(['\n', '\r']) => json.serialize(serializer),
        _ => record.serialize(serializer),
    }
}

/// Writes rejects; the file is there only when there is one.
pub(crate) struct Rejects {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    bytes: u64,
}

impl Rejects {
    /// Continues a file after its first `bytes`; with 0 an earlier one is replaced.
    pub(crate) fn open(path: &Path, bytes: u64) -> Result<Self, Error> {
        let fail = || Error::file(path);
        if bytes == 0 {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail()(error)),
                _ => {
                    return Ok(Self {
                        path: path.to_owned(),
                        file: None,
                        bytes: 0,
                    });
                }
            }
        }
        let file = OpenOptions::new().append(true).open(path).map_err(fail())?;
        file.set_len(bytes).map_err(fail())?;
        Ok(Self {
            path: path.to_owned(),
            file: Some(BufWriter::new(file)),
            bytes,
        })
    }

    pub(crate) fn write(&mut self, reject: &Reject<'_>) -> Result<(), Error> {
        let mut line = serde_json::to_vec(reject).map_err(|error| Error::file(&self.path)(error.into()))?;
        line.push(b'\n');
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(
                File::create(&self.path).map_err(Error::file(&self.path))?,
            )),
        };
        file.write_all(&line).map_err(Error::file(&self.path))?;
        self.bytes += line.len() as u64;
        Ok(())
    }

    /// Hands everything to the system; the length of the file.
    pub(crate) fn flush(&mut self) -> Result<u64, Error> {
        if let Some(file) = &mut self.file {
            file.flush().map_err(Error::file(&self.path))?;
        }
        Ok(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_stays_as_it_was() {
        let check = |record: &str, expected: &str| {
            let reject = Reject {
                file: "f",
                line: 1,
                number: 2,
                reason: "r",
                record,
            };
            let line = serde_json::to_string(&reject).expect("serializable");
            assert_eq!(
                line,
                format!(r#"{{"file":"f","line":1,"number":2,"reason":"r","record":{expected}}}"#)
            );
        };
        check(
            "{\"a\":12345678901234567890,\"a\":1}",
            "{\"a\":12345678901234567890,\"a\":1}",
        );
        check("{\"a\":", "\"{\\\"a\\\":\"");
        check("{\n}", "\"{\\n}\"");
    }
}
