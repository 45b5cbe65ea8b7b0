//! From rows to the bytes of their index.

use trailbook_event::{Record, text};
use trailbook_ledger::segment::{Indexer, Parsed};
use zstd::bulk::Compressor;

use super::{
    fingerprints::Fingerprints,
    header::{Place, put_header},
    part::{put_subjects, put_terms},
};
use crate::block::{Builder, Built, Dictionary, Group};

/// A part of which this many bytes are in memory when it is read gets no further terms of its group …
const PART_BYTES: usize = 64 * 1024;
/// … and one of which this many are, no further groups.
const SHARED_BYTES: usize = 16 * 1024;
/// Measured on generated events: higher levels take longer and win little.
const LEVEL: i32 = 3;

/// Makes the index of sealed rows that the views of an [`crate::Engine`] read.
#[derive(Debug, Clone, Copy, Default)]
pub struct BlockIndexer;

impl Indexer for BlockIndexer {
    fn index(&self, rows: &[Parsed<'_>]) -> Vec<u8> {
        let mut builder = Builder::without_identifiers();
        let (mut trace_ids, mut client_ids) = (Vec::new(), Vec::new());
        // Rows come newest first; in the index time ascends.
        for (number, Parsed { row, event }) in (0..).zip(rows.iter().rev()) {
            let (occurred_at, country) = (row.occurred_at, row.country());
            builder.add(
                number,
                &Record {
                    occurred_at,
                    country,
                    event,
                },
            );
            let print = |id: &str| (number, Fingerprints::of(&text::fold_case(id)));
            trace_ids.extend(event.trace_id.as_deref().map(print));
            client_ids.extend(event.client_id.as_deref().map(print));
        }
        let millis = |parsed: Option<&Parsed<'_>>| parsed.map_or(0, |parsed| parsed.row.occurred_at.millis());
        let parts = Parts {
            built: &builder.finish(),
            trace_ids: Fingerprints::new(&trace_ids),
            client_ids: Fingerprints::new(&client_ids),
            rows: rows.len(),
            places: Vec::new(),
            bytes: Vec::new(),
            open: Open::default(),
        };
        parts.write((millis(rows.last()), millis(rows.first())))
    }
}

/// The parts under construction.
struct Parts<'b> {
    built: &'b Built,
    trace_ids: Fingerprints,
    client_ids: Fingerprints,
    rows: usize,
    places: Vec<Place>,
    bytes: Vec<u8>,
    open: Open,
}

/// The part that is being filled.
#[derive(Default)]
struct Open {
    first_group: u32,
    lead: Option<Box<str>>,
    raw: Vec<u8>,
    /// Bytes that it will take in memory.
    memory: usize,
}

impl Parts<'_> {
    fn write(mut self, times: (i64, i64)) -> Vec<u8> {
        // Memory is the only thing that it may lack, as everywhere.
        let mut compressor = Compressor::new(LEVEL).expect("zstd has a context");
        let groups = Group::FIRST_PATH + self.built.paths.len() as u32;
        for group in 0..groups {
            self.put_group(Group(group), &mut compressor);
            if self.open.memory >= SHARED_BYTES || group + 1 == groups {
                self.close(group + 1, group + 1, None, &mut compressor);
            }
        }
        let mut bytes = put_header(self.rows, times, &self.built.paths, &self.places);
        bytes.append(&mut self.bytes);
        bytes
    }

    fn put_group(&mut self, group: Group, compressor: &mut Compressor<'_>) {
        let (out, rows) = (&mut self.open.raw, self.rows);
        let memory = match group {
            Group::ACTORS => {
                put_subjects(out, &self.built.actors, rows);
                self.built.actors.memory()
            }
            Group::TARGETS => {
                put_subjects(out, &self.built.targets, rows);
                self.built.targets.memory()
            }
            Group::TRACE_ID => {
                self.trace_ids.put(out, rows);
                self.trace_ids.memory()
            }
            Group::CLIENT_ID => {
                self.client_ids.put(out, rows);
                self.client_ids.memory()
            }
            _ => {
                self.put_terms(group, compressor);
                0
            }
        };
        self.open.memory += memory;
    }

    fn put_terms(&mut self, group: Group, compressor: &mut Compressor<'_>) {
        let dictionary = &self.built.dictionary;
        let terms = dictionary.of_group(group);
        let mut from = terms.start;
        loop {
            let mut to = from;
            while to < terms.end && self.open.memory < PART_BYTES {
                self.open.memory += term_memory(dictionary, to);
                to += 1;
            }
            put_terms(&mut self.open.raw, dictionary, from..to, self.rows);
            if to == terms.end {
                return;
            }
            let lead = group.fold(dictionary.text(to)).into_owned();
            self.close(group.0 + 1, group.0, Some(lead.into()), compressor);
            from = to;
        }
    }

    /// Ends the open part before a group; the next one begins with `first_group`.
    fn close(&mut self, end: u32, first_group: u32, lead: Option<Box<str>>, compressor: &mut Compressor<'_>) {
        let next = Open {
            first_group,
            lead,
            ..Open::default()
        };
        let part = std::mem::replace(&mut self.open, next);
        let compressed = compressor
            .compress(&part.raw)
            .expect("there is room for what zstd says may come");
        let start = self.bytes.len() as u64;
        self.bytes.extend_from_slice(&compressed);
        self.places.push(Place {
            bytes: start..self.bytes.len() as u64,
            checksum: crc32fast::hash(&compressed),
            raw_length: part.raw.len(),
            groups: part.first_group..end,
            lead: part.lead,
        });
    }
}

fn term_memory(dictionary: &Dictionary, term: u32) -> usize {
    dictionary.text(term).len() + 2 * dictionary.postings(term).len() + 2 * size_of::<u32>()
}
