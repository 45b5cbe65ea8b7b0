//! The members of an event and of what is inside it: which there are, which are required, and what stands for the missing.

use std::{borrow::Cow, net::IpAddr};

use super::{
    Admission, Origin,
    members::{Checker, TextRule},
};
use crate::{
    Actor, Change, Context, Event, Fault, Target, Timestamp,
    json::{Path, Value},
};

/// The action types that need no catalog.
const ACTION_TYPES: [&str; 11] = [
    "create", "read", "update", "delete", "login", "logout", "export", "approve", "invite", "execute", "other",
];
const RESULTS: [&str; 3] = ["success", "failure", "denied"];
/// Actors of these types need no id: there is nobody, or nobody known, to identify.
const TYPES_WITHOUT_ID: [&str; 3] = ["system", "anonymous", "unknown"];

const EVENT_MEMBERS: &str = "action, action_type, actor, area, changes, client_id, context, description, message, metadata, \
                             occurred_at, organization, product, result, security, targets, trace_id";

type Text<'v> = Option<Cow<'v, str>>;

/// An event as sent. The outer `Option` of what is required tells a member that is missing from one that is faulty.
#[derive(Default)]
struct Sent<'v> {
    organization: Option<Text<'v>>,
    action: Option<Text<'v>>,
    actor: Option<Option<Actor<'v>>>,
    client_id: Text<'v>,
    occurred_at: Option<Timestamp>,
    action_type: Text<'v>,
    area: Text<'v>,
    product: Text<'v>,
    description: Text<'v>,
    security: Option<bool>,
    result: Text<'v>,
    targets: Vec<Target<'v>>,
    context: Context<'v>,
    ip: Option<IpAddr>,
    changes: Vec<Change<'v>>,
    trace_id: Text<'v>,
    metadata: Option<Value<'v>>,
    message: Text<'v>,
}

/// The event with all its defaults, and its address; or every fault.
pub(super) fn check<'v>(
    value: Value<'v>,
    at: &Path<'_>,
    admission: &Admission<'_>,
) -> Result<(Event<'v>, Option<IpAddr>), Vec<Fault>> {
    let mut checker = Checker {
        admission,
        faults: Vec::new(),
    };
    let Value::Object(members) = value else {
        checker.wrong_type(at, "an event, which is an object", &value);
        return Err(checker.faults);
    };
    let mut sent = Sent::default();
    for (key, value) in members {
        checker.member(&mut sent, value, &key, at);
    }
    checker.required(&sent, at);
    let ip = sent.ip;
    let event = checker.complete(sent, at);
    if checker.faults.is_empty() {
        Ok((event, ip))
    } else {
        Err(checker.faults)
    }
}

