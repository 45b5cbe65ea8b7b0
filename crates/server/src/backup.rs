//! `trailbook backup` and `trailbook restore`: a data directory's state, put aside and brought back.
//!
//! Not here: what is in a backup and how it is checked (`trailbook_ledger::backup`).

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Args;
use trailbook_ledger::{
    Clock, DATABASE_FILE, DirectoryLock, Fsck, OpenError,
    backup::{BackupError, Contents, Source, back_up, check_restored, restore},
};

use crate::{
    client::Server,
    inputs::{OsRandom, SystemClock},
    maintain::on_runtime,
    root_key, store,
};

/// After this time the server is told again that the backup goes on; it believes that for an hour.
const GO_ON_EVERY: Duration = Duration::from_secs(300);

/// Put a copy of everything in a directory aside, while the server goes on working
#[derive(Debug, Args)]
#[command(after_help = "\
Run it on the server's machine, as the user that the server runs as: it reads the data directory, and asks the server to delete no file
meanwhile. Without a server on the directory no key is needed. A backup holds the secret that checkpoints are signed with: keep it as
safe as the data directory.

Examples:
  trailbook backup --data /var/lib/trailbook --to /backup/$(date +%F)
  trailbook restore --from /backup/2026-11-19 --data /srv/drill")]
pub(crate) struct Backup {
    /// The data directory
    #[arg(long, value_name = "DIR", env = "TRAILBOOK_DATA", default_value = "trailbook-data")]
    data: PathBuf,
    /// Where to put the backup: a directory that is not there yet, or an empty one
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// The address of the server that works on the data directory
    #[arg(
        long,
        value_name = "URL",
        env = "TRAILBOOK_SERVER",
        default_value = "http://127.0.0.1:8321"
    )]
    server: String,
    /// Its root key; not needed when no server is running
    #[arg(long, value_name = "KEY", env = "TRAILBOOK_KEY", hide_env_values = true)]
    key: Option<String>,
}

/// Make a data directory of a backup, and check every file and every ledger in it
#[derive(Debug, Args)]
#[command(after_help = "\
What is restored answers reads; to store and sign again, continue it in a new epoch with `trailbook recover`. With --replay-from it forgets
what was redacted or expired after the backup, before anything of it is read.

Examples:
  trailbook restore --from /backup/2026-11-19 --data /var/lib/trailbook --replay-from /var/lib/trailbook.broken
  trailbook recover --data /var/lib/trailbook --reason 'disk failure, restored from the backup of 2026-11-19'

Exit codes: 0 restored, 1 damaged or refused")]
pub(crate) struct Restore {
    /// The backup
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The data directory to make: one that is not there yet, or an empty one
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The old data directory, or what is left of it (objects/ is enough), or a newer backup
    #[arg(long, value_name = "DIR")]
    replay_from: Option<PathBuf>,
}

/// Runs `trailbook backup`.
pub(crate) fn back_up_command(arguments: &Backup) -> anyhow::Result<ExitCode> {
    let clock = SystemClock::start();
    let server = arguments.key.clone().map(|key| Server {
        server: arguments.server.clone(),
        key,
        project: None,
    });
    let hold = Hold::begin(&arguments.data, server.as_ref(), &clock)?;
    let source = Source {
        data: &arguments.data,
        secrets: &[store::SIGNING_KEY_FILE, root_key::FILE],
        pin: hold.pin(),
    };
    let made = back_up(source, &arguments.to, clock.now(), &mut || hold.go_on(&clock));
    hold.end();
    let contents = made.map_err(named)?;
    println!(
        "backup of commit {} (era {}) in {}: {} ledgers, {} events, {} files, {} bytes",
        contents.commit,
        contents.era,
        arguments.to.display(),
        contents.ledgers.len(),
        contents.ledgers.iter().map(|ledger| ledger.size).sum::<u64>(),
        contents.files.len(),
        contents.files.iter().map(|file| file.bytes).sum::<u64>()
    );
    Ok(ExitCode::SUCCESS)
}

