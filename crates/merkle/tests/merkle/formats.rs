//! The test vectors of docs/formats/tree.md are what the code makes, byte for byte; and the records of the document are read back.

use trailbook_merkle::note::Signer;
use trailbook_merkle::{Checkpoint, Frontier, Hash, LeafRecord, commitments, leaf_hash, prove_range, salt};

const DOCUMENT: &str = include_str!("../../../../docs/formats/tree.md");

/// What the document says after `name` in its list of vectors.
fn vector(name: &str) -> &'static str {
    let prefix = format!("{name} = ");
    let mut lines = DOCUMENT.lines().filter_map(|line| line.strip_prefix(&prefix));
    let value = lines
        .next()
        .unwrap_or_else(|| panic!("tree.md has no vector named {name}"));
    assert_eq!(lines.next(), None, "{name} stands in tree.md twice");
    value
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sequential<const N: usize>(first: u8) -> [u8; N] {
    std::array::from_fn(|position| first + position as u8)
}

/// The record of the document.
fn record() -> LeafRecord {
    let parts: [&[u8]; 5] = [br#"{"action":"user.login"}"#, br#"{"id":"u_81"}"#, b"[]", b"{}", b""];
    LeafRecord {
        epoch: 1,
        sequence: 258,
        received_at_millis: 1_795_166_047_482,
        id: sequential(0x10),
        commitments: commitments(&sequential(0), parts),
    }
}

#[test]
fn salts_and_commitments_are_the_documented_ones() {
    for (position, commitment) in record().commitments.iter().enumerate() {
        let part = position as u8 + 1;
        assert_eq!(hex(&salt(&sequential(0), part)), vector(&format!("salt {part}")));
        assert_eq!(commitment.to_string(), vector(&format!("commitment {part}")));
    }
}

#[test]
fn the_leaf_record_is_the_documented_one() {
    let record = record();
    let bytes = record.encode();
    assert_eq!(hex(&bytes), vector("leaf record"));
    assert_eq!(record.leaf_hash().to_string(), vector("leaf hash"));
    assert_eq!(leaf_hash(&bytes), record.leaf_hash());
    assert_eq!(LeafRecord::decode(&bytes), Ok(record));
}

#[test]
fn only_whole_records_of_this_version_are_read() {
    let bytes = record().encode();
    for end in 0..bytes.len() {
        assert!(LeafRecord::decode(&bytes[..end]).is_err());
    }
    assert!(LeafRecord::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
    for position in 0..bytes.len() {
        let mut altered = bytes;
        altered[position] ^= 0x20;
        // Past the domain each byte belongs to exactly one field, so an altered record is another record.
        match LeafRecord::decode(&altered) {
            Ok(other) => assert!(
                position >= 18 && other != record() && other.encode() == altered,
                "byte {position}"
            ),
            Err(_) => assert!(position < 18, "byte {position}"),
        }
    }
}

#[test]
fn tree_range_and_note_are_the_documented_ones() {
    let leaves: Vec<Hash> = (0..7_u8).map(|index| leaf_hash(&[index])).collect();
    let mut frontier = Frontier::new();
    leaves.iter().for_each(|leaf| frontier.append(*leaf, &mut |_| ()));
    assert_eq!(frontier.root().to_string(), vector("root of 7"));
    assert_eq!(hex(&frontier.encode()), vector("frontier of 7"));

    let proof = prove_range(leaves.as_slice(), 3, 5, 7).unwrap();
    let list = |hashes: &[Hash]| hashes.iter().map(|hash| hash.to_base64()).collect::<Vec<_>>().join(" ");
    assert_eq!(list(&proof.left), vector("range 3 to 5 of 7, left"));
    assert_eq!(list(&proof.right), vector("range 3 to 5 of 7, right"));

    let signer = Signer::new("log.example/default/acme", &sequential(0)).unwrap();
    assert_eq!(signer.verifier().to_string(), vector("vkey"));
    let checkpoint = Checkpoint::new("log.example/default/acme".to_owned(), 7, frontier.root()).unwrap();
    let note = signer.sign(&checkpoint.to_text()).unwrap();
    assert!(
        DOCUMENT.contains(&format!("```text\n{note}```\n")),
        "tree.md does not show this note:\n{note}"
    );
}
