//! The words that people see in place of what events carry: the policy's, else the catalog's, else the built-in ones. Cells
//! of files and values of facets go through here, so that they agree.
//!
//! Values
//! - `area` and `action` have the names of the catalog, `action_type` those of the catalog's own types.
//! - Of the other action types `read` is `View`, and the rest are the type in words: `invite_link` is `Invite link`.
//! - All other values stand as they are, unless the policy has a word for them.
//!
//! Not here: which columns there are (`csv`), where policies come from.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use trailbook_event::{Field, catalog::Catalog};

/// Labels by value, by event path: `{"action_type": {"read": "View"}}`.
pub type ValueLabels = BTreeMap<String, BTreeMap<String, String>>;

/// The words of one organization.
#[derive(Debug, Default)]
pub struct Labels {
    catalogs: Vec<Arc<Catalog>>,
    fields: BTreeMap<String, String>,
    values: ValueLabels,
}

impl Labels {
    /// The words of the policy (labels by event path, and of values) and of catalogs, of which the first that knows a value
    /// names it.
    pub fn new(catalogs: Vec<Arc<Catalog>>, fields: BTreeMap<String, String>, values: ValueLabels) -> Self {
        Self {
            catalogs,
            fields,
            values,
        }
    }

    /// The label of an event path: `actor.email` is `Actor email` where the policy has no other.
    pub fn field<'l>(&'l self, path: &str) -> Cow<'l, str> {
        match self.fields.get(path) {
            Some(label) => Cow::Borrowed(label),
            None => Cow::Owned(in_words(path)),
        }
    }

    /// What people see for a value at an event path, or of a changed field; the value itself where there is no word for it.
    /// Empty when the policy hides it.
    pub fn value<'l>(&'l self, of: &str, value: &'l str) -> Cow<'l, str> {
        self.word(of, value).unwrap_or(Cow::Borrowed(value))
    }

    /// What people see for a value of a field that reads filter by; `None` where there is no word for it.
    pub fn of_field(&self, field: &Field, value: &str) -> Option<String> {
        let word = match field {
            Field::Metadata(path) => self.word(&format!("metadata.{path}"), value),
            Field::ActorType => self.word("actor.type", value),
            Field::Team => self.word("actor.team", value),
            Field::TargetType => self.word("targets.type", value),
            Field::Ip => self.word("context.ip", value),
            Field::Changed => self.word("changes.field", value),
            named => self.word(&named.to_string(), value),
        };
        word.filter(|word| !word.is_empty()).map(Cow::into_owned)
    }

    fn word<'l>(&'l self, of: &str, value: &str) -> Option<Cow<'l, str>> {
        if let Some(word) = self.values.get(of).and_then(|words| words.get(value)) {
            return Some(Cow::Borrowed(word));
        }
        let mut catalogs = self.catalogs.iter();
        match of {
            "action" => catalogs
                .find_map(|catalog| catalog.action_label(value))
                .map(Cow::Borrowed),
            "area" => catalogs
                .find_map(|catalog| catalog.areas().iter().find(|area| area.id == value))
                .map(|area| Cow::Borrowed(area.name.as_str())),
            "action_type" => {
                let own = catalogs.find_map(|catalog| name(catalog.action_types(), value));
                Some(own.map_or_else(|| built_in(value), Cow::Borrowed))
            }
            _ => None,
        }
    }
}

fn name<'n>(named: &'n [trailbook_event::catalog::Named], id: &str) -> Option<&'n str> {
    named
        .iter()
        .find(|named| named.id == id)
        .map(|named| named.name.as_str())
}

fn built_in(action_type: &str) -> Cow<'static, str> {
    match action_type {
        "read" => Cow::Borrowed("View"),
        other => Cow::Owned(in_words(other)),
    }
}

/// `actor.email` is "Actor email".
fn in_words(id: &str) -> String {
    let words = id.replace(['.', '_'], " ");
    let mut characters = words.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().chain(characters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_speaks_before_the_catalog_and_that_before_what_is_built_in() {
        let catalog = r#"{"areas":[{"id":"users","name":"Users"}],"action_types":[{"id":"import","name":"Bring in"}],
            "actions":[{"id":"user.made","name":"Made","area":"users"}]}"#;
        let words = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(value, word)| ((*value).to_owned(), (*word).to_owned()))
                .collect::<BTreeMap<_, _>>()
        };
        let labels = Labels::new(
            vec![Arc::new(Catalog::from_json(catalog).expect("a catalog"))],
            words(&[("actor", "User")]),
            BTreeMap::from([
                ("action_type".to_owned(), words(&[("delete", "Removed")])),
                ("targets.type".to_owned(), words(&[("user", "User")])),
                (
                    "security".to_owned(),
                    words(&[("true", "Security action"), ("false", "")]),
                ),
            ]),
        );
        for (of, value, seen) in [
            ("action", "user.made", "Made"),
            ("action", "unheard.of", "unheard.of"),
            ("area", "users", "Users"),
            ("action_type", "read", "View"),
            ("action_type", "delete", "Removed"),
            ("action_type", "import", "Bring in"),
            ("action_type", "invite_link", "Invite link"),
            ("targets.type", "user", "User"),
            ("targets.type", "team", "team"),
            ("security", "false", ""),
            ("description", "read", "read"),
        ] {
            assert_eq!(labels.value(of, value), seen, "{of} {value}");
        }
        assert_eq!(
            (labels.field("actor"), labels.field("actor.email")),
            ("User".into(), "Actor email".into())
        );
        assert_eq!(labels.of_field(&Field::TargetType, "user").as_deref(), Some("User"));
        assert_eq!(
            labels.of_field(&Field::Security, "false"),
            None,
            "a hidden value has no word"
        );
        assert_eq!(labels.of_field(&Field::Action, "unheard.of"), None);
    }
}
