//! Proofs against roots that the simulation computes itself, also for checkpoints that were signed long ago.

use trailbook_ledger::{Error, Ledger, OrganizationKey};
use trailbook_merkle::{
    leaf_hash,
    tile::{TilePath, read_entries},
    verify_consistency, verify_inclusion, verify_range,
};

use super::{Draw, model::Known};

/// Checks proofs of a few events and ranges under a few checkpoints.
pub(super) async fn check(draw: &mut Draw, ledger: &Ledger, organization: &OrganizationKey, known: &Known) {
    let leaves = known.leaves();
    for _ in 0..3.min(known.checkpoints.len()) {
        let one = &known.checkpoints[draw.below(known.checkpoints.len())];
        let other = &known.checkpoints[draw.below(known.checkpoints.len())];
        let (old, new) = if one.size <= other.size {
            (one, other)
        } else {
            (other, one)
        };
        assert_eq!(ledger.checkpoint_at(organization, old.size).await.unwrap(), *old);
        let proof = ledger
            .prove_consistency(organization, old.size, new.size)
            .await
            .unwrap();
        verify_consistency(old.size, old.root, new.size, new.root, &proof).unwrap();
        let index = draw.choices.below(old.size);
        match ledger.prove_inclusion(organization, index, old.size).await {
            Ok(proof) => verify_inclusion(leaves[index as usize], index, old.size, &proof, old.root).unwrap(),
            Err(error) => assert!(
                index < known.floor && matches!(error, Error::Gone),
                "{index} of {}: {error}",
                old.size
            ),
        }
        if known.floor < new.size {
            let begin = known.floor + draw.choices.below(new.size - known.floor);
            let end = begin + draw.choices.below(new.size - begin + 1);
            let proof = ledger.prove_range(organization, begin, end, new.size).await.unwrap();
            let inside = &leaves[begin as usize..end as usize];
            verify_range(begin, end, new.size, inside, &proof, new.root).unwrap();
        }
    }
    tiles(draw, ledger, organization, known).await;
}

/// Checks a full tile of hashes and its entries.
async fn tiles(draw: &mut Draw, ledger: &Ledger, organization: &OrganizationKey, known: &Known) {
    let (first, end) = (known.floor.div_ceil(256), known.size() / 256);
    if first >= end {
        return;
    }
    let number = first + draw.choices.below(end - first);
    let expected = &known.leaves()[number as usize * 256..][..256];
    let tile = |kind: &str| TilePath::parse(&format!("{kind}/{number:03}")).unwrap();
    let hashes = ledger.tile(organization, &tile("0"), known.size()).await.unwrap();
    assert!(
        hashes.chunks(32).eq(expected.iter().map(|hash| &hash.0[..])),
        "tile {number}"
    );
    let bundle = ledger.tile(organization, &tile("entries"), known.size()).await.unwrap();
    let entries = read_entries(&bundle).unwrap();
    assert!(
        entries
            .iter()
            .map(|entry| leaf_hash(entry))
            .eq(expected.iter().copied()),
        "entries {number}"
    );
}
