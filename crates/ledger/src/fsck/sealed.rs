//! Checking what is sealed: objects, leaf hashes, and, when asked to look deep, every byte.

use std::{collections::BTreeMap, ops::Range};

use trailbook_event::Event;
use trailbook_merkle::{CompactRange, Frontier, Hash, complete_root, subtrees};

use super::{Fsck, check_event, trees::Rebuilt};
use crate::{
    Error, Parts, Row,
    database::{Database, LedgerId, Loaded, StoredSegment},
    history::OpenSegments,
    pieces::{self, TILE},
    segment::{BLOCK_ROWS, Indexer, Parsed, Run, Segment},
};

/// Rows that are read at a time.
const CHUNK_ROWS: u64 = 1_024;

/// A segment that can be opened, with its runs.
pub(super) struct Sound {
    stored: StoredSegment,
    runs: Vec<Run>,
}

/// Checks the objects of all segments; those that can be opened, in the order of their commits.
pub(super) fn check_segments(segments: &OpenSegments, loaded: &Loaded, deep: bool, report: &mut Fsck) -> Vec<Sound> {
    let mut stored = loaded.segments.clone();
    stored.sort_by_key(|segment| (segment.commits.0, segment.segment));
    let mut sound = Vec::new();
    for stored in stored {
        report.segments += 1;
        let place = format!("segment {}", stored.segment);
        for object in [&stored.data, &stored.bundle] {
            if let Err(what) = segments.objects().check(object, deep) {
                report.find(format_args!("object {} of {place}", object.name), what);
            }
        }
        match segments.open(&stored).and_then(|segment| segment.runs()) {
            Ok(runs) => {
                let events: u64 = runs.iter().map(|run| run.rows).sum();
                if events != stored.events {
                    let detail = format!("it has {events} events, the manifest says {}", stored.events);
                    report.find(place, detail);
                }
                sound.push(Sound { stored, runs });
            }
            Err(error) => report.find(place, error.to_string()),
        }
    }
    sound
}

/// The runs of each ledger, in the order of their sequences.
pub(super) fn by_ledger(sound: &[Sound]) -> BTreeMap<LedgerId, Vec<(&StoredSegment, &Run)>> {
    let mut ledgers = BTreeMap::<LedgerId, Vec<_>>::new();
    for Sound { stored, runs } in sound {
        for run in runs {
            ledgers.entry(run.ledger).or_default().push((stored, run));
        }
    }
    ledgers
        .values_mut()
        .for_each(|runs| runs.sort_by_key(|(_, run)| run.first_sequence));
    ledgers
}

