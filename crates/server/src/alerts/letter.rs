//! What letters of alerts say, in the organization's words and by the clocks of its zone.

use jiff::tz::TimeZone;
use trailbook_access::records::{Condition, FoundEvents, FoundPeriod, Grouping};
use trailbook_deliver::{
    alert::{Counted, Digest, Notice, Told},
    labels::Labels,
};
use trailbook_event::{Event, Timestamp};
use trailbook_ledger::Row;

use crate::mail::report::{Line, Part, Report};

/// The letter of a notice.
pub(super) fn report(notice: &Notice, labels: &Labels) -> Report {
    let writer = Writer {
        notice,
        labels,
        zone: notice.policy.zone(),
    };
    let organization = &notice.alert.organization;
    let (title, lead, parts) = match &notice.told {
        Told::Events { found, first, last } => {
            let rows = [first, last].into_iter().flatten();
            let lines: Vec<Line> = rows
                .take(if found.count == 1 { 1 } else { 2 })
                .map(|row| writer.line(row))
                .collect();
            let part = Part {
                lines,
                ..Part::default()
            };
            let title = format!("{} in the audit log of {organization}", events(found.count));
            (title, writer.of_events(found), vec![part])
        }
        Told::Digest { period, digest, links } => {
            let title = format!("What happened in the audit log of {organization}");
            (title, writer.of_period(period), writer.parts(digest, links.as_ref()))
        }
    };
    let test = if notice.is_test { "Test: " } else { "" };
    Report {
        title: format!("{test}{}: {title}", notice.alert.name),
        lead,
        parts,
        note: format!(
            "You get this because the alert “{}” was set up with your address. Who administers the audit log of {organization} \
             can change that.",
            notice.alert.name
        ),
    }
}

/// Writes what was found.
struct Writer<'n> {
    notice: &'n Notice,
    labels: &'n Labels,
    zone: TimeZone,
}

impl Writer<'_> {
    fn of_events(&self, found: &FoundEvents) -> String {
        let alert = &self.notice.alert;
        let by = match &alert.condition {
            Condition::Threshold { by: Some(by), .. } => match by {
                Grouping::Actor => "of the actor",
                Grouping::Ip => "from the address",
                Grouping::Target => "on",
            },
            _ => "of the actor",
        };
        let group = found.group.as_deref().map(|group| format!(" {by} {group}"));
        let group = group.unwrap_or_default();
        let what = match &alert.condition {
            Condition::Threshold { window_seconds, .. } => {
                format!("{}{group} within {}", events(found.count), duration(*window_seconds))
            }
            Condition::FirstSeen { field } => {
                let value = found.value.as_deref().unwrap_or_default();
                format!("an event{group}, for the first time with {field} {value}")
            }
            _ => events(found.count),
        };
        let meanwhile = match found.meanwhile {
            0 => String::new(),
            more => format!(" Since its last message there were {} more.", events(more)),
        };
        let organization = &alert.organization;
        if self.notice.is_test {
            return format!(
                "Somebody tries the alert “{}” of the audit log of {organization}.",
                alert.name
            );
        }
        format!(
            "The alert “{}” found {what} in the audit log of {organization}.{meanwhile}",
            alert.name
        )
    }

    fn of_period(&self, period: &FoundPeriod) -> String {
        let [from, to] = [period.received.0, period.received.1].map(|at| self.time(Timestamp::from_millis(at)));
        let zone = &self.notice.policy.time_zone;
        let organization = &self.notice.alert.organization;
        match period.count {
            0 => format!("Nothing happened in the audit log of {organization} from {from} to {to} ({zone})."),
            count => {
                let count = events(count);
                format!("From {from} to {to} ({zone}) the audit log of {organization} recorded {count}.")
            }
        }
    }

    fn parts(&self, digest: &Digest, links: Option<&[String; 2]>) -> Vec<Part> {
        let counts = |heading: &str, of: &str, counted: &[Counted]| {
            let line = |counted: &Counted| Line {
                cells: vec![
                    self.labels.value(of, &counted.value).into_owned(),
                    counted.count.to_string(),
                ],
                link: None,
            };
            Part {
                heading: heading.to_owned(),
                lines: counted.iter().map(line).collect(),
                link: None,
            }
        };
        let listed = digest.security.len() as u64;
        let mut security: Vec<Line> = digest.security.iter().map(|row| self.line(row)).collect();
        if digest.security_count > listed {
            security.push(Line {
                cells: vec![format!("and {} more", digest.security_count - listed)],
                link: None,
            });
        }
        let all = [
            counts("By type", "action_type", &digest.action_types),
            counts("By area", "area", &digest.areas),
        ];
        let all = all.into_iter().filter(|part| !part.lines.is_empty());
        all.chain([
            Part {
                heading: format!("Sign-ins that failed: {}", digest.failed_sign_ins),
                lines: Vec::new(),
                link: links.map(|[failed, _]| failed.clone()),
            },
            Part {
                heading: format!("Security actions: {}", digest.security_count),
                lines: security,
                link: links.map(|[_, security]| security.clone()),
            },
        ])
        .collect()
    }

    /// An event: when, who, from where, what.
    fn line(&self, row: &Row) -> Line {
        let mut cells = vec![self.time(row.occurred_at)];
        match Event::parse(&row.parts) {
            Ok(event) => {
                let actor = &event.actor;
                let who = [&actor.name, &actor.email, &actor.id].into_iter().flatten().next();
                cells.push(who.map_or_else(|| actor.kind.to_string(), |who| who.to_string()));
                let place = event.context.ip.as_deref().into_iter().chain(row.country());
                let place = place.collect::<Vec<_>>().join(" ");
                cells.extend(Some(place).filter(|place| !place.is_empty()));
                let what = || self.labels.value("action", &event.action).into_owned();
                cells.push(event.description.as_deref().map_or_else(what, ToOwned::to_owned));
            }
            Err(error) => {
                tracing::error!(%error, sequence = row.sequence, "a stored event is damaged");
                cells.push("A damaged event".to_owned());
            }
        }
        Line {
            cells,
            link: self.notice.link_to(row),
        }
    }

    /// A time by the clocks of the organization's zone.
    fn time(&self, time: Timestamp) -> String {
        match jiff::Timestamp::from_millisecond(time.millis()) {
            Ok(at) => at
                .to_zoned(self.zone.clone())
                .strftime("%-d %B %Y, %H:%M:%S")
                .to_string(),
            Err(_) => time.to_string(),
        }
    }
}

fn events(count: u64) -> String {
    match count {
        1 => "an event".to_owned(),
        count => format!("{count} events"),
    }
}

fn duration(seconds: u32) -> String {
    let (count, unit) = match seconds {
        seconds if seconds % 3_600 == 0 => (seconds / 3_600, "hour"),
        seconds if seconds % 60 == 0 => (seconds / 60, "minute"),
        seconds => (seconds, "second"),
    };
    match count {
        1 => format!("1 {unit}"),
        count => format!("{count} {unit}s"),
    }
}
