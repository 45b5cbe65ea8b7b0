//! A profile from its file to a log that speaks like the product: applied, compared, applied again, seen by readers.

use std::fs;

use serde_json::{Value, json};

use crate::server::{ROOT_KEY, Server};

/// A product that nobody has heard of.
const SHOP: &str = r#"
[profile]
name = "shop"
product = "Shop"
about = "Doors of a shop."

[policy]
title = "Doors"
view_roles = ["keeper"]
export_roles = ["keeper"]
retention_days = 40
columns = [{ id = "what", label = "What", value = "{area}: {description}" }, { id = "who", label = "Who", value = "{actor.name|actor.type}" }]

[policy.labels.values.role]
keeper = "Keeper"

[[catalog.areas]]
id = "front"
name = "Front of the shop"

[[catalog.actions]]
id = "door.opened"
name = "Door opened"
area = "front"
description = "Opened {targets.name}"

[catalog.input.doors]
name = "doors"
keep = "metadata"
event = { action = { from = "/kind", map = { OPEN = "door.opened" } }, occurred_at = "/at", trace_id = "/walk" }
actor = [{ type = "unknown" }]
targets = [{ type = "door", name = "/door" }]

[catalog.output.doors]
rest = "/metadata"

[[examples]]
ago = "PT5M"
action = "door.opened"
actor = { id = "k_1", name = "Mia" }
targets = [{ type = "door", name = "Front door" }]

[[foreign_examples]]
about = "A door"
mapping = "doors"
ago = "P1DT2H"
time = "/at"
payload = '{"kind":"OPEN","at":"2024-11-20T09:14:07.482Z","door":"Side door","walk":"w-000017"}'
"#;

