//! Other people's implementations agree, both ways: they verify what we make, and we verify what they make.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use sha2::Sha256;
use signed_note::{Note, StandardSigner, StandardVerifier, VerifierList};
use tlog_tiles::{HashReader, Tile, TileHashReader, TileReader};
use trailbook_merkle::note::{self, Signer, VerifierKey};
use trailbook_merkle::tile::{TileKind, TilePath};
use trailbook_merkle::{
    Checkpoint, Error, Hash, NodeSource, leaf_hash, node_hash, prove_consistency, prove_inclusion, root_of,
    verify_consistency, verify_inclusion,
};

const SIZE: u64 = 70;

fn record(index: u64) -> Vec<u8> {
    format!("record {index}").into_bytes()
}

fn leaf_hashes(size: u64) -> Vec<Hash> {
    (0..size).map(|index| leaf_hash(&record(index))).collect()
}

fn concatenated(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

fn hashes(bytes: &[u8]) -> Vec<Hash> {
    bytes.chunks(32).map(|hash| Hash::try_from(hash).unwrap()).collect()
}

#[test]
fn ct_merkle_agrees() {
    let (leaves, mut trees) = (leaf_hashes(SIZE), Vec::new());
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 0..=SIZE {
        let root = root_of(leaves.as_slice(), size).unwrap();
        assert_eq!(tree.root().as_bytes().as_slice(), root.as_ref());
        let their_root = RootHash::<Sha256>::new(root.0.into(), size);
        for index in 0..size {
            let proof = prove_inclusion(leaves.as_slice(), index, size).unwrap();
            let theirs = InclusionProof::try_from_bytes(concatenated(&proof)).unwrap();
            their_root.verify_inclusion(&record(index), index, &theirs).unwrap();
            let theirs = hashes(tree.prove_inclusion(index as usize).as_bytes());
            assert_eq!(
                verify_inclusion(leaves[index as usize], index, size, &theirs, root),
                Ok(())
            );
        }
        for from in 1..size {
            let from_root: Hash = root_of(leaves.as_slice(), from).unwrap();
            let proof = prove_consistency(leaves.as_slice(), from, size).unwrap();
            let theirs = ConsistencyProof::try_from_bytes(concatenated(&proof)).unwrap();
            their_root
                .verify_consistency(&RootHash::new(from_root.0.into(), from), &theirs)
                .unwrap();
            let theirs = hashes(tree.prove_consistency((size - from) as usize).as_bytes());
            assert_eq!(verify_consistency(from, from_root, size, root, &theirs), Ok(()));
        }
        trees.push(root);
        tree.push(record(size));
    }
    trees.dedup();
    assert_eq!(trees.len() as u64, SIZE + 1, "every size has a root of its own");
}

/// The tiles of a tree, served under the paths that a tile client asks for.
struct OurTiles<'a>(&'a [Hash]);

impl OurTiles<'_> {
    fn serve(&self, path: &str) -> Vec<u8> {
        let tile = TilePath::parse(path).unwrap();
        let TileKind::Hashes(level) = tile.kind() else {
            panic!("not a tile of hashes")
        };
        assert!(tile.leaves().end <= self.0.len() as u64, "{path} is beyond the tree");
        let nodes = tile
            .nodes()
            .map(|node| self.0.subtree(node << (8 * level), 8 * level).unwrap());
        concatenated(&nodes.collect::<Vec<_>>())
    }
}

