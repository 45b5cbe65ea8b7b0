//! Reads of one organization: pages, single events, counts, facets, histograms and traces.
//!
//! Invariant: every answer to a filtered read carries the resolved range and the ledger's size that it speaks of.
//!
//! Not here: finding (`trailbook_query`), how an event is written (`trailbook_deliver`).

use axum::{http::StatusCode, response::Response};
use serde::Serialize;
use trailbook_deliver::json::Envelope;
use trailbook_event::{Field, Timestamp, json::write_string};
use trailbook_import::Output;
use trailbook_ledger::{EventId, OrganizationKey, Retention, Row};
use trailbook_query::{self as query, FacetRequest, Interval, Order, PageRequest, Question, View};

use super::{
    answers::{Bucket, Count, FacetValue, Facets, Histogram, Page, Spoken, Time, Trace, TraceActor, Warning},
    ask::{Ask, Viewing, bytes_of_json, json},
    mappings,
    openapi::EventReturned,
    parameters::{
        Accepts, CURSOR, FIELD, FROM, INTERVAL, LIMIT, ORDER, PAYLOADS, PREFIX, Parameters, TIME_ZONE, TO, VALUES,
    },
    problem::{Code, Document, Problem},
    proof::NOTHING,
};

/// What a page accepts.
pub(crate) const PAGE: Accepts = Accepts {
    filters: true,
    own: &[&ORDER, &LIMIT, &CURSOR, &PAYLOADS],
};
/// What a single event accepts.
pub(crate) const ONE: Accepts = Accepts {
    filters: false,
    own: &[&PAYLOADS],
};
/// What a count accepts.
pub(crate) const COUNT: Accepts = Accepts {
    filters: true,
    own: &[],
};
/// What facets accept.
pub(crate) const FACETS: Accepts = Accepts {
    filters: true,
    own: &[&FIELD, &VALUES, &PREFIX],
};
/// What a histogram accepts.
pub(crate) const HISTOGRAM: Accepts = Accepts {
    filters: true,
    own: &[&INTERVAL, &TIME_ZONE],
};

const PAGE_EVENTS: usize = 50;
const FACET_VALUES: usize = 20;
/// Fields in one request for facets.
const FACETS_MAX: usize = 16;

impl Ask {
    /// What the caller may read of the ledger, as it is now.
    pub(crate) fn view(&self) -> Result<View, Problem> {
        Ok(self
            .app
            .measures
            .timed("view", || self.app.engine.view(&self.scope()))?)
    }

    /// The question that the filters ask, with the range as the policy resolves it.
    pub(crate) fn question(&self, parameters: &Parameters) -> Result<Question, Problem> {
        let asked = parameters.asked(&self.policy, self.app.clock.now())?;
        let range = query::Range {
            from: asked.range.from,
            to: asked.range.to,
        };
        Ok(Question {
            filter: asked.filter,
            range,
        })
    }

    /// What an answer speaks of. To be asked after the answer: a floor that moved meanwhile is then known.
    fn spoken(&self, parameters: &Parameters, range: query::Range, size: u64) -> Result<Spoken, Problem> {
        let warnings = self.warning(parameters.time(&FROM), range)?.into_iter().collect();
        Ok(Spoken::of(range, size, warnings))
    }

    /// What to tell a reader whose range reaches behind the retention; `named` is the beginning that the caller gave.
    pub(crate) fn warning(&self, named: Option<Timestamp>, range: query::Range) -> Result<Option<Warning>, Problem> {
        let now = self.app.clock.now();
        let retention = self.app.ledger.retention(&self.organization);
        let expired = self.app.ledger.expired_through(&self.organization)?;
        Ok(beyond_retention(named, range.from, expired, retention, now))
    }

    /// The envelope of the organization's events.
    pub(crate) fn envelope(&self) -> Envelope<'_> {
        envelope(&self.organization, self.kept_ms())
    }

    /// How long the organization's events are kept, in milliseconds; `None` is for ever.
    pub(crate) fn kept_ms(&self) -> Option<i64> {
        self.app.kept_ms(&self.organization)
    }
}

