//! What goes in comes out: rows, single values, leaf hashes, numbers, runs.

use std::fs;

use proptest::prelude::*;
use sha2::{Digest, Sha256};
use trailbook_event::{Event, Timestamp};
use trailbook_ledger::{
    Row,
    segment::{BLOCK_ROWS, Contents, Run, Segment, TextColumn},
};

use crate::support::{Files, Ledger, ledgers, plain_ledger, write};

fn check_row(found: &Row, row: &Row) {
    // A row compares by all its fields; `Debug` shows every one of them.
    assert_eq!(format!("{found:?}"), format!("{row:?}"));
}

fn check_run(segment: &Segment, ledger: &Ledger, first_row: u64) -> Run {
    let run = segment.run(ledger.id).unwrap().unwrap();
    let mut in_sequence: Vec<&Row> = ledger.rows.iter().map(|row| &**row).collect();
    in_sequence.sort_by_key(|row| row.sequence);
    let (first, last) = (in_sequence[0], in_sequence[in_sequence.len() - 1]);
    let (newest, oldest) = (&ledger.rows[0], &ledger.rows[ledger.rows.len() - 1]);
    assert_eq!(run.ledger, ledger.id);
    assert_eq!(
        (run.first_sequence, run.rows, run.first_row),
        (first.sequence, ledger.rows.len() as u64, first_row)
    );
    assert_eq!(run.ids, (first.id, last.id));
    assert_eq!(run.occurred, (oldest.occurred_at, newest.occurred_at));
    assert_eq!(run.received, (first.received_at, last.received_at));
    let security = ledger
        .rows
        .iter()
        .filter(|row| Event::parse(&row.parts).unwrap().security)
        .count();
    assert_eq!(run.security, security as u64);
    let leaves: Vec<_> = in_sequence.iter().map(|row| row.leaf_hash).collect();
    assert_eq!(segment.leaf_hashes(&run, run.sequences()).unwrap(), leaves);
    run
}

