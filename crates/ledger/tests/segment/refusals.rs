//! What the writer does not take, and that it says which event it was.

use std::sync::Arc;

use trailbook_ledger::{Error, OrganizationKey, Row};

use crate::support::{Files, Ledger, plain_ledger};

/// Writes one ledger's rows after they were spoiled; answers what the writer found.
fn refused(spoil: impl FnOnce(&mut Ledger)) -> String {
    let mut ledger = plain_ledger(1, 10, 20);
    spoil(&mut ledger);
    let files = Files::new();
    let mut writer = files.writer();
    writer.begin_run(ledger.id, &ledger.key).unwrap();
    let pushed = ledger.rows.iter().try_for_each(|row| writer.push(Arc::clone(row)));
    match pushed.and_then(|()| writer.finish().map(drop)) {
        Err(Error::Corrupt { detail }) => detail,
        other => panic!("{other:?}"),
    }
}

fn change(ledger: &mut Ledger, place: usize, change: impl FnOnce(&mut Row)) -> String {
    change(Arc::make_mut(&mut ledger.rows[place]));
    let row = &ledger.rows[place];
    format!("sequence={} id={}", row.sequence, row.id)
}

#[test]
fn rows_out_of_order_are_refused() {
    let detail = refused(|ledger| ledger.rows.swap(3, 4));
    assert!(detail.contains("not older than the row before"), "{detail}");
}

#[test]
fn a_row_twice_is_refused() {
    let detail = refused(|ledger| ledger.rows.insert(3, Arc::clone(&ledger.rows[3])));
    assert!(detail.contains("not older than the row before"), "{detail}");
}

#[test]
fn a_missing_sequence_is_refused() {
    let detail = refused(|ledger| {
        let place = ledger.rows.iter().position(|row| row.sequence == 15).unwrap();
        ledger.rows.remove(place);
    });
    assert!(
        detail.contains("has gaps: ledger=project/organization-1 sequences=10..=29"),
        "{detail}"
    );
}

#[test]
fn a_row_that_does_not_hash_to_its_leaf_is_refused_by_name() {
    let mut event = String::new();
    let detail = refused(|ledger| event = change(ledger, 7, |row| row.leaf_hash.0[5] ^= 1));
    assert!(
        detail.contains("does not hash to its leaf") && detail.contains(&event),
        "{detail}"
    );
    let detail = refused(|ledger| event = change(ledger, 7, |row| row.epoch += 1));
    assert!(
        detail.contains("does not hash to its leaf") && detail.contains(&event),
        "{detail}"
    );
}

#[test]
fn a_row_whose_time_is_not_its_events_is_refused() {
    // The core part is rebuilt with the row's time, so another time inside it would be lost.
    let detail = refused(|ledger| {
        change(ledger, 0, |row| {
            row.occurred_at = trailbook_event::Timestamp::from_millis(row.occurred_at.millis() + 1)
        });
    });
    assert!(detail.contains("byte for byte"), "{detail}");
}

#[test]
fn a_row_of_another_organization_is_refused() {
    let detail = refused(|ledger| ledger.key = OrganizationKey::new("project", "somebody-else"));
    assert!(detail.contains("names another organization"), "{detail}");
}

#[test]
fn bytes_that_are_not_canonical_are_refused() {
    let detail = refused(|ledger| {
        change(ledger, 2, |row| {
            let text = String::from_utf8(row.parts.bytes().to_vec()).unwrap();
            let spaced = text.replacen("{\"action\"", "{\"actiom\"", 1);
            row.parts = trailbook_event::Parts::new(bytes::Bytes::from(spaced), row.parts.ends()).unwrap();
        });
    });
    assert!(detail.contains("not canonical part=core"), "{detail}");
}

#[test]
fn ledgers_that_do_not_ascend_and_runs_without_rows_are_refused() {
    let files = Files::new();
    let (first, second) = (plain_ledger(2, 0, 1), plain_ledger(1, 0, 1));
    let mut writer = files.writer();
    writer.begin_run(first.id, &first.key).unwrap();
    writer.push(Arc::clone(&first.rows[0])).unwrap();
    assert!(matches!(
        writer.begin_run(second.id, &second.key),
        Err(Error::Corrupt { .. })
    ));
    let mut writer = files.writer();
    writer.begin_run(first.id, &first.key).unwrap();
    assert!(matches!(writer.finish(), Err(Error::Corrupt { .. })));
    assert!(matches!(files.writer().finish(), Err(Error::Corrupt { .. })));
}
