//! Policies: how they are inherited, ranges in days of their zone, and every fault with its place.

use serde_json::{Value, json};

use super::*;

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

fn read(settings: Value) -> PolicySettings {
    PolicySettings::read(&settings).expect("valid settings")
}

fn of(settings: Value) -> Policy {
    Policy::effective(&read(settings), None, None)
}

/// The places of what is wrong.
fn places(settings: Value) -> Vec<String> {
    let faults = PolicySettings::read(&settings).expect_err("refused");
    faults.into_iter().map(|fault| fault.pointer.to_string()).collect()
}

#[test]
fn a_day_begins_where_the_zone_says_even_when_midnight_does_not_exist() {
    let sao_paulo = zone("America/Sao_Paulo").expect("a zone");
    assert_eq!(day_start(&sao_paulo, 2018, 11, 4), Some(time("2018-11-04T03:00:00Z")));
    assert_eq!(day_start(&zone("UTC").expect("a zone"), 2026, 2, 30), None);
}

#[test]
fn a_range_is_counted_in_calendar_days_of_the_zone() {
    let policy = of(json!({"max_range_days": 2, "time_zone": "Europe/Berlin"}));
    let resolved = |from, to| {
        let range = Range {
            from: Some(time(from)),
            to: Some(time(to)),
        };
        policy.resolve(range, time("2026-11-20T12:00:00Z"))
    };
    assert!(
        resolved("2026-03-27T23:00:00Z", "2026-03-29T22:00:00Z").is_ok(),
        "a day of 23 hours"
    );
    assert!(resolved("2026-03-27T22:59:59Z", "2026-03-29T22:00:00Z").is_err());
}

#[test]
fn a_default_range_ends_now_and_is_cut_to_what_the_widest_allows_instead_of_refused() {
    // A default as wide as the widest touches one calendar day more: every read without `from` was refused.
    let now = time("2026-11-20T12:00:00Z");
    let begin = |settings: Value, to: Option<&str>| {
        let asked = Range {
            from: None,
            to: to.map(time),
        };
        let policy = of(settings);
        let resolved = policy.resolve(asked, now).expect("never refused");
        if let Some(from) = resolved.from {
            let named = Range {
                from: Some(from),
                to: asked.to,
            };
            assert_eq!(
                policy.resolve(named, now),
                Ok(named),
                "what the policy says may be said"
            );
        }
        resolved.from.map(|from| from.to_string())
    };
    let is = |text: &str| Some(text.to_owned());
    assert_eq!(begin(json!({}), None), None);
    assert_eq!(
        begin(json!({"default_range_days": 30}), None),
        is("2026-10-21T12:00:00.000Z")
    );
    let both = json!({"default_range_days": 30, "max_range_days": 30, "time_zone": "Asia/Kolkata"});
    assert_eq!(begin(both.clone(), None), is("2026-10-21T18:30:00.000Z"));
    assert_eq!(
        begin(json!({"default_range_days": 7, "max_range_days": 30}), None),
        is("2026-11-13T12:00:00.000Z")
    );
    assert_eq!(
        begin(json!({"max_range_days": 1}), None),
        is("2026-11-20T00:00:00.000Z")
    );
    assert_eq!(
        begin(json!({"max_range_days": 2}), Some("2026-03-01T00:00:00Z")),
        is("2026-02-27T00:00:00.000Z")
    );
}

#[test]
fn the_nearest_place_that_sets_a_field_decides_and_null_is_set() {
    let deployment = read(json!({"retention_days": 90, "max_range_days": 30, "title": "Log"}));
    let project =
        read(json!({"max_range_days": 10, "view_roles": ["admin"], "labels": {"screen": {"export": "Export"}}}));
    let organization = read(json!({"retention_days": null, "labels": {"fields": {"area": "Entity"}}}));
    let policy = Policy::effective(&deployment, Some(&project), Some(&organization));
    assert_eq!((policy.retention_days, policy.max_range_days), (None, Some(10)));
    assert_eq!(
        (policy.title.as_deref(), policy.view_roles),
        (Some("Log"), vec!["admin".to_owned()])
    );
    assert!(policy.labels.screen.is_empty(), "inherited as a whole or not at all");
    assert_eq!(policy.export_roles, ["owner", "administrator", "auditor"]);
    assert_eq!(
        organization,
        read(serde_json::to_value(&organization).expect("JSON")),
        "stored as it was set"
    );
}

