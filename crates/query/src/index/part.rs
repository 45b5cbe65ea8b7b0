//! A part of an index: the terms of consecutive groups or of a piece of one, as bytes.

use std::{ops::Range, sync::Arc};

use super::{
    bytes::{Reader, put_number},
    fingerprints::Fingerprints,
    header::Header,
    postings::{put_rows, read_rows},
};
use crate::block::{Dictionary, Group, Subject, Subjects};

/// Most bytes of a part when it is not compressed; the writer's parts are far smaller.
const RAW_BYTES_MAX: usize = 1 << 30;

/// A part, read.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) dictionary: Arc<Dictionary>,
    pub(crate) actors: Option<Arc<Subjects>>,
    pub(crate) targets: Option<Arc<Subjects>>,
    pub(crate) trace_ids: Option<Arc<Fingerprints>>,
    pub(crate) client_ids: Option<Arc<Fingerprints>>,
}

impl Part {
    /// Reads a part from its bytes; `None` when they are not what the header speaks of.
    pub(crate) fn read(header: &Header, part: usize, bytes: &[u8]) -> Option<Self> {
        let place = header.parts.get(part)?;
        if crc32fast::hash(bytes) != place.checksum || place.raw_length > RAW_BYTES_MAX {
            return None;
        }
        let raw = zstd::bulk::decompress(bytes, place.raw_length).ok()?;
        let mut reader = Reader(&raw);
        let mut read = Self::default();
        let mut terms = TermsReader::default();
        for group in place.groups.clone() {
            let rows = header.rows;
            match Group(group) {
                Group::ACTORS => read.actors = Some(Arc::new(read_subjects(&mut reader, rows)?)),
                Group::TARGETS => read.targets = Some(Arc::new(read_subjects(&mut reader, rows)?)),
                Group::TRACE_ID => read.trace_ids = Some(Arc::new(Fingerprints::read(&mut reader, rows)?)),
                Group::CLIENT_ID => read.client_ids = Some(Arc::new(Fingerprints::read(&mut reader, rows)?)),
                _ => terms.read(&mut reader, rows)?,
            }
            terms.end_group()?;
        }
        read.dictionary = Arc::new(terms.finish(place.groups.start)?);
        reader.0.is_empty().then_some(read)
    }

    /// How many terms of a group it has.
    pub(crate) fn terms_of(&self, group: Group) -> u32 {
        let terms = self.dictionary.of_group(group);
        terms.end - terms.start
    }

    /// Bytes that it takes in memory.
    pub(crate) fn memory(&self) -> usize {
        let subjects = [&self.actors, &self.targets].into_iter().flatten();
        let prints = [&self.trace_ids, &self.client_ids].into_iter().flatten();
        size_of::<Self>()
            + self.dictionary.memory()
            + subjects.map(|subjects| subjects.memory()).sum::<usize>()
            + prints.map(|prints| prints.memory()).sum::<usize>()
    }
}

/// Appends some terms: how many, how much of the text each shares with the one before, how much more it has, that, and the
/// rows of each.
pub(super) fn put_terms(out: &mut Vec<u8>, dictionary: &Dictionary, terms: Range<u32>, rows: usize) {
    put_number(out, u64::from(terms.end - terms.start));
    let (mut rests, mut texts) = (Vec::new(), Vec::new());
    let mut last: &[u8] = &[];
    for term in terms.clone() {
        let text = dictionary.text(term).as_bytes();
        let shared = last.iter().zip(text).take_while(|(left, right)| left == right).count();
        put_number(out, shared as u64);
        put_number(&mut rests, (text.len() - shared) as u64);
        texts.extend_from_slice(&text[shared..]);
        last = text;
    }
    out.append(&mut rests);
    out.append(&mut texts);
    for term in terms {
        put_rows(out, dictionary.postings(term), rows);
    }
}

/// Collects the terms of a part's groups.
#[derive(Default)]
struct TermsReader {
    group_ends: Vec<u32>,
    text: Vec<u8>,
    text_ends: Vec<u32>,
    postings: Vec<u16>,
    posting_ends: Vec<u32>,
}

