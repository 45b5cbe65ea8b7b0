//! `trailbook project`, `organization`, `catalog` and `single-sign-on`: how a deployment is set up, at a running server.
//!
//! Invariants
//! - A changed policy is the one that was read with the changes: when somebody else changed it meanwhile, nothing is set.
//! - A client secret is never an argument.
//!
//! Not here: what may be set and by whom, which the server says. See docs/policies.md, docs/catalog.md and docs/single-sign-on.md.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};
use serde_json::{
    Map, Value, json,
    value::{RawValue, to_raw_value},
};
use trailbook_event::catalog::Document;

use crate::{
    client::{Server, encoded},
    profile::{listed, plain},
};

/// Where a client secret may be, so that it is in no list of processes.
const CLIENT_SECRET: &str = "TRAILBOOK_CLIENT_SECRET";
/// Organizations asked for at a time.
const PAGE: usize = 1_000;

/// Projects, and what their organizations inherit
#[derive(Debug, Args)]
pub(crate) struct Projects {
    #[command(subcommand)]
    command: ProjectCommand,
}

#[derive(Debug, Subcommand)]
enum ProjectCommand {
    /// List the projects
    List {
        #[command(flatten)]
        server: Server,
    },
    /// Show how a project is set up
    Show {
        #[command(flatten)]
        of: Named,
    },
    /// Change a project's policy, or make the project
    #[command(after_help = "\
Examples:
  trailbook project set default --set 'view_roles=[\"owner\"]' --set max_range_days=30
  trailbook project set shop --organizations declared --policy policy.toml")]
    Set {
        #[command(flatten)]
        of: Named,
        /// Whether the first event makes an organization, or somebody has to
        #[arg(long, value_parser = ["auto", "declared"])]
        organizations: Option<String>,
        #[command(flatten)]
        change: PolicyChange,
    },
    /// Delete a project that has no events, with its people, keys and settings
    Delete {
        #[command(flatten)]
        of: Named,
    },
}

/// Organizations of a project, and their policies
#[derive(Debug, Args)]
pub(crate) struct Organizations {
    #[command(subcommand)]
    command: OrganizationCommand,
}

#[derive(Debug, Subcommand)]
enum OrganizationCommand {
    /// List the organizations
    List {
        #[command(flatten)]
        server: Server,
    },
    /// Show what is set for an organization
    Show {
        #[command(flatten)]
        of: Named,
    },
    /// Change an organization's policy, or make the organization
    #[command(after_help = "\
Examples:
  trailbook organization set fashion --retention-days 90 --set 'time_zone=\"Europe/London\"'
  trailbook organization set fashion --legal-hold true
  trailbook organization set fashion --inherit retention_days")]
    Set {
        #[command(flatten)]
        of: Named,
        #[command(flatten)]
        change: PolicyChange,
    },
}

/// The catalog of a project
#[derive(Debug, Args)]
pub(crate) struct Catalog {
    #[command(subcommand)]
    command: CatalogCommand,
}

#[derive(Debug, Subcommand)]
enum CatalogCommand {
    /// Print the catalog that was set, as it was written
    Show {
        #[command(flatten)]
        server: Server,
    },
    /// Set the catalog, which is in force at once
    Set {
        /// The catalog (.toml or .json)
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        server: Server,
    },
}

/// The identity provider of an organization's people
#[derive(Debug, Args)]
pub(crate) struct SingleSignOn {
    #[command(subcommand)]
    command: SingleSignOnCommand,
}

#[derive(Debug, Subcommand)]
enum SingleSignOnCommand {
    /// Show the settings, without the client secret
    Show {
        #[command(flatten)]
        of: OfOrganization,
    },
    /// Set the identity provider
    #[command(after_help = "\
The client secret is in the file of --client-secret-file, in the environment as TRAILBOOK_CLIENT_SECRET, or in FILE as client_secret.
Without one, the stored one stays, as long as issuer and client stay the same.

Example:
  trailbook single-sign-on set acme.json --organization acme --client-secret-file /run/secrets/acme")]
    Set {
        /// The settings as JSON; the order of `roles` counts
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// A file with nothing but the client secret
        #[arg(long, value_name = "FILE")]
        client_secret_file: Option<PathBuf>,
        #[command(flatten)]
        of: OfOrganization,
    },
    /// Take the identity provider away; who is signed in stays so
    Remove {
        #[command(flatten)]
        of: OfOrganization,
    },
}

/// A project or an organization by its name.
#[derive(Debug, Args)]
struct Named {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    server: Server,
}

/// Whose identity provider.
#[derive(Debug, Args)]
struct OfOrganization {
    /// The organization
    #[arg(long, value_name = "NAME")]
    organization: String,
    #[command(flatten)]
    server: Server,
}

