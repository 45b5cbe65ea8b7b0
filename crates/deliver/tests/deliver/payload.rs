//! What a stream's mapping makes of events: each form, member by member, and what becomes of redacted parts.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use trailbook_deliver::{
    Error,
    json::{Envelope, write_event},
    payload::{Payload, cef, syslog},
};
use trailbook_event::{Admission, Form, Limits, NoCatalog, Origin, Part, Parts, Timestamp, admit_body};
use trailbook_ledger::{PartSecret, Row, Secrets};
use trailbook_merkle::Hash;

use crate::{
    ledger::{parts, row},
    payload_reader::{read_cef, read_syslog},
};

pub(crate) const ENVELOPE: Envelope<'static> = Envelope {
    project: "shop",
    kept_ms: Some(86_400_000),
};

/// The row of an event as sent.
pub(crate) fn sent(event: &Value) -> Row {
    let admission = Admission {
        limits: &Limits::default(),
        now: Timestamp::from_millis(1_795_166_047_482),
        defaults: &NoCatalog,
        origin: Origin::Sender,
    };
    let admitted = admit_body(event.to_string().as_bytes(), Form::Json, &admission)
        .unwrap()
        .remove(0);
    let mut row = row(7);
    row.occurred_at = admitted.occurred_at;
    row.parts = Parts::new(Bytes::from(admitted.parts.bytes().clone()), admitted.parts.ends()).unwrap();
    row.leaf_hash = row.leaf_record().leaf_hash();
    row
}

pub(crate) fn written(payload: &Payload, row: &Row) -> Value {
    let mut out = b"before".to_vec();
    payload.write(row, &ENVELOPE, &mut out).unwrap();
    let payload = out.strip_prefix(b"before").unwrap();
    assert!(!payload.iter().any(|byte| matches!(byte, b'\n' | b'\r')));
    serde_json::from_slice(payload).unwrap()
}

fn role_change() -> Row {
    sent(&json!({
        "organization": "acme", "action": "user.role.updated", "action_type": "update", "area": "users",
        "occurred_at": "2026-11-20T09:14:06.482Z", "client_id": "w-1", "description": "Made Bill owner", "security": true,
        "result": "denied", "message": "Only owners may", "product": "Studio", "trace_id": "t-1",
        "actor": {"id": "u_81", "name": "Sarah Khan", "email": "sarah@fashion.example", "team": "Growth"},
        "targets": [{"type": "user", "id": "u_92", "name": "Bill Hart", "email": "not an address"},
            {"type": "project", "id": "p_1"}],
        "context": {"ip": "2001:db8::24", "user_agent": "curl/8", "url": "https://a.example/b", "referrer": "https://c.example"},
        "changes": [{"field": "role", "before": null, "after": "owner"}, {"field": "note", "after": [1, "x"]}],
        "metadata": {"a": [0.5, true], "b": {"c": null}},
    }))
}

#[test]
fn ocsf_has_every_member_in_its_place_and_the_rest_in_unmapped() {
    let row = role_change();
    let payload = written(&Payload::Ocsf, &row);
    let expected = json!({
        "activity_id": 1, "activity_name": "Assign Privileges", "category_uid": 3,
        "category_name": "Identity & Access Management", "class_uid": 3005, "class_name": "User Access Management",
        "type_uid": 300_501, "type_name": "User Access Management: Assign Privileges", "time": 1_795_166_046_482_i64,
        "severity_id": 4, "severity": "High", "status_id": 2, "status": "Failure", "status_code": "denied",
        "status_detail": "Only owners may", "message": "Made Bill owner",
        "metadata": {"version": "1.9.0", "uid": row.id.to_string(), "original_event_uid": "w-1",
            "product": {"name": "Trailbook", "vendor_name": "Trailbook", "version": env!("CARGO_PKG_VERSION")},
            "event_code": "user.role.updated", "tenant_uid": "acme", "log_name": "shop", "correlation_uid": "t-1",
            "sequence": 7, "logged_time": row.received_at.millis()},
        "actor": {"user": {"uid": "u_81", "name": "Sarah Khan", "email_addr": "sarah@fashion.example", "type_id": 1,
            "type": "user", "groups": [{"name": "Growth"}]}},
        "src_endpoint": {"ip": "2001:db8::24", "location": {"country": "GB"}},
        "http_request": {"user_agent": "curl/8", "referrer": "https://c.example", "url": {"url_string": "https://a.example/b"}},
        "privileges": ["owner"],
        "user": {"uid": "u_92", "name": "Bill Hart", "type_id": 1, "type": "user"},
        "resources": [{"uid": "p_1", "type": "project", "role_id": 1}],
        "unmapped": {"action_type": "update", "area": "users", "product": "Studio", "security": true,
            "targets": [{"type": "user", "id": "u_92", "name": "Bill Hart", "email": "not an address"}],
            "changes": [{"field": "role", "before": null, "after": "owner"}, {"field": "note", "after": [1, "x"]}],
            "metadata": {"a": [0.5, true], "b": {"c": null}}, "epoch": 1, "expires_at": "2023-11-15T22:13:27.000Z"},
    });
    assert_eq!(payload, expected);
}