/// Begins a ledger's tree with what is kept of the events below its floor.
pub(super) async fn begin(
    database: &dyn Database,
    rebuilt: &mut Rebuilt,
    floor: u64,
    report: &mut Fsck,
) -> Result<(), Error> {
    let ledger = rebuilt.stored.ledger;
    let tile = floor / TILE;
    let mut hashes = Vec::new();
    for subtree in subtrees(0, tile * TILE) {
        let (level, nodes) = subtree.tile_nodes();
        let found = database.subtrees(ledger, level, nodes.start, nodes.end).await;
        let found = found.map_err(|error| Error::storage("read subtrees", error))?;
        if found.len() as u64 != nodes.end - nodes.start {
            report.find(
                format_args!("subtree of {}", rebuilt.stored.key),
                format!("nodes {nodes:?} of level {level} are missing"),
            );
            rebuilt.broken = true;
            return Ok(());
        }
        let nodes: Vec<Hash> = found.into_iter().map(|subtree| subtree.hash).collect();
        hashes.push(complete_root(&nodes));
    }
    let range = CompactRange::new(0, tile * TILE, hashes).and_then(Frontier::try_from);
    rebuilt.frontier = range.map_err(|error| Error::corrupt(error.to_string()))?;
    rebuilt.first = tile * TILE;
    let kept = database.tiles(ledger, tile, tile + 1).await;
    let kept = kept.map_err(|error| Error::storage("read what is kept of a tile", error))?;
    let kept: Vec<pieces::Piece> = kept.into_iter().flat_map(|tile| tile.pieces).collect();
    for sequence in tile * TILE..floor {
        match pieces::root(&kept, (sequence % TILE) as u8, 0) {
            Some(leaf) => rebuilt.append(
                sequence,
                leaf,
                &format!("kept leaf {sequence} of {}", rebuilt.stored.key.clone()),
                report,
            ),
            None => {
                report.find(
                    format_args!("kept leaf {sequence} of {}", rebuilt.stored.key),
                    "it is missing",
                );
                rebuilt.broken = true;
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Puts a run's leaves into its ledger's tree, and looks at every row when asked to look deep.
pub(super) fn check_run(
    parts: &Parts,
    (stored, segment): (&StoredSegment, &Segment),
    run: &Run,
    rebuilt: &mut Rebuilt,
    deep: bool,
    report: &mut Fsck,
) {
    let place = format!("ledger {} in segment {}", rebuilt.stored.key, stored.segment);
    let from = rebuilt.frontier.size().max(run.first_sequence);
    // Of runs below the floor, newer ones may be gone already.
    if from < run.sequences().end {
        rebuilt.received_at = rebuilt.received_at.max(run.received.1.millis());
        match segment.leaf_hashes(run, from..run.sequences().end) {
            Ok(leaves) => {
                for (sequence, leaf) in (from..).zip(leaves) {
                    rebuilt.append(sequence, leaf, &place, report);
                }
            }
            Err(error) => {
                report.find(&place, error.to_string());
                rebuilt.broken = true;
            }
        }
    }
    report.events += run.rows;
    if deep {
        check_rows(parts, segment, run, &place, rebuilt, report);
    }
}

/// Reads every row of a run and makes its index anew.
fn check_rows(parts: &Parts, segment: &Segment, run: &Run, place: &str, rebuilt: &mut Rebuilt, report: &mut Fsck) {
    for block in 0..segment.blocks(run) {
        let first = block as u64 * BLOCK_ROWS as u64;
        let end = (first + BLOCK_ROWS as u64).min(run.rows);
        let rows = read_rows(segment, run, first..end, place, report);
        let whole = rows.len() as u64 == end - first;
        let received_at = rebuilt.received_at;
        for row in &rows {
            rebuilt.received_at = i64::MIN;
            check_event(
                row,
                &format!("event {} (sequence {} of {place})", row.id, row.sequence),
                rebuilt,
                report,
            );
        }
        rebuilt.received_at = received_at;
        if whole {
            check_index(parts, segment, run, block, &rows, place, report);
        }
    }
    // What cannot be read of it has been named with the rows, which are held against it.
    if let Ok(mut numbers) = segment.numbers(run, run.sequences()) {
        numbers.sort_unstable();
        if !numbers.into_iter().eq(0..run.rows) {
            report.find(place, "its permutation is none");
        }
    }
}

/// Rows that can be read; those that cannot are named.
fn read_rows(segment: &Segment, run: &Run, numbers: Range<u64>, place: &str, report: &mut Fsck) -> Vec<Row> {
    let (mut all, mut unread) = (Vec::new(), Vec::<(Range<u64>, String)>::new());
    for first in numbers.clone().step_by(CHUNK_ROWS as usize) {
        let chunk: Vec<u64> = (first..(first + CHUNK_ROWS).min(numbers.end)).collect();
        match segment.rows(run, &chunk) {
            Ok(rows) => all.extend(rows),
            // One after the other, to find out which.
            Err(_) => {
                for number in chunk {
                    match segment.rows(run, &[number]) {
                        Ok(rows) => all.extend(rows),
                        Err(error) => add_unread(&mut unread, number, error.to_string()),
                    }
                }
            }
        }
    }
    for (numbers, what) in unread {
        report.find(format_args!("{} of {place}", name_of(segment, run, &numbers)), what);
    }
    all
}

/// Adds a row to those that cannot be read for the same reason, usually as they share a page.
fn add_unread(unread: &mut Vec<(Range<u64>, String)>, number: u64, what: String) {
    match unread.last_mut() {
        Some((numbers, same)) if numbers.end == number && *same == what => numbers.end += 1,
        _ => unread.push((number..number + 1, what)),
    }
}

/// What to call some rows: their numbers, and from which to which sequence they are, if that can be read.
fn name_of(segment: &Segment, run: &Run, numbers: &Range<u64>) -> String {
    let last = numbers.end - 1;
    let Ok(by_sequence) = segment.numbers(run, run.sequences()) else {
        return format!("rows {}..={last}", numbers.start);
    };
    let here = run.sequences().zip(by_sequence);
    let here = here
        .filter(|(_, number)| numbers.contains(number))
        .map(|(sequence, _)| sequence);
    let (least, greatest) = here.fold((u64::MAX, 0), |(least, greatest), sequence| {
        (least.min(sequence), greatest.max(sequence))
    });
    format!("rows {}..={last} (of sequences {least}..={greatest})", numbers.start)
}

fn check_index(
    parts: &Parts,
    segment: &Segment,
    run: &Run,
    block: usize,
    rows: &[Row],
    place: &str,
    report: &mut Fsck,
) {
    let place = format!("index block {block} of {place}");
    match is_indexed(&*parts.indexer, segment, run, block, rows) {
        Err(error) => report.find(place, error.to_string()),
        Ok(false) => report.find(
            place,
            "it is not the index of its rows: make it anew with `trailbook reindex`",
        ),
        Ok(true) => {}
    }
}

/// Whether a block's index is that of its rows.
pub(crate) fn is_indexed(
    indexer: &dyn Indexer,
    segment: &Segment,
    run: &Run,
    block: usize,
    rows: &[Row],
) -> Result<bool, Error> {
    let parsed = rows.iter().map(|row| match Event::parse(&row.parts) {
        Ok(event) => Ok(Parsed { row, event }),
        Err(error) => Err(Error::corrupt(format!(
            "an event cannot be read: {error} sequence={} id={}",
            row.sequence, row.id
        ))),
    });
    let expected = indexer.index(&parsed.collect::<Result<Vec<_>, Error>>()?);
    let length = segment.index_length(run, block)?;
    let is_expected = |stored: &[u8]| (stored == expected).then_some(());
    Ok(segment.index(run, block, 0..length, is_expected)?.is_some())
}
