//! `trailbook doctor`: whether this machine, and everything that the settings name, is fit for a server. Changes nothing.
//!
//! Invariants
//! - Every check ends, within seconds, whatever the other side does; only looking through a whole SQLite database takes as long as it takes.
//! - Nothing that is printed holds a secret.
//!
//! Not here: what the settings may be (`config`), whether stored events are intact (`trailbook fsck`).

mod check;
mod directory;
mod machine;
mod services;

use std::process::ExitCode;

use clap::Args;

use self::check::Check;
use crate::config::{Options, Settings, Shown};

/// Check this machine and what the settings name: clock, disk, database, keys, mail; says what to do
#[derive(Debug, Args)]
#[command(after_help = "\
Run it as the user that the server runs as, before the server starts or while it runs.

Examples:
  trailbook doctor --config /etc/trailbook/trailbook.toml
  trailbook doctor --json

Exit codes: 0 all is well, 1 something deserves attention, 2 something must be put right")]
pub(crate) struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Print JSON: an array of checks with `name`, `verdict` (ok, warning, failed), `found` and `remedy`
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let checks = match arguments.options.gathered() {
        Ok((settings, shown)) => examine(&settings, &shown)?,
        Err(faults) => faults
            .0
            .into_iter()
            .map(|fault| {
                Check::failed(
                    "settings",
                    fault,
                    "correct it; `trailbook config show` says what is in force",
                )
            })
            .collect(),
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&checks)?);
    } else {
        print!("{}", check::table(&checks));
    }
    Ok(check::exit_code(&checks))
}

fn examine(settings: &Settings, shown: &[Shown]) -> anyhow::Result<Vec<Check>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut checks = vec![
        Check::ok("settings", "they can be used".into()),
        machine::clock(&settings.data),
        machine::open_files(&settings.limits),
        machine::address(settings.listen),
    ];
    checks.extend(directory::examine(settings));
    checks.extend(directory::secrets(settings, shown));
    checks.extend(services::keys(settings));
    checks.push(services::countries(settings));
    runtime.block_on(async {
        checks.extend(services::database(settings).await);
        checks.extend(services::objects(settings).await);
        checks.push(services::mail(settings).await);
    });
    Ok(checks)
}
