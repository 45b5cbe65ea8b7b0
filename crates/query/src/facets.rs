//! Facets: the values of a field among the found events, with how many events have each.

use rustc_hash::FxHashMap;
use trailbook_event::{filter::Field, text};

use crate::{
    Error, Question, View,
    block::{Block, Moment, Subjects},
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
    /// What people see for it; `None` when nobody has a word for it. Of an actor or target without another word, its newest
    /// name among the events.
    pub label: Option<String>,
    /// Events that have the value, each counted once.
    pub count: u64,
}

/// What people see for a value of a field; `None` where there is no word for it.
pub type LabelOf<'l> = &'l dyn Fn(&Field, &str) -> Option<String>;

/// What is known of a value so far.
#[derive(Default)]
struct Tally {
    count: u64,
    label: Option<(Moment, Box<str>)>,
}

#[derive(Default)]
struct Tallies(FxHashMap<Box<str>, Tally>);

impl Tallies {
    fn of(&mut self, value: &str) -> &mut Tally {
        if !self.0.contains_key(value) {
            self.0.insert(value.into(), Tally::default());
        }
        self.0.get_mut(value).expect("it is there or was inserted")
    }
}

impl View {
    /// The values of some fields among the found events.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Storage`].
    pub fn facets(&self, request: &FacetRequest) -> Result<Vec<Facet>, Error> {
        self.labelled_facets(request, &|_, _| None)
    }

    /// The values of some fields among the found events, with labels that the events themselves do not have.
    ///
    /// # Errors
    /// As [`View::facets`].
    pub fn labelled_facets(&self, request: &FacetRequest, label: LabelOf<'_>) -> Result<Vec<Facet>, Error> {
        let search = self.search(&request.question);
        let mut tallies: Vec<Tallies> = request.fields.iter().map(|_| Tallies::default()).collect();
        for block in self.blocks() {
            let found = search.select(block)?;
            if found.is_empty() {
                continue;
            }
            for (field, tallies) in request.fields.iter().zip(&mut tallies) {
                match block.subjects(field)? {
                    Some(subjects) => count_subjects(block, field, &subjects, &found, tallies)?,
                    None => count_terms(block, field, &found, tallies)?,
                }
            }
        }
        let prefix = request.prefix.as_deref().map(text::fold_case);
        let facets = request.fields.iter().zip(tallies);
        Ok(facets
            .map(|(field, tallies)| Facet {
                field: field.clone(),
                values: first_values(tallies, prefix.as_deref(), request.limit, &|value| label(field, value)),
            })
            .collect())
    }
}

fn count_terms(block: &Block, field: &Field, found: &RowSet, tallies: &mut Tallies) -> Result<(), Error> {
    for (text, rows) in block.terms(field)?.iter() {
        let mut last = None;
        let rows = rows.iter().filter(|row| found.contains(usize::from(**row)));
        let count = rows.filter(|row| last.replace(**row) != Some(**row)).count();
        if count > 0 {
            tallies.of(text).count += count as u64;
        }
    }
    Ok(())
}

fn count_subjects(
    block: &Block,
    field: &Field,
    subjects: &Subjects,
    found: &RowSet,
    tallies: &mut Tallies,
) -> Result<(), Error> {
    let (terms, moments) = (block.terms(field)?, block.moments()?);
    // Of each term: how often it was counted, in which row last, and its newest label.
    let mut counted = vec![(0_u64, None, None::<(Moment, u32)>); terms.count() as usize];
    for subject in subjects.iter().filter(|subject| found.contains(subject.row)) {
        let (count, last_row, label) = &mut counted[subject.value as usize];
        if last_row.replace(subject.row) != Some(subject.row) {
            *count += 1;
        }
        if let Some(name) = subject.label {
            let moment = moments.moment(subject.row);
            if label.is_none_or(|(newest, _)| moment > newest) {
                *label = Some((moment, name));
            }
        }
    }
    for (term, (count, _, label)) in (0..).zip(counted).filter(|(_, (count, ..))| *count > 0) {
        let tally = tallies.of(terms.text(term));
        tally.count += count;
        if let Some((moment, name)) = label
            && tally.label.as_ref().is_none_or(|(newest, _)| moment > *newest)
        {
            tally.label = Some((moment, terms.text(name).into()));
        }
    }
    Ok(())
}

/// The values that go out: most events first, then by value.
fn first_values(
    tallies: Tallies,
    prefix: Option<&str>,
    limit: usize,
    label: &dyn Fn(&str) -> Option<String>,
) -> Vec<FacetValue> {
    let begins = |text: &str| prefix.is_none_or(|prefix| text::begins_folded(text, prefix));
    let label_begins = |value: &str, tally: &Tally| {
        tally.label.as_ref().is_some_and(|(_, label)| begins(label)) || label(value).is_some_and(|label| begins(&label))
    };
    let mut values: Vec<(Box<str>, Tally)> = tallies
        .0
        .into_iter()
        .filter(|(value, tally)| begins(value) || label_begins(value, tally))
        .collect();
    let before = |(left, left_tally): &(Box<str>, Tally), (right, right_tally): &(Box<str>, Tally)| {
        right_tally.count.cmp(&left_tally.count).then_with(|| left.cmp(right))
    };
    if values.len() > limit && limit > 0 {
        values.select_nth_unstable_by(limit - 1, before);
    }
    values.truncate(limit);
    values.sort_unstable_by(before);
    let finished = |(value, tally): (Box<str>, Tally)| FacetValue {
        label: label(&value).or_else(|| tally.label.map(|(_, label)| label.into())),
        value: value.into(),
        count: tally.count,
    };
    values.into_iter().map(finished).collect()
}
