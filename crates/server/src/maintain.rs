//! `trailbook fsck`, `trailbook reindex` and `trailbook recover`: a data directory that no server uses at the moment.
//!
//! Not here: what is checked and how a ledger continues (`trailbook_ledger`).

use std::process::ExitCode;

use clap::Args;
use trailbook_ledger::{Parts, fsck as check, recover_in_new_epoch, reindex as make_anew};

use crate::{config::Options, store::Workplace};

/// Check a data directory: everything is recomputed from the stored bytes, and every difference is named
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  trailbook fsck --data /var/lib/trailbook

Exit codes: 0 clean, 1 damaged, 2 could not be checked")]
pub(crate) struct Fsck {
    #[command(flatten)]
    options: Options,
    /// Also hash every sealed event and object, and make every index anew
    #[arg(long)]
    deep: bool,
}

/// Make segments anew whose search index or bundle is damaged, lost, or of an older version
#[derive(Debug, Args)]
#[command(after_help = "\
Only the Parquet files are read, and only those that are byte for byte what was written. What is made of them is used if the \
trees of its organizations still come to what was signed; then it takes the old segments' place at once, and the server \
deletes these half a day later. A Parquet file that is damaged or lost comes back from a backup alone.

Takes about as long as `trailbook fsck --deep`, and as much space as what is made anew. Safe to repeat.

Example:
  trailbook reindex --data /var/lib/trailbook

Exit codes: 0 every index is what it should be, 1 some segments could not be made anew, 2 it failed")]
pub(crate) struct Reindex {
    #[command(flatten)]
    options: Options,
}

/// Continue a data directory that was restored to an earlier state, in a new epoch
#[derive(Debug, Args)]
#[command(after_help = "\
A server whose database fell behind what it had published goes on answering reads and refuses to store or sign. This command is
the way out: every ledger continues in a new epoch, and its first new event says why.

Example:
  trailbook recover --data /var/lib/trailbook --reason 'disk failure, restored from the backup of 2026-11-19'")]
pub(crate) struct Recover {
    #[command(flatten)]
    options: Options,
    /// Why; kept in every ledger for ever
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// In a new epoch: there is no other way to continue, so that this only says it aloud
    #[arg(long)]
    new_epoch: bool,
}

/// Runs `trailbook fsck`.
pub(crate) fn fsck(arguments: Fsck) -> ExitCode {
    let deep = arguments.deep;
    let checked = on_parts(arguments.options, async |parts| Ok(check(&parts, deep).await?));
    match checked {
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
        Ok(report) => {
            report.findings.iter().for_each(|finding| println!("{finding}"));
            let verdict = if report.findings.is_empty() { "clean" } else { "DAMAGED" };
            println!(
                "{verdict}: {} events, {} commits in the tail, {} segments, {} ledgers, {} checkpoints; {} findings",
                report.events,
                report.commits,
                report.segments,
                report.ledgers,
                report.checkpoints,
                report.findings.len()
            );
            ExitCode::from(u8::from(!report.findings.is_empty()))
        }
    }
}

/// Runs `trailbook reindex`.
pub(crate) fn reindex(arguments: Reindex) -> ExitCode {
    let reindexed = on_parts(arguments.options, async |parts| Ok(make_anew(parts).await?));
    match reindexed {
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
        Ok(report) => {
            report.findings.iter().for_each(|finding| println!("{finding}"));
            println!(
                "{} segments, {} made anew, {} findings",
                report.segments,
                report.replaced.len(),
                report.findings.len()
            );
            ExitCode::from(u8::from(!report.findings.is_empty()))
        }
    }
}

/// Runs `trailbook recover`.
pub(crate) fn recover(arguments: Recover) -> anyhow::Result<ExitCode> {
    let reason = arguments.reason;
    let recovered = on_parts(arguments.options, async |parts| {
        Ok(recover_in_new_epoch(parts, &reason).await?)
    })?;
    match recovered.contradiction {
        Some(found) => println!("found: {found}"),
        None => println!("nothing contradicted the database; the ledgers continue in a new epoch all the same"),
    }
    println!(
        "{} ledgers continue in a new epoch (era {})",
        recovered.ledgers, recovered.era
    );
    Ok(ExitCode::SUCCESS)
}

/// Runs a command on what the settings name.
fn on_parts<T>(options: Options, command: impl AsyncFnOnce(Parts) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let settings = options.settings()?;
    on_runtime(async { command(Workplace::of(&settings).existing().await?).await })
}

/// Runs what waits for the ledger.
pub(crate) fn on_runtime<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(work)
}
