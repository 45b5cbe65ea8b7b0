//! The recursive reader that builds values, and the path by which it names the place of a fault.
//!
//! Invariants
//! - What is refused without stopping (a key twice, a number too large, …) is noted and reading goes on, so that one
//!   refusal does not hide the next. Only bad syntax, depth and size stop.
//! - A path costs nothing until a fault needs its pointer: it is a chain of references on the stack.

use std::borrow::Cow;

use super::{DEPTH_CEILING, Error, ErrorKind, Limits, Refusals, Value, string::Scanned};
use crate::Pointer;

/// Where the reader is.
pub(crate) enum Path<'p> {
    Root,
    At(&'p Pointer),
    Key(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl Path<'_> {
    pub(crate) fn pointer(&self) -> Pointer {
        match self {
            Path::Root => Pointer::root(),
            Path::At(pointer) => (*pointer).clone(),
            Path::Key(parent, key) => parent.pointer_to(key),
            Path::Index(parent, index) => parent.pointer_to(&index.to_string()),
        }
    }

    fn pointer_to(&self, token: &str) -> Pointer {
        let mut pointer = self.pointer();
        pointer.push(token);
        pointer
    }
}

/// Why reading cannot go on.
pub(crate) enum Stop {
    /// Not JSON.
    Syntax(Box<Error>),
    /// Nested too deeply; the rest of the value was not looked at.
    TooDeep(Box<Error>),
    /// Past the end that [`Reader::set_end`] set; the rest of the value was not looked at.
    TooLarge,
}

/// Reads JSON from a text whose UTF-8 is known to be valid.
pub(crate) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    end_max: usize,
    pub(super) depth_left: usize,
    pub(super) depth_max: usize,
    refusals: Refusals,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str, limits: &Limits) -> Self {
        let depth_max = limits.depth_max.min(DEPTH_CEILING);
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            end_max: usize::MAX,
            depth_left: depth_max,
            depth_max,
            refusals: Refusals::default(),
        }
    }

    /// The next byte's offset.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Goes on reading at `at`, where a value begins.
    pub(crate) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    /// Stops with `TooLarge` where a value goes on past `end_max`, so that no tree is built of what is too large anyway.
    pub(crate) fn set_end(&mut self, end_max: usize) {
        self.end_max = end_max;
    }

    /// What was refused since the last call.
    pub(crate) fn take_refusals(&mut self) -> Refusals {
        if self.refusals.count == 0 {
            Refusals::default()
        } else {
            std::mem::take(&mut self.refusals)
        }
    }

    pub(crate) fn check_byte_order_mark(&self) -> Result<(), Error> {
        if self.bytes.starts_with(b"\xEF\xBB\xBF") {
            return Err(self.error(
                ErrorKind::Syntax,
                0,
                &Path::Root,
                "The body begins with a byte order mark; send it without.",
            ));
        }
        Ok(())
    }

    /// The next byte, or 0 at the end (a raw NUL is never valid outside a string, so the two need no telling apart here).
    #[inline]
    pub(crate) fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    #[inline]
    pub(crate) fn skip_whitespace(&mut self) {
        while let b' ' | b'\n' | b'\r' | b'\t' = self.peek() {
            self.at += 1;
        }
    }

    /// Takes `byte` when it is next.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        self.at += usize::from(found);
        found
    }

    /// Takes `text` when it is next.
    #[inline]
    pub(crate) fn take_all(&mut self, text: &[u8]) -> bool {
        let found = self.bytes[self.at..].starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Only whitespace may be left.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        self.skip_whitespace();
        if self.at < self.bytes.len() {
            return Err(self.error(
                ErrorKind::Syntax,
                self.at,
                &Path::Root,
                "The JSON text ends here, but more follows; remove it.",
            ));
        }
        Ok(())
    }

    /// Reads a value; whitespace before it has been skipped.
    pub(crate) fn value(&mut self, path: &Path<'_>) -> Result<Value<'a>, Stop> {
        match self.peek() {
            b'"' => Ok(Value::String(self.string(path)?)),
            b'{' => self.nested(path, Self::object),
            b'[' => self.nested(path, Self::array),
            b't' if self.take_all(b"true") => Ok(Value::Bool(true)),
            b'f' if self.take_all(b"false") => Ok(Value::Bool(false)),
            b'n' if self.take_all(b"null") => Ok(Value::Null),
            b'-' | b'0'..=b'9' => self.number(path),
            _ => Err(self.unexpected(path, "a value")),
        }
    }

    /// One level deeper.
    fn nested(
        &mut self,
        path: &Path<'_>,
        read: fn(&mut Self, &Path<'_>) -> Result<Value<'a>, Stop>,
    ) -> Result<Value<'a>, Stop> {
        if self.depth_left == 0 {
            let detail = format!(
                "This is nested more than {} levels deep; send a flatter value or a text.",
                self.depth_max
            );
            return Err(Stop::TooDeep(Box::new(self.error(
                ErrorKind::Refused,
                self.at,
                path,
                detail,
            ))));
        }
        self.depth_left -= 1;
        self.at += 1;
        let value = read(self, path);
        self.depth_left += 1;
        value
    }

    fn array(&mut self, path: &Path<'_>) -> Result<Value<'a>, Stop> {
        let mut items = Vec::new();
        self.skip_whitespace();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            self.check_end()?;
            self.skip_whitespace();
            let item = self.value(&Path::Index(path, items.len()))?;
            items.push(item);
            self.skip_whitespace();
            match self.peek() {
                b',' => self.at += 1,
                b']' => break,
                _ => return Err(self.unexpected(path, "`,` or `]`")),
            }
        }
        self.at += 1;
        Ok(Value::Array(items))
    }

    fn object(&mut self, path: &Path<'_>) -> Result<Value<'a>, Stop> {
        let mut members = Vec::new();
        self.skip_whitespace();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        // An event has about a dozen members, what is inside it a handful.
        members.reserve(if self.depth_left + 1 == self.depth_max { 16 } else { 4 });
        let mut keys = Keys::default();
        loop {
            self.check_end()?;
            self.skip_whitespace();
            let start = self.at;
            let key = self.key(path)?;
            let here = Path::Key(path, &key);
            if keys.repeats(&key, &members) {
                self.refuse_repeated(start, &here);
            }
            // Strings are most of what is sent; going through `value` would copy them once more.
            if let Some(text) = self.plain_string() {
                members.push((key, Value::String(Cow::Borrowed(text))));
            } else {
                let value = self.value(&here)?;
                members.push((key, value));
            }
            self.skip_whitespace();
            match self.peek() {
                b',' => self.at += 1,
                b'}' => break,
                _ => return Err(self.unexpected(path, "`,` or `}`")),
            }
        }
        self.at += 1;
        if let Some(key) = repeated_in_many(&members) {
            self.refuse_repeated(self.at, &Path::Key(path, key));
        }
        Ok(Value::Object(members))
    }

    /// A key, its colon, and the whitespace around that.
    #[inline(always)]
    pub(crate) fn key(&mut self, path: &Path<'_>) -> Result<Cow<'a, str>, Stop> {
        if self.peek() != b'"' {
            return Err(self.unexpected(path, "a key in double quotes"));
        }
        let key = self.string(path)?;
        self.skip_whitespace();
        if !self.take(b':') {
            return Err(self.unexpected(path, "`:`"));
        }
        self.skip_whitespace();
        Ok(key)
    }

    /// A string, from its opening to its closing quote.
    #[inline(always)]
    pub(crate) fn string(&mut self, path: &Path<'_>) -> Result<Cow<'a, str>, Stop> {
        match self.plain_string() {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => self.escaped_string(path),
        }
    }

    #[cold]
    fn escaped_string(&mut self, path: &Path<'_>) -> Result<Cow<'a, str>, Stop> {
        let start = self.at;
        match self.scan_string() {
            Ok(Scanned { text, refused: None }) => Ok(text),
            Ok(Scanned {
                text,
                refused: Some(detail),
            }) => {
                self.refuse(start, path, detail);
                Ok(text)
            }
            Err(detail) => Err(self.syntax(path, detail)),
        }
    }

    fn number(&mut self, path: &Path<'_>) -> Result<Value<'a>, Stop> {
        let start = self.at;
        match self.scan_number() {
            Ok(Ok(number)) => Ok(Value::Number(number)),
            Ok(Err(detail)) => {
                self.refuse(start, path, detail);
                Ok(Value::Null)
            }
            Err(detail) => Err(self.syntax(path, detail)),
        }
    }

    #[inline]
    fn check_end(&self) -> Result<(), Stop> {
        if self.at > self.end_max {
            Err(Stop::TooLarge)
        } else {
            Ok(())
        }
    }

    #[cold]
    fn refuse_repeated(&mut self, offset: usize, path: &Path<'_>) {
        self.refuse(offset, path, "This key occurs twice in its object; send it once.");
    }

    #[cold]
    pub(super) fn refuse(&mut self, offset: usize, path: &Path<'_>, detail: &str) {
        let error = self.error(ErrorKind::Refused, offset, path, detail);
        self.refusals.push(error);
    }

    #[cold]
    pub(crate) fn syntax(&self, path: &Path<'_>, detail: impl Into<String>) -> Stop {
        Stop::Syntax(Box::new(self.error(ErrorKind::Syntax, self.at, path, detail)))
    }

    #[cold]
    pub(crate) fn unexpected(&self, path: &Path<'_>, wanted: &str) -> Stop {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            None => self.syntax(path, format!("The text ends where {wanted} was expected.")),
            Some(found) => self.syntax(path, format!("Found {found:?} where {wanted} was expected.")),
        }
    }

    pub(super) fn error(&self, kind: ErrorKind, offset: usize, path: &Path<'_>, detail: impl Into<String>) -> Error {
        Error {
            kind,
            offset,
            pointer: path.pointer(),
            detail: detail.into(),
        }
    }
}

/// Objects with at most this many members are checked for a repeated key while they are read, larger ones by sorting.
const FEW_MEMBERS: usize = 32;

/// The keys of one object so far, as one bit each: most keys are told to be new without comparing them with any other.
#[derive(Default)]
struct Keys {
    seen: u64,
}

impl Keys {
    #[inline]
    fn repeats(&mut self, key: &str, members: &[(Cow<'_, str>, Value<'_>)]) -> bool {
        let bytes = key.as_bytes();
        let ends = u32::from(*bytes.first().unwrap_or(&0)) * 31 + u32::from(*bytes.last().unwrap_or(&0));
        let bit = 1 << ((ends * 7 + bytes.len() as u32 * 13) % 64);
        let maybe = self.seen & bit != 0;
        self.seen |= bit;
        maybe && members.len() < FEW_MEMBERS && members.iter().any(|(other, _)| other == key)
    }
}

/// A key that occurs twice in an object of more than [`FEW_MEMBERS`] and was not noticed among the first of them.
fn repeated_in_many<'m>(members: &'m [(Cow<'_, str>, Value<'_>)]) -> Option<&'m str> {
    if members.len() <= FEW_MEMBERS {
        return None;
    }
    let mut late: Vec<(&str, usize)> = members
        .iter()
        .enumerate()
        .map(|(index, (key, _))| (key.as_ref(), index))
        .collect();
    late.sort_unstable();
    late.windows(2)
        .find(|pair| pair[0].0 == pair[1].0 && pair[1].1 >= FEW_MEMBERS)
        .map(|pair| pair[0].0)
}