impl TileReader for OurTiles<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        Ok(tiles
            .iter()
            .map(|tile| self.serve(tile.path().strip_prefix("tile/8/").unwrap()))
            .collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

#[test]
fn a_tile_client_proves_and_verifies_from_our_tiles() {
    let leaves = leaf_hashes(70_000);
    for size in [1_u64, 2, 255, 256, 257, 1000, 65_536, 65_537, 70_000] {
        let leaves = &leaves[..size as usize];
        let root = root_of(leaves, size).unwrap();
        let (tiles, their_root) = (OurTiles(leaves), tlog_tiles::Hash(root.0));
        let reader = TileHashReader::new(size, their_root, &tiles);
        let ours = |proof: Vec<tlog_tiles::Hash>| proof.into_iter().map(|hash| Hash(hash.0)).collect::<Vec<_>>();
        let theirs = |proof: Vec<Hash>| {
            proof
                .into_iter()
                .map(|hash| tlog_tiles::Hash(hash.0))
                .collect::<Vec<_>>()
        };
        for index in [0, size / 3, size / 2, size - 1] {
            let leaf = leaves[index as usize];
            let proof = ours(tlog_tiles::prove_record(size, index, &reader).unwrap());
            assert_eq!(verify_inclusion(leaf, index, size, &proof, root), Ok(()));
            let proof = theirs(prove_inclusion(leaves, index, size).unwrap());
            tlog_tiles::check_record(&proof, size, their_root, index, tlog_tiles::Hash(leaf.0)).unwrap();

            let from = index + 1;
            let from_root = root_of(leaves, from).unwrap();
            let proof = ours(tlog_tiles::prove_tree(size, from, &reader).unwrap());
            assert_eq!(verify_consistency(from, from_root, size, root, &proof), Ok(()));
            let proof = theirs(prove_consistency(leaves, from, size).unwrap());
            tlog_tiles::check_tree(&proof, size, their_root, from, tlog_tiles::Hash(from_root.0)).unwrap();
        }
    }
}

#[test]
fn a_tile_client_notices_a_wrong_tile() {
    let mut leaves = leaf_hashes(600);
    let root = root_of(leaves.as_slice(), 600).unwrap();
    leaves[300] = node_hash(leaves[300], leaves[300]);
    let tiles = OurTiles(&leaves);
    let reader = TileHashReader::new(600, tlog_tiles::Hash(root.0), &tiles);
    assert!(reader.read_hashes(&[tlog_tiles::stored_hash_index(0, 300)]).is_err());
}

#[test]
fn tile_paths_are_spelled_alike() {
    for (level, index, width) in [
        (0, 0, 256),
        (0, 999, 1),
        (0, 1000, 255),
        (1, 1_234_067, 256),
        (2, 999_999, 17),
        (3, 1_000_000, 256),
    ] {
        let theirs = Tile::new(8, level, index, width, false).path();
        let width = u8::try_from(width).ok().and_then(std::num::NonZeroU8::new);
        let ours = TilePath::new(TileKind::Hashes(level), index, width).unwrap();
        assert_eq!(theirs.strip_prefix("tile/8/").unwrap(), ours.to_string());
    }
}

#[test]
fn notes_and_checkpoints_pass_between_implementations() {
    let ours = Checkpoint::new("log.example/acme".to_owned(), 700, leaf_hash(b"root")).unwrap();
    let theirs = tlog_tiles::Checkpoint::from_bytes(ours.to_text().as_bytes()).unwrap();
    assert_eq!(
        (theirs.origin(), theirs.size(), theirs.hash().0),
        (ours.origin(), ours.size(), ours.root().0)
    );
    let text = String::from_utf8(theirs.to_bytes()).unwrap();
    assert_eq!(Checkpoint::parse(&text), Ok(ours.clone()));

    let signer = Signer::new("log.example/acme", &[3; 32]).unwrap();
    let signed = signer.sign(&ours.to_text()).unwrap();
    let verifier = StandardVerifier::new(&signer.verifier().to_string()).unwrap();
    let note = Note::from_bytes(signed.as_bytes()).unwrap();
    let (verified, ignored) = note.verify(&VerifierList::new(vec![Box::new(verifier)])).unwrap();
    assert_eq!(
        (verified.len(), ignored.len(), note.text()),
        (1, 0, ours.to_text().as_bytes())
    );

    let secret = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let mut note = Note::new(ours.to_text().as_bytes(), &[]).unwrap();
    note.add_sigs(&[&StandardSigner::new(secret).unwrap()]).unwrap();
    let known = VerifierKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
    assert_eq!(note::open(&note.to_bytes(), &[known]), Ok(ours.to_text().as_str()));
}

#[test]
fn a_signature_that_only_lax_verification_takes_is_refused() {
    // Made with the key's owner's help: the commitment point is the neutral element, and the equation of RFC 8032 still holds.
    let text = "log.example/acme\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    let signature = "apZ9mgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAyaOJev8OSdXei166vpEqlCHIYBSCq9HXMzLFQJmxcQ4=";
    let signed = format!("{text}\n\u{2014} log.example/acme {signature}\n");
    let known = Signer::new("log.example/acme", &[1; 32]).unwrap().verifier().clone();
    let lax = StandardVerifier::new(&known.to_string()).unwrap();
    Note::from_bytes(signed.as_bytes())
        .unwrap()
        .verify(&VerifierList::new(vec![Box::new(lax)]))
        .unwrap();
    assert!(matches!(
        note::open(signed.as_bytes(), &[known]),
        Err(Error::Mismatch(_))
    ));
}
