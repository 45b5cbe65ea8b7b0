//! Making segments anew from their Parquet files, when an index is not that of its rows or a bundle is damaged or lost.
//!
//! Invariants
//! - Only a Parquet file is read that is, byte for byte, what the manifest says.
//! - What comes of it is used only if the trees of all its ledgers still come to their heads; the manifest then changes in one
//!   commit.
//!
//! Not here: segments whose Parquet file is damaged or lost, which only a backup has.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    Error, Finding, Ledger, OrganizationKey, Parts,
    chain::Anchors,
    compact::GRACE,
    database::{Change, LedgerId, Loaded, StoredSegment},
    fsck::{is_indexed, unsound},
    objects::Objects,
    open::load,
    output::{self, Draft, Kind, Output},
    segment::{BLOCK_ROWS, Compression, RowsAlone},
};

/// As hard as what is compacted.
const COMPRESSION: Compression = Compression(6);

/// What was made anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reindexed {
    /// Segments that were looked at.
    pub segments: u64,
    /// Numbers of those that were made anew; nothing names them any more.
    pub replaced: Vec<u64>,
    /// Segments that should have been made anew and could not, and why.
    pub findings: Vec<Finding>,
}

/// A segment made anew.
struct Remade {
    old: u64,
    new: StoredSegment,
}

/// Looks at every segment of a database that is not in use, and makes those anew whose index is not that of their rows, or whose
/// bundle is not what the manifest says. Safe to repeat after any failure. Takes as much space as what is made anew; what it
/// replaces is deleted like anything else that was rewritten.
///
/// # Errors
/// [`Error::Refused`] when the database contradicts what was published; [`Error::Storage`]; [`Error::Corrupt`] when the tail
/// or the heads are damaged.
pub async fn reindex(parts: Parts) -> Result<Reindexed, Error> {
    let loaded = load(&parts).await?;
    let anchors = Anchors::new(Arc::clone(&parts.objects));
    if let Some(reason) = anchors.contradiction(loaded.head, &*parts.database).await? {
        return Err(Error::Refused { reason });
    }
    let mut report = Reindexed::default();
    let remade = Reindexing::new(&parts, &loaded).run(&mut report).await?;
    let remade = accepted(&parts, &loaded, remade, &mut report).await?;
    if remade.is_empty() {
        return Ok(report);
    }
    report.replaced = remade.iter().map(|remade| remade.old).collect();
    let replace = Change::Replace {
        remove: report.replaced.clone(),
        add: remade.into_iter().map(|remade| remade.new).collect(),
        removable_at: parts.clock.now().millis() + GRACE.as_millis() as i64,
    };
    let ledger = Ledger::start(parts, loaded, anchors).await?;
    ledger.change(vec![replace].into()).await?;
    ledger.close().await?;
    Ok(report)
}

/// What making anew works with.
struct Reindexing<'p> {
    parts: &'p Parts,
    loaded: &'p Loaded,
    objects: Objects,
    ledgers: BTreeMap<&'p OrganizationKey, LedgerId>,
}

impl<'p> Reindexing<'p> {
    fn new(parts: &'p Parts, loaded: &'p Loaded) -> Self {
        Self {
            parts,
            loaded,
            objects: Objects::new(Arc::clone(&parts.objects), parts.object_files.clone()),
            ledgers: loaded.heads.iter().map(|head| (&head.key, head.ledger)).collect(),
        }
    }

    /// Makes anew what needs it, as objects that no manifest names yet.
    async fn run(&self, report: &mut Reindexed) -> Result<Vec<Remade>, Error> {
        let mut remade = Vec::new();
        for stored in &self.loaded.segments {
            report.segments += 1;
            if self.is_sound(stored) {
                continue;
            }
            let written = match self.write(stored) {
                Err(error @ Error::Storage { .. }) => return Err(error),
                Err(error) => {
                    report.find(stored.segment, error.to_string());
                    continue;
                }
                Ok(written) => written,
            };
            // Numbers that nobody has, to tell them apart until they are committed.
            let free = self.loaded.next_segment + remade.len() as u64;
            let segments = output::put(&self.objects, &written.0, written.1).await?;
            remade.extend((free..).zip(segments).map(|(segment, new)| Remade {
                old: stored.segment,
                new: StoredSegment { segment, ..new },
            }));
        }
        Ok(remade)
    }

