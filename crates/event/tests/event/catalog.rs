//! The catalog: what is read, every fault with its place, what admission gets from it.
#![cfg(feature = "catalog")]

use trailbook_event::{
    ActionDefaults, Defaults, Event, Part, Parts,
    catalog::{Catalog, CatalogFault, DESCRIPTION_BYTES_MAX, ENVELOPE, EventPath, Template, UnknownActions},
};

const TOML: &str = r#"
action_types = [{ id = "import", name = "Import" }]

[[areas]]
id = "users"
name = "Users and permissions"

[[areas]]
id = "data"
name = "Data"

[[actions]]
id = "user.role.updated"
name = "Role updated"
area = "users"
action_type = "update"
product = "UserManagement"
description = "{actor.name} made {targets.name} {metadata.role} {{in {metadata.teams}}}"
security = true
targets = ["user"]
why = "Roles decide who may do what."
units = { "took" = "ms" }

[actions.metadata]
type = "object"
required = ["role"]
additionalProperties = false
properties = { role = { type = "string", enum = ["owner", "member"] }, took = { type = "integer", minimum = 0 }, teams = {} }

[[actions]]
id = "data.created"
name = "Created"
area = "data"
action_type = "import"

[[actions]]
id = "user.created"
name = "Created"
area = "users"

[[actions]]
id = "user.made"
name = "Made"
area = "users"

[[actions]]
id = "user.built"
name = "Made"
area = "users"
"#;

fn catalog() -> Catalog {
    Catalog::from_toml(TOML).expect("the test catalog is right")
}

