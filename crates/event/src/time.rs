//! Points in time: milliseconds since 1970-01-01T00:00:00Z, read and written as RFC 3339.
//!
//! Invariants
//! - What is displayed parses to the same point, for every year from 0001 to 9999.
//!
//! Not here: clocks and time zones.

use std::fmt;

/// Milliseconds since the Unix epoch, UTC, without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const DAY_MS: i64 = 86_400_000;
/// 0001-01-01T00:00:00.000Z
const EARLIEST_MS: i64 = -62_135_596_800_000;
/// 9999-12-31T23:59:59.999Z
const LATEST_MS: i64 = 253_402_300_799_999;

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Reads a date and time with an offset (RFC 3339, section 5.6; `t` and `z` may be small). Digits beyond milliseconds
    /// are cut off; the leap second 23:59:60 UTC becomes the last millisecond before it. `None` for anything else, for
    /// local times, and for points outside the years 0001 to 9999 in UTC.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (head, tail) = bytes.split_at_checked(19)?;
        let punctuated = head[4] == b'-'
            && head[7] == b'-'
            && matches!(head[10], b'T' | b't')
            && head[13] == b':'
            && head[16] == b':';
        if !punctuated {
            return None;
        }
        let (year, month, day) = (number(&head[..4])?, number(&head[5..7])?, number(&head[8..10])?);
        let (hour, minute, second) = (number(&head[11..13])?, number(&head[14..16])?, number(&head[17..19])?);
        let in_range = (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && hour <= 23
            && minute <= 59
            && second <= 60;
        if !in_range {
            return None;
        }
        let (fraction_ms, offset) = fraction(tail)?;
        let minutes = hour * 60 + minute - offset_minutes(offset)?;
        let (second, fraction_ms) = match second {
            60 if minutes.rem_euclid(1440) == 1439 => (59, 999),
            60 => return None,
            other => (other, fraction_ms),
        };
        let millis = days_from_civil(year, month, day) * DAY_MS + minutes * 60_000 + second * 1000 + fraction_ms;
        (EARLIEST_MS..=LATEST_MS).contains(&millis).then_some(Self(millis))
    }

    /// Appends the text that `Display` gives: `2026-11-20T09:14:07.482Z`.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY_MS));
        let of_day = self.0.rem_euclid(DAY_MS);
        if !(0..=9999).contains(&year) {
            // Only reachable by `from_millis`: ISO 8601 writes such years with a sign.
            out.extend_from_slice(format!("{year:+07}").as_bytes());
        } else {
            digits(year, 4, out);
        }
        for (separator, value, width) in [
            (b'-', month, 2),
            (b'-', day, 2),
            (b'T', of_day / 3_600_000, 2),
            (b':', of_day / 60_000 % 60, 2),
            (b':', of_day / 1000 % 60, 2),
            (b'.', of_day % 1000, 3),
        ] {
            out.push(separator);
            digits(value, width, out);
        }
        out.push(b'Z');
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(32);
        self.write(&mut text);
        text.iter()
            .try_for_each(|byte| fmt::Write::write_char(formatter, char::from(*byte)))
    }
}

/// `value` with leading zeros.
#[inline]
fn digits(value: i64, width: usize, out: &mut Vec<u8>) {
    let mut text = [b'0'; 4];
    let mut rest = value;
    for place in text[..width].iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&text[..width]);
}

/// The value of a few ASCII digits.
#[inline]
fn number(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |value, digit| {
        digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0'))
    })
}

/// Milliseconds of an optional fraction, and what follows it.
#[inline]
fn fraction(tail: &[u8]) -> Option<(i64, &[u8])> {
    let Some(rest) = tail.strip_prefix(b".") else {
        return Some((0, tail));
    };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 {
        return None;
    }
    let millis = (0..3).fold(0, |millis, place| {
        millis * 10
            + if place < length {
                i64::from(rest[place] - b'0')
            } else {
                0
            }
    });
    Some((millis, &rest[length..]))
}

/// Minutes east of UTC of `Z` or `±hh:mm`.
#[inline]
fn offset_minutes(text: &[u8]) -> Option<i64> {
    match text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            let east = hours * 60 + minutes;
            (hours <= 23 && minutes <= 59).then_some(if *sign == b'+' { east } else { -east })
        }
        _ => None,
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date in the Gregorian calendar. Years are counted from March, so that the leap day is last,
/// and in eras of 400 years (146,097 days).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let shifted = year - i64::from(month <= 2);
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    fn normal(text: &str) -> Option<String> {
        Timestamp::parse(text).map(|point| point.to_string())
    }

    #[test]
    fn offsets_fractions_and_small_letters_are_normalised() {
        for (text, expected) in [
            ("2026-11-20T09:14:07.482Z", "2026-11-20T09:14:07.482Z"),
            ("2026-11-20t09:14:07z", "2026-11-20T09:14:07.000Z"),
            ("2026-11-20T14:44:07.4829999999+05:30", "2026-11-20T09:14:07.482Z"),
            ("2026-11-20T09:14:07.5-00:00", "2026-11-20T09:14:07.500Z"),
            ("2024-02-29T23:59:59.999-23:59", "2024-03-01T23:58:59.999Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
            ("1969-12-31T23:59:59.001Z", "1969-12-31T23:59:59.001Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z"),
            ("2016-12-31T15:59:60.5-08:00", "2016-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(normal(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "2026-11-20",
            "2026-11-20T09:14:07",
            "2026-11-20T09:14Z",
            "2026-11-20 09:14:07Z",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-00-10T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-11-20T24:00:00Z",
            "2026-11-20T09:60:00Z",
            "2026-11-20T09:14:60Z",
            "2026-11-20T09:14:61Z",
            "2026-11-20T09:14:07.Z",
            "2026-11-20T09:14:07,5Z",
            "2026-11-20T09:14:07+0530",
            "2026-11-20T09:14:07+24:00",
            "2026-11-20T09:14:07+05:60",
            "0000-12-31T23:59:59Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "+2026-11-20T09:14:07Z",
            "2026-W47-5T09:14:07Z",
            "2026-324T09:14:07Z",
            "2026-11-20T09:14:07ZZ",
            "٢٠26-11-20T09:14:07Z",
            " 2026-11-20T09:14:07Z",
        ] {
            assert_eq!(normal(text), None, "{text}");
        }
    }
}
