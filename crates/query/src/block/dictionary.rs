//! The distinct values and words of a block and the rows that have each: sorted texts with postings.
//!
//! Terms stand by (group, folded text, text), so that a group is an interval and the terms that begin with a folded prefix
//! are one too. A row stands in a term's postings as often as it has the value (words: once). A tail block has one
//! [`Dictionary`]; of a sealed block each stored part is one, and [`Terms`] joins those of a group.

use std::{borrow::Cow, ops::Range, sync::Arc};

use trailbook_event::{filter::Field, text};

use crate::row_set::RowSet;

/// What a term is a value of: a named field, the words of the searched texts, or a metadata path. Two more groups have no
/// terms but the actors and targets as facets see them, see [`super::Subjects`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Group(pub(crate) u32);

/// The fields with a group of their own, in the order of their groups.
pub(crate) const NAMED: [Field; 16] = [
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
    /// The values of the field, numbered as in [`NAMED`].
    pub(crate) const ACTOR: Self = Self(4);
    /// As [`Group::ACTOR`].
    pub(crate) const TARGET: Self = Self(7);
    /// As [`Group::ACTOR`].
    pub(crate) const TRACE_ID: Self = Self(12);
    /// As [`Group::ACTOR`].
    pub(crate) const CLIENT_ID: Self = Self(13);
    /// The actors as facets see them.
    pub(crate) const ACTORS: Self = Self(NAMED.len() as u32);
    /// The targets as facets see them.
    pub(crate) const TARGETS: Self = Self(Self::ACTORS.0 + 1);
    /// The words of the searched texts.
    pub(crate) const WORDS: Self = Self(Self::TARGETS.0 + 1);
    /// The first metadata path.
    pub(crate) const FIRST_PATH: u32 = Self::WORDS.0 + 1;

    /// The group of a field; `None` when it is none of the metadata paths, which are sorted.
    pub(crate) fn of(field: &Field, paths: &[Box<str>]) -> Option<Self> {
        if let Field::Metadata(path) = field {
            let place = paths.binary_search_by(|known| known.as_ref().cmp(path.as_str())).ok()?;
            return Some(Self(Self::FIRST_PATH + place as u32));
        }
        NAMED
            .iter()
            .position(|named| named == field)
            .map(|place| Self(place as u32))
    }

    /// The form by which the group's terms are sorted and found. Words have been folded in their own way already.
    pub(crate) fn fold(self, text: &str) -> Cow<'_, str> {
        if self == Self::WORDS {
            Cow::Borrowed(text)
        } else {
            text::fold_case(text)
        }
    }
}

/// What terms are looked for by their folded texts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'t> {
    /// Exactly this text.
    Whole(&'t str),
    /// Texts that begin so.
    Prefix(&'t str),
}

impl Wanted<'_> {
    /// Whether a folded text comes before all that is wanted.
    pub(crate) fn is_beyond(self, folded: &str) -> bool {
        let (Self::Whole(text) | Self::Prefix(text)) = self;
        folded < text
    }

    /// Whether a folded text, which is not before, is wanted.
    pub(crate) fn has(self, folded: &str) -> bool {
        match self {
            Self::Whole(text) => folded == text,
            Self::Prefix(text) => folded.starts_with(text),
        }
    }
}

/// The terms of consecutive groups, or of a part of one.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    pub(crate) first_group: u32,
    /// Where the terms of each group end.
    pub(crate) group_ends: Box<[u32]>,
    /// All terms' texts, one after the other.
    pub(crate) text: Box<str>,
    /// Where each term's text ends.
    pub(crate) text_ends: Box<[u32]>,
    /// The postings of all terms, one after the other; row numbers ascend within a term.
    pub(crate) postings: Box<[u16]>,
    /// Where each term's postings end.
    pub(crate) posting_ends: Box<[u32]>,
}

impl Dictionary {
    /// The terms of a group that are here.
    pub(crate) fn of_group(&self, group: Group) -> Range<u32> {
        let place = group.0.checked_sub(self.first_group).map(|place| place as usize);
        place
            .filter(|place| *place < self.group_ends.len())
            .map_or(0..0, |place| span(&self.group_ends, place))
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

    /// The terms of a group that are wanted.
    fn find(&self, group: Group, wanted: Wanted<'_>) -> Range<u32> {
        let terms = self.of_group(group);
        let from = self.first_where(group, &terms, |text| !wanted.is_beyond(text));
        let to = self.first_where(group, &(from..terms.end), |text| !wanted.has(text));
        from..to
    }

    /// Adds the rows of a group's wanted terms to a set.
    pub(crate) fn mark(&self, group: Group, wanted: Wanted<'_>, set: &mut RowSet) {
        let terms = self.find(group, wanted);
        if !terms.is_empty() {
            let from = span(&self.posting_ends, terms.start as usize).start as usize;
            let to = self.posting_ends[terms.end as usize - 1] as usize;
            set.insert_all(&self.postings[from..to]);
        }
    }

    /// The first of some terms of a group whose folded text has a property that all later ones have too.
    fn first_where(&self, group: Group, terms: &Range<u32>, property: impl Fn(&str) -> bool) -> u32 {
        let (mut low, mut high) = (terms.start, terms.end);
        while low < high {
            let middle = low.midpoint(high);
            if property(&group.fold(self.text(middle))) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// Bytes that it takes in memory.
    pub(crate) fn memory(&self) -> usize {
        let ends = self.group_ends.len() + self.text_ends.len() + self.posting_ends.len();
        size_of::<Self>() + self.text.len() + 2 * self.postings.len() + 4 * ends
    }
}

/// All terms of one group of a block, numbered from 0 in their order.
#[derive(Debug, Default)]
pub(crate) struct Terms(Vec<Piece>);

#[derive(Debug)]
struct Piece {
    dictionary: Arc<Dictionary>,
    /// The group's terms in the dictionary.
    terms: Range<u32>,
    /// How many terms the pieces before have.
    before: u32,
}

impl Terms {
    /// The terms of a group in dictionaries that follow one another.
    pub(crate) fn of(group: Group, dictionaries: impl IntoIterator<Item = Arc<Dictionary>>) -> Self {
        let mut pieces = Vec::new();
        let mut before = 0;
        for dictionary in dictionaries {
            let terms = dictionary.of_group(group);
            let length = terms.end - terms.start;
            if length > 0 {
                pieces.push(Piece {
                    dictionary,
                    terms,
                    before,
                });
            }
            before += length;
        }
        Self(pieces)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        self.0
            .last()
            .map_or(0, |last| last.before + last.terms.end - last.terms.start)
    }

    /// A term's text, as stored.
    pub(crate) fn text(&self, term: u32) -> &str {
        let piece = &self.0[self.0.partition_point(|piece| piece.before <= term) - 1];
        piece.dictionary.text(piece.terms.start + term - piece.before)
    }

    /// Each term's text and the rows that have it, ascending; a row may come more than once.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u16])> {
        self.0.iter().flat_map(|Piece { dictionary, terms, .. }| {
            terms
                .clone()
                .map(|term| (dictionary.text(term), dictionary.postings(term)))
        })
    }
}

fn span(ends: &[u32], index: usize) -> Range<u32> {
    let start = if index == 0 { 0 } else { ends[index - 1] };
    start..ends[index]
}