#[test]
fn every_fault_is_named_with_its_place() {
    let wrong = json!({
        "retention_days": 0,
        "default_range_days": 3661,
        "time_zone": "Europe/Nowhere",
        "legal_hold": null,
        "recorded_since": "2020-07-01T00:00:00",
        "feedback_url": "javascript:alert(1)",
        "embed_origins": ["https://app.example", "*", "https://app.example/", "https://app.example:70000", "https://[::1]x",
            "https://app.example:443", "http://app.example:0080", format!("https://{}", "a".repeat(254))],
        "columns": [{"id": "a,b", "label": "A", "value": "{nothing}"}, {"id": "a", "label": "A"}],
        "details": [{"id": "a", "label": "A", "value": "{id}"}, {"id": "a", "label": "A", "value": "{actor.email|actor.type"}],
        "filters": [{"field": "areas"}, {"field": "area"}, {"field": "area"}],
        "queries": [{"id": "q", "label": "Q", "aggregate": {"from": "2026-01-01T00:00:00Z"}}],
        "presets": ["today", "tomorrow"],
        "view_roles": ["", "admin "],
        "title": "x".repeat(2_001),
        "coverage_note": "a\u{0}b",
        "breadcrumb": vec!["a"; 101],
        "retention": 3,
    });
    let mut found = places(wrong);
    found.sort();
    let mut expected = vec![
        "/breadcrumb",
        "/columns/1",
        "/coverage_note",
        "/default_range_days",
        "/details/1/id",
        "/details/1/value",
        "/embed_origins/1",
        "/embed_origins/2",
        "/embed_origins/3",
        "/embed_origins/4",
        "/embed_origins/5",
        "/embed_origins/6",
        "/embed_origins/7",
        "/feedback_url",
        "/filters/0/field",
        "/filters/2/field",
        "/legal_hold",
        "/presets/1",
        "/queries/0/aggregate/from",
        "/recorded_since",
        "/retention",
        "/retention_days",
        "/time_zone",
        "/title",
        "/view_roles/0",
        "/view_roles/1",
    ];
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(
        places(json!({"columns": [{"id": "a,b", "label": "A", "value": "{nothing}"}]})),
        ["/columns/0/id", "/columns/0/value"]
    );
    assert_eq!(places(json!([])), [""]);
}

#[test]
fn toml_says_the_same_as_json() {
    let text = r#"
        max_range_days = 30
        unknown_actions = "mark"
        columns = [{ id = "when", label = "When", value = "{occurred_at} {sequence}" }]
        [labels.values.security]
        true = "Security action"
        false = ""
    "#;
    let of_toml: PolicySettings = toml::from_str(text).expect("TOML");
    let of_json = read(json!({
        "max_range_days": 30, "unknown_actions": "mark",
        "columns": [{"id": "when", "label": "When", "value": "{occurred_at} {sequence}"}],
        "labels": {"values": {"security": {"true": "Security action", "false": ""}}},
    }));
    assert_eq!(of_toml, of_json);
}

#[test]
fn events_are_refused_only_from_before_a_beginning_that_is_stated() {
    assert_eq!(of(json!({"backfill": "refuse"})).refused_before(), None);
    let since = json!({"backfill": "refuse", "recorded_since": "2020-07-01T02:00:00+02:00"});
    assert_eq!(of(since).refused_before(), Some(time("2020-07-01T00:00:00Z")));
    assert_eq!(
        of(json!({"recorded_since": "2020-07-01T00:00:00Z"})).refused_before(),
        None
    );
}
