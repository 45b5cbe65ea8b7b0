//! `trailbook verify`: its arguments, and the run from them to an exit code.
//!
//! `--key` is the ledger's public key, as everywhere in verification; the credential for a running server is `--api-key`.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    str::FromStr,
};

use clap::Args;
use trailbook_merkle::note::VerifierKey;
use ureq::tls::TlsConfig;

use crate::{Events, Report, Target, evidence_file, server};

/// Check an evidence file, or a running server, against a ledger's public key
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Verify {
    /// Evidence file, or the address of a server (https://HOST or http://HOST:PORT)
    #[arg(value_name = "FILE|URL")]
    source: String,
    /// The ledger's verifier key, NAME+ID+KEY, got by another way than what is checked
    #[arg(long, value_name = "VKEY")]
    key: String,
    /// Organization whose ledger is checked, on a server
    #[arg(long, value_name = "ORG")]
    organization: Option<String>,
    /// Project of the organization, when the credential does not imply it
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
    /// Credential for the server
    #[arg(long, value_name = "KEY", env = "TRAILBOOK_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// Events that are checked in full on a server: a number, or all
    #[arg(long, value_name = "N|all", default_value = "1000")]
    events: EventsArgument,
    /// File that keeps the checkpoint between runs, so that a server cannot take back what it has shown
    #[arg(long, value_name = "FILE")]
    remember: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  trailbook verify evidence.zip --key 'audit.example/default/acme+1a2b3c4d+AVq…'
  trailbook verify http://127.0.0.1:8080 --organization acme --key VKEY --api-key KEY
  trailbook verify http://127.0.0.1:8080 --organization acme --key VKEY --events all --remember acme.checkpoint

Exit codes: 0 verified; 1 tampered or incomplete, with every difference named; 2 could not be checked.";

/// The value of `--events`.
#[derive(Debug, Clone, Copy)]
struct EventsArgument(Events);

impl FromStr for EventsArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self(Events::All)),
            _ => text
                .parse()
                .map(|count| Self(Events::Sample(count)))
                .map_err(|_| "expected a number or `all`".to_owned()),
        }
    }
}

/// Runs the check, prints the report to `out`, and gives the exit code: 0 verified, 1 tampered or incomplete, 2 could not be
/// checked. `tls` is how a server proves over https which one it is.
pub fn run(arguments: &Verify, tls: fn() -> TlsConfig, out: &mut impl Write) -> ExitCode {
    let report = report(arguments, tls);
    match write!(out, "{report}").and_then(|()| out.flush()) {
        Ok(()) => ExitCode::from(report.exit_code()),
        Err(_) => ExitCode::from(2.max(report.exit_code())),
    }
}

fn report(arguments: &Verify, tls: fn() -> TlsConfig) -> Report {
    let key = match VerifierKey::parse(&arguments.key) {
        Ok(key) => key,
        Err(error) => return Report::Unreadable(format!("The value of --key cannot be used: {error}.")),
    };
    match arguments.source.split_once("://") {
        Some(("http" | "https", _)) => running(arguments, tls, &key).unwrap_or_else(Report::Unreadable),
        Some((scheme, _)) => Report::Unreadable(format!("Addresses begin with https:// or http://, not {scheme}://.")),
        None if arguments.organization.is_some() || arguments.remember.is_some() => Report::Unreadable(
            "The options --organization and --remember are for servers; give the address with https:// or http://."
                .to_owned(),
        ),
        None => evidence_file(Path::new(&arguments.source), &key),
    }
}

fn running(arguments: &Verify, tls: fn() -> TlsConfig, key: &VerifierKey) -> Result<Report, String> {
    let target = Target {
        url: &arguments.source,
        project: arguments.project.as_deref(),
        organization: arguments
            .organization
            .as_deref()
            .ok_or("Name the organization with --organization.")?,
        api_key: arguments.api_key.as_deref(),
        tls: &tls(),
    };
    let remembered = match &arguments.remember {
        Some(path) => read_if_there(path).map_err(|error| format!("{} cannot be read: {error}.", path.display()))?,
        None => None,
    };
    let (report, note) = server(&target, key, arguments.events.0, remembered.as_deref());
    if let (Some(path), Some(note)) = (&arguments.remember, note) {
        replace(path, &note).map_err(|error| format!("{} cannot be written: {error}.", path.display()))?;
    }
    Ok(report)
}

fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts new content in the file's place, whole or not at all.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut beside = OsString::from(path);
    beside.push(".new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}
