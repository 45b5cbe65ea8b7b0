//! The settings as text: which are in force, and where each comes from. For people; never a secret.

use std::fmt::Write as _;

use super::{NAMES, layers::Sourced};

/// Settings that are URLs: what they lead to is shown, the password in them is not.
const URLS: [&str; 3] = ["database", "objects", "smtp_url"];

/// A setting as it is shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its value, without anything secret; `None` when nobody set it and it has no default.
    pub(crate) value: Option<String>,
    /// Where the value comes from.
    pub(super) source: String,
}

impl Shown {
    /// A setting that was given, or else its default.
    pub(super) fn of(name: &'static str, given: Option<Sourced>, default: Option<&String>) -> Self {
        match given {
            Some(Sourced { source, value }) => Self {
                name,
                value: Some(harmless(name, value)),
                source,
            },
            None => Self {
                name,
                value: default.cloned(),
                source: "default".into(),
            },
        }
    }
}

/// The settings as a TOML file, one a line, with where each comes from.
pub(super) fn toml(shown: &[Shown]) -> String {
    let mut out = String::new();
    for Shown { name, value, source } in shown {
        let line = match value {
            Some(value) if value.parse::<i64>().is_ok() || value.parse::<bool>().is_ok() => {
                format!("{name} = {value}  # {source}")
            }
            Some(value) => format!("{name} = {}  # {source}", toml::Value::from(value.as_str())),
            None => format!("# {name} is not set"),
        };
        writeln!(out, "{line}").expect("a string takes all text");
    }
    out
}

/// Whether a setting holds a secret: those can be in files of their own.
fn is_secret(name: &str) -> bool {
    NAMES.into_iter().any(|other| other.strip_suffix("_file") == Some(name))
}

fn harmless(name: &str, value: String) -> String {
    match (is_secret(name), URLS.contains(&name)) {
        (false, _) => value,
        (true, true) => without_password(&value),
        (true, false) => "(secret)".into(),
    }
}

/// A URL without its password, whether that stands before the host or among the parameters; what is no URL is not shown at all.
///
/// By hand, as the URL of a database may name several hosts, which no URL of the web does.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "(secret)".into();
    };
    // The last one: a password may hold any other, and what is hidden in excess does no harm.
    let place = match rest.rsplit_once('@') {
        Some((user, place)) => format!("{}@{place}", user.split(':').next().unwrap_or_default()),
        None => rest.to_owned(),
    };
    let (place, parameters) = place.split_once('?').unwrap_or((&place, ""));
    let kept: Vec<&str> = parameters
        .split('&')
        .filter(|parameter| !parameter.is_empty() && !parameter.to_ascii_lowercase().contains("password"))
        .collect();
    let mark = if kept.is_empty() { "" } else { "?" };
    format!("{scheme}://{place}{mark}{}", kept.join("&"))
}
