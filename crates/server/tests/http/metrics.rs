//! The metrics and their document.

use std::collections::BTreeMap;

use crate::server::Server;

#[test]
fn every_metric_is_documented_with_its_kind_and_nothing_else_is() {
    let server = Server::start();
    server.fill("acme", 1);
    // A family without members is not shown: one question makes this one.
    assert_eq!(server.count("acme"), 1);
    let text = server.get("/metrics").text();
    let shown: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .collect();
    let document = include_str!("../../../../docs/operate/metrics.md");
    let documented: BTreeMap<&str, &str> = document
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .filter_map(|(name, rest)| Some((name, rest.split_once(" |")?.0)))
        .collect();
    assert_eq!(shown, documented);
}
