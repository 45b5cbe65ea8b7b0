//! The lake: all segments as one Delta Lake table that other engines read. The writer adds to each commit that changes the segments the
//! table's next version; a job writes the versions that its log lacks.
//!
//! Invariants
//! - The newest version in the database has exactly the segments of the manifest: one commit changes both.
//! - The bytes of a version are fixed by that commit. Whoever writes it to the log writes these, so that racing writers do no harm.
//! - A version that can be read names only objects that exist: they are put before the commit, and stay for hours after the version that
//!   removes them.
//! - Nobody else writes to the table: its protocol names a feature that no other writer knows.
//!
//! Not here: the segments' bytes (`segment`), which segments there are (`manifest`).
//! See docs/formats/lake.md, docs/adr/0013-the-lake-is-a-log-written-from-sql.md.

use sha2::{Digest, Sha256};

use self::action::Action;
use crate::{
    database::{Change, LakeVersion, StoredSegment},
    manifest::Manifest,
};

mod action;
mod checkpoint;
mod log;

pub(crate) use log::Progress;

/// What a manifest knows of the table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// A UUID, the same as long as the deployment lives.
    id: String,
    /// The number for the next version.
    pub(crate) next_version: u64,
}

impl Table {
    pub(crate) fn new(deployment: &str, next_version: u64) -> Self {
        Self {
            id: id(deployment),
            next_version,
        }
    }
}

/// A UUID (version 8) that follows from the deployment's name.
fn id(deployment: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(b"trailbook lake\0");
    digest.update(deployment);
    let mut id = [0; 16];
    id.copy_from_slice(&digest.finalize()[..16]);
    id[6] = 0x80 | (id[6] & 0x0f);
    id[8] = 0x80 | (id[8] & 0x3f);
    crate::EventId::from_bytes(id).to_string()
}

/// The version that these changes of a manifest make at `now` (milliseconds); `None` when they leave the segments as they are. The first
/// one has all segments.
pub(crate) fn version(manifest: &Manifest, changes: &[Change], now: i64) -> Option<Change> {
    let Difference {
        removed,
        added,
        sealed_through,
    } = Difference::of(manifest, changes);
    if removed.is_empty() && added.is_empty() {
        return None;
    }
    let version = manifest.lake().next_version;
    let events = |segments: &[&StoredSegment]| segments.iter().map(|segment| segment.events).sum::<u64>();
    let is_redacted = changes.iter().any(|change| matches!(change, Change::Rewritten { .. }));
    let is_rearranged = !removed.is_empty() && !is_redacted && events(&removed) == events(&added);
    let operation = match (removed.is_empty(), is_rearranged) {
        (true, _) => "WRITE",
        (false, true) => "OPTIMIZE",
        (false, false) => "DELETE",
    };
    let mut actions = vec![Action::info(operation, sealed_through, now)];
    if version == 0 {
        let after = manifest.apply(changes);
        actions.extend([Action::protocol(), Action::table(&manifest.lake().id)]);
        actions.extend(after.segments().map(|segment| Action::add(segment, true)));
        return Some(fixed(version, &actions));
    }
    let removes = removed
        .iter()
        .map(|segment| Action::remove(segment, now, !is_rearranged));
    actions.extend(removes);
    actions.extend(added.iter().map(|segment| Action::add(segment, !is_rearranged)));
    Some(fixed(version, &actions))
}

fn fixed(version: u64, actions: &[Action<'_>]) -> Change {
    let body = actions.iter().flat_map(|action| (action.to_json() + "\n").into_bytes());
    Change::Lake(LakeVersion {
        version,
        body: body.collect(),
    })
}

/// The segments by which two manifests differ.
struct Difference<'c> {
    removed: Vec<&'c StoredSegment>,
    added: Vec<&'c StoredSegment>,
    /// The last commit that is sealed afterwards.
    sealed_through: u64,
}

impl<'c> Difference<'c> {
    fn of(manifest: &'c Manifest, changes: &'c [Change]) -> Self {
        let mut difference = Self {
            removed: Vec::new(),
            added: Vec::new(),
            sealed_through: manifest.sealed_through(),
        };
        for change in changes {
            match change {
                Change::Seal { through, segments, .. } => {
                    difference.sealed_through = *through;
                    difference.added.extend(segments);
                }
                Change::Replace { remove, add, .. } => {
                    let removed = manifest.segments().filter(|segment| remove.contains(&segment.segment));
                    difference.removed.extend(removed.map(|segment| &**segment));
                    difference.added.extend(add);
                }
                _ => {}
            }
        }
        difference.without_same_files()
    }

    /// What got another bundle has the same Parquet file: to the lake nothing has changed.
    fn without_same_files(mut self) -> Self {
        let of = |segments: &[&StoredSegment]| -> Vec<String> {
            segments.iter().map(|segment| segment.data.name.clone()).collect()
        };
        let (removed, added) = (of(&self.removed), of(&self.added));
        self.removed.retain(|segment| !added.contains(&segment.data.name));
        self.added.retain(|segment| !removed.contains(&segment.data.name));
        self
    }
}

#[cfg(test)]
mod tests;