impl TermsReader {
    fn read(&mut self, reader: &mut Reader<'_>, rows: usize) -> Option<()> {
        let count = reader.count()?;
        let shared = lengths(reader, count)?;
        let rests = lengths(reader, count)?;
        let mut last = self.text.len()..self.text.len();
        for (shared, rest) in shared.into_iter().zip(rests) {
            let start = self.text.len();
            let from = last.start..last.start.checked_add(shared).filter(|end| *end <= last.end)?;
            self.text.extend_from_within(from);
            self.text.extend_from_slice(reader.take(rest)?);
            last = start..self.text.len();
            self.text_ends.push(u32::try_from(last.end).ok()?);
        }
        for _ in 0..count {
            read_rows(reader, rows, &mut self.postings)?;
            self.posting_ends.push(u32::try_from(self.postings.len()).ok()?);
        }
        Some(())
    }

    fn end_group(&mut self) -> Option<()> {
        self.group_ends.push(u32::try_from(self.text_ends.len()).ok()?);
        Some(())
    }

    fn finish(self, first_group: u32) -> Option<Dictionary> {
        let text = String::from_utf8(self.text).ok()?;
        let is_boundary = |end: &u32| text.is_char_boundary(*end as usize);
        self.text_ends.iter().all(is_boundary).then(|| Dictionary {
            first_group,
            group_ends: self.group_ends.into(),
            text_ends: self.text_ends.into(),
            text: text.into(),
            postings: self.postings.into(),
            posting_ends: self.posting_ends.into(),
        })
    }
}

fn lengths(reader: &mut Reader<'_>, count: usize) -> Option<Vec<usize>> {
    let length = |_| usize::try_from(reader.number()?).ok();
    (0..count).map(length).collect()
}

/// Appends actors or targets: the distinct pairs of value and label with the rows of each, then the rows in which their
/// order says which label is the first of a value.
pub(super) fn put_subjects(out: &mut Vec<u8>, subjects: &Subjects, rows: usize) {
    let all: Vec<Subject> = subjects.iter().collect();
    let pair = |subject: &Subject| (subject.value, subject.label);
    let mut sorted = all.clone();
    sorted.sort_by_key(pair);
    let pairs: Vec<&[Subject]> = sorted.chunk_by(|left, right| pair(left) == pair(right)).collect();
    put_number(out, pairs.len() as u64);
    for subjects in &pairs {
        put_number(out, u64::from(subjects[0].value));
        put_number(out, subjects[0].label.map_or(0, |label| u64::from(label) + 1));
    }
    for subjects in &pairs {
        let list: Vec<u16> = subjects.iter().map(|subject| subject.row as u16).collect();
        put_rows(out, &list, rows);
    }
    let ordered: Vec<&[Subject]> = all
        .chunk_by(|left, right| left.row == right.row)
        .filter(|subjects| order_tells(subjects))
        .collect();
    put_number(out, ordered.len() as u64);
    for subjects in ordered {
        put_number(out, subjects[0].row as u64);
        for subject in subjects {
            let place = pairs.partition_point(|known| pair(&known[0]) < pair(subject));
            put_number(out, place as u64);
        }
    }
}

/// Whether a row's subjects do not stand in the order of their pairs, and one value comes with several labels.
fn order_tells(subjects: &[Subject]) -> bool {
    let mut sorted: Vec<(u32, Option<u32>)> = subjects.iter().map(|subject| (subject.value, subject.label)).collect();
    let is_sorted = sorted.is_sorted();
    sorted.sort_unstable();
    !is_sorted
        && sorted
            .windows(2)
            .any(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1)
}

fn read_subjects(reader: &mut Reader<'_>, rows: usize) -> Option<Subjects> {
    let count = reader.count()?;
    let pair = |_| {
        let value = u32::try_from(reader.number()?).ok()?;
        let label = u32::try_from(reader.number()?).ok()?;
        Some((value, label.checked_sub(1)))
    };
    let pairs: Vec<(u32, Option<u32>)> = (0..count).map(pair).collect::<Option<_>>()?;
    let mut subjects = Vec::new();
    for (value, label) in &pairs {
        let mut list = Vec::new();
        read_rows(reader, rows, &mut list)?;
        subjects.extend(list.into_iter().map(|row| Subject {
            row: usize::from(row),
            value: *value,
            label: *label,
        }));
    }
    subjects.sort_by_key(|subject| subject.row);
    for _ in 0..reader.count()? {
        let row = usize::try_from(reader.number()?).ok()?;
        let from = subjects.partition_point(|subject| subject.row < row);
        let to = subjects.partition_point(|subject| subject.row <= row);
        for subject in &mut subjects[from..to] {
            (subject.value, subject.label) = *pairs.get(usize::try_from(reader.number()?).ok()?)?;
        }
    }
    Some(Subjects::new(subjects.iter().copied()))
}
