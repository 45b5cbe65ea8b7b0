//! The stream of events: when each happens, to which organization it belongs, and which trace it is part of.

use std::sync::Arc;

use trailbook_event::Timestamp;

use crate::{
    event_text::{Draft, write_event},
    population::Population,
    random::{Random, Zipf},
    vocabulary::{Action, ORDINARY, SECURITY},
};

/// So many events fill the days of a [`Shape`], nearly in order of time, unless [`Generator::filling`] says otherwise;
/// then the stream passes over the days again.
pub const PASS_EVENTS: u64 = 200_000;

const DAY_MS: i64 = 86_400_000;
/// How far events arrive out of order.
const JITTER_MS: u64 = 30_000;
/// Traces that are under way at the same time.
const OPEN_TRACES: usize = 16;
const TRACED_PERCENT: u64 = 40;
const SECURITY_PERCENT: u64 = 5;
const ACTION_EXPONENT: f64 = 0.9;

/// What the events are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// How many organizations there are; the largest of 1,000 has a tenth of the events. At least 1.
    pub organizations: usize,
    /// Whether each event carries a `client_id` that looks like a random UUID.
    pub client_ids: bool,
    /// When the first event happens.
    pub start: Timestamp,
    /// Over how many days the events of one pass are spread. At least 1.
    pub days: u32,
}

/// One event, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedEvent {
    /// The organization it names.
    pub organization: Arc<str>,
    /// The event as a sender writes it: one JSON object without line breaks.
    pub json: String,
}

/// An endless stream of events.
#[derive(Debug)]
pub struct Generator {
    seed: u64,
    random: Random,
    shape: Shape,
    pass_events: u64,
    population: Population,
    ordinary: Zipf,
    security: Zipf,
    traces: [Trace; OPEN_TRACES],
    made: u64,
}

/// Events that belong together: of one actor, in one organization.
#[derive(Debug, Clone, Copy, Default)]
struct Trace {
    organization: usize,
    actor: usize,
    id: u128,
    events_left: u64,
}

impl Generator {
    /// A stream that depends on nothing but these two.
    pub fn new(seed: u64, shape: Shape) -> Self {
        Self {
            seed,
            random: Random::new(seed),
            shape,
            pass_events: PASS_EVENTS,
            population: Population::new(seed, shape.organizations),
            ordinary: Zipf::new(ORDINARY.len(), ACTION_EXPONENT),
            security: Zipf::new(SECURITY.len(), ACTION_EXPONENT),
            traces: [Trace::default(); OPEN_TRACES],
            made: 0,
        }
    }

    /// The same stream with its times stretched: this many events, at least 1, fill the days once. Nothing else changes.
    #[must_use]
    pub fn filling(mut self, events: u64) -> Self {
        self.pass_events = events.max(1);
        self
    }

    /// Organizations that all have about the same number of events, instead of by Zipf. To be called before the first event.
    #[must_use]
    pub fn with_equal_organizations(mut self) -> Self {
        self.population = Population::with_equal_organizations(self.seed, self.shape.organizations);
        self
    }

    /// Evenly over the days, a little out of order, never before the start.
    fn occurred_at(&mut self) -> Timestamp {
        let span = i128::from(self.shape.days.max(1)) * i128::from(DAY_MS);
        let step = i128::from(self.made % self.pass_events);
        let offset = (span * step / i128::from(self.pass_events)) as i64 - self.random.below(JITTER_MS) as i64;
        Timestamp::from_millis(self.shape.start.millis() + offset.max(0))
    }

    fn action(&mut self) -> (&'static Action, bool) {
        if self.random.percent(SECURITY_PERCENT) {
            (&SECURITY[self.security.draw(&mut self.random)], true)
        } else {
            (&ORDINARY[self.ordinary.draw(&mut self.random)], false)
        }
    }

    /// The organization and actor of the next event, and its trace.
    fn origin(&mut self) -> (usize, usize, Option<u128>) {
        if !self.random.percent(TRACED_PERCENT) {
            let organization = self.population.draw_organization(&mut self.random);
            return (organization, self.population.draw_actor(&mut self.random), None);
        }
        let slot = self.random.below(OPEN_TRACES as u64) as usize;
        if self.traces[slot].events_left == 0 {
            self.traces[slot] = Trace {
                organization: self.population.draw_organization(&mut self.random),
                actor: self.population.draw_actor(&mut self.random),
                id: u128::from(self.random.next_u64()) << 64 | u128::from(self.random.next_u64()),
                events_left: 2 + self.random.below(4),
            };
        }
        let trace = &mut self.traces[slot];
        trace.events_left -= 1;
        (trace.organization, trace.actor, Some(trace.id))
    }
}

impl Iterator for Generator {
    type Item = GeneratedEvent;

    fn next(&mut self) -> Option<GeneratedEvent> {
        let (organization, actor, trace) = self.origin();
        let occurred_at = self.occurred_at();
        let (action, security) = self.action();
        let client_id = self
            .shape
            .client_ids
            .then(|| [self.random.next_u64(), self.random.next_u64()]);
        self.made += 1;
        let draft = Draft {
            organization,
            actor: self.population.actor(organization, actor),
            occurred_at,
            action,
            security,
            trace,
            client_id,
        };
        Some(GeneratedEvent {
            organization: self.population.organization(organization).clone(),
            json: write_event(&draft, &self.population, &mut self.random),
        })
    }
}