/// Runs `trailbook restore`.
pub(crate) fn restore_command(arguments: &Restore) -> anyhow::Result<ExitCode> {
    let (data, newer) = (&arguments.data, arguments.replay_from.as_deref());
    let contents = restore(&arguments.from, data, newer).map_err(named)?;
    let report = on_runtime(async {
        let parts = store::Workplace::directory(data).existing().await?;
        Ok(check_restored(parts, &contents).await?)
    });
    let report = report.with_context(|| format!("{} cannot be used", data.display()))?;
    report.findings.iter().for_each(|finding| println!("{finding}"));
    println!("{}", summary(&contents, &report, data, newer.is_some()));
    Ok(ExitCode::from(u8::from(!report.findings.is_empty())))
}

fn summary(contents: &Contents, report: &Fsck, data: &Path, is_replayed: bool) -> String {
    if !report.findings.is_empty() {
        return format!("DAMAGED: {} differences from the backup", report.findings.len());
    }
    let warning = if is_replayed {
        String::new()
    } else {
        format!(
            "\nnothing newer than the backup was given: what was redacted or set after {} is not known here",
            contents.made_at
        )
    };
    format!(
        "restored commit {} (era {}) of {}: {} events, and all {} ledgers stand where the backup says{warning}\n\
         reads work now; to store and sign again: trailbook recover --data {} --reason TEXT",
        contents.commit,
        contents.era,
        contents.made_at,
        report.events,
        report.ledgers,
        data.display()
    )
}

/// An error with every file's name on a line of its own.
fn named(error: BackupError) -> anyhow::Error {
    match error {
        BackupError::Damaged(findings) => {
            let lines: Vec<String> = findings.iter().map(|finding| format!("  {finding}")).collect();
            anyhow::anyhow!("{} files are missing or damaged:\n{}", findings.len(), lines.join("\n"))
        }
        error => error.into(),
    }
}

/// What keeps the objects of a data directory from being deleted.
enum Hold<'s> {
    /// No server is working on it, and none can begin.
    Alone { _lock: DirectoryLock },
    /// The server has been told.
    Told {
        server: &'s Server,
        name: String,
        /// When it was told last, by the monotonic clock.
        told_at: RefCell<Duration>,
    },
}

impl<'s> Hold<'s> {
    fn begin(data: &Path, server: Option<&'s Server>, clock: &SystemClock) -> anyhow::Result<Self> {
        if !data.join(DATABASE_FILE).exists() {
            bail!("{} is no data directory: it has no {DATABASE_FILE}", data.display());
        }
        match DirectoryLock::take(data) {
            Ok(lock) => return Ok(Self::Alone { _lock: lock }),
            Err(OpenError::InUse { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let Some(server) = server else {
            bail!(
                "a server is working on {}: give its --key (or TRAILBOOK_KEY), and --server when it is not at the usual address",
                data.display()
            );
        };
        let name: String = store::drawn::<8>(&OsRandom)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let hold = Self::Told {
            server,
            name: format!("backup-{name}"),
            told_at: RefCell::new(clock.monotonic()),
        };
        hold.tell()?;
        Ok(hold)
    }

    /// The pin's name, which the server writes into its database.
    fn pin(&self) -> Option<&str> {
        match self {
            Self::Alone { .. } => None,
            Self::Told { name, .. } => Some(name),
        }
    }

    fn tell(&self) -> anyhow::Result<()> {
        match self {
            Self::Alone { .. } => Ok(()),
            Self::Told { server, name, .. } => server.put(&format!("/v1/backups/{name}")).map(drop),
        }
    }

    fn go_on(&self, clock: &SystemClock) -> Result<(), BackupError> {
        let Self::Told { told_at, .. } = self else {
            return Ok(());
        };
        let now = clock.monotonic();
        if now.saturating_sub(*told_at.borrow()) >= GO_ON_EVERY {
            self.tell()
                .map_err(|error| BackupError::Stopped(format!("{error:#}")))?;
            told_at.replace(now);
        }
        Ok(())
    }

    /// Lets go, however the backup ended.
    fn end(self) {
        let Self::Told { server, name, .. } = &self else {
            return;
        };
        if let Err(error) = server.delete(&format!("/v1/backups/{name}")) {
            eprintln!("the server deletes no file for another hour, as it could not be told of the end: {error:#}");
        }
    }
}
