//! `trailbook export`: a file of an organization's events from a running server.
//!
//! Invariant: the output appears under its name only when it is complete.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::{Args, ValueEnum};

use crate::client::{Server, encoded};

/// Export an organization's events to a file
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trailbook export --organization fashion --output fashion.csv
  trailbook export --organization fashion --all --output everything.csv
  trailbook export --organization fashion --format jsonl --query 'security:true' --output -
  trailbook export --organization fashion --format evidence --from 2026-10-01T00:00:00Z --to 2026-11-01T00:00:00Z --output october.zip")]
pub(crate) struct Arguments {
    /// The file's format
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// Whose events
    #[arg(long, value_name = "NAME")]
    organization: String,
    /// Everything that is retained, whatever ranges the policy allows
    #[arg(long, conflicts_with_all = ["query", "from", "to"])]
    all: bool,
    /// Only events that match this query
    #[arg(long, value_name = "QUERY")]
    query: Option<String>,
    /// Only events that occurred at this time or later (RFC 3339)
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only events that occurred before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// The columns of a CSV file, such as occurred_at,action,actor.email
    #[arg(long, value_name = "LIST")]
    columns: Option<String>,
    /// Where to write; - is the standard output
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// A table, for spreadsheets
    Csv,
    /// One event a line
    Jsonl,
    /// A zip archive that `trailbook verify` checks offline
    Evidence,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut response = arguments.server.get(&address(arguments))?;
    let mut body = response.body_mut().as_reader();
    if arguments.output == Path::new("-") {
        io::copy(&mut body, &mut io::stdout().lock())?;
        return Ok(ExitCode::SUCCESS);
    }
    let bytes = save(&mut body, &arguments.output)?;
    eprintln!("{}: {bytes} bytes", arguments.output.display());
    Ok(ExitCode::SUCCESS)
}

fn address(arguments: &Arguments) -> String {
    let extension = match arguments.format {
        Format::Csv => "csv",
        Format::Jsonl => "jsonl",
        Format::Evidence => "evidence",
    };
    let parameters = [
        ("q", &arguments.query),
        ("from", &arguments.from),
        ("to", &arguments.to),
        ("columns", &arguments.columns),
    ];
    let set = parameters
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", encoded(value.as_deref()?))));
    let all = arguments.all.then(|| "scope=all".to_owned());
    let query = set.chain(all).collect::<Vec<_>>().join("&");
    let separator = if query.is_empty() { "" } else { "?" };
    format!(
        "/v1/organizations/{}/events.{extension}{separator}{query}",
        encoded(&arguments.organization)
    )
}

/// Writes beside the file first, so that a broken connection leaves nothing that looks whole.
fn save(body: &mut impl Read, output: &Path) -> anyhow::Result<u64> {
    let mut partial = output.as_os_str().to_owned();
    partial.push(".part");
    let partial = PathBuf::from(partial);
    let mut write = || -> io::Result<u64> {
        let mut file = File::create(&partial)?;
        let bytes = io::copy(body, &mut file)?;
        file.flush()?;
        file.sync_all()?;
        std::fs::rename(&partial, output)?;
        Ok(bytes)
    };
    write().with_context(|| format!("{} could not be completed", output.display()))
}
