//! The metrics, their document, and what watches them.

use std::collections::{BTreeMap, BTreeSet};

use crate::server::Server;

/// The metrics that a server shows, with their kinds.
fn shown(text: &str) -> BTreeMap<&str, &str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .collect()
}

/// A server that shows every metric, and the text of `/metrics`.
fn metrics() -> String {
    let server = Server::start();
    server.fill("acme", 1);
    // A family without members is not shown: one question makes this one.
    assert_eq!(server.count("acme"), 1);
    server.get("/metrics").text()
}

#[test]
fn every_metric_is_documented_with_its_kind_and_nothing_else_is() {
    let text = metrics();
    let document = include_str!("../../../../docs/operate/metrics.md");
    let documented: BTreeMap<&str, &str> = document
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .filter_map(|(name, rest)| Some((name, rest.split_once(" |")?.0)))
        .collect();
    assert_eq!(shown(&text), documented);
}

#[test]
fn dashboard_and_alerts_ask_for_metrics_that_exist() {
    let text = metrics();
    let families = shown(&text);
    let series: BTreeSet<String> = families
        .iter()
        .flat_map(|(name, kind)| {
            let ends: &[&str] = match *kind {
                "counter" => &["_total"],
                "histogram" => &["_bucket", "_sum", "_count"],
                "info" => &["_info"],
                _ => &[""],
            };
            ends.iter().map(move |end| format!("{name}{end}"))
        })
        .collect();
    let dashboard = include_str!("../../../../packaging/monitoring/dashboard.json");
    let alerts = include_str!("../../../../packaging/monitoring/alerts.yaml");
    let tests = include_str!("../../../../packaging/monitoring/alerts_test.yaml");
    for (place, text) in [("dashboard", dashboard), ("alerts", alerts), ("their tests", tests)] {
        let asked: BTreeSet<&str> = text
            .split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
            .filter(|word| word.starts_with("trailbook_"))
            .collect();
        assert!(asked.len() > 5, "{place} ask for metrics");
        for name in asked {
            // What a remedy tells people to look at is called as in the document, without the ends of its series.
            let told = text.contains(&format!("`{name}`")) && families.contains_key(name);
            assert!(told || series.contains(name), "{place} ask for {name}, which is none");
        }
    }
}
