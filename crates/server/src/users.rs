//! `trailbook user`: the people of an organization's console, managed at a running server.

use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::{Server, encoded};

/// People of an organization's console
#[derive(Debug, Args)]
#[command(after_help = "\
A user is named by e-mail address or id. The organization _system has the operators of the whole deployment.

Examples:
  trailbook user invite ann@fashion.example --role owner --organization fashion
  trailbook user permissions ann@fashion.example audit.view --organization fashion")]
pub(crate) struct Users {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Invite somebody by mail
    Invite {
        /// E-mail address
        #[arg(value_name = "EMAIL")]
        email: String,
        /// What they are, a word of the policy
        #[arg(long, value_name = "ROLE")]
        role: String,
        /// Display name
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Named permissions
        #[arg(long, value_name = "LIST", value_delimiter = ',')]
        permissions: Vec<String>,
        #[command(flatten)]
        link: Link,
        #[command(flatten)]
        at: At,
    },
    /// List the users
    List {
        #[command(flatten)]
        at: At,
    },
    /// Show a user
    Show {
        #[command(flatten)]
        who: Who,
    },
    /// Change a user's name, address or role
    Change {
        /// Display name
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// E-mail address
        #[arg(long, value_name = "EMAIL")]
        email: Option<String>,
        /// What they are, a word of the policy
        #[arg(long, value_name = "ROLE")]
        role: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// End every session of a user, who cannot sign in any more
    Deactivate {
        #[command(flatten)]
        who: Who,
    },
    /// Let a deactivated user sign in again
    Activate {
        #[command(flatten)]
        who: Who,
    },
    /// Delete a user
    Remove {
        #[command(flatten)]
        who: Who,
    },
    /// Give a user exactly these permissions; none takes all away
    Permissions {
        #[command(flatten)]
        who: Who,
        /// Named permissions
        #[arg(value_name = "PERMISSION")]
        permissions: Vec<String>,
    },
    /// Send a user a link to choose a password
    Reset {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        link: Link,
    },
}

/// Where users are.
#[derive(Debug, Args)]
struct At {
    /// The organization
    #[arg(long, value_name = "NAME")]
    organization: String,
    #[command(flatten)]
    server: Server,
}

/// One user.
#[derive(Debug, Args)]
struct Who {
    /// E-mail address or id
    #[arg(value_name = "USER")]
    user: String,
    #[command(flatten)]
    at: At,
}

/// Where a link goes.
#[derive(Debug, Args)]
struct Link {
    /// Print the link instead of mailing it; for operators
    #[arg(long)]
    answer_link: bool,
}

impl Link {
    fn deliver(&self) -> &'static str {
        if self.answer_link { "answer" } else { "mail" }
    }
}

impl At {
    fn path(&self) -> String {
        format!("/v1/organizations/{}/users", encoded(&self.organization))
    }

    fn users(&self) -> anyhow::Result<Vec<Value>> {
        let answer: Value = self.server.get(&self.path())?.body_mut().read_json()?;
        Ok(answer["users"].as_array().cloned().unwrap_or_default())
    }
}

impl Who {
    fn found(&self) -> anyhow::Result<Value> {
        let asked = self.user.to_lowercase();
        let users = self.at.users()?;
        let found = users
            .into_iter()
            .find(|user| user["email"] == asked || user["id"] == self.user);
        match found {
            Some(user) => Ok(user),
            None => bail!(
                "there is no user {} in the organization {}",
                self.user,
                self.at.organization
            ),
        }
    }

    fn path(&self) -> anyhow::Result<String> {
        let user = self.found()?;
        Ok(format!("{}/{}", self.at.path(), text(&user["id"])))
    }

    fn patch(&self, change: &Value) -> anyhow::Result<()> {
        let changed: Value = self.at.server.patch(&self.path()?, change)?.body_mut().read_json()?;
        print(&changed);
        Ok(())
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &Users) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        Command::Invite {
            email,
            role,
            name,
            permissions,
            link,
            at,
        } => invite(
            at,
            &json!({"email": email, "role": role, "name": name, "permissions": permissions, "deliver": link.deliver()}),
        )?,
        Command::List { at } => at.users()?.iter().for_each(print_line),
        Command::Show { who } => print(&who.found()?),
        Command::Change { name, email, role, who } => {
            let wanted = [("name", name), ("email", email), ("role", role)];
            let given = wanted
                .into_iter()
                .filter_map(|(member, value)| Some((member.to_owned(), json!(value.as_ref()?))));
            who.patch(&Value::Object(given.collect()))?;
        }
        Command::Deactivate { who } => who.patch(&json!({"state": "deactivated"}))?,
        Command::Activate { who } => who.patch(&json!({"state": "active"}))?,
        Command::Remove { who } => {
            who.at.server.delete(&who.path()?)?;
            println!("{} is no user any more", who.user);
        }
        Command::Permissions { who, permissions } => {
            let path = format!("{}/permissions", who.path()?);
            let request = json!({ "permissions": permissions });
            print(&who.at.server.put_json(&path, &request, None)?.body_mut().read_json()?);
        }
        Command::Reset { who, link } => reset(who, link)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn invite(at: &At, request: &Value) -> anyhow::Result<()> {
    let made: Value = at.server.post(&at.path(), request)?.body_mut().read_json()?;
    match made["link"].as_str() {
        Some(link) => println!("{}\n{link}", text(&made["id"])),
        None => println!(
            "{}\nThe invitation is on its way to {}",
            text(&made["id"]),
            text(&made["email"])
        ),
    }
    Ok(())
}

fn reset(who: &Who, link: &Link) -> anyhow::Result<()> {
    let path = format!("{}/password-reset", who.path()?);
    let request = json!({"deliver": link.deliver()});
    let made: Value = who.at.server.post(&path, &request)?.body_mut().read_json()?;
    println!("{}", made["link"].as_str().unwrap_or("The link is on its way"));
    Ok(())
}

fn print_line(user: &Value) {
    println!(
        "{}  {}  {}  {}",
        text(&user["id"]),
        text(&user["email"]),
        text(&user["role"]),
        text(&user["state"])
    );
}

fn print(user: &Value) {
    for member in [
        "id",
        "email",
        "email_verified",
        "name",
        "role",
        "permissions",
        "state",
        "created_at",
    ] {
        println!("{member:<15} {}", text(&user[member]));
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(words) => words.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
