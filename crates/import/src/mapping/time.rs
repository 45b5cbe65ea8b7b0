//! Times in the spellings of others.

use jiff::{civil::DateTime, fmt::strtime::BrokenDownTime, tz::TimeZone};
use trailbook_event::Timestamp;

/// How a time is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// RFC 3339, with a `T` or a space, the offset with or without a colon, or missing: then the declared zone holds.
    Iso,
    /// Seconds since 1970, with or without a fraction.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMilliseconds,
    /// A pattern of `strftime` words; without an offset in it the declared zone holds.
    Pattern(String),
}

impl Format {
    /// Reads the name of a format or a pattern.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "iso" => Ok(Self::Iso),
            "epoch_seconds" => Ok(Self::EpochSeconds),
            "epoch_milliseconds" => Ok(Self::EpochMilliseconds),
            pattern if pattern.contains('%') => Ok(Self::Pattern(pattern.to_owned())),
            other => Err(format!(
                "`{other}` is no time format; write iso, epoch_seconds, epoch_milliseconds or a pattern such as `%m/%d/%Y %H:%M`"
            )),
        }
    }

    /// The time that a text says, `None` when it does not follow the format.
    pub(crate) fn read(&self, text: &str, zone: &TimeZone) -> Option<Timestamp> {
        let text = text.trim();
        match self {
            Self::Iso => iso(text, zone),
            Self::EpochSeconds => epoch(text, 1000.0),
            Self::EpochMilliseconds => epoch(text, 1.0),
            Self::Pattern(pattern) => {
                let (broken, rest) = BrokenDownTime::parse_prefix(pattern, text).ok()?;
                if rest != text.len() {
                    return None;
                }
                match broken.offset() {
                    Some(_) => milliseconds(broken.to_timestamp().ok()?),
                    None => local(broken.to_datetime().ok()?, zone),
                }
            }
        }
    }
}

/// Reads the zone for times without an offset: `UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin`.
///
/// # Errors
/// A sentence.
pub(crate) fn zone(name: &str) -> Result<TimeZone, String> {
    if name == "UTC" {
        return Ok(TimeZone::UTC);
    }
    let offset = BrokenDownTime::parse("%:z", name)
        .ok()
        .and_then(|broken| broken.offset());
    match offset {
        Some(offset) => Ok(TimeZone::fixed(offset)),
        None => TimeZone::get(name).map_err(|_| format!("`{name}` is no time zone that this machine knows")),
    }
}

fn iso(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    // A date alone is a day, not a time.
    let clock = text.get(10..).filter(|clock| clock.starts_with(['T', 't', ' ']))?;
    if clock.ends_with(['Z', 'z']) || clock.contains(['+', '-']) {
        return milliseconds(text.parse().ok()?);
    }
    local(text.parse().ok()?, zone)
}

fn local(time: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    milliseconds(zone.to_timestamp(time).ok()?)
}

fn epoch(text: &str, milliseconds_per_unit: f64) -> Option<Timestamp> {
    let milliseconds = text.parse::<f64>().ok()? * milliseconds_per_unit;
    // The bound is that of four-digit years; within it the conversion is exact to the millisecond.
    (milliseconds.abs() < 253_402_300_800_000.0).then_some(Timestamp::from_millis(milliseconds.round() as i64))
}

fn milliseconds(time: jiff::Timestamp) -> Option<Timestamp> {
    Some(Timestamp::from_millis(
        time.as_nanosecond().div_euclid(1_000_000).try_into().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, zone_name: &str, text: &str, expected: Option<&str>) {
        let format = Format::parse(format).expect("a format");
        let time = format.read(text, &zone(zone_name).expect("a zone"));
        assert_eq!(time.map(|time| time.to_string()).as_deref(), expected, "{text}");
    }

    #[test]
    fn the_spellings_of_real_sources() {
        check("iso", "UTC", "2023-07-10T11:42:36Z", Some("2023-07-10T11:42:36.000Z"));
        check(
            "iso",
            "UTC",
            "2021-01-20T12:40:01.903+0000",
            Some("2021-01-20T12:40:01.903Z"),
        );
        check(
            "iso",
            "UTC",
            "2021-01-20T12:40:01.903-03:30",
            Some("2021-01-20T16:10:01.903Z"),
        );
        check(
            "iso",
            "UTC",
            "2022-12-11 02:57:48.693000000",
            Some("2022-12-11T02:57:48.693Z"),
        );
        check(
            "iso",
            "+02:00",
            "2021-09-29T16:00:11.301000",
            Some("2021-09-29T14:00:11.301Z"),
        );
        check("epoch_seconds", "UTC", "1612869308", Some("2021-02-09T11:15:08.000Z"));
        check(
            "epoch_milliseconds",
            "UTC",
            "1616422607498",
            Some("2021-03-22T14:16:47.498Z"),
        );
        check(
            "%m/%d/%Y, %I:%M:%S%.f %p",
            "UTC",
            "2/10/2021, 12:57:36.000 AM",
            Some("2021-02-10T00:57:36.000Z"),
        );
        check(
            "%Y-%m-%d %H:%M:%S UTC",
            "UTC",
            "2022-06-23 12:47:05 UTC",
            Some("2022-06-23T12:47:05.000Z"),
        );
        check(
            "%Y%m%d%H%M%S%.f",
            "UTC",
            "20201016100000.049",
            Some("2020-10-16T10:00:00.049Z"),
        );
    }

    #[test]
    fn what_does_not_follow_the_format_is_no_time() {
        check("iso", "UTC", "yesterday", None);
        check("iso", "UTC", "2023-07-10", None);
        check("iso", "UTC", "2023-02-30T00:00:00Z", None);
        check("epoch_seconds", "UTC", "NaN", None);
        check("epoch_seconds", "UTC", "1e300", None);
        check("%Y-%m-%d %H:%M:%S UTC", "UTC", "2022-06-23 12:47:05 UTC+1", None);
    }
}
