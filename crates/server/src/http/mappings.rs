//! The catalog's mappings over HTTP: `mapping=NAME` of ingest and of reads.
//!
//! Not here: what a mapping does (`trailbook_import`).

use std::sync::Arc;

use trailbook_deliver::json::{Envelope, write_event};
use trailbook_event::json::{self, DEPTH_CEILING, write_canonical};
use trailbook_import::{Output, Vocabulary};
use trailbook_ledger::Row;

use super::{
    App,
    ask::Ask,
    parameters::{MAPPING, ORGANIZATION, PAYLOADS, Parameters},
    problem::Problem,
};

/// What a call says of the payloads that it sends.
pub(crate) struct Sent<'p> {
    /// The name of the input mapping.
    pub(crate) mapping: &'p str,
    /// Whose events they are.
    pub(crate) organization: Option<&'p str>,
}

impl<'p> Sent<'p> {
    /// What the parameters say; `None` when the body holds events. `bound` is the only organization that the caller may
    /// send for.
    ///
    /// # Errors
    /// The catalog has no such mapping, or there is an organization without one.
    pub(crate) fn of(
        parameters: &'p Parameters,
        vocabulary: Option<&Vocabulary>,
        bound: Option<&'p str>,
    ) -> Result<Option<Self>, Problem> {
        let organization = parameters.text(&ORGANIZATION);
        let Some(mapping) = parameters.text(&MAPPING) else {
            return match organization {
                None => Ok(None),
                Some(_) => Err(Problem::parameter(
                    "organization",
                    "this goes with `mapping`; events name their organization themselves.",
                )),
            };
        };
        if vocabulary.is_none_or(|vocabulary| vocabulary.input(mapping).is_none()) {
            return Err(unknown("input", vocabulary.into_iter().flat_map(Vocabulary::inputs)));
        }
        Ok(Some(Self {
            mapping,
            organization: organization.or(bound),
        }))
    }
}

/// The output mapping that a read asks for.
pub(crate) fn output(ask: &Ask, parameters: &Parameters) -> Result<Option<Arc<Output>>, Problem> {
    let Some(name) = parameters.text(&PAYLOADS) else {
        return Ok(None);
    };
    let found = named(&ask.app, ask.organization.project(), name);
    found.map(Some).map_err(|detail| Problem::parameter("mapping", &detail))
}

/// The output mapping of a name.
///
/// # Errors
/// The project's catalog has none; the sentence says which there are.
pub(crate) fn named(app: &App, project: &str, name: &str) -> Result<Arc<Output>, String> {
    let vocabulary = app.vocabulary(project);
    let output = vocabulary.as_ref().and_then(|vocabulary| vocabulary.output(name));
    output
        .cloned()
        .ok_or_else(|| unnamed("output", vocabulary.iter().flat_map(|vocabulary| vocabulary.outputs())))
}

fn unknown<'n>(direction: &str, names: impl Iterator<Item = &'n str>) -> Problem {
    Problem::parameter("mapping", &unnamed(direction, names))
}

pub(crate) fn unnamed<'n>(direction: &str, names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    let known = if names.is_empty() {
        "it has none".to_owned()
    } else {
        format!("there are {}", names.join(", "))
    };
    format!("the project's catalog has no {direction} mapping of this name; {known}.")
}

/// Appends an event, or the payload that the mapping makes of it.
///
/// # Errors
/// The stored event cannot be read.
pub(crate) fn write(
    row: &Row,
    envelope: &Envelope<'_>,
    output: Option<&Output>,
    out: &mut Vec<u8>,
) -> Result<(), json::Error> {
    let Some(output) = output else {
        write_event(row, envelope, out);
        return Ok(());
    };
    let mut event = Vec::with_capacity(1024);
    write_event(row, envelope, &mut event);
    let limits = json::Limits {
        depth_max: DEPTH_CEILING,
    };
    let event = json::parse_bytes(&event, &limits)?;
    write_canonical(&output.payload(&event), out);
    Ok(())
}

impl From<json::Error> for Problem {
    fn from(error: json::Error) -> Self {
        tracing::error!(%error, "a stored event cannot be read");
        Self::internal()
    }
}