fn written(server: &Server, text: &str) -> String {
    let file = server.directory.path().join("shop.toml");
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

fn succeeds(server: &Server, arguments: &[&str]) -> String {
    let (code, said) = server.command(arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {said}");
    said
}

fn own_events(server: &Server, query: &str) -> Vec<Value> {
    let page = server.get(&format!(
        "/v1/organizations/demo/events?limit=1000&-action=trailbook.*{query}"
    ));
    assert_eq!(page.status, 200, "{}", page.text());
    page.json()["events"].as_array().unwrap().clone()
}

#[test]
fn a_profile_that_nobody_knows_is_a_file_and_nothing_else() {
    let server = Server::start();
    let file = written(&server, SHOP);
    assert!(succeeds(&server, &["profile", "check", &file]).contains("1 actions, 1 examples, 1 payloads"));
    let (code, said) = server.command(&["profile", "diff", &file]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("policy.title: inherited → \"Doors\"") && said.contains("catalog: none → 1 actions"),
        "{said}"
    );

    succeeds(&server, &["profile", "apply", &file, "--examples"]);
    assert_eq!(succeeds(&server, &["profile", "diff", &file]), "");
    let again = succeeds(&server, &["profile", "apply", &file]);
    assert!(again.contains("project default is as the profile shop says"), "{again}");
    let acts = server
        .get("/v1/organizations/_system/events?action=trailbook.catalog.changed")
        .json();
    assert_eq!(
        acts["events"].as_array().unwrap().len(),
        1,
        "once, although applied twice"
    );

    let events = own_events(&server, "&order=asc");
    let descriptions: Vec<&Value> = events.iter().map(|event| &event["description"]).collect();
    assert_eq!(descriptions, [&json!("Opened Side door"), &json!("Opened Front door")]);
    let payload = &own_events(&server, "&order=asc&mapping=doors")[0];
    assert_eq!(
        (&payload["door"], &payload["at"]),
        (&json!("Side door"), &events[0]["occurred_at"])
    );
    let policy = server.get("/v1/organizations/demo/policy").json();
    assert_eq!(
        (&policy["title"], &policy["retention_days"]),
        (&json!("Doors"), &json!(40))
    );
    let table = server
        .get("/v1/organizations/demo/events.csv?labels=true&-action=trailbook.*")
        .text();
    assert_eq!(
        table.lines().collect::<Vec<_>>(),
        [
            "What,Who",
            "Front of the shop: Opened Front door,Mia",
            "Front of the shop: Opened Side door,unknown"
        ]
    );
}

#[test]
fn a_change_of_the_file_is_said_and_applied_and_what_is_no_products_stays() {
    let server = Server::start();
    let file = written(&server, SHOP);
    succeeds(&server, &["profile", "apply", &file]);
    let policy = server.get("/v1/projects/default").json()["policy"].clone();
    let mut own = policy.clone();
    own["embed_origins"] = json!(["https://app.example"]);
    own["feedback_url"] = json!("https://help.example");
    assert_eq!(
        server.put("/v1/projects/default", &json!({ "policy": own })).status,
        200
    );
    let changed = SHOP
        .replace("title = \"Doors\"", "title = \"Gates\"")
        .replace("Door opened", "Gate opened");
    let file = written(&server, &changed);
    let (code, said) = server.command(&["profile", "diff", &file]);
    assert_eq!(code, Some(1));
    let expected = [
        "policy.feedback_url: \"https://help.example\" → inherited",
        "policy.title: \"Doors\" → \"Gates\"",
        "catalog.actions: door.opened changed",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
    let said = succeeds(&server, &["profile", "apply", &file]);
    assert!(expected.iter().all(|line| said.contains(line)), "{said}");
    let policy = server.get("/v1/projects/default").json()["policy"].clone();
    assert_eq!(
        (&policy["title"], &policy["embed_origins"]),
        (&json!("Gates"), &json!(["https://app.example"]))
    );
    assert_eq!(policy["feedback_url"], Value::Null);
}

#[test]
fn one_organization_may_have_a_policy_of_its_own_from_a_profile() {
    let server = Server::start();
    let file = written(&server, SHOP);
    succeeds(&server, &["profile", "apply", &file, "--organization", "acme"]);
    assert_eq!(server.get("/v1/organizations/acme").json()["policy"]["title"], "Doors");
    assert!(server.get("/v1/projects/default").json()["policy"]["title"].is_null());
    assert_eq!(
        server.get("/v1/projects/default/catalog").status,
        404,
        "the catalog is the project's"
    );
    assert_eq!(
        succeeds(&server, &["profile", "diff", &file, "--organization", "acme"]),
        ""
    );
}

#[test]
fn a_faulty_profile_is_refused_before_anything_is_sent() {
    let server = Server::start();
    let file = written(&server, &SHOP.replace("{targets.name}", "{target.name}"));
    for command in ["check", "apply", "diff"] {
        let (code, said) = server.command(&["profile", command, &file]);
        assert_eq!(code, Some(1), "{command}: {said}");
        assert!(
            said.contains("catalog.actions[0].description (line "),
            "{command}: {said}"
        );
    }
    let (code, said) = server.command(&["profile", "apply", "shopp"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("there is no profile \"shopp\""), "{said}");
    assert_eq!(server.get("/v1/projects/default/catalog").status, 404);
}

#[test]
fn every_built_in_profile_is_applied_with_all_its_examples_and_demonstrated_over_weeks() {
    let list = Server::start();
    let names: Vec<String> = succeeds(&list, &["profile", "list"])
        .lines()
        .filter(|line| !line.starts_with('\t'))
        .map(|line| line.split('\t').next().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 5);
    for name in names {
        let directory = tempfile::tempdir().unwrap();
        let server = Server::start_with(directory, &[("TRAILBOOK_ROOT_KEY", ROOT_KEY)]);
        let said = succeeds(&server, &["demo", "--profile", &name]);
        assert!(said.contains("/#key="), "{said}");
        let before = server.count("demo");
        assert_eq!(succeeds(&server, &["profile", "diff", &name]), "", "{name}");
        let again = succeeds(&server, &["demo", "--profile", &name]);
        assert!(again.contains("demo has events already"), "{again}");
        assert_eq!(server.count("demo"), before, "{name}");
        let events = own_events(&server, "");
        assert!(events.len() > 20, "{name}: {}", events.len());
    }
}