    /// Whether a segment's bundle is what the manifest says, and all its indexes are those of its rows. Rows that cannot be read
    /// count as no: what is wrong with them comes out when the segment is made anew.
    fn is_sound(&self, stored: &StoredSegment) -> bool {
        self.objects.check(&stored.bundle, true).is_ok() && self.is_indexed(stored).unwrap_or(false)
    }

    fn is_indexed(&self, stored: &StoredSegment) -> Result<bool, Error> {
        let segment = self.objects.segment(stored)?;
        for run in segment.runs()? {
            for block in 0..segment.blocks(&run) {
                let first = (block * BLOCK_ROWS) as u64;
                let numbers: Vec<u64> = (first..run.rows.min(first + BLOCK_ROWS as u64)).collect();
                let rows = segment.rows(&run, &numbers)?;
                if !is_indexed(&*self.parts.indexer, &segment, &run, block, &rows)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Writes a segment anew from its Parquet file alone.
    fn write(&self, stored: &StoredSegment) -> Result<(Kind, Vec<Draft>), Error> {
        let name = &stored.data.name;
        self.objects
            .check(&stored.data, true)
            .map_err(|what| Error::corrupt(format!("object {name}: {what}; restore it from a backup")))?;
        let data = self.objects.open(&stored.data);
        let data = data.map_err(|error| Error::storage("open segment", format!("{error} file={name}")))?;
        let mut rows = RowsAlone::open(data)?.peekable();
        let kind = Kind {
            level: stored.level,
            commits: stored.commits,
            retention_days: stored.retention_days,
            compression: COMPRESSION,
            rows_max: u64::MAX,
        };
        let mut output = Output::new(&self.objects, &*self.parts.indexer, &*self.parts.random, kind);
        while let Some(next) = rows.peek() {
            let key = match next {
                Ok((key, _)) => key.clone(),
                Err(error) => return Err(error.clone()),
            };
            let ledger = *self.ledgers.get(&key).ok_or_else(|| {
                Error::corrupt(format!(
                    "it has events of an organization that is not known: organization={key}"
                ))
            })?;
            let is_here = |next: &Result<_, Error>| next.as_ref().map_or(true, |(of, _)| *of == key);
            let run = std::iter::from_fn(|| rows.next_if(is_here));
            output.run(ledger, &key, run.map(|next| next.map(|(_, row)| Arc::new(row))))?;
        }
        output.finish()
    }
}

/// Those with which the trees of their ledgers come to their heads; the objects of the others are deleted.
async fn accepted(
    parts: &Parts,
    loaded: &Loaded,
    remade: Vec<Remade>,
    report: &mut Reindexed,
) -> Result<Vec<Remade>, Error> {
    if remade.is_empty() {
        return Ok(remade);
    }
    let old: BTreeSet<u64> = remade.iter().map(|remade| remade.old).collect();
    let mut wanted = loaded.clone();
    wanted.segments.retain(|stored| !old.contains(&stored.segment));
    wanted.segments.extend(remade.iter().map(|remade| remade.new.clone()));
    let unsound = unsound(parts, &wanted).await?;
    let objects = Objects::new(Arc::clone(&parts.objects), parts.object_files.clone());
    let mut accepted = Vec::new();
    for remade in remade {
        let new = &remade.new;
        let runs = objects.segment(new)?.runs()?;
        let against: Vec<&Finding> = runs
            .iter()
            .filter_map(|run| unsound.get(&run.ledger))
            .flatten()
            .collect();
        if against.is_empty() {
            accepted.push(remade);
            continue;
        }
        for finding in against {
            report.find(
                remade.old,
                format!("what would replace it does not fit its ledgers: {finding}"),
            );
        }
        for object in [&new.data, &new.bundle] {
            objects.delete(&object.name).await?;
        }
    }
    Ok(accepted)
}

impl Reindexed {
    fn find(&mut self, segment: u64, detail: String) {
        self.findings.push(Finding {
            place: format!("segment {segment}"),
            detail,
        });
    }
}
