//! `trailbook redact`: parts of an event are removed for good, by a running server.

use std::process::ExitCode;

use clap::Args;

use crate::client::{Server, encoded};

/// Remove parts of an event for good; the ledger keeps why, and every proof goes on holding
#[derive(Debug, Args)]
#[command(after_help = "\
Parts are core (action, description, times, ids), actor, targets, context (address, user agent) and details (changes, metadata, message).
What is removed is gone from every answer at once, and from files within a day. It cannot be brought back.

Example:
  trailbook redact --organization fashion --event 019aa1b2-7c1e-7d02-9f4b-2a7c1f00b6de --parts actor,context \\
    --reason 'request 4711 for erasure'")]
pub(crate) struct Arguments {
    /// Whose event
    #[arg(long, value_name = "NAME")]
    organization: String,
    /// Its Log ID
    #[arg(long, value_name = "ID")]
    event: String,
    /// What to remove
    #[arg(long, value_name = "LIST", value_delimiter = ',', required = true)]
    parts: Vec<String>,
    /// Why; kept in the ledger for ever, so name nobody
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    server: Server,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let path = format!(
        "/v1/organizations/{}/events/{}/redaction",
        encoded(&arguments.organization),
        encoded(&arguments.event)
    );
    let body = serde_json::json!({"parts": arguments.parts, "reason": arguments.reason});
    let answer: serde_json::Value = arguments.server.post(&path, &body)?.body_mut().read_json()?;
    let removed = answer["redacted"].as_array().into_iter().flatten();
    let removed: Vec<&str> = removed.filter_map(serde_json::Value::as_str).collect();
    println!("event {} is redacted: {}", arguments.event, removed.join(", "));
    Ok(ExitCode::SUCCESS)
}
