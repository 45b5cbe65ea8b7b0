//! What to look for: one tree with one meaning, evaluated here on a single event and compiled by others for an index.
//!
//! Invariants
//! - Evaluation, facets and any index see an event through the same three functions ([`values`], [`searched_texts`],
//!   [`indexed_metadata`]), so they cannot disagree.
//! - The constructors keep normal form (no `And` directly in an `And`, no `Or` in an `Or`, no `Not` in a `Not`, no
//!   list of one); a filter in normal form is what its printed text parses to.
//!
//! Not here: the text of filters (`language`), running them over many events (the query crate).
//! See docs/query-language.md.

mod field;
mod metadata;
mod network;
mod parameter;
mod pattern;
mod values;
mod words;

use std::cell::OnceCell;

#[cfg(feature = "catalog")]
pub(crate) use field::split_keys;
pub use field::{Field, MetadataPath};
pub use metadata::{METADATA_PATHS_MAX, METADATA_VALUE_BYTES_MAX, indexed_metadata};
pub use network::Network;
pub use parameter::from_parameter;
pub use pattern::{Folded, Pattern};
pub use values::{facet_values, searched_texts, values};
pub use words::Words;

use crate::{Event, Timestamp};

/// What a filter sees of a stored event.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// When it happened.
    pub occurred_at: Timestamp,
    /// ISO 3166-1 alpha-2 of the address at admission.
    pub country: Option<&'a str>,
    /// The event itself.
    pub event: &'a Event<'a>,
}

/// A condition on events.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Filter {
    /// All of these hold; the empty list holds for every event.
    And(Vec<Filter>),
    /// At least one of these holds; the empty list holds for no event.
    Or(Vec<Filter>),
    /// This does not hold.
    Not(Box<Filter>),
    /// At least one value of the field matches at least one of the patterns.
    Field {
        /// Which values.
        field: Field,
        /// Any of these.
        patterns: Vec<Pattern>,
    },
    /// A searched text has these words in a row, the last one as a word or the beginning of one.
    Word(Words),
    /// A searched text has exactly these words in a row.
    Phrase(Words),
    /// It happened before this instant.
    Before(Timestamp),
    /// It happened at this instant or later.
    After(Timestamp),
}

impl Filter {
    /// The filter that holds for every event.
    pub fn all() -> Self {
        Self::And(Vec::new())
    }

    /// The filter that holds when all of `filters` hold.
    pub fn all_of(filters: impl IntoIterator<Item = Filter>) -> Self {
        let mut flat = Vec::new();
        for filter in filters {
            match filter {
                Self::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        if flat.len() == 1 {
            flat.remove(0)
        } else {
            Self::And(flat)
        }
    }

    /// The filter that holds when at least one of `filters` holds; for no event when there are none.
    pub fn any_of(filters: impl IntoIterator<Item = Filter>) -> Self {
        let mut flat = Vec::new();
        for filter in filters {
            match filter {
                Self::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::all().negated(),
            1 => flat.remove(0),
            _ => Self::Or(flat),
        }
    }

    /// The filter that holds when this one and `other` hold.
    #[must_use]
    pub fn and(self, other: Filter) -> Self {
        Self::all_of([self, other])
    }

    /// The filter that holds when this one does not.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// Whether this is the filter that holds for every event.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::And(filters) if filters.is_empty())
    }

    /// Whether the filter holds for an event.
    pub fn matches(&self, record: &Record<'_>) -> bool {
        Evaluation {
            record,
            text: OnceCell::new(),
        }
        .holds(self)
    }
}

/// One event under evaluation. Its words are folded at most once, and only when a filter asks for words.
struct Evaluation<'r, 'e> {
    record: &'r Record<'e>,
    text: OnceCell<String>,
}

impl Evaluation<'_, '_> {
    fn holds(&self, filter: &Filter) -> bool {
        match filter {
            Filter::And(filters) => filters.iter().all(|filter| self.holds(filter)),
            Filter::Or(filters) => filters.iter().any(|filter| self.holds(filter)),
            Filter::Not(filter) => !self.holds(filter),
            Filter::Field { field, patterns } => self.has_value(field, patterns),
            Filter::Word(words) => words.begin_in(self.text()),
            Filter::Phrase(words) => words.occur_in(self.text()),
            Filter::Before(instant) => self.record.occurred_at < *instant,
            Filter::After(instant) => self.record.occurred_at >= *instant,
        }
    }

    fn has_value(&self, field: &Field, patterns: &[Pattern]) -> bool {
        let mut found = false;
        values(self.record, field, &mut |value| {
            found = found || patterns.iter().any(|pattern| pattern.matches(value));
        });
        found
    }

    fn text(&self) -> &str {
        self.text.get_or_init(|| words::searchable(self.record))
    }
}