impl Checker<'_> {
    fn member<'v>(&mut self, sent: &mut Sent<'v>, value: Value<'v>, key: &str, at: &Path<'_>) {
        let here = &Path::Key(at, key);
        let limits = self.admission.limits;
        let word = TextRule::key(limits.word_chars_max);
        let label = TextRule::prose(limits.word_chars_max);
        let prose = TextRule::prose(usize::MAX);
        match key {
            "organization" => sent.organization = Some(self.organization(value, here)),
            "action" => sent.action = Some(self.action(value, here)),
            "actor" => sent.actor = Some(self.actor(value, here)),
            "client_id" => sent.client_id = self.text(value, here, TextRule::key(limits.client_id_chars_max)),
            "occurred_at" => sent.occurred_at = self.occurred_at(value, here),
            "action_type" => sent.action_type = self.action_type(value, here),
            "area" => sent.area = self.text(value, here, label),
            "product" => sent.product = self.text(value, here, label),
            "description" => sent.description = self.text(value, here, prose),
            "security" => sent.security = self.truth(value, here),
            "result" => sent.result = self.result(value, here),
            "targets" => sent.targets = self.targets(value, here),
            "context" => (sent.context, sent.ip) = self.context(value, here),
            "changes" => sent.changes = self.changes(value, here),
            "trace_id" => sent.trace_id = self.text(value, here, word),
            "metadata" => sent.metadata = self.members(value, here).map(Value::Object),
            "message" => sent.message = self.text(value, here, prose),
            _ => self.unknown(here, "an event", EVENT_MEMBERS),
        }
    }

    fn required(&mut self, sent: &Sent<'_>, at: &Path<'_>) {
        if sent.organization.is_none() {
            self.missing(
                &Path::Key(at, "organization"),
                "the name of the organization whose ledger the event belongs to",
            );
        }
        if sent.action.is_none() {
            self.missing(&Path::Key(at, "action"), "what was done, such as `user.role.updated`");
        }
        if sent.actor.is_none() {
            self.missing(
                &Path::Key(at, "actor"),
                "who did it, such as `{\"type\":\"user\",\"id\":\"u_81\"}`",
            );
        }
    }

    /// Fills in the defaults and asks the catalog for its complaints. With faults so far the event is only good for
    /// finding further ones.
    fn complete<'v>(&mut self, sent: Sent<'v>, at: &Path<'_>) -> Event<'v> {
        let defaults = self.admission.defaults;
        let action = sent.action.flatten().unwrap_or_default();
        let preset = defaults.of(&action).unwrap_or_default();
        let or_preset =
            |given: Text<'v>, preset: Option<&str>| given.or_else(|| preset.map(|text| Cow::Owned(text.to_owned())));
        let mut event = Event {
            organization: sent.organization.flatten().unwrap_or_default(),
            client_id: sent.client_id,
            occurred_at: sent.occurred_at.unwrap_or(self.admission.now),
            action_type: or_preset(sent.action_type, preset.action_type).unwrap_or(Cow::Borrowed("other")),
            area: or_preset(sent.area, preset.area),
            product: or_preset(sent.product, preset.product),
            description: sent.description,
            security: sent.security.or(preset.security).unwrap_or(false),
            result: sent.result.unwrap_or(Cow::Borrowed("success")),
            trace_id: sent.trace_id,
            actor: sent.actor.flatten().unwrap_or_else(nobody),
            targets: sent.targets,
            context: sent.context,
            changes: sent.changes,
            metadata: sent.metadata,
            message: sent.message,
            action,
        };
        if event.description.is_none() {
            event.description = defaults.describe(&event).map(Cow::Owned);
        }
        if !event.action.is_empty() {
            for mut complaint in defaults.complaints(&event) {
                complaint.pointer = at.pointer().join(&complaint.pointer);
                if self.faults.iter().all(|known| known.pointer != complaint.pointer) {
                    self.faults.push(complaint);
                }
            }
        }
        event
    }

    fn organization<'v>(&mut self, value: Value<'v>, path: &Path<'_>) -> Text<'v> {
        let name = self.required_text(value, path, TextRule::key(self.admission.limits.organization_chars_max))?;
        let own = self.admission.origin == Origin::Own;
        if name.starts_with('_') && !own {
            self.fault(
                path,
                "Names that begin with `_` are Trailbook's own; send another organization.",
            );
            return None;
        }
        let rest = if own {
            name.strip_prefix('_').unwrap_or(&name)
        } else {
            &name
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:@~-".contains(&byte);
        if !rest.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric) || !rest.bytes().all(allowed) {
            self.fault(path, "An organization's name consists of letters A to Z, digits and `.`, `_`, `:`, `@`, `~`, `-`, and begins with a letter or digit; send its id instead.");
            return None;
        }
        Some(name)
    }

    fn action<'v>(&mut self, value: Value<'v>, path: &Path<'_>) -> Text<'v> {
        let action = self.required_text(value, path, TextRule::key(self.admission.limits.word_chars_max))?;
        if action.starts_with("trailbook.") && self.admission.origin == Origin::Sender {
            self.fault(
                path,
                "Actions that begin with `trailbook.` are Trailbook's own; send another action.",
            );
            return None;
        }
        Some(action)
    }

    fn action_type<'v>(&mut self, value: Value<'v>, path: &Path<'_>) -> Text<'v> {
        let word = self.text(value, path, TextRule::key(self.admission.limits.word_chars_max))?;
        let own = self.admission.defaults.action_types();
        if ACTION_TYPES.contains(&word.as_ref()) || own.iter().any(|named| **named == *word) {
            return Some(word);
        }
        let known: Vec<&str> = ACTION_TYPES.into_iter().chain(own.iter().map(String::as_str)).collect();
        self.fault(
            path,
            format!(
                "This is no action type; send one of {}, or name it in the catalog.",
                known.join(", ")
            ),
        );
        None
    }

    fn result<'v>(&mut self, value: Value<'v>, path: &Path<'_>) -> Text<'v> {
        let word = self.text(value, path, TextRule::prose(usize::MAX))?;
        if !RESULTS.contains(&word.as_ref()) {
            self.fault(path, format!("This is no result; send one of {}.", RESULTS.join(", ")));
            return None;
        }
        Some(word)
    }

    fn actor<'v>(&mut self, value: Value<'v>, path: &Path<'_>) -> Option<Actor<'v>> {
        if value == Value::Null {
            self.wrong_type(path, "who did it, an object", &value);
            return None;
        }
        let mut actor = nobody();
        let mut has_id = false;
        for (key, value) in self.members(value, path)? {
            let here = &Path::Key(path, &key);
            let name = TextRule::prose(self.admission.limits.name_chars_max);
            match key.as_ref() {
                "type" => {
                    let kind = self.text(value, here, TextRule::key(self.admission.limits.word_chars_max));
                    actor.kind = kind.unwrap_or(actor.kind);
                }
                "id" => {
                    has_id = value != Value::Null;
                    actor.id = self.text(value, here, TextRule::key(self.admission.limits.name_chars_max));
                }
                "name" => actor.name = self.text(value, here, name),
                "email" => actor.email = self.text(value, here, name),
                "team" => actor.team = self.text(value, here, name),
                _ => self.unknown(here, "an actor", "email, id, name, team, type"),
            }
        }
        if !has_id && !TYPES_WITHOUT_ID.contains(&actor.kind.as_ref()) {
            self.missing(
                &Path::Key(path, "id"),
                "the actor's id, or an actor of type `system`, `anonymous` or `unknown`",
            );
        }
        Some(actor)
    }

    fn targets<'v>(&mut self, value: Value<'v>, path: &Path<'_>) -> Vec<Target<'v>> {
        let items = self.list(value, path, self.admission.limits.targets_max);
        items
            .into_iter()
            .enumerate()
            .filter_map(|(index, item)| self.target(item, &Path::Index(path, index)))
            .collect()
    }

    fn target<'v>(&mut self, value: Value<'v>, path: &Path<'_>) -> Option<Target<'v>> {
        let Value::Object(members) = value else {
            self.wrong_type(path, "a target, which is an object", &value);
            return None;
        };
        let mut target = Target {
            kind: Cow::Borrowed(""),
            id: None,
            name: None,
            email: None,
        };
        let (mut has_kind, mut has_key) = (false, false);
        for (key, value) in members {
            let here = &Path::Key(path, &key);
            let name = TextRule::prose(self.admission.limits.name_chars_max);
            match key.as_ref() {
                "type" => {
                    has_kind = true;
                    let kind = self.required_text(value, here, TextRule::key(self.admission.limits.word_chars_max));
                    target.kind = kind.unwrap_or_default();
                }
                "id" => {
                    has_key |= value != Value::Null;
                    target.id = self.text(value, here, TextRule::key(self.admission.limits.name_chars_max));
                }
                "name" => {
                    has_key |= !matches!(&value, Value::Null) && value != Value::String(Cow::Borrowed(""));
                    target.name = self.text(value, here, name);
                }
                "email" => target.email = self.text(value, here, name),
                _ => self.unknown(here, "a target", "email, id, name, type"),
            }
        }
        if !has_kind {
            self.missing(
                &Path::Key(path, "type"),
                "what kind of thing the target is, such as `user`",
            );
        }
        if !has_key {
            self.fault(path, "A target needs an `id` or a `name`; send one of them.");
        }
        Some(target)
    }

    fn context<'v>(&mut self, value: Value<'v>, path: &Path<'_>) -> (Context<'v>, Option<IpAddr>) {
        let mut context = Context::default();
        let mut ip = None;
        for (key, value) in self.members(value, path).unwrap_or_default() {
            let here = &Path::Key(path, &key);
            let prose = TextRule::prose(usize::MAX);
            match key.as_ref() {
                "ip" => (context.ip, ip) = self.ip(value, here).unzip(),
                "user_agent" => context.user_agent = self.text(value, here, prose),
                "url" => context.url = self.text(value, here, prose),
                "referrer" => context.referrer = self.text(value, here, prose),
                _ => self.unknown(here, "a context", "ip, referrer, url, user_agent"),
            }
        }
        (context, ip)
    }

    fn ip<'v>(&mut self, value: Value<'v>, path: &Path<'_>) -> Option<(Cow<'v, str>, IpAddr)> {
        let text = self.text(value, path, TextRule::prose(usize::MAX))?;
        match text.parse() {
            Ok(address) => Some((text, address)),
            Err(_) => {
                self.fault(
                    path,
                    "This is no IPv4 or IPv6 address; send the address alone (no port, no zone), or leave it out.",
                );
                None
            }
        }
    }

    fn changes<'v>(&mut self, value: Value<'v>, path: &Path<'_>) -> Vec<Change<'v>> {
        let items = self.list(value, path, self.admission.limits.changes_max);
        items
            .into_iter()
            .enumerate()
            .filter_map(|(index, item)| self.change(item, &Path::Index(path, index)))
            .collect()
    }

    fn change<'v>(&mut self, value: Value<'v>, path: &Path<'_>) -> Option<Change<'v>> {
        let Value::Object(members) = value else {
            self.wrong_type(path, "a change, which is an object", &value);
            return None;
        };
        let mut change = Change {
            field: Cow::Borrowed(""),
            before: None,
            after: None,
        };
        let mut has_field = false;
        for (key, value) in members {
            let here = &Path::Key(path, &key);
            match key.as_ref() {
                "field" => {
                    has_field = true;
                    let field = self.required_text(value, here, TextRule::key(self.admission.limits.name_chars_max));
                    change.field = field.unwrap_or_default();
                }
                "before" => change.before = Some(value),
                "after" => change.after = Some(value),
                _ => self.unknown(here, "a change", "after, before, field"),
            }
        }
        if !has_field {
            self.missing(&Path::Key(path, "field"), "the name of the field that changed");
        }
        Some(change)
    }
}

/// An actor of whom nothing has been said yet; `user` is the default type.
fn nobody<'v>() -> Actor<'v> {
    Actor {
        kind: Cow::Borrowed("user"),
        id: None,
        name: None,
        email: None,
        team: None,
    }
}
