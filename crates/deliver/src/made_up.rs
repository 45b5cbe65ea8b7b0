//! An event that is in no ledger: what is sent to try a destination.

use trailbook_access::{Act, Directory, Origin, act::Actor};
use trailbook_event::{Parts, Timestamp};
use trailbook_ledger::{EventId, OrganizationKey, Row, Secrets};

use crate::Error;

/// The epoch of events that are in no ledger.
const NO_EPOCH: u32 = 0;

/// A made-up event of an organization.
pub(crate) fn made_up(directory: &Directory, organization: &OrganizationKey, now: Timestamp) -> Result<Row, Error> {
    let act = Act::by(
        Actor::system("Trailbook"),
        Origin::default(),
        organization.clone(),
        "trailbook.stream.test",
    );
    let admitted = act.admitted(now)?;
    let mut random = [0; 10];
    directory.random().fill(&mut random);
    let id = EventId::first(u64::try_from(now.millis()).unwrap_or(0), random);
    let bytes = admitted.parts.bytes().clone().into();
    let parts = Parts::new(bytes, admitted.parts.ends()).ok_or(trailbook_ledger::Error::NotFound)?;
    let mut row = Row {
        sequence: 0,
        commit: 0,
        id,
        epoch: NO_EPOCH,
        received_at: now,
        occurred_at: now,
        country: None,
        secrets: Secrets::Nonce([0; 16]),
        leaf_hash: trailbook_merkle::Hash([0; 32]),
        parts,
    };
    row.leaf_hash = row.leaf_record().leaf_hash();
    Ok(row)
}
