//! One event against its leaf record: parts, salts and commitments as evidence files and inclusion proofs carry them.

use base64::{DecodeSliceError, Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use trailbook_event::{
    Part,
    json::{self, Value},
};
use trailbook_merkle::{Hash, LeafRecord, commitment};

use crate::Findings;

/// A part as it is sent: its bytes and salt, or the commitment alone when it was redacted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SentPart<'a> {
    pub(crate) name: &'a str,
    pub(crate) bytes: Option<&'a str>,
    pub(crate) salt: Option<&'a str>,
    pub(crate) commitment: Option<&'a str>,
}

/// Checks parts, and keeps the buffers it needs for that.
#[derive(Default)]
pub(crate) struct Checker {
    bytes: Vec<u8>,
    canonical: Vec<u8>,
}

/// What the parts of an event turned out to be.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// What is wrong, as ends of sentences.
    pub(crate) faults: Vec<String>,
    /// Parts of which only the commitment is there.
    pub(crate) redacted: u64,
}

impl Checker {
    /// Checks the five parts against the commitments in their event's leaf record, that each is canonical JSON, and that the core
    /// part names `organization`. Calls `each` with every part's value that holds.
    pub(crate) fn check(
        &mut self,
        parts: &[SentPart<'_>],
        record: &LeafRecord,
        organization: &str,
        each: &mut dyn FnMut(Part, &Value<'_>),
    ) -> Checked {
        let mut checked = Checked::default();
        if !parts
            .iter()
            .map(|part| part.name)
            .eq(Part::ALL.iter().map(|part| part.name()))
        {
            checked
                .faults
                .push("its parts are not core, actor, targets, context and details".to_owned());
            return checked;
        }
        for (sent, (part, commitment)) in parts.iter().zip(Part::ALL.iter().zip(&record.commitments)) {
            let result = match sent {
                SentPart {
                    bytes: Some(bytes),
                    salt: Some(salt),
                    commitment: None,
                    ..
                } => self.part(*part, bytes, salt, *commitment, organization, each),
                SentPart {
                    bytes: None,
                    salt: None,
                    commitment: Some(sent),
                    ..
                } => {
                    checked.redacted += 1;
                    (Hash::from_base64(sent) == Ok(*commitment))
                        .then_some(())
                        .ok_or_else(|| differs(*part))
                }
                _ => Err(format!(
                    "part {} has neither bytes with a salt nor a commitment alone",
                    part.name()
                )),
            };
            checked.faults.extend(result.err());
        }
        checked
    }

    fn part(
        &mut self,
        part: Part,
        bytes: &str,
        salt: &str,
        expected: Hash,
        organization: &str,
        each: &mut dyn FnMut(Part, &Value<'_>),
    ) -> Result<(), String> {
        let mut salt_bytes = [0; 33];
        let salt_length = STANDARD.decode_slice(salt, &mut salt_bytes);
        let (Ok(32), Ok(())) = (salt_length, decode(bytes, &mut self.bytes)) else {
            return Err(format!(
                "part {} or its salt is not base64 of the right length",
                part.name()
            ));
        };
        let mut salt = [0; 32];
        salt.copy_from_slice(&salt_bytes[..32]);
        if commitment(part.number(), &salt, &self.bytes) != expected {
            return Err(differs(part));
        }
        let limits = json::Limits {
            depth_max: json::DEPTH_CEILING,
        };
        let value = json::parse_bytes(&self.bytes, &limits).map_err(|error| {
            format!(
                "part {} is not JSON that Trailbook keeps: {}",
                part.name(),
                error.detail
            )
        })?;
        self.canonical.clear();
        json::write_canonical(&value, &mut self.canonical);
        if self.canonical != self.bytes {
            return Err(format!("part {} is not canonical JSON", part.name()));
        }
        let named = value.get("organization");
        if part == Part::Core && !matches!(named, Some(Value::String(name)) if name == organization) {
            return Err(format!("it belongs to another organization than `{organization}`"));
        }
        each(part, &value);
        Ok(())
    }
}

fn differs(part: Part) -> String {
    format!("part {} differs from its commitment in the leaf record", part.name())
}

fn decode(text: &str, out: &mut Vec<u8>) -> Result<(), DecodeSliceError> {
    out.resize(base64::decoded_len_estimate(text.len()), 0);
    let length = STANDARD.decode_slice(text, out)?;
    out.truncate(length);
    Ok(())
}

/// A leaf record by itself and against the one before.
pub(crate) fn check_record(record: &LeafRecord, sequence: u64, before: Option<&LeafRecord>, findings: &mut Findings) {
    let mut fault = |detail: String| findings.event(sequence, Some(id_text(&record.id)), detail);
    if record.sequence != sequence {
        fault(format!("its leaf record says sequence {}", record.sequence));
    }
    let Some(before) = before else { return };
    if record.received_at_millis < before.received_at_millis {
        fault("its leaf record says that it was received before its predecessor".to_owned());
    }
    if record.id <= before.id {
        fault("its Log ID does not follow its predecessor's".to_owned());
    }
    if record.epoch < before.epoch {
        fault("its leaf record says an older epoch than its predecessor's".to_owned());
    }
}

/// A Log ID as text: the 36 characters of a UUID.
pub(crate) fn id_text(id: &[u8; 16]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(36);
    for (position, byte) in id.iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}
