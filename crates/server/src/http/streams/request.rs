//! What requests say of streams, held against the rules.
//!
//! Invariant: a stream that was accepted can be equipped: its destination, secrets, mapping and filter were tried.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use trailbook_access::{
    Act,
    records::{Destination, Mapping, Stream},
    secret::new_id,
};
use trailbook_deliver::stream::Start;
use trailbook_event::{Pointer, Timestamp};
use utoipa::ToSchema;

use super::{OfStreams, fault};
use crate::http::{
    parameters,
    problem::{Code, Problem},
};

/// Characters of a name.
const NAME_MAX: usize = 200;
/// Characters of a secret.
const SECRET_MAX: usize = 16_384;
/// Secrets of a stream.
const SECRETS_MAX: usize = 40;
/// Events of a delivery.
const BATCH_MAX: u32 = 10_000;
/// Seconds that events wait for others.
const INTERVAL_MAX: u32 = 3_600;

/// A stream to be set up, or as it shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamRequest {
    name: String,
    destination: Destination,
    /// The destination's secrets by name. Those that are left out stay as they are, null removes one.
    #[serde(default)]
    secrets: BTreeMap<String, Option<String>>,
    /// `native` (the default), `ocsf`, `ecs` or `catalog:NAME`.
    #[serde(default)]
    mapping: Option<String>,
    /// Which events, in the query language; all by default.
    #[serde(default)]
    filter: String,
    /// Where it begins: `now` (the default), `beginning`, or a time (RFC 3339) of receipt. Only when a stream is set up.
    #[serde(default)]
    start: Option<String>,
    /// Most events of one delivery: 1 to 10,000, by default 1,000.
    #[serde(default = "batch_events")]
    batch_events: u32,
    /// How long events wait for others: 1 to 3,600 seconds, by default 60.
    #[serde(default = "interval_seconds")]
    interval_seconds: u32,
}

/// From where on events are sent again: one of `from_sequence` and `from`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replay {
    /// A sequence.
    #[serde(default)]
    from_sequence: Option<u64>,
    /// A time of receipt (RFC 3339).
    #[serde(default)]
    from: Option<String>,
    /// Of a project's stream: only this organization's events; with `from_sequence` it has to be said.
    #[serde(default)]
    organization: Option<String>,
}

fn batch_events() -> u32 {
    1_000
}

fn interval_seconds() -> u32 {
    60
}

impl StreamRequest {
    /// The stream that the request asks for, where it begins, and the secret that was made for it.
    pub(super) fn new_stream(self, of: &OfStreams) -> Result<(Stream, Start, Option<String>), Problem> {
        let start = self.start()?;
        let now = of.app.clock.now().millis();
        let id = new_id("str_", of.app.directory.random());
        let mut secrets: BTreeMap<String, String> = self.given().collect();
        let made = of.app.deliveries.made_secret(&self.destination, &secrets);
        secrets.extend(made.clone().map(|secret| ("secret".to_owned(), secret)));
        let stream = self.stream(of, (id, now), &secrets)?;
        Ok((
            Stream {
                updated_at: now,
                ..stream
            },
            start,
            made,
        ))
    }

    /// The stream as the request wants it.
    pub(super) fn changed_stream(self, of: &OfStreams, before: &Stream) -> Result<Stream, Problem> {
        if self.start.is_some() {
            return Err(fault(
                "/start",
                "A stream that is there goes on where it is; send events again with …/replay.",
            ));
        }
        let kept = of
            .app
            .deliveries
            .secrets(before)
            .map_err(|reason| fault("/secrets", reason))?;
        let is_named = |name: &String| self.secrets.contains_key(name);
        let kept = kept.into_iter().filter(|(name, _)| !is_named(name));
        // A secret goes to the server that it was given for, and to no other.
        let is_same = before.destination.server() == self.destination.server();
        let secrets: BTreeMap<String, String> = kept.filter(|_| is_same).chain(self.given()).collect();
        let is_unchanged = of.app.deliveries.secrets(before).is_ok_and(|known| known == secrets);
        let stream = self.stream(of, (before.id.clone(), before.created_at), &secrets)?;
        Ok(Stream {
            paused: before.paused,
            secrets: if is_unchanged {
                before.secrets.clone()
            } else {
                stream.secrets.clone()
            },
            updated_at: of.app.clock.now().millis(),
            ..stream
        })
    }

    fn given(&self) -> impl Iterator<Item = (String, String)> {
        let given = self.secrets.iter();
        given.filter_map(|(name, value)| Some((name.clone(), value.clone()?)))
    }

