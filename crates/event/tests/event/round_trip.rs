//! Random events: what is sent is what is stored, defaults filled in, in canonical bytes that read back to the same event.

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use trailbook_event::{
    Event, Part, Timestamp,
    json::{Limits, Value, parse, write_canonical},
};

use crate::{NOW, admit_json, canonical::value};

fn prose() -> impl Strategy<Value = String> {
    "[^\u{0}]{0,12}"
}

fn word() -> impl Strategy<Value = String> {
    "[^\u{0}]{1,12}"
}

/// Some of the members, each present, null or left out.
fn some(members: Vec<(&'static str, BoxedStrategy<Json>)>) -> BoxedStrategy<Map<String, Json>> {
    let each: Vec<_> = members
        .into_iter()
        .map(|(name, value)| {
            prop_oneof![3 => value.prop_map(Some), 1 => Just(Some(Json::Null)), 1 => Just(None)]
                .prop_map(move |value| (name, value))
        })
        .collect();
    each.prop_map(|members| {
        members
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect()
    })
    .boxed()
}

fn text(strategy: impl Strategy<Value = String> + 'static) -> BoxedStrategy<Json> {
    strategy.prop_map(Json::String).boxed()
}

/// Members that must be there.
fn with(
    members: BoxedStrategy<Map<String, Json>>,
    required: Vec<(&'static str, BoxedStrategy<Json>)>,
) -> BoxedStrategy<Json> {
    let (names, values): (Vec<_>, Vec<_>) = required.into_iter().unzip();
    (members, values)
        .prop_map(move |(mut members, values)| {
            members.extend(names.iter().map(|name| (*name).to_owned()).zip(values));
            Json::Object(members)
        })
        .boxed()
}

/// A free value, through the text that it would be sent as.
fn free() -> BoxedStrategy<Json> {
    value()
        .prop_map(|value| {
            let mut out = Vec::new();
            write_canonical(&value, &mut out);
            serde_json::from_slice(&out).unwrap()
        })
        .boxed()
}

fn object() -> BoxedStrategy<Json> {
    prop::collection::hash_map(word(), free(), 0..4)
        .prop_map(|members| json!(members))
        .boxed()
}

fn list(item: BoxedStrategy<Json>) -> BoxedStrategy<Json> {
    prop::collection::vec(item, 0..4).prop_map(Json::Array).boxed()
}

fn event() -> BoxedStrategy<Json> {
    let actor = with(
        some(vec![
            ("name", text(prose())),
            ("email", text(prose())),
            ("team", text(prose())),
            ("type", text(word())),
        ]),
        vec![("id", text(word()))],
    );
    let target = with(
        some(vec![("name", text(prose())), ("email", text(prose()))]),
        vec![("id", text(word())), ("type", text(word()))],
    );
    let change = with(
        some(vec![("before", free()), ("after", free())]),
        vec![("field", text(word()))],
    );
    let ip = prop_oneof![
        any::<std::net::Ipv4Addr>().prop_map(|ip| json!(ip.to_string())),
        any::<std::net::Ipv6Addr>().prop_map(|ip| json!(ip.to_string()))
    ];
    let context = some(vec![
        ("ip", ip.boxed()),
        ("url", text(prose())),
        ("user_agent", text(prose())),
        ("referrer", text(prose())),
    ]);
    let optional = some(vec![
        ("client_id", text(word())),
        (
            "occurred_at",
            (0..NOW.millis())
                .prop_map(|millis| json!(Timestamp::from_millis(millis).to_string()))
                .boxed(),
        ),
        (
            "action_type",
            text(prop::sample::select(vec![
                "read".to_owned(),
                "export".to_owned(),
                "other".to_owned(),
            ])),
        ),
        ("area", text(prose())),
        ("product", text(prose())),
        ("description", text(prose())),
        ("security", any::<bool>().prop_map(Json::Bool).boxed()),
        (
            "result",
            text(prop::sample::select(vec![
                "success".to_owned(),
                "failure".to_owned(),
                "denied".to_owned(),
            ])),
        ),
        ("trace_id", text(word())),
        ("message", text(prose())),
        ("metadata", object()),
        ("targets", list(target)),
        ("changes", list(change)),
        ("context", context.prop_map(Json::Object).boxed()),
    ]);
    with(
        optional,
        vec![
            ("organization", text("[a-z0-9][A-Za-z0-9._:@~-]{0,12}")),
            ("action", text("[a-z]{1,6}\\.[a-z]{0,6}")),
            ("actor", actor),
        ],
    )
}

/// What is to be returned for an event as sent: every member, with null, `[]` or its default where nothing was sent.
fn expected(sent: &Json) -> Json {
    let or = |object: &Json, name: &str, default: Json| match &object[name] {
        Json::Null => default,
        given => given.clone(),
    };
    let pick = |object: &Json, names: &[&str]| -> Json {
        Json::Object(
            names
                .iter()
                .map(|name| ((*name).to_owned(), object[*name].clone()))
                .collect(),
        )
    };
    let mut full = pick(
        sent,
        &[
            "organization",
            "client_id",
            "action",
            "area",
            "product",
            "description",
            "trace_id",
            "metadata",
            "message",
        ],
    );
    full["occurred_at"] = or(sent, "occurred_at", json!(NOW.to_string()));
    full["action_type"] = or(sent, "action_type", json!("other"));
    full["security"] = or(sent, "security", json!(false));
    full["result"] = or(sent, "result", json!("success"));
    full["actor"] = pick(&sent["actor"], &["id", "name", "email", "team"]);
    full["actor"]["type"] = or(&sent["actor"], "type", json!("user"));
    full["context"] = pick(&sent["context"], &["ip", "url", "user_agent", "referrer"]);
    let targets = or(sent, "targets", json!([]));
    let targets = targets
        .as_array()
        .unwrap()
        .iter()
        .map(|target| pick(target, &["type", "id", "name", "email"]));
    full["targets"] = targets.collect();
    full["changes"] = or(sent, "changes", json!([]));
    full
}

fn canonical(json: &Json) -> String {
    let text = json.to_string();
    let mut out = Vec::new();
    write_canonical(&parse(&text, &Limits { depth_max: 100 }).unwrap(), &mut out);
    String::from_utf8(out).unwrap()
}

fn same(value: &Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    write_canonical(value, &mut out);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn an_event_comes_back_as_it_was_sent(sent in event()) {
        let admitted = admit_json(&sent.to_string()).unwrap().remove(0);
        for part in Part::ALL {
            let bytes = std::str::from_utf8(admitted.parts.part(part)).unwrap();
            prop_assert_eq!(same(&parse(bytes, &Limits::default()).unwrap()), bytes.as_bytes(), "{}", part.name());
        }
        // The bytes as returned are the event as sent, with its defaults.
        let mut returned = b"{".to_vec();
        admitted.parts.write_members(&mut returned);
        returned.push(b'}');
        let returned = String::from_utf8(returned).unwrap();
        prop_assert_eq!(canonical(&serde_json::from_str(&returned).unwrap()), canonical(&expected(&sent)));
        // The model read from the bytes writes the same bytes.
        let event = Event::parse(&admitted.parts).unwrap();
        prop_assert_eq!(&event.to_parts(), &admitted.parts);
        // So it does around parts that a store kept as bytes, whatever the event says of them.
        let (targets, details) = (admitted.parts.part(Part::Targets), admitted.parts.part(Part::Details));
        prop_assert_eq!(&event.to_parts_around(None, details), &admitted.parts);
        let without = Event { targets: vec![], changes: vec![], metadata: None, message: None, ..event.clone() };
        prop_assert_eq!(&without.to_parts_around(Some(targets), details), &admitted.parts);
        prop_assert_eq!(event.occurred_at, admitted.occurred_at);
        prop_assert_eq!(event.organization.as_ref(), &admitted.organization);
        prop_assert_eq!(event.client_id.as_deref(), admitted.client_id.as_ref().map(|client_id| client_id.id.as_str()));
        prop_assert_eq!(event.context.ip.as_deref().map(|ip| ip.parse().unwrap()), admitted.ip);
        // What was returned may be sent again and is stored as the same bytes.
        let again = admit_json(&returned).unwrap().remove(0);
        prop_assert_eq!(again.parts, admitted.parts);
    }

    #[test]
    fn no_damage_to_the_bytes_panics_the_reader(sent in event(), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let admitted = admit_json(&sent.to_string()).unwrap().remove(0);
        let mut bytes = admitted.parts.bytes().clone();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        let damaged = trailbook_event::Parts::new(bytes, admitted.parts.ends()).unwrap();
        if let Err(error) = Event::parse(&damaged) {
            prop_assert!(error.offset <= damaged.bytes().len());
        }
    }
}
