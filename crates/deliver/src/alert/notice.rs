//! What somebody is told when an alert fired: read from the ledger when it is told, so that what was redacted or has expired since is
//! not told any more.
//!
//! Not here: letters (`trailbook`), whom and when (`teller`).

use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};
use trailbook_access::{
    Policy,
    records::{Alert, Condition, Every, Found, FoundEvents, FoundPeriod},
    secret::new_id,
};
use trailbook_event::{Filter, Timestamp};
use trailbook_ledger::{DAY_MS, OrganizationKey, Row};
use trailbook_query::Scope;

use super::{
    Alerts,
    digest::{self, Counted, Digest},
    key,
    link::Links,
    rule::Rule,
};
use crate::{
    Error,
    json::{Envelope, write_event},
    made_up::made_up,
    stream::place,
};

/// What somebody is told.
pub struct Notice {
    /// `msg_…`, the same however often it is sent.
    pub id: String,
    /// The alert that fired.
    pub alert: Arc<Alert>,
    /// What applies in its organization.
    pub policy: Arc<Policy>,
    /// When it fired.
    pub fired_at: Timestamp,
    /// Whether somebody only tries it.
    pub is_test: bool,
    /// What it found.
    pub told: Told,
    /// The console's address of what it found; `None` when nobody said where the console is.
    pub link: Option<String>,
    /// How long events of the organization are kept, milliseconds; `None` is for ever.
    kept_ms: Option<i64>,
    links: Links,
}

/// What an alert found.
pub enum Told {
    /// Events.
    Events {
        /// What is known of them.
        found: FoundEvents,
        /// The first; `None` when it is not kept any more.
        first: Option<Arc<Row>>,
        /// The last.
        last: Option<Arc<Row>>,
    },
    /// What happened in a time.
    Digest {
        /// The time.
        period: FoundPeriod,
        /// What happened.
        digest: Digest,
        /// The console's addresses of the failed sign-ins and of the actions that matter for security.
        links: Option<[String; 2]>,
    },
}

impl Alerts {
    /// What is to be told of what an alert found, by the id and the time of the message. Blocks on files.
    pub(super) fn notice(&self, alert: &Arc<Alert>, of: (&str, i64), found: &Found) -> Result<Notice, Error> {
        let filter = self.filter(alert)?;
        match found {
            Found::Events(found) => {
                let narrowed = Rule::filter_of(alert, filter.clone(), found.group.as_deref());
                // The text that somebody wrote, where it says the same.
                let query = if narrowed == filter {
                    alert.filter.clone()
                } else {
                    narrowed.to_string()
                };
                let told = Told::Events {
                    first: self.row(&key(alert), found.sequences.0)?,
                    last: self.row(&key(alert), found.sequences.1)?,
                    found: found.clone(),
                };
                Ok(self.told(alert, of, told, (&query, found.occurred)))
            }
            Found::Digest(period) => self.digest(alert, of, &filter, period),
        }
    }

    /// What is told when somebody tries an alert: a made-up event, and as a digest what happened in the last day or week. Blocks on
    /// files.
    pub(super) fn trial(&self, alert: &Arc<Alert>) -> Result<Notice, Error> {
        let now = self.clock.now();
        let organization = key(alert);
        let found = match alert.condition {
            Condition::Digest { every } => Found::Digest(self.newest(alert, every, now)?),
            _ => Found::Events(FoundEvents {
                count: 1,
                meanwhile: 0,
                group: None,
                value: None,
                sequences: (0, 0),
                occurred: (now.millis(), now.millis()),
            }),
        };
        let id = new_id("msg_", self.directory.random());
        let mut notice = self.notice(alert, (&id, now.millis()), &found)?;
        if let Told::Events { first, last, .. } = &mut notice.told {
            let event = Arc::new(made_up(&self.directory, &organization, now)?);
            (*first, *last) = (Some(event.clone()), Some(event));
        }
        notice.is_test = true;
        Ok(notice)
    }

    /// What a digest would tell of that was sent now.
    fn newest(&self, alert: &Alert, every: Every, now: Timestamp) -> Result<FoundPeriod, Error> {
        let days = match every {
            Every::Day => 1,
            Every::Week => 7,
        };
        let since = Timestamp::from_millis(now.millis() - days * DAY_MS);
        let organization = key(alert);
        let size = self.ledger.head(&organization).map_or(0, |head| head.size);
        let begin = place::first(&self.ledger, &organization, size, |row| row.received_at >= since)?;
        let view = self.engine.view(&scope(alert))?;
        Ok(FoundPeriod {
            count: digest::count(&view, &self.filter(alert)?, (begin, size))?,
            sequences: (begin, size),
            received: (since.millis(), now.millis() + 1),
        })
    }

