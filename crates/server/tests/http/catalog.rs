//! The catalog at admission: what it adds, what it refuses, and what keeps it from being used.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::server::{ROOT_KEY, Server, event};

const CATALOG: &str = r#"
action_types = [{ id = "import", name = "Import" }]

[[areas]]
id = "users"
name = "Users"

[[actions]]
id = "user.imported"
name = "User imported"
area = "users"
action_type = "import"
product = "UserManagement"
description = "{actor.name} imported {targets.name} as {metadata.role}"
security = true

[actions.metadata]
type = "object"
required = ["role"]

[actions.metadata.properties]
role = { enum = ["owner", "reader"] }
took = { type = "integer", minimum = 0 }
"#;

fn with_catalog() -> Server {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("catalog.toml");
    fs::write(&file, CATALOG).unwrap();
    Server::start_with(
        directory,
        &[
            ("TRAILBOOK_ROOT_KEY", ROOT_KEY),
            ("TRAILBOOK_CATALOG", file.to_str().unwrap()),
        ],
    )
}

fn imported(metadata: &Value) -> Value {
    json!({
        "organization": "acme",
        "action": "user.imported",
        "actor": { "id": "u_1", "name": "Sarah Khan" },
        "targets": [{ "type": "user", "id": "u_2", "name": "Bill Hart" }],
        "metadata": metadata,
    })
}

/// The members that a catalog can fill in.
fn filled(event: &Value) -> Value {
    let members = ["area", "action_type", "product", "security", "description"];
    members.iter().map(|member| event[member].clone()).collect()
}

#[test]
fn what_the_sender_leaves_out_is_filled_in_and_stored() {
    let server = with_catalog();
    let sent = imported(&json!({ "role": "owner" }));
    let expected = json!([
        "users",
        "import",
        "UserManagement",
        true,
        "Sarah Khan imported Bill Hart as owner"
    ]);
    let verdict = server
        .post("/v1/events/validate", &[], sent.to_string().as_bytes())
        .json();
    assert_eq!(filled(&verdict["events"][0]), expected);
    let mut own = imported(&json!({ "role": "reader" }));
    own["description"] = json!("Brought in");
    own["security"] = json!(false);
    let answer = server.ingest(&json!({ "events": [sent, own] }));
    assert_eq!(answer.status, 201, "{}", answer.text());

    let (_, directory) = server.stop();
    let without = Server::start_with(directory, &[("TRAILBOOK_ROOT_KEY", ROOT_KEY)]);
    let page = without.get("/v1/organizations/acme/events?order=asc").json();
    assert_eq!(
        filled(&page["events"][0]),
        expected,
        "as it was stored, without a catalog now"
    );
    assert_eq!(
        filled(&page["events"][1]),
        json!(["users", "import", "UserManagement", false, "Brought in"])
    );
}

#[test]
fn metadata_that_does_not_fit_is_refused_with_its_place() {
    let server = with_catalog();
    let events = [
        imported(&json!({ "role": "king", "took": -1 })),
        event("acme", 0),
        imported(&Value::Null),
    ];
    let refused = server.ingest(&json!({ "events": events }));
    assert_eq!((refused.status, refused.problem().as_str()), (422, "invalid"));
    let document = refused.json();
    let mut pointers: Vec<_> = document["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        [
            "/events/0/metadata/role",
            "/events/0/metadata/took",
            "/events/2/metadata"
        ]
    );
    assert_eq!(server.count("acme"), 0);
}

#[test]
fn actions_that_the_catalog_does_not_know_are_stored_as_sent() {
    let server = with_catalog();
    let mut unknown = imported(&json!({ "role": "king" }));
    unknown["action"] = json!("user.exported");
    assert_eq!(server.ingest(&unknown).status, 201);
    let page = server.get("/v1/organizations/acme/events").json();
    assert_eq!(filled(&page["events"][0]), json!([null, "other", null, false, null]));
}

#[test]
fn facets_have_the_words_of_the_catalog_and_its_values_that_no_event_has() {
    let server = with_catalog();
    let other = json!({ "organization": "acme", "action": "z", "action_type": "read", "actor": { "id": "u_1" } });
    assert_eq!(server.ingest(&other).status, 201);
    let facets = |query: &str| {
        let answer = server.get(&format!("/v1/organizations/acme/events/facets?{query}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["facets"].clone()
    };
    let imported_yet = |count: u64| {
        json!([
            { "value": "z", "label": null, "count": 1 },
            { "value": "user.imported", "label": "User imported", "count": count },
        ])
    };
    assert_eq!(facets("field=action")["action"], imported_yet(0));
    assert_eq!(facets("field=action&limit=1")["action"].as_array().unwrap().len(), 1);
    assert_eq!(
        facets("field=action&prefix=user%20IMP")["action"],
        json!([imported_yet(0)[1]])
    );
    assert_eq!(facets("field=action&prefix=nothing")["action"], json!([]));
    assert_eq!(
        facets("field=area")["area"],
        json!([{ "value": "users", "label": "Users", "count": 0 }])
    );
    assert_eq!(
        facets("field=action_type&prefix=V")["action_type"],
        json!([{ "value": "read", "label": "View", "count": 1 }])
    );
    assert_eq!(server.ingest(&imported(&json!({ "role": "owner" }))).status, 201);
    assert_eq!(
        facets("field=action&prefix=User")["action"],
        json!([imported_yet(1)[1]])
    );
}

#[test]
fn a_faulty_catalog_refuses_the_start_and_names_every_fault() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("catalog.toml");
    fs::write(
        &file,
        CATALOG
            .replace("area = \"users\"", "area = \"usres\"")
            .replace("{actor.name}", "{actor.nmae}"),
    )
    .unwrap();
    let start = |catalog: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_trailbook"))
            .args(["serve", "--listen", "nowhere", "--catalog", catalog, "--data"])
            .arg(directory.path().join("data"))
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = start(file.to_str().unwrap());
    assert_eq!(code, Some(78), "{text}");
    let line = |start: &str| 1 + CATALOG.lines().position(|line| line.starts_with(start)).unwrap();
    for fault in [
        "--listen: \"nowhere\"".to_owned(),
        format!("catalog.toml: actions[0].area (line {}): ", line("area =")),
        format!(
            "catalog.toml: actions[0].description (line {}): ",
            line("description =")
        ),
    ] {
        assert!(text.contains(&fault), "{fault} is missing: {text}");
    }
    assert!(!directory.path().join("data").exists(), "nothing was made");
    assert_eq!(start("absent.toml").0, Some(78));
}
