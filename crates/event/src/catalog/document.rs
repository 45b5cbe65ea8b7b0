//! A text for settings of any kind (a catalog, a mapping, a profile) as one tree, whether it was TOML or JSON, with the lines
//! of its parts.
//!
//! Not here: what the tree means.

use std::{borrow::Cow, collections::HashMap};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{CATALOG_BYTES_MAX, CatalogFault};
use crate::json::{self, Value};

/// Deepest nesting of a catalog.
const DEPTH_MAX: usize = 64;

/// A text before its meaning is looked at.
#[derive(Debug)]
pub struct Document<'t> {
    root: Value<'t>,
    /// Lines, from 1, by path; only of TOML.
    lines: HashMap<String, usize>,
}

/// A value in a document and its place.
#[derive(Debug, Clone)]
pub struct Place<'d> {
    /// What stands there.
    pub value: &'d Value<'d>,
    /// The way to it, such as `actions[3].area`; empty for the whole document.
    pub path: String,
}

impl<'d> Place<'d> {
    /// A member of the table that stands here.
    pub fn member(&self, key: &str) -> Option<Place<'d>> {
        self.value.get(key).map(|value| Place {
            value,
            path: member_path(&self.path, key),
        })
    }

    /// The elements of the list that stands here; `None` when it is no list.
    pub fn elements(&self) -> Option<Vec<Place<'d>>> {
        let Value::Array(elements) = self.value else {
            return None;
        };
        let place = |(at, value)| Place {
            value,
            path: format!("{}[{at}]", self.path),
        };
        Some(elements.iter().enumerate().map(place).collect())
    }
}

impl<'t> Document<'t> {
    /// Reads TOML.
    ///
    /// # Errors
    /// Every fault of the text.
    pub fn from_toml(text: &'t str) -> Result<Self, Vec<CatalogFault>> {
        from_toml(text)
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// The first fault of the text.
    pub fn from_json(text: &'t str) -> Result<Self, Vec<CatalogFault>> {
        from_json(text)
    }

    /// The whole.
    pub fn root(&self) -> Place<'_> {
        Place {
            value: &self.root,
            path: String::new(),
        }
    }

    /// A fault at a path, with the line of the path or of the nearest part around it.
    pub fn fault(&self, path: &str, detail: impl Into<String>) -> CatalogFault {
        let mut around = path;
        let line = loop {
            match (self.lines.get(around), around.rfind(['.', '['])) {
                (Some(line), _) => break Some(*line),
                (None, Some(end)) => around = &around[..end],
                (None, None) => break None,
            }
        };
        CatalogFault {
            path: path.to_owned(),
            line,
            detail: detail.into(),
        }
    }
}

/// The path of a member of what stands at `path`.
pub fn member_path(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn from_json(text: &str) -> Result<Document<'_>, Vec<CatalogFault>> {
    check_length(text)?;
    match json::parse(text, &json::Limits { depth_max: DEPTH_MAX }) {
        Ok(root) => Ok(Document {
            root,
            lines: HashMap::new(),
        }),
        Err(error) => {
            let path = error.pointer.as_str().trim_start_matches('/').replace('/', ".");
            Err(vec![CatalogFault {
                path,
                line: Some(line_at(text, error.offset)),
                detail: error.detail,
            }])
        }
    }
}

fn from_toml(text: &str) -> Result<Document<'_>, Vec<CatalogFault>> {
    check_length(text)?;
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let faults = errors.into_iter().map(|error| CatalogFault {
            path: String::new(),
            line: error.span().map(|span| line_at(text, span.start)),
            detail: format!("this is not TOML: {}", error.message()),
        });
        return Err(faults.collect());
    }
    let starts = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    let mut reading = Reading {
        starts,
        lines: HashMap::new(),
        faults: Vec::new(),
    };
    let root = reading.table(table.into_inner(), "", 1);
    if reading.faults.is_empty() {
        Ok(Document {
            root,
            lines: reading.lines,
        })
    } else {
        Err(reading.faults)
    }
}

fn check_length(text: &str) -> Result<(), Vec<CatalogFault>> {
    if text.len() <= CATALOG_BYTES_MAX {
        return Ok(());
    }
    let detail = format!("this is longer than {CATALOG_BYTES_MAX} bytes");
    Err(vec![CatalogFault {
        path: String::new(),
        line: None,
        detail,
    }])
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

struct Reading {
    /// Where each line but the first begins.
    starts: Vec<usize>,
    lines: HashMap<String, usize>,
    faults: Vec<CatalogFault>,
}

impl Reading {
    fn table<'t>(&mut self, table: DeTable<'t>, path: &str, depth: usize) -> Value<'t> {
        let mut members: Vec<(Spanned<Cow<'t, str>>, Spanned<DeValue<'t>>)> = table.into_iter().collect();
        members.sort_by_key(|(key, _)| key.span().start);
        let read = members.into_iter().map(|(key, value)| {
            let path = member_path(path, key.as_ref());
            self.note(&path, key.span().start);
            (key.into_inner(), self.value(value, &path, depth))
        });
        Value::Object(read.collect())
    }

    fn value<'t>(&mut self, value: Spanned<DeValue<'t>>, path: &str, depth: usize) -> Value<'t> {
        let start = value.span().start;
        let refused = match value.into_inner() {
            _ if depth >= DEPTH_MAX => format!("this is nested more than {DEPTH_MAX} deep"),
            DeValue::String(text) => return Value::String(text),
            DeValue::Boolean(truth) => return Value::Bool(truth),
            DeValue::Array(elements) => {
                let read = elements.into_iter().enumerate().map(|(position, element)| {
                    let path = format!("{path}[{position}]");
                    self.note(&path, element.span().start);
                    self.value(element, &path, depth + 1)
                });
                return Value::Array(read.collect());
            }
            DeValue::Table(table) => return self.table(table, path, depth + 1),
            DeValue::Integer(digits) => match i64::from_str_radix(digits.as_str(), digits.radix()) {
                Ok(number) if number.abs() <= json::INTEGER_MAX as i64 => return Value::Number(number as f64),
                _ => "an integer is between -(2^53-1) and 2^53-1; write a larger one as a text".to_owned(),
            },
            DeValue::Float(digits) => match digits.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => return Value::Number(number),
                _ => "a number is finite".to_owned(),
            },
            DeValue::Datetime(_) => "a date is written as a text, in quotes".to_owned(),
        };
        self.faults.push(CatalogFault {
            path: path.to_owned(),
            line: Some(self.line(start)),
            detail: refused,
        });
        Value::Null
    }

    fn note(&mut self, path: &str, start: usize) {
        let line = self.line(start);
        self.lines.insert(path.to_owned(), line);
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.starts.partition_point(|start| *start <= offset)
    }
}
