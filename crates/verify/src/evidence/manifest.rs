//! The archive's small JSON files: what it says it is, and the hashes around its range.

use serde::Deserialize;
use trailbook_merkle::Hash;

use super::archive::MANIFEST;
use crate::Summary;

/// `evidence.json`. Its range, origin, project, organization and epoch are held against the checkpoint, its organization
/// also against every event; the rest is what the exporter says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "members that are required but prove nothing")]
pub(super) struct Manifest {
    format: String,
    version: u32,
    pub(super) origin: String,
    pub(super) project: String,
    pub(super) organization: String,
    pub(super) epoch: u32,
    pub(super) begin: u64,
    pub(super) end: u64,
    pub(super) size: u64,
    pub(super) events: u64,
    pub(super) filtered: bool,
    pub(super) filter: Option<String>,
    generated_by: String,
    generated_at: String,
}

impl Manifest {
    /// Reads the file; the text says why this is no evidence that this program can check.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("The file {MANIFEST} cannot be read: {error}."))?;
        if manifest.format != "trailbook-evidence" || manifest.version != 1 {
            return Err(format!(
                "This is {} version {}; this program checks trailbook-evidence version 1.",
                manifest.format, manifest.version
            ));
        }
        if manifest.begin > manifest.end || manifest.end > manifest.size {
            return Err(format!("The range in {MANIFEST} does not lie within the ledger."));
        }
        Ok(manifest)
    }

    /// Whether the origin is that of the project, organization and epoch: it ends in their names.
    pub(super) fn is_of_its_origin(&self) -> bool {
        let epoch = if self.epoch > 1 {
            format!("/e{}", self.epoch)
        } else {
            String::new()
        };
        self.origin
            .ends_with(&format!("/{}/{}{epoch}", self.project, self.organization))
    }

    /// What has been verified once nothing was found.
    pub(super) fn summary(self, events: u64, notes: Vec<String>) -> Summary {
        Summary {
            origin: self.origin,
            organization: self.organization,
            size: self.size,
            begin: self.begin,
            end: self.end,
            events,
            filtered: self.filtered,
            complete: events == self.end - self.begin,
            notes,
        }
    }
}

/// `range-proof.json`
pub(super) struct RangeProofFile {
    pub(super) begin: u64,
    pub(super) end: u64,
    pub(super) size: u64,
    pub(super) left: Vec<Hash>,
    pub(super) right: Vec<Hash>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    begin: u64,
    end: u64,
    size: u64,
    #[serde(borrow)]
    left: Vec<&'a str>,
    right: Vec<&'a str>,
}

impl RangeProofFile {
    /// Reads the file; the text is the end of a sentence.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let wire: Wire<'_> = serde_json::from_slice(bytes).map_err(|error| format!("it cannot be read: {error}"))?;
        let hashes = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| Hash::from_base64(text))
                .collect::<Result<Vec<_>, _>>()
        };
        let unreadable = |error: trailbook_merkle::Error| error.to_string();
        Ok(Self {
            begin: wire.begin,
            end: wire.end,
            size: wire.size,
            left: hashes(&wire.left).map_err(unreadable)?,
            right: hashes(&wire.right).map_err(unreadable)?,
        })
    }
}
