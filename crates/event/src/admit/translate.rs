//! Foreign records: turned into events before they are admitted, with faults that speak of the record as it was sent.
//!
//! Not here: how a record becomes an event (behind [`Translation`], which import's mappings implement).

use super::{Admission, Admitted, ClientId, admitted, event};
use crate::{
    Fault, Pointer,
    json::{Path, Value},
};

/// How much deeper a record stands in its event than in the body: below `metadata`, below a member of it.
pub(super) const DEPTH_BELOW: usize = 2;

/// What the events of a body of foreign records may come to: so many times its own bytes, for small records gain members
/// and are kept whole beside what was made of them. What many bodies hold at once is in proportion to what was sent.
const BODY_FACTOR: usize = 4;
/// A small body's may come to so many events of the largest size; this is 1.6 kB for each of 10,000 records.
const BODY_EVENTS: usize = 16;

/// What turns foreign records into events. Pure: the same record, the same event.
pub trait Translation: Sync {
    /// The event of a record, as it would be sent. No more than about `bytes_max` bytes are held of it, whatever the record.
    ///
    /// # Errors
    /// Everything that keeps the record from becoming one, such as [`Translated::too_large`]; pointers begin at the record.
    fn translate(&self, record: &Value<'_>, bytes_max: usize) -> Result<Translated, Vec<Fault>>;

    /// A fault of the event as one of the record that it was made from; pointers begin at the event and at the record.
    fn of_record(&self, record: &Value<'_>, fault: Fault) -> Fault;
}

/// An event made of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Translated {
    /// The event.
    pub event: Value<'static>,
    /// SHA-256 of what of the record a `client_id` stands for.
    pub content: [u8; 32],
}

impl Translated {
    /// The fault of a record whose event would have more than so many bytes.
    pub fn too_large(bytes_max: usize) -> Fault {
        let detail = format!("The event that the mapping makes of this is larger than {bytes_max} bytes; send less.");
        Fault::new(Pointer::root(), detail)
    }
}

/// Bytes that the events of a body of foreign records may have together.
pub(super) fn bytes_max(body: &[u8], admission: &Admission<'_>) -> usize {
    let of_body = body.len().saturating_mul(BODY_FACTOR);
    of_body.max(admission.limits.event_bytes_max.saturating_mul(BODY_EVENTS))
}

/// Admits the event of one record that was read from the place `at` of a body.
pub(super) fn admit(
    record: &Value<'_>,
    at: &Path<'_>,
    admission: &Admission<'_>,
    translation: &dyn Translation,
) -> Result<Admitted, Vec<Fault>> {
    let begun = at.pointer();
    let placed = |fault: Fault| Fault::new(begun.clone().join(&fault.pointer), fault.detail);
    let all_placed = |faults: Vec<Fault>| faults.into_iter().map(placed).collect::<Vec<_>>();
    let bytes_max = admission.limits.event_bytes_max;
    let Translated { event, content } = translation.translate(record, bytes_max).map_err(all_placed)?;
    if event.text_bytes() > bytes_max {
        return Err(all_placed(vec![Translated::too_large(bytes_max)]));
    }
    let (event, ip) = event::check(event, &Path::Root, admission).map_err(|faults| {
        let of_record = |fault| placed(translation.of_record(record, fault));
        faults.into_iter().map(of_record).collect::<Vec<_>>()
    })?;
    let client_id = event.client_id.as_ref().map(|id| ClientId {
        id: id.to_string(),
        content,
    });
    Ok(admitted(&event, client_id, ip))
}
