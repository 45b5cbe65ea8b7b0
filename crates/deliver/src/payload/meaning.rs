//! What an event is about, as OCSF and ECS sort events: a class, what was done, and which targets are the user and the
//! group that it was done to.
//!
//! Values
//! - The action type decides between creating, reading, changing, deleting and signing in; the action's words say it more
//!   exactly (`user.locked`), or alone where the type is the product's own.
//! - The kinds of the targets say what it was done to; the action's words and the changed fields say what of it.
//!
//! Not here: words (`words`), how a class is written (`ocsf`, `ecs`).
//! See docs/mappings-out.md.

use trailbook_event::Event;

use super::words::{Deed, Topic, Topics, Word, topic_of, words};

/// Targets and changes whose kinds and names are looked at; an event may have a thousand.
const LOOKED_AT_MAX: usize = 8;

/// The classes of OCSF that events become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    AccountChange,
    Authentication,
    AuthorizeSession,
    EntityManagement,
    UserAccess,
    GroupManagement,
    ApiActivity,
}

/// What an event is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meaning {
    pub(super) class: Class,
    pub(super) deed: Deed,
    /// What the action type alone says was done, where it is one of creating, reading, changing and deleting.
    by_type: Option<Deed>,
    /// The topics of the action's words.
    pub(super) action: Topics,
    /// What the first target is.
    pub(super) first: Option<Topic>,
    /// The target that is the first user.
    pub(super) user: Option<usize>,
    /// The target that is the first group.
    pub(super) group: Option<usize>,
    /// Whether rights are among the action's words, the targets and the changed fields.
    has_rights: bool,
}

impl Meaning {
    pub(super) fn of(event: &Event<'_>) -> Self {
        let (deed, action) = of_action(&event.action, &event.action_type);
        let mut meaning = Self {
            class: Class::ApiActivity,
            deed,
            by_type: basic(&event.action_type),
            action,
            first: None,
            user: None,
            group: None,
            has_rights: action.has_rights(),
        };
        meaning.look_at(event);
        meaning.class = meaning.class_of();
        meaning
    }

    /// What was done, as one of creating, reading, changing and deleting; `None` when it was something else.
    pub(super) fn basic_deed(&self) -> Option<Deed> {
        if self.by_type.is_some() {
            return self.by_type;
        }
        match self.deed {
            Deed::Create | Deed::Add | Deed::Enroll => Some(Deed::Create),
            Deed::Delete | Deed::Remove | Deed::Unenroll => Some(Deed::Delete),
            Deed::Read => Some(Deed::Read),
            Deed::Other | Deed::SignIn | Deed::SignOut | Deed::Impersonate | Deed::Assume => None,
            _ => Some(Deed::Update),
        }
    }

    fn look_at(&mut self, event: &Event<'_>) {
        for (position, target) in event.targets.iter().take(LOOKED_AT_MAX).enumerate() {
            let topic = topic_of(&target.kind);
            match topic {
                Some(Topic::User) => self.user = self.user.or(Some(position)),
                Some(Topic::Group) => self.group = self.group.or(Some(position)),
                Some(Topic::Access | Topic::Policy) => self.has_rights = true,
                _ => {}
            }
            if position == 0 {
                self.first = topic;
            }
        }
        let mut fields = event.changes.iter().take(LOOKED_AT_MAX);
        self.has_rights |= fields.any(|change| topic_of(&change.field) == Some(Topic::Access));
    }

    fn class_of(&self) -> Class {
        match self.deed {
            Deed::SignIn | Deed::SignOut | Deed::Impersonate => Class::Authentication,
            Deed::Assume => Class::AuthorizeSession,
            Deed::Read => self.class_of_thing(),
            _ if self.is_about_group() => Class::GroupManagement,
            _ if self.is_about_access() => Class::UserAccess,
            _ if self.is_about_account() => Class::AccountChange,
            _ => self.class_of_thing(),
        }
    }

    fn is_about_group(&self) -> bool {
        self.group.is_some() && (self.first == Some(Topic::Group) || self.action.has(Topic::Group))
    }

    /// Policies that are attached to a user are changes of the account, as OCSF has it, and so is its beginning and end.
    fn is_about_access(&self) -> bool {
        let changes_rights = match self.deed {
            Deed::Create | Deed::Delete => self.first != Some(Topic::User) && self.action.has(Topic::User),
            _ => !self.action.has(Topic::Policy),
        };
        self.user.is_some() && self.has_rights && changes_rights
    }

    fn is_about_account(&self) -> bool {
        let of_user = self.first == Some(Topic::User) || self.user.is_some() && self.action.has(Topic::User);
        // Somebody's own password or second factor: the event needs no target to say whose.
        let of_actor = self.action.has(Topic::Password) || self.action.has(Topic::Factor);
        of_user || self.first.is_none() && of_actor && !self.action.has(Topic::Organization)
    }

    /// What administrators manage is an entity; everything else is what the product's interface was asked to do.
    fn class_of_thing(&self) -> Class {
        match self.first {
            Some(_) => Class::EntityManagement,
            None => Class::ApiActivity,
        }
    }
}

/// What an action says.
fn of_action(action: &str, action_type: &str) -> (Deed, Topics) {
    let (mut surely, mut perhaps, mut is_out) = (None, None, false);
    let mut topics = Topics::default();
    for word in words(action) {
        match word {
            Word::Deed(deed) => surely = surely.or(Some(deed)),
            Word::Perhaps(deed) => perhaps = perhaps.or(Some(deed)),
            Word::Out => is_out = true,
            Word::Topic(topic) => topics.insert(topic),
        }
    }
    if surely == Some(Deed::SignIn) && is_out {
        surely = Some(Deed::SignOut);
    }
    (deed(action_type, surely, perhaps), topics)
}

