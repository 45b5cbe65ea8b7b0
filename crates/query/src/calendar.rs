//! Hours, days, weeks and months of a time zone as intervals of instants.
//!
//! A day begins with its first instant in the zone, so that it may have 23 or 25 hours; weeks begin on Monday (ISO 8601). An
//! hour that a clock change repeats is two, and one that it cuts short is shorter.

use jiff::{
    RoundMode, ToSpan, Unit, Zoned, ZonedRound,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use trailbook_event::Timestamp;

use crate::Error;

/// Most buckets of one answer.
pub const BUCKETS_MAX: usize = 10_000;

/// The width of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// Full hours of the zone's clock.
    Hour,
    /// Calendar days.
    Day,
    /// Calendar weeks from Monday.
    Week,
    /// Calendar months.
    Month,
}

impl Interval {
    /// The interval of a name: `hour`, `day`, `week` or `month`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "hour" => Some(Self::Hour),
            "day" => Some(Self::Day),
            "week" => Some(Self::Week),
            "month" => Some(Self::Month),
            _ => None,
        }
    }
}

/// The beginnings, in milliseconds, of all buckets from the one that has `first` to the one that has `last`.
///
/// # Errors
/// [`Error::Invalid`] beyond [`BUCKETS_MAX`] buckets, or outside the years that calendars know.
pub(crate) fn bucket_starts(
    interval: Interval,
    zone: &TimeZone,
    first: Timestamp,
    last: Timestamp,
) -> Result<Vec<i64>, Error> {
    let unknown = |_| Error::invalid("The range reaches beyond the years 1 to 9999; choose a smaller one.");
    let first = jiff::Timestamp::from_millisecond(first.millis()).map_err(unknown)?;
    let mut start = beginning(interval, &first.to_zoned(zone.clone())).map_err(unknown)?;
    let mut starts = Vec::new();
    while start.timestamp().as_millisecond() <= last.millis() {
        if starts.len() == BUCKETS_MAX {
            return Err(Error::invalid(format!(
                "The range has more than {BUCKETS_MAX} buckets; choose a longer interval or a smaller range."
            )));
        }
        starts.push(start.timestamp().as_millisecond());
        match following(interval, &start) {
            Ok(next) => start = next,
            // The last bucket reaches to the end of the calendar.
            Err(_) => break,
        }
    }
    Ok(starts)
}

/// The bucket that has a time.
pub(crate) fn bucket_of(starts: &[i64], time: i64) -> usize {
    starts.partition_point(|start| *start <= time).saturating_sub(1)
}

fn beginning(interval: Interval, time: &Zoned) -> Result<Zoned, jiff::Error> {
    if interval == Interval::Hour {
        return time.round(ZonedRound::new().smallest(Unit::Hour).mode(RoundMode::Trunc));
    }
    first_day(interval, time.date())?.to_zoned(time.time_zone().clone())
}

fn first_day(interval: Interval, date: Date) -> Result<Date, jiff::Error> {
    match interval {
        Interval::Hour | Interval::Day => Ok(date),
        Interval::Week => date.checked_sub(i64::from(date.weekday().since(Weekday::Monday)).days()),
        Interval::Month => Ok(date.first_of_month()),
    }
}

fn following(interval: Interval, start: &Zoned) -> Result<Zoned, jiff::Error> {
    let date = match interval {
        Interval::Hour => {
            let later = start.checked_add(1.hour())?;
            let rounded = beginning(interval, &later)?;
            return Ok(if rounded > *start { rounded } else { later });
        }
        Interval::Day => start.date().tomorrow()?,
        Interval::Week => start.date().checked_add(1.week())?,
        Interval::Month => start.date().checked_add(1.month())?,
    };
    date.to_zoned(start.time_zone().clone())
}
