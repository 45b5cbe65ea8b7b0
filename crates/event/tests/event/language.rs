//! The query language: what is read, what is refused and where, and that printing and reading are inverse.

use proptest::prelude::*;
use trailbook_event::{
    Field, Filter, Timestamp,
    filter::{Folded, MetadataPath, Network, Pattern, Words},
    language::{self, QUERY_BYTES_MAX, QUERY_DEPTH_MAX, QUERY_TERMS_MAX, QueryError},
};

/// Days of a pretended zone in which every month has 31 days and November has 30.
fn day_start(year: i16, month: i8, day: i8) -> Option<Timestamp> {
    let exists = (1..=12).contains(&month) && (1..=31).contains(&day) && !(month == 11 && day == 31);
    exists
        .then(|| Timestamp::from_millis((i64::from(year) * 372 + i64::from(month) * 31 + i64::from(day)) * 86_400_000))
}

fn parse(query: &str) -> Result<Filter, QueryError> {
    language::parse(query, &day_start)
}

#[test]
fn queries_print_in_canonical_form() {
    for (query, canonical) in [
        ("", ""),
        ("  ", ""),
        ("*", ""),
        (" two   words ", "two words"),
        ("a AND b", "a b"),
        ("a b OR c d", "a b OR c d"),
        ("(a OR b) (c OR d)", "(a OR b) (c OR d)"),
        ("((a)) OR (b OR (c))", "a OR b OR c"),
        ("(a b) c", "a b c"),
        ("-(a b)", "-(a b)"),
        ("-(-a)", "a"),
        ("-(((a)))", "-a"),
        ("type:Login", "action_type:Login"),
        ("Actor:x", "actor:x"),
        ("METADATA.Plan:gold", "metadata.Plan:gold"),
        ("actor:a,\"b c\",d*", "actor:a,\"b c\",d*"),
        ("actor:\"plain\"", "actor:plain"),
        ("actor:\"a*\"", "actor:\"a*\""),
        (r"actor:a\*", "actor:\"a*\""),
        (r"actor:a\ b\,c", "actor:\"a b,c\""),
        (r"actor:CORP\jdoe", r#"actor:"CORP\\jdoe""#),
        ("\"role number 77\"", "\"role number 77\""),
        ("\"role num\"*", "\"role num\"*"),
        ("\"or\" or", "\"or\" or"),
        ("ip:203.0.113.77/24", "ip:203.0.113.0/24"),
        ("ip:::ffff:203.0.113.7", "ip:203.0.113.7"),
        ("ip:2001:DB8::/32", "ip:2001:db8::/32"),
        ("metadata.url:http://x/y?z", "metadata.url:http://x/y?z"),
        (r"metadata.a\.b:1", r"metadata.a\.b:1"),
        (r"metadata.a\:b\ c:1", r"metadata.a\:b\ c:1"),
        ("before:2026-11-20T10:00:00+01:00", "before:2026-11-20T09:00:00.000Z"),
        ("after:\"2026-11-20T10:00:00Z\"", "after:2026-11-20T10:00:00.000Z"),
        ("sarah@fashion.example", "sarah@fashion.example"),
        ("-security:true actor:u_3", "-security:true actor:u_3"),
        ("a-b", "a-b"),
        ("(a)(b)", "a b"),
    ] {
        let filter = parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        assert_eq!(filter.to_string(), canonical, "{query}");
        assert_eq!(parse(canonical), Ok(filter), "{query}");
    }
}

#[test]
fn days_begin_where_the_caller_says() {
    assert_eq!(
        parse("before:2026-11-01").ok(),
        day_start(2026, 11, 1).map(Filter::Before)
    );
    assert_eq!(
        parse("after:2026-02-28").ok(),
        day_start(2026, 2, 28).map(Filter::After)
    );
}

#[test]
fn a_bad_query_names_the_column_and_what_was_expected() {
    for (query, column, expected) in [
        ("actor:(", 7, "a value"),
        ("actor:", 7, "a value"),
        ("actor: x", 7, "a value"),
        ("actor:,x", 7, "a value"),
        ("actor:x,", 9, "a value"),
        ("actor:\"\"", 7, "a value"),
        ("ä actor:\"x", 11, "a closing `\"`"),
        ("\"open", 6, "a closing `\"`"),
        ("actr:x", 1, "(actor)"),
        ("metadata:x", 1, "(metadata.PATH)"),
        ("zzzzzz:x", 1, "(action, action_type, area,"),
        ("ok http://x", 4, "put it into quotes"),
        ("metadata.raw.x:1", 1, "`metadata.raw` is kept but never searched"),
        ("metadata.:1", 1, "followed by the path"),
        ("OR a", 1, "a word"),
        ("a OR", 5, "a word"),
        ("a OR OR b", 6, "a word"),
        ("a AND", 6, "a word"),
        ("a OR AND b", 6, "a word"),
        ("NOT a", 1, "a `-` right before what is excluded"),
        ("(a", 3, "a closing `)`"),
        ("a)", 2, "closes nothing"),
        ("()", 2, "a word"),
        ("-", 2, "right after the `-`"),
        ("- a", 2, "right after the `-`"),
        ("--a", 2, "right after the `-`"),
        ("...", 1, "letters or digits"),
        ("x \"...\"", 3, "letters or digits"),
        ("a\"b\"", 2, "quotes go around"),
        ("actor:a\"b\"", 8, "quotes go around"),
        ("actor:f(x)", 8, "a space"),
        ("\"a\"b", 4, "a space"),
        ("actor:a*b", 9, "the end of the value"),
        ("security:yes", 10, "true or false"),
        ("security:t*", 10, "true or false"),
        ("ip:1.2.3", 4, "an IP address"),
        ("ip:1.2.3.4/33", 4, "an IP address"),
        ("before:soon", 8, "one date"),
        ("before:2026-11-01,2026-11-02", 8, "one date"),
        ("before:2026-*", 8, "one date"),
        ("after:2026-11-31", 7, "in the calendar"),
        ("after:2026-11-20T10:00:00", 7, "one date"),
    ] {
        let error = parse(query).expect_err(query);
        assert!(
            error.column == column && error.expected.contains(expected),
            "{query}: {error}"
        );
    }
}

#[test]
fn queries_are_bounded() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&nested(QUERY_DEPTH_MAX)).is_ok());
    assert_eq!(
        parse(&nested(QUERY_DEPTH_MAX + 1)).expect_err("too deep").column,
        QUERY_DEPTH_MAX + 1
    );
    let many = |terms: usize| vec!["a"; terms].join(" ");
    assert!(parse(&many(QUERY_TERMS_MAX)).is_ok());
    assert!(parse(&many(QUERY_TERMS_MAX + 1)).is_err());
    assert!(parse(&format!("actor:{}", vec!["a"; QUERY_TERMS_MAX + 1].join(","))).is_err());
    assert!(parse(&"a".repeat(QUERY_BYTES_MAX)).is_ok());
    assert!(parse(&"a".repeat(QUERY_BYTES_MAX + 1)).is_err());
}

