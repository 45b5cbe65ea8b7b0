//! From the tree of a catalog to its meaning, collecting every fault on the way.

use std::collections::HashSet;

use super::{
    ACTION_TYPES, Action, Area, Catalog, CatalogFault, MetadataSchema, Named, Template,
    document::{Document, Place, member_path},
};
use crate::{Origin, filter::MetadataPath, json::Value, language::near};

/// Longest id or name in characters; as events may carry.
const NAME_CHARS_MAX: usize = 256;

const CATALOG_MEMBERS: [&str; 3] = ["areas", "action_types", "actions"];
const NAMED_MEMBERS: [&str; 2] = ["id", "name"];
const AREA_MEMBERS: [&str; 3] = ["id", "name", "why"];
const ACTION_MEMBERS: [&str; 11] = [
    "id",
    "name",
    "area",
    "action_type",
    "product",
    "description",
    "security",
    "targets",
    "metadata",
    "units",
    "why",
];

/// Reads the catalog that stands at `root`; `elsewhere` are members that others read, `origin` says whose it is.
pub(super) fn catalog(
    document: &Document<'_>,
    root: &Place<'_>,
    elsewhere: &[&'static str],
    origin: Origin,
) -> Result<Catalog, Vec<CatalogFault>> {
    let mut reader = Reader {
        document,
        root: root.path.clone(),
        origin,
        faults: Vec::new(),
    };
    reader.check_members(root, &[CATALOG_MEMBERS.as_slice(), elsewhere].concat());
    let areas = reader.list(root, "areas", Reader::area);
    let action_types = reader.list(root, "action_types", Reader::named);
    let mut actions = reader.list(root, "actions", Reader::action);
    reader.check_unique("areas", areas.iter().map(|area| &area.id));
    reader.check_unique("action_types", action_types.iter().map(|action_type| &action_type.id));
    reader.check_unique("actions", actions.iter().map(|action| &action.id));
    reader.check_action_types(&action_types);
    reader.check_actions(&actions, &areas, &action_types);
    inherit_why(&mut actions, &areas);
    if reader.faults.is_empty() {
        Ok(Catalog::new(areas, action_types, actions))
    } else {
        Err(reader.sorted())
    }
}

/// What is said of an area holds for its actions that say nothing themselves.
fn inherit_why(actions: &mut [Action], areas: &[Area]) {
    for action in actions.iter_mut().filter(|action| action.why.is_none()) {
        let area = areas.iter().find(|area| action.area.as_ref() == Some(&area.id));
        action.why = area.and_then(|area| area.why.clone());
    }
}

struct Reader<'s> {
    document: &'s Document<'s>,
    /// The path of the catalog.
    root: String,
    origin: Origin,
    faults: Vec<CatalogFault>,
}

impl<'s> Reader<'s> {
    fn fault(&mut self, path: &str, detail: impl Into<String>) {
        self.faults.push(self.document.fault(path, detail));
    }

    /// A path in the catalog as one in the document.
    fn path(&self, below: &str) -> String {
        member_path(&self.root, below)
    }

    /// The faults in the order of the text where lines are known.
    fn sorted(mut self) -> Vec<CatalogFault> {
        self.faults.sort_by_key(|fault| fault.line);
        self.faults
    }

