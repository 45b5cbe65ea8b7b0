//! A profile at a server: what differs, and setting it.
//!
//! Invariant: applying what is there already sends nothing.

use std::{collections::BTreeSet, process::ExitCode};

use anyhow::bail;
use serde_json::{Map, Value, json};
use trailbook_event::catalog::Document;

use super::{Profile, read::plain};
use crate::client::{Server, encoded};

/// Fields of a policy that are no product's to say: a profile that leaves them out leaves them as they are.
const OF_THE_DEPLOYMENT: [&str; 4] = ["embed_origins", "legal_hold", "recorded_since", "time_zone"];

/// Sets what differs, and says what that was.
pub(super) fn apply(server: &Server, profile: &Profile, organization: Option<&str>) -> anyhow::Result<()> {
    let policy = Policy::at(server, profile, organization)?;
    let mut changes = policy.changes();
    if !changes.is_empty() || policy.is_new {
        policy.set(server)?;
    }
    if organization.is_none() {
        let catalog = Catalog::at(server, profile)?;
        if catalog.differs() {
            changes.extend(catalog.changes());
            server.put_json(&catalog.path, &profile.catalog, catalog.version.as_deref())?;
        }
    }
    let place = organization.map_or_else(
        || format!("project {}", server.project_name()),
        |name| format!("organization {name}"),
    );
    match changes.len() {
        0 => println!("{place} is as the profile {} says", profile.name),
        count => println!("{place}: {count} changes\n  {}", changes.join("\n  ")),
    }
    Ok(())
}

/// Says what differs.
pub(super) fn diff(server: &Server, profile: &Profile, organization: Option<&str>) -> anyhow::Result<ExitCode> {
    let mut changes = Policy::at(server, profile, organization)?.changes();
    if organization.is_none() {
        let catalog = Catalog::at(server, profile)?;
        changes.extend(catalog.differs().then(|| catalog.changes()).into_iter().flatten());
    }
    changes.iter().for_each(|change| println!("{change}"));
    Ok(if changes.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A policy as it is set and as it should be.
struct Policy {
    path: String,
    is_new: bool,
    version: Option<String>,
    /// Of a project, whether organizations are declared.
    organizations: Option<Value>,
    before: Map<String, Value>,
    after: Map<String, Value>,
}

impl Policy {
    fn at(server: &Server, profile: &Profile, organization: Option<&str>) -> anyhow::Result<Self> {
        let path = match organization {
            Some(name) => format!("/v1/organizations/{}", encoded(name)),
            None => format!("/v1/projects/{}", encoded(server.project_name())),
        };
        let found = server.find(&path)?;
        let is_new = found.is_none();
        let (version, answer) = match found {
            Some((version, text)) => (version, serde_json::from_str(&text)?),
            None => (None, Value::Null),
        };
        let before = answer["policy"].as_object().cloned().unwrap_or_default();
        let mut after = profile.policy.clone();
        for field in OF_THE_DEPLOYMENT {
            if let (Some(value), false) = (before.get(field), after.contains_key(field)) {
                after.insert(field.to_owned(), value.clone());
            }
        }
        Ok(Self {
            path,
            is_new,
            version,
            organizations: answer.get("organizations").cloned(),
            before,
            after,
        })
    }

    fn changes(&self) -> Vec<String> {
        let fields: BTreeSet<&String> = self.before.keys().chain(self.after.keys()).collect();
        let said = |value: Option<&Value>| value.map_or_else(|| "inherited".to_owned(), in_short);
        let change = |field: &&String| {
            let (before, after) = (self.before.get(*field), self.after.get(*field));
            (before != after).then(|| format!("policy.{field}: {} → {}", said(before), said(after)))
        };
        fields.iter().filter_map(change).collect()
    }

    fn set(&self, server: &Server) -> anyhow::Result<()> {
        let mut body = json!({ "policy": self.after });
        if let Some(organizations) = &self.organizations {
            body["organizations"] = organizations.clone();
        }
        server.put_json(&self.path, &body, self.version.as_deref())?;
        Ok(())
    }
}

/// A catalog as it is set and as it should be.
struct Catalog<'p> {
    path: String,
    version: Option<String>,
    before: Option<Value>,
    after: &'p Value,
}

impl<'p> Catalog<'p> {
    fn at(server: &Server, profile: &'p Profile) -> anyhow::Result<Self> {
        let path = format!("/v1/projects/{}/catalog", encoded(server.project_name()));
        let (version, before) = match server.find(&path)? {
            Some((version, text)) => (version, Some(tree(&text)?)),
            None => (None, None),
        };
        Ok(Self {
            path,
            version,
            before,
            after: &profile.catalog,
        })
    }

    fn differs(&self) -> bool {
        self.before.as_ref() != Some(self.after)
    }

    fn changes(&self) -> Vec<String> {
        let Some(before) = &self.before else {
            return vec![format!(
                "catalog: none → {} actions",
                entries(self.after, "actions").len()
            )];
        };
        let mut changes = Vec::new();
        for list in ["areas", "action_types", "actions"] {
            let (before, after) = (entries(before, list), entries(self.after, list));
            let ids: BTreeSet<&str> = before.keys().chain(after.keys()).map(String::as_str).collect();
            for id in ids {
                let what = match (before.get(id), after.get(id)) {
                    (None, _) => "added",
                    (_, None) => "removed",
                    (before, after) if before != after => "changed",
                    _ => continue,
                };
                changes.push(format!("catalog.{list}: {id} {what}"));
            }
        }
        for mappings in ["input", "output"]
            .into_iter()
            .filter(|key| before.get(key) != self.after.get(key))
        {
            changes.push(format!("catalog.{mappings}: changed"));
        }
        if changes.is_empty() {
            changes.push("catalog: the order changed".to_owned());
        }
        changes
    }
}

/// A catalog's text, which is TOML or JSON.
fn tree(text: &str) -> anyhow::Result<Value> {
    let document = Document::from_json(text).or_else(|_| Document::from_toml(text));
    match document {
        Ok(document) => Ok(plain(document.root().value)),
        Err(_) => bail!("the server's catalog is neither TOML nor JSON"),
    }
}

/// The elements of a list of a catalog by their ids.
fn entries(catalog: &Value, list: &str) -> Map<String, Value> {
    let elements = catalog[list].as_array().into_iter().flatten();
    elements
        .filter_map(|element| Some((element["id"].as_str()?.to_owned(), element.clone())))
        .collect()
}

/// A value in one short line.
fn in_short(value: &Value) -> String {
    const CHARS_MAX: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
