//! Places in a record: JSON pointers (RFC 6901) with two additions, and templates made of them.
//!
//! `/a/b` is looked up in the record, `@/a/b` in the element that `explode` or `each` stands at, and a step `[name=X]`
//! takes the first element of a list whose member `name` is the text X. `@hash`, `@occurrence` and `@index` are no
//! places but facts about the record; see docs/import.md.

use std::{borrow::Cow, fmt::Write as _};

use trailbook_event::{
    Pointer,
    json::{Value, write_canonical},
};

use super::Scope;

/// What a template makes at most, as an event may have; a longer text is none.
const TEMPLATE_BYTES_MAX: usize = 1024 * 1024;

/// A place in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    base: Base,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    Record,
    Element,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Select { member: String, equals: String },
}

impl Path {
    /// Reads a pointer; `None` when the text is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (base, rest) = match text.strip_prefix('@') {
            Some(rest) => (Base::Element, rest),
            None => (Base::Record, text),
        };
        if rest.is_empty() {
            return (base == Base::Element).then_some(Self {
                base,
                steps: Vec::new(),
            });
        }
        let steps = rest.strip_prefix('/')?.split('/').map(Step::parse).collect();
        Some(Self { base, steps })
    }

    /// The value at this place.
    pub(crate) fn find<'v>(&self, scope: &Scope<'v>) -> Option<&'v Value<'v>> {
        let start = match self.base {
            Base::Record => scope.record,
            Base::Element => scope.element?,
        };
        self.steps.iter().try_fold(start, |value, step| step.follow(value))
    }

    /// The value at this place of a record.
    pub(crate) fn of<'v>(&self, record: &'v Value<'v>) -> Option<&'v Value<'v>> {
        self.steps.iter().try_fold(record, |value, step| step.follow(value))
    }

    /// This place as a JSON pointer; `None` when it is none: in an element, or selected by a member.
    pub(crate) fn pointer(&self) -> Option<Pointer> {
        let place = self.keys()?;
        Some(
            place
                .into_iter()
                .fold(Pointer::root(), |pointer, key| pointer.child(key)),
        )
    }

    /// The keys on the way to a place in the record; `None` when there are other steps than keys.
    pub(crate) fn keys(&self) -> Option<Vec<&str>> {
        if self.base == Base::Record {
            self.steps.iter().map(Step::key).collect()
        } else {
            None
        }
    }

    /// Puts what `replace` makes of the value at this place there; without a value nothing happens.
    pub(crate) fn replace<'v>(&self, root: &mut Value<'v>, replace: impl FnOnce(&Value<'v>) -> Option<Value<'v>>) {
        let place = self.steps.iter().try_fold(root, |value, step| step.follow_mut(value));
        if let Some(place) = place
            && let Some(new) = replace(place)
        {
            *place = new;
        }
    }

    /// Takes the member at this place out of its object; without one nothing happens.
    pub(crate) fn remove(&self, root: &mut Value<'_>) {
        let Some((Step::Key(last), parents)) = self.steps.split_last() else {
            return;
        };
        if let Some(Value::Object(members)) = parents.iter().try_fold(root, |value, step| step.follow_mut(value)) {
            members.retain(|(key, _)| key != last);
        }
    }
}

impl Step {
    fn parse(token: &str) -> Self {
        let unescape = |text: &str| text.replace("~1", "/").replace("~0", "~");
        let selector = token
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .and_then(|rest| rest.split_once('='));
        match selector {
            Some((member, equals)) => Self::Select {
                member: unescape(member),
                equals: unescape(equals),
            },
            None => Self::Key(unescape(token)),
        }
    }

    fn key(&self) -> Option<&str> {
        match self {
            Self::Key(key) => Some(key),
            Self::Select { .. } => None,
        }
    }

