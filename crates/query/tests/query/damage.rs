//! Damaged files of a real segment: `fsck --deep` says where, and every answer is right or refused.

use std::{
    fs::{self, File},
    ops::Range,
    os::unix::fs::FileExt,
    path::PathBuf,
};

use parquet::file::reader::{FileReader, SerializedFileReader};
use trailbook_ledger::{OrganizationKey, reindex, segment::Segment};
use trailbook_testkit::Random;

use crate::stored::{Answers, Stored};

const SEED: u64 = 20_261_125;
const EVENTS: usize = 700;
/// Single bytes that are changed in each file, drawn.
const DRAWN: u64 = 100;
/// `fsck` looks at one in so many.
const CHECKED: usize = 12;

/// A part of a file, and what `fsck` says when a byte of it is changed.
struct Region {
    bytes: Range<usize>,
    finding: String,
    /// Whether every byte is to be tried.
    all: bool,
}

/// Changes single bytes of a file, each for itself.
async fn change_bytes(stored: &Stored, file: PathBuf, regions: &[Region]) {
    let answers = Answers::of(stored).await;
    let (bytes, name) = (fs::read(&file).unwrap(), file.file_name().unwrap().to_str().unwrap());
    let covered: usize = regions.iter().map(|region| region.bytes.len()).sum();
    assert_eq!(covered, bytes.len(), "every byte belongs to one part");
    let mut random = Random::new(SEED);
    let mut positions: Vec<usize> = (0..DRAWN).map(|_| random.below(bytes.len() as u64) as usize).collect();
    let whole = regions.iter().filter(|region| region.all);
    positions.extend(whole.flat_map(|region| region.bytes.clone()));
    let writable = File::options().write(true).open(&file).unwrap();
    let put = |position: usize, byte: u8| writable.write_all_at(&[byte], position as u64).unwrap();
    let mut refused = 0;
    for (turn, position) in positions.into_iter().enumerate() {
        let region = regions.iter().find(|region| region.bytes.contains(&position)).unwrap();
        let flip = 1 << random.below(8);
        let damage = format!("seed {SEED}: bit {flip:#x} of byte {position} of {name}");
        put(position, bytes[position] ^ flip);
        refused += answers.hold(stored, &damage, &[name, "segment=1 "]).await;
        if turn % CHECKED == 0 {
            assert_found(stored, name, &region.finding, &damage).await;
        }
        put(position, bytes[position]);
    }
    assert!(refused > 0, "no damage was ever noticed");
    assert_eq!(answers.hold(stored, "all bytes are restored", &[]).await, 0);
}

async fn assert_found(stored: &Stored, name: &str, expected: &str, damage: &str) {
    let findings = stored.fsck().await.findings;
    let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
    let object = format!("object segments/{name} of segment 1: its SHA-256");
    assert!(
        findings.iter().any(|found| found.starts_with(&object)),
        "{damage}: {findings:#?}"
    );
    let is_there = findings.iter().any(|found| found.contains(expected));
    assert!(is_there, "{damage}: {expected} is not in {findings:#?}");
}

/// The parts of the Parquet file. What only other engines read is covered by the object's hash alone.
fn data_regions(file: &PathBuf) -> Vec<Region> {
    let reader = SerializedFileReader::new(File::open(file).unwrap()).unwrap();
    let length = fs::metadata(file).unwrap().len() as usize;
    let region = |bytes, finding: String| Region {
        bytes,
        finding,
        all: false,
    };
    let magic = || "segment 1: stored data is damaged: detail=it is not the Parquet file".to_owned();
    let mut regions = vec![region(0..4, magic())];
    let columns = reader.metadata().row_groups().iter().flat_map(|group| group.columns());
    for column in columns {
        let (start, bytes) = column.byte_range();
        let name = column.column_descr().name();
        let finding = match name {
            "project" => "object".to_owned(),
            _ => format!("a page does not match its checksum: column={name} "),
        };
        regions.push(region(start as usize..(start + bytes) as usize, finding));
    }
    let footer = regions.last().unwrap().bytes.end;
    regions.push(region(footer..length - 4, "object".to_owned()));
    regions.push(region(length - 4..length, magic()));
    for place in [0, regions.len() - 1] {
        regions[place].all = true;
    }
    regions
}

