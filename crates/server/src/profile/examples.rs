//! A profile's examples as events: with times before now, once or over weeks.

use serde_json::{Value, json};
use trailbook_event::Timestamp;

use super::{
    Profile,
    read::{Example, Payload},
};
use crate::client::{Server, encoded};

/// How often a demonstration repeats the examples.
pub(super) const DEMO_TIMES: i64 = 12;

/// What lies between two repetitions: two days and some hours, so that they fall on other times of the day.
const APART_MS: i64 = (53 * 60 + 37) * 60 * 1000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Sends the examples to an organization, oldest first; how many events that were.
pub(super) fn send(
    server: &Server,
    profile: &Profile,
    organization: &str,
    now: Timestamp,
    times: i64,
) -> anyhow::Result<usize> {
    let mut events = events(profile, organization, now, times);
    events.sort_by_key(|(time, _)| *time);
    let events: Vec<Value> = events.into_iter().map(|(_, event)| event).collect();
    if !events.is_empty() {
        server.post("/v1/events", &json!({ "events": events }))?;
    }
    let mut sent = events.len();
    for mapping in profile.vocabulary.inputs() {
        let of_mapping = profile.payloads.iter().filter(|payload| payload.mapping == mapping);
        let mut payloads: Vec<(Timestamp, Value)> = of_mapping
            .flat_map(|payload| payloads(profile, payload, now, times))
            .collect();
        payloads.sort_by_key(|(time, _)| *time);
        let payloads: Vec<Value> = payloads.into_iter().map(|(_, payload)| payload).collect();
        if !payloads.is_empty() {
            let path = format!(
                "/v1/events?mapping={}&organization={}",
                encoded(mapping),
                encoded(organization)
            );
            server.post(&path, &Value::Array(payloads.clone()))?;
        }
        sent += payloads.len();
    }
    Ok(sent)
}

/// Whether an organization has events that are not Trailbook's own.
pub(super) fn are_there(server: &Server, organization: &str) -> anyhow::Result<bool> {
    let path = format!(
        "/v1/organizations/{}/events?limit=1&-action=trailbook.*",
        encoded(organization)
    );
    let Some((_, text)) = server.find(&path)? else {
        return Ok(false);
    };
    let page: Value = serde_json::from_str(&text)?;
    Ok(page["events"].as_array().is_some_and(|events| !events.is_empty()))
}

/// The times of an example: now and again, as far as the profile keeps events.
fn occurrences(profile: &Profile, ago_ms: i64, now: Timestamp, times: i64) -> impl Iterator<Item = (i64, Timestamp)> {
    let kept_ms = profile.effective.retention_days.map(|days| i64::from(days) * DAY_MS);
    (0..times)
        .map(move |time| (time, ago_ms + time * APART_MS))
        .filter(move |(time, ago)| *time == 0 || kept_ms.is_none_or(|kept| *ago < kept))
        .map(move |(time, ago)| (time, Timestamp::from_millis(now.millis() - ago)))
}

fn events(profile: &Profile, organization: &str, now: Timestamp, times: i64) -> Vec<(Timestamp, Value)> {
    let event = |example: &Example, time: i64, at: Timestamp| {
        let mut event = example.event.clone();
        event.insert("organization".into(), organization.into());
        event.insert("occurred_at".into(), at.to_string().into());
        if let Some(Value::String(trace)) = event.get_mut("trace_id") {
            *trace = another(trace, time);
        }
        (at, Value::Object(event))
    };
    let all = profile.examples.iter().flat_map(|example| {
        occurrences(profile, example.ago_ms, now, times).map(move |(time, at)| event(example, time, at))
    });
    all.collect()
}

/// The payload at each of its times, each time in another trace.
fn payloads(profile: &Profile, payload: &Payload, now: Timestamp, times: i64) -> Vec<(Timestamp, Value)> {
    let repeated = |(time, at): (i64, Timestamp)| {
        let mut repeated = payload.at(at);
        if let Some(trace) = &payload.trace_id {
            replace(&mut repeated, trace, &another(trace, time));
        }
        (at, repeated)
    };
    occurrences(profile, payload.ago_ms, now, times).map(repeated).collect()
}

/// Puts one text in the place of another, wherever it is a whole value.
fn replace(value: &mut Value, text: &str, with: &str) {
    match value {
        Value::String(found) if found == text => with.clone_into(found),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, text, with)),
        Value::Object(members) => members.values_mut().for_each(|member| replace(member, text, with)),
        _ => {}
    }
}

/// A trace's id, another one for each repetition: the number in place of the last digits.
fn another(trace: &str, time: i64) -> String {
    if time == 0 {
        return trace.to_owned();
    }
    let number = format!("{time:04x}");
    match trace.char_indices().rev().nth(number.len() - 1) {
        Some((at, _)) => format!("{}{number}", &trace[..at]),
        None => format!("{trace}{number}"),
    }
}
