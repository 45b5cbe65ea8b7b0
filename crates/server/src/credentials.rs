//! `trailbook key` and `trailbook token`: credentials for programs and embedded viewers, made and revoked by a running server.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::{Server, encoded};

/// API keys of a project
#[derive(Debug, Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a key; its secret is printed once
    #[command(after_help = "\
Scopes are events:write, events:read, exports, streams and admin.

Example:
  trailbook key create --name 'ingest of the shop' --scopes events:write")]
    Create {
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        name: String,
        /// What it may do
        #[arg(long, value_name = "LIST", value_delimiter = ',', required = true)]
        scopes: Vec<String>,
        /// The only organization that it is to work for
        #[arg(long, value_name = "NAME")]
        organization: Option<String>,
        /// From when on it is of no use
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// List the keys, without their secrets
    List {
        #[command(flatten)]
        server: Server,
    },
    /// Revoke a key at once
    Revoke {
        /// Its id
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        server: Server,
    },
}

/// Tokens of embedded viewers
#[derive(Debug, Args)]
pub(crate) struct Tokens {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token; it is printed once, with an address that opens the viewer
    #[command(after_help = "\
Example:
  trailbook token create --organization fashion --actor u_81 --role administrator --filter area:billing")]
    Create {
        /// Whose log it shows
        #[arg(long, value_name = "NAME")]
        organization: String,
        /// The product's id of who looks
        #[arg(long, value_name = "ID")]
        actor: String,
        /// Their name
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        /// Their e-mail address
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// Their role, a word of the policy
        #[arg(long, value_name = "WORD")]
        role: Option<String>,
        /// Their permissions
        #[arg(long, value_name = "LIST", value_delimiter = ',')]
        permissions: Vec<String>,
        /// How long it is of use
        #[arg(long, value_name = "SECONDS")]
        ttl_seconds: Option<u32>,
        /// What it shows, in the query language
        #[arg(long, value_name = "QUERY")]
        filter: Option<String>,
        /// Whether it may take files
        #[arg(long)]
        may_export: bool,
        #[command(flatten)]
        server: Server,
    },
    /// List the tokens that are not over
    List {
        /// Whose log they show
        #[arg(long, value_name = "NAME")]
        organization: String,
        #[command(flatten)]
        server: Server,
    },
    /// Revoke a token, or all of an actor, at once
    Revoke {
        /// Whose log it shows
        #[arg(long, value_name = "NAME")]
        organization: String,
        /// Its id
        #[arg(value_name = "ID", required_unless_present = "actor")]
        id: Option<String>,
        /// The product's id of who is to see no more
        #[arg(long, value_name = "ID", conflicts_with = "id")]
        actor: Option<String>,
        #[command(flatten)]
        server: Server,
    },
}

/// Runs `trailbook key`.
pub(crate) fn keys(arguments: &Keys) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        KeyCommand::Create {
            name,
            scopes,
            organization,
            expires_at,
            server,
        } => {
            let request =
                json!({"name": name, "scopes": scopes, "organization": organization, "expires_at": expires_at});
            print(&server.post("/v1/keys", &request)?.body_mut().read_json()?)
        }
        KeyCommand::List { server } => print(&server.get("/v1/keys")?.body_mut().read_json()?),
        KeyCommand::Revoke { id, server } => {
            server.delete(&format!("/v1/keys/{}", encoded(id)))?;
            println!("{id} is revoked.");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Runs `trailbook token`.
pub(crate) fn tokens(arguments: &Tokens) -> anyhow::Result<ExitCode> {
    let path = |organization: &str| format!("/v1/organizations/{}/viewer-tokens", encoded(organization));
    match &arguments.command {
        TokenCommand::Create {
            organization,
            actor,
            name,
            email,
            role,
            permissions,
            ttl_seconds,
            filter,
            may_export,
            server,
        } => {
            let actor = json!({"id": actor, "name": name, "email": email, "role": role, "permissions": permissions});
            let request =
                json!({"actor": actor, "ttl_seconds": ttl_seconds, "filter": filter, "may_export": may_export});
            print(&server.post(&path(organization), &request)?.body_mut().read_json()?)
        }
        TokenCommand::List { organization, server } => print(&server.get(&path(organization))?.body_mut().read_json()?),
        TokenCommand::Revoke {
            organization,
            id,
            actor,
            server,
        } => {
            let path = path(organization);
            let path = match (id, actor) {
                (Some(id), _) => format!("{path}/{}", encoded(id)),
                (None, actor) => format!("{path}?actor={}", encoded(actor.as_deref().unwrap_or_default())),
            };
            server.delete(&path)?;
            println!("Revoked.");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Prints what the server answered.
fn print(answer: &Value) -> anyhow::Result<ExitCode> {
    println!("{}", serde_json::to_string_pretty(answer)?);
    Ok(ExitCode::SUCCESS)
}
