//! `trailbook stream`, `trailbook alert` and `trailbook exports`: deliveries of a running server.
//!
//! What is set up is the JSON of the HTTP API, from a file or the standard input: docs/streams.md and docs/alerts.md have examples.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::{Server, encoded};

/// Streams: continuous deliveries to somewhere else
#[derive(Debug, Args)]
#[command(after_help = "\
With --organization it is about the streams of that organization, without about those of the whole project.

Examples:
  trailbook stream create bucket.json --organization fashion
  trailbook stream list --organization fashion
  trailbook stream test str_0a48 --organization fashion
  trailbook stream replay str_0a48 --organization fashion --from-sequence 1200")]
pub(crate) struct Streams {
    #[command(subcommand)]
    command: StreamCommand,
}

#[derive(Debug, Subcommand)]
enum StreamCommand {
    /// List the streams with how they are getting on
    List {
        #[command(flatten)]
        of: Of,
    },
    /// Show a stream
    Show {
        #[command(flatten)]
        one: One,
    },
    /// Set a stream up from a JSON file; the secret that is made for a webhook is printed once
    Create {
        #[command(flatten)]
        document: Document,
        #[command(flatten)]
        of: Of,
    },
    /// Change a stream to what a JSON file says; secrets that it leaves out stay
    Update {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        document: Document,
    },
    /// Remove a stream
    Delete {
        #[command(flatten)]
        one: One,
    },
    /// Send one made-up event
    Test {
        #[command(flatten)]
        one: One,
    },
    /// Let deliveries wait
    Pause {
        #[command(flatten)]
        one: One,
    },
    /// Let deliveries go on
    Resume {
        #[command(flatten)]
        one: One,
    },
    /// Send events again, with the same ids
    Replay {
        #[command(flatten)]
        one: One,
        /// From this sequence on
        #[arg(
            long,
            value_name = "NUMBER",
            conflicts_with = "from",
            required_unless_present = "from"
        )]
        from_sequence: Option<u64>,
        /// From what was received at this time on (RFC 3339)
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Of a project's stream: only this organization's events
        #[arg(long, value_name = "NAME")]
        only: Option<String>,
    },
    /// List the events that the destination did not take
    Parked {
        #[command(flatten)]
        one: One,
    },
    /// Send parked events again
    RetryParked {
        #[command(flatten)]
        one: One,
    },
    /// Give parked events up
    DropParked {
        #[command(flatten)]
        one: One,
    },
}

/// Alerts: saved queries that tell somebody, and digests
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trailbook alert create exports.json --organization fashion
  trailbook alert list --organization fashion
  trailbook alert test alr_77 --organization fashion")]
pub(crate) struct Alerts {
    #[command(subcommand)]
    command: AlertCommand,
}

#[derive(Debug, Subcommand)]
enum AlertCommand {
    /// List the alerts
    List {
        #[command(flatten)]
        of: OfOrganization,
    },
    /// Show an alert
    Show {
        #[command(flatten)]
        one: OneOfOrganization,
    },
    /// Set an alert up from a JSON file; the secret that is made for a webhook is printed once
    Create {
        #[command(flatten)]
        document: Document,
        #[command(flatten)]
        of: OfOrganization,
    },
    /// Change an alert to what a JSON file says; secrets that it leaves out stay
    Update {
        #[command(flatten)]
        one: OneOfOrganization,
        #[command(flatten)]
        document: Document,
    },
    /// Remove an alert
    Delete {
        #[command(flatten)]
        one: OneOfOrganization,
    },
    /// Send a message as if the alert had fired
    Test {
        #[command(flatten)]
        one: OneOfOrganization,
    },
}

/// Exports that are made in the background and kept for a day
#[derive(Debug, Args)]
#[command(after_help = "\
`trailbook export` writes a file at once; this is for files that are large, or for somebody else.

Examples:
  trailbook exports create everything.json --organization fashion
  trailbook exports list --organization fashion
  trailbook exports download exp_3f2b --organization fashion --output everything.csv")]
pub(crate) struct Exports {
    #[command(subcommand)]
    command: ExportCommand,
}