/// An event by the actor Sarah, with these targets and metadata, whose action is `action`.
fn with_event(action: &str, targets: &str, metadata: &str, look: impl FnOnce(&Event<'_>)) {
    let core = format!(
        r#"{{"action":"{action}","action_type":"update","area":null,"client_id":null,"description":null,"occurred_at":"2026-11-20T09:14:07.482Z","organization":"fashion","product":null,"result":"success","security":true,"trace_id":null}}"#
    );
    let texts = [
        core.as_str(),
        r#"{"email":null,"id":"u_81","name":"Sarah","team":null,"type":"user"}"#,
        targets,
        r#"{"ip":null,"referrer":null,"url":null,"user_agent":null}"#,
        &format!(
            r#"{{"changes":[{{"after":["owner",1],"before":null,"field":"role"}}],"message":null,"metadata":{metadata}}}"#
        ),
    ];
    let mut end = 0;
    let ends = texts.map(|text| {
        end += u32::try_from(text.len()).expect("short");
        end
    });
    let parts = Parts::new(texts.concat().into_bytes(), ends).expect("five parts");
    assert_eq!(parts.part(Part::Targets), targets.as_bytes());
    look(&Event::parse(&parts).expect("a test event is canonical"));
}

const TWO_TARGETS: &str =
    r#"[{"email":null,"id":"u_92","name":"Bill","type":"user"},{"email":null,"id":"u_93","name":null,"type":"user"}]"#;

#[test]
fn what_the_catalog_says_reaches_admission() {
    let catalog = catalog();
    let rules = catalog.rules(UnknownActions::Accept);
    assert_eq!(
        rules.of("user.role.updated"),
        Some(ActionDefaults {
            area: Some("users"),
            action_type: Some("update"),
            product: Some("UserManagement"),
            security: Some(true)
        })
    );
    assert_eq!(rules.of("nothing"), None);
    assert_eq!(rules.action_types(), ["import"]);
    with_event(
        "user.role.updated",
        TWO_TARGETS,
        r#"{"role":"owner","teams":["a","b"]}"#,
        |event| {
            assert_eq!(
                rules.describe(event).as_deref(),
                Some("Sarah made Bill, — owner {in a, b}")
            );
            assert_eq!(rules.complaints(event), []);
        },
    );
    with_event("data.created", "[]", "null", |event| {
        assert_eq!(rules.describe(event), None);
        assert_eq!(rules.complaints(event), []);
    });
}

#[test]
fn metadata_is_held_to_its_schema() {
    let catalog = catalog();
    let complaints = |metadata: &str| {
        let mut said = Vec::new();
        with_event("user.role.updated", "[]", metadata, |event| {
            said = catalog.rules(UnknownActions::Accept).complaints(event);
        });
        said.into_iter().map(|fault| fault.to_string()).collect::<Vec<_>>()
    };
    for (metadata, places) in [
        (r#"{"role":"owner","took":12}"#, &[][..]),
        (
            r#"{"role":"king","took":-1.5}"#,
            &["/metadata/role: ", "/metadata/took: ", "/metadata/took: "],
        ),
        (r#"{"role":"owner","a/b":1}"#, &["/metadata: "]),
        ("null", &["/metadata: "]),
    ] {
        let mut said = complaints(metadata);
        said.sort();
        assert_eq!(said.len(), places.len(), "{metadata}: {said:?}");
        assert!(
            said.iter().zip(places).all(|(said, place)| said.starts_with(place)),
            "{metadata}: {said:?}"
        );
        assert!(
            said.iter().all(|said| !said.contains("king")),
            "values are not repeated: {said:?}"
        );
    }
}

#[test]
fn unknown_actions_follow_the_policy() {
    let catalog = catalog();
    with_event("user.role.update", "[]", "null", |event| {
        for accepted in [UnknownActions::Accept, UnknownActions::Mark] {
            assert_eq!(catalog.rules(accepted).complaints(event), []);
        }
        let refused = catalog.rules(UnknownActions::Refuse).complaints(event);
        assert_eq!(refused.len(), 1);
        assert_eq!(
            refused[0].to_string(),
            "/action: the catalog has no action `user.role.update`; did you mean user.role.updated?"
        );
    });
}

#[test]
fn labels_add_the_area_where_names_are_shared() {
    let catalog = catalog();
    for (id, label) in [
        ("user.role.updated", "Role updated"),
        ("data.created", "Created (Data)"),
        ("user.created", "Created (Users and permissions)"),
        ("user.made", "Made (user.made)"),
        ("unheard.of", "unheard.of"),
    ] {
        assert_eq!(catalog.label(id), label);
    }
}

#[test]
fn json_has_the_same_shape() {
    let json = r#"{"areas":[{"id":"users","name":"Users"}],"actions":[{"id":"a.b","name":"A","area":"users",
        "metadata":{"properties":{"n":{"type":"number"}}},"units":{"n":"ms"},"why":"because","targets":["user"]}]}"#;
    let catalog = Catalog::from_json(json).expect("right");
    let action = catalog.action("a.b").expect("there");
    assert_eq!((action.units[0].0.as_str(), action.units[0].1.as_str()), ("n", "ms"));
    assert_eq!(
        (action.why.as_deref(), action.targets.as_slice()),
        (Some("because"), &["user".to_owned()][..])
    );
    assert!(
        Catalog::from_json("{}")
            .expect("an empty catalog is one")
            .actions()
            .is_empty()
    );
}

fn said(faults: Result<Catalog, Vec<CatalogFault>>) -> Vec<String> {
    faults.expect_err("faults").iter().map(ToString::to_string).collect()
}

