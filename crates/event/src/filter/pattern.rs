//! What a value of a field is compared with.

use std::{borrow::Cow, net::IpAddr};

use super::{Field, Network};
use crate::text;

/// A value to look for, whole or as a prefix, without case; or a network.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// The whole value.
    Whole(Folded),
    /// The beginning of the value; an empty one finds every event that has the field.
    Prefix(Folded),
    /// Any address of the network; only of [`Field::Ip`].
    Network(Network),
}

/// A text as it was written, and in the folded form that is compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Folded {
    written: String,
    folded: String,
}

impl Folded {
    /// Folds a text.
    pub fn new(written: impl Into<String>) -> Self {
        let written = written.into();
        Self {
            folded: text::fold_case(&written).into_owned(),
            written,
        }
    }

    /// The text as it was written.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The text as [`text::fold_case`] folds it.
    pub fn folded(&self) -> &str {
        &self.folded
    }
}

impl Pattern {
    /// The pattern of a value of `field`, whole or, with `is_prefix`, its beginning.
    ///
    /// # Errors
    /// What the field wants instead, as a noun phrase.
    pub fn new(field: &Field, value: Cow<'_, str>, is_prefix: bool) -> Result<Self, String> {
        if value.is_empty() && !is_prefix {
            return Err("a value".to_owned());
        }
        match field {
            Field::Ip if !is_prefix => value.parse().map(Self::Network).map_err(|()| {
                "an IP address, a network such as 203.0.113.0/24, or the beginning of an address with a `*`".to_owned()
            }),
            Field::Security
                if !value.is_empty() && (is_prefix || !matches!(&*text::fold_case(&value), "true" | "false")) =>
            {
                Err("true or false".to_owned())
            }
            _ if is_prefix => Ok(Self::Prefix(Folded::new(value))),
            _ => Ok(Self::Whole(Folded::new(value))),
        }
    }

    /// Whether a value, as [`super::values`] hands it over, is what this looks for.
    pub fn matches(&self, value: &str) -> bool {
        match self {
            Self::Whole(text) => text::equals_folded(value, text.folded()),
            Self::Prefix(text) => text::begins_folded(value, text.folded()),
            Self::Network(network) => value.parse::<IpAddr>().is_ok_and(|address| network.contains(address)),
        }
    }
}
