//! `trailbook ready`: whether a server can store and read now, as an exit code. For health checks, and for whoever restarts nodes in turn.

use std::{process::ExitCode, time::Duration};

use anyhow::bail;
use clap::Args;
use ureq::Agent;

use crate::client;

/// How long the server may take to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Ask a server whether it can store and read now; exit code 0 or 1
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  trailbook ready --server http://10.0.0.7:8321")]
pub(crate) struct Arguments {
    /// The server's address
    #[arg(
        long,
        value_name = "URL",
        env = "TRAILBOOK_SERVER",
        default_value = "http://127.0.0.1:8321"
    )]
    server: String,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .tls_config(client::tls())
        .timeout_global(Some(ANSWER))
        .build()
        .into();
    let mut response = agent
        .get(format!("{}/readyz", arguments.server.trim_end_matches('/')))
        .call()?;
    if !response.status().is_success() {
        bail!("not ready: {}", response.body_mut().read_to_string()?);
    }
    println!("ready");
    Ok(ExitCode::SUCCESS)
}
