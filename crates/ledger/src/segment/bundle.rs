//! The bundle beside the Parquet file: permutations, leaf hashes and index blocks of every run, and the directory of runs.
//!
//! Invariant: everything that is read is checked: directory entries, run headers and every piece of permutation and leaf hashes have a
//! checksum of their own. Index blocks have theirs inside.
//!
//! See docs/formats/segment.md, "Bundle".

use std::{fs::File, io::Write, ops::Range, os::unix::fs::FileExt, path::PathBuf};

use trailbook_event::Timestamp;
use trailbook_merkle::Hash;

use super::{Hashing, Run};
use crate::{Error, EventId, database::LedgerId};

const MAGIC: [u8; 8] = *b"TBB1\0\0\0\0";
/// Sequences whose places and leaf hashes are read and checked together.
pub(super) const PIECE: u64 = 256;
const ENTRY_BYTES: usize = 124;
const FOOTER_BYTES: usize = 28;
/// ledger, directory of blocks, permutation: header of a run.
const RUN_HEADER_BYTES: usize = 20;

/// Writes a bundle, run by run.
pub(super) struct BundleWriter {
    out: Hashing,
    entries: Vec<u8>,
    runs: u64,
    /// Where the index blocks of the run at hand begin, and how long each is.
    blocks: (u64, Vec<u32>),
}

impl BundleWriter {
    pub(super) fn create(file: File) -> Result<Self, Error> {
        let mut out = Hashing::new(file);
        out.write_all(&MAGIC).map_err(failed)?;
        Ok(Self {
            out,
            entries: Vec::new(),
            runs: 0,
            blocks: (MAGIC.len() as u64, Vec::new()),
        })
    }

    /// Adds the next index block of the run at hand.
    pub(super) fn block(&mut self, index: &[u8]) -> Result<(), Error> {
        if self.blocks.1.is_empty() {
            self.blocks.0 = self.out.written();
        }
        let length = u32::try_from(index.len()).map_err(|_| Error::corrupt("an index block is larger than 4 GiB"))?;
        self.blocks.1.push(length);
        self.out.write_all(index).map_err(failed)
    }

    /// Ends the run at hand. `numbers` and `leaf_hashes` are in the order of sequences.
    pub(super) fn end_run(&mut self, run: &mut Run, numbers: &[u32], leaf_hashes: &[Hash]) -> Result<(), Error> {
        run.offset = self.out.written();
        let (begin, lengths) = std::mem::take(&mut self.blocks);
        let places = permutation(numbers);
        let mut header = Vec::with_capacity(RUN_HEADER_BYTES + 4 * lengths.len());
        header.extend_from_slice(&begin.to_le_bytes());
        header.extend_from_slice(&(places.len() as u64).to_le_bytes());
        for length in &lengths {
            header.extend_from_slice(&length.to_le_bytes());
        }
        let checksum = crc32fast::hash(&header);
        header.extend_from_slice(&checksum.to_le_bytes());
        self.out.write_all(&header).map_err(failed)?;
        self.out.write_all(&places).map_err(failed)?;
        for piece in leaf_hashes.chunks(PIECE as usize) {
            let bytes: Vec<u8> = piece.iter().flat_map(|hash| hash.0).collect();
            self.out.write_all(&bytes).map_err(failed)?;
            self.out
                .write_all(&crc32fast::hash(&bytes).to_le_bytes())
                .map_err(failed)?;
        }
        self.entries.extend_from_slice(&encode_entry(run));
        self.runs += 1;
        Ok(())
    }

    /// Writes directory and footer; the length and hash of the whole.
    pub(super) fn finish(mut self) -> Result<(u64, [u8; 32]), Error> {
        let directory = self.out.written();
        self.out.write_all(&self.entries).map_err(failed)?;
        let mut footer = Vec::with_capacity(FOOTER_BYTES);
        footer.extend_from_slice(&directory.to_le_bytes());
        footer.extend_from_slice(&self.runs.to_le_bytes());
        footer.extend_from_slice(&crc32fast::hash(&footer).to_le_bytes());
        footer.extend_from_slice(&MAGIC);
        self.out.write_all(&footer).map_err(failed)?;
        self.out.finish()
    }
}

