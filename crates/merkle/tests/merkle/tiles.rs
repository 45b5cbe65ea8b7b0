//! Tile paths have one spelling each, lead to the right nodes, and hostile ones are refused; entry bundles are read exactly.

use std::num::NonZeroU8;

use proptest::prelude::*;
use trailbook_merkle::Error;
use trailbook_merkle::tile::{TileKind, TilePath, read_entries, write_entry};

#[test]
fn paths_lead_to_nodes_and_back() {
    use TileKind::{Entries, Hashes};
    for (path, kind, index, nodes, leaves) in [
        ("0/000", Hashes(0), 0, 0..256, 0..256),
        ("0/000.p/1", Hashes(0), 0, 0..1, 0..1),
        ("0/x001/234.p/5", Hashes(0), 1234, 315_904..315_909, 315_904..315_909),
        ("1/001", Hashes(1), 1, 256..512, 65_536..131_072),
        ("2/000.p/3", Hashes(2), 0, 0..3, 0..196_608),
        ("0/999", Hashes(0), 999, 255_744..256_000, 255_744..256_000),
        ("0/x001/000", Hashes(0), 1000, 256_000..256_256, 256_000..256_256),
        (
            "0/x001/x234/067",
            Hashes(0),
            1_234_067,
            315_921_152..315_921_408,
            315_921_152..315_921_408,
        ),
        ("7/000.p/127", Hashes(7), 0, 0..127, 0..127 << 56),
        ("entries/000", Entries, 0, 0..256, 0..256),
        (
            "entries/x001/x234/067.p/255",
            Entries,
            1_234_067,
            315_921_152..315_921_407,
            315_921_152..315_921_407,
        ),
    ] {
        let tile = TilePath::parse(path).unwrap();
        assert_eq!(
            (tile.kind(), tile.index(), tile.nodes(), tile.leaves()),
            (kind, index, nodes, leaves),
            "{path}"
        );
        assert_eq!(
            (tile.to_string(), tile.is_partial()),
            (path.to_owned(), path.contains(".p/"))
        );
    }
}

#[test]
fn other_spellings_and_impossible_tiles_are_refused() {
    for path in [
        "",
        "/",
        "0",
        "0/",
        "/000",
        "0/0",
        "0/00",
        "0/0000",
        "0/1000",
        "0/-01",
        "0/+01",
        "0/ 01",
        "00/000",
        "+0/000",
        "x0/000",
        "-1/000",
        "0/x000/001",
        "0/x01/001",
        "0/001/002",
        "0/x001",
        "0/x001/",
        "0/x001/x002",
        "0//000",
        "0/000/",
        "0/x001x/002",
        "0/xx01/002",
        "0/000.p",
        "0/000.p/",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/01",
        "0/000.p/+1",
        "0/000.p/1/",
        "0/000.p/1.p/1",
        "0/000.p/-1",
        "8/000.p/1",
        "63/000",
        "64/000",
        "255/000",
        "256/000",
        "7/000",
        "7/000.p/128",
        "7/001",
        "entries",
        "entries/",
        "data/000",
        "Entries/000",
        "checkpoint",
        "0/000\n",
        "0/\u{661}23",
        "0/000.P/1",
        "tile/0/000",
        "0/..",
        "0/x001/..%2f",
        "0/x018/x446/x744/x073/x709/x551/616",
        "0/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert!(matches!(TilePath::parse(path), Err(Error::Invalid(_))), "{path:?}");
    }
}

#[test]
fn bundles_are_read_exactly() {
    let (long, mut bundle) = (vec![7; 65_535], Vec::new());
    let entries: [&[u8]; 4] = [b"one", b"", &long, b"\0\0"];
    entries
        .iter()
        .for_each(|entry| write_entry(entry, &mut bundle).unwrap());
    assert_eq!(&bundle[..7], b"\0\x03one\0\0");
    assert_eq!(read_entries(&bundle), Ok(entries.to_vec()));
    let boundaries = [5, 7, 7 + 2 + 65_535];
    for end in (0..20).chain(65_500..bundle.len()) {
        assert_eq!(
            read_entries(&bundle[..end]).is_ok(),
            boundaries.contains(&end),
            "cut to {end} bytes"
        );
    }
    assert!(write_entry(&[0; 65_536], &mut bundle).is_err());
    assert!(read_entries(&[0; 2 * 256]).is_ok());
    assert!(read_entries(&[0; 2 * 257]).is_err(), "more than 256 entries");
}

proptest! {
    #[test]
    fn what_is_parsed_is_printed_alike(path in "(entries|[0-9]{1,2})/(x[0-9]{3}/){0,4}[0-9]{3}(\\.p/[0-9]{1,3})?") {
        if let Ok(tile) = TilePath::parse(&path) {
            prop_assert_eq!(tile.to_string(), path);
        }
    }

    #[test]
    fn what_is_printed_is_parsed(entries: bool, level in 0..5_u8, index in 0..1_u64 << 22, width: u8) {
        let kind = if entries { TileKind::Entries } else { TileKind::Hashes(level) };
        let tile = TilePath::new(kind, index, NonZeroU8::new(width)).unwrap();
        prop_assert_eq!(TilePath::parse(&tile.to_string()), Ok(tile));
    }

    #[test]
    fn any_text_is_answered(path in "\\PC{0,80}", bundle: Vec<u8>) {
        let _ = TilePath::parse(&path);
        if let Ok(entries) = read_entries(&bundle) {
            prop_assert_eq!(entries.iter().map(|entry| 2 + entry.len()).sum::<usize>(), bundle.len());
        }
    }
}
