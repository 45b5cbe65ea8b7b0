//! Reading a mapping file: TOML into rules, every fault at once with its place.

use sha2::{Digest, Sha256};
use toml::{Table, Value};

use super::{
    ChangeRule, Mapping, Party,
    path::{Path, Source},
    rule::{Alternative, Rule, Shape, WhichWord},
    time::{self, Format},
};

const EVENT_MEMBERS: [&str; 11] = [
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
/// What the engine itself writes to metadata.
pub(super) const OWN_METADATA: [&str; 5] = ["raw", "raw_event", "converted", "source", "source_address"];

pub(super) fn mapping(text: &str) -> Result<Mapping, Vec<String>> {
    let table: Table = text
        .parse()
        .map_err(|error: toml::de::Error| vec![error.to_string().trim_end().to_owned()])?;
    let mut reader = Reading { faults: Vec::new() };
    let mapping = reader.mapping(&table, Sha256::digest(text.as_bytes()).into());
    if reader.faults.is_empty() {
        Ok(mapping)
    } else {
        Err(reader.faults)
    }
}

/// Collects faults while it reads.
struct Reading {
    faults: Vec<String>,
}

impl Reading {
    fn fault(&mut self, at: &str, detail: impl std::fmt::Display) {
        self.faults.push(format!("{at}: {detail}"));
    }

    fn mapping(&mut self, table: &Table, digest: [u8; 32]) -> Mapping {
        let known = [
            "name",
            "about",
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
        self.only(table, "", &known);
        let name = self.texts(table, "", "name").into_iter().next();
        if name.is_none() {
            self.fault("name", "say what the source is called");
        }
        let zone_name = self
            .texts(table, "", "time_zone")
            .into_iter()
            .next()
            .unwrap_or_else(|| "UTC".to_owned());
        let zone = time::zone(&zone_name).unwrap_or_else(|detail| {
            self.fault("time_zone", detail);
            jiff::tz::TimeZone::UTC
        });
        let nothing = if table.contains_key("nothing") {
            self.texts(table, "", "nothing")
        } else {
            vec![String::new()]
        };
        let event = self.members(table, "event", &EVENT_MEMBERS);
        for required in ["occurred_at", "action"] {
            if !event.iter().any(|(member, _)| member == required) {
                self.fault("event", format_args!("`{required}` is missing"));
            }
        }
        let actors = self.parties(table, "actor", &ACTOR_MEMBERS);
        if actors.is_empty() {
            self.fault(
                "actor",
                "at least one [[actor]] is needed; `type = \"unknown\"` when the source does not say",
            );
        }
        Mapping {
            name: name.unwrap_or_default(),
            records: self.paths(table, "", "records"),
            explode: self.paths(table, "", "explode").into_iter().next(),
            open: self.paths(table, "", "open"),
            nothing,
            hash_without: self.paths(table, "", "hash_without"),
            zone,
            verbs: self.verbs(table),
            event,
            actors,
            targets: self.parties(table, "targets", &TARGET_MEMBERS),
            context: self.members(table, "context", &CONTEXT_MEMBERS),
            changes: self.changes(table),
            metadata: self.metadata(table),
            digest,
        }
    }

    fn only(&mut self, table: &Table, at: &str, known: &[&str]) {
        for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
            self.fault(
                &join(at, key),
                format_args!("there is no such key; known are {}", known.join(", ")),
            );
        }
    }

    /// A text or a list of texts.
    fn texts(&mut self, table: &Table, at: &str, key: &str) -> Vec<String> {
        let items = match table.get(key) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items.as_slice(),
            Some(item) => std::slice::from_ref(item),
        };
        let texts: Vec<String> = items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect();
        if texts.len() != items.len() {
            self.fault(&join(at, key), "a text or a list of texts belongs here");
        }
        texts
    }

    fn paths(&mut self, table: &Table, at: &str, key: &str) -> Vec<Path> {
        let texts = self.texts(table, at, key);
        let paths: Vec<Path> = texts.iter().filter_map(|text| Path::parse(text)).collect();
        if paths.len() != texts.len() {
            self.fault(&join(at, key), "a pointer such as `/a/b` belongs here");
        }
        paths
    }

    fn table<'t>(&mut self, table: &'t Table, key: &str) -> Option<&'t Table> {
        let value = table.get(key)?;
        if value.as_table().is_none() {
            self.fault(key, format_args!("a table [{key}] belongs here"));
        }
        value.as_table()
    }

    fn tables<'t>(&mut self, table: &'t Table, key: &str) -> Vec<&'t Table> {
        let Some(value) = table.get(key) else { return Vec::new() };
        let tables: Option<Vec<&Table>> = value
            .as_array()
            .and_then(|items| items.iter().map(Value::as_table).collect());
        tables.unwrap_or_else(|| {
            self.fault(key, format_args!("tables [[{key}]] belong here"));
            Vec::new()
        })
    }

    fn members(&mut self, table: &Table, key: &str, known: &[&str]) -> Vec<(String, Rule)> {
        let Some(table) = self.table(table, key) else {
            return Vec::new();
        };
        self.only(table, key, known);
        self.rules(table, key, known)
    }

    fn rules(&mut self, table: &Table, at: &str, known: &[&str]) -> Vec<(String, Rule)> {
        let rules = known.iter().filter_map(|member| Some((*member, table.get(*member)?)));
        rules
            .map(|(member, value)| (member.to_owned(), self.rule(value, &join(at, member))))
            .collect()
    }

    fn parties(&mut self, table: &Table, key: &str, members: &[&str]) -> Vec<Party> {
        let mut parties = Vec::new();
        for (index, table) in self.tables(table, key).into_iter().enumerate() {
            let at = format!("{key}[{index}]");
            self.only(table, &at, &[members, &["each"]].concat());
            if !table.contains_key("type") {
                self.fault(&at, "`type` is missing");
            }
            let each = self.paths(table, &at, "each").into_iter().next();
            parties.push(Party {
                each,
                members: self.rules(table, &at, members),
            });
        }
        parties
    }

    fn changes(&mut self, table: &Table) -> Vec<ChangeRule> {
        let mut changes = Vec::new();
        for (index, table) in self.tables(table, "changes").into_iter().enumerate() {
            let at = format!("changes[{index}]");
            self.only(table, &at, &["each", "field", "before", "after"]);
            let Some(field) = table.get("field") else {
                self.fault(&at, "`field` is missing");
                continue;
            };
            changes.push(ChangeRule {
                each: self.paths(table, &at, "each").into_iter().next(),
                field: self.rule(field, &join(&at, "field")),
                before: self.sources(table, &at, "before").into_iter().next(),
                after: self.sources(table, &at, "after").into_iter().next(),
            });
        }
        changes
    }

    fn metadata(&mut self, table: &Table) -> Vec<(String, Rule)> {
        let Some(table) = self.table(table, "metadata") else {
            return Vec::new();
        };
        for key in table.keys().filter(|key| OWN_METADATA.contains(&key.as_str())) {
            self.fault(
                &join("metadata", key),
                "this name is used by the import itself; choose another",
            );
        }
        table
            .iter()
            .map(|(key, value)| (key.clone(), self.rule(value, &join("metadata", key))))
            .collect()
    }

    fn verbs(&mut self, table: &Table) -> std::collections::HashMap<String, String> {
        let Some(table) = self.table(table, "verbs") else {
            return Default::default();
        };
        let types: Vec<String> = table.keys().cloned().collect();
        let words = types.iter().flat_map(|kind| {
            self.texts(table, "verbs", kind)
                .into_iter()
                .map(|word| (word, kind.clone()))
        });
        words.collect()
    }

    fn sources(&mut self, table: &Table, at: &str, key: &str) -> Vec<Source> {
        self.texts(table, at, key)
            .iter()
            .filter_map(|text| self.source(text, &join(at, key)))
            .collect()
    }

    fn source(&mut self, text: &str, at: &str) -> Option<Source> {
        Source::parse(text).map_err(|detail| self.fault(at, detail)).ok()
    }

    fn rule(&mut self, value: &Value, at: &str) -> Rule {
        let items = match value {
            Value::Array(items) => items.as_slice(),
            item => std::slice::from_ref(item),
        };
        Rule(items.iter().map(|item| self.alternative(item, at)).collect())
    }

    fn alternative(&mut self, value: &Value, at: &str) -> Alternative {
        match value {
            Value::String(text) => Alternative {
                from: self.source(text, at).into_iter().collect(),
                ..Alternative::default()
            },
            Value::Table(table) => self.alternative_table(table, at),
            _ => {
                self.fault(at, "a text, a table { from = … } or a list of these belongs here");
                Alternative::default()
            }
        }
    }

    fn alternative_table(&mut self, table: &Table, at: &str) -> Alternative {
        self.only(
            table,
            at,
            &["from", "except", "map", "otherwise", "verb", "shape", "format"],
        );
        let from = self.sources(table, at, "from");
        if from.is_empty() {
            self.fault(at, "`from` is missing");
        }
        let formats = self.texts(table, at, "format");
        Alternative {
            from,
            except: self.texts(table, at, "except"),
            map: self.map(table, at),
            otherwise: self.texts(table, at, "otherwise").into_iter().next(),
            verb: self.choice(
                table,
                at,
                "verb",
                &[
                    ("first", WhichWord::First),
                    ("last", WhichWord::Last),
                    ("any", WhichWord::Any),
                ],
            ),
            shape: self
                .choice(
                    table,
                    at,
                    "shape",
                    &[("lower", Shape::Lower), ("word", Shape::Word), ("line", Shape::Line)],
                )
                .unwrap_or_default(),
            format: formats
                .iter()
                .filter_map(|text| {
                    Format::parse(text)
                        .map_err(|detail| self.fault(&join(at, "format"), detail))
                        .ok()
                })
                .collect(),
        }
    }

    fn map(&mut self, table: &Table, at: &str) -> Vec<(String, String)> {
        let at = join(at, "map");
        match table.get("map") {
            None => Vec::new(),
            Some(Value::Table(map)) => {
                let mut pairs = Vec::new();
                for (value, to) in map {
                    match to.as_str() {
                        Some(to) => pairs.push((value.clone(), to.to_owned())),
                        None => self.fault(&join(&at, value), "a text belongs here"),
                    }
                }
                pairs
            }
            Some(_) => {
                self.fault(&at, "a table of texts belongs here");
                Vec::new()
            }
        }
    }

    fn choice<T: Copy>(&mut self, table: &Table, at: &str, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.texts(table, at, key).into_iter().next()?;
        let found = choices
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, choice)| *choice);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.fault(
                &join(at, key),
                format_args!("`{text}` is unknown; write one of {}", names.join(", ")),
            );
        }
        found
    }
}

fn join(at: &str, key: &str) -> String {
    if at.is_empty() {
        key.to_owned()
    } else {
        format!("{at}.{key}")
    }
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
        let faults = mapping(text).expect_err("faulty");
        let places: Vec<&str> = faults.iter().filter_map(|fault| fault.split(": ").next()).collect();
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
}
