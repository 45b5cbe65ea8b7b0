//! What a request for a file says, held against the rules.

use serde::Deserialize;
use trailbook_access::{
    policy::{self, zone},
    records::{ExportFormat, ExportRequest},
};
use trailbook_event::{Fault, Filter, Pointer, Timestamp};
use trailbook_query::{Question, Range};
use utoipa::ToSchema;

use crate::http::{
    answers::Warning,
    ask::Ask,
    files::Lines,
    parameters,
    problem::{Code, Problem},
};

/// Columns of a file.
const COLUMNS_MAX: usize = 100;

/// A file to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportBody {
    format: ExportFormat,
    /// `filtered` (the default) or `all`: everything that is retained, whatever the rest says.
    #[serde(default)]
    scope: Scope,
    /// Only what occurred at this time or later (RFC 3339).
    #[serde(default)]
    from: Option<String>,
    /// Only what occurred before this time.
    #[serde(default)]
    to: Option<String>,
    /// Which events, in the query language.
    #[serde(default)]
    filter: Option<String>,
    /// The columns of a table: event paths, or ids of the policy's columns.
    #[serde(default)]
    columns: Option<Vec<String>>,
    /// IANA name of the zone of a CSV file's times; UTC by default.
    #[serde(default)]
    time_zone: Option<String>,
    /// Whether a CSV file's header row has labels instead of ids.
    #[serde(default)]
    labels: bool,
    /// An output mapping of the catalog, for JSON lines.
    #[serde(default)]
    mapping: Option<String>,
    /// Whether it is sent to the caller's own address.
    #[serde(default)]
    pub(super) email: bool,
}

#[derive(Deserialize, ToSchema, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExportScope)]
pub(crate) enum Scope {
    All,
    #[default]
    Filtered,
}

fn fault(name: &str, detail: impl Into<String>) -> Problem {
    Problem::faults(Code::Invalid, vec![Fault::new(Pointer::root().child(name), detail)])
}

impl ExportBody {
    /// What is wanted, with the range as the policy resolves it now, and what the caller should know.
    pub(super) fn checked(self, ask: &Ask) -> Result<(ExportRequest, Option<(String, String)>), Problem> {
        self.check_format()?;
        let all = self.scope == Scope::All;
        let (question, warning) = match all {
            true => (None, None),
            false => {
                let question = self.question(ask)?;
                let warning = ask.warning(self.time("from", &self.from)?, question.range)?;
                (Some(question), warning)
            }
        };
        let range = question.map(|question| question.range).unwrap_or_default();
        let request = ExportRequest {
            format: self.format,
            all,
            from: range.from.map(Timestamp::millis),
            to: range.to.map(Timestamp::millis),
            filter: self.filter.filter(|_| !all).unwrap_or_default(),
            columns: self.columns,
            time_zone: self.time_zone,
            labels: self.labels,
            mapping: self.mapping,
        };
        Lines::of_export(&ask.app, &ask.organization, &ask.policy, &request).map_err(|detail| {
            fault(
                if request.mapping.is_some() {
                    "mapping"
                } else {
                    "columns"
                },
                detail,
            )
        })?;
        Ok((
            request,
            warning.map(|Warning { code, detail }| (code.to_owned(), detail)),
        ))
    }

    /// Refuses what the format has no use for.
    fn check_format(&self) -> Result<(), Problem> {
        let is_table = matches!(self.format, ExportFormat::Csv | ExportFormat::Parquet);
        let for_csv = |name: &str| Err(fault(name, "It is for CSV files; leave it out."));
        if self.columns.is_some() && !is_table {
            return Err(fault("columns", "It is for CSV and Parquet files; leave it out."));
        }
        if self
            .columns
            .as_ref()
            .is_some_and(|columns| columns.is_empty() || columns.len() > COLUMNS_MAX)
        {
            return Err(fault("columns", format!("It must have 1 to {COLUMNS_MAX} elements.")));
        }
        if self.labels && self.format != ExportFormat::Csv {
            return for_csv("labels");
        }
        if self.mapping.is_some() && self.format != ExportFormat::Jsonl {
            return Err(fault("mapping", "It is for JSON lines; leave it out."));
        }
        match &self.time_zone {
            None => Ok(()),
            Some(_) if self.format != ExportFormat::Csv => for_csv("time_zone"),
            Some(name) if zone(name).is_none() => Err(fault(
                "time_zone",
                "It is no IANA name of a time zone, such as Europe/Berlin.",
            )),
            Some(_) => Ok(()),
        }
    }

    fn question(&self, ask: &Ask) -> Result<Question, Problem> {
        let at = Pointer::root().child("filter");
        let text = self.filter.as_deref().unwrap_or_default();
        let filter: Filter = parameters::query(text, &ask.policy).map_err(|problem| problem.in_body(at))?;
        let (from, to) = (self.time("from", &self.from)?, self.time("to", &self.to)?);
        let range = ask.policy.resolve(policy::Range { from, to }, ask.app.clock.now());
        let range = range.map_err(|detail| fault("from", detail))?;
        Ok(Question {
            filter,
            range: Range {
                from: range.from,
                to: range.to,
            },
        })
    }

    fn time(&self, name: &str, text: &Option<String>) -> Result<Option<Timestamp>, Problem> {
        let read = |text: &String| {
            Timestamp::parse(text).ok_or_else(|| fault(name, "It must be a time such as 2026-11-20T09:14:07Z."))
        };
        text.as_ref().map(read).transpose()
    }
}
