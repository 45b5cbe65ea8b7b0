//! What is done in Trailbook itself, as events. Their catalog is `acts.toml`, which is part of the binary.
//!
//! Invariants
//! - No secret and no hash of one is ever part of an act.
//! - An act has the description, area and type that the catalog gives to its action.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use serde_json::{Map, Value, json};
use trailbook_event::{
    Admission, Admitted, Limits, Pointer, Timestamp, admit,
    catalog::{Catalog, UnknownActions},
    json as text,
};
use trailbook_ledger::OrganizationKey;

use crate::{
    Error,
    caller::{Caller, Origin},
    records::User,
    rights::SYSTEM,
};

/// Something that somebody did in Trailbook itself.
#[derive(Debug, Clone)]
pub struct Act {
    /// Whose ledger it belongs to.
    pub organization: OrganizationKey,
    action: &'static str,
    actor: Actor,
    origin: Origin,
    targets: Vec<Target>,
    changes: Vec<(String, Option<Value>, Option<Value>)>,
    metadata: Map<String, Value>,
    result: &'static str,
}

/// Who did it.
#[derive(Debug, Clone, Default)]
pub struct Actor {
    /// `user`, `api_key`, `system` or `anonymous`.
    pub kind: String,
    /// Its id; `None` only for the last two.
    pub id: Option<String>,
    /// Display name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

impl Actor {
    /// Trailbook itself, or its operator, by a name.
    pub fn system(name: &str) -> Self {
        Self {
            kind: "system".into(),
            name: Some(name.into()),
            ..Self::default()
        }
    }

    /// Somebody who has not proved who they are.
    pub fn anonymous() -> Self {
        Self {
            kind: "anonymous".into(),
            ..Self::default()
        }
    }

    /// A person of the console.
    pub fn user(user: &User) -> Self {
        Self {
            kind: "user".into(),
            id: Some(user.id.clone()),
            name: user.name.clone(),
            email: Some(user.email.clone()),
        }
    }
}

/// What it was done to.
#[derive(Debug, Clone)]
pub struct Target {
    /// Such as `user`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// Display name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

impl Target {
    /// Something with an id and perhaps a name.
    pub fn new(kind: &'static str, id: impl Into<String>, name: Option<String>) -> Self {
        Self {
            kind,
            id: id.into(),
            name,
            email: None,
        }
    }

    /// A person of the console.
    pub fn user(user: &User) -> Self {
        Self {
            kind: "user",
            id: user.id.clone(),
            name: user.name.clone(),
            email: Some(user.email.clone()),
        }
    }
}

impl Act {
    /// What a caller does in an organization.
    pub fn of(caller: &Caller, organization: OrganizationKey, action: &'static str) -> Self {
        Self::by(caller.actor(), caller.origin.clone(), organization, action)
    }

    /// What a caller does to a project, or in it as a whole.
    pub fn of_project(caller: &Caller, project: &str, action: &'static str) -> Self {
        Self::of(caller, OrganizationKey::new(project, SYSTEM), action)
    }

    /// What somebody does in an organization.
    pub fn by(actor: Actor, origin: Origin, organization: OrganizationKey, action: &'static str) -> Self {
        Self {
            organization,
            action,
            actor,
            origin,
            targets: Vec::new(),
            changes: Vec::new(),
            metadata: Map::new(),
            result: "success",
        }
    }

    /// Adds what it was done to.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    /// Adds a field before and after; `None` where there was or is none. What did not change is left out.
    #[must_use]
    pub fn changed(mut self, field: &str, before: Option<Value>, after: Option<Value>) -> Self {
        if before != after {
            self.changes.push((field.to_owned(), before, after));
        }
        self
    }

    /// Adds something that the catalog's entry tells of.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.metadata.insert(name.to_owned(), value.into());
        self
    }

    /// Says that it did not succeed.
    #[must_use]
    pub fn failed(mut self) -> Self {
        self.result = "failure";
        self
    }

    /// Whether nothing changed.
    pub fn is_unchanged(&self) -> bool {
        self.changes.is_empty()
    }

    /// The event, as it is stored.
    pub fn admitted(&self, now: Timestamp) -> Result<Admitted, Error> {
        let limits = Limits::default();
        let catalog = catalog();
        let rules = catalog.rules(UnknownActions::Refuse);
        let admission = Admission {
            limits: &limits,
            now,
            defaults: &rules,
            origin: trailbook_event::Origin::Own,
        };
        let source = self.json().to_string();
        let wrong = |what: String| Error::Damaged(format!("an act cannot be recorded: action={} {what}", self.action));
        let value = text::parse(&source, &limits.json()).map_err(|_| wrong("it is no strict JSON".into()))?;
        admit(&value, &Pointer::root(), &admission).map_err(|faults| {
            let places: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
            wrong(format!("places={places:?}"))
        })
    }

    fn json(&self) -> Value {
        let change = |(field, before, after): &(String, Option<Value>, Option<Value>)| {
            let mut change = BTreeMap::from([("field", json!(field))]);
            change.extend(before.clone().map(|before| ("before", before)));
            change.extend(after.clone().map(|after| ("after", after)));
            json!(change)
        };
        let named = |kind: &str, id: Option<&String>, name: Option<&String>, email: Option<&String>| {
            let name = name.filter(|name| !name.trim().is_empty());
            json!({"type": kind, "id": id, "name": name, "email": email})
        };
        let target = |target: &Target| {
            named(
                target.kind,
                Some(&target.id),
                target.name.as_ref(),
                target.email.as_ref(),
            )
        };
        let actor = &self.actor;
        json!({
            "organization": self.organization.organization(),
            "action": self.action,
            "actor": named(&actor.kind, actor.id.as_ref(), actor.name.as_ref(), actor.email.as_ref()),
            "targets": self.targets.iter().map(target).collect::<Vec<_>>(),
            "context": {
                "ip": self.origin.ip.map(|ip| ip.to_canonical().to_string()),
                "user_agent": self.origin.user_agent.as_deref(),
            },
            "changes": self.changes.iter().map(change).collect::<Vec<_>>(),
            "metadata": self.metadata,
            "result": self.result,
        })
    }
}

/// The catalog of Trailbook's own acts.
pub fn catalog() -> Arc<Catalog> {
    static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(|| {
        let catalog = Catalog::of_trailbook(include_str!("acts.toml"));
        Arc::new(catalog.expect("the catalog of acts is part of the binary"))
    });
    CATALOG.clone()
}

#[cfg(test)]
mod tests {
    use trailbook_event::Event;

    use super::*;

    fn act(action: &'static str) -> Act {
        Act::by(
            Actor::anonymous(),
            Origin::default(),
            OrganizationKey::new("default", "acme"),
            action,
        )
    }

    #[test]
    fn every_act_of_the_catalog_can_be_recorded_and_has_a_description() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        for action in catalog().actions() {
            let action: &'static str = Box::leak(action.id.clone().into_boxed_str());
            let admitted = act(action).admitted(now).expect("recorded");

            let event = Event::parse(&admitted.parts).expect("an event");
            assert!(event.description.is_some_and(|text| !text.is_empty()), "{action}");
        }
        assert!(act("trailbook.nothing.known").admitted(now).is_err());
    }
}
