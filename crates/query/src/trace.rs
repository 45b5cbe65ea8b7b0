//! One trace: the events of one operation, oldest first, and who took part.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use rustc_hash::FxHashMap;
use trailbook_event::{
    Actor, Filter,
    filter::{Field, Folded, Pattern},
};
use trailbook_ledger::Row;

use crate::{Error, Order, Question, Range, View, block::event};

/// Most events of a trace that are returned.
pub const TRACE_EVENTS_MAX: usize = 10_000;

/// The events of one operation.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Oldest first.
    pub events: Vec<Arc<Row>>,
    /// From the first to the last event, in milliseconds.
    pub duration_ms: i64,
    /// How many events each action has, by action.
    pub actions: Vec<(String, u64)>,
    /// The distinct actors that are known, in order of appearance. Events without a known actor stay as they are.
    pub actors: Vec<TraceActor>,
}

/// An actor of a trace, as its newest event in the trace says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceActor {
    /// `actor.type`; never `anonymous` or `unknown`.
    pub kind: String,
    /// `actor.id`.
    pub id: Option<String>,
    /// `actor.name`.
    pub name: Option<String>,
    /// `actor.email`.
    pub email: Option<String>,
    /// `actor.team`.
    pub team: Option<String>,
}

impl View {
    /// The events with a trace id, whole and without case.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none that the caller may see; [`Error::TooLarge`] beyond [`TRACE_EVENTS_MAX`];
    /// [`Error::Corrupt`], [`Error::Storage`].
    pub fn trace(&self, trace_id: &str) -> Result<Trace, Error> {
        let patterns = vec![Pattern::Whole(Folded::new(trace_id))];
        let question = Question {
            filter: Filter::Field {
                field: Field::TraceId,
                patterns,
            },
            range: Range::default(),
        };
        let found = self.rows(&question, Order::Ascending).take(TRACE_EVENTS_MAX + 1);
        let events = found.collect::<Result<Vec<_>, _>>()?;
        if events.len() > TRACE_EVENTS_MAX {
            return Err(Error::too_large(format!(
                "The trace has more than {TRACE_EVENTS_MAX} events; list them by `trace_id` instead."
            )));
        }
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Err(Error::NotFound);
        };
        let duration_ms = last.occurred_at.millis() - first.occurred_at.millis();
        let mut actions = BTreeMap::<String, u64>::new();
        let mut actors = Actors::default();
        for row in &events {
            let event = event(row)?;
            *actions.entry(event.action.to_string()).or_default() += 1;
            actors.meet(&event.actor);
        }
        Ok(Trace {
            events,
            duration_ms,
            actions: actions.into_iter().collect(),
            actors: actors.met,
        })
    }
}

/// Distinct actors in order of appearance. What makes them distinct is the type, and the id or else the e-mail address or
/// name.
#[derive(Default)]
struct Actors {
    met: Vec<TraceActor>,
    places: FxHashMap<(String, Option<String>), usize>,
}

impl Actors {
    fn meet(&mut self, actor: &Actor<'_>) {
        if matches!(&*actor.kind, "anonymous" | "unknown") {
            return;
        }
        let owned = |text: &Option<Cow<'_, str>>| text.as_ref().map(ToString::to_string);
        let met = TraceActor {
            kind: actor.kind.to_string(),
            id: owned(&actor.id),
            name: owned(&actor.name),
            email: owned(&actor.email),
            team: owned(&actor.team),
        };
        let identity = (
            met.kind.clone(),
            met.id.clone().or(met.email.clone()).or(met.name.clone()),
        );
        match self.places.get(&identity) {
            Some(place) => self.met[*place] = met,
            None => {
                self.places.insert(identity, self.met.len());
                self.met.push(met);
            }
        }
    }
}