/// What of a policy becomes another.
#[derive(Debug, Args)]
struct PolicyChange {
    /// Begin with the fields in this file (.toml or .json), not with those that are set
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Set a field
    #[arg(long = "set", value_name = "FIELD=JSON", value_parser = field)]
    fields: Vec<(String, Value)>,
    /// Set a field no more: it is inherited
    #[arg(long, value_name = "FIELD")]
    inherit: Vec<String>,
    /// Days that events are kept after they were received, or forever
    #[arg(long, value_name = "DAYS", value_parser = days)]
    retention_days: Option<Value>,
    /// Whether nothing may expire
    #[arg(long, value_name = "true|false")]
    legal_hold: Option<bool>,
}

/// `title="Log"` as it is given to `--set`.
fn field(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("write FIELD=JSON, such as max_range_days=30")?;
    let value = serde_json::from_str(value);
    let value = value.map_err(|_| "the value is no JSON; texts have double quotes, as in 'title=\"Log\"'")?;
    Ok((name.to_owned(), value))
}

fn days(text: &str) -> Result<Value, String> {
    match text {
        "forever" => Ok(Value::Null),
        _ => text
            .parse::<u32>()
            .map(Value::from)
            .map_err(|_| "write a whole number of days, or forever".into()),
    }
}

/// Runs `trailbook project`.
pub(crate) fn projects(arguments: &Projects) -> anyhow::Result<ExitCode> {
    let path = |of: &Named| format!("/v1/projects/{}", encoded(&of.name));
    match &arguments.command {
        ProjectCommand::List { server } => print(&server.get("/v1/projects")?.body_mut().read_json()?),
        ProjectCommand::Show { of } => print(&of.server.get(&path(of))?.body_mut().read_json()?),
        ProjectCommand::Set {
            of,
            organizations,
            change,
        } => {
            let members = organizations
                .iter()
                .map(|word| ("organizations".to_owned(), json!(word)));
            change.make(&of.server, &path(of), members.collect())
        }
        ProjectCommand::Delete { of } => {
            of.server.delete(&path(of))?;
            println!("{} is deleted.", of.name);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Runs `trailbook organization`.
pub(crate) fn organizations(arguments: &Organizations) -> anyhow::Result<ExitCode> {
    let path = |of: &Named| format!("/v1/organizations/{}", encoded(&of.name));
    match &arguments.command {
        OrganizationCommand::List { server } => print(&all_organizations(server)?),
        OrganizationCommand::Show { of } => print(&of.server.get(&path(of))?.body_mut().read_json()?),
        OrganizationCommand::Set { of, change } => change.make(&of.server, &path(of), Map::new()),
    }
}

/// Every page of the list, as one.
fn all_organizations(server: &Server) -> anyhow::Result<Value> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/v1/organizations?limit={PAGE}&after={}", encoded(&after));
        let mut page: Value = server.get(&path)?.body_mut().read_json()?;
        if let Some(organizations) = page["organizations"].as_array_mut() {
            all.append(organizations);
        }
        match page["next"].take() {
            Value::String(next) => after = next,
            _ => return Ok(json!({ "organizations": all })),
        }
    }
}

impl PolicyChange {
    /// Sets what is at `path` to what it is with the changes, and with `members` beside the policy.
    fn make(&self, server: &Server, path: &str, members: Map<String, Value>) -> anyhow::Result<ExitCode> {
        let (version, mut is) = match server.find(path)? {
            Some((version, text)) => (version, serde_json::from_str(&text)?),
            None => (None, json!({})),
        };
        let mut body = members;
        if let Some(organizations) = is.get("organizations") {
            body.entry("organizations").or_insert_with(|| organizations.clone());
        }
        let policy = match &self.policy {
            Some(file) => policy_in(file)?,
            None => self.policy_that_is(&mut is)?,
        };
        body.insert("policy".to_owned(), self.changed(policy).into());
        let body = Value::Object(body);
        print(
            &server
                .put_json(path, &body, version.as_deref())?
                .body_mut()
                .read_json()?,
        )
    }

    /// The fields that are set.
    fn policy_that_is(&self, is: &mut Value) -> anyhow::Result<Map<String, Value>> {
        let waits = &is["pending_retention"];
        if !waits.is_null() && !self.names("retention_days") {
            // What is shown then is what is still in force: setting it would take the shortening back.
            bail!(
                "a shorter retention ({} days) waits until {}: say --retention-days as well, {0} to let it come",
                waits["retention_days"],
                waits["takes_effect_at"].as_str().unwrap_or_default()
            );
        }
        match is["policy"].take() {
            Value::Object(policy) => Ok(policy),
            _ => Ok(Map::new()),
        }
    }

    fn names(&self, field: &str) -> bool {
        self.changes().any(|(name, _)| name == field) || self.inherit.iter().any(|name| name == field)
    }

    fn changes(&self) -> impl Iterator<Item = (String, Value)> {
        let named = |name: &str, value: Option<Value>| value.map(|value| (name.to_owned(), value));
        let retention = named("retention_days", self.retention_days.clone());
        let hold = named("legal_hold", self.legal_hold.map(Value::from));
        self.fields.iter().cloned().chain(retention).chain(hold)
    }

    fn changed(&self, mut policy: Map<String, Value>) -> Map<String, Value> {
        policy.extend(self.changes());
        policy.retain(|name, _| !self.inherit.contains(name));
        policy
    }
}

/// The fields of a policy in a file.
fn policy_in(file: &Path) -> anyhow::Result<Map<String, Value>> {
    let text = text(file)?;
    let read = match extension(file)? {
        Extension::Toml => Document::from_toml(&text),
        Extension::Json => Document::from_json(&text),
    };
    let document = read.map_err(|faults| anyhow!("{} has faults:{}", file.display(), listed(&faults)))?;
    match plain(document.root().value) {
        Value::Object(fields) => Ok(fields),
        _ => bail!("{}: the fields of a policy belong there", file.display()),
    }
}

/// Runs `trailbook catalog`.
pub(crate) fn catalog(arguments: &Catalog) -> anyhow::Result<ExitCode> {
    let path = |server: &Server| format!("/v1/projects/{}/catalog", encoded(server.project_name()));
    match &arguments.command {
        CatalogCommand::Show { server } => {
            print!("{}", server.get(&path(server))?.body_mut().read_to_string()?);
            Ok(ExitCode::SUCCESS)
        }
        CatalogCommand::Set { file, server } => {
            let kind = match extension(file)? {
                Extension::Toml => "application/toml",
                Extension::Json => "application/json",
            };
            print(
                &server
                    .put_text(&path(server), kind, &text(file)?)?
                    .body_mut()
                    .read_json()?,
            )
        }
    }
}

/// Runs `trailbook single-sign-on`.
pub(crate) fn single_sign_on(arguments: &SingleSignOn) -> anyhow::Result<ExitCode> {
    let path = |of: &OfOrganization| format!("/v1/organizations/{}/single-sign-on", encoded(&of.organization));
    match &arguments.command {
        SingleSignOnCommand::Show { of } => println!("{}", of.server.get(&path(of))?.body_mut().read_to_string()?),
        SingleSignOnCommand::Set {
            file,
            client_secret_file,
            of,
        } => {
            let settings = provider_in(file, client_secret(client_secret_file.as_deref())?)?;
            let mut answer = of.server.put_json(&path(of), &settings, None)?;
            println!("{}", answer.body_mut().read_to_string()?);
        }
        SingleSignOnCommand::Remove { of } => {
            of.server.delete(&path(of))?;
            println!("{} has no single sign-on any more.", of.organization);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The settings in a file, with the secret that is not in it. Members stay as they are written: the order of groups counts.
fn provider_in(file: &Path, secret: Option<String>) -> anyhow::Result<BTreeMap<String, Box<RawValue>>> {
    let text = text(file)?;
    // The library's words may show the text, and there may be a secret in it.
    let read: Option<BTreeMap<String, Box<RawValue>>> = serde_json::from_str(&text).ok();
    let mut settings = read.with_context(|| format!("{}: a JSON object belongs there", file.display()))?;
    if let Some(secret) = secret
        && settings
            .insert("client_secret".to_owned(), to_raw_value(&secret)?)
            .is_some()
    {
        bail!("the client secret is in {} and elsewhere as well", file.display());
    }
    Ok(settings)
}

/// The client secret in a file of its own or in the environment.
#[allow(
    clippy::disallowed_methods,
    reason = "what is no argument cannot be read as arguments are"
)]
fn client_secret(file: Option<&Path>) -> anyhow::Result<Option<String>> {
    let variable = std::env::var(CLIENT_SECRET).ok().filter(|secret| !secret.is_empty());
    match (file, variable) {
        (Some(file), None) => Ok(Some(text(file)?.trim_end_matches(['\r', '\n']).to_owned())),
        (Some(_), Some(_)) => bail!("--client-secret-file and {CLIENT_SECRET} are both given; give one of them"),
        (None, variable) => Ok(variable),
    }
}

/// How a file is written.
enum Extension {
    Toml,
    Json,
}

fn extension(file: &Path) -> anyhow::Result<Extension> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => Ok(Extension::Toml),
        Some("json") => Ok(Extension::Json),
        _ => bail!("{}: its name has to end in .toml or .json", file.display()),
    }
}

fn text(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

/// Prints what the server answered.
fn print(answer: &Value) -> anyhow::Result<ExitCode> {
    println!("{}", serde_json::to_string_pretty(answer)?);
    Ok(ExitCode::SUCCESS)
}