#[test]
fn every_class_of_ocsf_has_what_it_requires() {
    let about = |action: &str, action_type: &str, targets: Value| {
        written(
            &Payload::Ocsf,
            &sent(
                &json!({"organization": "acme", "action": action, "action_type": action_type,
                "actor": {"id": "u_1"}, "targets": targets}),
            ),
        )
    };
    let user = json!({"type": "user", "id": "u_2"});
    let team = json!({"type": "team", "name": "Ops"});
    let role = json!({"type": "role", "name": "Owner"});
    for (payload, type_uid, name, object) in [
        (
            about("user.locked", "update", json!([user])),
            300_109,
            "Lock",
            json!({"uid": "u_2", "type_id": 1, "type": "user"}),
        ),
        (
            about("a.b", "login", json!([])),
            300_201,
            "Logon",
            json!({"uid": "u_1", "type_id": 1, "type": "user"}),
        ),
        (
            about("AssumeRole", "other", json!([role])),
            300_301,
            "Assign Privileges",
            json!({"uid": "u_1", "type_id": 1, "type": "user"}),
        ),
        (
            about("role.enabled", "update", json!([role])),
            300_408,
            "Enable",
            Value::Null,
        ),
        (
            about("role.granted", "other", json!([user, role])),
            300_501,
            "Assign Privileges",
            json!({"uid": "u_2", "type_id": 1, "type": "user"}),
        ),
        (
            about("team.user_added", "other", json!([team, user])),
            300_603,
            "Add User",
            json!({"uid": "u_2", "type_id": 1, "type": "user"}),
        ),
        (
            about("report.shared", "approve", json!([user])),
            300_199,
            "approve",
            json!({"uid": "u_2", "type_id": 1, "type": "user"}),
        ),
        (
            about("report.shared", "other", json!([])),
            600_399,
            "report.shared",
            Value::Null,
        ),
    ] {
        assert_eq!(
            (&payload["type_uid"], &payload["activity_name"]),
            (&json!(type_uid), &json!(name))
        );
        assert_eq!(payload["user"], object, "{name}");
        match payload["class_uid"].as_i64().unwrap() {
            3002 => assert_eq!(payload["service"], json!({"name": "shop"})),
            3003 | 3005 => assert_eq!(payload["privileges"], json!(["Owner"])),
            3004 => assert_eq!(
                payload["entity"],
                json!({"name": "Owner", "type": "role", "type_id": 99})
            ),
            3006 => assert_eq!(payload["group"], json!({"name": "Ops", "type": "team"})),
            6003 => assert_eq!(
                (&payload["api"], &payload["src_endpoint"]["name"]),
                (&json!({"operation": "report.shared"}), &json!("Unknown"))
            ),
            _ => {}
        }
    }
}

