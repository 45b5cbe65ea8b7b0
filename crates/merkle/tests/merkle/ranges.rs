//! Range proofs show that an interval of leaves is complete: true ones are accepted, and no leaf can be dropped, added, edited,
//! doubled, swapped or shifted.

use proptest::prelude::*;
use trailbook_merkle::{Error, Hash, RangeProof, prove_range, verify_range};

use crate::alterations::edits;
use crate::naive;

#[test]
fn all_ranges_of_small_trees_verify() {
    let leaves = naive::leaves(33);
    for size in 0..=33_usize {
        let root = naive::root(&leaves[..size]);
        for begin in 0..=size {
            for end in begin..=size {
                let proof = prove_range(leaves.as_slice(), begin as u64, end as u64, size as u64).unwrap();
                let answer = verify_range(begin as u64, end as u64, size as u64, &leaves[begin..end], &proof, root);
                assert_eq!(answer, Ok(()), "{begin}..{end} of {size}");
            }
        }
    }
}

#[test]
fn ranges_outside_of_the_tree_are_refused() {
    let leaves = naive::leaves(4);
    let proof = RangeProof {
        left: Vec::new(),
        right: Vec::new(),
    };
    for (begin, end, size) in [
        (3, 2, 4),
        (0, 5, 4),
        (5, 5, 4),
        (0, u64::MAX, u64::MAX),
        (u64::MAX, u64::MAX, 4),
    ] {
        assert!(prove_range(leaves.as_slice(), begin, end, size).is_err());
        assert!(verify_range(begin, end, size, &leaves, &proof, leaves[0]).is_err());
    }
}

/// How many complete, aligned subtrees the leaves `[from, to)` consist of; a proof needs no more hashes than those beside its range.
fn subtrees(mut from: usize, to: usize) -> usize {
    let mut count = 0;
    while from < to {
        let fits = 1 << (to - from).ilog2();
        let aligned = if from == 0 { fits } else { 1 << from.trailing_zeros() };
        from += fits.min(aligned);
        count += 1;
    }
    count
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn random_ranges_verify_and_their_alterations_do_not(
        size in 1..250_usize,
        ends in any::<[prop::sample::Index; 2]>(),
        pick in any::<prop::sample::Index>(),
    ) {
        let leaves = naive::leaves(size);
        let mut ends = ends.map(|end| end.index(size + 1));
        ends.sort_unstable();
        let [begin, end] = ends;
        let root = naive::root(&leaves);
        let proof = prove_range(leaves.as_slice(), begin as u64, end as u64, size as u64).unwrap();
        prop_assert_eq!((proof.left.len(), proof.right.len()), (subtrees(0, begin), subtrees(end, size)));
        let verify = |begin: usize, end: usize, size: usize, range: &[Hash], proof: &RangeProof| {
            verify_range(begin as u64, end as u64, size as u64, range, proof, root).is_ok()
        };
        let range = &leaves[begin..end];
        prop_assert!(verify(begin, end, size, range, &proof));

        for left in edits(&proof.left) {
            let edited = RangeProof { left, ..proof.clone() };
            prop_assert!(!verify(begin, end, size, range, &edited));
        }
        for right in edits(&proof.right) {
            let edited = RangeProof { right, ..proof.clone() };
            prop_assert!(!verify(begin, end, size, range, &edited));
        }
        // The claimed range shifted, widened and narrowed, with the same leaves and with the leaves that would fit it.
        for (other_begin, other_end) in [(begin + 1, end + 1), (begin + 1, end), (begin, end + 1)] {
            prop_assert!(!verify(other_begin, other_end, size, range, &proof));
            if let Some(other) = leaves.get(other_begin..other_end).filter(|other| *other != range) {
                prop_assert!(!verify(begin, end, size, other, &proof));
            }
        }
        if !range.is_empty() {
            let position = pick.index(range.len());
            let mut altered = vec![range.to_vec(); 3];
            altered[0].remove(position);
            altered[1].insert(position, range[position]);
            altered[2][position].0[pick.index(32)] ^= 0x80;
            if range.len() > 1 {
                let mut swapped = range.to_vec();
                swapped.swap(position, (position + 1) % range.len());
                altered.push(swapped);
            }
            for altered in altered {
                let answer = verify_range(begin as u64, end as u64, size as u64, &altered, &proof, root);
                prop_assert!(matches!(answer, Err(Error::Mismatch(_))), "tampering is not taken for bad form: {answer:?}");
                // The alteration stays visible when the claim is moved so that the number of leaves fits it.
                prop_assert!(!verify(begin, begin + altered.len(), size, &altered, &proof));
            }
        }
    }
}
