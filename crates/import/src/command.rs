//! The command `trailbook import`.
//!
//! Exit codes: 0 everything is stored or was there already, 1 some records are in the reject file, 2 the import could not
//! go on (the message says why; the same command continues).

use std::{
    io::{IsTerminal, stderr},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use trailbook_event::Timestamp;
use ureq::tls::TlsConfig;

use crate::{BUILT_IN, Error, Input, Mapping, Options, Reject, Report, Server, Source, Summary, run};

/// How many rejected records are shown on the terminal; all are in the file.
const REJECTS_SHOWN_MAX: u64 = 5;

/// Import events from files of other systems, or from our own JSON lines.
///
/// Running the same command again stores nothing twice: an interrupted import goes on where it stopped, and records whose
/// id the organization's history knows are left out. Records that cannot be imported are written to the reject file with
/// their line and the reason.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trailbook import --organization fashion events.jsonl
  trailbook import --from cloudtrail --organization fashion 123_CloudTrail_*.json.gz
  trailbook import --from okta --organization fashion --check system-log.json
  trailbook import --from generic --mapping jira.toml --organization fashion jira.jsonl
  zcat audit.jsonl.gz | trailbook import --from github --organization fashion -

Exit codes: 0 all stored or already there, 1 some records rejected, 2 could not go on")]
pub struct Arguments {
    /// What the files are: trailbook (our own), cloudtrail, okta, google-workspace, github, windows, or generic with --mapping
    #[arg(long, value_name = "FORMAT", default_value = "trailbook", value_parser = formats())]
    pub from: String,
    /// The mapping file for --from generic
    #[arg(long, value_name = "FILE", required_if_eq("from", "generic"))]
    pub mapping: Option<PathBuf>,
    /// The organization that the events belong to
    #[arg(long, value_name = "NAME")]
    pub organization: String,
    /// The server's address, such as https://log.example
    #[arg(
        long,
        value_name = "URL",
        env = "TRAILBOOK_SERVER",
        required_unless_present = "check"
    )]
    pub server: Option<String>,
    /// A key that may write and read events
    #[arg(
        long,
        value_name = "KEY",
        env = "TRAILBOOK_KEY",
        hide_env_values = true,
        required_unless_present = "check"
    )]
    pub key: Option<String>,
    /// The project, when the key does not say it
    #[arg(long, value_name = "NAME")]
    pub project: Option<String>,
    /// Map and validate only; send nothing
    #[arg(long)]
    pub check: bool,
    /// Where rejected records go [default: trailbook-import-ORGANIZATION.rejects.jsonl, with --check ….check.jsonl]
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Files, compressed with gzip or not; - is the standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

fn formats() -> clap::builder::PossibleValuesParser {
    let built_in = BUILT_IN.iter().map(|(name, _)| *name);
    ["trailbook"]
        .into_iter()
        .chain(built_in)
        .chain(["generic"])
        .collect::<Vec<_>>()
        .into()
}

