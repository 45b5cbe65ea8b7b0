//! A ledger that is a vector, parts of which may be sealed in real segments, and the answers of plain loops over it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::sync::watch;
use trailbook_event::{Actor, Context, Event, Filter, Part, Parts, Record, Timestamp};
use trailbook_ledger::{
    Error, EventId, Head, OrganizationKey, Overlay, PartSecret, Redaction, Row, Sealed, SealedRun, Secrets,
};
use trailbook_merkle::Hash;
use trailbook_query::{CacheSizes, Engine, Order, Question, Range, Scope, Source, View};

use crate::sealing::Segments;

/// The rows of one organization, `acme`.
#[derive(Clone)]
pub(crate) struct Plain(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    segments: Segments,
    commits: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// All that were ever appended, as they were then.
    rows: Vec<Arc<Row>>,
    runs: Vec<SealedRun>,
    floor: u64,
    redactions: Overlay,
}

/// What may happen to a ledger. Shares are in thousandths.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    Append(Vec<Event<'static>>),
    /// A view is opened.
    Read,
    /// The background comes by.
    CatchUp,
    /// A share of the tail is sealed.
    Seal(u16),
    /// All runs become one.
    Merge,
    /// A share of what is above the floor falls below it.
    Floor(u16),
    /// Parts of the event at this share are redacted.
    Redact(u16, Vec<Part>),
}

pub(crate) fn organization() -> OrganizationKey {
    OrganizationKey::new("default", "acme")
}

pub(crate) fn scope(own: Option<Filter>) -> Scope {
    Scope {
        organization: organization(),
        own,
    }
}

impl State {
    fn end(&self) -> u64 {
        self.runs.last().map_or(0, |last| last.run.sequences().end)
    }

    fn size(&self) -> u64 {
        self.rows.len() as u64
    }

    /// The rows with these sequences, redactions carried out.
    fn now(&self, sequences: std::ops::Range<u64>) -> Vec<Arc<Row>> {
        let rows = &self.rows[sequences.start as usize..sequences.end as usize];
        let now = |row: &Arc<Row>| match self.redactions.get(&row.sequence) {
            Some(redaction) => Arc::new(redaction.carried_out(row)),
            None => Arc::clone(row),
        };
        rows.iter().map(now).collect()
    }
}

impl Plain {
    pub(crate) fn new() -> (Self, Engine) {
        Self::with(CacheSizes::default())
    }

    pub(crate) fn with(cache: CacheSizes) -> (Self, Engine) {
        let plain = Self(Arc::new(Shared {
            state: Mutex::default(),
            segments: Segments::new(),
            commits: watch::channel(0).0,
        }));
        (plain.clone(), Engine::new(plain, [7; 32], cache))
    }

    pub(crate) fn append(&self, events: &[Event<'_>]) {
        let mut state = self.0.state.lock().unwrap();
        for event in events {
            let sequence = state.size();
            state.rows.push(Arc::new(row(event, sequence)));
        }
        drop(state);
        self.0.commits.send_modify(|commit| *commit += 1);
    }

    /// Does what is said; `engine` is the one over this ledger.
    pub(crate) fn undergo(&self, deed: &Deed, engine: &Engine) {
        let share = |of: u64, share: u16| of * u64::from(share) / 1000;
        let (first, end, floor, size) = {
            let state = self.0.state.lock().unwrap();
            let first = state.runs.first().map_or(0, |run| run.run.first_sequence);
            (first, state.end(), state.floor, state.size())
        };
        match deed {
            Deed::Append(events) => self.append(events),
            Deed::Read => drop(engine.view(&scope(None)).unwrap()),
            Deed::CatchUp => engine.catch_up(&organization()).unwrap(),
            Deed::Seal(part) => self.seal(end..end + share(size - end, *part)),
            Deed::Merge => self.seal(first..end),
            Deed::Floor(part) => self.0.state.lock().unwrap().floor = floor + share(size - floor, *part),
            Deed::Redact(..) if size == 0 => {}
            Deed::Redact(place, parts) => self.redact(share(size - 1, *place), parts),
        }
    }

    /// Seals rows in one run, in place of the runs that had them.
    pub(crate) fn seal(&self, sequences: std::ops::Range<u64>) {
        if sequences.is_empty() {
            return;
        }
        let rows = self.0.state.lock().unwrap().rows[sequences.start as usize..sequences.end as usize].to_vec();
        let run = self.0.segments.write(rows);
        let mut state = self.0.state.lock().unwrap();
        state.runs.retain(|run| !sequences.contains(&run.run.first_sequence));
        state.runs.push(run);
        state.runs.sort_by_key(|run| run.run.first_sequence);
    }

    fn redact(&self, sequence: u64, parts: &[Part]) {
        let mut state = self.0.state.lock().unwrap();
        let row = state.now(sequence..sequence + 1).remove(0);
        let redaction = redaction(&row, parts);
        state.redactions.insert(sequence, redaction);
    }

    /// The rows that can be read, redactions carried out.
    pub(crate) fn all(&self) -> Vec<Arc<Row>> {
        let state = self.0.state.lock().unwrap();
        state.now(state.floor..state.size())
    }
}

impl Source for Plain {
    fn head(&self, organization: &OrganizationKey) -> Option<Head> {
        let size = self.0.state.lock().unwrap().size();
        let known = *organization == self::organization();
        known.then_some(Head {
            size,
            epoch: 1,
            received_at: Timestamp::from_millis(0),
        })
    }

