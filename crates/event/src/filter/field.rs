//! The fields that a filter, a facet or a column of results may name.

use std::fmt;

/// A field of the event or its envelope. Its name is the same in URL parameters and in the query language.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// `action`.
    Action,
    /// `action_type`.
    ActionType,
    /// `area`.
    Area,
    /// `product`.
    Product,
    /// The actor's id, e-mail address or name.
    Actor,
    /// `actor.type`.
    ActorType,
    /// `actor.team`.
    Team,
    /// The id, e-mail address or name of any target.
    Target,
    /// The type of any target.
    TargetType,
    /// `context.ip`; patterns may be networks.
    Ip,
    /// The envelope's country.
    Country,
    /// `result`.
    Result,
    /// `trace_id`.
    TraceId,
    /// `client_id`.
    ClientId,
    /// `security`; the values are `true` and `false`.
    Security,
    /// The name of any changed field.
    Changed,
    /// The values at a path of the metadata.
    Metadata(MetadataPath),
}

/// The fields with a fixed name, beside it.
const NAMED: [(&str, Field); 16] = [
    ("action", Field::Action),
    ("action_type", Field::ActionType),
    ("area", Field::Area),
    ("product", Field::Product),
    ("actor", Field::Actor),
    ("actor_type", Field::ActorType),
    ("team", Field::Team),
    ("target", Field::Target),
    ("target_type", Field::TargetType),
    ("ip", Field::Ip),
    ("country", Field::Country),
    ("result", Field::Result),
    ("trace_id", Field::TraceId),
    ("client_id", Field::ClientId),
    ("security", Field::Security),
    ("changed", Field::Changed),
];

impl Field {
    /// The names of all fields but metadata, in the order of the documentation.
    pub fn names() -> impl Iterator<Item = &'static str> + Clone {
        NAMED.iter().map(|(name, _)| *name)
    }

    /// The field of a name such as `actor` or `metadata.plan`; `None` when there is no such field.
    ///
    /// # Errors
    /// A sentence, when the name begins with `metadata.` and its path cannot be searched.
    pub fn from_name(name: &str) -> Result<Option<Self>, String> {
        match name.strip_prefix("metadata.") {
            Some(path) => MetadataPath::parse(path).map(|path| Some(Self::Metadata(path))),
            None => Ok(NAMED
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, field)| field.clone())),
        }
    }
}

impl fmt::Display for Field {
    /// The name that [`Field::from_name`] reads.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metadata(path) => write!(formatter, "metadata.{path}"),
            named => NAMED
                .iter()
                .filter(|(_, field)| field == named)
                .try_for_each(|(name, _)| formatter.write_str(name)),
        }
    }
}

/// A path into metadata: keys joined by dots, `\` before a dot or a backslash that belongs to a key. Positions in
/// arrays are not part of a path.
///
/// Invariants: at least one key; not below `raw`, which is never searched; at most [`MetadataPath::BYTES_MAX`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetadataPath(String);

impl MetadataPath {
    /// Longest path in bytes, in its written form; values at longer ones are not searched.
    pub const BYTES_MAX: usize = 256;

    /// Reads a path such as `plan` or `billing.plan\.name`; `\` before any other character is dropped.
    ///
    /// # Errors
    /// A sentence that says why the path cannot be searched.
    pub fn parse(text: &str) -> Result<Self, String> {
        let keys = split_keys(text).ok_or("a metadata path cannot end in `\\`")?;
        Self::from_keys(&keys)
    }

    /// The path of these keys.
    ///
    /// # Errors
    /// A sentence that says why the path cannot be searched.
    pub fn from_keys<K: AsRef<str>>(keys: &[K]) -> Result<Self, String> {
        let mut path = String::new();
        for key in keys {
            push_key(&mut path, key.as_ref());
        }
        match keys.first().map(AsRef::as_ref) {
            None => Err("a metadata path names at least one key".to_owned()),
            Some("") if keys.len() == 1 => Err("`metadata.` is followed by the path of a value".to_owned()),
            Some("raw") => {
                Err("`metadata.raw` is kept but never searched; search for a field taken from it".to_owned())
            }
            _ if path.len() - 1 > Self::BYTES_MAX => {
                Err(format!("a metadata path has at most {} bytes", Self::BYTES_MAX))
            }
            _ => Ok(Self(path.split_off(1))),
        }
    }

    /// The path in its written form, as [`super::indexed_metadata`] hands it over.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The keys, without escapes, outermost first.
    pub fn keys(&self) -> Vec<String> {
        split_keys(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for MetadataPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Appends a dot and a key; a path in its written form is what follows the first dot.
pub(super) fn push_key(path: &mut String, key: &str) {
    path.push('.');
    for character in key.chars() {
        if matches!(character, '.' | '\\') {
            path.push('\\');
        }
        path.push(character);
    }
}

/// The keys of a path; `\` takes the next character literally. `None` when the text ends in a lone `\`.
pub(crate) fn split_keys(path: &str) -> Option<Vec<String>> {
    let mut keys = Vec::new();
    let mut key = String::new();
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        match character {
            '.' => keys.push(std::mem::take(&mut key)),
            '\\' => key.push(characters.next()?),
            other => key.push(other),
        }
    }
    keys.push(key);
    Some(keys)
}
