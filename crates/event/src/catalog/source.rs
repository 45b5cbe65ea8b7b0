//! The text of a catalog as one tree, whether it was TOML or JSON, with the lines of its parts.

use std::{borrow::Cow, collections::HashMap};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{CATALOG_BYTES_MAX, CatalogFault};
use crate::json::{self, Value};

/// Deepest nesting of a catalog.
const DEPTH_MAX: usize = 64;

/// A catalog before its meaning is looked at.
pub(super) struct Source<'t> {
    pub(super) root: Value<'t>,
    /// Lines, from 1, by path; only of TOML.
    lines: HashMap<String, usize>,
}

impl Source<'_> {
    /// A fault at a path, with the line of the path or of the nearest part around it.
    pub(super) fn fault(&self, path: &str, detail: impl Into<String>) -> CatalogFault {
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

/// The place of a member in a part of the catalog.
pub(super) fn member_path(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

pub(super) fn from_json(text: &str) -> Result<Source<'_>, Vec<CatalogFault>> {
    check_length(text)?;
    match json::parse(text, &json::Limits { depth_max: DEPTH_MAX }) {
        Ok(root) => Ok(Source {
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

pub(super) fn from_toml(text: &str) -> Result<Source<'_>, Vec<CatalogFault>> {
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
        Ok(Source {
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
    let detail = format!("the catalog is longer than {CATALOG_BYTES_MAX} bytes");
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
            _ if depth >= DEPTH_MAX => format!("a catalog is nested at most {DEPTH_MAX} deep"),
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
