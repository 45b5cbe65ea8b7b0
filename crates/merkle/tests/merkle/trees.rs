//! Roots, frontiers, kept subtrees and proofs are those of the naive tree, for all small sizes and for random larger ones.

use std::collections::HashMap;

use proptest::prelude::*;
use trailbook_merkle::{
    CompactRange, Error, Frontier, Hash, NodeSource, SIZE_MAX, Subtree, complete_root, empty_root, leaf_hash,
    prove_consistency, prove_inclusion, root_of, subtrees, verify_consistency, verify_inclusion,
};

use crate::naive;

/// Appends leaves one by one and keeps what a ledger keeps: the frontier, and the subtrees that were reported as closed.
fn append_all(leaves: &[Hash]) -> (Frontier, HashMap<(u8, u64), Hash>) {
    let (mut frontier, mut rows) = (Frontier::new(), HashMap::new());
    for leaf in leaves {
        frontier.append(*leaf, &mut |closed| {
            assert_eq!(
                rows.insert((closed.level, closed.index), closed.hash),
                None,
                "a subtree closes once"
            );
        });
    }
    (frontier, rows)
}

/// A source as a ledger has it: leaf hashes from some index on, and the kept rows for everything else.
struct Ledger<'a> {
    leaves: &'a [Hash],
    leaves_kept_from: u64,
    rows: HashMap<(u8, u64), Hash>,
}

impl NodeSource for Ledger<'_> {
    fn subtree(&self, begin: u64, level: u8) -> Option<Hash> {
        let (tile_level, nodes) = Subtree { begin, level }.tile_nodes();
        let held: Option<Vec<Hash>> = nodes
            .map(|index| match tile_level {
                0 => self
                    .leaves
                    .get(index as usize)
                    .copied()
                    .filter(|_| index >= self.leaves_kept_from),
                _ => self.rows.get(&(tile_level, index)).copied(),
            })
            .collect();
        held.map(|nodes| complete_root(&nodes))
    }
}

