//! Reading a mapping: a place in a document into rules, every fault at once with its place.

use sha2::{Digest, Sha256};
use trailbook_event::{
    catalog::{CatalogFault, Document, Place, member_path},
    json::{Value, write_canonical},
};

use super::{
    ChangeRule, Keep, Mapping, Party,
    path::{Path, Source},
    rule::{Alternative, Rule, Shape, WhichWord},
    time::{self, Format},
};

const MAPPING_MEMBERS: [&str; 16] = [
    "name",
    "about",
    "keep",
    "records",
    "explode",
    "open",
    "nothing",
    "hash_without",
    "time_zone",
    "event",
    "actor",
    "targets",
    "context",
    "changes",
    "metadata",
    "verbs",
];
const EVENT_MEMBERS: [&str; 12] = [
    "organization",
    "client_id",
    "occurred_at",
    "action",
    "action_type",
    "area",
    "product",
    "description",
    "result",
    "security",
    "trace_id",
    "message",
];
const ACTOR_MEMBERS: [&str; 5] = ["type", "id", "name", "email", "team"];
const TARGET_MEMBERS: [&str; 4] = ["type", "id", "name", "email"];
const CONTEXT_MEMBERS: [&str; 4] = ["ip", "user_agent", "url", "referrer"];
/// Tables of one list, members of `metadata`, alternatives of a rule and places of a list that a mapping has at most: far
/// more than any source needs, and few enough that a record is made an event quickly.
const RULES_MAX: usize = 250;
/// What the engine itself writes to metadata.
pub(super) const OWN_METADATA: [&str; 5] = ["raw", "raw_event", "converted", "source", "source_address"];

/// What the records of a mapping come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A file: it holds many, and counts them.
    File,
    /// A call: each is a payload of its own.
    Call,
}

/// Reads the mapping that stands at `root`.
pub(super) fn mapping(document: &Document<'_>, root: &Place<'_>, origin: Origin) -> Result<Mapping, Vec<CatalogFault>> {
    let mut reader = Reading::new(document);
    let mapping = reader.mapping(root);
    if origin == Origin::Call {
        reader.check_call(root, &mapping);
    }
    reader.finish(mapping)
}

/// Collects faults while it reads.
pub(super) struct Reading<'d> {
    document: &'d Document<'d>,
    faults: Vec<CatalogFault>,
}

impl<'d> Reading<'d> {
    pub(super) fn new(document: &'d Document<'d>) -> Self {
        Self {
            document,
            faults: Vec::new(),
        }
    }

    /// What was read, when nothing was wrong with it.
    pub(super) fn finish<T>(self, read: T) -> Result<T, Vec<CatalogFault>> {
        if self.faults.is_empty() {
            Ok(read)
        } else {
            Err(self.faults)
        }
    }

    pub(super) fn fault(&mut self, path: &str, detail: impl std::fmt::Display) {
        self.faults.push(self.document.fault(path, detail.to_string()));
    }

    fn mapping(&mut self, root: &Place<'d>) -> Mapping {
        self.only(root, &MAPPING_MEMBERS);
        let name = self.text(root, "name");
        if name.is_none() {
            self.fault(&path(root, "name"), "say what the source is called");
        }
        let actors = self.parties(root, "actor", &ACTOR_MEMBERS);
        if actors.is_empty() {
            self.fault(
                &path(root, "actor"),
                "at least one [[actor]] is needed; `type = \"unknown\"` when the source does not say",
            );
        }
        let keep = self.choice(root, "keep", &[("raw", Keep::Raw), ("metadata", Keep::Metadata)]);
        let mapping = Mapping {
            name: name.unwrap_or_default(),
            keep: keep.unwrap_or_default(),
            records: self.paths(root, "records"),
            explode: self.paths(root, "explode").into_iter().next(),
            open: self.paths(root, "open"),
            nothing: match root.member("nothing") {
                Some(_) => self.texts(root, "nothing"),
                None => vec![String::new()],
            },
            hash_without: self.paths(root, "hash_without"),
            zone: self.zone(root),
            verbs: self.verbs(root),
            event: self.event(root),
            actors,
            targets: self.parties(root, "targets", &TARGET_MEMBERS),
            context: self.members(root, "context", &CONTEXT_MEMBERS),
            changes: self.changes(root),
            metadata: self.metadata(root),
            digest: digest(root.value),
        };
        self.check_keep(root, &mapping);
        mapping
    }