    fn stream(
        self,
        of: &OfStreams,
        (id, created_at): (String, i64),
        secrets: &BTreeMap<String, String>,
    ) -> Result<Stream, Problem> {
        self.check()?;
        let mapping = Mapping::try_from(self.mapping.clone().unwrap_or_else(|| "native".into()));
        let mapping = mapping.map_err(|rule| fault("/mapping", format!("There is no such mapping: {rule}.")))?;
        let at = Pointer::root().child("filter");
        parameters::query(&self.filter, &of.policy()).map_err(|problem| problem.in_body(at))?;
        let stream = Stream {
            secrets: of.app.deliveries.seal(&id, secrets),
            secret_names: secrets.keys().cloned().collect(),
            id,
            project: of.project().to_owned(),
            organization: of.organization().map(ToOwned::to_owned),
            name: self.name.trim().to_owned(),
            destination: self.destination,
            mapping,
            filter: self.filter,
            batch_events: self.batch_events,
            interval_seconds: self.interval_seconds,
            paused: false,
            created_at,
            updated_at: created_at,
        };
        let faulty = |fault| Problem::faults(Code::Invalid, vec![fault]);
        of.app.deliveries.check(&stream, secrets).map_err(faulty)?;
        Ok(stream)
    }

    fn check(&self) -> Result<(), Problem> {
        let name = self.name.trim();
        if !(1..=NAME_MAX).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return Err(fault(
                "/name",
                format!("It must have 1 to {NAME_MAX} characters, without control characters."),
            ));
        }
        if self.filter.chars().any(char::is_control) {
            return Err(fault("/filter", "It must have no control characters."));
        }
        if !(1..=BATCH_MAX).contains(&self.batch_events) {
            return Err(fault("/batch_events", format!("It must be 1 to {BATCH_MAX}.")));
        }
        if !(1..=INTERVAL_MAX).contains(&self.interval_seconds) {
            return Err(fault("/interval_seconds", format!("It must be 1 to {INTERVAL_MAX}.")));
        }
        let is_long = |value: &Option<String>| value.as_ref().is_some_and(|value| value.chars().count() > SECRET_MAX);
        if self.secrets.len() > SECRETS_MAX || self.secrets.values().any(is_long) {
            let rule = format!("There may be {SECRETS_MAX} secrets of at most {SECRET_MAX} characters.");
            return Err(fault("/secrets", rule));
        }
        Ok(())
    }

    fn start(&self) -> Result<Start, Problem> {
        match self.start.as_deref() {
            None | Some("now") => Ok(Start::Now),
            Some("beginning") => Ok(Start::Beginning),
            Some(time) => moment(time).map(Start::From).ok_or_else(|| {
                fault(
                    "/start",
                    "It must be now, beginning, or a time such as 2026-11-20T09:14:07Z.",
                )
            }),
        }
    }
}

impl Replay {
    /// Where deliveries begin again, and of which organization only.
    pub(super) fn start(&self, of: &OfStreams) -> Result<(Start, Option<String>), Problem> {
        let start = match (self.from_sequence, self.from.as_deref()) {
            (Some(sequence), None) => Start::Sequence(sequence),
            (None, Some(time)) => {
                let time = moment(time);
                Start::From(time.ok_or_else(|| fault("/from", "It must be a time such as 2026-11-20T09:14:07Z."))?)
            }
            _ => return Err(fault("", "Say one of from_sequence and from.")),
        };
        match (&self.organization, of.organization()) {
            (None, None) if self.from_sequence.is_some() => Err(fault(
                "/organization",
                "Each organization counts its own sequences: say which one is meant, or a time instead.",
            )),
            (Some(named), Some(own)) if named != own => {
                Err(fault("/organization", "The stream is of another organization."))
            }
            (named, _) => Ok((start, named.clone())),
        }
    }

    /// The beginning as it was asked for.
    pub(super) fn said(&self) -> Value {
        json!(
            self.from_sequence
                .map_or_else(|| json!(self.from), |sequence| json!(sequence))
        )
    }
}

/// An act with what a change makes different. Of secrets only the names are said.
pub(super) fn differences(act: Act, before: &Stream, after: &Stream) -> Act {
    let fields = |stream: &Stream| {
        [
            ("name", json!(stream.name)),
            ("destination", json!(stream.destination)),
            ("secrets", json!(stream.secret_names)),
            ("mapping", json!(stream.mapping)),
            ("filter", json!(stream.filter)),
            ("batch_events", json!(stream.batch_events)),
            ("interval_seconds", json!(stream.interval_seconds)),
        ]
    };
    let pairs = fields(before).into_iter().zip(fields(after));
    let act = pairs.fold(act, |act, ((name, from), (_, to))| {
        act.changed(name, Some(from), Some(to))
    });
    match before.secrets == after.secrets {
        true => act,
        false => act.changed("secrets.values", Some(json!("before")), Some(json!("replaced"))),
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text)
}
