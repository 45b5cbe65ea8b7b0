//! Rules: how one field of an event is made from a record. A rule is a list of alternatives; the first that yields
//! something wins.

use std::borrow::Cow;

use trailbook_event::Pointer;

use super::{Scope, path::Source, time::Format};

/// How one text is made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Rule(pub(crate) Vec<Alternative>);

/// One way of making a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Alternative {
    /// Tried in order; the first that holds something is used.
    pub(crate) from: Vec<Source>,
    /// Texts that count as nothing here, beside those of the whole mapping.
    pub(crate) except: Vec<String>,
    /// Whole values, or prefixes that end in `*`, and what stands for them.
    pub(crate) map: Vec<(String, String)>,
    /// What stands for every other value; without it and with a map other values yield nothing.
    pub(crate) otherwise: Option<String>,
    /// Which word of the text is looked up in the mapping's verbs.
    pub(crate) verb: Option<WhichWord>,
    /// What is done to the text.
    pub(crate) shape: Shape,
    /// How a time is read; only for times.
    pub(crate) format: Vec<Format>,
}

/// Which word of a name says what was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhichWord {
    First,
    Last,
    Any,
}

/// What is done to a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Shape {
    #[default]
    Kept,
    Lower,
    /// Lower case, everything but letters, digits and dots replaced with `_`.
    Word,
    /// The first line.
    Line,
}

impl Rule {
    /// The text, or `None` when no alternative yields one.
    pub(crate) fn text<'v>(&self, scope: &Scope<'v>) -> Option<Cow<'v, str>> {
        self.0.iter().find_map(|alternative| alternative.text(scope))
    }

    /// The place that the text comes from; without one the first that is there at all, such as with an object in place of a text,
    /// else the first that the rule names.
    pub(crate) fn pointer(&self, scope: &Scope<'_>) -> Option<Pointer> {
        let sources = || self.0.iter().flat_map(|alternative| &alternative.from);
        let holding = sources().find(|source| source.pointer().is_some() && source.text(scope).is_some());
        let present = || sources().find(|source| source.pointer().is_some() && source.value(scope).is_some());
        holding.or_else(present).or_else(|| sources().next())?.pointer()
    }

    /// The places that the text may come from, for people: "`/a` and `/b`".
    pub(crate) fn places(&self) -> String {
        let sources = self.0.iter().flat_map(|alternative| &alternative.from);
        let mut places: Vec<String> = sources
            .filter_map(|source| source.pointer().map(|place| format!("`{place}`")))
            .collect();
        places.dedup();
        match places.split_last() {
            Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
            Some((last, _)) => last.clone(),
            None => "its places".to_owned(),
        }
    }

    /// Whether any source counts how often the same record came before.
    pub(crate) fn counts_occurrences(&self) -> bool {
        self.0
            .iter()
            .flat_map(|alternative| &alternative.from)
            .any(Source::counts_occurrences)
    }
}

impl Alternative {
    /// What the sources hold, before any transformation.
    pub(crate) fn found<'v>(&self, scope: &Scope<'v>) -> Option<Cow<'v, str>> {
        self.from.iter().find_map(|source| {
            source
                .text(scope)
                .filter(|text| !self.except.iter().any(|nothing| nothing == text))
        })
    }

    fn text<'v>(&self, scope: &Scope<'v>) -> Option<Cow<'v, str>> {
        let found = self.found(scope)?;
        let text = match self.verb {
            Some(which) => Cow::Owned(scope.mapping.verb_of(&found, which)?.to_owned()),
            None => self.mapped(found)?,
        };
        Some(self.shape.of(text)).filter(|text| !text.is_empty())
    }

    fn mapped<'v>(&self, found: Cow<'v, str>) -> Option<Cow<'v, str>> {
        let whole = self.map.iter().find(|(value, _)| *value == found);
        let prefix = || {
            let prefixes = self
                .map
                .iter()
                .filter_map(|(value, to)| Some((value.strip_suffix('*')?, to)));
            prefixes
                .filter(|(prefix, _)| found.starts_with(prefix))
                .max_by_key(|(prefix, _)| prefix.len())
        };
        if let Some(to) = whole
            .map(|(_, to)| to)
            .or_else(|| prefix().map(|(_, to)| to))
            .or(self.otherwise.as_ref())
        {
            return Some(Cow::Owned(to.clone()));
        }
        self.map.is_empty().then_some(found)
    }
}

impl Shape {
    fn of(self, text: Cow<'_, str>) -> Cow<'_, str> {
        match self {
            Self::Kept => text,
            Self::Lower => Cow::Owned(text.to_lowercase()),
            Self::Line => Cow::Owned(text.lines().next().unwrap_or_default().trim_end().to_owned()),
            Self::Word => {
                let keep = |letter: char| {
                    if letter.is_alphanumeric() || letter == '.' {
                        letter
                    } else {
                        '_'
                    }
                };
                let replaced: String = text.to_lowercase().chars().map(keep).collect();
                let words: Vec<&str> = replaced.split('_').filter(|word| !word.is_empty()).collect();
                Cow::Owned(words.join("_"))
            }
        }
    }
}

/// The words of a name, in lower case: split at everything but letters and digits, and where upper case begins.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let letters: Vec<char> = name.chars().collect();
    for (index, letter) in letters.iter().enumerate() {
        let previous = index.checked_sub(1).map(|index| letters[index]);
        let next = letters.get(index + 1);
        let after_small = previous.is_some_and(|letter| letter.is_lowercase() || letter.is_ascii_digit());
        let before_small = previous.is_some_and(char::is_uppercase) && next.is_some_and(|letter| letter.is_lowercase());
        if !letter.is_alphanumeric() || (letter.is_uppercase() && (after_small || before_small)) {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_words() {
        let check = |name: &str, expected: &[&str]| assert_eq!(words(name), expected, "{name}");
        check("DescribeDBInstances", &["describe", "db", "instances"]);
        check("CREATE_USER", &["create", "user"]);
        check("user.session.start", &["user", "session", "start"]);
        check(
            "google.iam.admin.v1.QueryGrantableRoles",
            &["google", "iam", "admin", "v1", "query", "grantable", "roles"],
        );
        check("", &[]);
    }

    #[test]
    fn a_sentence_becomes_a_word() {
        assert_eq!(
            Shape::Word.of("Space configuration: updated ".into()),
            "space_configuration_updated"
        );
    }
}
