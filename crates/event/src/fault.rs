//! What is wrong with an input, and where. Not here: how a fault is shown over HTTP.

use std::fmt;

/// A JSON pointer (RFC 6901) into the body that the caller sent, such as `/events/3/actor/id`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Pointer(String);

impl Pointer {
    /// The whole document.
    pub fn root() -> Self {
        Self::default()
    }

    /// This pointer with one more reference token; `~` and `/` are escaped.
    #[must_use]
    pub fn child(&self, token: &str) -> Self {
        let mut longer = Self(String::with_capacity(self.0.len() + token.len() + 1));
        longer.0.push_str(&self.0);
        longer.push(token);
        longer
    }

    /// This pointer with the index of an array element.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.child(&index.to_string())
    }

    /// Makes this pointer go one reference token further.
    pub(crate) fn push(&mut self, token: &str) {
        self.0.push('/');
        for character in token.chars() {
            match character {
                '~' => self.0.push_str("~0"),
                '/' => self.0.push_str("~1"),
                other => self.0.push(other),
            }
        }
    }

    /// This place as seen from `above` (a pointer's text); `None` when it is not there or below.
    pub fn below(&self, above: &str) -> Option<Self> {
        let rest = self.0.strip_prefix(above)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| Self(rest.to_owned()))
    }

    /// The place `below` as seen from where this pointer leads.
    #[must_use]
    pub fn join(mut self, below: &Pointer) -> Self {
        self.0.push_str(&below.0);
        self
    }

    /// The pointer's text; empty for the whole document.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One thing that is wrong with an input: the place, and a sentence that says what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where in the sent body.
    pub pointer: Pointer,
    /// What is wrong and the remedy, as a sentence for the sender.
    pub detail: String,
}

impl Fault {
    /// A fault at `pointer`.
    pub fn new(pointer: Pointer, detail: impl Into<String>) -> Self {
        Self {
            pointer,
            detail: detail.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: {}",
            if self.pointer.as_str().is_empty() {
                "/"
            } else {
                self.pointer.as_str()
            },
            self.detail
        )
    }
}
