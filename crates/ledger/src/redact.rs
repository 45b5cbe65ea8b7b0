//! Redaction: parts of an event are removed for good, and the ledger says so. The leaf stays, and with it every proof.
//!
//! Invariants
//! - What is removed is gone from every answer as soon as the redaction is committed, and its bytes soon after.
//! - The redaction and the event that records it are one commit.
//! - A redacted row still hashes to its leaf: of what was removed the commitment is kept, of the rest the salts.
//!
//! See docs/formats/ledger.md, "Redaction".

use std::borrow::Cow;

use bytes::Bytes;
use trailbook_event::{Actor, Admitted, Context, Event, Part, Parts};

use crate::{
    Error, Ledger, OrganizationKey, PartSecret, Row, Secrets,
    database::{Change, StoredRedaction},
    forgotten::Record,
    writer::Alteration,
};

/// The action that stands in place of a redacted core part.
const REDACTED_ACTION: &str = "trailbook.redacted";

impl Ledger {
    /// Removes parts of an event for good. `record` is the event that says so, of the same organization; both are one commit. The
    /// caller has checked who may do this.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such event any more; as [`Ledger::append`].
    pub async fn redact(
        &self,
        organization: &OrganizationKey,
        sequence: u64,
        parts: &[Part],
        record: Admitted,
    ) -> Result<(), Error> {
        let ledger = self.state(organization)?;
        let held = self.forgetting().await;
        let (reader, key) = (self.clone(), organization.clone());
        let row = tokio::task::spawn_blocking(move || reader.rows(&key, sequence, 1)).await;
        let row = row.map_err(|error| Error::storage("read the event", error))??;
        let row = row
            .first()
            .filter(|row| row.sequence == sequence)
            .ok_or(Error::NotFound)?;
        let redacted_at = self.inner.shared.clock.now().millis();
        let redaction = StoredRedaction {
            ledger: ledger.id,
            sequence,
            secrets: secrets_without(row, parts),
            redacted_at,
            rewritten: false,
        };
        let forgotten = Record::redaction(organization, (sequence, row.id), parts, redacted_at);
        let record = self.prepare(organization.project(), vec![record], None, &|_| None);
        let alteration = Alteration {
            changes: vec![Change::Redact(redaction)],
            events: vec![record],
            ..Alteration::default()
        };
        self.forget(&held, vec![forgotten], alteration).await.map(drop)
    }
}

/// What is kept of a row's five parts when some are removed; those that were removed before stay so.
pub(crate) fn secrets_without(row: &Row, removed: &[Part]) -> Box<[PartSecret; 5]> {
    let commitments = row.commitments();
    Box::new(Part::ALL.map(|part| {
        if removed.contains(&part) {
            PartSecret::Commitment(commitments[usize::from(part.number()) - 1])
        } else {
            row.secret(part)
        }
    }))
}

/// The row as it is with these secrets: removed parts stand in their empty form, and the country goes with the address.
pub(crate) fn redacted(row: &Row, secrets: &[PartSecret; 5]) -> Row {
    let organization =
        Event::parse(&row.parts).map_or(Cow::Borrowed(""), |event| Cow::Owned(event.organization.into_owned()));
    let empty = empty_event(row, organization).to_parts();
    let mut bytes = Vec::with_capacity(row.parts.bytes().len());
    let mut ends = [0; 5];
    for (part, secret) in Part::ALL.into_iter().zip(secrets) {
        bytes.extend_from_slice(match secret {
            PartSecret::Salt(_) => row.parts.part(part),
            PartSecret::Commitment(_) => empty.part(part),
        });
        ends[usize::from(part.number()) - 1] = bytes.len() as u32;
    }
    let without_context = matches!(
        secrets[usize::from(Part::Context.number()) - 1],
        PartSecret::Commitment(_)
    );
    Row {
        secrets: Secrets::Redacted(Box::new(*secrets)),
        country: row.country.filter(|_| !without_context),
        parts: Parts::new(Bytes::from(bytes), ends).expect("the ends were taken in order from these very bytes"),
        ..row.clone()
    }
}

/// An event that says nothing but whose it is and when it happened.
fn empty_event<'e>(row: &Row, organization: Cow<'e, str>) -> Event<'e> {
    Event {
        organization,
        client_id: None,
        occurred_at: row.occurred_at,
        action: Cow::Borrowed(REDACTED_ACTION),
        action_type: Cow::Borrowed("other"),
        area: None,
        product: None,
        description: None,
        security: false,
        result: Cow::Borrowed("success"),
        trace_id: None,
        actor: Actor {
            kind: Cow::Borrowed("unknown"),
            id: None,
            name: None,
            email: None,
            team: None,
        },
        targets: Vec::new(),
        context: Context::default(),
        changes: Vec::new(),
        metadata: None,
        message: None,
    }
}
