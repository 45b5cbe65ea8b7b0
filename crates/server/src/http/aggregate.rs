//! `POST …/events/aggregate`: metrics by groups and intervals.
//!
//! Not here: the computation (`trailbook_query`).

use axum::{body::Body, http::HeaderMap, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use trailbook_access::policy::{Policy, Range};
use trailbook_event::{Filter, Pointer, Timestamp};
use trailbook_query::{self as query, AggregateRequest, AggregateRow, Interval, Measure, Metric, Operation, Question};
use utoipa::ToSchema;

use super::{
    answers::{Spoken, Time},
    ask::{Viewing, json},
    body::document,
    parameters,
    problem::{Code, Document, Problem},
    proof::NOTHING,
    reads::field,
};

/// What to compute.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AggregateRequest)]
pub(crate) struct Request {
    /// Inclusive, RFC 3339 with an offset.
    from: Option<String>,
    /// Exclusive.
    to: Option<String>,
    /// In the query language.
    #[serde(default)]
    filter: String,
    /// Fields; none makes one group.
    #[serde(default)]
    group_by: Vec<String>,
    /// hour, day, week or month, in the policy's zone.
    interval: Option<String>,
    /// What to compute for each group.
    metrics: Vec<MetricRequest>,
}

/// One metric: an operation (`op`), or an `expression` over the metrics before it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricRequest {
    name: String,
    /// count, sum, avg, min, max, p50, p95, p99 or distinct.
    op: Option<String>,
    /// A field; for numbers a `metadata.PATH`.
    field: Option<String>,
    /// Only events that match this query.
    filter: Option<String>,
    /// Only events whose trace, in the range, also has an event that matches this query.
    in_trace_of: Option<String>,
    /// Such as `1 - executions / queries`.
    expression: Option<String>,
}

/// Metrics by group.
#[derive(Serialize, ToSchema)]
pub(crate) struct Aggregate {
    rows: Vec<Row>,
    /// Always false: an answer is whole or refused.
    truncated: bool,
    #[serde(flatten)]
    spoken: Spoken,
}

/// One group.
#[derive(Serialize, ToSchema)]
pub(crate) struct Row {
    /// The values of `group_by`.
    #[schema(value_type = Object)]
    group: Map<String, Value>,
    /// The beginning of the interval.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Time>,
    /// By name; null where there is no number, as after a division by zero.
    #[schema(value_type = Object)]
    metrics: Map<String, Value>,
}

