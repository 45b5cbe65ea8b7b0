//! An event in the Open Cybersecurity Schema Framework.
//!
//! Invariants
//! - What is required of a class is there; where the event does not say it, stands `Unknown`, as OCSF asks for.
//! - Only attributes that the classes have had since 1.8 are used, so that consumers of either version read them.
//! - What has no place of its own, or does not fit the type of that place, is in `unmapped`, of the event's own shape.
//!
//! Not here: which class an event has (`meaning`), numbers and captions of classes (`activity`).
//! See docs/mappings-out.md.

mod activity;

use std::borrow::Cow;

use trailbook_event::{Change, Event, Target, json::Value};
use trailbook_ledger::Row;

use self::activity::Activity;
use super::{
    Severity, address, filled,
    meaning::{Class, Meaning},
    members::{Members, write_object},
    opened::Opened,
    person::{Person, is_email},
    sentence,
    words::{Topic, topic_of},
};
use crate::{Error, json::Envelope};

/// The version of the schema.
pub const VERSION: &str = "1.9.0";

/// What stands where something is required that the event does not say.
const UNKNOWN: &str = "Unknown";
/// The longest address that the schema takes; a longer one is written anew, which makes it shorter.
const ADDRESS_BYTES_MAX: usize = 40;

pub(super) fn write(row: &Row, envelope: &Envelope<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let opened = Opened::of(row)?;
    let event = &opened.event()?;
    let mapping = Mapping {
        row,
        event,
        opened: &opened,
        envelope,
        meaning: Meaning::of(event),
    };
    out.reserve(row.parts.bytes().len() + 1024);
    write_object(out, |members| {
        mapping.classification(members);
        mapping.outcome(members);
        members.text("message", sentence(event));
        members.object("metadata", |members| mapping.metadata(members));
        members.object("actor", |members| {
            members.object("user", |members| user(&Person::of_actor(&event.actor), members));
        });
        mapping.origin(members);
        mapping.objects(members);
        members.object("unmapped", |members| mapping.unmapped(members));
    });
    Ok(())
}

struct Mapping<'m> {
    row: &'m Row,
    event: &'m Event<'m>,
    opened: &'m Opened<'m>,
    envelope: &'m Envelope<'m>,
    meaning: Meaning,
}

impl<'m> Mapping<'m> {
    fn classification(&self, members: &mut Members<'_>) {
        let class = self.meaning.class;
        let activity = Activity::of(&self.meaning);
        members.number("activity_id", activity.id);
        // The caption of `Other` is the source's own word.
        let own = match self.event.action_type.as_ref() {
            "other" => self.event.action.as_ref(),
            own => own,
        };
        members.text("activity_name", activity.caption().unwrap_or(own));
        members.number("category_uid", class.category());
        members.text("category_name", class.category_caption());
        members.number("class_uid", class.uid());
        members.text("class_name", class.caption());
        members.number("type_uid", class.uid() * 100 + activity.id);
        let name = [class.caption(), ": ", activity.caption().unwrap_or("Other")].concat();
        members.text("type_name", &name);
        members.number("time", self.event.occurred_at.millis());
    }

    fn outcome(&self, members: &mut Members<'_>) {
        let (id, caption) = match Severity::of(self.event) {
            Severity::Informational => (1, "Informational"),
            Severity::Low => (2, "Low"),
            Severity::Medium => (3, "Medium"),
            Severity::High => (4, "High"),
        };
        members.number("severity_id", id);
        members.text("severity", caption);
        let (id, caption) = match self.event.result.as_ref() {
            "success" => (1, "Success"),
            "failure" | "denied" => (2, "Failure"),
            other => (99, other),
        };
        members.number("status_id", id);
        members.text("status", caption);
        if self.event.result != "success" {
            members.text("status_code", &self.event.result);
            let detail = filled(&self.event.message).or((self.event.result == "denied").then_some("denied"));
            members.optional("status_detail", detail);
        }
    }