/// Runs the command: reads the files, reports on the standard error. `now` is the time of the call, `tls` how a server proves over https
/// which one it is.
pub fn run_command(arguments: &Arguments, now: Timestamp, tls: fn() -> TlsConfig) -> ExitCode {
    match import(arguments, now, tls) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// The number of rejected records.
fn import(arguments: &Arguments, now: Timestamp, tls: fn() -> TlsConfig) -> Result<u64, Error> {
    let options = options(arguments, now, tls)?;
    let mut terminal = Terminal {
        bar: None,
        name: String::new(),
        rejects_shown: 0,
        check: arguments.check,
    };
    let result = run(&options, &mut terminal);
    terminal.clear();
    let total = result?;
    if options.inputs.len() > 1 {
        eprintln!("total: {}", terminal.sentence(total));
    }
    if total.rejected > 0 {
        eprintln!(
            "{} rejected, with their lines and reasons: {}",
            total.rejected,
            options.rejects.display()
        );
    }
    Ok(total.rejected)
}

fn options(arguments: &Arguments, now: Timestamp, tls: fn() -> TlsConfig) -> Result<Options, Error> {
    let server = match (&arguments.server, &arguments.key) {
        _ if arguments.check => None,
        (Some(url), Some(key)) => Some(Server {
            url: url.clone(),
            key: key.clone(),
            project: arguments.project.clone(),
        }),
        _ => {
            return Err(Error::Invalid(
                "Say where to send the events with --server and --key, or use --check.".to_owned(),
            ));
        }
    };
    let default_rejects = || {
        let kind = if arguments.check { "check" } else { "rejects" };
        PathBuf::from(format!(
            "trailbook-import-{}.{kind}.jsonl",
            arguments.organization.replace('/', "_")
        ))
    };
    Ok(Options {
        source: source(&arguments.from, arguments.mapping.as_deref())?,
        organization: arguments.organization.clone(),
        server,
        inputs: arguments.files.iter().map(|file| input(file)).collect(),
        rejects: arguments.rejects.clone().unwrap_or_else(default_rejects),
        now,
        tls,
        #[allow(
            clippy::disallowed_methods,
            reason = "pauses before a request is repeated, as the server asked"
        )]
        sleep: std::thread::sleep,
    })
}

fn input(file: &Path) -> Input {
    if file == Path::new("-") {
        Input::Stdin
    } else {
        Input::File(file.to_owned())
    }
}

fn source(from: &str, mapping: Option<&Path>) -> Result<Source, Error> {
    let parsed = match mapping {
        Some(_) if from != "generic" => {
            return Err(Error::Invalid(
                "A --mapping file goes with --from generic; the other formats bring their own.".to_owned(),
            ));
        }
        Some(path) => Mapping::parse(&std::fs::read_to_string(path).map_err(Error::file(path))?),
        None if from == "trailbook" => return Ok(Source::Trailbook),
        None => Mapping::built_in(from)
            .ok_or_else(|| Error::Invalid(format!("There is no format {from}; see trailbook import --help.")))?,
    };
    let name = mapping.map_or_else(|| from.to_owned(), |path| path.display().to_string());
    let mapping = parsed.map_err(|faults| Error::Mapping {
        name,
        faults: faults.iter().map(ToString::to_string).collect(),
    })?;
    Ok(Source::Mapped(Box::new(mapping)))
}

/// Reports to the standard error, with a bar when that is a terminal.
struct Terminal {
    bar: Option<ProgressBar>,
    name: String,
    rejects_shown: u64,
    check: bool,
}

impl Terminal {
    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    fn sentence(&self, summary: Summary) -> String {
        let Summary {
            records,
            stored,
            known,
            repeated,
            rejected,
        } = summary;
        let stored_word = if self.check { "valid" } else { "stored" };
        format!(
            "{records} records: {stored} {stored_word}, {known} already there, {repeated} repeated, {rejected} rejected"
        )
    }
}

impl Report for Terminal {
    fn begins(&mut self, input: &Input, bytes: Option<u64>) {
        self.clear();
        self.name = input.name();
        if !stderr().is_terminal() {
            return;
        }
        let bar = bytes.map_or_else(ProgressBar::no_length, ProgressBar::new);
        let template = "{prefix} {wide_bar} {bytes}/{total_bytes} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(self.name.clone());
        bar.enable_steady_tick(Duration::from_millis(200));
        self.bar = Some(bar);
    }

    fn progress(&mut self, bytes_read: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(bytes_read);
        }
    }

    fn rejected(&mut self, reject: &Reject<'_>) {
        self.rejects_shown += 1;
        if self.rejects_shown <= REJECTS_SHOWN_MAX {
            self.line(&format!("{}:{}: {}", reject.file, reject.line, reject.reason));
        } else if self.rejects_shown == REJECTS_SHOWN_MAX + 1 {
            self.line("further rejected records are only in the reject file");
        }
    }

    fn ended(&mut self, _input: &Input, summary: Summary) {
        self.clear();
        eprintln!("{}: {}", self.name, self.sentence(summary));
    }
}
