//! Checkpoints, proofs and tiles agree with a tree computed from the rows.

use std::sync::Arc;

use futures::future::join_all;
use trailbook_ledger::{Error, Ledger, Measures, OrganizationKey};
use trailbook_merkle::{
    Checkpoint, Hash, leaf_hash,
    note::{self, VerifierKey},
    root_of,
    tile::{TilePath, read_entries},
    verify_consistency, verify_inclusion, verify_range,
};

use crate::{
    faulty::{Faults, Faulty},
    support::{Scratch, close, event, organization, rows},
};

async fn append(scratch: &Scratch, ledger: &Ledger, count: usize) {
    let lines: String = (0..count).map(|number| event("acme", number)).collect();
    scratch.append(ledger, &lines).await.unwrap();
}

#[tokio::test]
async fn a_checkpoint_is_signed_by_the_published_key_and_states_the_tree() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    append(&scratch, &ledger, 700).await;
    let acme = organization("acme");
    let signed = ledger.checkpoint(&acme).await.unwrap();
    let origin = ledger.origin(&acme).unwrap();
    let key = VerifierKey::parse(&origin.verifier_key).unwrap();
    let text = note::open(signed.note.as_bytes(), &[key]).unwrap();
    let checkpoint = Checkpoint::parse(text).unwrap();
    let leaves: Vec<Hash> = rows(&ledger, "acme")
        .iter()
        .map(|row| leaf_hash(&row.leaf_record().encode()))
        .collect();
    assert_eq!(checkpoint.origin(), origin.origin);
    assert_eq!(
        (checkpoint.size(), checkpoint.root()),
        (700, root_of(&leaves[..], 700).unwrap())
    );
    assert_eq!(ledger.checkpoint_at(&acme, 700).await.unwrap(), signed);
    assert!(matches!(ledger.checkpoint_at(&acme, 699).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn a_new_checkpoint_extends_the_last_one_across_restarts() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    let acme = organization("acme");
    append(&scratch, &ledger, 300).await;
    let old = ledger.checkpoint(&acme).await.unwrap();
    close(ledger).await;
    let ledger = scratch.open().await;
    assert_eq!(
        ledger.checkpoint(&acme).await.unwrap(),
        old,
        "nothing new, nothing signed"
    );
    append(&scratch, &ledger, 333).await;
    scratch.clock.advance(2000);
    let new = ledger.checkpoint(&acme).await.unwrap();
    let proof = ledger.prove_consistency(&acme, old.size, new.size).await.unwrap();
    verify_consistency(old.size, old.root, new.size, new.root, &proof).unwrap();
    close(ledger).await;
    assert_eq!(scratch.assert_sound().await.checkpoints, 2);
}

/// Asks for a checkpoint and goes away while it is being stored.
async fn ask_and_go_away(ledger: &Ledger, organization: &OrganizationKey, faults: &Faults) {
    let commits = || faults.calls().get("commit").copied().unwrap_or_default();
    let before = commits();
    let storing = async {
        while commits() == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = storing => {}
        answer = ledger.checkpoint(organization) => panic!("answered before it was stored: {answer:?}"),
    }
}

#[tokio::test]
async fn who_asks_while_a_checkpoint_is_stored_gets_that_one_even_when_its_asker_has_gone_away() {
    let scratch = Scratch::new();
    let measures = Arc::new(Measures::default());
    let faults = Faults::none();
    let database = Arc::new(Faulty {
        inner: scratch.database(&measures).await,
        faults: Arc::clone(&faults),
    });
    let ledger = Ledger::open(scratch.parts_on(database, measures)).await.unwrap();
    let acme = organization("acme");
    for size in 1..=20 {
        append(&scratch, &ledger, 1).await;
        scratch.clock.advance(2000);
        ask_and_go_away(&ledger, &acme, &faults).await;
        let others = event("globex", size);
        let (answers, stored) = tokio::join!(
            join_all((0..8).map(|_| ledger.checkpoint(&acme))),
            scratch.append(&ledger, &others),
        );
        stored.expect("nobody's events fail with a checkpoint");
        let kept = ledger.checkpoint_at(&acme, size as u64).await.unwrap();
        for answer in answers {
            assert_eq!(answer.unwrap(), kept, "one note for one size");
        }
    }
    close(ledger).await;
    drop(faults);
    assert_eq!(scratch.assert_sound().await.checkpoints, 20);
}

#[tokio::test]
async fn every_leaf_and_range_is_provable_under_any_size() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    let acme = organization("acme");
    append(&scratch, &ledger, 1500).await;
    let leaves: Vec<Hash> = rows(&ledger, "acme").iter().map(|row| row.leaf_hash).collect();
    for size in [1, 2, 255, 256, 257, 511, 512, 513, 1024, 1499, 1500] {
        let root = root_of(&leaves[..], size).unwrap();
        for index in [0, 1, 254, 255, 256, 300, 511, 512, 1023, 1400, 1499]
            .into_iter()
            .filter(|index| *index < size)
        {
            let proof = ledger.prove_inclusion(&acme, index, size).await.unwrap();
            verify_inclusion(leaves[index as usize], index, size, &proof, root).unwrap();
        }
        for (begin, end) in [(0, size), (size / 3, size / 2 + 1), (size - 1, size)] {
            let proof = ledger.prove_range(&acme, begin, end, size).await.unwrap();
            verify_range(begin, end, size, &leaves[begin as usize..end as usize], &proof, root).unwrap();
        }
    }
    assert!(matches!(
        ledger.prove_inclusion(&acme, 1500, 1500).await,
        Err(Error::NotFound)
    ));
    assert!(matches!(
        ledger.prove_inclusion(&acme, 0, 1501).await,
        Err(Error::NotFound)
    ));
    assert!(matches!(
        ledger.prove_consistency(&acme, 5, 4).await,
        Err(Error::NotFound)
    ));
}

#[tokio::test]
async fn tiles_hold_the_hashes_and_entries_hold_the_leaf_records() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    let acme = organization("acme");
    append(&scratch, &ledger, 700).await;
    let leaves: Vec<Hash> = rows(&ledger, "acme").iter().map(|row| row.leaf_hash).collect();
    let tile = |path: &str| TilePath::parse(path).unwrap();
    let bytes = ledger.tile(&acme, &tile("0/001"), 700).await.unwrap();
    assert_eq!(
        bytes,
        leaves[256..512].iter().flat_map(|hash| hash.0).collect::<Vec<_>>()
    );
    let bytes = ledger.tile(&acme, &tile("0/002.p/188"), 700).await.unwrap();
    assert_eq!(bytes.len(), 188 * 32);
    let bytes = ledger.tile(&acme, &tile("1/000.p/2"), 700).await.unwrap();
    assert_eq!(bytes[32..], root_of(&leaves[256..512], 256).unwrap().0);
    assert!(matches!(
        ledger.tile(&acme, &tile("0/002.p/189"), 700).await,
        Err(Error::NotFound)
    ));
    let bundle = ledger.tile(&acme, &tile("entries/000"), 700).await.unwrap();
    let entries = read_entries(&bundle).unwrap();
    assert_eq!(
        entries.iter().map(|entry| leaf_hash(entry)).collect::<Vec<_>>(),
        leaves[..256]
    );
}