/// The places of sequences in pieces of [`PIECE`]: where each piece ends (u32 each), then the pieces.
///
/// A run that came in the order of its times has `rows - 1 - position` everywhere; a piece says how far off each place is: the least
/// difference (i32), the bits of one difference above it (u8), the differences, packed from the lowest bit on, and a checksum.
fn permutation(numbers: &[u32]) -> Vec<u8> {
    let pieces: Vec<Vec<u8>> = numbers
        .chunks(PIECE as usize)
        .enumerate()
        .map(|(piece, chunk)| {
            let first = piece as i64 * PIECE as i64;
            let off = |(position, number): (usize, &u32)| {
                i64::from(*number) - expected(numbers.len() as u64, first as u64 + position as u64)
            };
            let differences: Vec<i64> = chunk.iter().enumerate().map(off).collect();
            let least = differences.iter().copied().min().unwrap_or_default();
            let most = differences
                .iter()
                .map(|difference| difference - least)
                .max()
                .unwrap_or_default();
            let width = 64 - (most as u64).leading_zeros();
            let mut out = (least as i32).to_le_bytes().to_vec();
            out.push(width as u8);
            pack(
                differences.iter().map(|difference| (difference - least) as u64),
                width,
                &mut out,
            );
            let checksum = crc32fast::hash(&out);
            out.extend_from_slice(&checksum.to_le_bytes());
            out
        })
        .collect();
    let mut end = 0;
    let mut out = Vec::new();
    for piece in &pieces {
        end += piece.len() as u32;
        out.extend_from_slice(&end.to_le_bytes());
    }
    out.extend(pieces.into_iter().flatten());
    out
}

/// Where a sequence's row would be, had all come in the order of their times.
fn expected(rows: u64, position: u64) -> i64 {
    rows as i64 - 1 - position as i64
}

fn pack(values: impl Iterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    let (mut bits, mut held) = (0_u128, 0);
    for value in values {
        bits |= u128::from(value) << held;
        held += width;
        while held >= 8 {
            out.push(bits as u8);
            bits >>= 8;
            held -= 8;
        }
    }
    if held > 0 {
        out.push(bits as u8);
    }
}

fn unpack(bytes: &[u8], width: u32, position: usize) -> Option<u64> {
    let start = position * width as usize;
    let end = start + width as usize;
    let slice = bytes.get(start / 8..end.div_ceil(8))?;
    let all = slice
        .iter()
        .rev()
        .fold(0_u128, |all, byte| all << 8 | u128::from(*byte));
    Some((all >> (start % 8)) as u64 & (1_u64.checked_shl(width).unwrap_or(0).wrapping_sub(1)))
}

fn encode_entry(run: &Run) -> [u8; ENTRY_BYTES] {
    let mut out = Vec::with_capacity(ENTRY_BYTES);
    for number in [
        run.ledger,
        run.first_sequence,
        run.rows,
        run.first_row,
        run.security,
        run.offset,
    ] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    for time in [run.occurred.0, run.occurred.1, run.received.0, run.received.1] {
        out.extend_from_slice(&time.millis().to_le_bytes());
    }
    out.extend_from_slice(run.ids.0.bytes());
    out.extend_from_slice(run.ids.1.bytes());
    // Room for later; zero.
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&crc32fast::hash(&out).to_le_bytes());
    out.try_into().expect("an entry is of fixed length")
}

fn decode_entry(bytes: &[u8; ENTRY_BYTES]) -> Option<Run> {
    let (content, checksum) = bytes.split_at(ENTRY_BYTES - 4);
    if crc32fast::hash(content).to_le_bytes() != checksum {
        return None;
    }
    let number = |place: usize| u64::from_le_bytes(content[8 * place..8 * place + 8].try_into().unwrap_or_default());
    let time = |place: usize| Timestamp::from_millis(number(place) as i64);
    let id = |start: usize| EventId::from_bytes(content[start..start + 16].try_into().unwrap_or_default());
    Some(Run {
        ledger: number(0),
        first_sequence: number(1),
        rows: number(2),
        first_row: number(3),
        security: number(4),
        offset: number(5),
        occurred: (time(6), time(7)),
        received: (time(8), time(9)),
        ids: (id(80), id(96)),
    })
}

/// An open bundle.
#[derive(Debug)]
pub(super) struct Bundle {
    file: File,
    path: PathBuf,
    directory: u64,
    runs: u64,
}