/// What has expired is missing wherever a range begins before; how long events are kept is said only of a beginning that was named, so that
/// a default range does not warn while nothing is missing.
fn beyond_retention(
    named: Option<Timestamp>,
    from: Option<Timestamp>,
    expired_through: Option<Timestamp>,
    retention: Retention,
    now: Timestamp,
) -> Option<Warning> {
    let expired = expired_through.filter(|through| from.is_none_or(|from| from <= *through));
    let kept = retention.expires_at(0, now.millis());
    let is_behind = kept
        .zip(named)
        .is_some_and(|(kept, named)| named.millis() < now.millis() - kept);
    let missing = match (expired, retention.days_at(now.millis())) {
        (Some(through), _) => format!("Events that were received up to {through} have expired"),
        (None, Some(days)) if is_behind => format!("Events are kept for {days} days after they were received"),
        _ => return None,
    };
    Some(Warning {
        code: "beyond_retention",
        detail: format!("{missing}; the range begins earlier, and this is what is left of it."),
    })
}

/// The envelope of an organization's events.
pub(crate) fn envelope(organization: &OrganizationKey, kept_ms: Option<i64>) -> Envelope<'_> {
    Envelope {
        project: organization.project(),
        kept_ms,
    }
}

impl From<query::Error> for Problem {
    fn from(error: query::Error) -> Self {
        match error {
            query::Error::Invalid { detail } => Self::new(Code::InvalidParameter, detail),
            query::Error::TooLarge { detail } => Self::new(Code::TooLarge, detail),
            query::Error::NotFound => Self::not_found(),
            query::Error::Storage { detail } => {
                tracing::error!(detail, "stored data cannot be read");
                Self::new(Code::Unavailable, "The storage does not answer; try again.").retry_after(5)
            }
            query::Error::Corrupt { detail } => {
                tracing::error!(detail, "stored data is damaged");
                Self::internal()
            }
        }
    }
}

/// A page of events, by `occurred_at`, then `sequence`.
#[utoipa::path(get, path = "/v1/organizations/{organization}/events", tag = "Read",
    responses((status = 200, description = "A page", body = Page), (status = 400, description = "A bad parameter", body = Document<'static>)))]
pub(crate) async fn page(Viewing(ask): Viewing) -> Result<Response, Problem> {
    let parameters = ask.parameters(&PAGE)?;
    let output = mappings::output(&ask, &parameters)?;
    let cursor = parameters.text(&CURSOR);
    let question = match cursor {
        None => ask.question(&parameters)?,
        Some(cursor) => continued(&ask, &parameters, cursor)?,
    };
    let order = if parameters.text(&ORDER) == Some("asc") {
        Order::Ascending
    } else {
        Order::Descending
    };
    let limit = parameters.number(&LIMIT).map_or(PAGE_EVENTS, |limit| limit as usize);
    let view = ask.view()?;
    let request = PageRequest {
        question,
        order,
        limit,
        cursor,
    };
    let page = ask
        .app
        .measures
        .timed("page", || view.page(&request))
        .map_err(|error| of_cursor(error, cursor))?;
    let mut out = Vec::with_capacity(256 + page.rows.len() * 1024);
    out.extend_from_slice(b"{\"events\":");
    write_events(&page.rows, &ask.envelope(), output.as_deref(), &mut out)?;
    out.extend_from_slice(b",\"next\":");
    match &page.next {
        Some(next) => write_string(next, &mut out),
        None => out.extend_from_slice(b"null"),
    }
    out.push(b',');
    write_rest(&ask.spoken(&parameters, page.range, page.size)?, &mut out)?;
    Ok(bytes_of_json(StatusCode::OK, out))
}

/// The question of a further page: the range of the first page, unless the caller names another.
fn continued(ask: &Ask, parameters: &Parameters, cursor: &str) -> Result<Question, Problem> {
    let first = ask
        .app
        .engine
        .cursor_range(cursor)
        .map_err(|error| of_cursor(error, Some(cursor)))?;
    let from = parameters
        .time(&FROM)
        .or(first.from.filter(|_| ask.policy.has_default_range()));
    let range = query::Range {
        from,
        to: parameters.time(&TO),
    };
    Ok(Question {
        filter: parameters.filter(&ask.policy)?,
        range,
    })
}

fn of_cursor(error: query::Error, cursor: Option<&str>) -> Problem {
    match error {
        query::Error::Invalid { detail } if cursor.is_some() => Problem::new(Code::InvalidCursor, detail),
        other => other.into(),
    }
}

/// Appends a list of events, or of the payloads that a mapping makes of them.
fn write_events<R: AsRef<Row>>(
    rows: &[R],
    envelope: &Envelope<'_>,
    output: Option<&Output>,
    out: &mut Vec<u8>,
) -> Result<(), Problem> {
    out.push(b'[');
    for (position, row) in rows.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        mappings::write(row.as_ref(), envelope, output, out)?;
    }
    out.push(b']');
    Ok(())
}

/// Appends the members of an object whose first members are already written, and closes it.
fn write_rest<T: Serialize>(rest: &T, out: &mut Vec<u8>) -> Result<(), Problem> {
    let members = serde_json::to_vec(rest).map_err(|_| Problem::internal())?;
    out.extend_from_slice(members.strip_prefix(b"{").unwrap_or_default());
    Ok(())
}

/// One event.
#[utoipa::path(get, path = "/v1/organizations/{organization}/events/{id}", tag = "Read",
    responses((status = 200, description = "The event", body = EventReturned), (status = 404, description = "No such event", body = Document<'static>)))]
pub(crate) async fn one(Viewing(ask): Viewing) -> Result<Response, Problem> {
    let output = mappings::output(&ask, &ask.parameters(&ONE)?)?;
    let row = find(&ask)?;
    let mut out = Vec::with_capacity(1024);
    mappings::write(&row, &ask.envelope(), output.as_deref(), &mut out)?;
    Ok(bytes_of_json(StatusCode::OK, out))
}

/// The event that the path names, when the caller may see it.
pub(crate) fn find(ask: &Ask) -> Result<std::sync::Arc<Row>, Problem> {
    let id = EventId::parse(ask.path("id")).ok_or_else(Problem::not_found)?;
    let view = ask.view()?;
    let found = ask.app.measures.timed("event", || view.event(&id));
    found?.ok_or_else(Problem::not_found)
}

/// How many events, exactly.
#[utoipa::path(get, path = "/v1/organizations/{organization}/events/count", tag = "Read",
    responses((status = 200, description = "The count", body = Count)))]
pub(crate) async fn count(Viewing(ask): Viewing) -> Result<Response, Problem> {
    let parameters = ask.parameters(&COUNT)?;
    let question = ask.question(&parameters)?;
    let view = ask.view()?;
    let count = ask.app.measures.timed("count", || view.count(&question))?;
    Ok(json(&Count {
        count,
        spoken: ask.spoken(&parameters, question.range, view.size())?,
    }))
}

/// The values of fields and how many events have each, exactly. Values that the catalog or the policy's filters name follow, with 0.
#[utoipa::path(get, path = "/v1/organizations/{organization}/events/facets", tag = "Read",
    responses((status = 200, description = "The facets", body = Facets)))]