/// The parts of the bundle as docs/formats/segment.md has them.
fn bundle_regions(bytes: &[u8], names: &[OrganizationKey]) -> Vec<Region> {
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let region = |bytes, finding: String, all| Region { bytes, finding, all };
    let footer = bytes.len() - 60;
    let (groups, groups_at, runs, runs_at) = (
        number(footer + 16),
        number(footer + 24),
        number(footer + 32),
        number(footer + 40),
    );
    let mut regions = vec![
        region(
            0..4,
            "segment 1: stored data is damaged: detail=it is not the bundle".to_owned(),
            true,
        ),
        region(
            groups_at..runs_at,
            "segment 1: stored data is damaged: detail=its directory of row groups".to_owned(),
            true,
        ),
        region(
            runs_at..footer,
            "segment 1: stored data is damaged: detail=its directory of runs".to_owned(),
            true,
        ),
        region(
            footer..bytes.len(),
            "segment 1: stored data is damaged: detail=it".to_owned(),
            true,
        ),
    ];
    for group in 0..groups {
        let (at, length) = (number(groups_at + 28 * group + 12), groups_at + 28 * group + 20);
        let length = u32::from_le_bytes(bytes[length..length + 4].try_into().unwrap()) as usize;
        let finding = format!("a page table is damaged: row_group={group} ");
        regions.push(region(at..at + length, finding, false));
    }
    for (run, name) in (0..runs).map(|run| runs_at + 116 * run).zip(names) {
        let (ledger, rows, header) = (number(run), number(run + 16), number(run + 104));
        let tiles = rows.div_ceil(256);
        let leaves = format!(
            "ledger {name} in segment 1: stored data is damaged: detail=leaf hashes are damaged: ledger={ledger} "
        );
        for tile in 0..tiles {
            let (at, rows) = (number(header + 8 * tile), (rows - 256 * tile).min(256));
            let length = 9 + 32 * rows + (rows * usize::from(bytes[at + 8])).div_ceil(8) + 4;
            regions.push(region(at..at + 9, leaves.clone(), true));
            regions.push(region(at + 9..at + length, leaves.clone(), false));
        }
        let entry = header + 8 * tiles;
        let directory = format!("a directory of blocks is damaged: ledger={ledger} ");
        regions.push(region(header..entry, leaves, true));
        regions.push(region(entry..entry + 20, directory, true));
        let (index, length) = (number(entry), number(entry + 8));
        let finding = format!("index block 0 of ledger {name} in segment 1: it is not the index of its rows");
        regions.push(region(index..index + 9, finding.clone(), true));
        regions.push(region(index + 9..index + length, finding, false));
    }
    regions
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_of_the_parquet_file_is_found_and_never_answered() {
    let stored = Stored::new(SEED, EVENTS).await;
    let file = stored.file("parquet");
    let regions = data_regions(&file);
    change_bytes(&stored, file, &regions).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_of_the_bundle_is_found_and_never_answered() {
    let stored = Stored::new(SEED, EVENTS).await;
    let file = stored.file("bundle");
    let regions = bundle_regions(&fs::read(&file).unwrap(), &stored.organizations);
    change_bytes(&stored, file, &regions).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_were_cut_or_lost_are_named() {
    let stored = Stored::new(SEED, 120).await;
    let answers = Answers::of(&stored).await;
    for extension in ["parquet", "bundle"] {
        let file = stored.file(extension);
        let (bytes, name) = (fs::read(&file).unwrap(), file.file_name().unwrap().to_str().unwrap());
        let mut random = Random::new(SEED);
        let drawn = (0..12).map(|_| random.below(bytes.len() as u64) as usize);
        for length in drawn.chain([0, 4, 60, bytes.len() - 1]) {
            fs::write(&file, &bytes[..length]).unwrap();
            let damage = format!("seed {SEED}: {name} was cut to {length} bytes");
            assert!(answers.hold(&stored, &damage, &[name]).await > 0, "{damage}");
            let findings = stored.fsck().await.findings;
            let object = format!("object segments/{name} of segment 1");
            let said = format!("it is {length} bytes long, the manifest says {}", bytes.len());
            let is_said = findings
                .iter()
                .any(|found| found.place == object && found.detail == said);
            assert!(is_said, "{damage}: {findings:#?}");
        }
        fs::remove_file(&file).unwrap();
        assert!(answers.hold(&stored, "lost", &[name]).await > 0);
        let findings = stored.fsck().await.findings;
        let lost =
            |found: &trailbook_ledger::Finding| found.place.contains(name) && found.detail.contains("No such file");
        assert!(findings.iter().any(lost), "{findings:#?}");
        fs::write(&file, &bytes).unwrap();
        assert_eq!(answers.hold(&stored, "restored", &[]).await, 0);
    }
}

/// Everything that is derived from the rows: index blocks and leaf hashes, by ledger.
fn derived(segment: &Segment) -> Vec<(u64, Vec<u8>, String)> {
    let of = |run: trailbook_ledger::segment::Run| {
        let length = segment.index_length(&run, 0).unwrap();
        let index = segment.index_bytes(&run, 0, 0..length).unwrap();
        let leaves = segment.leaf_hashes(&run, run.sequences()).unwrap();
        (run.ledger, index, format!("{leaves:?}"))
    };
    segment.runs().unwrap().into_iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_bundle_comes_back_as_it_was() {
    let stored = Stored::new(SEED, EVENTS).await;
    let answers = Answers::of(&stored).await;
    let (before, old) = (
        derived(&stored.segment()),
        [stored.file("parquet"), stored.file("bundle")],
    );
    fs::remove_file(&old[1]).unwrap();
    let report = reindex(stored.parts()).await.unwrap();
    assert_eq!((&report.replaced[..], &report.findings[..]), (&[1][..], &[][..]));
    fs::remove_file(&old[0]).unwrap();
    assert_eq!(derived(&stored.segment()), before);
    assert_eq!(stored.fsck().await.findings, []);
    assert_eq!(answers.hold(&stored, "made anew", &[]).await, 0);
}
