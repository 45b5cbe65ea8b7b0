//! `trailbook profile`: configuration files that make Trailbook into the audit log of one product.
//!
//! A profile is a policy, a catalog with its mappings, and examples; those in `profiles/` are part of the binary.
//!
//! Invariants
//! - A [`Profile`] that was read is valid: its policy and catalog would be taken by a server, and so would its examples.
//! - No code knows a product: names of products are in the files alone.
//!
//! Not here: what the server does with policies and catalogs. See profiles/README.md.

mod apply;
mod complete;
mod examples;
mod read;

use std::{fs, path::Path, process::ExitCode};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use rust_embed::RustEmbed;
use trailbook_event::{Timestamp, catalog::CatalogFault};

use read::Profile;
pub(crate) use read::plain;

use crate::client::Server;

#[derive(RustEmbed)]
#[folder = "../../profiles"]
struct BuiltIn;

/// Use a profile: configuration that makes Trailbook into the audit log of one product
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the profiles that the binary brings
    List,
    /// Read a profile and say everything that is wrong with it or missing from it
    Check {
        /// The name of a built-in profile, or a file
        profile: String,
    },
    Apply(Apply),
    Diff(Diff),
}

/// Set a project's policy and catalog, or an organization's policy, to what a profile says
#[derive(Debug, Args)]
#[command(after_help = "\
Applying again changes nothing. Fields of the policy that the profile leaves out are inherited afterwards, but for what is never a
product's: embed_origins, legal_hold, recorded_since and time_zone.

Examples:
  trailbook profile apply shop.toml
  trailbook profile apply shop.toml --organization fashion --examples")]
pub(crate) struct Apply {
    /// The name of a built-in profile, or a file
    profile: String,
    /// Set only the policy of this organization, and not the project
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// Send the profile's example events as well, to the organization, or to `demo`; each time anew
    #[arg(long)]
    examples: bool,
    #[command(flatten)]
    server: Server,
}

/// Say what of a profile differs at the server; 0 when nothing does, else 1
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The name of a built-in profile, or a file
    profile: String,
    /// Compare only the policy of this organization
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    #[command(flatten)]
    server: Server,
}

/// The organization that gets examples when none is named.
pub(crate) const DEMO: &str = "demo";

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, now: Timestamp) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        Command::List => list(now),
        Command::Check { profile } => check(profile, now),
        Command::Apply(arguments) => {
            let profile = open(&arguments.profile, now)?;
            let organization = arguments.organization.as_deref();
            apply::apply(&arguments.server, &profile, organization)?;
            if arguments.examples {
                let organization = organization.unwrap_or(DEMO);
                let sent = examples::send(&arguments.server, &profile, organization, now, 1)?;
                println!("{sent} example events are in {organization}");
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Diff(arguments) => {
            let profile = open(&arguments.profile, now)?;
            apply::diff(&arguments.server, &profile, arguments.organization.as_deref())
        }
    }
}

/// Applies a profile to a server's project and sends its examples, repeated over the last weeks, unless the organization
/// has events.
///
/// # Errors
/// There is no such profile, or the server refuses it.
pub(crate) fn demonstrate(server: &Server, profile: &str, organization: &str, now: Timestamp) -> anyhow::Result<()> {
    let profile = open(profile, now)?;
    apply::apply(server, &profile, None)?;
    if examples::are_there(server, organization)? {
        println!("{organization} has events already");
    } else {
        let sent = examples::send(server, &profile, organization, now, examples::DEMO_TIMES)?;
        println!("{sent} events are in {organization}");
    }
    println!();
    Ok(())
}

/// The profile of a built-in name, or in a file.
fn open(name: &str, now: Timestamp) -> anyhow::Result<Profile> {
    Profile::read(&text(name)?, now).map_err(|faults| anyhow::anyhow!("{name} has faults:{}", listed(&faults)))
}

fn text(name: &str) -> anyhow::Result<String> {
    if let Some(file) = BuiltIn::get(&format!("{name}.toml")) {
        return String::from_utf8(file.data.into_owned()).context("a built-in profile is no UTF-8");
    }
    if Path::new(name).extension().is_none_or(|extension| extension != "toml") {
        let known: Vec<String> = names().collect();
        bail!(
            "there is no profile {name:?}; there are {}, and files that end in .toml",
            known.join(", ")
        );
    }
    fs::read_to_string(name).with_context(|| format!("{name} cannot be read"))
}

/// The names of the built-in profiles.
fn names() -> impl Iterator<Item = String> {
    BuiltIn::iter().filter_map(|file| file.strip_suffix(".toml").map(str::to_owned))
}

/// Faults, each on a line of its own.
pub(crate) fn listed(faults: &[CatalogFault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

fn list(now: Timestamp) -> anyhow::Result<ExitCode> {
    for name in names() {
        let profile = open(&name, now)?;
        println!("{name}\t{}\n\t{}", profile.product, profile.about);
    }
    Ok(ExitCode::SUCCESS)
}

fn check(name: &str, now: Timestamp) -> anyhow::Result<ExitCode> {
    let text = text(name)?;
    let (profile, missing) = match Profile::read(&text, now) {
        Ok(profile) => {
            let missing = complete::missing(&profile);
            (Some(profile), missing)
        }
        Err(faults) => (None, faults),
    };
    let Some(profile) = profile.filter(|_| missing.is_empty()) else {
        println!("{name} is not whole:{}", listed(&missing));
        return Ok(ExitCode::FAILURE);
    };
    println!(
        "{name} is whole: {} actions, {} examples, {} payloads",
        profile.vocabulary.catalog.actions().len(),
        profile.examples.len(),
        profile.payloads.len()
    );
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests;
