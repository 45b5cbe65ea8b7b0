//! `trailbook stats`: what a running server stores, as a table.

use std::{fmt::Write as _, process::ExitCode};

use clap::Args;
use serde_json::Value;

use crate::client::Server;

/// Show what is stored, by level and by organization
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  trailbook stats --top 20")]
pub(crate) struct Arguments {
    /// How many organizations are shown, those that take most first
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    top: usize,
    #[command(flatten)]
    server: Server,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let stats: Value = arguments.server.get("/v1/stats")?.body_mut().read_json()?;
    print!("{}", table(&stats, arguments.top));
    Ok(ExitCode::SUCCESS)
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_default()
}

fn table(stats: &Value, top: usize) -> String {
    let mut out = String::new();
    let mut line = |text: std::fmt::Arguments<'_>| writeln!(out, "{text}").expect("a string takes all text");
    line(format_args!(
        "tail: {} events, {} bytes, oldest {} s ago",
        number(stats, "tail_events"),
        number(stats, "tail_bytes"),
        number(stats, "tail_age_ms") / 1_000
    ));
    line(format_args!(
        "{:>5} {:>9} {:>12} {:>14} {:>14} {:>8}",
        "level", "segments", "events", "data", "bundle", "B/event"
    ));
    for level in stats["levels"].as_array().into_iter().flatten() {
        let (events, data, bundle) = (
            number(level, "events"),
            number(level, "data_bytes"),
            number(level, "bundle_bytes"),
        );
        let each = (data + bundle) as f64 / events.max(1) as f64;
        line(format_args!(
            "{:>5} {:>9} {events:>12} {data:>14} {bundle:>14} {each:>8.1}",
            number(level, "level"),
            number(level, "segments")
        ));
    }
    let mut organizations: Vec<&Value> = stats["organizations"].as_array().into_iter().flatten().collect();
    organizations
        .sort_by_key(|organization| std::cmp::Reverse((number(organization, "bytes"), number(organization, "size"))));
    line(format_args!(
        "{:>12} {:>12} {:>12} {:>9} {:>14}  organization",
        "size", "expired", "sealed", "segments", "bytes"
    ));
    for organization in organizations.iter().take(top) {
        line(format_args!(
            "{:>12} {:>12} {:>12} {:>9} {:>14}  {}",
            number(organization, "size"),
            number(organization, "floor"),
            number(organization, "sealed_events"),
            number(organization, "segments"),
            number(organization, "bytes"),
            organization["organization"].as_str().unwrap_or_default()
        ));
    }
    if organizations.len() > top {
        line(format_args!("… and {} more", organizations.len() - top));
    }
    out
}