#[derive(Debug, Subcommand)]
enum ExportCommand {
    /// List the exports
    List {
        #[command(flatten)]
        of: OfOrganization,
    },
    /// Show an export
    Show {
        #[command(flatten)]
        one: OneOfOrganization,
    },
    /// Ask for a file, by a JSON file such as {\"format\":\"csv\",\"scope\":\"all\"}
    Create {
        #[command(flatten)]
        document: Document,
        #[command(flatten)]
        of: OfOrganization,
    },
    /// Download a file that is ready; what is there of it already is not fetched again
    Download {
        #[command(flatten)]
        one: OneOfOrganization,
        /// Where to write
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Cancel an export, or drop its file
    Delete {
        #[command(flatten)]
        one: OneOfOrganization,
    },
}

/// Whose deliveries.
#[derive(Debug, Args)]
struct Of {
    /// The organization; the whole project without
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    #[command(flatten)]
    server: Server,
}

/// One delivery.
#[derive(Debug, Args)]
struct One {
    /// Its id
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    of: Of,
}

/// Whose deliveries, where there are none of a whole project.
#[derive(Debug, Args)]
struct OfOrganization {
    /// The organization
    #[arg(long, value_name = "NAME")]
    organization: String,
    #[command(flatten)]
    server: Server,
}

/// One of an organization.
#[derive(Debug, Args)]
struct OneOfOrganization {
    /// Its id
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    of: OfOrganization,
}

/// What is set up.
#[derive(Debug, Args)]
struct Document {
    /// A JSON file; - is the standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Of {
    fn path(&self) -> String {
        match &self.organization {
            Some(organization) => format!("/v1/organizations/{}/streams", encoded(organization)),
            None => "/v1/streams".into(),
        }
    }
}

impl One {
    fn path(&self) -> String {
        format!("{}/{}", self.of.path(), encoded(&self.id))
    }

