//! Query parameters, strictly: what an endpoint does not name is refused, and so is repeating what has one value.
//!
//! Each endpoint has one [`Accepts`]: the same list checks requests and describes the endpoint in the OpenAPI document.
//!
//! Not here: what filters mean (`trailbook_event::filter`).

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use trailbook_access::policy::{Policy, Range, zone};
use trailbook_event::{Filter, Timestamp, filter};

use super::problem::{Code, Problem};

/// One parameter that an endpoint knows beside the filters.
#[derive(Debug)]
pub(crate) struct Parameter {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it means, for the OpenAPI document.
    pub(crate) description: &'static str,
    /// What values it has.
    pub(crate) kind: Kind,
}

/// What values a parameter has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// Any texts: the parameter may be repeated.
    Texts,
    /// One of these.
    Choice(&'static [&'static str]),
    /// A whole number from the first to the second.
    Number(u64, u64),
    /// A time (RFC 3339 with an offset).
    Time,
}

/// The parameters that an endpoint accepts.
#[derive(Debug)]
pub(crate) struct Accepts {
    /// Whether the filters, `q`, `from` and `to` are among them.
    pub(crate) filters: bool,
    /// Its own.
    pub(crate) own: &'static [&'static Parameter],
}

const fn parameter(name: &'static str, kind: Kind, description: &'static str) -> Parameter {
    Parameter {
        name,
        description,
        kind,
    }
}

/// `from` of every filtered read.
pub(crate) const FROM: Parameter = parameter("from", Kind::Time, "Only what occurred at this time or later.");
/// `to` of every filtered read.
pub(crate) const TO: Parameter = parameter("to", Kind::Time, "Only what occurred before this time.");
/// `q` of every filtered read.
pub(crate) const Q: Parameter = parameter("q", Kind::Text, "A query in the language of the search box.");
/// The order of a page.
pub(crate) const ORDER: Parameter = parameter(
    "order",
    Kind::Choice(&["desc", "asc"]),
    "Newest first (`desc`, the default) or oldest first.",
);
/// A page's length.
pub(crate) const LIMIT: Parameter = parameter("limit", Kind::Number(1, 1000), "At most so many events; 50 by default.");
/// Where a page begins.
pub(crate) const CURSOR: Parameter = parameter("cursor", Kind::Text, "`next` of the page before.");
/// The fields of facets.
pub(crate) const FIELD: Parameter = parameter("field", Kind::Texts, "A field to count the values of; may be repeated.");
/// How many values of a facet.
pub(crate) const VALUES: Parameter = parameter(
    "limit",
    Kind::Number(1, 1000),
    "At most so many values a field; 20 by default.",
);
/// The beginning of facet values.
pub(crate) const PREFIX: Parameter = parameter(
    "prefix",
    Kind::Text,
    "Only values or labels that begin so, without case.",
);
/// A histogram's bucket.
pub(crate) const INTERVAL: Parameter = parameter(
    "interval",
    Kind::Choice(&["hour", "day", "week", "month"]),
    "The width of a bucket; `day` by default.",
);
/// The zone of calendar days.
pub(crate) const TIME_ZONE: Parameter = parameter(
    "time_zone",
    Kind::Text,
    "IANA name of a time zone; the policy's by default.",
);
/// The zone of times in a file.
pub(crate) const FILE_ZONE: Parameter = parameter(
    "time_zone",
    Kind::Text,
    "IANA name of the zone in which times are written; UTC by default.",
);
/// The columns of a file.
pub(crate) const COLUMNS: Parameter = parameter(
    "columns",
    Kind::Text,
    "Event paths or ids of the policy's columns, separated by commas, such as `occurred_at,actor.email`. With labels, the \
     policy's columns come first where a name is both, and are the default.",
);
/// The header row of a file.
pub(crate) const LABELS: Parameter = parameter(
    "labels",
    Kind::Choice(&["true", "false"]),
    "Whether the header row has labels instead of ids.",
);
/// Whether a file has everything.
pub(crate) const SCOPE: Parameter = parameter(
    "scope",
    Kind::Choice(&["filtered", "all"]),
    "`filtered` (the default), or `all` that is retained, whatever ranges the policy allows; then without filters, `from` and `to`.",
);
/// The size of the tree that a proof or checkpoint speaks of.
pub(crate) const SIZE: Parameter = parameter(
    "size",
    Kind::Number(0, i64::MAX as u64),
    "The size of a published checkpoint; the newest by default.",
);
/// The older size of a consistency proof.
pub(crate) const FROM_SIZE: Parameter = parameter("from", Kind::Number(0, i64::MAX as u64), "The older size.");
/// The newer size of a consistency proof.
pub(crate) const TO_SIZE: Parameter = parameter("to", Kind::Number(0, i64::MAX as u64), "The newer size.");
/// The catalog's mapping for foreign payloads.
pub(crate) const MAPPING: Parameter = parameter(
    "mapping",
    Kind::Text,
    "The catalog's input mapping that makes events of the payloads in the body.",
);
/// Whose events payloads are.
pub(crate) const ORGANIZATION: Parameter = parameter(
    "organization",
    Kind::Text,
    "With `mapping`: whose events the payloads are, when they do not say themselves.",
);
/// The catalog's mapping to foreign payloads.
pub(crate) const PAYLOADS: Parameter = parameter(
    "mapping",
    Kind::Text,
    "The catalog's output mapping that makes a payload of each event.",
);