/// Metrics by groups and intervals, exactly.
#[utoipa::path(post, path = "/v1/organizations/{organization}/events/aggregate", tag = "Read",
    request_body(content = Request),
    responses((status = 200, description = "The metrics", body = Aggregate),
        (status = 422, description = "The request breaks a rule, or the exact answer is beyond a limit", body = Document<'static>)))]
pub(crate) async fn aggregate(Viewing(ask): Viewing, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let request: Request = document(&ask.app, &headers, body).await?;
    let asked = asked(&request, &ask.policy, ask.app.clock.now())?;
    let view = ask.view()?;
    let found = ask
        .app
        .measures
        .timed("aggregate", || view.aggregate(&asked))
        .map_err(|error| match error {
            query::Error::Invalid { detail } => Problem::fault(Code::Invalid, Pointer::root(), detail),
            other => other.into(),
        })?;
    let range = asked.question.range;
    let warnings = ask.warning(range.from.filter(|_| request.from.is_some()), range)?;
    Ok(json(&Aggregate {
        rows: found.into_iter().map(|row| row_of(row, &request)).collect(),
        truncated: false,
        spoken: Spoken::of(range, view.size(), warnings.into_iter().collect()),
    }))
}

/// Why a body could not be asked, as far as that can be told without events.
///
/// # Errors
/// A sentence.
pub(crate) fn check(body: &Map<String, Value>) -> Result<(), String> {
    let request = Request::deserialize(body).map_err(|error| format!("{error}."))?;
    let asked = asked(&request, &Policy::default(), Timestamp::from_millis(0));
    asked.map(|_| ()).map_err(Problem::into_detail)
}

fn asked(request: &Request, policy: &Policy, now: Timestamp) -> Result<AggregateRequest, Problem> {
    let range = Range {
        from: time(request.from.as_deref(), "from")?,
        to: time(request.to.as_deref(), "to")?,
    };
    let range = policy
        .resolve(range, now)
        .map_err(|detail| Problem::new(Code::RangeTooWide, detail))?;
    let root = Pointer::root();
    let group_by = request
        .group_by
        .iter()
        .enumerate()
        .map(|(index, name)| field(name).map_err(|detail| invalid(root.child("group_by").index(index), detail)));
    let interval = request.interval.as_deref().map(|name| {
        let unknown = || invalid(root.child("interval"), "It must be hour, day, week or month.");
        Ok::<_, Problem>((Interval::from_name(name).ok_or_else(unknown)?, policy.zone()))
    });
    let metrics = request.metrics.iter().enumerate();
    Ok(AggregateRequest {
        question: Question {
            filter: parameters::query(&request.filter, policy)?,
            range: query::Range {
                from: range.from,
                to: range.to,
            },
        },
        group_by: group_by.collect::<Result<_, _>>()?,
        interval: interval.transpose()?,
        metrics: metrics
            .map(|(index, given)| metric(given, &root.child("metrics").index(index), policy))
            .collect::<Result<_, _>>()?,
    })
}

fn invalid(pointer: Pointer, detail: impl Into<String>) -> Problem {
    Problem::fault(Code::Invalid, pointer, detail)
}

fn time(text: Option<&str>, name: &str) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let wrong = || {
        let pointer = Pointer::root().child(name);
        invalid(
            pointer,
            "It must be a time with an offset, such as 2026-11-20T09:14:07Z; a local time is refused.",
        )
    };
    Timestamp::parse(text).map(Some).ok_or_else(wrong)
}

fn metric(given: &MetricRequest, at: &Pointer, policy: &Policy) -> Result<Metric, Problem> {
    let filter = |text: &Option<String>| -> Result<Option<Filter>, Problem> {
        text.as_deref().map(|text| parameters::query(text, policy)).transpose()
    };
    let measure = match (&given.op, &given.expression) {
        (Some(op), None) => Measure::Of {
            operation: Operation::from_name(op).ok_or_else(|| {
                invalid(
                    at.child("op"),
                    "It must be count, sum, avg, min, max, p50, p95, p99 or distinct.",
                )
            })?,
            field: given
                .field
                .as_deref()
                .map(field)
                .transpose()
                .map_err(|detail| invalid(at.child("field"), detail))?,
            filter: filter(&given.filter)?,
            in_trace_of: filter(&given.in_trace_of)?,
        },
        (None, Some(expression)) if given.field.is_none() && given.filter.is_none() && given.in_trace_of.is_none() => {
            Measure::Expression(expression.clone())
        }
        _ => {
            let detail = "A metric has either op, with field, filter and in_trace_of, or expression alone.";
            return Err(invalid(at.clone(), detail));
        }
    };
    Ok(Metric {
        name: given.name.clone(),
        measure,
    })
}

fn row_of(row: AggregateRow, request: &Request) -> Row {
    let group = request
        .group_by
        .iter()
        .cloned()
        .zip(row.group.into_iter().map(Value::from));
    let names = request.metrics.iter().map(|metric| metric.name.clone());
    Row {
        group: group.collect(),
        start: row.start.map(Time),
        metrics: names.zip(row.metrics.into_iter().map(number)).collect(),
    }
}

/// A whole number is written without a fraction.
fn number(value: Option<f64>) -> Value {
    const WHOLE_MAX: f64 = 9_007_199_254_740_991.0;
    match value {
        Some(value) if value.fract() == 0.0 && value.abs() <= WHOLE_MAX => Value::from(value as i64),
        other => Value::from(other),
    }
}
