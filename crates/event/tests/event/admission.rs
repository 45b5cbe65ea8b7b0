//! What an event must and must not say, fault by fault; and what the catalog adds.

use std::borrow::Cow;

use trailbook_event::{
    ActionDefaults, Admission, Defaults, Event, Fault, Limits, NoCatalog, Origin, Part, Pointer, admit,
    json::{self, parse},
};

use crate::{NOW, admit_json, event_with, faults, pointers};

fn core(body: &str) -> String {
    let admitted = admit_json(body).unwrap_or_else(|refusal| panic!("{body}: {refusal:?}"));
    String::from_utf8(admitted[0].parts.part(Part::Core).to_vec()).unwrap()
}

/// One wrong member (each followed by a comma), the pointer of its only fault, and a word of its sentence.
const WRONG: &[(&str, &str, &str)] = &[
    (r#""bogus":1,"#, "/bogus", "`metadata`"),
    (r#""id":"1","#, "/id", "`client_id`"),
    (r#""timestamp":"x","#, "/timestamp", "`occurred_at`"),
    (r#""ip":"192.0.2.1","#, "/ip", "`context`"),
    (r#""area":7,"#, "/area", "a number; send a text in double quotes"),
    (r#""security":"yes","#, "/security", "true or false"),
    (r#""result":"ok","#, "/result", "success, failure, denied"),
    (r#""result":"","#, "/result", "success, failure, denied"),
    (r#""action_type":"poke","#, "/action_type", "create, read, update"),
    (r#""occurred_at":"2026-11-20T09:14:07","#, "/occurred_at", "local time"),
    (r#""occurred_at":"yesterday","#, "/occurred_at", "RFC 3339"),
    (r#""occurred_at":1795166047,"#, "/occurred_at", "a text"),
    (
        r#""occurred_at":"2026-11-21T09:14:07.483Z","#,
        "/occurred_at",
        "24 hours ahead",
    ),
    (r#""client_id":"","#, "/client_id", "empty"),
    (r#""trace_id":"","#, "/trace_id", "empty"),
    (r#""context":{"ip":"203.0.113.1:80"},"#, "/context/ip", "no port"),
    (r#""context":{"ip":""},"#, "/context/ip", "leave it out"),
    (r#""context":{"country":"DE"},"#, "/context/country", "`metadata`"),
    (r#""context":[],"#, "/context", "a list; send an object"),
    (r#""metadata":"x","#, "/metadata", "an object"),
    (r#""targets":{},"#, "/targets", "a list"),
    (r#""targets":[null],"#, "/targets/0", "null"),
    (r#""targets":[{"id":"1"}],"#, "/targets/0/type", "required"),
    (r#""targets":[{"type":"user"}],"#, "/targets/0", "`id` or a `name`"),
    (
        r#""targets":[{"type":"user","name":""}],"#,
        "/targets/0",
        "`id` or a `name`",
    ),
    (r#""targets":[{"type":"","id":"1"}],"#, "/targets/0/type", "empty"),
    (
        r#""targets":[{"type":"user","id":"1","role":"x"}],"#,
        "/targets/0/role",
        "email, id, name, type",
    ),
    (r#""changes":[{"before":1}],"#, "/changes/0/field", "required"),
    (
        r#""changes":[{"field":"a","old":1}],"#,
        "/changes/0/old",
        "after, before, field",
    ),
];

#[test]
fn each_wrong_member_has_its_own_sentence() {
    for (members, pointer, word) in WRONG {
        let found = faults(&event_with(members));
        assert_eq!(found.len(), 1, "{members}: {found:?}");
        assert_eq!(found[0].pointer.as_str(), *pointer);
        assert!(found[0].detail.contains(word), "{members}: {}", found[0].detail);
        assert!(found[0].detail.ends_with('.'), "{}", found[0].detail);
    }
}

#[test]
fn all_faults_of_an_event_are_found_at_once() {
    let all: String = WRONG
        .iter()
        .filter(|(members, ..)| members.matches('"').count() > 1)
        .map(|(members, ..)| {
            // Each under its own target, so that no key repeats.
            format!("{{\"type\":\"t\",\"id\":\"i\",{}}},", members.trim_end_matches(','))
        })
        .collect();
    assert!(faults(&event_with(&format!("\"targets\":[{}],", all.trim_end_matches(',')))).len() >= WRONG.len());
    assert_eq!(pointers("{}"), ["/organization", "/action", "/actor"]);
    assert_eq!(
        pointers(r#"{"organization":null,"action":"","actor":{"name":3,"x":1},"result":1}"#),
        [
            "/organization",
            "/action",
            "/actor/name",
            "/actor/x",
            "/actor/id",
            "/result"
        ]
    );
    for body in ["[]", "7", "null", "\"x\""] {
        assert_eq!(pointers(body), [""]);
    }
}

#[test]
fn only_known_people_need_an_id() {
    let event = |actor: &str| format!(r#"{{"organization":"o","action":"a","actor":{actor}}}"#);
    for kind in ["system", "anonymous", "unknown"] {
        assert!(admit_json(&event(&format!(r#"{{"type":"{kind}"}}"#))).is_ok());
    }
    for actor in [
        "{}",
        r#"{"type":"user"}"#,
        r#"{"type":"robot","name":"r"}"#,
        r#"{"type":null,"id":null}"#,
        r#"{"id":""}"#,
    ] {
        assert_eq!(pointers(&event(actor)), ["/actor/id"], "{actor}");
    }
    assert_eq!(pointers(&event("null")), ["/actor"]);
}

#[test]
fn names_of_organizations_and_actions() {
    let event = |organization: &str, action: &str| {
        format!(r#"{{"organization":"{organization}","action":"{action}","actor":{{"id":"1"}}}}"#)
    };
    let longest = "a".repeat(128);
    for name in ["a", "0", "Fashion-1_x.y:z@~", &longest] {
        assert!(admit_json(&event(name, "a")).is_ok(), "{name}");
    }
    for name in [
        "",
        "_system",
        "-a",
        ".a",
        "a b",
        "ä",
        "a/b",
        "a\\\\b",
        &format!("{longest}a"),
    ] {
        assert_eq!(pointers(&event(name, "a")), ["/organization"], "{name}");
    }
    assert_eq!(pointers(&event("a", "trailbook.user.created")), ["/action"]);
    // Trailbook itself may.
    let text = event("_system", "trailbook.started");
    let value = parse(&text, &json::Limits::default()).unwrap();
    let limits = Limits::default();
    let own = Admission {
        limits: &limits,
        now: NOW,
        defaults: &NoCatalog,
        origin: Origin::Own,
    };
    assert_eq!(admit(&value, &Pointer::root(), &own).unwrap().organization, "_system");
}

#[test]
fn what_reaches_a_limit_is_accepted_and_what_is_beyond_is_not() {
    let of = |count: usize, item: &str| vec![item; count].join(",");
    let text = |count: usize| "ä".repeat(count);
    let target = r#"{"type":"t","id":"i"}"#;
    let change = r#"{"field":"f"}"#;
    for (fits, beyond, pointer) in [
        (
            format!("\"targets\":[{}],", of(1000, target)),
            format!("\"targets\":[{}],", of(1001, target)),
            "/targets",
        ),
        (
            format!("\"changes\":[{}],", of(1000, change)),
            format!("\"changes\":[{}],", of(1001, change)),
            "/changes",
        ),
        (
            format!("\"client_id\":\"{}\",", text(128)),
            format!("\"client_id\":\"{}\",", text(129)),
            "/client_id",
        ),
        (
            format!("\"area\":\"{}\",", text(256)),
            format!("\"area\":\"{}\",", text(257)),
            "/area",
        ),
        (
            format!("\"trace_id\":\"{}\",", text(256)),
            format!("\"trace_id\":\"{}\",", text(257)),
            "/trace_id",
        ),
        (
            format!("\"targets\":[{{\"type\":\"t\",\"name\":\"{}\"}}],", text(1024)),
            format!("\"targets\":[{{\"type\":\"t\",\"name\":\"{}\"}}],", text(1025)),
            "/targets/0/name",
        ),
        (
            "\"occurred_at\":\"2026-11-21T09:14:07.482Z\",".into(),
            "\"occurred_at\":\"2026-11-21T09:14:07.483Z\",".into(),
            "/occurred_at",
        ),
    ] {
        assert!(admit_json(&event_with(&fits)).is_ok(), "{pointer}");
        assert_eq!(pointers(&event_with(&beyond)), [pointer]);
    }
    assert!(admit_json(&event_with(&format!("\"message\":\"{}\",", "m".repeat(100_000)))).is_ok());
}

#[test]
fn empty_text_for_people_is_kept_and_null_is_absent() {
    let event = event_with(r#""area":"","description":"","product":null,"result":null,"occurred_at":null,"#);
    assert_eq!(
        core(&event),
        r#"{"action":"a.b","action_type":"other","area":"","client_id":null,"description":"","occurred_at":"2026-11-20T09:14:07.482Z","organization":"fashion","product":null,"result":"success","security":false,"trace_id":null}"#
    );
}

#[test]
fn the_same_content_has_the_same_hash_however_it_is_spelled() {
    let content = |body: &str| admit_json(body).unwrap()[0].client_id.clone().unwrap().content;
    let plain = content(r#"{"client_id":"1","organization":"o","action":"a","actor":{"id":"u"},"metadata":{"n":100}}"#);
    let spelled =
        content(r#" {"metadata":{"n":1e2}, "actor":{"id":"\u0075"},"action":"a","organization":"o","client_id":"1"} "#);
    assert_eq!(plain, spelled);
    // As sent, not as stored: a default that is written out is other content.
    assert_ne!(
        plain,
        content(
            r#"{"client_id":"1","organization":"o","action":"a","actor":{"id":"u"},"metadata":{"n":100},"result":"success"}"#
        )
    );
    assert!(
        admit_json(&event_with("\"client_id\":null,")).unwrap()[0]
            .client_id
            .is_none()
    );
}

/// A catalog of one action.
struct OneAction {
    types: Vec<String>,
}

impl Defaults for OneAction {
    fn of(&self, action: &str) -> Option<ActionDefaults<'_>> {
        let known = ActionDefaults {
            area: Some("users"),
            action_type: Some("promote"),
            product: Some("P"),
            security: Some(true),
        };
        (action == "a.b").then_some(known)
    }

    fn action_types(&self) -> &[String] {
        &self.types
    }

    fn describe(&self, event: &Event<'_>) -> Option<String> {
        Some(format!(
            "{} by {} in {}",
            event.action,
            event.actor.id.as_deref()?,
            event.area.as_deref()?
        ))
    }

    fn complaints(&self, event: &Event<'_>) -> Vec<Fault> {
        let missing = event
            .metadata
            .as_ref()
            .is_none_or(|metadata| metadata.get("plan").is_none());
        if missing {
            vec![Fault::new(Pointer::root().child("metadata"), "This needs a plan.")]
        } else {
            Vec::new()
        }
    }
}

fn with_catalog(body: &str) -> Result<String, Vec<String>> {
    let limits = Limits::default();
    let catalog = OneAction {
        types: vec!["promote".into()],
    };
    let admission = Admission {
        limits: &limits,
        now: NOW,
        defaults: &catalog,
        origin: Origin::Sender,
    };
    let value = parse(body, &limits.json()).unwrap();
    admit(&value, &Pointer::root().index(3), &admission)
        .map(|admitted| {
            let event = Event::parse(&admitted.parts).unwrap();
            let word = |text: Option<Cow<'_, str>>| text.unwrap_or_default().into_owned();
            format!(
                "{}|{}|{}|{}|{}",
                word(event.area),
                event.action_type,
                word(event.product),
                event.security,
                word(event.description)
            )
        })
        .map_err(|faults| {
            faults
                .into_iter()
                .map(|fault| fault.pointer.as_str().to_owned())
                .collect()
        })
}

#[test]
fn the_catalog_fills_in_describes_and_complains() {
    let plan = r#""metadata":{"plan":"gold"},"#;
    assert_eq!(
        with_catalog(&event_with(plan)).unwrap(),
        "users|promote|P|true|a.b by u_1 in users"
    );
    let given = r#""area":"x","action_type":"promote","product":"","security":false,"description":"d","#;
    assert_eq!(
        with_catalog(&event_with(&format!("{plan}{given}"))).unwrap(),
        "x|promote||false|d"
    );
    assert_eq!(
        with_catalog(&event_with("\"area\":1,")).unwrap_err(),
        ["/3/area", "/3/metadata"]
    );
    // What is already faulty is not complained of again.
    assert_eq!(
        with_catalog(&event_with("\"metadata\":1,")).unwrap_err(),
        ["/3/metadata"]
    );
}