/// Where a list of names goes on.
pub(crate) const AFTER: Parameter = parameter("after", Kind::Text, "Only names after this one.");
/// How many names.
pub(crate) const NAMES: Parameter = parameter("limit", Kind::Number(1, 1000), "At most so many names; 100 by default.");
/// Whose viewer tokens.
pub(crate) const TOKEN_ACTOR: Parameter = parameter("actor", Kind::Text, "The id of the tokens' actor.");

/// The names that every filtered read knows, beside the fields.
pub(crate) const RANGE_AND_QUERY: [&Parameter; 3] = [&FROM, &TO, &Q];

/// The parameters of one request, by name, in the order of their values.
#[derive(Debug)]
pub(crate) struct Parameters(BTreeMap<String, Vec<String>>);

/// What a filtered read asks for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Everything but the range.
    pub(crate) filter: Filter,
    /// The resolved range.
    pub(crate) range: Range,
}

impl Parameters {
    /// Reads a URL's query and holds it against what the endpoint accepts.
    pub(crate) fn read(query: Option<&str>, accepts: &Accepts) -> Result<Self, Problem> {
        let mut parameters = BTreeMap::<String, Vec<String>>::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parameters.entry(decode(name)?).or_default().push(decode(value)?);
        }
        let parameters = Self(parameters);
        parameters
            .0
            .iter()
            .try_for_each(|(name, values)| accepts.check(name, values))?;
        Ok(parameters)
    }

    /// The value of a parameter.
    pub(crate) fn text(&self, parameter: &Parameter) -> Option<&str> {
        self.texts(parameter).first().map(String::as_str)
    }

    /// The values of a parameter.
    pub(crate) fn texts(&self, parameter: &Parameter) -> &[String] {
        self.0.get(parameter.name).map_or(&[], Vec::as_slice)
    }

    /// The value of a number.
    pub(crate) fn number(&self, parameter: &Parameter) -> Option<u64> {
        self.text(parameter).and_then(|text| text.parse().ok())
    }

    /// The value of a time.
    pub(crate) fn time(&self, parameter: &Parameter) -> Option<Timestamp> {
        self.text(parameter).and_then(Timestamp::parse)
    }

    /// The time zone that a parameter names.
    pub(crate) fn zone(&self, parameter: &Parameter) -> Result<Option<TimeZone>, Problem> {
        let unknown = || Problem::parameter(parameter.name, "must be an IANA name, such as Europe/Berlin.");
        self.text(parameter)
            .map(|name| zone(name).ok_or_else(unknown))
            .transpose()
    }

    /// The first of the filters, `from` and `to` that was sent.
    pub(crate) fn narrowing(&self) -> Option<&str> {
        let is_narrowing = |name: &str| RANGE_AND_QUERY.iter().any(|known| known.name == name) || is_field(name);
        self.0.keys().map(String::as_str).find(|name| is_narrowing(name))
    }

    /// The filters, with the range as the policy resolves it.
    pub(crate) fn asked(&self, policy: &Policy, now: Timestamp) -> Result<Asked, Problem> {
        let range = Range {
            from: self.time(&FROM),
            to: self.time(&TO),
        };
        let range = policy
            .resolve(range, now)
            .map_err(|detail| Problem::new(Code::RangeTooWide, detail))?;
        Ok(Asked {
            filter: self.filter(policy)?,
            range,
        })
    }

    /// The filters with the range as it was given: for a feed, which has no default range.
    pub(crate) fn filter_and_range(&self, policy: &Policy) -> Result<Filter, Problem> {
        let range = [self.time(&FROM).map(Filter::After), self.time(&TO).map(Filter::Before)];
        Ok(Filter::all_of(
            range.into_iter().flatten().chain([self.filter(policy)?]),
        ))
    }

    /// The filters without the range: `q` and all fields must hold.
    pub(crate) fn filter(&self, policy: &Policy) -> Result<Filter, Problem> {
        let mut filters = vec![self.text(&Q).map_or_else(|| Ok(Filter::all()), |q| query(q, policy))?];
        for (name, values) in &self.0 {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let found = filter::from_parameter(name, &values);
            filters.extend(found.map_err(|detail| Problem::new(Code::InvalidParameter, format!("{detail}.")))?);
        }
        Ok(Filter::all_of(filters))
    }
}

