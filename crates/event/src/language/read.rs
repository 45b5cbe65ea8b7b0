//! The parser: recursive descent over the characters of a query.
//!
//! ```text
//! query   = [ either ]                      either = all { "OR" all }
//! all     = negated { [ "AND" ] negated }   negated = [ "-" ] term
//! term    = "(" either ")" | "*" | field ":" value { "," value } | quoted [ "*" ] | word
//! value   = quoted [ "*" ] | characters up to a space, comma, quote or parenthesis
//! ```

use super::{
    DayStart, QUERY_BYTES_MAX, QUERY_DEPTH_MAX, QUERY_TERMS_MAX, QueryError, near,
    scan::{Scanner, ends_word},
};
use crate::{
    Filter, Timestamp,
    filter::{Field, Pattern, Words},
};

const TERM: &str = "a word, a phrase in quotes, a field with a value, or `(`";

/// One parse of one query.
pub(super) struct Reader<'q> {
    scanner: Scanner<'q>,
    day_start: DayStart<'q>,
    length: usize,
    depth: usize,
    terms: usize,
}

/// What stands before a colon.
enum Name {
    Field(Field),
    Before,
    After,
}

impl<'q> Reader<'q> {
    pub(super) fn new(text: &'q str, day_start: DayStart<'q>) -> Self {
        Self {
            scanner: Scanner::new(text),
            day_start,
            length: text.len(),
            depth: 0,
            terms: 0,
        }
    }

    pub(super) fn query(mut self) -> Result<Filter, QueryError> {
        if self.length > QUERY_BYTES_MAX {
            return Err(self
                .scanner
                .expected(format!("a query of at most {QUERY_BYTES_MAX} bytes")));
        }
        self.scanner.skip_spaces();
        if self.scanner.peek().is_none() {
            return Ok(Filter::all());
        }
        let filter = self.either()?;
        match self.scanner.peek() {
            None => Ok(filter),
            Some(_) => Err(self.scanner.expected("the end of the query; this `)` closes nothing")),
        }
    }

    fn either(&mut self) -> Result<Filter, QueryError> {
        let mut choices = vec![self.all()?];
        while self.scanner.take_word("OR") {
            choices.push(self.all()?);
        }
        Ok(Filter::any_of(choices))
    }

    fn all(&mut self) -> Result<Filter, QueryError> {
        let mut filters = vec![self.negated()?];
        loop {
            self.scanner.skip_spaces();
            let joined = self.scanner.take_word("AND");
            let at_end = matches!(self.scanner.peek(), None | Some(')')) || self.comes("OR");
            if at_end && !joined {
                return Ok(Filter::all_of(filters));
            }
            filters.push(self.negated()?);
        }
    }

    fn comes(&self, word: &str) -> bool {
        self.scanner.clone().take_word(word)
    }

    fn negated(&mut self) -> Result<Filter, QueryError> {
        self.scanner.skip_spaces();
        if !self.scanner.take('-') {
            return self.term();
        }
        match self.scanner.peek() {
            Some(character) if character != '-' && !character.is_whitespace() => self.term().map(Filter::negated),
            _ => Err(self.scanner.expected(format!("{TERM}, right after the `-`"))),
        }
    }

    fn term(&mut self) -> Result<Filter, QueryError> {
        if self.comes("OR") || self.comes("AND") {
            return Err(self.scanner.expected(TERM));
        }
        if self.comes("NOT") {
            return Err(self
                .scanner
                .expected("a `-` right before what is excluded; the word itself goes into quotes"));
        }
        match self.scanner.peek() {
            None | Some(')') => Err(self.scanner.expected(TERM)),
            Some('(') => self.group(),
            Some('"') => self.phrase(),
            Some(_) if self.scanner.take_word("*") => Ok(Filter::all()),
            Some(_) => self.word_or_field(),
        }
    }

    fn group(&mut self) -> Result<Filter, QueryError> {
        if self.depth == QUERY_DEPTH_MAX {
            return Err(self
                .scanner
                .expected(format!("at most {QUERY_DEPTH_MAX} parentheses inside each other")));
        }
        self.depth += 1;
        self.scanner.next();
        let filter = self.either()?;
        if !self.scanner.take(')') {
            return Err(self.scanner.expected("a closing `)`"));
        }
        self.depth -= 1;
        Ok(filter)
    }

    fn phrase(&mut self) -> Result<Filter, QueryError> {
        self.count_term()?;
        let start = self.scanner.expected("a phrase with letters or digits");
        self.scanner.next();
        let words = Words::new(self.scanner.quoted()?).ok_or(start)?;
        let filter = if self.scanner.take('*') {
            Filter::Word(words)
        } else {
            Filter::Phrase(words)
        };
        self.term_ends()?;
        Ok(filter)
    }

    fn word_or_field(&mut self) -> Result<Filter, QueryError> {
        let start = self.scanner.column();
        let mut text = String::new();
        while let Some(character) = self.scanner.peek().filter(|character| !ends_word(*character)) {
            self.scanner.next();
            if character == ':' {
                let name = named(&text).map_err(|expected| QueryError {
                    column: start,
                    expected,
                })?;
                return self.condition(name);
            }
            text.push(character);
            // In the name of a metadata field, a backslash takes the next character with it.
            if character == '\\'
                && text
                    .get(..9)
                    .is_some_and(|start| start.eq_ignore_ascii_case("metadata."))
            {
                text.extend(self.scanner.next());
            }
        }
        self.term_ends()?;
        self.count_term()?;
        let words = Words::new(text);
        words.map(Filter::Word).ok_or(QueryError {
            column: start,
            expected: "a word with letters or digits".to_owned(),
        })
    }

