//! Profiles as files: what is read, and what is refused where.

use std::path::PathBuf;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

const SHOP: &str = r#"
[profile]
name = "shop"
product = "Shop"
about = "Doors of a shop."

[policy]
view_roles = ["keeper"]
columns = [{ id = "what", label = "What", value = "{description}" }]

[policy.labels.values.role]
keeper = "Keeper"

[[catalog.actions]]
id = "door.opened"
name = "Door opened"
description = "Opened {targets.name}"

[catalog.actions.metadata]
type = "object"
properties.attempts = { type = "integer" }

[catalog.input.doors]
name = "doors"
keep = "metadata"
event = { action = { from = "/kind", map = { OPEN = "door.opened" } }, occurred_at = "/at" }
actor = [{ type = "unknown" }]

[catalog.output.doors]
rest = "/metadata"

[[examples]]
ago = "PT5M"
action = "door.opened"
actor = { id = "k_1" }
targets = [{ type = "door", name = "Front door" }]

[[foreign_examples]]
about = "A door"
mapping = "doors"
ago = "P1DT2H"
time = "/at"
payload = '{"kind":"OPEN","at":"2026-11-20T09:14:07.482Z","attempts":2}'
"#;

/// The places of what is wrong with the shop's profile when a text in it is another.
fn places(text: &str, with: &str) -> Vec<String> {
    assert!(SHOP.contains(text), "{text}");
    match Profile::read(&SHOP.replace(text, with), NOW) {
        Ok(profile) => complete::missing(&profile)
            .into_iter()
            .map(|fault| fault.path)
            .collect(),
        Err(faults) => faults
            .into_iter()
            .map(|fault| format!("{}:{}", fault.path, fault.line.unwrap_or_default()))
            .collect(),
    }
}

fn line(beginning: &str) -> usize {
    1 + SHOP
        .lines()
        .position(|line| line.starts_with(beginning))
        .expect("a line")
}

#[test]
fn every_built_in_profile_is_whole() {
    assert!(names().count() > 0);
    for name in names() {
        let profile = open(&name, NOW).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(profile.name, name, "named as its file");
        let missing = complete::missing(&profile);
        assert!(missing.is_empty(), "{name}:{}", listed(&missing));
    }
}

#[test]
fn a_fault_anywhere_is_named_with_its_line() {
    let nothing: [&str; 0] = [];
    assert_eq!(places("Doors of a shop.", "Doors."), nothing);
    let at = |path: &str, beginning: &str| [format!("{path}:{}", line(beginning))];
    let columns = at("policy.columns[0].value", "columns");
    assert_eq!(places("{description}", "{nothing}"), columns);
    assert_eq!(
        places("{targets.name}", "{target.name}"),
        at("catalog.actions[0].description", "description")
    );
    assert_eq!(
        places("actor = { id", "actor = { name"),
        at("examples[0].actor.id", "actor = { id")
    );
    assert_eq!(places("PT5M", "5 minutes ago"), at("examples[0].ago", "ago = \"PT5M"));
    assert_eq!(
        places("\"attempts\":2", "\"attempts\":\"2\""),
        at("foreign_examples[0].payload.attempts", "payload")
    );
    assert_eq!(
        places("rest = \"/metadata\"", "rest = \"/context\""),
        at("foreign_examples[0].payload", "payload")
    );
    assert_eq!(
        places("time = \"/at\"", "time = \"/when\""),
        at("foreign_examples[0].time", "time = ")
    );
    assert_eq!(
        places("view_roles", "view_rules"),
        at("policy.view_rules", "view_roles")
    );
    assert_eq!(
        places("about = \"Doors", "product_of = \"Doors").len(),
        2,
        "one that is missing, one that is unknown"
    );
}

#[test]
fn what_is_missing_is_named() {
    assert_eq!(
        places("keeper = \"Keeper\"", "buyer = \"Buyer\""),
        ["policy.view_roles"]
    );
    let another = "[[catalog.actions]]\nid = \"door.closed\"\nname = \"Door closed\"\n\n[catalog.input.doors]";
    assert_eq!(places("[catalog.input.doors]", another), ["catalog.actions[1]"]);
}

/// What makes a product is configuration: the code may not know one.
#[test]
fn no_code_names_a_product() {
    let products: Vec<String> = names()
        .flat_map(|name| {
            let profile = open(&name, NOW).expect("whole");
            [name, profile.product.to_lowercase()]
        })
        .collect();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders = vec![root.join("crates"), root.join("web")];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && !["node_modules", "dist", "target"].contains(&name) {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                read += 1;
                let named = products.iter().find(|product| names_it(&text.to_lowercase(), product));
                assert_eq!(named, None, "{}", path.display());
            }
        }
    }
    assert!(read > 100, "the sources are here");
    assert!(names_it("as shop does", "shop") && !names_it("workshops", "shop"));
}

/// Whether a text has a name as words of its own.
fn names_it(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        [before, after].iter().flatten().all(|letter| !letter.is_alphanumeric())
    })
}
