//! Collects the terms of rows that are handed over one after the other.

use std::hash::{BuildHasher, Hash, Hasher};

use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::dictionary::{Dictionary, Group};

/// Distinct (group, text) pairs numbered by appearance, and every (pair, row) met.
#[derive(Default)]
pub(super) struct Interner {
    table: HashTable<u32>,
    text: String,
    entries: Vec<Entry>,
    occurrences: Vec<(u32, u16)>,
}

struct Entry {
    group: u32,
    text_end: u32,
    postings: u32,
    last_row: Option<u16>,
}

impl Interner {
    pub(super) fn add(&mut self, group: u32, text: &str, row: u16) {
        let number = self.intern(group, text);
        self.occurs(number, row);
    }

    pub(super) fn add_once(&mut self, group: u32, text: &str, row: u16) {
        let number = self.intern(group, text);
        if self.entries[number as usize].last_row != Some(row) {
            self.occurs(number, row);
        }
    }

    fn occurs(&mut self, number: u32, row: u16) {
        let entry = &mut self.entries[number as usize];
        entry.postings += 1;
        entry.last_row = Some(row);
        self.occurrences.push((number, row));
    }

    pub(super) fn intern(&mut self, group: u32, text: &str) -> u32 {
        let Self {
            table,
            text: all,
            entries,
            ..
        } = self;
        let is_it = |number: &u32| entries[*number as usize].group == group && text_of(all, entries, *number) == text;
        if let Some(number) = table.find(hash(group, text), is_it) {
            return *number;
        }
        let number = entries.len() as u32;
        all.push_str(text);
        entries.push(Entry {
            group,
            text_end: all.len() as u32,
            postings: 0,
            last_row: None,
        });
        table.insert_unique(hash(group, text), number, |known| {
            hash(entries[*known as usize].group, text_of(all, entries, *known))
        });
        number
    }

    /// The sorted terms, and the number of each pair among them.
    pub(super) fn finish(self, paths: FxHashMap<Box<str>, u32>) -> (Box<[Box<str>]>, Dictionary, Vec<u32>) {
        let (paths, places) = sorted_paths(paths);
        let sorted = self.sorted(&places);
        let mut numbers = vec![0; sorted.len()];
        let mut group_ends = vec![0; Group::FIRST_PATH as usize + paths.len()];
        for (place, (group, number)) in (0..).zip(&sorted) {
            numbers[*number as usize] = place;
            group_ends[*group as usize] = place + 1;
        }
        // A group without terms ends where the one before it does.
        let mut reached = 0;
        for end in &mut group_ends {
            reached = reached.max(*end);
            *end = reached;
        }
        let texts = sorted
            .iter()
            .map(|(_, number)| text_of(&self.text, &self.entries, *number));
        let posting_ends = ends(sorted.iter().map(|(_, number)| self.entries[*number as usize].postings));
        let dictionary = Dictionary {
            first_group: 0,
            group_ends: group_ends.into(),
            text: texts.clone().collect::<String>().into(),
            text_ends: ends(texts.map(|text| text.len() as u32)),
            postings: postings(&self.occurrences, &numbers, &posting_ends),
            posting_ends,
        };
        (paths, dictionary, numbers)
    }

    /// All pairs with their groups, in the order of the terms; `places` has the place of each metadata path.
    fn sorted(&self, places: &[u32]) -> Vec<(u32, u32)> {
        let group_of = |entry: &Entry| match entry.group.checked_sub(Group::FIRST_PATH) {
            Some(path) => Group::FIRST_PATH + places[path as usize],
            None => entry.group,
        };
        let text = |number: u32| text_of(&self.text, &self.entries, number);
        let keyed = |(entry, number): (&Entry, u32)| {
            let group = group_of(entry);
            (group, beginning(&Group(group).fold(text(number))), number)
        };
        let mut sorted: Vec<(u32, u64, u32)> = self.entries.iter().zip(0..).map(keyed).collect();
        // Most texts differ in their beginnings; only those that do not are folded and compared whole.
        sorted.sort_unstable_by(|left, right| {
            (left.0, left.1).cmp(&(right.0, right.1)).then_with(|| {
                let (group, left, right) = (Group(left.0), text(left.2), text(right.2));
                group.fold(left).cmp(&group.fold(right)).then_with(|| left.cmp(right))
            })
        });
        sorted.into_iter().map(|(group, _, number)| (group, number)).collect()
    }
}

/// The first eight bytes of a text as a number that is ordered like them.
fn beginning(text: &str) -> u64 {
    let mut bytes = [0; 8];
    let length = text.len().min(8);
    bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
    u64::from_be_bytes(bytes)
}

/// Where each of some things of these lengths ends, when they stand one after the other.
fn ends(lengths: impl Iterator<Item = u32>) -> Box<[u32]> {
    lengths
        .scan(0, |end, length| {
            *end += length;
            Some(*end)
        })
        .collect()
}

/// The rows of each term, in the order in which they were met, which is ascending.
fn postings(occurrences: &[(u32, u16)], numbers: &[u32], ends: &[u32]) -> Box<[u16]> {
    let mut next: Vec<u32> = std::iter::once(0).chain(ends.iter().copied()).collect();
    let mut rows = vec![0; occurrences.len()];
    for (number, row) in occurrences {
        let place = &mut next[numbers[*number as usize] as usize];
        rows[*place as usize] = *row;
        *place += 1;
    }
    rows.into()
}

/// The paths in order, and for each of their numbers its place there.
fn sorted_paths(paths: FxHashMap<Box<str>, u32>) -> (Box<[Box<str>]>, Vec<u32>) {
    let mut places = vec![0; paths.len()];
    let mut sorted: Vec<(Box<str>, u32)> = paths.into_iter().collect();
    sorted.sort_unstable();
    for (place, (_, number)) in sorted.iter().enumerate() {
        places[*number as usize] = place as u32;
    }
    (sorted.into_iter().map(|(path, _)| path).collect(), places)
}

fn text_of<'t>(all: &'t str, entries: &[Entry], number: u32) -> &'t str {
    let start = number
        .checked_sub(1)
        .map_or(0, |before| entries[before as usize].text_end);
    &all[start as usize..entries[number as usize].text_end as usize]
}

fn hash(group: u32, text: &str) -> u64 {
    let mut hasher = FxBuildHasher.build_hasher();
    group.hash(&mut hasher);
    text.hash(&mut hasher);
    hasher.finish()
}