    fn follow<'v>(&self, value: &'v Value<'v>) -> Option<&'v Value<'v>> {
        match (self, value) {
            (Self::Key(key), Value::Object(_)) => value.get(key),
            (Self::Key(key), Value::Array(items)) => items.get(key.parse::<usize>().ok()?),
            (Self::Select { .. }, Value::Array(items)) => items.iter().find(|item| self.selects(item)),
            _ => None,
        }
    }

    fn follow_mut<'m, 'v>(&self, value: &'m mut Value<'v>) -> Option<&'m mut Value<'v>> {
        match (self, value) {
            (Self::Key(key), Value::Object(members)) => {
                members.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
            }
            (Self::Key(key), Value::Array(items)) => items.get_mut(key.parse::<usize>().ok()?),
            (Self::Select { .. }, Value::Array(items)) => items.iter_mut().find(|item| self.selects(item)),
            _ => None,
        }
    }

    fn selects(&self, item: &Value<'_>) -> bool {
        let Self::Select { member, equals } = self else {
            return false;
        };
        matches!(item.get(member), Some(Value::String(text)) if text == equals)
    }
}

/// Something that yields a text: a constant, a place, a fact about the record, or a template of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(Path),
    Hash,
    Occurrence,
    Index,
}

impl Source {
    /// Reads a source: a pointer, a template with `{pointer}` in it, or a constant.
    ///
    /// # Errors
    /// A sentence about the template.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with('/') || text.starts_with('@') {
            return Ok(Self(vec![Piece::parse(text)?]));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((place, after)) = after.split_once('}') else {
                return Err(format!("the `{{` in `{text}` is not closed"));
            };
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::parse(place)?);
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        Ok(Self(pieces))
    }

    /// The text, or `None` when any place in it holds nothing.
    pub(crate) fn text<'v>(&self, scope: &Scope<'v>) -> Option<Cow<'v, str>> {
        if let [piece] = self.0.as_slice() {
            return piece.text(scope);
        }
        let mut whole = String::new();
        for piece in &self.0 {
            whole.push_str(&piece.text(scope)?);
            if whole.len() > TEMPLATE_BYTES_MAX {
                return None;
            }
        }
        Some(Cow::Owned(whole))
    }

    /// The place, when this is a single one that a JSON pointer can name.
    pub(crate) fn pointer(&self) -> Option<Pointer> {
        match self.0.as_slice() {
            [Piece::Place(path)] => path.pointer(),
            _ => None,
        }
    }

    /// The value as it stands, when this is a single place that holds something.
    pub(crate) fn value<'v>(&self, scope: &Scope<'v>) -> Option<&'v Value<'v>> {
        let [Piece::Place(path)] = self.0.as_slice() else {
            return None;
        };
        path.find(scope)
    }

    /// Whether the text depends on how often the same record came before.
    pub(crate) fn counts_occurrences(&self) -> bool {
        self.0.contains(&Piece::Occurrence)
    }
}

impl Piece {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "@hash" => Ok(Self::Hash),
            "@occurrence" => Ok(Self::Occurrence),
            "@index" => Ok(Self::Index),
            _ => Path::parse(text).map(Self::Place).ok_or_else(|| {
                format!("`{text}` is no pointer; write it as `/a/b`, `@/a/b`, `@hash`, `@occurrence` or `@index`")
            }),
        }
    }

    fn text<'v>(&self, scope: &Scope<'v>) -> Option<Cow<'v, str>> {
        match self {
            Self::Text(text) => Some(Cow::Owned(text.clone())),
            Self::Place(path) => scope.something(path.find(scope)?),
            Self::Hash => Some(Cow::Owned(scope.identity.hash.clone())),
            Self::Occurrence => Some(Cow::Owned(scope.identity.occurrence.to_string())),
            Self::Index => Some(Cow::Owned(scope.index.to_string())),
        }
    }
}

/// The text form of a value: texts as they are, numbers and booleans as JSON writes them, lists and objects have none.
pub(crate) fn text_of<'v>(value: &'v Value<'v>) -> Option<Cow<'v, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text.as_ref())),
        Value::Bool(_) | Value::Number(_) => {
            let mut bytes = Vec::new();
            write_canonical(value, &mut bytes);
            String::from_utf8(bytes).ok().map(Cow::Owned)
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Lower-case hexadecimal digits of bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
