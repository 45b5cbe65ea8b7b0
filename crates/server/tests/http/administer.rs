//! Projects, organizations and catalogs from the command line.

use std::fs;

use serde_json::{Value, json};

use crate::server::{ROOT_KEY, Server, event};

fn done(server: &Server, arguments: &[&str]) -> String {
    let (code, said) = server.command(arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {said}");
    said
}

fn answer(server: &Server, arguments: &[&str]) -> Value {
    let said = done(server, arguments);
    serde_json::from_str(&said).unwrap_or_else(|_| panic!("{arguments:?}: {said}"))
}

/// What the command says when it refuses.
fn refused(server: &Server, arguments: &[&str]) -> String {
    let (code, said) = server.command(arguments);
    assert!(matches!(code, Some(1 | 2)), "{arguments:?}: {said}");
    said
}

fn file(server: &Server, name: &str, text: &str) -> String {
    let path = server.directory.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_policy_is_changed_field_by_field_and_inherited_again() {
    let server = Server::start();
    let policy = file(
        &server,
        "policy.toml",
        "title = 'Doors'\nmax_range_days = 30\nview_roles = ['keeper']\n",
    );
    let set = ["project", "set", "shop", "--organizations", "declared", "--policy"];
    let made = answer(&server, &[&set[..], &[&policy, "--retention-days", "90"]].concat());
    assert_eq!(
        (&made["organizations"], &made["policy"]["view_roles"]),
        (&json!("declared"), &json!(["keeper"]))
    );
    let projects = answer(&server, &["project", "list"]);
    assert_eq!(projects["projects"], json!(["default", "shop"]));

    // What is not named stays; what is inherited again goes.
    done(
        &server,
        &[
            "project",
            "set",
            "shop",
            "--set",
            "title=\"Gates\"",
            "--inherit",
            "max_range_days",
        ],
    );
    let shown = answer(&server, &["project", "show", "shop"]);
    assert_eq!(
        (&shown["organizations"], &shown["policy"]),
        (
            &json!("declared"),
            &json!({"title": "Gates", "view_roles": ["keeper"], "retention_days": 90})
        )
    );

    let own = |more: &[&'static str]| [more, &["--project", "shop"]].concat();
    let name = "fashion";
    done(
        &server,
        &own(&[
            "organization",
            "set",
            name,
            "--retention-days",
            "forever",
            "--legal-hold",
            "true",
        ]),
    );
    let changed = answer(
        &server,
        &own(&["organization", "set", name, "--set", "view_roles=[\"keeper\"]"]),
    );
    assert_eq!(
        changed["policy"],
        json!({"retention_days": null, "legal_hold": true, "view_roles": ["keeper"]})
    );
    assert_eq!(
        answer(&server, &own(&["organization", "list"])),
        json!({"organizations": [{"name": name, "size": 1}]}),
        "the event of the changed policy"
    );
    let error = refused(
        &server,
        &own(&["organization", "set", name, "--set", "titel=1", "--set", "hide_reads=2"]),
    );
    assert!(
        error.contains("/policy/titel") && error.contains("/policy/hide_reads"),
        "every fault: {error}"
    );
    let error = refused(&server, &own(&["organization", "set", name, "--set", "title=Log"]));
    assert!(error.contains("double quotes"), "{error}");
    let crowd: Vec<Value> = (0..1_001).map(|number| event(&format!("o_{number}"), number)).collect();
    assert_eq!(server.ingest(&json!({ "events": crowd })).status, 201);
    let listed = answer(&server, &["organization", "list"]);
    assert_eq!(
        listed["organizations"].as_array().unwrap().len(),
        1_001,
        "more than a page"
    );
    done(&server, &["project", "set", "empty"]);
    done(&server, &["project", "delete", "empty"]);
    assert!(refused(&server, &["project", "show", "empty"]).contains("404"));
}

/// While a shorter retention waits, the policy shows the one that is in force. Setting another field wrote that back, which took
/// the shortening back.
#[test]
fn another_field_is_not_set_over_a_retention_that_waits() {
    let server = Server::start();
    server.fill("acme", 1);
    let set = ["organization", "set", "acme"];
    done(&server, &[&set[..], &["--retention-days", "90"]].concat());
    done(&server, &[&set[..], &["--retention-days", "30"]].concat());
    let title = [&set[..], &["--set", "title=\"Log\""]].concat();
    let error = refused(&server, &title);
    assert!(error.contains("(30 days) waits until 20"), "{error}");
    let changed = answer(&server, &[&title[..], &["--retention-days", "30"]].concat());
    assert_eq!(
        (
            &changed["policy"]["title"],
            &changed["pending_retention"]["retention_days"]
        ),
        (&json!("Log"), &json!(30))
    );
}

#[test]
fn a_catalog_that_is_set_is_in_force_at_once_and_shown_as_it_was_written() {
    let setting = "actions = [{ id = 'user.role.updated', name = 'From the setting' }]";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("setting.toml");
    fs::write(&path, setting).unwrap();
    let environment = [
        ("TRAILBOOK_ROOT_KEY", ROOT_KEY),
        ("TRAILBOOK_CATALOG", path.to_str().unwrap()),
    ];
    let server = Server::start_with(directory, &environment);
    server.fill("acme", 1);
    let name = || server.get("/v1/organizations/acme/policy").json()["actions"][0]["name"].clone();
    assert_eq!(name(), "From the setting");

    let text = "# Doors.\nactions = [{ id = 'user.role.updated', name = 'Role', description = 'Made {targets.id}' }]\n";
    let set = answer(&server, &["catalog", "set", &file(&server, "own.toml", text)]);
    assert_eq!(set, json!({"revision": 1, "actions": 1}));
    assert_eq!(name(), "Role", "over the setting");
    assert_eq!(done(&server, &["catalog", "show"]), text, "with its comments");

    let wrong = "actions = [{ id = 'a' }, { id = 'b', name = 'B', area = 'c' }]";
    let error = refused(&server, &["catalog", "set", &file(&server, "wrong.toml", wrong)]);
    assert!(
        error.contains("/actions/0") && error.contains("/actions/1/area"),
        "{error}"
    );
    assert!(refused(&server, &["catalog", "set", &file(&server, "own.txt", text)]).contains(".toml or .json"));
    done(&server, &["project", "set", "shop"]);
    let own = file(
        &server,
        "own.json",
        r#"{"actions":[{"id":"door.opened","name":"Door"}]}"#,
    );
    done(&server, &["catalog", "set", &own, "--project", "shop"]);
    assert_eq!(name(), "Role", "of another project");

    let mut sent = event("acme", 1);
    sent.as_object_mut().unwrap().remove("description");
    assert_eq!(server.ingest(&sent).status, 201);
    let newest = server.get("/v1/organizations/acme/events?limit=1&order=desc&-action=trailbook.*");
    assert_eq!(newest.json()["events"][0]["description"], "Made t_1");
}