#[test]
fn ecs_has_every_member_in_its_place_and_the_rest_below_trailbook() {
    let row = role_change();
    let payload = written(&Payload::Ecs, &row);
    let hash: String = row.leaf_hash.0.iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = json!({
        "@timestamp": "2026-11-20T09:14:06.482Z", "ecs": {"version": "8.11.0"}, "message": "Made Bill owner",
        "event": {"id": row.id.to_string(), "kind": "event", "category": ["iam"], "type": ["user", "change"],
            "action": "user.role.updated", "outcome": "failure", "reason": "Only owners may", "severity": 8,
            "created": "2023-11-14T22:13:27.000Z", "ingested": "2023-11-14T22:13:27.000Z", "sequence": 7, "hash": hash,
            "module": "trailbook", "dataset": "trailbook.audit", "provider": "Studio"},
        "user": {"id": "u_81", "name": "sarah@fashion.example", "full_name": "Sarah Khan",
            "email": "sarah@fashion.example", "group": {"name": "Growth"},
            "target": {"id": "u_92", "name": "not an address", "full_name": "Bill Hart", "email": "not an address"},
            "changes": {"roles": ["owner"]}},
        "source": {"ip": "2001:db8::24", "geo": {"country_iso_code": "GB"}},
        "user_agent": {"original": "curl/8"}, "url": {"original": "https://a.example/b"},
        "http": {"request": {"referrer": "https://c.example"}}, "organization": {"id": "acme"}, "trace": {"id": "t-1"},
        "related": {"user": ["u_81", "Sarah Khan", "sarah@fashion.example", "u_92", "Bill Hart", "not an address"],
            "ip": ["2001:db8::24"]},
        "trailbook": {"project": "shop", "epoch": 1, "client_id": "w-1", "action_type": "update", "area": "users",
            "product": "Studio", "result": "denied", "security": true, "actor": {"type": "user"},
            "targets": [{"type": "user", "id": "u_92", "name": "Bill Hart", "email": "not an address"},
                {"type": "project", "id": "p_1"}],
            "changed": ["role", "note"],
            "changes": "[{\"after\":\"owner\",\"before\":null,\"field\":\"role\"},{\"after\":[1,\"x\"],\"field\":\"note\"}]",
            "metadata": "{\"a\":[0.5,true],\"b\":{\"c\":null}}", "message": "Only owners may",
            "expires_at": "2023-11-15T22:13:27.000Z"},
    });
    assert_eq!(payload, expected);
}

#[test]
fn ecs_sorts_events_as_the_schema_expects() {
    for (action, action_type, kind, category, types) in [
        ("a.b", "login", "user", "authentication", json!(["start"])),
        ("a.b", "logout", "user", "authentication", json!(["end"])),
        ("a.b", "create", "user", "iam", json!(["user", "creation"])),
        ("a.b", "read", "user", "iam", json!(["user", "info"])),
        ("team.member_added", "create", "team", "iam", json!(["group", "change"])),
        ("a.b", "delete", "api_key", "iam", json!(["admin", "deletion"])),
        ("a.b", "update", "setting", "configuration", json!(["change"])),
        ("a.b", "export", "report", "api", json!(["access"])),
        ("a.b", "execute", "report", "api", json!(["info"])),
    ] {
        let row = sent(
            &json!({"organization": "acme", "action": action, "action_type": action_type,
            "actor": {"id": "u_1"}, "targets": [{"type": kind, "id": "1"}]}),
        );
        let event = &written(&Payload::Ecs, &row)["event"];
        assert_eq!(
            (&event["category"], &event["type"]),
            (&json!([category]), &types),
            "{action_type} {kind}"
        );
    }
}

#[test]
fn native_is_what_is_returned_and_a_custom_form_is_asked() {
    let row = role_change();
    let mut returned = Vec::new();
    write_event(&row, &ENVELOPE, &mut returned);
    assert_eq!(
        written(&Payload::Native, &row),
        serde_json::from_slice::<Value>(&returned).unwrap()
    );
    let custom = Payload::Custom(Arc::new(|row, envelope, out| {
        out.extend_from_slice(format!("{{\"n\":{},\"of\":\"{}\"}}", row.sequence, envelope.project).as_bytes());
        Ok(())
    }));
    assert_eq!(written(&custom, &row), json!({"n": 7, "of": "shop"}));
    assert_eq!(format!("{custom:?} {:?}", Payload::Ocsf), "Custom Ocsf");
}

#[test]
fn what_fails_leaves_the_output_as_it_was() {
    let broken = Row {
        parts: parts(["{}", "{}", "[]", "{}", "{}"]),
        ..row(1)
    };
    let half = Payload::Custom(Arc::new(|row, _, out| {
        out.extend_from_slice(b"half");
        Err(Error::Range(row.sequence.to_string()))
    }));
    for payload in [Payload::Ocsf, Payload::Ecs, half] {
        let mut out = b"before".to_vec();
        assert!(payload.write(&broken, &ENVELOPE, &mut out).is_err(), "{payload:?}");
        assert_eq!(out, b"before", "{payload:?}");
    }
    assert!(cef(&broken, &ENVELOPE, "1").is_err() && syslog(&broken, "h", "m").is_err());
}

