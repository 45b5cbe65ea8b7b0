//! New segments on their way into the manifest: written to scratch files, put as objects, described.
//!
//! Used by every job that writes segments: seal, compact, expire, redact.
//!
//! Invariant: what is described here is durable as objects before the manifest hears of it. Objects whose manifest entry never
//! comes, because the process ended in between, are found and deleted by the sweep.

use std::{fs::File, sync::Arc};

use crate::{
    Error, OrganizationKey, Row,
    database::{LedgerId, StoredObject, StoredSegment},
    inputs::{Random, random_bytes},
    manifest::LedgerFilter,
    objects::{Objects, ScratchFile},
    segment::{Compression, Contents, Indexer, Writer},
};

/// Where the objects of segments are.
pub(crate) const DIRECTORY: &str = "segments";

/// What the segments of one job have in common.
#[derive(Debug, Clone)]
pub(crate) struct Kind {
    pub(crate) level: u8,
    /// The first and the last commit that they cover.
    pub(crate) commits: (u64, u64),
    pub(crate) retention_days: Option<u32>,
    pub(crate) compression: Compression,
    /// A segment that has this many rows ends with the run at hand.
    pub(crate) rows_max: u64,
}

/// A segment in scratch files.
pub(crate) struct Draft {
    name: String,
    data: ScratchFile,
    bundle: ScratchFile,
    contents: Contents,
}

/// Writes segments, one after the other, in the order of their ledgers.
pub(crate) struct Output<'o> {
    objects: &'o Objects,
    indexer: &'o dyn Indexer,
    random: &'o dyn Random,
    kind: Kind,
    open: Option<Open<'o>>,
    drafts: Vec<Draft>,
}

struct Open<'o> {
    writer: Writer<'o>,
    name: String,
    data: ScratchFile,
    bundle: ScratchFile,
    rows: u64,
}

impl<'o> Output<'o> {
    pub(crate) fn new(objects: &'o Objects, indexer: &'o dyn Indexer, random: &'o dyn Random, kind: Kind) -> Self {
        Self {
            objects,
            indexer,
            random,
            kind,
            open: None,
            drafts: Vec::new(),
        }
    }

    /// Writes a ledger's rows, newest first; none is no run. Ledgers ascend.
    pub(crate) fn run(
        &mut self,
        ledger: LedgerId,
        key: &OrganizationKey,
        rows: impl Iterator<Item = Result<Arc<Row>, Error>>,
    ) -> Result<(), Error> {
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        if self.open.as_ref().is_some_and(|open| open.rows >= self.kind.rows_max) {
            self.end()?;
        }
        let open = match &mut self.open {
            Some(open) => open,
            None => self.open.insert(self.begin()?),
        };
        open.writer.begin_run(ledger, key)?;
        for row in rows {
            open.writer.push(row?)?;
            open.rows += 1;
        }
        Ok(())
    }

    fn begin(&self) -> Result<Open<'o>, Error> {
        let unique: String = random_bytes::<8>(self.random)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let name = format!(
            "{DIRECTORY}/{:012}-{:012}-{}-{unique}",
            self.kind.commits.0, self.kind.commits.1, self.kind.level
        );
        let scratch = |extension: &str| -> Result<(ScratchFile, File), Error> {
            self.objects.scratch(&format!("{name}.{extension}"))
        };
        let ((data, data_file), (bundle, bundle_file)) = (scratch("parquet")?, scratch("bundle")?);
        Ok(Open {
            writer: Writer::create(data_file, bundle_file, self.indexer, self.kind.compression)?,
            name,
            data,
            bundle,
            rows: 0,
        })
    }

    fn end(&mut self) -> Result<(), Error> {
        if let Some(open) = self.open.take() {
            self.drafts.push(Draft {
                contents: open.writer.finish()?,
                name: open.name,
                data: open.data,
                bundle: open.bundle,
            });
        }
        Ok(())
    }

    /// The segments that were written.
    pub(crate) fn finish(mut self) -> Result<(Kind, Vec<Draft>), Error> {
        self.end()?;
        Ok((self.kind, self.drafts))
    }
}

/// Makes objects of drafts; answers what the manifest is to say of them. They get their numbers when they are committed.
pub(crate) async fn put(objects: &Objects, kind: &Kind, drafts: Vec<Draft>) -> Result<Vec<StoredSegment>, Error> {
    let mut segments = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let Draft { name, contents, .. } = draft;
        let (data, bundle) = (format!("{name}.parquet"), format!("{name}.bundle"));
        objects.put_file(draft.data, &data).await?;
        objects.put_file(draft.bundle, &bundle).await?;
        let stored = |name, (bytes, sha256)| StoredObject { name, bytes, sha256 };
        segments.push(StoredSegment {
            segment: 0,
            level: kind.level,
            commits: kind.commits,
            ledgers: contents.ledgers,
            filter: LedgerFilter::of(&contents.ledger_list).encode(),
            events: contents.events,
            occurred: (contents.occurred.0.millis(), contents.occurred.1.millis()),
            received: (contents.received.0.millis(), contents.received.1.millis()),
            retention_days: kind.retention_days,
            data: stored(data, contents.data),
            bundle: stored(bundle, contents.bundle),
        });
    }
    Ok(segments)
}
