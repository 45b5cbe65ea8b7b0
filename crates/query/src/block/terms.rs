//! The distinct values and words of a block and the rows that have each: a sorted dictionary with postings.
//!
//! Terms are numbered by (group, folded text, text), so that a group is an interval of numbers and the terms that begin with
//! a folded prefix are one too. A row stands in a term's postings as often as it has the value (words: once).

use std::{borrow::Cow, ops::Range};

use trailbook_event::{filter::Field, text};

use crate::row_set::RowSet;

/// What a term is a value of: a named field, the words of the searched texts, or a metadata path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Group(pub(super) u32);

/// The fields with a group of their own, in the order of their groups.
pub(super) const NAMED: [Field; 16] = [
    Field::Action,
    Field::ActionType,
    Field::Area,
    Field::Product,
    Field::Actor,
    Field::ActorType,
    Field::Team,
    Field::Target,
    Field::TargetType,
    Field::Ip,
    Field::Country,
    Field::Result,
    Field::TraceId,
    Field::ClientId,
    Field::Security,
    Field::Changed,
];

impl Group {
    /// The words of the searched texts.
    pub(crate) const WORDS: Self = Self(NAMED.len() as u32);
    /// The first metadata path.
    pub(super) const FIRST_PATH: u32 = Self::WORDS.0 + 1;
}

/// Dictionary and postings.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    /// Where each group's terms end; groups of metadata paths follow the named ones in the order of `paths`.
    pub(super) group_ends: Box<[u32]>,
    /// The metadata paths, sorted.
    pub(super) paths: Box<[Box<str>]>,
    /// All terms' texts, one after the other.
    pub(super) text: Box<str>,
    /// Where each term's text ends.
    pub(super) text_ends: Box<[u32]>,
    /// The postings of all terms, one after the other; row numbers ascend within a term.
    pub(super) postings: Box<[u16]>,
    /// Where each term's postings end.
    pub(super) posting_ends: Box<[u32]>,
}

impl Terms {
    /// The group of a field; `None` when no row has the metadata path.
    pub(crate) fn group(&self, field: &Field) -> Option<Group> {
        if let Field::Metadata(path) = field {
            let place = self
                .paths
                .binary_search_by(|known| known.as_ref().cmp(path.as_str()))
                .ok()?;
            return Some(Group(Group::FIRST_PATH + place as u32));
        }
        NAMED
            .iter()
            .position(|named| named == field)
            .map(|place| Group(place as u32))
    }

    /// The numbers of a group's terms.
    pub(crate) fn of_group(&self, group: Group) -> Range<u32> {
        span(&self.group_ends, group.0 as usize)
    }

    /// The numbers of a field's terms.
    pub(crate) fn of_field(&self, field: &Field) -> Range<u32> {
        self.group(field).map_or(0..0, |group| self.of_group(group))
    }

    /// A term's text, as stored.
    pub(crate) fn text(&self, term: u32) -> &str {
        let range = span(&self.text_ends, term as usize);
        &self.text[range.start as usize..range.end as usize]
    }

    /// The rows that have a term, ascending; a row may come more than once.
    pub(crate) fn postings(&self, term: u32) -> &[u16] {
        let range = span(&self.posting_ends, term as usize);
        &self.postings[range.start as usize..range.end as usize]
    }

    /// The terms of a group whose folded text is `folded`.
    pub(crate) fn whole(&self, group: Group, folded: &str) -> Range<u32> {
        let from = self.first_where(group, 0, |text| text >= folded);
        from..self.first_where(group, from, |text| text > folded)
    }

    /// The terms of a group whose folded text begins with `folded`.
    pub(crate) fn prefix(&self, group: Group, folded: &str) -> Range<u32> {
        let from = self.first_where(group, 0, |text| text >= folded);
        from..self.first_where(group, from, |text| !text.starts_with(folded))
    }

    /// Adds the rows of some terms to a set.
    pub(crate) fn mark(&self, terms: Range<u32>, set: &mut RowSet) {
        if terms.is_empty() {
            return;
        }
        let from = span(&self.posting_ends, terms.start as usize).start as usize;
        let to = self.posting_ends[terms.end as usize - 1] as usize;
        self.postings[from..to]
            .iter()
            .for_each(|row| set.insert(usize::from(*row)));
    }

    /// The first term of a group, from a term on, whose folded text has a property that all later ones have too.
    fn first_where(&self, group: Group, from: u32, property: impl Fn(&str) -> bool) -> u32 {
        let terms = self.of_group(group);
        let (mut low, mut high) = (terms.start.max(from), terms.end);
        while low < high {
            let middle = low.midpoint(high);
            if property(&fold(group, self.text(middle))) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }
}

/// The form by which a group's terms are sorted and found. Words have been folded in their own way already.
pub(super) fn fold(group: Group, text: &str) -> Cow<'_, str> {
    if group == Group::WORDS {
        Cow::Borrowed(text)
    } else {
        text::fold_case(text)
    }
}

fn span(ends: &[u32], index: usize) -> Range<u32> {
    let start = if index == 0 { 0 } else { ends[index - 1] };
    start..ends[index]
}
