//! From events to the terms of a block.

use rustc_hash::FxHashMap;
use trailbook_event::{
    Record,
    filter::{Field, facet_values, indexed_metadata, searched_texts, values},
    text,
};

use super::{
    Subjects,
    dictionary::{Dictionary, Group, NAMED},
    interner::Interner,
    subjects::Subject,
};

/// Collects what questions ask of rows, which are added in the order of their numbers.
#[derive(Default)]
pub(crate) struct Builder {
    terms: Interner,
    paths: FxHashMap<Box<str>, u32>,
    actors: Vec<Subject>,
    targets: Vec<Subject>,
    without_identifiers: bool,
}

/// What was collected.
pub(crate) struct Built {
    /// The metadata paths, sorted.
    pub(crate) paths: Box<[Box<str>]>,
    /// The terms of all groups.
    pub(crate) dictionary: Dictionary,
    /// The actors as facets see them.
    pub(crate) actors: Subjects,
    /// The targets as facets see them.
    pub(crate) targets: Subjects,
}

impl Builder {
    /// One that leaves out trace ids and client ids.
    pub(crate) fn without_identifiers() -> Self {
        Self {
            without_identifiers: true,
            ..Self::default()
        }
    }

    /// Adds a row; row numbers ascend.
    pub(crate) fn add(&mut self, row: u16, record: &Record<'_>) {
        for (group, field) in NAMED.iter().enumerate() {
            if !(self.without_identifiers && matches!(field, Field::TraceId | Field::ClientId)) {
                values(record, field, &mut |value| self.terms.add(group as u32, value, row));
            }
        }
        add_subjects(
            &mut self.terms,
            row,
            record,
            (Group::ACTOR, &Field::Actor),
            &mut self.actors,
        );
        add_subjects(
            &mut self.terms,
            row,
            record,
            (Group::TARGET, &Field::Target),
            &mut self.targets,
        );
        let (paths, terms) = (&mut self.paths, &mut self.terms);
        indexed_metadata(record.event, &mut |path, value| {
            let known = paths.len() as u32;
            let place = match paths.get(path) {
                Some(place) => *place,
                None => *paths.entry(path.into()).or_insert(known),
            };
            terms.add(Group::FIRST_PATH + place, value, row);
        });
        searched_texts(record, &mut |searched| {
            text::tokens(searched, &mut |token| terms.add_once(Group::WORDS.0, token, row));
        });
    }

    /// What was collected.
    pub(crate) fn finish(self) -> Built {
        let (paths, dictionary, numbers) = self.terms.finish(self.paths);
        let subjects = |subjects: &[Subject], group| {
            let first = dictionary.of_group(group).start;
            let number = |term: u32| numbers[term as usize] - first;
            Subjects::new(subjects.iter().map(|subject| Subject {
                value: number(subject.value),
                label: subject.label.map(number),
                ..*subject
            }))
        };
        Built {
            actors: subjects(&self.actors, Group::ACTOR),
            targets: subjects(&self.targets, Group::TARGET),
            paths,
            dictionary,
        }
    }
}

fn add_subjects(
    terms: &mut Interner,
    row: u16,
    record: &Record<'_>,
    (group, field): (Group, &Field),
    subjects: &mut Vec<Subject>,
) {
    facet_values(record, field, &mut |value, label| {
        subjects.push(Subject {
            row: usize::from(row),
            value: terms.intern(group.0, value),
            label: label.map(|label| terms.intern(group.0, label)),
        });
    });
}
