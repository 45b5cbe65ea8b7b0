//! Segments made of other segments: runs of the same ledger become one, rows below the floor stay behind, redactions are
//! carried out. Compacting, expiring and redacting are this with different inputs.
//!
//! Invariants
//! - Inputs are in the order of their commits; of each ledger the runs follow one another without a gap.
//! - Memory does not grow with the size of the inputs: each is read from front to end, a chunk at a time. (The writer keeps some
//!   50 bytes for each row of a run.)

use std::{cmp::Reverse, collections::BTreeMap, iter::Peekable, sync::Arc};

use crate::{
    Error, OrganizationKey, Overlay, Row,
    database::{Change, LedgerId},
    output::Output,
    redact,
    segment::{Scan, Segment},
};

/// What a rewriting must know of a ledger.
pub(crate) struct Rules {
    pub(crate) key: OrganizationKey,
    /// Rows below this sequence stay behind.
    pub(crate) floor: u64,
    /// Redactions that are not yet carried out.
    pub(crate) overlay: Arc<Overlay>,
}

/// How many of some segments, which are in the order of their commits, leave no ledger with a gap.
pub(crate) fn adjoining(segments: &[Arc<Segment>]) -> Result<usize, Error> {
    let mut ends = BTreeMap::<LedgerId, u64>::new();
    for (position, segment) in segments.iter().enumerate() {
        let runs = segment.runs()?;
        let adjoins = |ledger, first| ends.get(&ledger).is_none_or(|end| *end == first);
        if !runs.iter().all(|run| adjoins(run.ledger, run.first_sequence)) {
            return Ok(position);
        }
        ends.extend(runs.iter().map(|run| (run.ledger, run.sequences().end)));
    }
    Ok(segments.len())
}

/// Writes the rows of segments anew; answers which redactions that carries out.
pub(crate) fn rewrite(
    segments: &[Arc<Segment>],
    rules: &dyn Fn(LedgerId) -> Result<Rules, Error>,
    output: &mut Output<'_>,
) -> Result<Vec<Change>, Error> {
    let scans = segments
        .iter()
        .map(|segment| Ok(Scan::new(Arc::clone(segment))?.peekable()));
    let mut scans = scans.collect::<Result<Vec<_>, Error>>()?;
    let mut carried_out = Vec::new();
    while let Some(ledger) = next_ledger(&mut scans)? {
        let rules = rules(ledger)?;
        let mut redactions = Vec::new();
        let rows = Merged {
            ledger,
            scans: &mut scans,
        };
        let honoured = rows.filter_map(|row| {
            let row = match row {
                Ok(row) => row,
                Err(error) => return Some(Err(error)),
            };
            let redaction = rules.overlay.get(&row.sequence);
            // What expired is gone whole, and with it what was to be removed of it.
            redactions.extend(redaction.map(|redaction| (row.sequence, redaction.redacted_at)));
            let is_kept = row.sequence >= rules.floor;
            is_kept.then(|| match redaction {
                Some(redaction) => Ok(Arc::new(redact::redacted(&row, &redaction.secrets))),
                None => Ok(Arc::new(row)),
            })
        });
        output.run(ledger, &rules.key, honoured)?;
        if !redactions.is_empty() {
            carried_out.push(Change::Rewritten { ledger, redactions });
        }
    }
    Ok(carried_out)
}

/// The lowest ledger that has rows left.
fn next_ledger(scans: &mut [Peekable<Scan>]) -> Result<Option<LedgerId>, Error> {
    let mut lowest = None;
    for scan in scans {
        match scan.peek() {
            Some(Ok((ledger, _))) => lowest = Some(lowest.map_or(*ledger, |known: LedgerId| known.min(*ledger))),
            Some(Err(error)) => return Err(error.clone()),
            None => {}
        }
    }
    Ok(lowest)
}

/// The rows of one ledger over several scans, newest first.
struct Merged<'s> {
    ledger: LedgerId,
    scans: &'s mut [Peekable<Scan>],
}

impl Iterator for Merged<'_> {
    type Item = Result<Row, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let ledger = self.ledger;
        let newest = self.scans.iter_mut().enumerate().filter_map(|(place, scan)| {
            let moment = match scan.peek()? {
                Err(_) => (i64::MAX, u64::MAX),
                Ok((of, row)) if *of == ledger => (row.occurred_at.millis(), row.sequence),
                Ok(_) => return None,
            };
            Some((Reverse(moment), place))
        });
        let (_, place) = newest.min()?;
        self.scans[place].next().map(|next| next.map(|(_, row)| row))
    }
}