    /// With the record as the metadata there is nothing else in it.
    fn check_keep(&mut self, root: &Place<'d>, mapping: &Mapping) {
        if mapping.keep != Keep::Metadata {
            return;
        }
        for key in ["metadata", "explode"] {
            if root.member(key).is_some() {
                self.fault(
                    &path(root, key),
                    "with keep = \"metadata\" the metadata is the record and nothing else; leave this out",
                );
            }
        }
    }

    /// What a single payload cannot have.
    fn check_call(&mut self, root: &Place<'d>, mapping: &Mapping) {
        for key in ["records", "explode"] {
            if root.member(key).is_some() {
                self.fault(
                    &path(root, key),
                    "this is for files; in a call every payload is one record and becomes one event",
                );
            }
        }
        if mapping.counts_occurrences() {
            self.fault(
                &path(root, "event.client_id"),
                "`@occurrence` counts in files; use `@hash` or a place in the payload",
            );
        }
    }

    fn zone(&mut self, root: &Place<'d>) -> jiff::tz::TimeZone {
        let name = self.text(root, "time_zone").unwrap_or_else(|| "UTC".to_owned());
        time::zone(&name).unwrap_or_else(|detail| {
            self.fault(&path(root, "time_zone"), detail);
            jiff::tz::TimeZone::UTC
        })
    }

    fn event(&mut self, root: &Place<'d>) -> Vec<(String, Rule)> {
        let event = self.members(root, "event", &EVENT_MEMBERS);
        for required in ["occurred_at", "action"] {
            if !event.iter().any(|(member, _)| member == required) {
                self.fault(&path(root, "event"), format_args!("`{required}` is missing"));
            }
        }
        event
    }

    /// Refuses members that are not known; what is no table has none, and that is a fault too.
    pub(super) fn only(&mut self, table: &Place<'d>, known: &[&str]) {
        for key in self.keys(table) {
            if !known.contains(&key) {
                self.fault(
                    &path(table, key),
                    format_args!("there is no such key; known are {}", known.join(", ")),
                );
            }
        }
    }

    /// The keys of a table.
    pub(super) fn keys(&mut self, table: &Place<'d>) -> Vec<&'d str> {
        match table.value {
            Value::Object(members) => members.iter().map(|(key, _)| key.as_ref()).collect(),
            other => {
                self.fault(&table.path, format_args!("a table belongs here, not {}", other.kind()));
                Vec::new()
            }
        }
    }

    /// A text.
    pub(super) fn text(&mut self, table: &Place<'d>, key: &str) -> Option<String> {
        self.texts(table, key).into_iter().next()
    }

    /// A text or a list of texts.
    pub(super) fn texts(&mut self, table: &Place<'d>, key: &str) -> Vec<String> {
        let Some(member) = table.member(key) else {
            return Vec::new();
        };
        let items = items(member.value);
        let text = |item: &Value<'_>| match item {
            Value::String(text) => Some(text.to_string()),
            _ => None,
        };
        let texts: Vec<String> = items.iter().filter_map(text).collect();
        if texts.len() != items.len() {
            self.fault(&member.path, "a text or a list of texts belongs here");
        }
        texts
    }

    pub(super) fn paths(&mut self, table: &Place<'d>, key: &str) -> Vec<Path> {
        let mut texts = self.texts(table, key);
        self.limit(&path(table, key), &mut texts);
        let paths: Vec<Path> = texts.iter().filter_map(|text| Path::parse(text)).collect();
        if paths.len() != texts.len() {
            self.fault(&path(table, key), "a pointer such as `/a/b` belongs here");
        }
        paths
    }

