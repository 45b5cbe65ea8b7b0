//! One organization's sealed rows as blocks: for each run its index blocks, and more for rows that were redacted since.
//!
//! Invariants
//! - A row from the floor up to the end is in exactly one block's answers.
//! - A strand's blocks follow one another in time.
//!
//! Not here: the tail (`tail_index`), reading segments (`block::SealedBlock`).

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use trailbook_ledger::{EventId, Row, Sealed, SealedRun};

use crate::{
    Error,
    block::{Block, Held, ROWS_MAX, SealedBlock},
    caches::Caches,
    row_set::RowSet,
};

/// Blocks of which each begins when the one before has ended.
pub(crate) type Strand = Arc<[Block]>;

/// The sealed rows of one organization.
#[derive(Debug, Default)]
pub(crate) struct History {
    sealed: Arc<Sealed>,
    /// The runs that reach above the floor, with their blocks.
    runs: Vec<(Arc<SealedRun>, Strand)>,
    /// The redacted rows.
    redacted: Vec<Arc<Held>>,
}

impl History {
    fn of(sealed: Arc<Sealed>, caches: &Arc<Caches>) -> Result<Self, Error> {
        check_gaps(&sealed)?;
        let (mut runs, mut redacted) = (Vec::new(), Vec::new());
        for run in sealed.runs.iter().filter(|run| run.run.sequences().end > sealed.floor) {
            let run = Arc::new(run.clone());
            let hidden = hidden(&sealed, &run, &mut redacted)?;
            let strand = strand(&run, sealed.floor, &hidden, caches);
            runs.push((run, strand));
        }
        let redacted = redacted.chunks(ROWS_MAX);
        let redacted = redacted.map(|rows| Held::build(rows.to_vec()).map(Arc::new));
        Ok(Self {
            redacted: redacted.collect::<Result<_, _>>()?,
            sealed,
            runs,
        })
    }

    /// The ledger's state that this was made of.
    pub(crate) fn sealed(&self) -> &Sealed {
        &self.sealed
    }

    /// All blocks.
    pub(crate) fn strands(&self) -> impl Iterator<Item = Strand> {
        let redacted = self.redacted.iter();
        let redacted = redacted.map(|held| Strand::from([Block::held(Arc::clone(held), self.sealed.floor)]));
        self.runs.iter().map(|(_, strand)| Arc::clone(strand)).chain(redacted)
    }

    /// The block and the row of a Log ID.
    pub(crate) fn find(&self, id: &EventId) -> Result<Option<(Block, usize)>, Error> {
        for held in &self.redacted {
            if let Ok(row) = held.rows().binary_search_by_key(id, |row| row.id) {
                return Ok(Some((Block::held(Arc::clone(held), self.sealed.floor), row)));
            }
        }
        let has = |run: &SealedRun| run.run.ids.0 <= *id && *id <= run.run.ids.1;
        let Some((run, strand)) = self.runs.iter().find(|(run, _)| has(run)) else {
            return Ok(None);
        };
        let Some(number) = number_of(run, id)? else {
            return Ok(None);
        };
        let block = &strand[strand.len() - 1 - number as usize / ROWS_MAX];
        Ok(Some((block.clone(), block.length() - 1 - number as usize % ROWS_MAX)))
    }

    fn is_of(&self, sealed: &Sealed) -> bool {
        let same = |(old, new): (&SealedRun, &SealedRun)| old.segment.id() == new.segment.id() && old.run == new.run;
        let runs = (&self.sealed.runs, &sealed.runs);
        self.sealed.floor == sealed.floor
            && self.sealed.end == sealed.end
            && runs.0.len() == runs.1.len()
            && runs.0.iter().zip(runs.1).all(same)
            && (Arc::ptr_eq(&self.sealed.redactions, &sealed.redactions) || self.sealed.redactions == sealed.redactions)
    }
}

/// The newest history that was asked for.
#[derive(Debug, Default)]
pub(crate) struct Newest(RwLock<Arc<History>>);

impl Newest {
    /// The history of a ledger's state.
    pub(crate) fn of(&self, sealed: Arc<Sealed>, caches: &Arc<Caches>) -> Result<Arc<History>, Error> {
        let known = Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner));
        if known.is_of(&sealed) {
            return Ok(known);
        }
        let history = Arc::new(History::of(sealed, caches)?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&history);
        Ok(history)
    }
}

/// Refuses to answer without rows that should be there.
fn check_gaps(sealed: &Sealed) -> Result<(), Error> {
    let mut reached = sealed.floor;
    for run in &sealed.runs {
        let sequences = run.run.sequences();
        if sequences.start > reached {
            return Err(Error::corrupt(format!(
                "sealed events are missing: ledger={} sequences={reached}..{}; run `trailbook fsck`",
                run.run.ledger, sequences.start
            )));
        }
        reached = reached.max(sequences.end);
    }
    Ok(())
}

/// The numbers of a run's rows that were redacted, by block; the rows themselves, in sequence order, are added to `redacted`.
fn hidden(sealed: &Sealed, run: &SealedRun, redacted: &mut Vec<Arc<Row>>) -> Result<BTreeMap<usize, Vec<u64>>, Error> {
    let mut hidden = BTreeMap::<usize, Vec<u64>>::new();
    let sequences = run.run.sequences();
    let overlay = sealed
        .redactions
        .range(sequences.start.max(sealed.floor)..sequences.end);
    for (sequence, redaction) in overlay {
        let segment = run.segment.open()?;
        let numbers = segment.numbers(&run.run, *sequence..sequence + 1)?;
        for row in segment.rows(&run.run, &numbers)? {
            redacted.push(Arc::new(redaction.carried_out(&row)));
        }
        for number in numbers {
            hidden.entry(number as usize / ROWS_MAX).or_default().push(number);
        }
    }
    Ok(hidden)
}

fn strand(run: &Arc<SealedRun>, floor: u64, hidden: &BTreeMap<usize, Vec<u64>>, caches: &Arc<Caches>) -> Strand {
    let block = |block: usize| {
        let stored = SealedBlock::new(Arc::clone(run), block, Arc::clone(caches));
        let hidden = hidden.get(&block).map(|numbers| {
            let mut set = RowSet::empty(stored.length());
            numbers.iter().for_each(|number| set.insert(stored.row_of(*number)));
            set
        });
        Block::sealed(stored, floor, hidden)
    };
    // Blocks are counted from the newest.
    let blocks = run.run.rows.div_ceil(ROWS_MAX as u64) as usize;
    (0..blocks).rev().map(block).collect()
}

/// The number in its run of the row with a Log ID; these ascend with the sequence.
fn number_of(run: &SealedRun, id: &EventId) -> Result<Option<u64>, Error> {
    let segment = run.segment.open()?;
    let mut left = run.run.sequences();
    while left.start < left.end {
        let middle = left.start.midpoint(left.end);
        let numbers = segment.numbers(&run.run, middle..middle + 1)?;
        let number = *numbers.first().ok_or_else(|| Error::unreadable(middle))?;
        match segment.id(&run.run, number)?.cmp(id) {
            std::cmp::Ordering::Equal => return Ok(Some(number)),
            std::cmp::Ordering::Less => left.start = middle + 1,
            std::cmp::Ordering::Greater => left.end = middle,
        }
    }
    Ok(None)
}
