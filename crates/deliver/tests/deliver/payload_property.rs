//! Whatever an event says, each form of it is well-formed and holds every text of the event.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};
use trailbook_deliver::payload::{Payload, cef, syslog};
use trailbook_event::{
    Timestamp,
    json::{self, DEPTH_CEILING, Limits},
};
use trailbook_ledger::Row;
use trailbook_testkit::{Generator, Shape};

use crate::{
    payload::{ENVELOPE, redacted, sent, written},
    payload_reader::{read_cef, read_syslog},
};

/// Texts of what breaks forms: quotes, brackets, bars, signs, line breaks, marks and other scripts.
fn hostile() -> impl Strategy<Value = String> {
    "[ab =|\\\\\"'\\]\\[:<>\n\r\t\u{1}\u{7f}\u{85}\u{2028}\u{feff}éß日😀]{0,10}"
}

/// Ids and names of kinds are never empty.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        hostile().prop_map(|text| format!("k{text}")),
        prop::sample::select(vec![
            "user",
            "team",
            "role",
            "policy",
            "api_key",
            "setting",
            "user.locked",
            "AssumeRole"
        ])
        .prop_map(str::to_owned),
    ]
}

fn perhaps(text: impl Strategy<Value = String>) -> impl Strategy<Value = Value> {
    prop::option::of(text).prop_map(|text| json!(text))
}

fn free() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        hostile().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(hostile(), inner, 0..4).prop_map(|members| json!(members)),
        ]
    })
}

fn who() -> impl Strategy<Value = Value> {
    (key(), key(), perhaps(hostile()), perhaps(hostile()))
        .prop_map(|(kind, id, name, email)| json!({"type": kind, "id": id, "name": name, "email": email}))
}

fn actor() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => prop::sample::select(vec!["system", "anonymous", "unknown"]).prop_map(|kind| json!({"type": kind})),
        3 => (who(), perhaps(hostile())).prop_map(|(mut actor, team)| {
            actor["team"] = team;
            actor
        }),
    ]
}

fn context() -> impl Strategy<Value = Value> {
    let ip = prop_oneof![
        Just(Value::Null),
        any::<std::net::IpAddr>().prop_map(|ip| json!(ip.to_string())),
        Just(json!("0000:0000:0000:0000:0000:ffff:192.168.100.228")),
    ];
    (ip, perhaps(hostile()), perhaps(hostile()), perhaps(hostile())).prop_map(
        |(ip, user_agent, url, referrer)| json!({"ip": ip, "user_agent": user_agent, "url": url, "referrer": referrer}),
    )
}

fn change() -> impl Strategy<Value = Value> {
    (key(), prop::option::of(free()), prop::option::of(free())).prop_map(|(field, before, after)| {
        let mut change = json!({"field": field});
        let values = [("before", before), ("after", after)];
        values
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .for_each(|(name, value)| change[name] = value);
        change
    })
}

fn event() -> impl Strategy<Value = Value> {
    let words = (
        key(),
        prop::sample::select(vec![
            "create", "read", "update", "delete", "login", "logout", "export", "other",
        ]),
        prop::sample::select(vec!["success", "failure", "denied"]),
        any::<bool>(),
        0..1_795_166_047_482_i64,
    );
    let prose = prop::collection::vec(perhaps(hostile()), 4);
    let keys = prop::collection::vec(perhaps(key()), 2);
    let lists = (
        prop::collection::vec(who(), 0..4),
        prop::collection::vec(change(), 0..3),
    );
    let metadata = prop::option::of(prop::collection::btree_map(hostile(), free(), 0..4));
    (words, prose, keys, lists, metadata, actor(), context()).prop_map(
        |(
            (action, action_type, result, security, millis),
            prose,
            keys,
            (targets, changes),
            metadata,
            actor,
            context,
        )| {
            json!({"organization": "acme", "action": action, "action_type": action_type, "result": result,
                "security": security, "occurred_at": Timestamp::from_millis(millis).to_string(),
                "area": prose[0], "product": prose[1], "description": prose[2], "message": prose[3],
                "client_id": keys[0], "trace_id": keys[1], "targets": targets, "changes": changes,
                "metadata": metadata, "actor": actor, "context": context})
        },
    )
}

/// Every text of a value, names of members included where they are the sender's own.
fn texts(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            into.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            into.insert(name.clone());
            texts(value, into);
        }),
        _ => {}
    }
}