/// Reads a text of the query language, with days in the policy's zone.
pub(crate) fn query(text: &str, policy: &Policy) -> Result<Filter, Problem> {
    policy
        .filter(text)
        .map_err(|error| Problem::query(error.column, &error.expected))
}

impl Accepts {
    fn check(&self, name: &str, values: &[String]) -> Result<(), Problem> {
        let own = self.own.iter().find(|parameter| parameter.name == name);
        let common = || {
            RANGE_AND_QUERY
                .iter()
                .find(|parameter| self.filters && parameter.name == name)
        };
        match own.or_else(common) {
            Some(parameter) => parameter.check(values),
            None if self.filters && is_field(name) => Ok(()),
            None => Err(Problem::parameter(name, "there is no such parameter here.")),
        }
    }
}

fn is_field(name: &str) -> bool {
    let name = name.strip_prefix('-').unwrap_or(name);
    name.starts_with("metadata.") || filter::Field::names().any(|known| known == name)
}

impl Parameter {
    fn check(&self, values: &[String]) -> Result<(), Problem> {
        let refuse = |detail: &str| Err(Problem::parameter(self.name, detail));
        if values.len() > 1 && !matches!(self.kind, Kind::Texts) {
            return refuse("the parameter has one value; it occurs more than once.");
        }
        values.iter().try_for_each(|value| match self.kind {
            Kind::Text | Kind::Texts => Ok(()),
            Kind::Choice(choices) if choices.contains(&value.as_str()) => Ok(()),
            Kind::Choice(choices) => refuse(&format!("must be one of {}.", choices.join(", "))),
            Kind::Number(low, high) if is_number(value, low, high) => Ok(()),
            Kind::Number(low, high) => refuse(&format!("must be a whole number from {low} to {high}.")),
            Kind::Time if Timestamp::parse(value).is_some() => Ok(()),
            Kind::Time => refuse(
                "must be a time with an offset, such as 2026-11-20T09:14:07Z (write + as %2B); a local time is refused.",
            ),
        })
    }
}

fn is_number(text: &str, low: u64, high: u64) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse().is_ok_and(|number| (low..=high).contains(&number))
}

/// Undoes percent-encoding, `+` being a space; the text must be UTF-8 without NUL.
pub(crate) fn decode(text: &str) -> Result<String, Problem> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
                match (digit(), digit()) {
                    (Some(high), Some(low)) => (high << 4 | low) as u8,
                    _ => return Err(badly_encoded()),
                }
            }
            other => other,
        });
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
        .ok_or_else(badly_encoded)
}

fn badly_encoded() -> Problem {
    Problem::new(
        Code::InvalidParameter,
        "The query string must be percent-encoded UTF-8 without NUL.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: Accepts = Accepts {
        filters: true,
        own: &[&ORDER, &LIMIT, &FIELD],
    };

    fn read(query: &str) -> Result<Parameters, Code> {
        Parameters::read(Some(query), &EVENTS).map_err(|problem| problem.code)
    }

    #[test]
    fn unknown_repeated_and_out_of_range_parameters_are_refused() {
        for query in [
            "limits=5",
            "limit=0",
            "limit=1001",
            "limit=+5",
            "limit=",
            "limit=5&limit=5",
            "order=up",
            "q=a&q=b",
            "from=2026-11-20T09:14:07",
            "from=yesterday",
            "to=2026-11-20",
            "%zz=1",
            "q=%ff",
            "q=%00",
            "-q=x",
            "cursor=x",
        ] {
            assert_eq!(read(query).err(), Some(Code::InvalidParameter), "{query}");
        }
    }

    #[test]
    fn values_are_decoded_and_fields_may_be_repeated() {
        let parameters =
            read("q=a+b%2Bc&actor=u_1&actor=u_2&-metadata.plan=gold&limit=7&field=area&field=actor").expect("accepted");
        assert_eq!(parameters.text(&Q), Some("a b+c"));
        assert_eq!(parameters.number(&LIMIT), Some(7));
        assert_eq!(parameters.texts(&FIELD), ["area", "actor"]);
        assert!(parameters.filter(&Policy::default()).is_ok());
    }

    #[test]
    fn a_bad_query_names_its_column() {
        let problem = read("q=actor:(")
            .expect("accepted")
            .filter(&Policy::default())
            .expect_err("bad");
        assert_eq!(problem.code, Code::InvalidQuery);
    }
}