    fn metadata(&self, members: &mut Members<'_>) {
        members.text("version", VERSION);
        members.object("product", |members| {
            members.text("name", "Trailbook");
            members.text("vendor_name", "Trailbook");
            members.text("version", env!("CARGO_PKG_VERSION"));
        });
        members.id("uid", self.row.id);
        members.optional("original_event_uid", self.event.client_id.as_deref());
        members.optional("event_code", Some(&self.event.action));
        members.text("tenant_uid", &self.event.organization);
        members.text("log_name", self.envelope.project);
        members.optional("correlation_uid", self.event.trace_id.as_deref());
        members.sequence("sequence", self.row.sequence);
        members.number("logged_time", self.row.received_at.millis());
    }

    fn origin(&self, members: &mut Members<'_>) {
        let country = self.row.country();
        let address = self.address();
        members.object("src_endpoint", |members| {
            match address {
                Some(address) => members.text("ip", &address),
                None if self.meaning.class == Class::ApiActivity || country.is_some() => {
                    members.text("name", UNKNOWN);
                }
                None => {}
            }
            members.object("location", |members| members.optional("country", country));
        });
        let context = &self.event.context;
        members.object("http_request", |members| {
            members.optional("user_agent", filled(&context.user_agent));
            members.optional("referrer", filled(&context.referrer));
            members.object("url", |members| members.optional("url_string", filled(&context.url)));
        });
    }

    /// What the class has of the event's targets.
    fn objects(&self, members: &mut Members<'_>) {
        match self.meaning.class {
            Class::AccountChange | Class::Authentication => {}
            Class::AuthorizeSession | Class::UserAccess => members.all_texts("privileges", self.privileges()),
            Class::EntityManagement => {
                if let Some(target) = self.event.targets.first() {
                    members.object("entity", |members| entity(target, self.meaning.first, members));
                }
            }
            Class::GroupManagement => {
                if let Some(group) = self.target(self.meaning.group) {
                    members.object("group", |members| thing(group, members));
                }
            }
            Class::ApiActivity => members.object("api", |members| {
                members.text("operation", &self.event.action);
            }),
        }
        if self.meaning.class.has_user() {
            members.object("user", |members| user(&self.user(), members));
        } else if let (Class::GroupManagement, Some(target)) = (self.meaning.class, self.target(self.meaning.user)) {
            members.object("user", |members| user(&Person::of_target(target), members));
        }
        if self.meaning.class == Class::Authentication {
            let service = filled(&self.event.product).unwrap_or(self.envelope.project);
            members.object("service", |members| members.text("name", service));
        }
        members.objects("resources", self.resources(), |members, target| {
            thing(target, members);
            members.number("role_id", 1);
        });
    }

