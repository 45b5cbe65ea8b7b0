//! What filters mean: every field, every operator, and words, on one rich event and on one that has almost nothing.

use std::{borrow::Cow, cell::RefCell};

use proptest::prelude::*;
use trailbook_event::{
    Actor, Change, Context, Event, Field, Filter, Record, Target, Timestamp,
    filter::{self, MetadataPath, Words},
    json::{self, Value},
    language,
};

const NOON: Timestamp = Timestamp::from_millis(1_795_176_000_000);

fn some(text: &str) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(text))
}

fn value(text: &str) -> Value<'_> {
    json::parse(text, &json::Limits::default()).expect("a test value is JSON")
}

fn rich() -> Event<'static> {
    Event {
        organization: "fashion".into(),
        client_id: some("import-7"),
        occurred_at: NOON,
        action: "user.role.updated".into(),
        action_type: "update".into(),
        area: some("users_and_permissions"),
        product: some("UserManagement"),
        description: some("Changed role number 77"),
        security: true,
        result: "success".into(),
        trace_id: some("4BF92F"),
        actor: Actor {
            kind: "user".into(),
            id: some("u_81"),
            name: some("Zoë Müller 3"),
            email: some("Zoe@fashion.example"),
            team: some("Growth"),
        },
        targets: vec![
            Target {
                kind: "user".into(),
                id: some("u_92"),
                name: some("Bill Hart"),
                email: some("bill@fashion.example"),
            },
            Target {
                kind: "invite".into(),
                id: None,
                name: some("招待リンク"),
                email: None,
            },
        ],
        context: Context {
            ip: some("::ffff:203.0.113.24"),
            ..Context::default()
        },
        changes: vec![Change {
            field: "role".into(),
            before: Some(value(r#"{"name": ["administrator"], "level": 2}"#)),
            after: Some(value(r#""owner""#)),
        }],
        metadata: Some(value(
            r#"{"a.b":"dotted","deep":{"list":[{"k":"x"},{"k":["y",null]}]},"empty":null,"n":42,"ok":true,
                "plan":["Gold","silver plated"],"ratio":0.5,"raw":{"secret":"hidden"},"text":"42"}"#,
        )),
        message: some("passed along 역할 변경"),
    }
}

fn bare() -> Event<'static> {
    Event {
        organization: "fashion".into(),
        client_id: None,
        occurred_at: NOON,
        action: "job.ran".into(),
        action_type: "other".into(),
        area: None,
        product: None,
        description: None,
        security: false,
        result: "failure".into(),
        trace_id: None,
        actor: Actor {
            kind: "system".into(),
            id: None,
            name: None,
            email: None,
            team: None,
        },
        targets: Vec::new(),
        context: Context::default(),
        changes: Vec::new(),
        metadata: None,
        message: None,
    }
}

fn parsed(query: &str) -> Filter {
    language::parse(query, &|_, _, _| Some(NOON)).unwrap_or_else(|error| panic!("{query}: {error}"))
}

/// Whether a query holds for the rich event and for the bare one.
fn holds(query: &str) -> (bool, bool) {
    let filter = parsed(query);
    let (rich, bare) = (rich(), bare());
    let record = |event, country| {
        filter.matches(&Record {
            occurred_at: NOON,
            country,
            event,
        })
    };
    (record(&rich, Some("GB")), record(&bare, None))
}

#[test]
fn every_field_is_compared_whole_and_without_case_and_by_prefix() {
    for query in [
        "action:USER.role.updated",
        "action:user.*",
        "action_type:Update",
        "type:upd*",
        "area:users_and_permissions",
        "product:usermanagement",
        "actor:u_81",
        "actor:ZOE@fashion.example",
        "actor:\"ZOË MÜLLER 3\"",
        "actor:\"zoë m\"*",
        "actor_type:USER",
        "team:growth",
        "target:u_92",
        "target:\"bill hart\"",
        "target:BILL@*",
        "target:招待リンク",
        "target:招*",
        "target_type:invite",
        "target_type:user",
        "ip:203.0.113.24",
        "ip:203.0.113.0/24",
        "ip:203.0.*",
        "ip:::ffff:203.0.113.24",
        "ip:2001:db8::/32,203.0.113.0/28,203.0.113.16/28",
        "country:gb",
        "country:G*",
        "result:success",
        "trace_id:4bf92f",
        "client_id:IMPORT-*",
        "security:true",
        "security:TRUE",
        "changed:Role",
        "changed:*",
        "team:*",
        "ip:*",
        "metadata.n:*",
        "action:nothing,user.role.updated",
        "metadata.deep.list.k:y",
    ] {
        assert_eq!(holds(query), (true, false), "{query}");
        assert_eq!(holds(&format!("-{query}")), (false, true), "-{query}");
    }
}

#[test]
fn other_values_are_not_found() {
    for query in [
        "action:user",
        "action:role*",
        "actor:zoe",
        "actor:\"Zoe Müller 3\"",
        "actor:u_8",
        "target:u_81",
        "target:hart",
        "ip:203.0.113.2",
        "ip:203.0.114.0/24",
        "ip:2001:db8::/32",
        "ip:203.0.113.0/28",
        "country:gbr",
        "changed:role.name",
        "changed:\"role*\"",
        r"changed:role\*",
        "actor:Müller*",
    ] {
        assert_eq!(holds(query), (false, false), "{query}");
        assert_eq!(holds(&format!("-{query}")), (true, true), "-{query}");
    }
    assert_eq!(holds("security:false"), (false, true));
    assert_eq!(holds("security:true,false"), (true, true));
    assert_eq!(holds("result:success,failure"), (true, true));
}

#[test]
fn metadata_compares_text_forms_with_any_element() {
    for (query, want) in [
        ("metadata.n:42", true),
        ("metadata.text:42", true),
        ("metadata.n:42.0", false),
        ("metadata.n:4*", true),
        ("metadata.ok:true", true),
        ("metadata.ok:TRUE", true),
        ("metadata.ratio:0.5", true),
        ("metadata.empty:null", false),
        ("metadata.empty:*", false),
        ("metadata.plan:gold", true),
        ("metadata.plan:\"Silver Plated\"", true),
        ("metadata.plan:silver", false),
        ("metadata.deep.list.k:x", true),
        ("metadata.deep.list:x", false),
        ("metadata.deep:*", false),
        (r"metadata.a\.b:dotted", true),
        ("metadata.a.b:dotted", false),
        ("metadata.N:42", false),
    ] {
        assert_eq!(holds(query), (want, false), "{query}");
    }
}

#[test]
fn words_are_found_in_every_searched_text() {
    for query in [
        "MULLER",
        "müll",
        "zoe",
        "Zoë",
        "77",
        "\"role number 77\"",
        "\"ROLE number 77\"",
        "\"role num\"*",
        "user.role",
        "\"user.role.updated\"",
        "passed along",
        "along passed",
        "Growth",
        "zoe@fashion.example",
        "u_81",
        "u_92",
        "hart",
        "invite",
        "招待",
        "リンク",
        "\"待リ\"",
        "역할",
        "변",
        "administrator",
        "2",
        "owner",
        "role owner",
        "silver",
        "dotted",
        "42",
        "true",
        "0.5",
        "y",
    ] {
        assert_eq!(holds(query), (true, false), "{query}");
    }
    for query in [
        "uller",
        "\"role number 7\"",
        "\"number role\"",
        "\"updated changed\"",
        "\"bill hart invite\"",
        "hidden",
        "secret",
        "plan",
        "false",
        "역경",
        "\"역\"",
        "GB",
        "203",
        "待招",
        "\"owner gold\"",
        "import",
    ] {
        assert_eq!(holds(query), (false, false), "{query}");
    }
}

#[test]
fn operators_and_times() {
    for (query, want) in [
        ("", (true, true)),
        ("*", (true, true)),
        ("-*", (false, false)),
        ("zoe OR job", (true, true)),
        ("zoe job", (false, false)),
        ("zoe AND role", (true, false)),
        ("job ran OR zoe bill", (true, true)),
        ("(job OR zoe) bill", (true, false)),
        ("-(zoe OR job)", (false, false)),
        ("-zoe", (false, true)),
        ("-security:true actor:u_81", (false, false)),
        ("before:2026-11-20", (false, false)),
        ("after:2026-11-20", (true, true)),
        ("before:2026-11-20T12:00:00.001Z", (true, true)),
        ("-after:2026-11-20T12:00:00.001Z", (true, true)),
    ] {
        assert_eq!(holds(query), want, "{query}");
    }
}

#[test]
fn parameters_are_literal_but_for_a_star_at_the_end() {
    let (rich, bare) = (rich(), bare());
    for (name, values, want) in [
        ("actor", &["u_1", "u_81"][..], (true, false)),
        ("-actor", &["u_1", "u_81"], (false, true)),
        ("-actor", &["u_1"], (true, true)),
        ("actor", &["u_1,u_81"], (false, false)),
        ("actor", &["\"u_81\""], (false, false)),
        ("action", &["user.*"], (true, false)),
        ("action", &[r"user.\*"], (false, false)),
        ("target", &["Bill Hart"], (true, false)),
        ("security", &["false"], (false, true)),
        ("metadata.n", &["42"], (true, false)),
        (r"-metadata.a\.b", &["dotted"], (false, true)),
        ("ip", &["203.0.113.0/28"], (false, false)),
    ] {
        let filter = filter::from_parameter(name, values).expect(name).expect(name);
        let matches = |event, country| {
            filter.matches(&Record {
                occurred_at: NOON,
                country,
                event,
            })
        };
        assert_eq!(
            (matches(&rich, Some("GB")), matches(&bare, None)),
            want,
            "{name}={values:?}"
        );
    }
    for name in ["from", "q", "limit", "--actor", "type", "metadata", "actors", ""] {
        assert_eq!(filter::from_parameter(name, &["x"]), Ok(None), "{name}");
    }
    for (name, value, said) in [
        ("security", "yes", "`security` needs true or false, not `yes`"),
        ("actor", "", "`actor` needs a value, not ``"),
        ("-ip", "203.0.113", "`-ip` needs an IP address"),
        (
            "metadata.raw.x",
            "1",
            "`metadata.raw.x`: `metadata.raw` is kept but never searched",
        ),
        ("metadata.", "1", "followed by the path"),
    ] {
        let fault = filter::from_parameter(name, &[value]).expect_err(name);
        assert!(fault.contains(said), "{fault}");
    }
    let windows = filter::from_parameter("actor", &[r"CORP\\*"])
        .expect("a prefix")
        .expect("a field");
    assert_eq!(windows.to_string(), r#"actor:"CORP\\"*"#);
}

#[test]
fn facets_count_an_actor_by_id_and_each_target_once() {
    let event = rich();
    let record = Record {
        occurred_at: NOON,
        country: Some("GB"),
        event: &event,
    };
    let facet = |field| {
        let mut found = Vec::new();
        filter::facet_values(&record, &field, &mut |value, label| {
            found.push((value.to_owned(), label.map(str::to_owned)))
        });
        found
    };
    let own = |value: &str, label: Option<&str>| (value.to_owned(), label.map(str::to_owned));
    assert_eq!(facet(Field::Actor), [own("u_81", Some("Zoë Müller 3"))]);
    assert_eq!(
        facet(Field::Target),
        [own("u_92", Some("Bill Hart")), own("招待リンク", Some("招待リンク"))]
    );
    assert_eq!(facet(Field::Ip), [own("203.0.113.24", None)]);
}

#[test]
fn indexed_metadata_stops_at_its_bounds() {
    let path = |text: &str| MetadataPath::parse(text).expect("a path");
    let long = "v".repeat(257);
    let mut text = format!(
        r#"{{"a":[{{"x":1,"y":2}},{{"x":3}}],"b":"{long}","c":"{}""#,
        "w".repeat(256)
    );
    for number in 0..100 {
        text.push_str(&format!(r#","k{number:03}":{number}"#));
    }
    text.push('}');
    let mut event = bare();
    event.metadata = Some(value(&text));
    let seen = RefCell::new(Vec::new());
    filter::indexed_metadata(&event, &mut |path, value| {
        seen.borrow_mut().push((path.to_owned(), value.len()))
    });
    let seen = seen.into_inner();
    let own = |path: &str, length| (path.to_owned(), length);
    assert_eq!(seen[..4], [own("a.x", 1), own("a.y", 1), own("a.x", 1), own("c", 256)]);
    assert_eq!(seen.len(), 4 + 61, "the first 64 distinct paths are searched");
    assert_eq!(seen.last(), Some(&own("k060", 2)));
    assert_eq!(path(r"a\.b.c\\").keys(), ["a.b", r"c\"]);
    assert_eq!(MetadataPath::from_keys(&["a.b", r"c\"]), Ok(path(r"a\.b.c\\")));
    // Empty keys once vanished from the front of a path.
    assert_eq!(MetadataPath::from_keys(&["", "", "x"]), Ok(path("..x")));
    assert_eq!(path("..x").keys(), ["", "", "x"]);
    event.metadata = Some(value(r#"{"":{"x":1},"x":2}"#));
    let mut seen = Vec::new();
    filter::indexed_metadata(&event, &mut |path, value| seen.push(format!("{path}={value}")));
    assert_eq!(seen, [".x=1", "x=2"]);
    for refused in ["", "raw", "raw.x", r"a\", &long] {
        assert!(MetadataPath::parse(refused).is_err(), "{refused}");
    }
}

#[derive(Debug, Clone)]
enum Naive {
    Leaf(usize),
    All(Vec<Naive>),
    Any(Vec<Naive>),
    No(Box<Naive>),
}

/// Conditions with known answers on the rich event.
const LEAVES: [(&str, bool); 4] = [
    ("zoe", true),
    ("actor:nobody", false),
    ("security:true", true),
    ("before:2020-01-01T00:00:00Z", false),
];

impl Naive {
    fn holds(&self) -> bool {
        match self {
            Naive::Leaf(leaf) => LEAVES[*leaf].1,
            Naive::All(list) => list.iter().all(Naive::holds),
            Naive::Any(list) => list.iter().any(Naive::holds),
            Naive::No(inner) => !inner.holds(),
        }
    }

    fn built(&self) -> Filter {
        match self {
            Naive::Leaf(leaf) => parsed(LEAVES[*leaf].0),
            Naive::All(list) => Filter::all_of(list.iter().map(Naive::built)),
            Naive::Any(list) => Filter::any_of(list.iter().map(Naive::built)),
            Naive::No(inner) => inner.built().negated(),
        }
    }

    fn raw(&self) -> Filter {
        match self {
            Naive::Leaf(leaf) => parsed(LEAVES[*leaf].0),
            Naive::All(list) => Filter::And(list.iter().map(Naive::raw).collect()),
            Naive::Any(list) => Filter::Or(list.iter().map(Naive::raw).collect()),
            Naive::No(inner) => Filter::Not(Box::new(inner.raw())),
        }
    }
}

fn naive() -> impl Strategy<Value = Naive> {
    let leaf = (0..LEAVES.len()).prop_map(Naive::Leaf);
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Naive::All),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Naive::Any),
            inner.prop_map(|one| Naive::No(Box::new(one))),
        ]
    })
}

proptest! {
    #[test]
    fn and_or_not_are_the_naive_booleans(tree in naive()) {
        let event = rich();
        let record = Record { occurred_at: NOON, country: None, event: &event };
        for filter in [tree.built(), tree.raw()] {
            prop_assert_eq!(filter.matches(&record), tree.holds());
            prop_assert_eq!(parsed(&filter.to_string()).matches(&record), tree.holds(), "{}", filter);
        }
        prop_assert_eq!(parsed(&tree.built().to_string()), tree.built());
    }

    #[test]
    fn a_word_is_found_by_itself_and_by_its_beginnings(text in "\\PC{1,20}", cut in 0usize..20) {
        let mut event = bare();
        let Some(words) = Words::new(text.as_str()) else { return Ok(()) };
        event.description = some(&text);
        let record = Record { occurred_at: NOON, country: None, event: &event };
        prop_assert!(Filter::Phrase(words.clone()).matches(&record));
        for token in words.tokens() {
            let beginning: String = token.chars().take(cut.max(1)).collect();
            let word = Words::new(beginning.as_str());
            prop_assert!(word.is_none_or(|word| Filter::Word(word).matches(&record)), "{} in {}", beginning, text);
        }
    }
}