#[test]
fn every_fault_is_reported_with_its_place() {
    let text = r#"
aeras = []

[[areas]]
id = "users"
name = "Users"

[[areas]]
id = "users"

[[action_types]]
id = "update"
name = "Update"

[[actions]]
id = "trailbook.own"
name = "Own"
area = "usres"
action_type = "updaet"

[[actions]]
id = "a"
name = 7
description = "{actor.nme} {"
securty = true
security = "yes"
targets = ["user", ""]
units = { "raw.x" = "ms" }

[[actions]]
id = "a"
name = "A"
metadata = { type = "sting", "$ref" = "https://example.com/s" }

[[actions]]
id = "b"
name = "B"
metadata = { "$ref" = "https://example.com/s" }

[[actions]]
id = "c"
name = "C"
metadata = { "$schema" = "http://json-schema.org/draft-07/schema#" }
"#;
    let faults = said(Catalog::from_toml(text));
    let wanted = [
        "aeras (line 2): `aeras` is not known here; did you mean areas?",
        "areas[1] (line 8): `name` is missing",
        "areas[1].id (line 9): `users` is there already",
        "action_types[0].id (line 12): `update` is built in",
        "actions[0].id (line 16): ids that begin with `trailbook.`",
        "actions[0].area (line 18): `usres` is not in the catalog; add it to `areas`, or did you mean users?",
        "actions[0].action_type (line 19): `updaet` is not in the catalog",
        "actions[1].name (line 23): this must be a text, not a number",
        "actions[1].description (line 24): an event has no `actor.nme`; did you mean actor.name?",
        "actions[1].description (line 24): a `{` is not closed",
        "actions[1].securty (line 25): `securty` is not known here; did you mean security?",
        "actions[1].security (line 26): this must be true or false, not a text",
        "actions[1].targets[1] (line 27): this must not be empty",
        "actions[1].units.raw.x (line 28): `metadata.raw` is kept but never searched",
        "actions[2].id (line 31): `a` is there already",
        "actions[2].metadata.type (line 33): this is not a usable JSON Schema (2020-12)",
        "actions[3].metadata (line 38): this is not a usable JSON Schema (2020-12): the schema does not compile",
        "actions[4].metadata.$schema (line 43): this is not a usable JSON Schema (2020-12): schemas are JSON Schema 2020-12",
    ];
    for wanted in wanted {
        assert!(
            faults.iter().any(|fault| fault.starts_with(wanted)),
            "{wanted} is missing in {faults:#?}"
        );
    }
    assert_eq!(faults.len(), wanted.len(), "{faults:#?}");
}

#[test]
fn texts_that_are_no_catalog_are_refused() {
    for (text, wanted) in [
        ("areas = [", "the file (line 1): this is not TOML"),
        ("a = 1\na = 2", "the file (line 2): this is not TOML"),
        ("areas = 7", "areas (line 1): this must be a list, not a number"),
        (
            "actions = [1]",
            "actions[0] (line 1): this must be a table, not a number",
        ),
        ("x = 2026-11-20", "x (line 1): a date is written as a text"),
        ("x = 9007199254740993", "x (line 1): an integer is between"),
        ("x = nan", "x (line 1): a number is finite"),
    ] {
        let faults = said(Catalog::from_toml(text));
        assert!(faults[0].starts_with(wanted), "{text}: {faults:?}");
    }
    for text in ["", "[]", "{\"areas\":[],\"areas\":[]}", "{\"areas\":\n}"] {
        assert_eq!(said(Catalog::from_json(text)).len(), 1, "{text}");
    }
    assert!(said(Catalog::from_toml(&"#".repeat(2_000_000)))[0].contains("longer than"));
    let deep = format!("x = {}{}", "[".repeat(70), "]".repeat(70));
    assert_eq!(said(Catalog::from_toml(&deep)).len(), 1);
}

#[test]
fn templates_reach_every_place_of_an_event() {
    let metadata = r#"{"a.b":"dot","list":[{"k":"x"},{"k":null},{"j":1}],"n":42,"o":{"p":[true,0.5]},"t":""}"#;
    with_event("a", TWO_TARGETS, metadata, |event| {
        for (template, rendered) in [
            ("plain", "plain"),
            ("{{}}{{action}}", "{}{action}"),
            ("{action} {result} {security} {area}", "a success true —"),
            ("{occurred_at}", "2026-11-20T09:14:07.482Z"),
            ("{actor.id} {actor.email} {context.ip}", "u_81 — —"),
            ("{targets.0.name} {targets.1.name} {targets.2.name}", "Bill — —"),
            ("{targets.id}", "u_92, u_93"),
            (
                "{changes.field}: {changes.before} → {changes.0.after}",
                "role: — → owner, 1",
            ),
            (
                "{metadata.n} {metadata.o.p} {metadata.o.p.1} {metadata.o}",
                r#"42 true, 0.5 0.5 {"p":[true,0.5]}"#,
            ),
            ("{metadata.list.k} {metadata.list.0.k} {metadata.none.k}", "x, — x —"),
            (r"{metadata.a\.b}[{metadata.t}]", "dot[]"),
        ] {
            assert_eq!(
                Template::parse(template).expect(template).render(event),
                rendered,
                "{template}"
            );
        }
    });
    for wrong in [
        "{",
        "}",
        "{}",
        "{ actor.name }",
        "{actor}",
        "{targets.x}",
        "{targets.0}",
        "{description}",
        "{metadata.}",
        "{a{b}",
    ] {
        assert!(Template::parse(wrong).is_err(), "{wrong}");
    }
    assert!(EventPath::parse("description").is_ok());
}