    /// Whom it was done to; the actor where no target is a user.
    fn user(&self) -> Person<'m> {
        match self.target(self.meaning.user) {
            Some(target) => Person::of_target(target),
            None => Person::of_actor(&self.event.actor),
        }
    }

    fn target(&self, position: Option<usize>) -> Option<&'m Target<'m>> {
        self.event.targets.get(position?)
    }

    fn resources(&self) -> impl Iterator<Item = &'m Target<'m>> {
        let all = self.event.targets.iter().enumerate();
        all.filter(|(position, target)| self.is_resource(*position, target))
            .map(|(_, target)| target)
    }

    fn is_resource(&self, position: usize, target: &Target<'_>) -> bool {
        match self.meaning.class {
            Class::ApiActivity => true,
            Class::UserAccess => Some(position) != self.meaning.user && !is_right(target),
            _ => false,
        }
    }

    /// Names of the rights that the event speaks of.
    fn privileges(&self) -> Vec<&'m str> {
        let targets = self.event.targets.iter().filter(|target| is_right(target));
        let names = targets.filter_map(|target| filled(&target.name).or(filled(&target.id)));
        let fields = self.event.changes.iter();
        let fields = fields.filter(|change| topic_of(&change.field) == Some(Topic::Access));
        names.chain(fields.flat_map(granted)).collect()
    }

    fn address(&self) -> Option<Cow<'m, str>> {
        let address = address(self.event)?;
        match self.event.context.ip.as_deref() {
            Some(sent) if sent.len() <= ADDRESS_BYTES_MAX => Some(Cow::Borrowed(sent)),
            _ => Some(Cow::Owned(address.to_string())),
        }
    }

    fn unmapped(&self, members: &mut Members<'_>) {
        let event = self.event;
        members.text("action_type", &event.action_type);
        members.optional("area", event.area.as_deref());
        members.optional("product", event.product.as_deref());
        if event.security {
            members.yes("security");
        }
        if event.result == "success" {
            members.optional("message", event.message.as_deref());
        }
        let email = filled(&event.actor.email).filter(|email| !is_email(email));
        members.object("actor", |members| members.optional("email", email));
        if address(event).is_none() {
            members.optional("ip", event.context.ip.as_deref());
        }
        let all = event.targets.iter().enumerate();
        let rest = all.filter(|(position, target)| !self.is_placed(*position, target));
        members.objects("targets", rest, |members, (_, target)| whole(target, members));
        if !event.changes.is_empty() {
            members.raw("changes", self.opened.changes);
        }
        if let Some(metadata) = self.opened.metadata {
            members.raw("metadata", metadata);
        }
        members.number("epoch", self.row.epoch.into());
        if let Some(time) = self.envelope.expires_at(self.row) {
            members.time("expires_at", time);
        }
        members.texts("redacted", self.row.redacted().iter().map(|part| part.name()));
    }

    /// Whether all that is known of a target has a place in the class.
    fn is_placed(&self, position: usize, target: &Target<'_>) -> bool {
        let here = Some(position);
        let email = filled(&target.email);
        match self.meaning.class {
            Class::EntityManagement => position == 0 && email.is_none(),
            Class::GroupManagement if here == self.meaning.group => email.is_none(),
            _ if here == self.meaning.user && self.meaning.class != Class::ApiActivity => email.is_none_or(is_email),
            _ => self.is_resource(position, target) && email.is_none(),
        }
    }
}

fn is_right(target: &Target<'_>) -> bool {
    matches!(topic_of(&target.kind), Some(Topic::Access | Topic::Policy))
}

/// The texts of a value that was set, else of the one that was taken away.
fn granted<'e>(change: &'e Change<'_>) -> Vec<&'e str> {
    let text = |value: &'e Value<'_>| match value {
        Value::String(text) => Some(text.as_ref()),
        _ => None,
    };
    match change.after.as_ref().or(change.before.as_ref()) {
        Some(Value::Array(values)) => values.iter().filter_map(text).collect(),
        Some(value) => text(value).into_iter().collect(),
        None => Vec::new(),
    }
}

fn user(person: &Person<'_>, members: &mut Members<'_>) {
    members.optional("uid", person.id);
    let kind = person.id.is_none().then_some(person.kind);
    members.optional("name", person.name.or(person.email).or(kind));
    members.optional("email_addr", person.email.filter(|email| is_email(email)));
    let type_id = match person.kind {
        "anonymous" | "unknown" => 0,
        "admin" | "administrator" => 2,
        "system" => 3,
        "service" | "service_account" => 4,
        kind if topic_of(kind) == Some(Topic::User) => 1,
        _ => 99,
    };
    members.number("type_id", type_id);
    members.text("type", person.kind);
    members.objects("groups", person.team, |members, team| members.text("name", team));
}

/// A target as a resource or a group.
fn thing(target: &Target<'_>, members: &mut Members<'_>) {
    members.optional("uid", filled(&target.id));
    members.optional("name", filled(&target.name));
    members.text("type", &target.kind);
}

fn entity(target: &Target<'_>, topic: Option<Topic>, members: &mut Members<'_>) {
    thing(target, members);
    let type_id = match topic {
        Some(Topic::Device) => 1,
        Some(Topic::User) => 2,
        Some(Topic::Group) => 3,
        Some(Topic::Organization) => 4,
        Some(Topic::Policy) => 5,
        _ => 99,
    };
    members.number("type_id", type_id);
}

fn whole(target: &Target<'_>, members: &mut Members<'_>) {
    members.text("type", &target.kind);
    members.optional("id", target.id.as_deref());
    members.optional("name", target.name.as_deref());
    members.optional("email", target.email.as_deref());
}
