//! Damaged files: right answers or `Corrupt`, and nothing else.

use std::{fs, fs::File, ops::Range};

use parquet::file::reader::{FileReader, SerializedFileReader};
use trailbook_ledger::Error;

use crate::support::{Everything, Files, everything, plain_ledger, write};

/// A small segment of three ledgers with all of its answers.
fn sample() -> (Files, Everything) {
    let (files, _) = write(&[plain_ledger(1, 9, 700), plain_ledger(5, 0, 3), plain_ledger(6, 300, 40)]);
    let answers = everything(&files.open().unwrap()).unwrap();
    (files, answers)
}

/// The answers, or the text of the damage that was found.
fn ask(files: &Files) -> Result<Everything, String> {
    match files.open().and_then(|segment| everything(&segment)) {
        Ok(answers) => Ok(answers),
        Err(Error::Corrupt { detail }) => Err(detail),
        Err(other) => panic!("{other}"),
    }
}

/// Bytes of the Parquet file that hold what the reader needs: all pages but those of the first column, the project.
fn record_bytes(files: &Files) -> Vec<Range<u64>> {
    let reader = SerializedFileReader::new(File::open(files.data()).unwrap()).unwrap();
    let groups = reader.metadata().row_groups();
    let columns = groups.iter().flat_map(|group| &group.columns()[1..]);
    columns
        .map(|column| column.byte_range())
        .map(|(start, length)| start..start + length)
        .collect()
}

#[test]
fn a_flipped_bit_in_the_parquet_file_is_noticed_or_does_not_matter() {
    let (files, answers) = sample();
    let intact = fs::read(files.data()).unwrap();
    let records = record_bytes(&files);
    let mut noticed = 0;
    for position in (0..intact.len()).step_by(37) {
        let mut damaged = intact.clone();
        damaged[position] ^= 1 << (position % 8);
        fs::write(files.data(), &damaged).unwrap();
        let found = ask(&files);
        let is_record = records.iter().any(|range| range.contains(&(position as u64)));
        match found {
            Err(detail) => {
                assert!(detail.contains("segment.parquet"), "position {position}: {detail}");
                noticed += 1;
            }
            Ok(found) => {
                assert!(!is_record, "position {position} of a record");
                assert_eq!(found, answers, "position {position}");
            }
        }
    }
    assert!(noticed > 100, "{noticed} of {} bytes", intact.len());
}

#[test]
fn a_flipped_bit_in_the_bundle_is_noticed_unless_it_is_in_an_index() {
    let (files, answers) = sample();
    let intact = fs::read(files.bundle()).unwrap();
    let segment = files.open().unwrap();
    let mut indexes = Vec::new();
    for run in segment.runs().unwrap() {
        let length = segment.index_length(&run, 0).unwrap();
        let index = segment.index_bytes(&run, 0, 0..length).unwrap();
        let start = intact.windows(index.len()).position(|window| window == index).unwrap();
        indexes.push(start..start + index.len());
    }
    let directories = (intact.len() - 500..intact.len()).step_by(3);
    for position in (0..intact.len()).step_by(131).chain(directories) {
        let mut damaged = intact.clone();
        damaged[position] ^= 1 << (position % 8);
        fs::write(files.bundle(), &damaged).unwrap();
        let is_index = indexes.iter().any(|range| range.contains(&position));
        match ask(&files) {
            Err(detail) => assert!(
                !is_index && detail.contains("segment.bundle"),
                "position {position}: {detail}"
            ),
            Ok(found) => {
                assert!(is_index, "position {position}");
                assert_eq!(found, answers, "position {position}");
            }
        }
    }
}

#[test]
fn cut_files_are_noticed_when_they_are_opened() {
    let (files, _) = sample();
    for path in [files.data(), files.bundle()] {
        let intact = fs::read(&path).unwrap();
        for length in (0..intact.len()).step_by(61).chain([1, 4, 8, 12, intact.len() - 1]) {
            fs::write(&path, &intact[..length]).unwrap();
            match files.open() {
                Err(Error::Corrupt { detail }) => assert!(detail.contains("segment."), "length {length}: {detail}"),
                other => panic!("length {length}: {other:?}"),
            }
        }
        fs::write(&path, &intact).unwrap();
    }
}

#[test]
fn tiles_and_pages_of_another_place_do_not_pass() {
    // Two segments of the same shape: what has a good checksum in one is still not the other's.
    let (files, _) = write(&[plain_ledger(1, 0, 300)]);
    let (others, _) = write(&[plain_ledger(1, 300, 300)]);
    fs::copy(others.bundle(), files.bundle()).unwrap();
    let detail = ask(&files).unwrap_err();
    assert!(detail.contains("segment."), "{detail}");
}

#[test]
fn a_file_that_is_not_there_is_no_damage() {
    assert!(matches!(Files::new().open(), Err(Error::Storage { .. })));
}
