//! Filters as text of the query language.

use std::fmt::{self, Display, Formatter, Write};

use super::scan::ends_word;
use crate::{
    Filter,
    filter::{Field, Folded, Pattern, Words},
};

impl Display for Filter {
    /// The filter in the query language; empty for the one that holds for every event.
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        if self.is_all() {
            Ok(())
        } else {
            write_filter(self, Place::Whole, formatter)
        }
    }
}

/// What surrounds a filter, and so whether it needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// The whole query, or the inside of parentheses.
    Whole,
    /// Beside `OR`.
    Choice,
    /// Beside other terms.
    Term,
    /// After `-`.
    Negated,
}

fn write_filter(filter: &Filter, place: Place, out: &mut Formatter<'_>) -> fmt::Result {
    match filter {
        Filter::And(filters) => match filters.as_slice() {
            [] => out.write_char('*'),
            [only] => write_filter(only, place, out),
            _ => enclosed(place > Place::Choice, out, |out| {
                write_list(filters, " ", Place::Term, out)
            }),
        },
        Filter::Or(filters) => match filters.as_slice() {
            [] => write_nothing(place, out),
            [only] => write_filter(only, place, out),
            _ => enclosed(place > Place::Whole, out, |out| {
                write_list(filters, " OR ", Place::Choice, out)
            }),
        },
        Filter::Not(inner) => enclosed(place == Place::Negated, out, |out| {
            out.write_char('-')?;
            write_filter(inner, Place::Negated, out)
        }),
        Filter::Field { patterns, .. } if patterns.is_empty() => write_nothing(place, out),
        Filter::Field { field, patterns } => write_condition(field, patterns, out),
        Filter::Word(words) => write_word(words, out),
        Filter::Phrase(words) => write_quoted(words.written(), out),
        Filter::Before(instant) => write!(out, "before:{instant}"),
        Filter::After(instant) => write!(out, "after:{instant}"),
    }
}

/// The filter that holds for no event.
fn write_nothing(place: Place, out: &mut Formatter<'_>) -> fmt::Result {
    enclosed(place == Place::Negated, out, |out| out.write_str("-*"))
}

fn enclosed(
    in_parentheses: bool,
    out: &mut Formatter<'_>,
    inside: impl FnOnce(&mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    if !in_parentheses {
        return inside(out);
    }
    out.write_char('(')?;
    inside(out)?;
    out.write_char(')')
}

fn write_list(filters: &[Filter], between: &str, place: Place, out: &mut Formatter<'_>) -> fmt::Result {
    for (position, filter) in filters.iter().enumerate() {
        if position > 0 {
            out.write_str(between)?;
        }
        write_filter(filter, place, out)?;
    }
    Ok(())
}

fn write_condition(field: &Field, patterns: &[Pattern], out: &mut Formatter<'_>) -> fmt::Result {
    match field {
        Field::Metadata(path) => {
            out.write_str("metadata.")?;
            write_escaped(path.as_str(), |character| ends_word(character) || character == ':', out)?;
        }
        _ => write!(out, "{field}")?,
    }
    for (position, pattern) in patterns.iter().enumerate() {
        out.write_char(if position == 0 { ':' } else { ',' })?;
        match pattern {
            Pattern::Whole(text) => write_value(text, out)?,
            Pattern::Prefix(text) => {
                write_value(text, out)?;
                out.write_char('*')?;
            }
            Pattern::Network(network) => write!(out, "{network}")?,
        }
    }
    Ok(())
}

fn write_value(text: &Folded, out: &mut Formatter<'_>) -> fmt::Result {
    let text = text.written();
    if text
        .chars()
        .any(|character| ends_word(character) || matches!(character, ',' | '*' | '\\'))
    {
        write_quoted(text, out)
    } else {
        out.write_str(text)
    }
}

fn write_word(words: &Words, out: &mut Formatter<'_>) -> fmt::Result {
    let text = words.written();
    let is_operator = text.starts_with('-') || matches!(text, "OR" | "AND" | "NOT");
    if is_operator
        || text
            .chars()
            .any(|character| ends_word(character) || matches!(character, ':' | '\\'))
    {
        write_quoted(text, out)?;
        out.write_char('*')
    } else {
        out.write_str(text)
    }
}

fn write_quoted(text: &str, out: &mut Formatter<'_>) -> fmt::Result {
    out.write_char('"')?;
    write_escaped(text, |character| matches!(character, '"' | '\\'), out)?;
    out.write_char('"')
}

fn write_escaped(text: &str, escaped: impl Fn(char) -> bool, out: &mut Formatter<'_>) -> fmt::Result {
    for character in text.chars() {
        if escaped(character) {
            out.write_char('\\')?;
        }
        out.write_char(character)?;
    }
    Ok(())
}