/// An event of which nothing is left, as the ledger hands it out.
pub(crate) fn redacted() -> Row {
    let mut row = row(3);
    row.country = None;
    row.secrets = Secrets::Redacted(Box::new(Part::ALL.map(|_| PartSecret::Commitment(Hash([1; 32])))));
    row.parts = parts([
        "{\"action\":\"trailbook.redacted\",\"action_type\":\"other\",\"area\":null,\"client_id\":null,\"description\":null,\
         \"occurred_at\":\"2026-11-20T09:14:07.482Z\",\"organization\":\"acme\",\"product\":null,\"result\":\"success\",\
         \"security\":false,\"trace_id\":null}",
        "{\"email\":null,\"id\":null,\"name\":null,\"team\":null,\"type\":\"unknown\"}",
        "[]",
        "{\"ip\":null,\"referrer\":null,\"url\":null,\"user_agent\":null}",
        "{\"changes\":[],\"message\":null,\"metadata\":null}",
    ]);
    row
}

#[test]
fn redacted_parts_are_named_in_every_form() {
    let row = redacted();
    let all = json!(["core", "actor", "targets", "context", "details"]);
    let ocsf = written(&Payload::Ocsf, &row);
    assert_eq!(ocsf["unmapped"]["redacted"], all);
    assert_eq!(
        ocsf["actor"]["user"],
        json!({"name": "unknown", "type_id": 0, "type": "unknown"})
    );
    let ecs = written(&Payload::Ecs, &row);
    assert_eq!((&ecs["trailbook"]["redacted"], &ecs["user"]), (&all, &Value::Null));
    let message = read_cef(&cef(&row, &ENVELOPE, "0.1.0").unwrap());
    assert_eq!(
        message.extension["TrailbookRedacted"],
        "core,actor,targets,context,details"
    );
}

#[test]
fn a_cef_message_has_every_member_under_a_key() {
    let row = role_change();
    let message = read_cef(&cef(&row, &ENVELOPE, "0.1.0").unwrap());
    let header = [
        "0",
        "Trailbook",
        "Trailbook",
        "0.1.0",
        "user.role.updated",
        "user.role.updated",
        "8",
    ];
    assert_eq!(message.header, header);
    let id = row.id.to_string();
    for (key, value) in [
        ("rt", "1700000007000"),
        ("start", "1795166046482"),
        ("externalId", &id),
        ("deviceExternalId", "shop"),
        ("deviceFacility", "Studio"),
        ("act", "user.role.updated"),
        ("cat", "update"),
        ("outcome", "denied"),
        ("reason", "Only owners may"),
        ("msg", "Made Bill owner"),
        ("suid", "u_81"),
        ("suser", "Sarah Khan"),
        ("TrailbookActorEmail", "sarah@fashion.example"),
        ("duid", "u_92"),
        ("duser", "Bill Hart"),
        ("c6a2", "2001:db8::24"),
        ("c6a2Label", "Source IPv6 Address"),
        ("requestClientApplication", "curl/8"),
        ("cn1", "7"),
        ("cs1", "acme"),
        ("cs1Label", "organization"),
        ("cs2", "users"),
        ("cs3", "t-1"),
        ("cs5", "true"),
    ] {
        assert_eq!(message.extension.get(key).map(String::as_str), Some(value), "{key}");
    }
    let details: Value = serde_json::from_str(&message.extension["cs6"]).unwrap();
    assert_eq!(details["metadata"], json!({"a": [0.5, true], "b": {"c": null}}));
    let ipv4 = cef(&crate::ledger::row(1), &ENVELOPE, "1").unwrap();
    assert!(ipv4.contains(" src=203.0.113.24 ") && !ipv4.contains("c6a2"), "{ipv4}");
}

#[test]
fn a_syslog_message_says_when_what_and_how_grave() {
    let message = syslog(&role_change(), "host.example", "{\"a\":1}").unwrap();
    let id = role_change().id;
    let expected = format!(
        "<108>1 2026-11-20T09:14:06.482Z host.example trailbook - user.role.updated \
         [trailbook@32473 organization=\"acme\" id=\"{id}\" sequence=\"7\"] {{\"a\":1}}"
    );
    assert_eq!(String::from_utf8(message).unwrap(), expected);
    let calm = sent(
        &json!({"organization": "acme", "action": "größte Kühnheit, die man sich überhaupt vorstellen kann",
        "actor": {"id": "u_1"}}),
    );
    let read = read_syslog(&syslog(&calm, "", "Grüße\n\u{0}").unwrap());
    assert_eq!((read.priority, read.hostname.as_str()), (109, "-"));
    assert_eq!(read.message_id, "gr__te_K_hnheit,_die_man_sich__b");
    assert_eq!(read.message, "\u{feff}Grüße  ");
}
