//! `trailbook config`: the settings before anything is started with them.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{options::Options, show};

/// Check or show the settings that `trailbook serve` would use
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trailbook config check --config /etc/trailbook/trailbook.toml
  trailbook config show")]
pub(crate) struct Configuration {
    #[command(subcommand)]
    command: ConfigurationCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigurationCommand {
    /// Say everything that is wrong with the settings; exit code 0 or 78
    Check(Box<Options>),
    /// Print the settings in force as TOML, each with where it comes from and without secrets
    Show(Box<Options>),
}

/// Runs the command.
pub(crate) fn run(arguments: Configuration) -> anyhow::Result<ExitCode> {
    match arguments.command {
        ConfigurationCommand::Check(options) => {
            options.settings()?;
            println!("the settings can be used");
        }
        ConfigurationCommand::Show(options) => print!("{}", show::toml(&options.gathered()?.1)),
    }
    Ok(ExitCode::SUCCESS)
}
