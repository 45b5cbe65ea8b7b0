//! Arithmetic over metrics: numbers, names of metrics, `+ - * /` and parentheses.
//!
//! ```text
//! sum     = product { ("+" | "-") product }
//! product = signed { ("*" | "/") signed }
//! signed  = { "-" } atom
//! atom    = number | name | "(" sum ")"
//! ```

use crate::Error;

/// Longest expression in bytes.
const BYTES_MAX: usize = 1000;
/// Deepest nesting.
const DEPTH_MAX: usize = 32;

/// A parsed expression; names are places in the list of metrics that it was parsed with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    Number(f64),
    Metric(usize),
    Negated(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Expression {
    /// Parses the expression of a metric; it may use the metrics named in `names`.
    pub(crate) fn parse(text: &str, names: &[&str]) -> Result<Self, Error> {
        if text.len() > BYTES_MAX {
            return Err(Error::invalid(format!("An expression has at most {BYTES_MAX} bytes.")));
        }
        let mut parser = Parser { text, at: 0, names };
        let expression = parser.sum(0)?;
        match parser.peek() {
            None => Ok(expression),
            Some(_) => Err(parser.expected("an operator")),
        }
    }

    /// The value, given those of the metrics. `None` when a metric in it has no value, for a division by zero, and when the
    /// result is not a finite number.
    pub(crate) fn value(&self, metrics: &[Option<f64>]) -> Option<f64> {
        let value = match self {
            Self::Number(number) => *number,
            Self::Metric(place) => metrics.get(*place).copied().flatten()?,
            Self::Negated(inner) => -inner.value(metrics)?,
            Self::Binary(operator, left, right) => {
                let (left, right) = (left.value(metrics)?, right.value(metrics)?);
                match operator {
                    Operator::Add => left + right,
                    Operator::Subtract => left - right,
                    Operator::Multiply => left * right,
                    Operator::Divide if right == 0.0 => return None,
                    Operator::Divide => left / right,
                }
            }
        };
        value.is_finite().then_some(value)
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    names: &'t [&'t str],
}

impl<'t> Parser<'t> {
    fn sum(&mut self, depth: usize) -> Result<Expression, Error> {
        let mut left = self.product(depth)?;
        while let Some(operator) = self.operator(&[('+', Operator::Add), ('-', Operator::Subtract)]) {
            left = Expression::Binary(operator, Box::new(left), Box::new(self.product(depth)?));
        }
        Ok(left)
    }

    fn product(&mut self, depth: usize) -> Result<Expression, Error> {
        let mut left = self.signed(depth)?;
        while let Some(operator) = self.operator(&[('*', Operator::Multiply), ('/', Operator::Divide)]) {
            left = Expression::Binary(operator, Box::new(left), Box::new(self.signed(depth)?));
        }
        Ok(left)
    }

    fn signed(&mut self, depth: usize) -> Result<Expression, Error> {
        let mut negative = false;
        while self.take('-') {
            negative = !negative;
        }
        let atom = self.atom(depth)?;
        Ok(if negative {
            Expression::Negated(Box::new(atom))
        } else {
            atom
        })
    }

    fn atom(&mut self, depth: usize) -> Result<Expression, Error> {
        if depth == DEPTH_MAX {
            return Err(self.expected(&format!("at most {DEPTH_MAX} parentheses inside one another")));
        }
        if self.take('(') {
            let inner = self.sum(depth + 1)?;
            return if self.take(')') {
                Ok(inner)
            } else {
                Err(self.expected("`)`"))
            };
        }
        match self.peek() {
            Some(character) if character.is_ascii_digit() || character == '.' => self.number(),
            Some(character) if character.is_alphabetic() || character == '_' => self.name(),
            _ => Err(self.expected("a number, the name of a metric or `(`")),
        }
    }

    fn number(&mut self) -> Result<Expression, Error> {
        let length = self.run(|character| character.is_ascii_digit() || character == '.');
        match self.text[self.at..self.at + length].parse() {
            Ok(number) => {
                self.at += length;
                Ok(Expression::Number(number))
            }
            Err(_) => Err(self.expected("a number such as 0.5")),
        }
    }

    fn name(&mut self) -> Result<Expression, Error> {
        let length = self.run(is_of_name);
        let name = &self.text[self.at..self.at + length];
        match self.names.iter().position(|known| *known == name) {
            Some(place) => {
                self.at += length;
                Ok(Expression::Metric(place))
            }
            None => Err(self.expected("the name of a metric that stands before this one")),
        }
    }

    fn operator(&mut self, operators: &[(char, Operator)]) -> Option<Operator> {
        operators
            .iter()
            .find(|(sign, _)| self.take(*sign))
            .map(|(_, operator)| *operator)
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    /// The next character that is not white space.
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    fn run(&self, belongs: impl Fn(char) -> bool) -> usize {
        let rest = &self.text[self.at..];
        rest.find(|character| !belongs(character)).unwrap_or(rest.len())
    }

    fn expected(&self, what: &str) -> Error {
        let column = self.text[..self.at].chars().count() + 1;
        Error::invalid(format!("Expression `{}`, column {column}: expected {what}.", self.text))
    }
}

/// Whether a character may stand in a name that expressions use.
fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn value(text: &str) -> Option<f64> {
        Expression::parse(text, &["executions", "queries", "none"])
            .unwrap()
            .value(&[Some(3.0), Some(12.0), None])
    }

    #[test]
    fn arithmetic_binds_as_usual() {
        for (text, expected) in [
            ("1 - executions / queries", Some(0.75)),
            ("(1 - executions) / queries * 6", Some(-1.0)),
            ("2-3-4", Some(-5.0)),
            ("--2 * -.5", Some(-1.0)),
            ("8/4/2", Some(1.0)),
            ("executions / (queries - 12)", None),
            ("1 + none", None),
            ("0 * none", None),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn faults_name_the_column() {
        let deep = format!("{}1", "(".repeat(40));
        for (text, column) in [
            ("", 1),
            ("1 +", 4),
            ("1 2", 3),
            ("quexries", 1),
            ("(1", 3),
            ("1.2.3", 1),
            ("é", 1),
            ("1 % 2", 3),
            ("1)", 2),
            (deep.as_str(), 33),
        ] {
            let Err(Error::Invalid { detail }) = Expression::parse(text, &["queries"]) else {
                panic!("{text}")
            };
            assert!(detail.contains(&format!("column {column}:")), "{text}: {detail}");
        }
    }
}
