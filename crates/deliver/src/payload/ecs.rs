//! An event in the Elastic Common Schema.
//!
//! Invariants
//! - Every field is one of the schema's, with a value of the schema's type, or below `trailbook`.
//! - Below `trailbook` a field has the same type in every event, whatever senders put into metadata and changes: those two
//!   are texts that hold JSON, for an index refuses a document whose field has another type than it had before.
//!
//! Not here: which class an event has (`meaning`).
//! See docs/mappings-out.md.

use trailbook_event::{Event, Target, json::Value};
use trailbook_ledger::Row;

use super::{
    Severity, address, filled,
    meaning::{Class, Meaning},
    members::{Members, write_object},
    opened::Opened,
    person::Person,
    sentence,
    words::{Deed, Topic, topic_of},
};
use crate::{Error, json::Envelope};

/// The version of the schema.
pub const VERSION: &str = "8.11.0";

pub(super) fn write(row: &Row, envelope: &Envelope<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let opened = Opened::of(row)?;
    let event = &opened.event()?;
    let mapping = Mapping {
        row,
        event,
        opened: &opened,
        envelope,
        meaning: Meaning::of(event),
        ip: address(event).and(event.context.ip.as_deref()),
    };
    out.reserve(row.parts.bytes().len() + 1024);
    write_object(out, |members| {
        members.time("@timestamp", event.occurred_at);
        members.object("ecs", |members| members.text("version", VERSION));
        members.text("message", sentence(event));
        members.object("event", |members| mapping.categories(members));
        mapping.people(members);
        mapping.origin(members);
        members.object("organization", |members| members.text("id", &event.organization));
        members.object("trace", |members| members.optional("id", event.trace_id.as_deref()));
        members.object("related", |members| mapping.related(members));
        members.object("trailbook", |members| mapping.rest(members));
    });
    Ok(())
}

struct Mapping<'m> {
    row: &'m Row,
    event: &'m Event<'m>,
    opened: &'m Opened<'m>,
    envelope: &'m Envelope<'m>,
    meaning: Meaning,
    /// Where the event came from, if that is an address.
    ip: Option<&'m str>,
}

impl<'m> Mapping<'m> {
    fn categories(&self, members: &mut Members<'_>) {
        let (row, event) = (self.row, self.event);
        members.id("id", row.id);
        members.text("kind", "event");
        members.texts("category", [self.category()]);
        members.texts("type", self.types());
        members.optional("action", Some(&event.action));
        members.text(
            "outcome",
            match event.result.as_ref() {
                "success" => "success",
                "failure" | "denied" => "failure",
                _ => "unknown",
            },
        );
        if event.result != "success" {
            let reason = filled(&event.message).or((event.result == "denied").then_some("denied"));
            members.optional("reason", reason);
        }
        members.number("severity", Severity::of(event).of_ten().into());
        let received_at = row.received_at.to_string();
        members.text("created", &received_at);
        members.text("ingested", &received_at);
        members.sequence("sequence", row.sequence);
        members.hexadecimal("hash", &row.leaf_hash.0);
        members.text("module", "trailbook");
        members.text("dataset", "trailbook.audit");
        members.text("provider", filled(&event.product).unwrap_or(self.envelope.project));
    }