pub(crate) async fn facets(Viewing(ask): Viewing) -> Result<Response, Problem> {
    let parameters = ask.parameters(&FACETS)?;
    let request = FacetRequest {
        question: ask.question(&parameters)?,
        fields: fields(parameters.texts(&FIELD))?,
        limit: parameters.number(&VALUES).map_or(FACET_VALUES, |limit| limit as usize),
        prefix: parameters.text(&PREFIX).map(ToOwned::to_owned),
    };
    let view = ask.view()?;
    let labels = ask.labels();
    let label = |field: &Field, value: &str| labels.of_field(field, value);
    let found = ask
        .app
        .measures
        .timed("facets", || view.labelled_facets(&request, &label))?;
    let mut facets = serde_json::Map::new();
    for facet in found {
        // Values without events follow where there is room: all that have events are then among the found ones.
        let offered = ask.offered(&facet.field, &facet.values, request.prefix.as_deref(), &labels);
        let values: Vec<FacetValue> = facet
            .values
            .into_iter()
            .map(FacetValue::from)
            .chain(offered)
            .take(request.limit)
            .collect();
        let values = serde_json::to_value(values).map_err(|_| Problem::internal())?;
        facets.insert(facet.field.to_string(), values);
    }
    Ok(json(&Facets {
        facets,
        spoken: ask.spoken(&parameters, request.question.range, view.size())?,
    }))
}

fn fields(names: &[String]) -> Result<Vec<Field>, Problem> {
    if names.is_empty() || names.len() > FACETS_MAX {
        return Err(Problem::parameter("field", &format!("name 1 to {FACETS_MAX} fields.")));
    }
    names
        .iter()
        .map(|name| field(name).map_err(|detail| Problem::parameter("field", &detail)))
        .collect()
}

/// The field of a name, or a sentence that says why there is none.
pub(crate) fn field(name: &str) -> Result<Field, String> {
    let found = Field::from_name(name).map_err(|detail| format!("{detail}."))?;
    found.ok_or_else(|| {
        let known: Vec<&str> = Field::names().collect();
        format!(
            "there is no field {name:?}; fields are {} and metadata.PATH.",
            known.join(", ")
        )
    })
}

