//! Facets: the values of a field among the found events, with how many events have each.

use rustc_hash::FxHashMap;
use trailbook_event::{filter::Field, text};

use crate::{
    Error, Question, View,
    block::{Block, Moment},
    row_set::RowSet,
};

/// Which values to count.
#[derive(Debug, Clone)]
pub struct FacetRequest {
    /// Among which events; a condition on a facet's own field counts too.
    pub question: Question,
    /// The fields, each giving one facet.
    pub fields: Vec<Field>,
    /// Most values of a facet.
    pub limit: usize,
    /// Only values whose value or label begins so, without case; `None` for all.
    pub prefix: Option<String>,
}

/// The values of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// The field.
    pub field: Field,
    /// The values, most events first, then by value.
    pub values: Vec<FacetValue>,
}

/// One value of a field and how many events have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetValue {
    /// As stored; of an actor or target its id, without one its e-mail address or name.
    pub value: String,
    /// The newest name of the actor or target among the events; `None` when there is none, and for other fields.
    pub label: Option<String>,
    /// Events that have the value, each counted once.
    pub count: u64,
}

/// What is known of a value so far. Texts are those of the blocks.
#[derive(Default)]
struct Tally<'b> {
    count: u64,
    label: Option<(Moment, &'b str)>,
}

type Tallies<'b> = FxHashMap<&'b str, Tally<'b>>;

impl View {
    /// The values of some fields among the found events.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn facets(&self, request: &FacetRequest) -> Result<Vec<Facet>, Error> {
        let search = self.search(&request.question);
        let mut tallies: Vec<Tallies<'_>> = request.fields.iter().map(|_| Tallies::default()).collect();
        for block in self.blocks() {
            let found = search.select(block)?;
            if found.is_empty() {
                continue;
            }
            for (field, tallies) in request.fields.iter().zip(&mut tallies) {
                if field_is_labelled(field) {
                    count_subjects(block, field, &found, tallies);
                } else {
                    count_terms(block, field, &found, tallies);
                }
            }
        }
        let prefix = request.prefix.as_deref().map(text::fold_case);
        let facets = request.fields.iter().zip(tallies);
        Ok(facets
            .map(|(field, tallies)| Facet {
                field: field.clone(),
                values: first_values(tallies, prefix.as_deref(), request.limit),
            })
            .collect())
    }
}

fn field_is_labelled(field: &Field) -> bool {
    matches!(field, Field::Actor | Field::Target)
}

fn count_terms<'b>(block: &'b Block, field: &Field, found: &RowSet, tallies: &mut Tallies<'b>) {
    let terms = block.terms();
    for term in terms.of_field(field) {
        let mut last = None;
        let rows = terms
            .postings(term)
            .iter()
            .filter(|row| found.contains(usize::from(**row)));
        let count = rows.filter(|row| last.replace(**row) != Some(**row)).count();
        if count > 0 {
            tallies.entry(terms.text(term)).or_default().count += count as u64;
        }
    }
}

fn count_subjects<'b>(block: &'b Block, field: &Field, found: &RowSet, tallies: &mut Tallies<'b>) {
    let terms = block.terms();
    let own = terms.of_field(field);
    // Of each term: how often it was counted, in which row last, and its newest label.
    let mut counted = vec![(0_u64, None, None::<(Moment, u32)>); own.len()];
    for subject in block.subjects(field).iter().flat_map(|subjects| subjects.iter()) {
        if !found.contains(subject.row) {
            continue;
        }
        let (count, last_row, label) = &mut counted[(subject.value - own.start) as usize];
        if last_row.replace(subject.row) != Some(subject.row) {
            *count += 1;
        }
        if let Some(name) = subject.label {
            let moment = block.moment(subject.row);
            if label.is_none_or(|(newest, _)| moment > newest) {
                *label = Some((moment, name));
            }
        }
    }
    for (term, (count, _, label)) in own.zip(counted).filter(|(_, (count, ..))| *count > 0) {
        let tally = tallies.entry(terms.text(term)).or_default();
        tally.count += count;
        tally.label = tally.label.max(label.map(|(moment, name)| (moment, terms.text(name))));
    }
}

/// The values that go out: most events first, then by value.
fn first_values(tallies: Tallies<'_>, prefix: Option<&str>, limit: usize) -> Vec<FacetValue> {
    let begins = |text: &str| prefix.is_none_or(|prefix| text::begins_folded(text, prefix));
    let mut values: Vec<(&str, Tally<'_>)> = tallies
        .into_iter()
        .filter(|(value, tally)| begins(value) || tally.label.is_some_and(|(_, label)| begins(label)))
        .collect();
    let before = |(left, left_tally): &(&str, Tally<'_>), (right, right_tally): &(&str, Tally<'_>)| {
        right_tally.count.cmp(&left_tally.count).then_with(|| left.cmp(right))
    };
    if values.len() > limit && limit > 0 {
        values.select_nth_unstable_by(limit - 1, before);
    }
    values.truncate(limit);
    values.sort_unstable_by(before);
    let owned = |(value, tally): (&str, Tally<'_>)| FacetValue {
        value: value.to_owned(),
        label: tally.label.map(|(_, label)| label.to_owned()),
        count: tally.count,
    };
    values.into_iter().map(owned).collect()
}