    fn category(&self) -> &'static str {
        match (self.meaning.class, self.meaning.first) {
            (Class::Authentication, _) => "authentication",
            (Class::AuthorizeSession, _) => "session",
            (Class::ApiActivity, _) => "api",
            (Class::EntityManagement, Some(Topic::Setting | Topic::Organization | Topic::Device)) => "configuration",
            _ => "iam",
        }
    }

    /// What was done, as words that the schema expects of the category.
    fn types(&self) -> Vec<&'static str> {
        let what = match (self.category(), self.meaning.basic_deed()) {
            ("authentication", _) if self.meaning.deed == Deed::SignOut => return vec!["end"],
            ("authentication", _) => return vec!["start"],
            ("session", _) => return vec!["start"],
            (_, Some(Deed::Create)) => "creation",
            (_, Some(Deed::Update)) => "change",
            (_, Some(Deed::Delete)) => "deletion",
            ("api" | "configuration", Some(Deed::Read)) => "access",
            _ => "info",
        };
        let whose = match (self.category(), self.meaning.class, self.meaning.first) {
            ("api", ..) if self.event.result == "denied" => Some("denied"),
            ("iam", Class::GroupManagement, _) | ("iam", Class::EntityManagement, Some(Topic::Group)) => Some("group"),
            ("iam", Class::AccountChange | Class::UserAccess, _) | ("iam", _, Some(Topic::User)) => Some("user"),
            ("iam", ..) => Some("admin"),
            _ => None,
        };
        // Who was put into a group or taken out of it changed the group.
        let what = match (whose, self.meaning.deed) {
            (Some("group" | "user"), Deed::Add | Deed::Remove) => "change",
            _ => what,
        };
        whose.into_iter().chain([what]).collect()
    }

    fn people(&self, members: &mut Members<'_>) {
        let target = self.meaning.user.and_then(|position| self.event.targets.get(position));
        members.object("user", |members| {
            let actor = Person::of_actor(&self.event.actor);
            user(&actor, members);
            members.object("group", |members| members.optional("name", actor.team));
            if let Some(target) = target {
                members.object("target", |members| user(&Person::of_target(target), members));
                members.object("changes", |members| self.changes_of_user(members));
            }
        });
        let group = self.meaning.group.and_then(|position| self.event.targets.get(position));
        if let Some(group) = group {
            members.object("group", |members| {
                members.optional("id", filled(&group.id));
                members.optional("name", filled(&group.name));
            });
        }
    }

    /// New values of what the schema knows of users, where they are texts.
    fn changes_of_user(&self, members: &mut Members<'_>) {
        let after = |name: &str| {
            let mut changes = self.event.changes.iter();
            let change = changes.find(|change| change.field.eq_ignore_ascii_case(name))?;
            change.after.as_ref()
        };
        members.optional("email", after("email").and_then(text));
        members.optional("full_name", after("name").and_then(text));
        let roles = match after("roles").or_else(|| after("role")) {
            Some(Value::Array(roles)) => roles.iter().filter_map(text).collect(),
            Some(role) => text(role).into_iter().collect(),
            None => Vec::new(),
        };
        members.texts("roles", roles);
    }

    fn origin(&self, members: &mut Members<'_>) {
        let context = &self.event.context;
        members.object("source", |members| {
            members.optional("ip", self.ip);
            members.object("geo", |members| {
                members.optional("country_iso_code", self.row.country());
            });
        });
        members.object("user_agent", |members| {
            members.optional("original", filled(&context.user_agent));
        });
        members.object("url", |members| members.optional("original", filled(&context.url)));
        members.object("http", |members| {
            members.object("request", |members| {
                members.optional("referrer", filled(&context.referrer));
            });
        });
    }

    fn related(&self, members: &mut Members<'_>) {
        let users = self.event.targets.iter();
        let users = users.filter(|target| topic_of(&target.kind) == Some(Topic::User));
        let people = [Person::of_actor(&self.event.actor)]
            .into_iter()
            .chain(users.map(Person::of_target));
        let mut names: Vec<&str> = Vec::new();
        for name in people
            .flat_map(|person| [person.id, person.name, person.email])
            .flatten()
        {
            if names.len() < RELATED_MAX && !names.contains(&name) {
                names.push(name);
            }
        }
        members.texts("user", names);
        members.texts("ip", self.ip);
    }

    fn rest(&self, members: &mut Members<'_>) {
        let event = self.event;
        members.text("project", self.envelope.project);
        members.number("epoch", self.row.epoch.into());
        members.optional("client_id", event.client_id.as_deref());
        members.text("action_type", &event.action_type);
        members.optional("area", event.area.as_deref());
        members.optional("product", event.product.as_deref());
        members.text("result", &event.result);
        if event.security {
            members.yes("security");
        }
        members.object("actor", |members| members.text("type", &event.actor.kind));
        members.objects("targets", &event.targets, target);
        members.texts("changed", event.changes.iter().map(|change| change.field.as_ref()));
        if !event.changes.is_empty() {
            members.json("changes", self.opened.changes);
        }
        if let Some(metadata) = self.opened.metadata {
            members.json("metadata", metadata);
        }
        members.optional("message", event.message.as_deref());
        if let Some(time) = self.envelope.expires_at(self.row) {
            members.time("expires_at", time);
        }
        members.texts("redacted", self.row.redacted().iter().map(|part| part.name()));
        if self.ip.is_none() {
            members.optional("ip", event.context.ip.as_deref());
        }
    }
}

/// How many names of people stand in `related`; all of them are elsewhere in the payload.
const RELATED_MAX: usize = 50;

fn user(person: &Person<'_>, members: &mut Members<'_>) {
    members.optional("id", person.id);
    members.optional("name", person.email.or(person.name));
    members.optional("full_name", person.name);
    members.optional("email", person.email);
}

fn target(members: &mut Members<'_>, target: &Target<'_>) {
    members.text("type", &target.kind);
    members.optional("id", target.id.as_deref());
    members.optional("name", target.name.as_deref());
    members.optional("email", target.email.as_deref());
}

fn text<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::String(text) => Some(text.as_ref()),
        _ => None,
    }
}
