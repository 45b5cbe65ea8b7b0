//! What happened before an event, as far as alerts ask: whether an actor was known, and with which values.

use std::collections::HashMap;

use trailbook_event::{
    Filter,
    filter::{Field, Folded, Pattern},
};
use trailbook_ledger::OrganizationKey;
use trailbook_query::{Engine, Question, Range, Scope, View};

use crate::Error;

/// Values of actors that are remembered; then they are forgotten, and asked for again.
const KNOWN_MAX: usize = 50_000;

/// The events of an organization before others.
pub(super) struct Past {
    engine: Engine,
    scope: Scope,
    /// Opened when something is asked; it has all events that were looked at so far.
    view: Option<View>,
    /// The lowest sequence at which an actor is known to have had a value of a field.
    known: HashMap<(Field, String, String), u64>,
}

impl Past {
    pub(super) fn new(engine: Engine, organization: OrganizationKey) -> Self {
        Self {
            engine,
            scope: Scope {
                organization,
                own: None,
            },
            view: None,
            known: HashMap::new(),
        }
    }

    /// From now on events are asked about that came since.
    pub(super) fn renew(&mut self) {
        self.view = None;
    }

    /// Whether an actor, who has events below a sequence, has a value of a field for the first time at it.
    pub(super) fn is_new(&mut self, actor: &str, field: &Field, value: &str, sequence: u64) -> Result<bool, Error> {
        let place = (field.clone(), actor.to_owned(), value.to_owned());
        if self.known.get(&place).is_some_and(|known| *known < sequence) {
            return Ok(false);
        }
        let of_actor = having(&Field::Actor, actor);
        let with_value = of_actor.clone().and(having(field, value));
        let had = self.any(with_value, sequence)?;
        let is_new = !had && self.any(of_actor, sequence)?;
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        let since = if had { sequence - 1 } else { sequence };
        let known = self.known.entry(place).or_insert(since);
        *known = since.min(*known);
        Ok(is_new)
    }

    /// Whether there is an event below a sequence for which a filter holds.
    fn any(&mut self, filter: Filter, sequence: u64) -> Result<bool, Error> {
        let view = match &mut self.view {
            Some(view) => view,
            none => none.insert(self.engine.view(&self.scope)?),
        };
        let question = Question {
            filter,
            range: Range::default(),
        };
        Ok(view.any_before(&question, sequence)?)
    }
}

/// The events that have a value of a field.
pub(super) fn having(field: &Field, value: &str) -> Filter {
    Filter::Field {
        field: field.clone(),
        patterns: vec![Pattern::Whole(Folded::new(value))],
    }
}
