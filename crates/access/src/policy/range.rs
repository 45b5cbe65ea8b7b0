//! The ranges of reads: what a policy adds to what a reader asked for, in calendar days of its zone.

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use trailbook_event::{
    Filter, Timestamp,
    language::{self, QueryError},
};

use super::Policy;

/// The time of a read, resolved: from inclusive, to exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Inclusive; `None` is the beginning.
    pub from: Option<Timestamp>,
    /// Exclusive; `None` is open.
    pub to: Option<Timestamp>,
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Policy {
    /// The zone of calendar days.
    pub fn zone(&self) -> TimeZone {
        zone(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// Reads a text of the query language, with days in the policy's zone.
    ///
    /// # Errors
    /// Where it is not well-formed, and what was expected there.
    pub fn filter(&self, text: &str) -> Result<Filter, QueryError> {
        let zone = self.zone();
        language::parse(text, &|year, month, day| day_start(&zone, year, month, day))
    }

    /// Whether a read without `from` begins somewhere else than at the beginning.
    pub fn has_default_range(&self) -> bool {
        self.default_range_days.is_some() || self.max_range_days.is_some()
    }

    /// Resolves the range that a caller asked for. Without `from` it begins as early as both `default_range_days` and
    /// `max_range_days` allow, and is never refused.
    ///
    /// # Errors
    /// A sentence for the caller when it is wider than allowed.
    pub fn resolve(&self, asked: Range, now: Timestamp) -> Result<Range, String> {
        let end = asked.to.unwrap_or(now);
        let Some(from) = asked.from else {
            return Ok(Range {
                from: self.default_begin(end, now),
                to: asked.to,
            });
        };
        let days = calendar_days(from, end, &self.zone());
        match self.max_range_days {
            Some(max) if days > i64::from(max) => Err(format!(
                "The range covers {days} calendar days; at most {max} are allowed. Set from and to."
            )),
            _ => Ok(asked),
        }
    }

    /// Where a range that ends there begins, when its reader does not say.
    fn default_begin(&self, end: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let default = self
            .default_range_days
            .map(|days| Timestamp::from_millis(now.millis() - i64::from(days) * DAY_MS));
        let earliest = self
            .max_range_days
            .and_then(|days| begin_of_days(end, days, &self.zone()));
        // `None`, which is earlier than all, is the lesser of the two.
        default.max(earliest)
    }
}

/// The zone of an IANA name.
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// The instant at which a day begins in the zone; `None` when there is no such day.
pub fn day_start(zone: &TimeZone, year: i16, month: i8, day: i8) -> Option<Timestamp> {
    start_of(Date::new(year, month, day).ok()?, zone)
}

/// The beginning of the first of so many calendar days, of which the last one is that of the instant before `end`.
fn begin_of_days(end: Timestamp, days: u32, zone: &TimeZone) -> Option<Timestamp> {
    let last = date(Timestamp::from_millis(end.millis() - 1), zone)?;
    start_of(last.checked_sub((i64::from(days) - 1).days()).ok()?, zone)
}

/// Calendar days that the range touches in the zone.
fn calendar_days(from: Timestamp, to: Timestamp, zone: &TimeZone) -> i64 {
    let last = Timestamp::from_millis(to.millis() - 1);
    match (date(from, zone), date(last, zone)) {
        (Some(first), Some(last)) => (last - first).get_days().into(),
        _ => i64::MAX - 1,
    }
    .saturating_add(1)
}

fn date(time: Timestamp, zone: &TimeZone) -> Option<Date> {
    Some(
        zone.to_datetime(jiff::Timestamp::from_millisecond(time.millis()).ok()?)
            .date(),
    )
}

fn start_of(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    let start = date.to_zoned(zone.clone()).ok()?.start_of_day().ok()?;
    Some(Timestamp::from_millis(start.timestamp().as_millisecond()))
}