impl Bundle {
    pub(super) fn open(path: PathBuf) -> Result<Self, Error> {
        let file = File::open(&path)
            .map_err(|error| Error::storage("open a bundle", format!("{}: {error}", path.display())))?;
        let length = file.metadata().map_err(failed)?.len();
        let mut bundle = Self {
            file,
            path,
            directory: 0,
            runs: 0,
        };
        let footer = length
            .checked_sub(FOOTER_BYTES as u64)
            .ok_or_else(|| bundle.corrupt("it is too short"))?;
        let footer: [u8; FOOTER_BYTES] = bundle.array(footer)?;
        let number = |start: usize| u64::from_le_bytes(footer[start..start + 8].try_into().unwrap_or_default());
        (bundle.directory, bundle.runs) = (number(0), number(8));
        let entries = bundle.runs.checked_mul(ENTRY_BYTES as u64);
        let whole =
            entries.and_then(|entries| entries.checked_add(bundle.directory + FOOTER_BYTES as u64)) == Some(length);
        if footer[20..] != MAGIC || crc32fast::hash(&footer[..16]).to_le_bytes() != footer[16..20] || !whole {
            return Err(bundle.corrupt("its footer does not fit it"));
        }
        Ok(bundle)
    }

    fn corrupt(&self, what: &str) -> Error {
        Error::corrupt(format!("{}: {what}; run `trailbook fsck --deep`", self.path.display()))
    }

