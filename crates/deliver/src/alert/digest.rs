//! Digests: when one is due, and what it tells.
//!
//! Invariant: every event is in one digest, the one of the time in which it was received.

use std::sync::Arc;

use jiff::{
    ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use trailbook_access::records::{Every, FoundPeriod};
use trailbook_event::{
    Filter, Timestamp,
    filter::{Field, Folded, Pattern},
};
use trailbook_ledger::Row;
use trailbook_query::{FacetRequest, Order, Question, Range, View};

use super::past::having;
use crate::Error;

/// The hour of the organization's zone at which digests are sent.
const HOUR: i8 = 8;
/// Security actions that a digest lists; the rest is counted.
const LISTED_MAX: usize = 100;
/// Action types and areas that a digest counts separately.
const COUNTED_MAX: usize = 100;
/// What digests leave out: that alerts fired, so that a digest does not tell of the one before.
const FIRED: &str = "trailbook.alert.fired";

/// What a digest tells of the events of its time.
#[derive(Debug, Clone, Default)]
pub struct Digest {
    /// How many there are of each type of action, most first.
    pub action_types: Vec<Counted>,
    /// How many there are in each area, most first.
    pub areas: Vec<Counted>,
    /// Sign-ins that failed or were denied.
    pub failed_sign_ins: u64,
    /// Actions that matter for security, the newest first, at most a hundred.
    pub security: Vec<Arc<Row>>,
    /// How many there are.
    pub security_count: u64,
}

/// How many events have a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The value, as events have it.
    pub value: String,
    /// How many.
    pub count: u64,
}

/// Reads what a digest tells from a view of its organization. Blocks on files.
pub(super) fn read(view: &View, filter: &Filter, period: &FoundPeriod) -> Result<Digest, Error> {
    let view = view.between(period.sequences.0..period.sequences.1);
    let all = question(filter.clone());
    let facets = view.facets(&FacetRequest {
        question: all.clone(),
        fields: vec![Field::ActionType, Field::Area],
        limit: COUNTED_MAX,
        prefix: None,
    })?;
    let counted = |field: &Field| {
        let of = facets.iter().filter(|facet| facet.field == *field);
        of.flat_map(|facet| &facet.values)
            .map(|value| Counted {
                value: value.value.clone(),
                count: value.count,
            })
            .collect()
    };
    let security = question(filter.clone().and(security()));
    let listed = view.rows(&security, Order::Descending).take(LISTED_MAX);
    Ok(Digest {
        action_types: counted(&Field::ActionType),
        areas: counted(&Field::Area),
        failed_sign_ins: view.count(&question(filter.clone().and(failed_sign_ins())))?,
        security: listed.collect::<Result<_, _>>()?,
        security_count: view.count(&security)?,
    })
}

/// How many events a digest tells of. Blocks on files.
pub(super) fn count(view: &View, filter: &Filter, sequences: (u64, u64)) -> Result<u64, Error> {
    let view = view.between(sequences.0..sequences.1);
    Ok(view.count(&question(filter.clone()))?)
}

fn question(filter: Filter) -> Question {
    Question {
        filter: filter.and(having(&Field::Action, FIRED).negated()),
        range: Range::default(),
    }
}

/// The filter of sign-ins that failed or were denied.
pub(super) fn failed_sign_ins() -> Filter {
    let failed = ["failure", "denied"].map(|result| Pattern::Whole(Folded::new(result)));
    having(&Field::ActionType, "login").and(Filter::Field {
        field: Field::Result,
        patterns: failed.into(),
    })
}

/// The filter of what matters for security.
pub(super) fn security() -> Filter {
    having(&Field::Security, "true")
}

/// The last moment that is not after `now` at which a digest was due.
pub(super) fn last_due(every: Every, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let today = jiff::Timestamp::from_millisecond(now.millis()).ok()?;
    let day = first_day(every, today.to_zoned(zone.clone()).date())?;
    let due = at_eight(day, zone)?;
    if due <= now {
        return Some(due);
    }
    at_eight(day.checked_sub(step(every)).ok()?, zone)
}

/// The first moment after `last` at which a digest is due.
pub(super) fn next_due(every: Every, zone: &TimeZone, last: Timestamp) -> Option<Timestamp> {
    let due = last_due(every, zone, last)?;
    let day = jiff::Timestamp::from_millisecond(due.millis()).ok()?;
    let day = day.to_zoned(zone.clone()).date();
    at_eight(day.checked_add(step(every)).ok()?, zone)
}

fn step(every: Every) -> jiff::Span {
    match every {
        Every::Day => 1.day(),
        Every::Week => 1.week(),
    }
}

fn first_day(every: Every, day: Date) -> Option<Date> {
    match every {
        Every::Day => Some(day),
        Every::Week => day
            .checked_sub(i64::from(day.weekday().since(Weekday::Monday)).days())
            .ok(),
    }
}

/// Eight in the morning by the clocks of a zone; where they skip it, as soon as it is over.
fn at_eight(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    let due = day.at(HOUR, 0, 0, 0).to_zoned(zone.clone()).ok()?;
    Some(Timestamp::from_millis(due.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    #[test]
    fn a_day_is_from_eight_to_eight_by_the_clocks_of_the_zone_also_when_these_are_changed() {
        let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
        let next = |last: &str| next_due(Every::Day, &berlin, time(last)).map(|due| due.to_string());
        // In the night of the 29th of March 2026 an hour is left out, in that of the 25th of October there is one more.
        for (last, due) in [
            ("2026-03-27T07:00:00Z", "2026-03-28T07:00:00.000Z"),
            ("2026-03-28T07:00:00Z", "2026-03-29T06:00:00.000Z"),
            ("2026-03-29T06:00:00Z", "2026-03-30T06:00:00.000Z"),
            ("2026-10-24T06:00:00Z", "2026-10-25T07:00:00.000Z"),
            ("2026-10-24T05:59:59.999Z", "2026-10-24T06:00:00.000Z"),
        ] {
            assert_eq!(next(last).as_deref(), Some(due), "{last}");
        }
    }

    #[test]
    fn what_was_due_last_is_not_after_now() {
        let last = |every, now: &str| last_due(every, &TimeZone::UTC, time(now)).map(|due| due.to_string());
        // The 2nd of March 2026 is a Monday.
        for (every, now, due) in [
            (Every::Day, "2026-03-02T08:00:00Z", "2026-03-02T08:00:00.000Z"),
            (Every::Day, "2026-03-02T07:59:59.999Z", "2026-03-01T08:00:00.000Z"),
            (Every::Week, "2026-03-02T08:00:00Z", "2026-03-02T08:00:00.000Z"),
            (Every::Week, "2026-03-02T07:59:59.999Z", "2026-02-23T08:00:00.000Z"),
            (Every::Week, "2026-03-08T23:00:00Z", "2026-03-02T08:00:00.000Z"),
        ] {
            assert_eq!(last(every, now).as_deref(), Some(due), "{now}");
        }
        let next = next_due(Every::Week, &TimeZone::UTC, time("2026-03-02T08:00:00Z"));
        assert_eq!(next, Some(time("2026-03-09T08:00:00Z")));
    }
}
