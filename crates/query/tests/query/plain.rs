//! A ledger that is a vector, and the answers of plain loops over it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::sync::watch;
use trailbook_event::{Actor, Context, Event, Filter, Parts, Record, Timestamp};
use trailbook_ledger::{Error, EventId, Head, OrganizationKey, Row, Sealed};
use trailbook_merkle::Hash;
use trailbook_query::{CacheSizes, Engine, Order, Question, Range, Scope, Source, View};

/// The rows of one organization, `acme`.
#[derive(Clone)]
pub(crate) struct Plain(Arc<Shared>);

struct Shared {
    rows: Mutex<Vec<Arc<Row>>>,
    commits: watch::Sender<u64>,
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

impl Plain {
    pub(crate) fn new() -> (Self, Engine) {
        let plain = Self(Arc::new(Shared {
            rows: Mutex::default(),
            commits: watch::channel(0).0,
        }));
        (plain.clone(), Engine::new(plain, [7; 32], CacheSizes::default()))
    }

    pub(crate) fn append(&self, events: &[Event<'_>]) {
        let mut rows = self.0.rows.lock().unwrap();
        for event in events {
            let sequence = rows.len() as u64;
            rows.push(Arc::new(row(event, sequence)));
        }
        drop(rows);
        self.0.commits.send_modify(|commit| *commit += 1);
    }

    pub(crate) fn all(&self) -> Vec<Arc<Row>> {
        self.0.rows.lock().unwrap().clone()
    }
}

impl Source for Plain {
    fn head(&self, organization: &OrganizationKey) -> Option<Head> {
        let size = self.0.rows.lock().unwrap().len() as u64;
        let known = *organization == self::organization();
        known.then_some(Head {
            size,
            epoch: 1,
            received_at: Timestamp::from_millis(0),
        })
    }

    fn tail(&self, organization: &OrganizationKey, from: u64, limit: usize) -> Vec<Arc<Row>> {
        assert_eq!(*organization, self::organization());
        self.0
            .rows
            .lock()
            .unwrap()
            .iter()
            .skip(from as usize)
            .take(limit)
            .cloned()
            .collect()
    }

    fn sealed(&self, _: &OrganizationKey) -> Result<Arc<Sealed>, Error> {
        Ok(Arc::default())
    }

    fn rows(&self, organization: &OrganizationKey, from: u64, limit: usize) -> Result<Vec<Arc<Row>>, Error> {
        Ok(self.tail(organization, from, limit))
    }

    fn commits(&self) -> watch::Receiver<u64> {
        self.0.commits.subscribe()
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
    Row {
        sequence,
        commit: sequence,
        id: EventId::first(1_700_000_000_000 + sequence, [0; 10]),
        epoch: 1,
        received_at: Timestamp::from_millis(0),
        occurred_at: event.occurred_at,
        country: [None, Some(*b"DE"), Some(*b"US")][sequence as usize % 3],
        secrets: trailbook_ledger::Secrets::Nonce([0; 16]),
        leaf_hash: Hash([0; 32]),
        parts: Parts::new(Bytes::from(parts.bytes().clone()), parts.ends()).unwrap(),
    }
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