#[test]
fn the_public_vectors_of_rfc_6962_hold() {
    // The eight leaves and their roots that every implementation of Certificate Transparency tests with.
    let inputs: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let leaves = inputs.map(leaf_hash);
    for (count, root) in roots.iter().enumerate() {
        assert_eq!(append_all(&leaves[..=count]).0.root().to_string(), *root);
    }
    assert_eq!(
        empty_root().to_string(),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

#[test]
fn roots_are_the_naive_ones_for_all_small_sizes() {
    let leaves = naive::leaves(130);
    for size in 0..=leaves.len() {
        let root = naive::root(&leaves[..size]);
        let (frontier, _) = append_all(&leaves[..size]);
        assert_eq!((frontier.size(), frontier.root()), (size as u64, root));
        assert_eq!(frontier.hashes().len() as u32, (size as u64).count_ones());
        assert_eq!(root_of(leaves.as_slice(), size as u64), Ok(root));
    }
}

#[test]
fn inclusion_proofs_are_the_naive_ones_and_verify() {
    let leaves = naive::leaves(70);
    for size in 1..=leaves.len() {
        let root = naive::root(&leaves[..size]);
        for index in 0..size {
            let proof = prove_inclusion(leaves.as_slice(), index as u64, size as u64).unwrap();
            assert_eq!(proof, naive::path(index, &leaves[..size]), "{index} in {size}");
            assert_eq!(
                verify_inclusion(leaves[index], index as u64, size as u64, &proof, root),
                Ok(())
            );
        }
    }
}

#[test]
fn consistency_proofs_are_the_naive_ones_and_verify() {
    let leaves = naive::leaves(70);
    for to in 1..=leaves.len() {
        let to_root = naive::root(&leaves[..to]);
        for from in 1..=to {
            let proof = prove_consistency(leaves.as_slice(), from as u64, to as u64).unwrap();
            assert_eq!(proof, naive::subproof(from, &leaves[..to], true), "{from} to {to}");
            let from_root = naive::root(&leaves[..from]);
            assert_eq!(
                verify_consistency(from as u64, from_root, to as u64, to_root, &proof),
                Ok(())
            );
        }
    }
}

#[test]
fn the_empty_tree_is_a_prefix_of_every_tree_but_only_under_its_own_root() {
    let leaves = naive::leaves(3);
    let root = naive::root(&leaves);
    assert_eq!(prove_consistency(leaves.as_slice(), 0, 3), Ok(Vec::new()));
    assert_eq!(verify_consistency(0, empty_root(), 3, root, &[]), Ok(()));
    assert_eq!(verify_consistency(0, empty_root(), 0, empty_root(), &[]), Ok(()));
    for (from_root, to, to_root, proof) in [
        (root, 3, root, [].as_slice()),
        (empty_root(), 3, root, &[root]),
        (root, 0, root, &[]),
        (empty_root(), 0, root, &[]),
    ] {
        let answer = verify_consistency(0, from_root, to, to_root, proof);
        assert!(matches!(answer, Err(Error::Mismatch(_))), "{answer:?}");
    }
}

#[test]
fn questions_about_trees_that_cannot_be_are_refused() {
    let leaves = naive::leaves(3);
    let (source, hash) = (leaves.as_slice(), leaves[0]);
    for (index, size) in [
        (3, 3),
        (0, 0),
        (u64::MAX, 3),
        (0, SIZE_MAX + 1),
        (u64::MAX - 1, u64::MAX),
    ] {
        assert!(matches!(prove_inclusion(source, index, size), Err(Error::Invalid(_))));
        assert!(matches!(
            verify_inclusion(hash, index, size, &[], hash),
            Err(Error::Invalid(_))
        ));
    }
    for (from, to) in [(3, 2), (1, SIZE_MAX + 1), (u64::MAX, u64::MAX)] {
        assert!(matches!(prove_consistency(source, from, to), Err(Error::Invalid(_))));
        assert!(matches!(
            verify_consistency(from, hash, to, hash, &[]),
            Err(Error::Invalid(_))
        ));
    }
    // The largest tree is no trouble, only not held here.
    assert_eq!(
        prove_inclusion(source, 0, SIZE_MAX),
        Err(Error::Missing { begin: 2, level: 1 })
    );
    assert!(verify_inclusion(hash, SIZE_MAX - 1, SIZE_MAX, &[hash; 64], hash).is_err());
    assert!(verify_consistency(SIZE_MAX - 1, hash, SIZE_MAX, hash, &[hash; 70]).is_err());
}

#[test]
fn kept_subtrees_serve_proofs_after_their_leaves_are_gone() {
    let leaves = naive::leaves(1000);
    let (_, rows) = append_all(&leaves);
    assert_eq!(rows.len(), 3);
    for (&(level, index), &hash) in &rows {
        assert_eq!(level, 1);
        assert_eq!(
            hash,
            naive::root(&leaves[index as usize * 256..(index as usize + 1) * 256])
        );
    }
    let ledger = Ledger {
        leaves: &leaves,
        leaves_kept_from: 512,
        rows,
    };
    let root = naive::root(&leaves);
    for index in 512..1000 {
        let proof = prove_inclusion(&ledger, index, 1000).unwrap();
        assert_eq!(
            verify_inclusion(leaves[index as usize], index, 1000, &proof, root),
            Ok(())
        );
    }
    for from in 512..=1000 {
        let proof = prove_consistency(&ledger, from, 1000).unwrap();
        let from_root = naive::root(&leaves[..from as usize]);
        assert_eq!(root_of(&ledger, from), Ok(from_root));
        assert_eq!(verify_consistency(from, from_root, 1000, root, &proof), Ok(()));
    }
    assert_eq!(
        prove_inclusion(&ledger, 511, 1000),
        Err(Error::Missing { begin: 510, level: 0 })
    );
}

#[test]
fn subtrees_of_the_second_tile_level_are_reported() {
    let leaves = naive::leaves(65_536 + 300);
    let (_, rows) = append_all(&leaves);
    assert_eq!(rows.len(), 256 + 1 + 1);
    assert_eq!(rows[&(2, 0)], naive::root(&leaves[..65_536]));
    assert_eq!(rows[&(1, 256)], naive::root(&leaves[65_536..65_792]));
}

#[test]
fn frontiers_survive_their_bytes_and_nothing_else_is_read() {
    let leaves = naive::leaves(300);
    for size in 0..=leaves.len() {
        let (frontier, _) = append_all(&leaves[..size]);
        let bytes = frontier.encode();
        assert_eq!(Frontier::decode(&bytes), Ok(frontier));
        for end in 0..bytes.len() {
            assert!(
                Frontier::decode(&bytes[..end]).is_err(),
                "size {size} cut to {end} bytes"
            );
        }
        assert!(Frontier::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
        assert!(Frontier::decode(&[bytes.as_slice(), &[0; 32]].concat()).is_err());
    }
    assert!(Frontier::decode(&[[0xff; 8].as_slice(), &[0; 64 * 32]].concat()).is_err());
    let largest = [&SIZE_MAX.to_be_bytes(), [7; 63 * 32].as_slice()].concat();
    assert_eq!(Frontier::decode(&largest).map(|frontier| frontier.size()), Ok(SIZE_MAX));
}

#[test]
fn only_adjacent_ranges_join_and_only_whole_trees_are_frontiers() {
    let hash = naive::leaves(1)[0];
    let mut range = CompactRange::empty_at(4);
    range.append(hash, &mut |_| ());
    assert!(CompactRange::empty_at(3).append_range(&range).is_err());
    assert!(CompactRange::empty_at(5).append_range(&range).is_err());
    assert!(Frontier::try_from(range).is_err());
    for (begin, end, count) in [(1, 0, 0), (0, 3, 1), (0, 3, 3), (0, SIZE_MAX + 1, 1), (5, 5, 1)] {
        assert!(
            CompactRange::new(begin, end, vec![hash; count]).is_err(),
            "{begin}..{end} of {count}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn random_trees_are_the_naive_ones(size in 1..5000_usize, picks in prop::collection::vec(any::<prop::sample::Index>(), 8)) {
        let leaves = naive::leaves(size);
        let (frontier, rows) = append_all(&leaves);
        let root = naive::root(&leaves);
        prop_assert_eq!(frontier.root(), root);
        let ledger = Ledger { leaves: &leaves, leaves_kept_from: 0, rows };
        for pick in picks {
            let index = pick.index(size);
            let proof = prove_inclusion(&ledger, index as u64, size as u64).unwrap();
            prop_assert_eq!(&proof, &naive::path(index, &leaves));
            prop_assert_eq!(verify_inclusion(leaves[index], index as u64, size as u64, &proof, root), Ok(()));
            let from = index + 1;
            let proof = prove_consistency(&ledger, from as u64, size as u64).unwrap();
            prop_assert_eq!(&proof, &naive::subproof(from, &leaves, true));
            let from_root = naive::root(&leaves[..from]);
            prop_assert_eq!(verify_consistency(from as u64, from_root, size as u64, root, &proof), Ok(()));
        }
    }

    #[test]
    fn ranges_join_wherever_they_were_cut(cuts in prop::collection::vec(0..3000_u64, 1..5)) {
        let leaves = naive::leaves(3000);
        let mut cuts = cuts;
        cuts.extend([0, 3000]);
        cuts.sort_unstable();
        let mut joined = CompactRange::empty_at(0);
        for pair in cuts.windows(2) {
            let mut range = CompactRange::empty_at(pair[0]);
            leaves[pair[0] as usize..pair[1] as usize].iter().for_each(|leaf| range.append(*leaf, &mut |_| ()));
            let expected: Vec<Hash> = subtrees(pair[0], pair[1])
                .map(|subtree| naive::root(&leaves[subtree.begin as usize..subtree.end() as usize]))
                .collect();
            prop_assert_eq!(range.hashes(), expected.as_slice());
            prop_assert_eq!(CompactRange::new(pair[0], pair[1], expected), Ok(range.clone()));
            joined.append_range(&range).unwrap();
        }
        prop_assert_eq!(Frontier::try_from(joined).unwrap(), append_all(&leaves).0);
    }
}
