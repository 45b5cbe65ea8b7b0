//! The archive's container: which entries it has, their contents with checksums, and its seal.
//!
//! The reader takes the strict view of zip: known names, each once, stored and not encrypted, directory and local headers in
//! agreement, nothing before, between or after. So it reads what any other program would show.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use zip::{
    CompressionMethod, ZipArchive,
    read::{ArchiveOffset, Config, ZipFile},
};

use crate::Findings;

/// Every entry that an archive must have, and the largest size of those that are read as a whole; the others are read as streams.
pub(super) const README: &str = "README.txt";
pub(super) const MANIFEST: &str = "evidence.json";
pub(super) const CHECKPOINT: &str = "checkpoint";
pub(super) const RANGE_PROOF: &str = "range-proof.json";
pub(super) const LEAVES: &str = "leaves.bin";
pub(super) const EVENTS: &str = "events.jsonl";
const NAMES: [&str; 6] = [README, MANIFEST, CHECKPOINT, RANGE_PROOF, LEAVES, EVENTS];
/// An entry that it may have: older archives are without.
pub(super) const SCRIPT: &str = "verify.py";
const WHOLE_BYTES_MAX: u64 = 1 << 20;

const SEAL_PREFIX: &str = "trailbook-evidence/1 crc32=";
/// The end record of a zip file without its comment.
const END_RECORD_BYTES: usize = 22;

/// An open archive.
pub(super) struct Archive<R> {
    zip: ZipArchive<R>,
}

impl<R: Read + Seek> Archive<R> {
    /// Opens the archive and looks at its directory; the text says why it is no evidence.
    pub(super) fn open(reader: R) -> Result<Self, String> {
        let config = Config {
            archive_offset: ArchiveOffset::Known(0),
        };
        let mut zip = ZipArchive::with_config(config, reader).map_err(unreadable)?;
        let has_script = zip.index_for_name(SCRIPT).is_some();
        if zip.len() > NAMES.len() + usize::from(has_script) {
            return Err("The archive holds more files than evidence has.".to_owned());
        }
        for index in 0..zip.len() {
            let entry = zip.by_index_raw(index).map_err(unreadable)?;
            let mut names = NAMES.iter().chain(&[SCRIPT]);
            if !names.any(|name| name.as_bytes() == entry.name_raw()) {
                return Err("The archive holds a file that is not part of evidence.".to_owned());
            }
            if entry.compression() != CompressionMethod::Stored || entry.encrypted() {
                return Err("The archive is compressed or encrypted; unpack it and pack it again without.".to_owned());
            }
        }
        for name in NAMES {
            if zip.index_for_name(name).is_none() {
                return Err(format!(
                    "The archive has no file {name}: this is not evidence, or not all of it."
                ));
            }
        }
        zip.validate_header_consistency().map_err(unreadable)?;
        Ok(Self { zip })
    }

    /// Whether the archive has the script that checks it.
    pub(super) fn has_script(&self) -> bool {
        self.zip.index_for_name(SCRIPT).is_some()
    }

    /// A file of the archive as a stream.
    pub(super) fn stream(&mut self, name: &str) -> Result<Stream<'_, R>, String> {
        let index = self
            .zip
            .index_for_name(name)
            .ok_or_else(|| format!("The archive has no file {name}."))?;
        let entry = self.zip.by_index_raw(index).map_err(unreadable)?;
        let expected = entry.crc32();
        Ok(Stream {
            reader: BufReader::with_capacity(
                1 << 16,
                Summed {
                    entry,
                    checksum: crc32fast::Hasher::new(),
                },
            ),
            expected,
        })
    }

    /// A small file of the archive, and whether its checksum holds.
    pub(super) fn whole(&mut self, name: &str, findings: &mut Findings) -> Result<Vec<u8>, String> {
        let mut stream = self.stream(name)?;
        let mut bytes = Vec::new();
        let length = (&mut stream.reader)
            .take(WHOLE_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        if length as u64 > WHOLE_BYTES_MAX {
            return Err(format!("The file {name} in the archive is too large."));
        }
        stream.finish(name, findings)?;
        Ok(bytes)
    }
}

/// A file of the archive while it is read.
pub(super) struct Stream<'a, R: Read> {
    pub(super) reader: BufReader<Summed<ZipFile<'a, R>>>,
    expected: u32,
}

impl<R: Read> Stream<'_, R> {
    /// Reads what is left and compares the checksum.
    pub(super) fn finish(mut self, name: &str, findings: &mut Findings) -> Result<(), String> {
        io::copy(&mut self.reader, &mut io::sink()).map_err(failed)?;
        if self.reader.into_inner().checksum.finalize() != self.expected {
            findings.item(name, "its content differs from its checksum in the archive");
        }
        Ok(())
    }
}

/// A reader that sums up what passes.
pub(super) struct Summed<R> {
    entry: R,
    checksum: crc32fast::Hasher,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.entry.read(buffer)?;
        self.checksum.update(&buffer[..length]);
        Ok(length)
    }
}

/// Holds the seal in the archive's comment against every byte before it. Says in a note when another program wrote the archive and
/// left no comment; then only the contents speak.
pub(super) fn check_seal<R: Read + Seek>(mut reader: R, findings: &mut Findings) -> Result<Option<String>, String> {
    const ITEM: &str = "archive";
    let length = reader.seek(SeekFrom::End(0)).map_err(failed)?;
    let mut end = vec![0; length.min((END_RECORD_BYTES + SEAL_PREFIX.len() + 8) as u64) as usize];
    reader
        .seek(SeekFrom::Start(length - end.len() as u64))
        .map_err(failed)?;
    reader.read_exact(&mut end).map_err(failed)?;
    let without_comment =
        end.len() >= END_RECORD_BYTES && end[end.len() - END_RECORD_BYTES..].starts_with(b"PK\x05\x06");
    if without_comment && end.ends_with(&[0, 0]) {
        return Ok(Some(
            "The archive was packed by another program; its contents are what was signed.".to_owned(),
        ));
    }
    reader.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut sealed = BufReader::with_capacity(
        1 << 18,
        reader.take(length - (SEAL_PREFIX.len() + 8).min(end.len()) as u64),
    );
    let mut checksum = crc32fast::Hasher::new();
    loop {
        let bytes = sealed.fill_buf().map_err(failed)?;
        if bytes.is_empty() {
            break;
        }
        checksum.update(bytes);
        let count = bytes.len();
        sealed.consume(count);
    }
    if !end.ends_with(format!("{SEAL_PREFIX}{:08x}", checksum.finalize()).as_bytes()) {
        findings.item(ITEM, "a byte of the file differs from the checksum that it ends in");
    }
    Ok(None)
}

pub(super) fn failed(error: io::Error) -> String {
    format!("The file cannot be read: {error}.")
}

fn unreadable(error: zip::result::ZipError) -> String {
    format!("The file is not a readable zip archive: {error}.")
}
