//! The documents that reads answer with.
//!
//! Not here: events (`trailbook_deliver::json`), what fills the documents (`reads`).

use serde::Serialize;
use trailbook_event::Timestamp;
use trailbook_query as query;
use utoipa::ToSchema;

use super::openapi::EventReturned;

/// The range of a read, resolved. Null is open.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct Range {
    /// Inclusive.
    #[schema(value_type = Option<String>, required)]
    pub(crate) from: Option<Time>,
    /// Exclusive.
    #[schema(value_type = Option<String>, required)]
    pub(crate) to: Option<Time>,
}

/// A time on the wire: RFC 3339, UTC, milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// What a read speaks of.
#[derive(Serialize, ToSchema)]
pub(crate) struct Spoken {
    /// The resolved range.
    pub(crate) range: Range,
    /// The ledger's size.
    pub(crate) size: u64,
    /// What the reader should know, such as a range that reaches behind the retention.
    pub(crate) warnings: Vec<Warning>,
}

/// Something that the reader should know.
#[derive(Serialize, ToSchema)]
pub(crate) struct Warning {
    /// Such as `beyond_retention`.
    pub(crate) code: &'static str,
    /// A sentence.
    pub(crate) detail: String,
}

impl Spoken {
    /// Of a range, a ledger's size, and what the reader should know.
    pub(crate) fn of(range: query::Range, size: u64, warnings: Vec<Warning>) -> Self {
        Self {
            range: Range {
                from: range.from.map(Time),
                to: range.to.map(Time),
            },
            size,
            warnings,
        }
    }
}

/// A page of events.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page {
    pub(crate) events: Vec<EventReturned>,
    /// The cursor of the next page; null when there is nothing more.
    #[schema(required)]
    pub(crate) next: Option<String>,
    #[serde(flatten)]
    pub(crate) spoken: Spoken,
}

/// How many.
#[derive(Serialize, ToSchema)]
pub(crate) struct Count {
    pub(crate) count: u64,
    #[serde(flatten)]
    pub(crate) spoken: Spoken,
}

/// The values of fields.
#[derive(Serialize, ToSchema)]
pub(crate) struct Facets {
    /// By field, most events first.
    #[schema(value_type = std::collections::BTreeMap<String, Vec<FacetValue>>)]
    pub(crate) facets: serde_json::Map<String, serde_json::Value>,
    #[serde(flatten)]
    pub(crate) spoken: Spoken,
}

/// One value of a field.
#[derive(Serialize, ToSchema)]
pub(crate) struct FacetValue {
    /// Of an actor, its id.
    pub(crate) value: String,
    /// What people see for it, by policy and catalog; of an actor or target otherwise its newest name.
    #[schema(required)]
    pub(crate) label: Option<String>,
    /// Events that have it.
    pub(crate) count: u64,
}

impl From<trailbook_query::FacetValue> for FacetValue {
    fn from(found: trailbook_query::FacetValue) -> Self {
        Self {
            value: found.value,
            label: found.label,
            count: found.count,
        }
    }
}

/// Events by time.
#[derive(Serialize, ToSchema)]
pub(crate) struct Histogram {
    /// Empty ones included.
    pub(crate) buckets: Vec<Bucket>,
    #[serde(flatten)]
    pub(crate) spoken: Spoken,
}

/// One interval.
#[derive(Serialize, ToSchema)]
pub(crate) struct Bucket {
    /// Its beginning.
    #[schema(value_type = String)]
    pub(crate) start: Time,
    /// Events in it.
    pub(crate) count: u64,
    /// Those of them that matter for security.
    pub(crate) security: u64,
}

/// The events of one operation.
#[derive(Serialize, ToSchema)]
pub(crate) struct Trace {
    pub(crate) trace_id: String,
    /// Oldest first.
    pub(crate) events: Vec<EventReturned>,
    /// From the first event to the last.
    pub(crate) duration_ms: i64,
    /// How many events each action has.
    pub(crate) actions: std::collections::BTreeMap<String, u64>,
    /// The distinct known ones.
    pub(crate) actors: Vec<TraceActor>,
    pub(crate) size: u64,
}

/// An actor of a trace.
#[derive(Serialize, ToSchema)]
pub(crate) struct TraceActor {
    pub(crate) r#type: String,
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) team: Option<String>,
}

impl From<query::TraceActor> for TraceActor {
    fn from(actor: query::TraceActor) -> Self {
        Self {
            r#type: actor.kind,
            id: actor.id,
            name: actor.name,
            email: actor.email,
            team: actor.team,
        }
    }
}