/// Events by hour, day, week or month.
#[utoipa::path(get, path = "/v1/organizations/{organization}/events/histogram", tag = "Read",
    responses((status = 200, description = "The histogram", body = Histogram)))]
pub(crate) async fn histogram(Viewing(ask): Viewing) -> Result<Response, Problem> {
    let parameters = ask.parameters(&HISTOGRAM)?;
    let question = ask.question(&parameters)?;
    let interval = Interval::from_name(parameters.text(&INTERVAL).unwrap_or("day")).ok_or_else(Problem::internal)?;
    let zone = parameters.zone(&TIME_ZONE)?.unwrap_or_else(|| ask.policy.zone());
    let view = ask.view()?;
    let found = ask
        .app
        .measures
        .timed("histogram", || view.histogram(&question, interval, &zone))?;
    let bucket = |found: query::Bucket| Bucket {
        start: Time(found.start),
        count: found.count,
        security: found.security,
    };
    let spoken = ask.spoken(&parameters, question.range, view.size())?;
    Ok(json(&Histogram {
        buckets: found.into_iter().map(bucket).collect(),
        spoken,
    }))
}

/// The events of one operation, oldest first.
#[utoipa::path(get, path = "/v1/organizations/{organization}/traces/{trace_id}", tag = "Read",
    responses((status = 200, description = "The trace", body = Trace), (status = 404, description = "No such trace", body = Document<'static>)))]
pub(crate) async fn trace(Viewing(ask): Viewing) -> Result<Response, Problem> {
    #[derive(Serialize)]
    struct Rest {
        duration_ms: i64,
        actions: serde_json::Map<String, serde_json::Value>,
        actors: Vec<TraceActor>,
        size: u64,
    }
    ask.parameters(&NOTHING)?;
    let view = ask.view()?;
    let found = ask.app.measures.timed("trace", || view.trace(ask.path("trace_id")))?;
    let mut out = b"{\"trace_id\":".to_vec();
    write_string(ask.path("trace_id"), &mut out);
    out.extend_from_slice(b",\"events\":");
    write_events(&found.events, &ask.envelope(), None, &mut out)?;
    out.push(b',');
    let rest = Rest {
        duration_ms: found.duration_ms,
        actions: found
            .actions
            .into_iter()
            .map(|(action, count)| (action, count.into()))
            .collect(),
        actors: found.actors.into_iter().map(TraceActor::from).collect(),
        size: view.size(),
    };
    write_rest(&rest, &mut out)?;
    Ok(bytes_of_json(StatusCode::OK, out))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3_600_000;
    const NOW: i64 = 1_800_000_000_000;

    fn days_ago(days: i64) -> Option<Timestamp> {
        Some(Timestamp::from_millis(NOW - days * DAY))
    }

    /// What is warned of a range, when events are kept for 30 days.
    fn warned(named: Option<Timestamp>, from: Option<Timestamp>, expired_through: Option<Timestamp>) -> Option<String> {
        let retention = Retention {
            days: Some(30),
            ..Retention::default()
        };
        let now = Timestamp::from_millis(NOW);
        beyond_retention(named, from, expired_through, retention, now).map(|warning| warning.detail)
    }

    #[test]
    fn a_range_warns_when_something_of_it_has_expired_or_it_is_older_than_the_retention() {
        assert_eq!(warned(None, None, None), None, "nothing has expired");
        assert!(warned(None, None, days_ago(30)).is_some_and(|detail| detail.contains("have expired")));
        assert_eq!(warned(None, days_ago(30), days_ago(31)), None);
        assert!(warned(None, days_ago(30), days_ago(30)).is_some());
        assert_eq!(
            warned(None, days_ago(60), None),
            None,
            "a default range, and all is there"
        );
        let old = warned(days_ago(60), days_ago(60), None).expect("a warning");
        assert!(old.contains("kept for 30 days"), "{old}");
        assert_eq!(warned(days_ago(30), days_ago(30), None), None);
    }

    #[test]
    fn what_expired_stays_missing_although_the_retention_is_longer_or_on_hold() {
        let now = Timestamp::from_millis(NOW);
        let held = Retention {
            days: Some(30),
            legal_hold: true,
            pending: None,
        };
        for retention in [Retention::default(), held] {
            let warning = |expired| beyond_retention(days_ago(60), days_ago(60), expired, retention, now);
            assert!(warning(None).is_none());
            assert_eq!(warning(days_ago(40)).expect("a warning").code, "beyond_retention");
        }
    }
}