fn field() -> impl Strategy<Value = Field> {
    let named = prop::sample::select(Field::names().collect::<Vec<_>>());
    prop_oneof![
        named.prop_filter_map("a field", |name| Field::from_name(name).ok().flatten()),
        prop::collection::vec("[a-z. \\\\:\"()é,*]{0,6}", 1..4)
            .prop_filter_map("a path", |keys| MetadataPath::from_keys(&keys).ok())
            .prop_map(Field::Metadata),
    ]
}

fn pattern(field: &Field) -> BoxedStrategy<Pattern> {
    match field {
        Field::Security => prop::sample::select(vec!["true", "FALSE"])
            .prop_map(|text| Pattern::Whole(Folded::new(text)))
            .boxed(),
        Field::Ip => (any::<std::net::IpAddr>(), 0u8..=32)
            .prop_filter_map("a network", |(address, length)| {
                format!("{address}/{length}").parse::<Network>().ok()
            })
            .prop_map(Pattern::Network)
            .boxed(),
        _ => prop_oneof![
            "\\PC{1,8}".prop_map(|text| Pattern::Whole(Folded::new(text))),
            "\\PC{0,8}".prop_map(|text| Pattern::Prefix(Folded::new(text))),
            "[*,\"() \\\\:-]{1,4}".prop_map(|text| Pattern::Whole(Folded::new(text))),
        ]
        .boxed(),
    }
}

fn leaf() -> impl Strategy<Value = Filter> {
    let words = prop_oneof![
        "\\PC{1,12}",
        "-?[a-z0-9*:. \"\\\\()]{1,8}",
        Just("OR".to_owned()),
        Just("NOT".to_owned())
    ];
    let words = words.prop_filter_map("words", Words::new);
    let instant = (0i64..4_000_000_000_000).prop_map(Timestamp::from_millis);
    prop_oneof![
        field().prop_flat_map(|field| {
            prop::collection::vec(pattern(&field), 1..4).prop_map(move |patterns| Filter::Field {
                field: field.clone(),
                patterns,
            })
        }),
        words.clone().prop_map(Filter::Word),
        words.prop_map(Filter::Phrase),
        instant.clone().prop_map(Filter::Before),
        instant.prop_map(Filter::After),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::all_of),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::any_of),
            inner.prop_map(Filter::negated),
        ]
    })
}

proptest! {
    #[test]
    fn printing_and_reading_are_inverse(filter in filter()) {
        let text = filter.to_string();
        prop_assert_eq!(parse(&text), Ok(filter), "{}", text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _ = parse(&text);
    }

    #[test]
    fn what_looks_like_a_query_is_read_or_refused_inside_the_text(
        text in "([a-z]{0,3}|actor|ip|metadata\\.|before|:|,|\"|\\(|\\)|-|\\*|\\\\| |OR|AND|NOT|1\\.2\\.3\\.4|2026-11-01|é){0,20}"
    ) {
        match parse(&text) {
            Ok(filter) => prop_assert_eq!(parse(&filter.to_string()), Ok(filter)),
            Err(error) => prop_assert!((1..=text.chars().count() + 1).contains(&error.column)),
        }
    }
}
