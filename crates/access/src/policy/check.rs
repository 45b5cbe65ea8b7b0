//! What is wrong with settings of a policy, each fault with its place.

use std::{collections::HashSet, ops::RangeInclusive};

use serde_json::Value;
use trailbook_event::{Fault, Field, Pointer, Timestamp, catalog::Template};

use super::{ColumnSetting, FilterSetting, NamedQuery, PolicySettings, zone};

/// Days of the longest retention that is not for ever: a thousand years.
pub const RETENTION_DAYS_MAX: u32 = 365_250;
/// Days of the widest range that can be named.
pub const DAYS_MAX: u32 = 3_660;
/// Elements of a list.
pub const LIST_MAX: usize = 100;
/// Characters of a text.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Members of a table of labels.
const TABLE_MAX: usize = 1_000;
/// Characters of a host's name (RFC 1035, 2.3.4).
const HOST_CHARS_MAX: usize = 253;
/// Characters of an id, a role or a permission.
const NAME_CHARS_MAX: usize = 256;

/// A member that is not known or not of its kind.
pub(super) fn of_shape(name: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> Fault {
    use serde_path_to_error::Segment;
    let below = error
        .path()
        .iter()
        .skip(1)
        .fold(Pointer::root().child(name), |at, segment| match segment {
            Segment::Seq { index } => at.index(*index),
            Segment::Map { key } => at.child(key),
            Segment::Enum { .. } | Segment::Unknown => at,
        });
    Fault::new(below, format!("{}.", error.inner()))
}

/// Everything that is wrong with settings of the right shape.
pub(super) fn faults(settings: &PolicySettings) -> Vec<Fault> {
    let mut check = Check(Vec::new());
    let written = serde_json::to_value(settings).unwrap_or_default();
    check.bounds(&written, &Pointer::root());
    check.days("retention_days", settings.retention_days.flatten(), RETENTION_DAYS_MAX);
    check.days("default_range_days", settings.default_range_days.flatten(), DAYS_MAX);
    check.days("max_range_days", settings.max_range_days.flatten(), DAYS_MAX);
    check.text(
        "time_zone",
        settings.time_zone.as_deref(),
        |name| zone(name).is_some(),
        "must be an IANA name, such as Europe/Berlin",
    );
    let since = settings.recorded_since.iter().flatten().map(String::as_str).next();
    check.text(
        "recorded_since",
        since,
        |time| Timestamp::parse(time).is_some(),
        "must be a time with an offset, such as 2026-11-20T09:14:07Z",
    );
    let feedback = settings.feedback_url.iter().flatten().map(String::as_str).next();
    check.text(
        "feedback_url",
        feedback,
        is_link,
        "must be a link that begins with https://, http:// or mailto:",
    );
    check.names(settings);
    check.origins(settings.embed_origins.as_deref().unwrap_or_default());
    check.columns("columns", settings.columns.as_deref().unwrap_or_default());
    check.columns("details", settings.details.as_deref().unwrap_or_default());
    check.filters(settings.filters.as_deref().unwrap_or_default());
    check.queries(settings.queries.as_deref().unwrap_or_default());
    check.0
}

struct Check(Vec<Fault>);

impl Check {
    fn fault(&mut self, pointer: Pointer, detail: impl Into<String>) {
        self.0.push(Fault::new(pointer, detail));
    }

    /// Lists, tables and texts, at any depth.
    fn bounds(&mut self, value: &Value, at: &Pointer) {
        match value {
            Value::String(text) => self.text_bounds(text, at),
            Value::Array(elements) => {
                if elements.len() > LIST_MAX {
                    self.fault(at.clone(), format!("It may have at most {LIST_MAX} elements."));
                }
                elements
                    .iter()
                    .enumerate()
                    .for_each(|(index, element)| self.bounds(element, &at.index(index)));
            }
            Value::Object(members) => {
                if members.len() > TABLE_MAX {
                    self.fault(at.clone(), format!("It may have at most {TABLE_MAX} members."));
                }
                for (key, member) in members {
                    self.text_bounds(key, at);
                    self.bounds(member, &at.child(key));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn text_bounds(&mut self, text: &str, at: &Pointer) {
        if text.chars().count() > TEXT_CHARS_MAX || text.contains('\0') {
            self.fault(
                at.clone(),
                format!("A text has at most {TEXT_CHARS_MAX} characters, and NUL is none of them."),
            );
        }
    }

    fn days(&mut self, field: &str, days: Option<u32>, max: u32) {
        let allowed: RangeInclusive<u32> = 1..=max;
        if days.is_some_and(|days| !allowed.contains(&days)) {
            self.fault(
                Pointer::root().child(field),
                format!("It must be null or from 1 to {max}."),
            );
        }
    }

    fn text(&mut self, field: &str, text: Option<&str>, is_right: fn(&str) -> bool, rule: &str) {
        if text.is_some_and(|text| !is_right(text)) {
            self.fault(Pointer::root().child(field), format!("It {rule}."));
        }
    }

    /// Roles and permissions.
    fn names(&mut self, settings: &PolicySettings) {
        let lists = [
            ("view_roles", &settings.view_roles),
            ("view_permissions", &settings.view_permissions),
            ("export_roles", &settings.export_roles),
            ("export_permissions", &settings.export_permissions),
            ("administer_roles", &settings.administer_roles),
            ("administer_permissions", &settings.administer_permissions),
        ];
        for (field, names) in lists {
            for (index, _) in names.iter().flatten().enumerate().filter(|(_, name)| !is_name(name)) {
                let at = Pointer::root().child(field).index(index);
                self.fault(
                    at,
                    format!("It must have 1 to {NAME_CHARS_MAX} characters, without a space at either end."),
                );
            }
        }
    }

    fn origins(&mut self, origins: &[String]) {
        for (index, _) in origins.iter().enumerate().filter(|(_, origin)| !is_origin(origin)) {
            self.fault(
                Pointer::root().child("embed_origins").index(index),
                "It must be an origin in lower case, such as https://app.example or http://localhost:3000; there is no `*`.",
            );
        }
    }

    fn columns(&mut self, list: &str, columns: &[ColumnSetting]) {
        self.ids(list, columns.iter().map(|column| &*column.id));
        for (index, column) in columns.iter().enumerate() {
            for detail in Template::parse_column(&column.value).err().unwrap_or_default() {
                let at = Pointer::root().child(list).index(index).child("value");
                self.fault(at, format!("{detail}."));
            }
        }
    }

    fn filters(&mut self, filters: &[FilterSetting]) {
        let mut seen = HashSet::new();
        for (index, filter) in filters.iter().enumerate() {
            let at = Pointer::root().child("filters").index(index).child("field");
            match Field::from_name(&filter.field) {
                Ok(Some(field)) if seen.insert(field.clone()) => {}
                Ok(Some(_)) => self.fault(at, "It is there already; a field has one filter."),
                Ok(None) => {
                    let known: Vec<&str> = Field::names().collect();
                    self.fault(
                        at,
                        format!(
                            "There is no such field; fields are {} and metadata.PATH.",
                            known.join(", ")
                        ),
                    );
                }
                Err(detail) => self.fault(at, format!("{detail}.")),
            }
        }
    }

    fn queries(&mut self, queries: &[NamedQuery]) {
        self.ids("queries", queries.iter().map(|query| &*query.id));
        for (index, query) in queries.iter().enumerate() {
            for range in ["from", "to"]
                .into_iter()
                .filter(|range| query.aggregate.contains_key(*range))
            {
                let at = Pointer::root()
                    .child("queries")
                    .index(index)
                    .child("aggregate")
                    .child(range);
                self.fault(at, "The range is the reader's; leave it out.");
            }
        }
    }

    fn ids<'i>(&mut self, list: &str, ids: impl Iterator<Item = &'i str>) {
        let mut seen = HashSet::new();
        for (index, id) in ids.enumerate() {
            let at = Pointer::root().child(list).index(index).child("id");
            if !is_id(id) {
                self.fault(
                    at,
                    format!("It must have 1 to {NAME_CHARS_MAX} letters, digits, `_`, `-` and `.`."),
                );
            } else if !seen.insert(id) {
                self.fault(at, "It is there already; ids are unique.");
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.trim() == name && name.chars().count() <= NAME_CHARS_MAX
}

/// An id can stand in a list that is separated by commas.
fn is_id(id: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !id.is_empty() && id.len() <= NAME_CHARS_MAX && id.bytes().all(is_part)
}

/// A link that a reader's browser may follow: no scheme that runs something.
fn is_link(link: &str) -> bool {
    let rest = ["https://", "http://", "mailto:"]
        .iter()
        .find_map(|scheme| link.strip_prefix(scheme));
    rest.is_some_and(|rest| {
        !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"')
    })
}

/// `scheme://host[:port]`, as browsers write it: they leave out the port that the scheme has anyway.
fn is_origin(origin: &str) -> bool {
    let schemes = [("https://", ":443"), ("http://", ":80")].into_iter();
    let mut found = schemes.filter_map(|(scheme, port)| Some((origin.strip_prefix(scheme)?, port)));
    let Some((rest, own_port)) = found.next() else {
        return false;
    };
    let end = rest.find(']').map(|last| last + 1).or_else(|| rest.find(':'));
    let (host, after) = rest.split_at(end.unwrap_or(rest.len()));
    is_host(host) && (after.is_empty() || after != own_port && after.strip_prefix(':').is_some_and(is_port))
}

fn is_host(host: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => (1..=HOST_CHARS_MAX).contains(&host.len()) && host.bytes().all(is_part),
    }
}

fn is_port(port: &str) -> bool {
    port.parse::<u16>()
        .is_ok_and(|number| number > 0 && number.to_string() == port)
}
