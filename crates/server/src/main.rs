//! The binary `trailbook`: the command line. Each command is a module or a crate of its own.
//!
//! Exit codes: 0 done, 1 it failed or found something wrong, 2 it could not be checked (or the command line is wrong),
//! 78 the configuration cannot be used.

mod administer;
mod alerts;
mod backup;
mod catalog;
mod client;
mod config;
mod connections;
mod country;
mod credentials;
mod deliveries;
mod delivery;
mod demo;
mod doctor;
mod encryption;
mod export;
mod exports;
mod http;
mod indexing;
mod inputs;
mod mail;
mod maintain;
mod markup;
mod migrate;
mod profile;
mod ready;
mod redact;
mod root_key;
mod secret_file;
mod serve;
mod single_sign_on;
mod stats;
mod store;
mod telemetry;
mod users;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use trailbook_import::command as import;
use trailbook_ledger::Clock;
use trailbook_verify::command as verify;

use crate::{
    config::{Faults, Options, command as config_command},
    inputs::SystemClock,
};

/// Events are made on one thread and let go on another, which this allocator is good at: a tenth of ingest's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `EX_CONFIG` of sysexits.h.
const EXIT_CONFIGURATION: u8 = 78;

/// An audit log that a product embeds for its customers: append-only, findable, provable.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Examples:
  trailbook serve
  trailbook import --from cloudtrail --organization fashion trail.json.gz
  trailbook export --organization fashion --format evidence --output fashion.zip
  trailbook verify fashion.zip --key VKEY

Commands that talk to a server take --server and --key, or TRAILBOOK_SERVER and TRAILBOOK_KEY."
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<Serve>),
    Config(config_command::Configuration),
    Doctor(Box<doctor::Arguments>),
    Import(import::Arguments),
    Export(export::Arguments),
    Verify(verify::Verify),
    Fsck(maintain::Fsck),
    Reindex(maintain::Reindex),
    Recover(maintain::Recover),
    Redact(redact::Arguments),
    Migrate(migrate::Arguments),
    Backup(backup::Backup),
    Restore(backup::Restore),
    Ready(ready::Arguments),
    Stats(stats::Arguments),
    Project(administer::Projects),
    Organization(administer::Organizations),
    Catalog(administer::Catalog),
    SingleSignOn(administer::SingleSignOn),
    User(users::Users),
    Key(credentials::Keys),
    Token(credentials::Tokens),
    Stream(delivery::Streams),
    Alert(delivery::Alerts),
    Exports(delivery::Exports),
    Profile(profile::Arguments),
    Demo(demo::Arguments),
}

/// Run the server
#[derive(Debug, Args)]
#[command(after_help = "\
Every option can be in the environment (TRAILBOOK_DATA, TRAILBOOK_LISTEN, …) or in the configuration file (data = \"…\").
Options win over the environment, the environment over the file. Secrets can be in files of their own
(TRAILBOOK_ROOT_KEY_FILE). Without TRAILBOOK_ROOT_KEY a root key is made at the first start and shown once.

Examples:
  trailbook serve
  trailbook serve --data /var/lib/trailbook --listen 0.0.0.0:8321
  TRAILBOOK_ROOT_KEY_FILE=/run/secrets/root-key trailbook serve --config /etc/trailbook.toml")]
struct Serve {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    let now = || SystemClock::start().now();
    let outcome = match CommandLine::parse().command {
        Command::Serve(arguments) => serve(*arguments),
        Command::Config(arguments) => config_command::run(arguments),
        Command::Doctor(arguments) => doctor::run(*arguments),
        Command::Import(arguments) => return import::run_command(&arguments, now(), client::tls),
        Command::Verify(arguments) => return verify::run(&arguments, client::tls, &mut std::io::stdout()),
        Command::Fsck(arguments) => return maintain::fsck(arguments),
        Command::Reindex(arguments) => return maintain::reindex(arguments),
        Command::Recover(arguments) => maintain::recover(arguments),
        Command::Migrate(arguments) => migrate::run(arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Ready(arguments) => ready::run(&arguments),
        Command::Stats(arguments) => stats::run(&arguments),
        Command::Project(arguments) => administer::projects(&arguments),
        Command::Organization(arguments) => administer::organizations(&arguments),
        Command::Catalog(arguments) => administer::catalog(&arguments),
        Command::SingleSignOn(arguments) => administer::single_sign_on(&arguments),
        Command::User(arguments) => users::run(&arguments),
        Command::Key(arguments) => credentials::keys(&arguments),
        Command::Token(arguments) => credentials::tokens(&arguments),
        Command::Stream(arguments) => delivery::streams(&arguments),
        Command::Alert(arguments) => delivery::alerts(&arguments),
        Command::Exports(arguments) => delivery::exports(&arguments),
        Command::Redact(arguments) => redact::run(&arguments),
        Command::Backup(arguments) => backup::back_up_command(&arguments),
        Command::Restore(arguments) => backup::restore_command(&arguments),
        Command::Profile(arguments) => profile::run(&arguments, now()),
        Command::Demo(arguments) => demo::run(&arguments, now()),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(if error.is::<Faults>() { EXIT_CONFIGURATION } else { 1 })
    })
}

fn serve(arguments: Serve) -> anyhow::Result<ExitCode> {
    let settings = arguments.options.settings()?;
    telemetry::start(&settings.log).map_err(|fault| Faults(vec![fault]))?;
    serve::run(&settings)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        CommandLine::command().debug_assert();
    }
}