    /// Does something to it, and prints what the server says.
    fn act(&self, verb: &str, body: &Value) -> anyhow::Result<()> {
        let path = format!("{}/{verb}", self.path());
        print(&mut self.of.server.post(&path, body)?)
    }
}

impl OfOrganization {
    fn path(&self, kind: &str) -> String {
        format!("/v1/organizations/{}/{kind}", encoded(&self.organization))
    }
}

impl OneOfOrganization {
    fn path(&self, kind: &str) -> String {
        format!("{}/{}", self.of.path(kind), encoded(&self.id))
    }
}

impl Document {
    fn read(&self) -> anyhow::Result<Value> {
        let mut text = String::new();
        let name = self.file.display();
        match self.file == Path::new("-") {
            true => io::stdin().read_to_string(&mut text),
            false => File::open(&self.file).and_then(|mut file| file.read_to_string(&mut text)),
        }
        .with_context(|| format!("{name} cannot be read"))?;
        serde_json::from_str(&text).with_context(|| format!("{name} is no JSON"))
    }
}

type Answer = ureq::http::Response<ureq::Body>;

/// Runs `trailbook stream`.
pub(crate) fn streams(arguments: &Streams) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        StreamCommand::List { of } => {
            let answer: Value = of.server.get(&of.path())?.body_mut().read_json()?;
            for stream in answer["streams"].as_array().into_iter().flatten() {
                let (health, text) = (&stream["health"], |value: &Value| {
                    value.as_str().unwrap_or("-").to_owned()
                });
                println!(
                    "{}  {:<8} {:<14} behind by {} events, {} s; parked {}  {}{}",
                    text(&stream["id"]),
                    text(&stream["state"]),
                    text(&stream["destination"]["type"]),
                    health["lag_events"],
                    health["lag_seconds"],
                    health["parked"],
                    text(&stream["name"]),
                    health["last_error"]
                        .as_str()
                        .map(|error| format!("\n    {error}"))
                        .unwrap_or_default(),
                );
            }
        }
        StreamCommand::Show { one } => print(&mut one.of.server.get(&one.path())?)?,
        StreamCommand::Create { document, of } => print(&mut of.server.post(&of.path(), &document.read()?)?)?,
        StreamCommand::Update { one, document } => update(&one.of.server, &one.path(), &document.read()?)?,
        StreamCommand::Delete { one } => drop(one.of.server.delete(&one.path())?),
        StreamCommand::Test { one } => return tested(one.of.server.post(&format!("{}/test", one.path()), &json!({}))?),
        StreamCommand::Pause { one } => one.act("pause", &json!({}))?,
        StreamCommand::Resume { one } => one.act("resume", &json!({}))?,
        StreamCommand::Replay {
            one,
            from_sequence,
            from,
            only,
        } => one.act(
            "replay",
            &json!({"from_sequence": from_sequence, "from": from, "organization": only}),
        )?,
        StreamCommand::Parked { one } => print(&mut one.of.server.get(&format!("{}/parked", one.path()))?)?,
        StreamCommand::RetryParked { one } => one.act("parked/retry", &json!({}))?,
        StreamCommand::DropParked { one } => drop(one.of.server.delete(&format!("{}/parked", one.path()))?),
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs `trailbook alert`.
pub(crate) fn alerts(arguments: &Alerts) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        AlertCommand::List { of } => print(&mut of.server.get(&of.path("alerts"))?)?,
        AlertCommand::Show { one } => print(&mut one.of.server.get(&one.path("alerts"))?)?,
        AlertCommand::Create { document, of } => print(&mut of.server.post(&of.path("alerts"), &document.read()?)?)?,
        AlertCommand::Update { one, document } => update(&one.of.server, &one.path("alerts"), &document.read()?)?,
        AlertCommand::Delete { one } => drop(one.of.server.delete(&one.path("alerts"))?),
        AlertCommand::Test { one } => {
            return tested(
                one.of
                    .server
                    .post(&format!("{}/test", one.path("alerts")), &json!({}))?,
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs `trailbook exports`.
pub(crate) fn exports(arguments: &Exports) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        ExportCommand::List { of } => print(&mut of.server.get(&of.path("exports"))?)?,
        ExportCommand::Show { one } => print(&mut one.of.server.get(&one.path("exports"))?)?,
        ExportCommand::Create { document, of } => print(&mut of.server.post(&of.path("exports"), &document.read()?)?)?,
        ExportCommand::Download { one, output } => download(one, output)?,
        ExportCommand::Delete { one } => drop(one.of.server.delete(&one.path("exports"))?),
    }
    Ok(ExitCode::SUCCESS)
}

/// Puts a document over the version that is there.
fn update(server: &Server, path: &str, document: &Value) -> anyhow::Result<()> {
    let (version, _) = server.find(path)?.context("there is nothing of this id")?;
    print(&mut server.put_json(path, document, version.as_deref())?)
}

/// Prints what became of a test; it fails when nothing arrived.
fn tested(mut answer: Answer) -> anyhow::Result<ExitCode> {
    let outcome: Value = answer.body_mut().read_json()?;
    println!("{}", serde_json::to_string_pretty(&outcome)?);
    Ok(ExitCode::from(u8::from(outcome["delivered"] != json!(true))))
}

fn print(answer: &mut Answer) -> anyhow::Result<()> {
    let value: Value = answer.body_mut().read_json()?;
    println!("{}", serde_json::to_string_pretty(&value)?);
    Ok(())
}

/// Appends to a partial file what it lacks; it gets its name when it is whole.
fn download(one: &OneOfOrganization, output: &Path) -> anyhow::Result<()> {
    let server = &one.of.server;
    let export: Value = server.get(&one.path("exports"))?.body_mut().read_json()?;
    let state = export["state"].as_str().unwrap_or_default();
    ensure!(state == "ready", "the export is not ready: it is {state}");
    let bytes = export["bytes"]
        .as_u64()
        .context("the server does not say how long the file is")?;
    let mut partial = output.as_os_str().to_owned();
    partial.push(".part");
    let partial = PathBuf::from(partial);
    let mut file = File::options().append(true).create(true).open(&partial)?;
    let begun = file.metadata()?.len();
    ensure!(begun <= bytes, "{} is of another export; remove it", partial.display());
    if begun < bytes {
        let path = format!("{}/download", one.path("exports"));
        let mut answer = server.get_from(&path, begun)?;
        io::copy(&mut answer.body_mut().as_reader(), &mut file)?;
    }
    file.flush()?;
    file.sync_all()?;
    ensure!(
        file.metadata()?.len() == bytes,
        "the connection ended early; run the command again, and it goes on"
    );
    std::fs::rename(&partial, output)?;
    eprintln!("{}: {bytes} bytes", output.display());
    Ok(())
}
