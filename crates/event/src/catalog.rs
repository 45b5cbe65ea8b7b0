//! The catalog: what a project says of the actions that it knows.
//!
//! Invariants
//! - A `Catalog` is whole: every area and action type that an action names exists, every template and schema compiles.
//! - Reading reports every fault at once, each with its place.
//!
//! Not here: what admission does with it ([`Defaults`](crate::Defaults), which [`Rules`] implements), where catalogs are
//! kept. See docs/catalog.md.

mod document;
mod path;
mod read;
mod rules;
mod schema;
mod template;

use std::{collections::HashMap, fmt};

pub use document::{Document, Place, member_path};
pub use path::{ENVELOPE, EventPath, Found};
pub use rules::{Rules, UnknownActions};
pub use schema::MetadataSchema;
pub use template::{DESCRIPTION_BYTES_MAX, Template};

use crate::{Origin, filter::MetadataPath};

/// Longest catalog in bytes.
pub const CATALOG_BYTES_MAX: usize = 1024 * 1024;

/// The action types that every catalog has.
pub const ACTION_TYPES: [&str; 11] = [
    "create", "read", "update", "delete", "login", "logout", "export", "approve", "invite", "execute", "other",
];

/// The areas, action types and actions of a project.
#[derive(Debug, Default)]
pub struct Catalog {
    areas: Vec<Area>,
    action_types: Vec<Named>,
    /// The ids of `action_types`, as admission wants them.
    action_type_ids: Vec<String>,
    actions: Vec<Action>,
    /// What people see for each of `actions`.
    labels: Vec<String>,
    /// Positions in `actions`.
    by_id: HashMap<String, usize>,
}

/// A part of the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// What events carry.
    pub id: String,
    /// What people see.
    pub name: String,
    /// Why what happens there matters; holds for its actions that say nothing themselves.
    pub why: Option<String>,
}

/// An action type: the id that events carry, and the name that people see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// What events carry.
    pub id: String,
    /// What people see.
    pub name: String,
}

/// What the catalog says of one action.
#[derive(Debug)]
pub struct Action {
    /// What events carry as `action`.
    pub id: String,
    /// What people see; two actions may share one, see [`Catalog::label`].
    pub name: String,
    /// The id of its area.
    pub area: Option<String>,
    /// A built-in action type or one of the catalog's own.
    pub action_type: Option<String>,
    /// The product.
    pub product: Option<String>,
    /// How a description is made when the sender gives none.
    pub description: Option<Template>,
    /// Whether the action matters for security; the event may overrule it.
    pub security: Option<bool>,
    /// The types of what it is done to.
    pub targets: Vec<String>,
    /// What its metadata must look like.
    pub metadata: Option<MetadataSchema>,
    /// Units of numbers in the metadata, such as `ms`, by path.
    pub units: Vec<(MetadataPath, String)>,
    /// Why the action matters, for the people who read the log: its own word or its area's.
    pub why: Option<String>,
}

/// One thing that is wrong with a catalog (or another document), and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogFault {
    /// The place, such as `actions[3].description`; empty for the whole catalog.
    pub path: String,
    /// The line of that place, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong and the remedy, as a sentence for the author.
    pub detail: String,
}

impl fmt::Display for CatalogFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.path.is_empty() { "the file" } else { &self.path })?;
        if let Some(line) = self.line {
            write!(formatter, " (line {line})")?;
        }
        write!(formatter, ": {}", self.detail)
    }
}

impl Catalog {
    /// Reads a catalog written in TOML.
    ///
    /// # Errors
    /// Every fault of the catalog, in the order of the text.
    pub fn from_toml(text: &str) -> Result<Self, Vec<CatalogFault>> {
        Document::from_toml(text).and_then(|document| Self::read(&document, &document.root(), &[]))
    }

    /// Reads Trailbook's own catalog, written in TOML: its ids may begin with `trailbook.`.
    ///
    /// # Errors
    /// As [`Catalog::from_toml`].
    pub fn of_trailbook(text: &str) -> Result<Self, Vec<CatalogFault>> {
        Document::from_toml(text).and_then(|document| read::catalog(&document, &document.root(), &[], Origin::Own))
    }

    /// Reads a catalog written in JSON, of the same shape.
    ///
    /// # Errors
    /// Every fault of the catalog, in the order of the text.
    pub fn from_json(text: &str) -> Result<Self, Vec<CatalogFault>> {
        Document::from_json(text).and_then(|document| Self::read(&document, &document.root(), &[]))
    }

    /// Reads the catalog that stands at a place of a document; `elsewhere` are members of it that others read.
    ///
    /// # Errors
    /// Every fault of the catalog, in the order of the text.
    pub fn read(
        document: &Document<'_>,
        at: &Place<'_>,
        elsewhere: &[&'static str],
    ) -> Result<Self, Vec<CatalogFault>> {
        read::catalog(document, at, elsewhere, Origin::Sender)
    }

    fn new(areas: Vec<Area>, action_types: Vec<Named>, actions: Vec<Action>) -> Self {
        let by_id = actions
            .iter()
            .enumerate()
            .map(|(position, action)| (action.id.clone(), position))
            .collect();
        let labels = labels(&areas, &actions);
        let action_type_ids = action_types.iter().map(|named| named.id.clone()).collect();
        Self {
            areas,
            action_types,
            action_type_ids,
            actions,
            labels,
            by_id,
        }
    }

    /// The areas, in the order of the catalog.
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// The catalog's own action types, in its order.
    pub fn action_types(&self) -> &[Named] {
        &self.action_types
    }

    /// The actions, in the order of the catalog.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// What the catalog says of an action; `None` when it does not know it.
    pub fn action(&self, id: &str) -> Option<&Action> {
        self.by_id.get(id).map(|position| &self.actions[*position])
    }

    /// What people see for an action: its name, with the area's where another action has the same name, with the id
    /// where even those are shared; the id itself when the catalog does not know the action.
    pub fn label<'c>(&'c self, id: &'c str) -> &'c str {
        self.action_label(id).unwrap_or(id)
    }

    /// [`Catalog::label`] of an action that the catalog knows; `None` of others.
    pub fn action_label(&self, id: &str) -> Option<&str> {
        self.by_id.get(id).map(|position| self.labels[*position].as_str())
    }

    /// What admission asks, with the policy for actions that the catalog does not know.
    pub fn rules(&self, unknown_actions: UnknownActions) -> Rules<'_> {
        Rules {
            catalog: self,
            unknown_actions,
        }
    }
}

/// The label of each action.
fn labels(areas: &[Area], actions: &[Action]) -> Vec<String> {
    let mut by_name: HashMap<&str, Vec<&Action>> = HashMap::new();
    for action in actions {
        by_name.entry(&action.name).or_default().push(action);
    }
    let label = |action: &Action| {
        let namesakes = &by_name[action.name.as_str()];
        let in_area = namesakes.iter().filter(|other| other.area == action.area).count();
        match areas.iter().find(|area| action.area.as_ref() == Some(&area.id)) {
            _ if namesakes.len() == 1 => action.name.clone(),
            Some(area) if in_area == 1 => format!("{} ({})", action.name, area.name),
            _ => format!("{} ({})", action.name, action.id),
        }
    };
    actions.iter().map(label).collect()
}