fn check_values(segment: &Segment, run: &Run, ledger: &Ledger) {
    let times: Vec<_> = ledger.rows.iter().map(|row| row.occurred_at.millis()).collect();
    assert_eq!(segment.times(run, 0..run.rows).unwrap(), times);
    let sequences: Vec<_> = ledger.rows.iter().map(|row| row.sequence).collect();
    assert_eq!(segment.sequences(run, 0..run.rows).unwrap(), sequences);
    for (number, sequence) in (0..).zip(&sequences) {
        assert_eq!(segment.numbers(run, *sequence..sequence + 1).unwrap(), [number]);
    }
    let numbers = segment.numbers(run, run.sequences()).unwrap();
    assert!(
        run.sequences()
            .zip(&numbers)
            .all(|(sequence, number)| sequences[*number as usize] == sequence)
    );
    let events: Vec<_> = ledger
        .rows
        .iter()
        .map(|row| Event::parse(&row.parts).unwrap())
        .collect();
    let all: Vec<u64> = (0..run.rows).collect();
    let text = |column| segment.texts(run, column, &all).unwrap();
    let expected = |text: fn(&Event<'_>) -> Option<String>| events.iter().map(text).collect::<Vec<_>>();
    assert_eq!(
        text(TextColumn::TraceId),
        expected(|event| event.trace_id.clone().map(Into::into))
    );
    assert_eq!(
        text(TextColumn::ClientId),
        expected(|event| event.client_id.clone().map(Into::into))
    );
}

fn check_contents(contents: &Contents, files: &Files, ledgers: &[Ledger]) {
    let rows = || ledgers.iter().flat_map(|ledger| &ledger.rows);
    let range = |value: fn(&Row) -> Timestamp| {
        (
            rows().map(|row| value(row)).min().unwrap(),
            rows().map(|row| value(row)).max().unwrap(),
        )
    };
    assert_eq!(contents.events, rows().count() as u64);
    assert_eq!(
        contents.ledger_list,
        ledgers.iter().map(|ledger| ledger.id).collect::<Vec<_>>()
    );
    assert_eq!(contents.ledgers, (ledgers[0].id, ledgers[ledgers.len() - 1].id));
    let commits = (
        rows().map(|row| row.commit).min().unwrap(),
        rows().map(|row| row.commit).max().unwrap(),
    );
    assert_eq!(contents.commits, commits);
    assert_eq!(contents.occurred, range(|row| row.occurred_at));
    assert_eq!(contents.received, range(|row| row.received_at));
    for (path, described) in [(files.data(), contents.data), (files.bundle(), contents.bundle)] {
        let bytes = fs::read(path).unwrap();
        assert_eq!(described, (bytes.len() as u64, Sha256::digest(&bytes).into()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_rows_are_read_back(ledgers in ledgers(), stride in 1_usize..5) {
        let (files, contents) = write(&ledgers);
        check_contents(&contents, &files, &ledgers);
        let segment = files.open().unwrap();
        let mut first_row = 0;
        for ledger in &ledgers {
            let run = check_run(&segment, ledger, first_row);
            first_row += run.rows;
            check_values(&segment, &run, ledger);
            let numbers: Vec<u64> = (0..run.rows).step_by(stride).collect();
            let found = segment.rows(&run, &numbers).unwrap();
            prop_assert_eq!(found.len(), numbers.len());
            for (row, number) in found.iter().zip(&numbers) {
                check_row(row, &ledger.rows[*number as usize]);
                prop_assert_eq!(segment.id(&run, *number).unwrap(), row.id);
                prop_assert_eq!(segment.received_at(&run, *number).unwrap(), row.received_at);
            }
        }
        prop_assert_eq!(segment.runs().unwrap().len(), ledgers.len());
        prop_assert_eq!(segment.run(0).unwrap(), None);
        prop_assert_eq!(segment.run(u64::MAX).unwrap(), None);
    }
}

#[test]
fn a_run_of_several_blocks_pages_and_row_groups_is_read_back() {
    let ledgers = [
        plain_ledger(3, 0, 100),
        plain_ledger(4, 77, BLOCK_ROWS as u64 + 1_300),
        plain_ledger(9, 0, 5),
    ];
    let (files, contents) = write(&ledgers);
    assert_eq!(contents.events, BLOCK_ROWS as u64 + 1_405);
    let segment = files.open().unwrap();
    let run = segment.run(4).unwrap().unwrap();
    assert_eq!(segment.blocks(&run), 2);
    let indexed = (0..2).flat_map(|block| {
        let length = segment.index_length(&run, block).unwrap();
        segment.index_bytes(&run, block, 0..length).unwrap()
    });
    let sequences = segment.sequences(&run, 0..run.rows).unwrap();
    assert!(
        indexed.eq(sequences.iter().flat_map(|sequence| sequence.to_le_bytes())),
        "blocks follow the rows"
    );
    assert_eq!(
        segment.index_bytes(&run, 1, 8..16).unwrap(),
        sequences[BLOCK_ROWS + 1].to_le_bytes()
    );
    let numbers: Vec<u64> = (0..run.rows).step_by(97).chain([run.rows - 1]).collect();
    for (row, number) in segment.rows(&run, &numbers).unwrap().iter().zip(&numbers) {
        check_row(row, &ledgers[1].rows[*number as usize]);
    }
    check_run(&segment, &ledgers[2], run.first_row + run.rows);
    check_run(&segment, &ledgers[1], 100);
}

#[test]
fn one_long_event_among_short_ones_is_read_back() {
    let mut ledger = plain_ledger(1, 0, 600);
    let long = std::sync::Arc::make_mut(&mut ledger.rows[300]);
    let mut event = Event::parse(&long.parts).unwrap();
    event.message = Some("long ".repeat(600_000).into());
    let envelope = crate::support::Envelope {
        sequence: long.sequence,
        country: None,
        nonce: [1; 16],
        redacted: Vec::new(),
    };
    ledger.rows[300] = crate::support::row(&event, &envelope);
    let ledgers = [ledger];
    let (files, _) = write(&ledgers);
    let segment = files.open().unwrap();
    let run = segment.run(1).unwrap().unwrap();
    let numbers = [0, 299, 300, 301, 599];
    for (row, number) in segment.rows(&run, &numbers).unwrap().iter().zip(numbers) {
        check_row(row, &ledgers[0].rows[number as usize]);
    }
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let make = || write(&[plain_ledger(1, 5, 700), plain_ledger(2, 0, 3)]);
    let ((first, contents), (second, again)) = (make(), make());
    assert_eq!(contents, again);
    assert_eq!(fs::read(first.data()).unwrap(), fs::read(second.data()).unwrap());
    assert_eq!(fs::read(first.bundle()).unwrap(), fs::read(second.bundle()).unwrap());
}