    fn tail(&self, organization: &OrganizationKey, from: u64, limit: usize) -> Vec<Arc<Row>> {
        assert_eq!(*organization, self::organization());
        let state = self.0.state.lock().unwrap();
        let rows = state.now(state.end()..state.size());
        rows.into_iter()
            .filter(|row| row.sequence >= from)
            .take(limit)
            .collect()
    }

    fn sealed(&self, _: &OrganizationKey) -> Result<Arc<Sealed>, Error> {
        let state = self.0.state.lock().unwrap();
        Ok(Arc::new(Sealed {
            runs: state.runs.clone(),
            end: state.end().max(state.floor),
            floor: state.floor,
            redactions: Arc::new(state.redactions.clone()),
        }))
    }

    fn rows(&self, _: &OrganizationKey, from: u64, limit: usize) -> Result<Vec<Arc<Row>>, Error> {
        let rows = self.all().into_iter();
        Ok(rows.filter(|row| row.sequence >= from).take(limit).collect())
    }

    fn commits(&self) -> watch::Receiver<u64> {
        self.0.commits.subscribe()
    }
}

/// What is to be kept of a row when parts are removed.
pub(crate) fn redaction(row: &Row, parts: &[Part]) -> Redaction {
    let commitments = row.commitments();
    let secrets = Part::ALL.map(|part| {
        if parts.contains(&part) {
            PartSecret::Commitment(commitments[usize::from(part.number()) - 1])
        } else {
            row.secret(part)
        }
    });
    Redaction {
        secrets: Box::new(secrets),
        redacted_at: 0,
    }
}

/// An event with only what is required.
pub(crate) fn event(action: &'static str, occurred_at: i64) -> Event<'static> {
    Event {
        organization: "acme".into(),
        client_id: None,
        occurred_at: Timestamp::from_millis(occurred_at),
        action: action.into(),
        action_type: "other".into(),
        area: None,
        product: None,
        description: None,
        security: false,
        result: "success".into(),
        trace_id: None,
        actor: Actor {
            kind: "system".into(),
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

fn row(event: &Event<'_>, sequence: u64) -> Row {
    let parts = event.to_parts();
    let mut row = Row {
        sequence,
        commit: sequence,
        id: EventId::first(1_700_000_000_000 + sequence, [0; 10]),
        epoch: 1,
        received_at: Timestamp::from_millis(0),
        occurred_at: event.occurred_at,
        country: [None, Some(*b"DE"), Some(*b"US")][sequence as usize % 3],
        secrets: Secrets::Nonce([0; 16]),
        leaf_hash: Hash([0; 32]),
        parts: Parts::new(Bytes::from(parts.bytes().clone()), parts.ends()).unwrap(),
    };
    row.leaf_hash = row.leaf_record().leaf_hash();
    row
}

/// Calls `each` with the record of a row.
pub(crate) fn with_record<T>(row: &Row, each: impl FnOnce(&Record<'_>) -> T) -> T {
    let event = Event::parse(&row.parts).unwrap();
    each(&Record {
        occurred_at: row.occurred_at,
        country: row.country(),
        event: &event,
    })
}

pub(crate) fn in_range(range: &Range, row: &Row) -> bool {
    range.from.is_none_or(|from| row.occurred_at >= from) && range.to.is_none_or(|to| row.occurred_at < to)
}

/// The rows that a question finds among `rows`, in the order of `rows`.
pub(crate) fn found(rows: &[Arc<Row>], question: &Question, own: Option<&Filter>) -> Vec<Arc<Row>> {
    let holds = |row: &Row| {
        in_range(&question.range, row)
            && with_record(row, |record| {
                question.filter.matches(record) && own.is_none_or(|own| own.matches(record))
            })
    };
    rows.iter().filter(|row| holds(row)).cloned().collect()
}

pub(crate) fn sequences(rows: &[Arc<Row>]) -> Vec<u64> {
    rows.iter().map(|row| row.sequence).collect()
}

/// The sequences of found rows in an order.
pub(crate) fn in_order(mut rows: Vec<Arc<Row>>, order: Order) -> Vec<u64> {
    rows.sort_by_key(|row| (row.occurred_at, row.sequence));
    if order == Order::Descending {
        rows.reverse();
    }
    sequences(&rows)
}

pub(crate) fn view(engine: &Engine) -> View {
    engine.view(&scope(None)).unwrap()
}
