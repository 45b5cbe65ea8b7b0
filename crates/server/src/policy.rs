//! What applies to an organization: the built-in default policy, and how it resolves ranges.
//!
//! Not here: storing and inheriting policies. Every organization has the default today.

use std::collections::BTreeMap;

use jiff::{civil::Date, tz::TimeZone};
use serde::Serialize;
use trailbook_event::Timestamp;
use trailbook_ledger::Retention;
use utoipa::ToSchema;

/// The policy of an organization.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Policy {
    /// Days that events are kept; null means for ever.
    retention_days: Option<u32>,
    /// Whether nothing may expire.
    legal_hold: bool,
    /// Days before now that a read without `from` covers; null means all.
    pub(crate) default_range_days: Option<u32>,
    /// The widest range of a read, in calendar days; null means any.
    pub(crate) max_range_days: Option<u32>,
    /// IANA name of the zone of calendar days.
    pub(crate) time_zone: String,
    /// Roles that may look.
    view_roles: Vec<&'static str>,
    /// Permissions that suffice to look.
    view_permissions: Vec<&'static str>,
    /// Roles that may export.
    export_roles: Vec<&'static str>,
    /// Permissions that suffice to export.
    export_permissions: Vec<&'static str>,
    /// What happens to actions that the catalog does not know: `accept`, `mark` or `refuse`.
    unknown_actions: &'static str,
    /// What happens to events from before recording began: `accept` or `refuse`.
    backfill: &'static str,
    /// When recording began; null when that is not stated.
    recorded_since: Option<String>,
    /// Whether events of type `read` are left out of listings unless asked for.
    hide_reads: bool,
    /// Whether root may redact.
    pub(crate) redaction: bool,
    /// Columns of the screen and of files; empty means the built-in ones.
    columns: Vec<String>,
    /// Labels of fields and of values; empty means the built-in ones.
    labels: BTreeMap<String, String>,
    /// Ranges that the screen offers; empty means the built-in ones.
    presets: Vec<String>,
    /// Origins that may embed the viewer.
    embed_origins: Vec<String>,
    /// The screen's title; null means the built-in one.
    title: Option<String>,
    /// The screen's breadcrumb.
    breadcrumb: Option<String>,
    /// What the log covers, in the product's words.
    coverage_note: Option<String>,
    /// Where readers send feedback.
    feedback_url: Option<String>,
}

impl Default for Policy {
    /// The built-in default: everything kept for ever, no range limits, UTC.
    fn default() -> Self {
        let roles = || vec!["owner", "administrator", "auditor"];
        Self {
            retention_days: None,
            legal_hold: false,
            default_range_days: None,
            max_range_days: None,
            time_zone: "UTC".into(),
            view_roles: roles(),
            view_permissions: Vec::new(),
            export_roles: roles(),
            export_permissions: Vec::new(),
            unknown_actions: "accept",
            backfill: "accept",
            recorded_since: None,
            hide_reads: false,
            redaction: true,
            columns: Vec::new(),
            labels: BTreeMap::new(),
            presets: Vec::new(),
            embed_origins: Vec::new(),
            title: None,
            breadcrumb: None,
            coverage_note: None,
            feedback_url: None,
        }
    }
}

/// The time of a read, resolved: from inclusive, to exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    /// Inclusive; `None` is the beginning.
    pub(crate) from: Option<Timestamp>,
    /// Exclusive; `None` is open.
    pub(crate) to: Option<Timestamp>,
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Policy {
    /// The built-in default with what the deployment's settings say.
    pub(crate) fn of_deployment(retention_days: Option<u32>, redaction: bool) -> Self {
        Self {
            retention_days,
            redaction,
            ..Self::default()
        }
    }

    /// The policy of an organization whose events are kept so long.
    pub(crate) fn with_retention(&self, retention: Retention, now: Timestamp) -> Self {
        Self {
            retention_days: retention.days_at(now.millis()),
            legal_hold: retention.legal_hold,
            ..self.clone()
        }
    }

    /// The zone of calendar days.
    pub(crate) fn zone(&self) -> TimeZone {
        zone(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// Resolves the range that a caller asked for.
    ///
    /// # Errors
    /// A sentence for the caller when it is wider than allowed.
    pub(crate) fn resolve(&self, asked: Range, now: Timestamp) -> Result<Range, String> {
        let begin = |days| Timestamp::from_millis(now.millis() - i64::from(days) * DAY_MS);
        let range = Range {
            from: asked.from.or(self.default_range_days.map(begin)),
            to: asked.to,
        };
        let Some(max) = self.max_range_days else {
            return Ok(range);
        };
        let days = range
            .from
            .map(|from| calendar_days(from, range.to.unwrap_or(now), &self.zone()));
        match days {
            Some(days) if days <= i64::from(max) => Ok(range),
            Some(days) => Err(format!(
                "The range covers {days} calendar days; at most {max} are allowed. Set from and to."
            )),
            None => Err(format!("Set from: a range may cover at most {max} calendar days.")),
        }
    }
}

/// The zone of an IANA name.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
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

/// The instant at which a day begins in the zone; `None` when there is no such day.
pub(crate) fn day_start(zone: &TimeZone, year: i16, month: i8, day: i8) -> Option<Timestamp> {
    let date = Date::new(year, month, day).ok()?;
    let start = date.to_zoned(zone.clone()).ok()?.start_of_day().ok()?;
    Some(Timestamp::from_millis(start.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    #[test]
    fn a_day_begins_where_the_zone_says_even_when_midnight_does_not_exist() {
        let zone = TimeZone::get("America/Sao_Paulo").expect("a zone");
        assert_eq!(day_start(&zone, 2018, 11, 4), Some(time("2018-11-04T03:00:00Z")));
        assert_eq!(day_start(&TimeZone::UTC, 2026, 2, 30), None);
    }

    #[test]
    fn a_range_is_counted_in_calendar_days_of_the_zone() {
        let policy = Policy {
            max_range_days: Some(2),
            time_zone: "Europe/Berlin".into(),
            ..Policy::default()
        };
        let range = |from, to| Range {
            from: Some(time(from)),
            to: Some(time(to)),
        };
        let now = time("2026-11-20T12:00:00Z");
        assert!(
            policy
                .resolve(range("2026-03-27T23:00:00Z", "2026-03-29T22:00:00Z"), now)
                .is_ok(),
            "a day of 23 hours"
        );
        assert!(
            policy
                .resolve(range("2026-03-27T22:59:59Z", "2026-03-29T22:00:00Z"), now)
                .is_err()
        );
        assert!(policy.resolve(Range { from: None, to: None }, now).is_err());
    }

    #[test]
    fn without_from_the_default_range_ends_now() {
        let policy = Policy {
            default_range_days: Some(30),
            ..Policy::default()
        };
        let range = policy.resolve(Range { from: None, to: None }, time("2026-11-20T12:00:00Z"));
        assert_eq!(
            range,
            Ok(Range {
                from: Some(time("2026-10-21T12:00:00Z")),
                to: None
            })
        );
    }
}