    fn check_members(&mut self, part: &Place<'s>, known: &[&'static str]) {
        let Value::Object(members) = part.value else {
            self.fault(&part.path, format!("this must be a table, not {}", part.value.kind()));
            return;
        };
        for (key, _) in members.iter().filter(|(key, _)| !known.contains(&key.as_ref())) {
            let near = near(key, known.iter().copied());
            let advice = if near.is_empty() {
                known.join(", ")
            } else {
                format!("did you mean {}?", near.join(" or "))
            };
            self.fault(
                &member_path(&part.path, key),
                format!("`{key}` is not known here; {advice}"),
            );
        }
    }

    fn list<T>(&mut self, part: &Place<'s>, key: &str, read: fn(&mut Self, &Place<'s>) -> T) -> Vec<T> {
        let Some(list) = part.member(key) else {
            return Vec::new();
        };
        let Some(elements) = list.elements() else {
            self.fault(&list.path, format!("this must be a list, not {}", list.value.kind()));
            return Vec::new();
        };
        elements.iter().map(|element| read(self, element)).collect()
    }

    fn area(&mut self, part: &Place<'s>) -> Area {
        self.check_members(part, &AREA_MEMBERS);
        Area {
            id: self.required(part, "id"),
            name: self.required(part, "name"),
            why: self.text(part, "why"),
        }
    }

    fn named(&mut self, part: &Place<'s>) -> Named {
        self.check_members(part, &NAMED_MEMBERS);
        Named {
            id: self.required(part, "id"),
            name: self.required(part, "name"),
        }
    }

    fn action(&mut self, part: &Place<'s>) -> Action {
        self.check_members(part, &ACTION_MEMBERS);
        Action {
            id: self.required(part, "id"),
            name: self.required(part, "name"),
            area: self.name(part, "area"),
            action_type: self.name(part, "action_type"),
            product: self.name(part, "product"),
            description: self.description(part),
            security: self.truth(part, "security"),
            targets: self.list(part, "targets", Self::element),
            metadata: self.schema(part),
            units: self.units(part),
            why: self.text(part, "why"),
        }
    }

    fn element(&mut self, part: &Place<'s>) -> String {
        self.checked_name(part)
    }

    /// A text of any length.
    fn text(&mut self, part: &Place<'s>, key: &str) -> Option<String> {
        let member = part.member(key)?;
        match member.value {
            Value::String(text) if !text.trim().is_empty() => return Some(text.to_string()),
            Value::String(_) => self.fault(&member.path, "this must not be empty; leave it out instead"),
            other => self.fault(&member.path, format!("this must be a text, not {}", other.kind())),
        }
        None
    }

    /// An id or a name: a text that an event could carry.
    fn name(&mut self, part: &Place<'s>, key: &str) -> Option<String> {
        part.member(key).map(|member| self.checked_name(&member))
    }

    fn checked_name(&mut self, part: &Place<'s>) -> String {
        match part.value {
            Value::String(text) if text.trim().is_empty() => self.fault(&part.path, "this must not be empty"),
            Value::String(text) if text.chars().count() > NAME_CHARS_MAX => {
                self.fault(
                    &part.path,
                    format!("this must have at most {NAME_CHARS_MAX} characters"),
                );
            }
            Value::String(text) => return text.to_string(),
            other => self.fault(&part.path, format!("this must be a text, not {}", other.kind())),
        }
        String::new()
    }

    fn required(&mut self, part: &Place<'s>, key: &str) -> String {
        match self.name(part, key) {
            Some(name) => name,
            None => {
                if matches!(part.value, Value::Object(_)) {
                    self.fault(&part.path, format!("`{key}` is missing"));
                }
                String::new()
            }
        }
    }

    fn truth(&mut self, part: &Place<'s>, key: &str) -> Option<bool> {
        let member = part.member(key)?;
        match member.value {
            Value::Bool(truth) => Some(*truth),
            other => {
                self.fault(
                    &member.path,
                    format!("this must be true or false, not {}", other.kind()),
                );
                None
            }
        }
    }

    fn description(&mut self, part: &Place<'s>) -> Option<Template> {
        let written = self.text(part, "description")?;
        let path = member_path(&part.path, "description");
        Template::parse(&written)
            .map_err(|faults| faults.into_iter().for_each(|fault| self.fault(&path, fault)))
            .ok()
    }

    fn schema(&mut self, part: &Place<'s>) -> Option<MetadataSchema> {
        let member = part.member("metadata")?;
        if !matches!(member.value, Value::Object(_)) {
            self.fault(
                &member.path,
                format!("this must be a JSON Schema as a table, not {}", member.value.kind()),
            );
            return None;
        }
        let report = |(at, detail): (String, String)| {
            let path = at
                .split('/')
                .skip(1)
                .fold(member.path.clone(), |path, key| match key.parse::<usize>() {
                    Ok(position) => format!("{path}[{position}]"),
                    Err(_) => member_path(&path, &key.replace("~1", "/").replace("~0", "~")),
                });
            self.fault(&path, format!("this is not a usable JSON Schema (2020-12): {detail}"));
        };
        MetadataSchema::compile(member.value)
            .map_err(|faults| faults.into_iter().for_each(report))
            .ok()
    }

    fn units(&mut self, part: &Place<'s>) -> Vec<(MetadataPath, String)> {
        let Some(units) = part.member("units") else {
            return Vec::new();
        };
        let Value::Object(members) = units.value else {
            self.fault(
                &units.path,
                format!(
                    "this must be a table of metadata paths and units, not {}",
                    units.value.kind()
                ),
            );
            return Vec::new();
        };
        let mut read = Vec::new();
        for (key, value) in members {
            let unit = self.checked_name(&Place {
                value,
                path: member_path(&units.path, key),
            });
            match MetadataPath::parse(key) {
                Ok(path) => read.push((path, unit)),
                Err(detail) => self.fault(&member_path(&units.path, key), detail),
            }
        }
        read
    }

    fn check_unique<'i>(&mut self, list: &str, ids: impl Iterator<Item = &'i String>) {
        let mut seen = HashSet::new();
        for (position, id) in ids.enumerate() {
            let path = self.path(&format!("{list}[{position}].id"));
            if id.starts_with("trailbook.") && self.origin == Origin::Sender {
                self.fault(&path, "ids that begin with `trailbook.` are Trailbook's own");
            }
            if !id.is_empty() && !seen.insert(id) {
                self.fault(&path, format!("`{id}` is there already; ids are unique"));
            }
        }
    }

    fn check_action_types(&mut self, own: &[Named]) {
        for (position, named) in own
            .iter()
            .enumerate()
            .filter(|(_, named)| ACTION_TYPES.contains(&named.id.as_str()))
        {
            let path = self.path(&format!("action_types[{position}].id"));
            self.fault(&path, format!("`{}` is built in; leave it out", named.id));
        }
    }

    fn check_actions(&mut self, actions: &[Action], areas: &[Area], own_types: &[Named]) {
        let area_ids = || areas.iter().map(|area| area.id.as_str());
        let type_ids = || {
            ACTION_TYPES
                .into_iter()
                .chain(own_types.iter().map(|named| named.id.as_str()))
        };
        for (position, action) in actions.iter().enumerate() {
            if let Some(area) = action
                .area
                .as_deref()
                .filter(|area| !area.is_empty() && !area_ids().any(|id| id == *area))
            {
                let detail = unknown(area, "areas", near(area, area_ids()));
                self.fault(&self.path(&format!("actions[{position}].area")), detail);
            }
            let named = action.action_type.as_deref();
            if let Some(wrong) = named.filter(|wrong| !wrong.is_empty() && !type_ids().any(|id| id == *wrong)) {
                let detail = unknown(wrong, "action_types", near(wrong, type_ids()));
                self.fault(&self.path(&format!("actions[{position}].action_type")), detail);
            }
        }
    }
}

fn unknown(id: &str, list: &str, near: Vec<&str>) -> String {
    let advice = if near.is_empty() {
        String::new()
    } else {
        format!(", or did you mean {}?", near.join(" or "))
    };
    format!("`{id}` is not in the catalog; add it to `{list}`{advice}")
}
