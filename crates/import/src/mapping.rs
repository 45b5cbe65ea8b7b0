//! The mapping language: a file that says how records of one source become events. Read once, applied to each record.
//!
//! Vendors' formats are mappings, not code; those in [`BUILT_IN`] are part of the binary, and `generic` reads the
//! user's own. See docs/import.md.
//!
//! Not here: reading input (input), sending (run).

mod apply;
mod draft;
mod output;
mod path;
mod read;
mod rule;
mod time;
mod translate;

use std::{borrow::Cow, collections::HashMap};

use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use trailbook_event::{
    catalog::{CatalogFault, Document, Place},
    json::{Value, write_canonical},
};

pub use output::Output;
pub(crate) use path::{Path, hex};
use path::{Source, text_of};
use read::Origin;
use rule::{Rule, WhichWord, words};
pub use translate::Call;

/// The mappings that the binary brings, by the name that `--from` takes.
pub const BUILT_IN: [(&str, &str); 5] = [
    ("cloudtrail", include_str!("../../../mappings/cloudtrail.toml")),
    ("okta", include_str!("../../../mappings/okta.toml")),
    (
        "google-workspace",
        include_str!("../../../mappings/google-workspace.toml"),
    ),
    ("github", include_str!("../../../mappings/github.toml")),
    ("windows", include_str!("../../../mappings/windows.toml")),
];

/// Elements of a list that are looked at for targets or changes: ten times what an event may have, so that repetitions do
/// not push others out and a long list costs little.
const ELEMENTS_MAX: usize = 10_000;

/// How the records of one source become events.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// What the source is called; kept in each event as `metadata.source`.
    pub(crate) name: String,
    keep: Keep,
    /// Where a document holds its records.
    pub(crate) records: Vec<Path>,
    /// The list whose every element is an event of its own.
    explode: Option<Path>,
    /// Texts that hold JSON.
    open: Vec<Path>,
    /// Texts that mean nothing.
    nothing: Vec<String>,
    /// Members that do not count for `@hash`.
    hash_without: Vec<Path>,
    /// The zone of times that name none.
    zone: TimeZone,
    /// Words of names, and the action type that each stands for.
    verbs: HashMap<String, String>,
    /// The event's own texts, by member.
    event: Vec<(String, Rule)>,
    /// The first whose id (or a type that needs none) is there is the actor.
    actors: Vec<Party>,
    /// Each that has an id or a name is a target.
    targets: Vec<Party>,
    /// The context's texts, by member.
    context: Vec<(String, Rule)>,
    changes: Vec<ChangeRule>,
    /// Texts that are kept beside the record, so that they can be searched.
    metadata: Vec<(String, Rule)>,
    /// SHA-256 of the mapping in canonical form.
    digest: [u8; 32],
}

/// Where the record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Keep {
    /// In `metadata.raw`.
    #[default]
    Raw,
    /// It is the metadata: its members, with their own names and types, and nothing else.
    Metadata,
}

/// Somebody or something that takes part.
#[derive(Debug, Clone, PartialEq, Default)]
struct Party {
    /// A list whose every element is one.
    each: Option<Path>,
    members: Vec<(String, Rule)>,
}

/// A change of one field, or of one per element of `each`.
#[derive(Debug, Clone, PartialEq)]
struct ChangeRule {
    each: Option<Path>,
    field: Rule,
    before: Option<Source>,
    after: Option<Source>,
}

/// What tells a record from others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Identity {
    /// SHA-256 of the record's canonical form without the members at `hash_without`.
    pub(crate) content: [u8; 32],
    /// `sha256:` and 32 hexadecimal digits of it.
    pub(crate) hash: String,
    /// 1 for the first such record of a file, 2 for the second.
    pub(crate) occurrence: u64,
}

/// Where sources look.
pub(crate) struct Scope<'v> {
    mapping: &'v Mapping,
    record: &'v Value<'v>,
    element: Option<&'v Value<'v>>,
    identity: &'v Identity,
    /// The number of the exploded element, from 0.
    index: usize,
}

impl<'v> Scope<'v> {
    /// That of a whole record.
    fn of_record(mapping: &'v Mapping, record: &'v Value<'v>, identity: &'v Identity) -> Self {
        Self {
            mapping,
            record,
            element: Some(record),
            identity,
            index: 0,
        }
    }

    /// The text of a value, unless it means nothing.
    fn something(&self, value: &'v Value<'v>) -> Option<Cow<'v, str>> {
        text_of(value).filter(|text| !self.mapping.nothing.iter().any(|nothing| nothing == text.trim()))
    }

    fn within(&self, element: &'v Value<'v>) -> Scope<'v> {
        Scope {
            element: Some(element),
            ..*self
        }
    }

    /// The elements of the list at `each`, the first [`ELEMENTS_MAX`] of them, or this scope alone when there is no `each`.
    fn each(&self, each: Option<&Path>) -> Vec<Scope<'v>> {
        match each.map(|path| path.find(self)) {
            None => vec![Scope { ..*self }],
            Some(Some(Value::Array(items))) => items.iter().take(ELEMENTS_MAX).map(|item| self.within(item)).collect(),
            Some(_) => Vec::new(),
        }
    }
}

impl Mapping {
    /// The mapping of that name that the binary brings.
    pub fn built_in(name: &str) -> Option<Result<Self, Vec<CatalogFault>>> {
        BUILT_IN
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| Self::parse(text))
    }

    /// Reads a mapping file.
    ///
    /// # Errors
    /// Every fault of the file.
    pub fn parse(text: &str) -> Result<Self, Vec<CatalogFault>> {
        let document = Document::from_toml(text)?;
        read::mapping(&document, &document.root(), Origin::File)
    }

    /// Reads the mapping for payloads of calls that stands at a place of a document.
    pub(crate) fn of_call(document: &Document<'_>, at: &Place<'_>) -> Result<Self, Vec<CatalogFault>> {
        read::mapping(document, at, Origin::Call)
    }

    /// What an import's state is bound to.
    pub(crate) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// What tells this record from others; its `occurrence` is the caller's to count.
    pub(crate) fn identify(&self, record: &Value<'_>) -> Identity {
        let mut counted = record.borrowed();
        self.hash_without.iter().for_each(|path| path.remove(&mut counted));
        let mut bytes = Vec::with_capacity(1024);
        write_canonical(&counted, &mut bytes);
        let content: [u8; 32] = Sha256::digest(&bytes).into();
        Identity {
            content,
            hash: format!("sha256:{}", hex(&content[..16])),
            occurrence: 1,
        }
    }

    /// Whether events of this mapping have a `client_id` that does not depend on the order of the input.
    pub(crate) fn counts_occurrences(&self) -> bool {
        self.event
            .iter()
            .any(|(member, rule)| member == "client_id" && rule.counts_occurrences())
    }

    fn verb_of(&self, name: &str, which: WhichWord) -> Option<&str> {
        let words = words(name);
        let mut looked_up = words.iter().map(|word| self.verbs.get(word));
        match which {
            WhichWord::First => looked_up.next()?,
            WhichWord::Last => looked_up.next_back()?,
            WhichWord::Any => looked_up.flatten().next(),
        }
        .map(String::as_str)
    }
}
