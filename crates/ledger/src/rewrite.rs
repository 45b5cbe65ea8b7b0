//! Segments made of other segments: runs of the same ledger become one, rows below the floor stay behind, redactions are
//! carried out. Compacting, expiring and redacting are this with different inputs.
//!
//! Invariants
//! - Inputs are in the order of their commits; of each ledger the runs follow one another without a gap.
//! - Memory does not grow with the size of the inputs: a run is read a chunk at a time.

use std::{cmp::Ordering, collections::BTreeMap, collections::BinaryHeap, sync::Arc};

use crate::{
    Error, OrganizationKey, Row,
    database::{Change, LedgerId},
    history::Overlay,
    output::Output,
    redact,
    segment::{Run, Segment},
};

/// Rows of a run that are read at a time.
const CHUNK_ROWS: u64 = 2_048;

/// What a rewriting must know of a ledger.
pub(crate) struct Rules {
    pub(crate) key: OrganizationKey,
    /// Rows below this sequence stay behind.
    pub(crate) floor: u64,
    /// Redactions that are not yet carried out.
    pub(crate) overlay: Arc<Overlay>,
}

/// The runs of each ledger over some segments.
pub(crate) type Runs = BTreeMap<LedgerId, Vec<(Arc<Segment>, Run)>>;

/// The runs of segments, which are in the order of their commits, up to the first segment that would leave a gap in some
/// ledger; and how many segments that are.
pub(crate) fn adjoining(segments: &[Arc<Segment>]) -> Result<(Runs, usize), Error> {
    let mut runs = Runs::new();
    for (position, segment) in segments.iter().enumerate() {
        let own = segment.runs()?;
        let adjoins = |run: &Run| {
            runs.get(&run.ledger)
                .and_then(|known| known.last())
                .is_none_or(|(_, last)| last.first_sequence + last.rows == run.first_sequence)
        };
        if !own.iter().all(adjoins) {
            return Ok((runs, position));
        }
        for run in own {
            runs.entry(run.ledger).or_default().push((Arc::clone(segment), run));
        }
    }
    Ok((runs, segments.len()))
}

/// Writes the rows of runs anew; answers which redactions that carries out.
pub(crate) fn rewrite(
    runs: Runs,
    rules: &dyn Fn(LedgerId) -> Result<Rules, Error>,
    output: &mut Output<'_>,
) -> Result<Vec<Change>, Error> {
    let mut carried_out = Vec::new();
    for (ledger, runs) in runs {
        let rules = rules(ledger)?;
        carried_out.extend(rules.carried_out(ledger, &runs));
        let rows = Merged::new(runs, rules.floor)?.map(|row| {
            let row = row?;
            Ok(Arc::new(match rules.overlay.get(&row.sequence) {
                Some(redaction) => redact::redacted(&row, &redaction.secrets),
                None => row,
            }))
        });
        output.run(ledger, &rules.key, rows)?;
    }
    Ok(carried_out)
}

impl Rules {
    /// The redactions that are carried out when these runs are written anew.
    fn carried_out(&self, ledger: LedgerId, runs: &[(Arc<Segment>, Run)]) -> Option<Change> {
        let inside = |sequence: u64| runs.iter().any(|(_, run)| run.sequences().contains(&sequence));
        let redactions: Vec<(u64, i64)> = self
            .overlay
            .iter()
            .filter(|(sequence, _)| inside(**sequence))
            .map(|(sequence, redaction)| (*sequence, redaction.redacted_at))
            .collect();
        (!redactions.is_empty()).then_some(Change::Rewritten { ledger, redactions })
    }
}

/// The rows of some runs of one ledger, newest first; an error ends it.
struct Merged {
    heads: BinaryHeap<Reading>,
}

/// A run that is being read: its next row and where it goes on.
struct Reading {
    next: Row,
    chunk: std::vec::IntoIter<Row>,
    rest: std::ops::Range<u64>,
    segment: Arc<Segment>,
    run: Run,
    floor: u64,
}

impl Merged {
    fn new(runs: Vec<(Arc<Segment>, Run)>, floor: u64) -> Result<Self, Error> {
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (segment, run) in runs {
            if run.first_sequence + run.rows > floor {
                heads.extend(Reading::begin(segment, run, floor)?);
            }
        }
        Ok(Self { heads })
    }

    fn advance(&mut self) -> Result<Option<Row>, Error> {
        let Some(first) = self.heads.pop() else { return Ok(None) };
        let (row, rest) = first.step()?;
        self.heads.extend(rest);
        Ok(Some(row))
    }
}

impl Iterator for Merged {
    type Item = Result<Row, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance().transpose();
        if let Some(Err(_)) = next {
            self.heads.clear();
        }
        next
    }
}

impl Reading {
    fn begin(segment: Arc<Segment>, run: Run, floor: u64) -> Result<Option<Self>, Error> {
        let mut rest = 0..run.rows;
        let mut chunk = Vec::new().into_iter();
        let next = next_row(&segment, &run, floor, &mut chunk, &mut rest)?;
        Ok(next.map(|next| Self {
            next,
            chunk,
            rest,
            segment,
            run,
            floor,
        }))
    }

    /// The next row, and the reading of what comes after it.
    fn step(mut self) -> Result<(Row, Option<Self>), Error> {
        let following = next_row(&self.segment, &self.run, self.floor, &mut self.chunk, &mut self.rest)?;
        Ok(match following {
            Some(following) => {
                let row = std::mem::replace(&mut self.next, following);
                (row, Some(self))
            }
            None => (self.next, None),
        })
    }
}

/// The next row of a run at or above the floor.
fn next_row(
    segment: &Segment,
    run: &Run,
    floor: u64,
    chunk: &mut std::vec::IntoIter<Row>,
    rest: &mut std::ops::Range<u64>,
) -> Result<Option<Row>, Error> {
    loop {
        if let Some(row) = chunk.find(|row| row.sequence >= floor) {
            return Ok(Some(row));
        }
        if rest.is_empty() {
            return Ok(None);
        }
        let end = (rest.start + CHUNK_ROWS).min(rest.end);
        let numbers: Vec<u64> = (rest.start..end).collect();
        *chunk = segment.rows(run, &numbers)?.into_iter();
        rest.start = end;
    }
}

impl Ord for Reading {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.next.occurred_at, self.next.sequence).cmp(&(other.next.occurred_at, other.next.sequence))
    }
}

impl PartialOrd for Reading {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Reading {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Reading {}