    fn array<const N: usize>(&self, offset: u64) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.file
            .read_exact_at(&mut bytes, offset)
            .map_err(|error| self.unreadable(&error))?;
        Ok(bytes)
    }

    fn bytes(&self, range: Range<u64>) -> Result<Vec<u8>, Error> {
        // Nothing lies behind the directory, so that a damaged length asks for no more than the file has.
        let length = range
            .end
            .checked_sub(range.start)
            .filter(|_| range.end <= self.directory);
        let length = length.ok_or_else(|| self.corrupt("it points beyond its end"))?;
        let mut bytes = vec![0; length as usize];
        self.file
            .read_exact_at(&mut bytes, range.start)
            .map_err(|error| self.unreadable(&error))?;
        Ok(bytes)
    }

    fn unreadable(&self, error: &std::io::Error) -> Error {
        if error.kind() == std::io::ErrorKind::UnexpectedEof {
            self.corrupt("it is too short")
        } else {
            Error::storage("read a bundle", format!("{}: {error}", self.path.display()))
        }
    }

    fn entry(&self, place: u64) -> Result<Run, Error> {
        let bytes = self.array(self.directory + place * ENTRY_BYTES as u64)?;
        decode_entry(&bytes).ok_or_else(|| self.corrupt(&format!("entry {place} of its directory is damaged")))
    }

    pub(super) fn run(&self, ledger: LedgerId) -> Result<Option<Run>, Error> {
        let (mut low, mut high) = (0, self.runs);
        while low < high {
            let middle = low.midpoint(high);
            let run = self.entry(middle)?;
            match run.ledger.cmp(&ledger) {
                std::cmp::Ordering::Equal => return Ok(Some(run)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    pub(super) fn runs(&self) -> Result<Vec<Run>, Error> {
        let mut bytes = vec![0; self.runs as usize * ENTRY_BYTES];
        self.file
            .read_exact_at(&mut bytes, self.directory)
            .map_err(|error| self.unreadable(&error))?;
        let (entries, _) = bytes.as_chunks::<ENTRY_BYTES>();
        let decoded = entries.iter().enumerate().map(|(place, entry)| {
            decode_entry(entry).ok_or_else(|| self.corrupt(&format!("entry {place} of its directory is damaged")))
        });
        decoded.collect()
    }

    /// Where the index blocks of a run are, and where its permutation is.
    fn header(&self, run: &Run) -> Result<(Vec<Range<u64>>, Range<u64>), Error> {
        let blocks = run.rows.div_ceil(super::BLOCK_ROWS as u64);
        let length = blocks
            .checked_mul(4)
            .and_then(|length| length.checked_add(RUN_HEADER_BYTES as u64));
        let end = length.and_then(|length| run.offset.checked_add(length));
        let bytes = self.bytes(run.offset..end.ok_or_else(|| self.corrupt("a run is too long"))?)?;
        let (content, checksum) = bytes.split_at(bytes.len() - 4);
        if crc32fast::hash(content).to_le_bytes() != checksum {
            return Err(self.corrupt(&format!("the header of the run of ledger {} is damaged", run.ledger)));
        }
        let number = |start: usize| u64::from_le_bytes(content[start..start + 8].try_into().unwrap_or_default());
        let mut begin = number(0);
        let lengths = content[16..]
            .as_chunks::<4>()
            .0
            .iter()
            .map(|length| u64::from(u32::from_le_bytes(*length)));
        let ranges = lengths.map(|length| {
            let range = begin..begin.saturating_add(length);
            begin = range.end;
            range
        });
        let permutation = run.offset + bytes.len() as u64;
        Ok((ranges.collect(), permutation..permutation.saturating_add(number(8))))
    }

    pub(super) fn index_block(&self, run: &Run, block: usize) -> Result<Range<u64>, Error> {
        let (blocks, _) = self.header(run)?;
        blocks
            .get(block)
            .cloned()
            .ok_or_else(|| self.corrupt("a run has fewer index blocks than rows"))
    }

    pub(super) fn index_bytes(&self, range: Range<u64>) -> Result<Vec<u8>, Error> {
        self.bytes(range)
    }

    /// Numbers of the rows with these sequences, which the run has.
    pub(super) fn numbers(&self, run: &Run, sequences: Range<u64>) -> Result<Vec<u64>, Error> {
        let (_, permutation) = self.header(run)?;
        let pieces = run.rows.div_ceil(PIECE);
        let (first, end) = (sequences.start - run.first_sequence, sequences.end - run.first_sequence);
        let mut numbers = Vec::with_capacity((end - first) as usize);
        let mut next = first;
        while next < end {
            let piece = next / PIECE;
            let bytes = self.piece(&permutation, pieces, piece)?;
            let stop = end.min((piece + 1) * PIECE);
            let damaged = || self.corrupt(&format!("the permutation of ledger {} is damaged", run.ledger));
            let (content, checksum) = bytes
                .split_at_checked(bytes.len().wrapping_sub(4))
                .ok_or_else(damaged)?;
            if content.len() < 5 || crc32fast::hash(content).to_le_bytes() != checksum {
                return Err(damaged());
            }
            let least = i64::from(i32::from_le_bytes([content[0], content[1], content[2], content[3]]));
            for position in next..stop {
                let off =
                    unpack(&content[5..], u32::from(content[4]), (position % PIECE) as usize).ok_or_else(damaged)?;
                let number = expected(run.rows, position) + least + off as i64;
                numbers.push(
                    u64::try_from(number)
                        .ok()
                        .filter(|number| *number < run.rows)
                        .ok_or_else(damaged)?,
                );
            }
            next = stop;
        }
        Ok(numbers)
    }

    fn piece(&self, permutation: &Range<u64>, pieces: u64, piece: u64) -> Result<Vec<u8>, Error> {
        let end_of = |piece: u64| -> Result<u64, Error> {
            let end: [u8; 4] = self.array(permutation.start + 4 * piece)?;
            Ok(u64::from(u32::from_le_bytes(end)))
        };
        let data = permutation.start + 4 * pieces;
        let begin = if piece == 0 { 0 } else { end_of(piece - 1)? };
        self.bytes(data + begin..data + end_of(piece)?)
    }

    pub(super) fn leaf_hashes(&self, run: &Run, sequences: Range<u64>) -> Result<Vec<Hash>, Error> {
        let (_, permutation) = self.header(run)?;
        let (first, end) = (sequences.start - run.first_sequence, sequences.end - run.first_sequence);
        let mut hashes = Vec::with_capacity((end - first) as usize);
        for piece in first / PIECE..end.div_ceil(PIECE) {
            let rows = PIECE.min(run.rows - piece * PIECE);
            let start = permutation.end + piece * (PIECE * 32 + 4);
            let bytes = self.bytes(start..start + rows * 32 + 4)?;
            let (content, checksum) = bytes.split_at(bytes.len() - 4);
            if crc32fast::hash(content).to_le_bytes() != checksum {
                return Err(self.corrupt(&format!(
                    "leaf hashes of ledger {} from sequence {} on are damaged",
                    run.ledger,
                    run.first_sequence + piece * PIECE
                )));
            }
            let wanted = first.max(piece * PIECE) - piece * PIECE..end.min((piece + 1) * PIECE) - piece * PIECE;
            let leaves = content.as_chunks::<32>().0;
            hashes.extend(
                leaves[wanted.start as usize..wanted.end as usize]
                    .iter()
                    .copied()
                    .map(Hash),
            );
        }
        Ok(hashes)
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::storage("write a bundle", error)
}
