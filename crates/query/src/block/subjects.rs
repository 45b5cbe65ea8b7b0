//! Actors and targets as facets see them: of id, e-mail address and name one value, labelled with the name.

/// One value for each actor or target of each row, in row order; value and label are numbers of the field's terms.
#[derive(Debug, Default)]
pub(crate) struct Subjects {
    rows: Box<[u16]>,
    values: Box<[u32]>,
    labels: Box<[u32]>,
}

/// In place of a label: there is none.
const UNLABELLED: u32 = u32::MAX;

/// An actor or target of a row: the numbers of its value and its label among the field's terms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject {
    pub(crate) row: usize,
    pub(crate) value: u32,
    pub(crate) label: Option<u32>,
}

impl Subjects {
    pub(crate) fn new(subjects: impl Iterator<Item = Subject> + Clone) -> Self {
        Self {
            rows: subjects.clone().map(|subject| subject.row as u16).collect(),
            values: subjects.clone().map(|subject| subject.value).collect(),
            labels: subjects.map(|subject| subject.label.unwrap_or(UNLABELLED)).collect(),
        }
    }

    /// How many terms the field must have.
    pub(crate) fn terms_needed(&self) -> u32 {
        let labels = self.labels.iter().filter(|label| **label != UNLABELLED);
        self.values
            .iter()
            .chain(labels)
            .max()
            .map_or(0, |most| most.saturating_add(1))
    }

    /// Bytes that they take in memory.
    pub(crate) fn memory(&self) -> usize {
        size_of::<Self>() + 10 * self.rows.len()
    }

    /// All of them, in row order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Subject> {
        self.rows
            .iter()
            .zip(&self.values)
            .zip(&self.labels)
            .map(|((row, value), label)| Subject {
                row: usize::from(*row),
                value: *value,
                label: (*label != UNLABELLED).then_some(*label),
            })
    }
}