/// What was done, from the type, a verb of the action and a word that may be one.
fn deed(action_type: &str, surely: Option<Deed>, perhaps: Option<Deed>) -> Deed {
    let by_type = match (action_type, basic(action_type)) {
        ("login", _) => return Deed::SignIn,
        ("logout", _) => return Deed::SignOut,
        (_, Some(Deed::Read)) => return Deed::Read,
        (_, Some(deed)) => deed,
        (_, None) => return surely.or(perhaps).unwrap_or(Deed::Other),
    };
    match surely {
        // These only say it again, or are part of a name.
        None | Some(Deed::Create | Deed::Read | Deed::Update | Deed::Delete | Deed::SignIn | Deed::SignOut) => {
            match perhaps {
                Some(Deed::Lock) => Deed::Lock,
                _ => by_type,
            }
        }
        Some(exactly) => exactly,
    }
}

/// What an action type says was done.
fn basic(action_type: &str) -> Option<Deed> {
    match action_type {
        "create" => Some(Deed::Create),
        "read" | "export" => Some(Deed::Read),
        "update" => Some(Deed::Update),
        "delete" => Some(Deed::Delete),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use trailbook_event::{Actor, Change, Context, Target, Timestamp};

    use super::*;

    fn about(action: &str, action_type: &str, targets: &str, field: &str) -> (Class, Deed) {
        let target = |kind| Target {
            kind: Cow::Borrowed(kind),
            id: Some("1".into()),
            name: None,
            email: None,
        };
        let change = |field| Change {
            field: Cow::Borrowed(field),
            before: None,
            after: None,
        };
        let meaning = Meaning::of(&Event {
            organization: "acme".into(),
            client_id: None,
            occurred_at: Timestamp::from_millis(0),
            action: action.into(),
            action_type: action_type.into(),
            area: None,
            product: None,
            description: None,
            security: false,
            result: "success".into(),
            trace_id: None,
            actor: Actor {
                kind: "user".into(),
                id: Some("u_1".into()),
                name: None,
                email: None,
                team: None,
            },
            targets: targets.split_whitespace().map(target).collect(),
            context: Context::default(),
            changes: field.split_whitespace().map(change).collect(),
            metadata: None,
            message: None,
        });
        (meaning.class, meaning.deed)
    }

    #[test]
    fn an_event_has_the_class_that_a_person_would_give_it() {
        for (action, action_type, targets, field, class, deed) in [
            ("user.logged_in", "other", "", "", Class::Authentication, Deed::SignIn),
            ("user.logged_out", "other", "", "", Class::Authentication, Deed::SignOut),
            (
                "session.started",
                "login",
                "user",
                "",
                Class::Authentication,
                Deed::SignIn,
            ),
            (
                "user.impersonated",
                "other",
                "user",
                "",
                Class::Authentication,
                Deed::Impersonate,
            ),
            (
                "AssumeRole",
                "create",
                "role",
                "",
                Class::AuthorizeSession,
                Deed::Assume,
            ),
            (
                "user.created",
                "create",
                "user",
                "role",
                Class::AccountChange,
                Deed::Create,
            ),
            ("user.locked", "update", "user", "", Class::AccountChange, Deed::Lock),
            (
                "user.account.lock",
                "update",
                "user",
                "",
                Class::AccountChange,
                Deed::Lock,
            ),
            (
                "user.updated",
                "update",
                "user",
                "name",
                Class::AccountChange,
                Deed::Update,
            ),
            ("org.mfa.disabled", "update", "", "", Class::ApiActivity, Deed::Disable),
            ("password.changed", "update", "", "", Class::AccountChange, Deed::Update),
            (
                "AttachUserPolicy",
                "update",
                "user policy",
                "",
                Class::AccountChange,
                Deed::Grant,
            ),
            (
                "user.role.updated",
                "update",
                "user",
                "",
                Class::UserAccess,
                Deed::Update,
            ),
            (
                "user.updated",
                "update",
                "user",
                "role",
                Class::UserAccess,
                Deed::Update,
            ),
            ("role.granted", "other", "role user", "", Class::UserAccess, Deed::Grant),
            (
                "team.created",
                "create",
                "team",
                "",
                Class::GroupManagement,
                Deed::Create,
            ),
            (
                "AddUserToGroup",
                "update",
                "user group",
                "",
                Class::GroupManagement,
                Deed::Add,
            ),
            ("team.viewed", "read", "team", "", Class::EntityManagement, Deed::Read),
            (
                "role.deleted",
                "delete",
                "role",
                "",
                Class::EntityManagement,
                Deed::Delete,
            ),
            (
                "api_key.created",
                "create",
                "api_key",
                "",
                Class::EntityManagement,
                Deed::Create,
            ),
            (
                "export.created",
                "create",
                "campaign",
                "",
                Class::ApiActivity,
                Deed::Create,
            ),
            (
                "update.deleted",
                "delete",
                "update",
                "",
                Class::ApiActivity,
                Deed::Delete,
            ),
            ("report.viewed", "read", "report", "", Class::ApiActivity, Deed::Read),
            ("list.exported", "kudos", "list", "", Class::ApiActivity, Deed::Read),
            (
                "campaign.shared",
                "update",
                "campaign user",
                "",
                Class::ApiActivity,
                Deed::Update,
            ),
            ("", "other", "", "", Class::ApiActivity, Deed::Other),
        ] {
            let found = about(action, action_type, targets, field);
            assert_eq!(found, (class, deed), "{action} ({action_type}) of {targets} {field}");
        }
    }
}