    fn digest(
        &self,
        alert: &Arc<Alert>,
        of: (&str, i64),
        filter: &Filter,
        period: &FoundPeriod,
    ) -> Result<Notice, Error> {
        let digest = digest::read(&self.engine.view(&scope(alert))?, filter, period)?;
        let occurred = (period.received.0, period.received.1 - 1);
        let policy = self.directory.policy(&key(alert));
        let narrowed = |narrower: Filter| {
            let query = filter.clone().and(narrower).to_string();
            self.links.activity(&key(alert), &policy, &query, Some(occurred), None)
        };
        let links = narrowed(digest::failed_sign_ins()).zip(narrowed(digest::security()));
        let told = Told::Digest {
            period: *period,
            digest,
            links: links.map(|(failed, security)| [failed, security]),
        };
        Ok(self.told(alert, of, told, (&alert.filter, occurred)))
    }

    fn told(
        &self,
        alert: &Arc<Alert>,
        (id, fired_at): (&str, i64),
        told: Told,
        (query, occurred): (&str, (i64, i64)),
    ) -> Notice {
        let (organization, now) = (key(alert), self.clock.now().millis());
        let policy = self.directory.policy(&organization);
        Notice {
            link: self.links.activity(&organization, &policy, query, Some(occurred), None),
            id: id.to_owned(),
            alert: alert.clone(),
            policy,
            fired_at: Timestamp::from_millis(fired_at),
            is_test: false,
            told,
            kept_ms: self.ledger.retention(&organization).expires_at(0, now),
            links: self.links.clone(),
        }
    }

    /// The event of a sequence; `None` when it has expired.
    fn row(&self, organization: &OrganizationKey, sequence: u64) -> Result<Option<Arc<Row>>, Error> {
        let rows = self.ledger.rows(organization, sequence, 1)?;
        Ok(rows.into_iter().find(|row| row.sequence == sequence))
    }
}

impl Notice {
    /// The console's address of one of the events.
    pub fn link_to(&self, row: &Row) -> Option<String> {
        let occurred = row.occurred_at.millis();
        let range = Some((occurred, occurred));
        self.links
            .activity(&key(&self.alert), &self.policy, "", range, Some(&row.id))
    }

    /// What a program is told, as JSON.
    pub fn json(&self) -> Vec<u8> {
        let alert = &self.alert;
        let (kind, mut more) = match &self.told {
            Told::Events { found, first, last } => ("trailbook.alert", self.events(found, [first, last])),
            Told::Digest { period, digest, .. } => ("trailbook.digest", self.period(period, digest)),
        };
        let mut members = vec![
            ("type", raw(&kind)),
            ("id", raw(&self.id)),
            ("alert", raw(&json!({"id": alert.id, "name": alert.name}))),
            ("project", raw(&alert.project)),
            ("organization", raw(&alert.organization)),
            ("fired_at", raw(&self.fired_at.to_string())),
        ];
        members.append(&mut more);
        members.push(("link", raw(&self.link)));
        if self.is_test {
            members.push(("test", raw(&true)));
        }
        serde_json::to_vec(&Members(members)).unwrap_or_default()
    }

    fn events(&self, found: &FoundEvents, [first, last]: [&Option<Arc<Row>>; 2]) -> Vec<Member> {
        let event = |row: &Option<Arc<Row>>| raw(&row.as_deref().map(|row| self.event(row)));
        vec![
            ("count", raw(&found.count)),
            ("meanwhile", raw(&found.meanwhile)),
            ("group", raw(&found.group)),
            ("value", raw(&found.value)),
            ("first", event(first)),
            ("last", event(last)),
        ]
    }

    fn period(&self, period: &FoundPeriod, digest: &Digest) -> Vec<Member> {
        let time = |millis| raw(&Timestamp::from_millis(millis).to_string());
        let counts = |counted: &[Counted]| {
            let counts = counted
                .iter()
                .map(|counted| (counted.value.clone(), Value::from(counted.count)));
            raw(&Value::Object(counts.collect()))
        };
        let events: Vec<_> = digest.security.iter().map(|row| self.event(row)).collect();
        let security = vec![("count", raw(&digest.security_count)), ("events", raw(&events))];
        vec![
            ("from", time(period.received.0)),
            ("to", time(period.received.1)),
            ("count", raw(&period.count)),
            ("action_types", counts(&digest.action_types)),
            ("areas", counts(&digest.areas)),
            ("failed_sign_ins", raw(&digest.failed_sign_ins)),
            ("security", raw(&Members(security))),
        ]
    }

    /// An event as reads return it.
    fn event(&self, row: &Row) -> Box<RawValue> {
        let envelope = Envelope {
            project: &self.alert.project,
            kept_ms: self.kept_ms,
        };
        let mut out = Vec::with_capacity(1_024);
        write_event(row, &envelope, &mut out);
        let text = String::from_utf8(out).unwrap_or_default();
        RawValue::from_string(text).unwrap_or_else(|_| raw(&Value::Null))
    }
}

/// A member of a JSON object: its name, and its value as it is written.
type Member = (&'static str, Box<RawValue>);

/// An object whose members stay in their order.
struct Members(Vec<Member>);

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn raw<T: Serialize>(value: &T) -> Box<RawValue> {
    to_raw_value(value).expect("texts, numbers and lists are JSON")
}

fn scope(alert: &Alert) -> Scope {
    Scope {
        organization: key(alert),
        own: None,
    }
}