    /// The tables of a list.
    pub(super) fn tables(&mut self, table: &Place<'d>, key: &str) -> Vec<Place<'d>> {
        let Some(list) = table.member(key) else {
            return Vec::new();
        };
        let tables = list
            .elements()
            .filter(|elements| elements.iter().all(|element| matches!(element.value, Value::Object(_))));
        tables.unwrap_or_else(|| {
            self.fault(&list.path, format_args!("tables [[{key}]] belong here"));
            Vec::new()
        })
    }

    /// Refuses more rules than a mapping may have in one place, and leaves that many.
    fn limit<T>(&mut self, at: &str, rules: &mut Vec<T>) {
        if rules.len() > RULES_MAX {
            let detail = format!("there are {} here; a mapping has at most {RULES_MAX}", rules.len());
            self.fault(at, detail);
            rules.truncate(RULES_MAX);
        }
    }

    /// The tables of a list of rules.
    fn rule_tables(&mut self, table: &Place<'d>, key: &str) -> Vec<Place<'d>> {
        let mut tables = self.tables(table, key);
        self.limit(&path(table, key), &mut tables);
        tables
    }

    fn members(&mut self, table: &Place<'d>, key: &str, known: &[&str]) -> Vec<(String, Rule)> {
        let Some(table) = table.member(key) else {
            return Vec::new();
        };
        self.only(&table, known);
        self.rules(&table, known)
    }

    fn rules(&mut self, table: &Place<'d>, known: &[&str]) -> Vec<(String, Rule)> {
        let rules = known.iter().filter_map(|member| Some((*member, table.member(member)?)));
        rules
            .map(|(member, place)| (member.to_owned(), self.rule(&place)))
            .collect()
    }

    fn parties(&mut self, table: &Place<'d>, key: &str, members: &[&str]) -> Vec<Party> {
        let mut parties = Vec::new();
        for party in self.rule_tables(table, key) {
            self.only(&party, &[members, &["each"]].concat());
            if party.member("type").is_none() {
                self.fault(&party.path, "`type` is missing");
            }
            let each = self.paths(&party, "each").into_iter().next();
            parties.push(Party {
                each,
                members: self.rules(&party, members),
            });
        }
        parties
    }

    fn changes(&mut self, table: &Place<'d>) -> Vec<ChangeRule> {
        let mut changes = Vec::new();
        for change in self.rule_tables(table, "changes") {
            self.only(&change, &["each", "field", "before", "after"]);
            let Some(field) = change.member("field") else {
                self.fault(&change.path, "`field` is missing");
                continue;
            };
            changes.push(ChangeRule {
                each: self.paths(&change, "each").into_iter().next(),
                field: self.rule(&field),
                before: self.sources(&change, "before").into_iter().next(),
                after: self.sources(&change, "after").into_iter().next(),
            });
        }
        changes
    }

    fn metadata(&mut self, table: &Place<'d>) -> Vec<(String, Rule)> {
        let Some(metadata) = table.member("metadata") else {
            return Vec::new();
        };
        let mut rules = Vec::new();
        let mut keys = self.keys(&metadata);
        self.limit(&metadata.path, &mut keys);
        for key in keys {
            let Some(place) = metadata.member(key) else { continue };
            if OWN_METADATA.contains(&key) {
                self.fault(&place.path, "this name is used by the import itself; choose another");
            }
            rules.push((key.to_owned(), self.rule(&place)));
        }
        rules
    }

    fn verbs(&mut self, table: &Place<'d>) -> std::collections::HashMap<String, String> {
        let Some(verbs) = table.member("verbs") else {
            return Default::default();
        };
        let types = self.keys(&verbs);
        let words = types.into_iter().flat_map(|kind| {
            let words = self.texts(&verbs, kind).into_iter();
            words.map(|word| (word, kind.to_owned()))
        });
        words.collect()
    }

    fn sources(&mut self, table: &Place<'d>, key: &str) -> Vec<Source> {
        let at = path(table, key);
        let mut texts = self.texts(table, key);
        self.limit(&at, &mut texts);
        texts.iter().filter_map(|text| self.source(text, &at)).collect()
    }

    fn source(&mut self, text: &str, at: &str) -> Option<Source> {
        Source::parse(text).map_err(|detail| self.fault(at, detail)).ok()
    }

    fn rule(&mut self, place: &Place<'d>) -> Rule {
        let alternatives = items(place.value).iter().map(|value| Place {
            value,
            path: place.path.clone(),
        });
        let mut alternatives: Vec<Place<'d>> = alternatives.collect();
        self.limit(&place.path, &mut alternatives);
        Rule(alternatives.iter().map(|place| self.alternative(place)).collect())
    }

    fn alternative(&mut self, place: &Place<'d>) -> Alternative {
        match place.value {
            Value::String(text) => Alternative {
                from: self.source(text, &place.path).into_iter().collect(),
                ..Alternative::default()
            },
            Value::Object(_) => self.alternative_table(place),
            _ => {
                self.fault(
                    &place.path,
                    "a text, a table { from = … } or a list of these belongs here",
                );
                Alternative::default()
            }
        }
    }

    fn alternative_table(&mut self, table: &Place<'d>) -> Alternative {
        self.only(
            table,
            &["from", "except", "map", "otherwise", "verb", "shape", "format"],
        );
        let from = self.sources(table, "from");
        if from.is_empty() {
            self.fault(&table.path, "`from` is missing");
        }
        let verbs = [
            ("first", WhichWord::First),
            ("last", WhichWord::Last),
            ("any", WhichWord::Any),
        ];
        let shapes = [("lower", Shape::Lower), ("word", Shape::Word), ("line", Shape::Line)];
        Alternative {
            from,
            except: self.texts(table, "except"),
            map: self.map(table),
            otherwise: self.text(table, "otherwise"),
            verb: self.choice(table, "verb", &verbs),
            shape: self.choice(table, "shape", &shapes).unwrap_or_default(),
            format: self.formats(table),
        }
    }

    fn formats(&mut self, table: &Place<'d>) -> Vec<Format> {
        let at = path(table, "format");
        let texts = self.texts(table, "format");
        let formats = texts.iter().map(|text| Format::parse(text));
        formats
            .filter_map(|format| format.map_err(|detail| self.fault(&at, detail)).ok())
            .collect()
    }

    fn map(&mut self, table: &Place<'d>) -> Vec<(String, String)> {
        let Some(map) = table.member("map") else {
            return Vec::new();
        };
        let mut pairs = Vec::new();
        for key in self.keys(&map) {
            match map.value.get(key) {
                Some(Value::String(to)) => pairs.push((key.to_owned(), to.to_string())),
                _ => self.fault(&path(&map, key), "a text belongs here"),
            }
        }
        pairs
    }

    fn choice<T: Copy>(&mut self, table: &Place<'d>, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(table, key)?;
        let found = choices
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, choice)| *choice);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.fault(
                &path(table, key),
                format_args!("`{text}` is unknown; write one of {}", names.join(", ")),
            );
        }
        found
    }
}

