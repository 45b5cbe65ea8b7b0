//! The beginning of an index: how many rows, from when to when, which metadata paths, and where each part is.

use std::ops::Range;

use super::bytes::{Reader, put_number, put_signed};
use crate::block::{Group, ROWS_MAX, Wanted};

/// The format that is written and read.
const VERSION: u8 = 1;
/// What stands before the header: version, the header's length and checksum.
pub(crate) const PREAMBLE_BYTES: usize = 9;

/// What the beginning says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) rows: usize,
    /// `occurred_at` of the first and the last row in milliseconds.
    pub(crate) times: (i64, i64),
    /// The metadata paths, sorted.
    pub(crate) paths: Box<[Box<str>]>,
    pub(super) parts: Box<[Place]>,
    /// How long preamble and header are.
    length: u64,
}

/// Where a part is and what it has.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its bytes, counted from the end of the header.
    pub(super) bytes: Range<u64>,
    pub(super) checksum: u32,
    /// How long it is when it is not compressed.
    pub(super) raw_length: usize,
    pub(super) groups: Range<u32>,
    /// The folded text of the first term, when that is not the first of its group.
    pub(super) lead: Option<Box<str>>,
}

impl Header {
    /// Reads the bytes between the preamble, which gave the checksum, and the first part.
    pub(crate) fn read(body: &[u8], checksum: u32) -> Option<Self> {
        if crc32fast::hash(body) != checksum {
            return None;
        }
        let mut reader = Reader(body);
        let rows = usize::try_from(reader.number()?)
            .ok()
            .filter(|rows| (1..=ROWS_MAX).contains(rows))?;
        let first = reader.signed()?;
        let last = first.checked_add_unsigned(reader.number()?)?;
        let paths = (0..reader.count()?).map(|_| Some(reader.text()?.into()));
        let paths: Box<[Box<str>]> = paths.collect::<Option<_>>()?;
        let mut begin = 0;
        let parts = (0..reader.count()?).map(|_| Place::read(&mut reader, &mut begin));
        let parts: Box<[Place]> = parts.collect::<Option<_>>()?;
        reader.0.is_empty().then_some(Self {
            rows,
            times: (first, last),
            paths,
            parts,
            length: (PREAMBLE_BYTES + body.len()) as u64,
        })
    }

    /// The parts that have terms of a group.
    pub(crate) fn of_group(&self, group: Group) -> Range<usize> {
        let from = self.parts.partition_point(|place| place.groups.end <= group.0);
        let to = self.parts.partition_point(|place| place.groups.start <= group.0);
        from..to.max(from)
    }

    /// The parts that may have wanted terms of a group.
    pub(crate) fn of_wanted(&self, group: Group, wanted: Wanted<'_>) -> Range<usize> {
        let all = self.of_group(group);
        let parts = &self.parts[all.clone()];
        let before = |place: &Place| place.lead_in(group).is_none_or(|lead| wanted.is_beyond(lead));
        let not_after = |place: &Place| {
            place
                .lead_in(group)
                .is_none_or(|lead| wanted.is_beyond(lead) || wanted.has(lead))
        };
        let from = parts.partition_point(before).saturating_sub(1);
        let to = parts.partition_point(not_after);
        all.start + from..all.start + to.max(from)
    }

    /// Where a part's bytes are in the index.
    pub(crate) fn part_bytes(&self, part: usize) -> Range<u64> {
        let bytes = &self.parts[part].bytes;
        self.length + bytes.start..self.length + bytes.end
    }

    /// How long the index is.
    pub(crate) fn end(&self) -> u64 {
        self.length + self.parts.last().map_or(0, |place| place.bytes.end)
    }

    /// Bytes that it takes in memory.
    pub(crate) fn memory(&self) -> usize {
        let paths = self.paths.iter().map(|path| path.len() + size_of::<Box<str>>());
        let parts = self.parts.iter();
        let parts = parts.map(|place| place.lead.as_ref().map_or(0, |lead| lead.len()) + size_of::<Place>());
        size_of::<Self>() + paths.sum::<usize>() + parts.sum::<usize>()
    }
}

impl Place {
    /// The folded text of the first term of a group; `None` when it is the first of all, which need not be told.
    fn lead_in(&self, group: Group) -> Option<&str> {
        self.lead.as_deref().filter(|_| self.groups.start == group.0)
    }

    fn read(reader: &mut Reader<'_>, begin: &mut u64) -> Option<Self> {
        let start = *begin;
        *begin = start
            .checked_add(reader.number()?)
            .filter(|end| *end <= u64::from(u32::MAX))?;
        let raw_length = usize::try_from(reader.number()?).ok()?;
        let checksum = reader.u32()?;
        let group = reader.number()?;
        let first = u32::try_from(group >> 1).ok()?;
        let groups = first..first.checked_add(u32::try_from(reader.number()?).ok()?)?;
        let lead = if group & 1 == 1 {
            Some(reader.text()?.into())
        } else {
            None
        };
        Some(Self {
            bytes: start..*begin,
            checksum,
            raw_length,
            groups,
            lead,
        })
    }
}

/// The length and the checksum of the header, from what stands before it; `None` for another format.
pub(crate) fn preamble(bytes: &[u8]) -> Option<(usize, u32)> {
    let bytes: &[u8; PREAMBLE_BYTES] = bytes.first_chunk()?;
    let [version, l0, l1, l2, l3, c0, c1, c2, c3] = *bytes;
    let length = u32::from_le_bytes([l0, l1, l2, l3]);
    (version == VERSION).then_some((length as usize, u32::from_le_bytes([c0, c1, c2, c3])))
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Writes preamble and header.
pub(super) fn put_header(rows: usize, times: (i64, i64), paths: &[Box<str>], parts: &[Place]) -> Vec<u8> {
    let mut body = Vec::new();
    put_number(&mut body, rows as u64);
    put_signed(&mut body, times.0);
    put_number(&mut body, times.1.abs_diff(times.0));
    put_number(&mut body, paths.len() as u64);
    for path in paths {
        put_text(&mut body, path);
    }
    put_number(&mut body, parts.len() as u64);
    for place in parts {
        put_number(&mut body, place.bytes.end - place.bytes.start);
        put_number(&mut body, place.raw_length as u64);
        body.extend_from_slice(&place.checksum.to_le_bytes());
        put_number(
            &mut body,
            u64::from(place.groups.start) << 1 | u64::from(place.lead.is_some()),
        );
        put_number(&mut body, u64::from(place.groups.end - place.groups.start));
        if let Some(lead) = &place.lead {
            put_text(&mut body, lead);
        }
    }
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    bytes.extend_from_slice(&body);
    bytes
}
