//! Where the server's time went: counters and histograms of its `/metrics`, before and after.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
};

use anyhow::{Context, ensure};
use serde_json::{Map, Value, json};

use crate::Target;

const STAGE: &str = "trailbook_stage_seconds_total{stage=\"";
const HISTOGRAMS: [&str; 3] = [
    "trailbook_commit_seconds",
    "trailbook_wal_checkpoint_seconds",
    "trailbook_wal_restart_seconds",
];

/// The values of `/metrics` at one moment, by their full names.
pub(crate) struct Reading(BTreeMap<String, f64>);

impl Reading {
    pub(crate) fn take(target: &Target) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(target.server).context("the server cannot be reached")?;
        write!(
            stream,
            "GET /metrics HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
            target.server, target.key
        )?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        ensure!(
            text.starts_with("HTTP/1.1 200"),
            "/metrics: {}",
            text.lines().next().unwrap_or_default()
        );
        Ok(Self(parsed(&text)))
    }

    /// Seconds of each stage, and count, sum and quantiles of each histogram, since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Value {
        let grown = |name: &str| self.0.get(name).copied().unwrap_or(0.0) - earlier.0.get(name).copied().unwrap_or(0.0);
        let stages: Map<String, Value> = self
            .0
            .keys()
            .filter_map(|name| {
                Some((
                    name.strip_prefix(STAGE)?.strip_suffix("\"}")?.to_owned(),
                    json!(grown(name)),
                ))
            })
            .collect();
        let histograms: Map<String, Value> = HISTOGRAMS
            .iter()
            .map(|name| {
                (
                    name.trim_start_matches("trailbook_").to_owned(),
                    self.histogram(name, &grown),
                )
            })
            .collect();
        json!({"stage_seconds": stages, "histograms": histograms})
    }

    fn histogram(&self, name: &str, grown: &impl Fn(&str) -> f64) -> Value {
        let prefix = format!("{name}_bucket{{le=\"");
        let mut buckets: Vec<(f64, f64)> = self
            .0
            .keys()
            .filter_map(|key| {
                let bound = key.strip_prefix(&prefix)?.strip_suffix("\"}")?;
                Some((
                    if bound == "+Inf" {
                        f64::INFINITY
                    } else {
                        bound.parse().ok()?
                    },
                    grown(key),
                ))
            })
            .collect();
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        let count = grown(&format!("{name}_count"));
        json!({
            "count": count,
            "sum_seconds": grown(&format!("{name}_sum")),
            "p50_ms_at_most": quantile_ms(&buckets, count * 0.50),
            "p99_ms_at_most": quantile_ms(&buckets, count * 0.99),
            "max_ms_at_most": quantile_ms(&buckets, count),
        })
    }
}

/// The upper bound of the first bucket that `rank` values fall into or below; null beyond the last bound, or for none.
fn quantile_ms(buckets: &[(f64, f64)], rank: f64) -> Option<f64> {
    let bound = buckets.iter().find(|(_, values)| *values >= rank && *values > 0.0)?.0;
    bound.is_finite().then_some(bound * 1e3)
}

fn parsed(text: &str) -> BTreeMap<String, f64> {
    text.lines()
        .filter(|line| line.starts_with("trailbook_"))
        .filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.trim().parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Reading, parsed};

    #[test]
    fn differences_are_told_and_quantiles_are_upper_bounds() {
        let text = |stage: f64, low: u32, all: u32| {
            format!(
                "# TYPE trailbook_commit_seconds histogram\ntrailbook_stage_seconds_total{{stage=\"sql\"}} {stage}\n\
                 trailbook_commit_seconds_bucket{{le=\"0.001\"}} {low}\n\
                 trailbook_commit_seconds_bucket{{le=\"+Inf\"}} {all}\ntrailbook_commit_seconds_count {all}\n"
            )
        };
        let (earlier, later) = (Reading(parsed(&text(1.0, 0, 10))), Reading(parsed(&text(3.5, 60, 110))));
        let told = later.since(&earlier);
        assert_eq!(told["stage_seconds"]["sql"], 2.5);
        let commits = &told["histograms"]["commit_seconds"];
        assert_eq!(commits["count"], 100.0);
        assert_eq!(commits["p50_ms_at_most"], 1.0);
        assert!(commits["p99_ms_at_most"].is_null());
        assert_eq!(told["histograms"]["wal_checkpoint_seconds"]["count"], 0.0);
    }
}