/// The elements of a list, or the value alone.
fn items<'d>(value: &'d Value<'d>) -> &'d [Value<'d>] {
    match value {
        Value::Array(items) => items,
        item => std::slice::from_ref(item),
    }
}

/// The path of a member, whether it is there or not.
pub(super) fn path(table: &Place<'_>, key: &str) -> String {
    member_path(&table.path, key)
}

fn digest(value: &Value<'_>) -> [u8; 32] {
    let mut bytes = Vec::new();
    write_canonical(value, &mut bytes);
    Sha256::digest(&bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_named_with_its_place() {
        let text = r#"
            colour = "red"
            time_zone = "Nowhere/Land"
            records = "Records"
            [event]
            action = { map = { a = 1 }, verb = "second" }
            occurred_at = { from = "/t", format = "sometime" }
            result = "{/open"
            [metadata]
            raw = "/x"
        "#;
        let faults = Mapping::parse(text).expect_err("faulty");
        let places: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
        let expected = [
            "colour",
            "name",
            "time_zone",
            "event.occurred_at.format",
            "event.action",
            "event.action.map.a",
            "event.action.verb",
            "event.result",
            "actor",
            "records",
            "metadata.raw",
        ];
        for place in expected {
            assert!(places.contains(&place), "{place} in {faults:#?}");
        }
        assert_eq!(places.len(), expected.len(), "{faults:#?}");
    }

    #[test]
    fn a_mapping_has_a_bounded_number_of_rules_in_each_place() {
        let mapping = |count: usize| {
            let list = |item: &str| vec![item; count].join(", ");
            let metadata: Vec<String> = (0..count).map(|name| format!("m{name} = \"/a\"")).collect();
            let party = list("{ type = \"user\", id = \"/id\" }");
            let places = list("\"/a\"");
            format!(
                "name = \"m\"
                open = [{places}]
                actor = [{party}]
                targets = [{party}]
                changes = [{}]
                event = {{ action = [{places}], occurred_at = {{ from = [{places}] }} }}
                [metadata]
                {}",
                list("{ field = \"/a\", after = \"/b\" }"),
                metadata.join("\n")
            )
        };
        assert!(Mapping::parse(&mapping(RULES_MAX)).is_ok());
        let faults = Mapping::parse(&mapping(RULES_MAX + 1)).expect_err("too many");
        let mut places: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
        places.sort_unstable();
        let expected = [
            "actor",
            "changes",
            "event.action",
            "event.occurred_at.from",
            "metadata",
            "open",
            "targets",
        ];
        assert_eq!(places, expected, "{faults:#?}");
        assert!(
            faults.iter().all(|fault| fault.detail.contains("at most 250")),
            "{faults:#?}"
        );
    }
}