#[test]
fn a_template_takes_the_first_alternative_that_is_there() {
    with_event(
        "a",
        r#"[{"email":null,"id":"u_7","name":null,"type":"user"}]"#,
        r#"{"plan":"gold"}"#,
        |event| {
            for (template, rendered) in [
                ("{targets.name|targets.id}", "u_7"),
                ("{metadata.none|metadata.plan|metadata.n}", "gold"),
                ("{metadata.none|targets.name}", "—"),
            ] {
                assert_eq!(
                    Template::parse(template).expect(template).render(event),
                    rendered,
                    "{template}"
                );
            }
        },
    );
    assert!(Template::parse("{targets.name|nothing}").is_err());
}

#[test]
fn columns_may_name_the_envelope_and_descriptions_may_not() {
    let column = Template::parse_column("{id|sequence} on {country} {description}").expect("a column");
    let read = |there: &'static [&'static str]| {
        column.render_with(|path| {
            let name = path.member()?;
            there.contains(&name).then(|| name.into())
        })
    };
    assert_eq!(read(&["sequence", "country"]), "sequence on country —");
    assert_eq!(read(&["id", "sequence"]), "id on — —");
    assert_eq!(read(&[]), "", "nothing of it is there");
    for path in ENVELOPE {
        assert!(Template::parse(&format!("{{{path}}}")).is_err(), "{path}");
    }
}

#[test]
fn what_is_found_says_whose_labels_apply() {
    with_event(
        "a",
        r#"[{"email":null,"id":"u_7","name":null,"type":"user"},{"email":null,"id":null,"name":"T","type":"team"}]"#,
        r#"{"rights":["read","write"]}"#,
        |event| {
            let found = |path: &str| {
                let path = EventPath::parse(path).expect(path);
                let found = path.found(event);
                found
                    .iter()
                    .map(|found| format!("{}={}", found.of, found.text.as_deref().unwrap_or("—")))
                    .collect::<Vec<_>>()
            };
            assert_eq!(found("targets.name"), ["targets.name=—", "targets.name=T"]);
            assert_eq!(found("targets.1.type"), ["targets.type=team"]);
            assert_eq!(
                found("metadata.rights"),
                ["metadata.rights=read", "metadata.rights=write"]
            );
            assert_eq!(found("metadata.rights.1"), ["metadata.rights=write"]);
            assert_eq!(found("changes.0.after"), ["role=owner", "role=1"]);
            assert_eq!(found("actor.type"), ["actor.type=user"]);
        },
    );
}

#[test]
fn descriptions_are_bounded() {
    with_event("a", "[]", &format!(r#"{{"long":"{}"}}"#, "é".repeat(5_000)), |event| {
        let template = Template::parse(&"{metadata.long}".repeat(50)).expect("right");
        let description = template.render(event);
        assert!(description.len() <= DESCRIPTION_BYTES_MAX && description.ends_with("é…"));
    });
}

#[test]
fn schemas_that_refer_to_themselves_do_not_loop() {
    let tree = r##"{"actions":[{"id":"a","name":"A","metadata":{"$ref":"#/$defs/node","$defs":{"node":{"type":"object",
        "properties":{"inner":{"$ref":"#/$defs/node"}}}}}}]}"##;
    let catalog = Catalog::from_json(tree).expect("recursion into the value is fine");
    with_event("a", "[]", r#"{"inner":{"inner":{"inner":7}}}"#, |event| {
        let said = catalog.rules(UnknownActions::Accept).complaints(event);
        assert_eq!(said[0].pointer.as_str(), "/metadata/inner/inner/inner");
    });
    for endless in [r##"{"$ref":"#"}"##, r##"{"allOf":[{"$ref":"#"}]}"##] {
        let text = format!(r#"{{"actions":[{{"id":"a","name":"A","metadata":{endless}}}]}}"#);
        if let Ok(catalog) = Catalog::from_json(&text) {
            with_event("a", "[]", "{}", |event| {
                drop(catalog.rules(UnknownActions::Accept).complaints(event))
            });
        }
    }
}
