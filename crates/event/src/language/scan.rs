//! The characters of a query, with the column of each.

use super::QueryError;

/// A place in the text of a query.
#[derive(Clone)]
pub(super) struct Scanner<'q> {
    rest: &'q str,
    column: usize,
}

impl<'q> Scanner<'q> {
    pub(super) fn new(text: &'q str) -> Self {
        Self { rest: text, column: 1 }
    }

    pub(super) fn column(&self) -> usize {
        self.column
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.rest = &self.rest[character.len_utf8()..];
        self.column += 1;
        Some(character)
    }

    /// Passes over `wanted` if it comes next.
    pub(super) fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    /// Passes over `word` if it comes next and something else than a word's letters follows.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self
            .rest
            .strip_prefix(word)
            .is_some_and(|rest| rest.chars().next().is_none_or(ends_word));
        if found {
            self.rest = &self.rest[word.len()..];
            self.column += word.chars().count();
        }
        found
    }

    pub(super) fn skip_spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    /// An error at this place.
    pub(super) fn expected(&self, what: impl Into<String>) -> QueryError {
        QueryError {
            column: self.column,
            expected: what.into(),
        }
    }

    /// The text after an opening quote, up to and over the closing one; `\"` and `\\` stand for `"` and `\`.
    pub(super) fn quoted(&mut self) -> Result<String, QueryError> {
        let mut text = String::new();
        loop {
            match (self.next(), self.peek()) {
                (Some('"'), _) => return Ok(text),
                (Some('\\'), Some(escaped @ ('"' | '\\'))) => {
                    text.push(escaped);
                    self.next();
                }
                (Some(character), _) => text.push(character),
                (None, _) => return Err(self.expected("a closing `\"`")),
            }
        }
    }
}

/// Whether a character ends a word that is not in quotes.
pub(super) fn ends_word(character: char) -> bool {
    character.is_whitespace() || matches!(character, '(' | ')' | '"')
}