    fn condition(&mut self, name: Name) -> Result<Filter, QueryError> {
        let filter = match name {
            Name::Before => Filter::Before(self.instant()?),
            Name::After => Filter::After(self.instant()?),
            Name::Field(field) => {
                let mut patterns = vec![self.pattern(&field)?];
                while self.scanner.take(',') {
                    patterns.push(self.pattern(&field)?);
                }
                Filter::Field { field, patterns }
            }
        };
        self.term_ends()?;
        Ok(filter)
    }

    fn pattern(&mut self, field: &Field) -> Result<Pattern, QueryError> {
        self.count_term()?;
        let start = self.scanner.column();
        let (text, is_prefix) = self.value()?;
        Pattern::new(field, text.into(), is_prefix).map_err(|expected| QueryError {
            column: start,
            expected,
        })
    }

    /// A value, and whether a `*` makes it a prefix.
    fn value(&mut self) -> Result<(String, bool), QueryError> {
        let start = self
            .scanner
            .expected("a value; one with spaces or signs goes into quotes");
        if self.scanner.take('"') {
            let text = self.scanner.quoted()?;
            return Ok((text, self.scanner.take('*')));
        }
        let mut text = String::new();
        while let Some(character) = self
            .scanner
            .peek()
            .filter(|character| !ends_word(*character) && *character != ',')
        {
            self.scanner.next();
            match (character, self.scanner.peek()) {
                ('*', None) => return Ok((text, true)),
                ('*', Some(next)) if ends_word(next) || next == ',' => return Ok((text, true)),
                ('*', Some(_)) => {
                    return Err(self
                        .scanner
                        .expected("the end of the value after `*`; quotes make it a star"));
                }
                ('\\', Some(escaped)) if is_escaped(escaped) => {
                    self.scanner.next();
                    text.push(escaped);
                }
                _ => text.push(character),
            }
        }
        if text.is_empty() { Err(start) } else { Ok((text, false)) }
    }

    fn instant(&mut self) -> Result<Timestamp, QueryError> {
        self.count_term()?;
        let column = self.scanner.column();
        let expected = |what: &str| QueryError {
            column,
            expected: what.to_owned(),
        };
        let (text, is_prefix) = self.value()?;
        let instant = match (
            is_prefix || self.scanner.peek() == Some(','),
            Timestamp::parse(&text),
            date(&text),
        ) {
            (false, Some(instant), _) => Some(instant),
            (false, None, Some((year, month, day))) => {
                let start = (self.day_start)(year, month, day);
                return start.ok_or_else(|| expected("a date that is in the calendar"));
            }
            _ => None,
        };
        instant.ok_or_else(|| expected("one date such as 2026-11-01, or an instant such as 2026-11-01T09:30:00Z"))
    }

    fn term_ends(&self) -> Result<(), QueryError> {
        match self.scanner.peek() {
            Some('(') => Err(self
                .scanner
                .expected("a space; a value with parentheses goes into quotes")),
            Some('"') => Err(self.scanner.expected("a space; quotes go around a whole value")),
            Some(character) if !character.is_whitespace() && character != ')' => {
                Err(self.scanner.expected("a space or the end of the query"))
            }
            _ => Ok(()),
        }
    }

    fn count_term(&mut self) -> Result<(), QueryError> {
        self.terms += 1;
        if self.terms > QUERY_TERMS_MAX {
            return Err(self
                .scanner
                .expected(format!("at most {QUERY_TERMS_MAX} words and values in a query")));
        }
        Ok(())
    }
}

fn is_escaped(character: char) -> bool {
    character.is_whitespace() || matches!(character, '*' | ',' | '"' | '(' | ')' | '\\')
}

/// The field of a name; the error says what was expected in its place.
fn named(text: &str) -> Result<Name, String> {
    let lower = text.to_ascii_lowercase();
    let name = match lower.as_str() {
        "before" => return Ok(Name::Before),
        "after" => return Ok(Name::After),
        "type" => "action_type",
        _ if lower.starts_with("metadata.") => &format!("metadata.{}", &text["metadata.".len()..]),
        other => other,
    };
    if let Some(field) = Field::from_name(name)? {
        return Ok(Name::Field(field));
    }
    let names = Field::names().chain(["type", "before", "after", "metadata"]);
    let near = near(lower.split('.').next().unwrap_or_default(), names.clone());
    let mut advice: Vec<&str> = if near.is_empty() { names.collect() } else { near };
    for name in advice.iter_mut().filter(|name| **name == "metadata") {
        *name = "metadata.PATH";
    }
    let advice = advice.join(", ");
    Err(format!(
        "the name of a field before the `:` ({advice}); to search for the text itself, put it into quotes"
    ))
}

fn date(text: &str) -> Option<(i16, i8, i8)> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| {
            if at == 4 || at == 7 {
                *byte == b'-'
            } else {
                byte.is_ascii_digit()
            }
        });
    if !shaped {
        return None;
    }
    Some((
        text[..4].parse().ok()?,
        text[5..7].parse().ok()?,
        text[8..].parse().ok()?,
    ))
}