/// What the event as sent says. Times and results are words of the form's own.
fn said(sent: &Value) -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    let free = ["metadata", "changes", "targets", "actor", "context"];
    for (name, value) in sent.as_object().unwrap() {
        match value {
            Value::Object(members) if name != "metadata" => members.values().for_each(|value| texts(value, &mut said)),
            Value::String(_) if ["occurred_at", "result"].contains(&name.as_str()) => {}
            value if free.contains(&name.as_str()) || value.is_string() => texts(value, &mut said),
            _ => {}
        }
    }
    let known = ["type", "id", "name", "email", "field", "before", "after", ""];
    said.retain(|text| !known.contains(&text.as_str()));
    said
}

fn is_one_line_without_repetition(payload: &Payload, row: &Row) {
    let mut out = Vec::new();
    payload.write(row, &ENVELOPE, &mut out).unwrap();
    let text = std::str::from_utf8(&out).unwrap();
    assert!(!text.contains(['\n', '\r']));
    // Our own reader refuses a name that comes twice.
    let limits = Limits {
        depth_max: DEPTH_CEILING,
    };
    let value = json::parse(text, &limits).unwrap();
    assert!(matches!(value, json::Value::Object(_)));
}

/// What stands in an ECS payload, with the texts that hold JSON opened.
fn opened(mut payload: Value) -> Value {
    for name in ["changes", "metadata"] {
        if let Some(held) = payload["trailbook"].get_mut(name) {
            *held = serde_json::from_str(held.as_str().unwrap()).unwrap();
        }
    }
    payload
}

fn without_controls(text: &str) -> String {
    let plain = |character: char| match character {
        '\n' | '\r' => character,
        control if control.is_control() => ' ',
        other => other,
    };
    text.chars().map(plain).collect()
}

fn check(sent: &Value, row: &Row) {
    let said = said(sent);
    for payload in [Payload::Native, Payload::Ocsf, Payload::Ecs] {
        is_one_line_without_repetition(&payload, row);
        let mut found = BTreeSet::new();
        let value = written(&payload, row);
        texts(
            &if matches!(payload, Payload::Ecs) {
                opened(value)
            } else {
                value
            },
            &mut found,
        );
        let long = "0000:0000:0000:0000:0000:ffff:192.168.100.228";
        let missing: Vec<_> = said.difference(&found).filter(|text| *text != long).collect();
        assert!(missing.is_empty(), "{payload:?} lost {missing:?} of {sent}");
    }
    let line = cef(row, &ENVELOPE, "0.1.0").unwrap();
    let mut found = BTreeSet::new();
    for (key, value) in read_cef(&line).extension {
        match key.as_str() {
            "cs4" | "cs6" => texts(&serde_json::from_str(&value).unwrap(), &mut found),
            _ => {
                found.insert(value);
            }
        }
    }
    let is_missing = |text: &&String| !found.contains(*text) && !found.contains(&without_controls(text));
    let missing: Vec<_> = said.iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "CEF lost {missing:?} of {sent}");
    let message = read_syslog(&syslog(row, "host.example", &line).unwrap());
    assert_eq!(message.message.trim_start_matches('\u{feff}'), line);
    assert_eq!(message.timestamp, row.occurred_at.to_string());
    let is_calm = sent["result"].as_str().unwrap_or("success") == "success" && sent["security"] != true;
    assert_eq!(message.priority, if is_calm { 109 } else { 108 });
    let parameters = [
        ("id", row.id.to_string()),
        ("organization", sent["organization"].as_str().unwrap().to_owned()),
    ];
    for (name, value) in parameters {
        assert_eq!(message.parameters[name], value);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn any_event_is_well_formed_in_every_form_and_loses_nothing(event in event()) {
        check(&event, &sent(&event));
    }

    #[test]
    fn any_text_fits_into_a_syslog_message(hostname in hostile(), message in hostile()) {
        let read = read_syslog(&syslog(&redacted(), &hostname, &message).unwrap());
        let plain = |character: char| if character < ' ' { ' ' } else { character };
        let expected: String = message.chars().map(plain).collect();
        let mark = if message.is_ascii() { "" } else { "\u{feff}" };
        prop_assert_eq!(read.message, format!("{mark}{expected}"));
    }
}

#[test]
fn events_as_products_send_them_are_well_formed_in_every_form() {
    let shape = Shape {
        organizations: 20,
        client_ids: true,
        start: Timestamp::from_millis(1_700_000_000_000),
        days: 30,
    };
    for generated in Generator::new(11, shape).take(500) {
        let event: Value = serde_json::from_str(&generated.json).unwrap();
        check(&event, &sent(&event));
    }
}
