//! What answers say of streams.

use std::sync::Arc;

use serde::Serialize;
use trailbook_access::records::{Destination, ParkedEvent, Stream, StreamHealth};
use utoipa::ToSchema;

use super::{OfStreams, time};
use crate::http::{answers::Time, problem::Problem};

/// Ledgers of which a stream's position is said.
const POSITIONS_MAX: usize = 100;
/// Parked events that are listed.
const PARKED_MAX: usize = 1_000;

/// Streams, by name.
#[derive(Serialize, ToSchema)]
pub(crate) struct Streams {
    pub(super) streams: Vec<StreamShown>,
}

/// A stream.
#[derive(Serialize, ToSchema)]
#[schema(as = Stream)]
pub(crate) struct StreamShown {
    /// `str_…`.
    id: String,
    /// Whose events; null are those of all organizations of the project.
    #[schema(required)]
    organization: Option<String>,
    name: String,
    destination: Destination,
    /// The names of the secrets that are set.
    secrets: Vec<String>,
    /// `native`, `ocsf`, `ecs` or `catalog:NAME`.
    mapping: String,
    /// Which events, in the query language; empty is all.
    filter: String,
    batch_events: u32,
    interval_seconds: u32,
    state: State,
    #[schema(value_type = String)]
    created_at: Time,
    #[schema(value_type = String)]
    updated_at: Time,
    health: Health,
    /// How far it has come in the ledgers that it lags in most.
    positions: Vec<Position>,
}

/// A stream that was set up.
#[derive(Serialize, ToSchema)]
pub(crate) struct StreamMade {
    #[serde(flatten)]
    pub(super) stream: StreamShown,
    /// The secret that a webhook's receiver checks signatures with, when it was made now: it is not shown again.
    #[schema(required)]
    pub(super) secret: Option<String>,
}

/// Whether deliveries go on.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StreamState)]
pub(crate) enum State {
    /// They do.
    Active,
    /// Somebody lets them wait.
    Paused,
    /// The last one failed, and is tried again.
    Failing,
}

/// How a stream is getting on.
#[derive(Serialize, ToSchema)]
#[schema(as = StreamHealth)]
pub(crate) struct Health {
    #[schema(required, value_type = Option<String>)]
    last_success_at: Option<Time>,
    /// Events delivered, repeated ones included.
    delivered: u64,
    /// Events that were stored and not looked at.
    lag_events: u64,
    /// The age of the oldest of them; 0 when there is none.
    lag_seconds: u64,
    /// Events that the destination did not take.
    parked: u64,
    /// Events that expired before they could be delivered.
    expired: u64,
    /// Why the last delivery failed; null when it succeeded.
    #[schema(required)]
    last_error: Option<String>,
    #[schema(required, value_type = Option<String>)]
    failing_since: Option<Time>,
    /// Deliveries that failed one after the other.
    failures: u32,
    /// When it is tried again.
    #[schema(required, value_type = Option<String>)]
    retry_at: Option<Time>,
}

/// How far a stream has come in a ledger.
#[derive(Serialize, ToSchema)]
#[schema(as = StreamPosition)]
pub(crate) struct Position {
    organization: String,
    epoch: u32,
    /// The first sequence that is not delivered.
    next: u64,
    /// The ledger's size.
    size: u64,
}

/// What became of a made-up event.
#[derive(Serialize, ToSchema)]
#[schema(as = StreamTested)]
pub(crate) struct Tested {
    pub(super) delivered: bool,
    /// What the destination said.
    pub(super) detail: String,
    pub(super) took_ms: u64,
}

/// Events that a destination did not take.
#[derive(Serialize, ToSchema)]
#[schema(as = ParkedEvents)]
pub(crate) struct Parked {
    parked: Vec<One>,
    /// How many there are.
    total: u64,
}

/// An event that a destination did not take.
#[derive(Serialize, ToSchema)]
#[schema(as = ParkedEvent)]
pub(crate) struct One {
    organization: String,
    sequence: u64,
    /// Its Log ID.
    event: String,
    /// What the destination said.
    reason: String,
    #[schema(value_type = String)]
    parked_at: Time,
}

/// What became of parked events that were sent again.
#[derive(Serialize, ToSchema)]
#[schema(as = ParkedRetried)]
pub(crate) struct Retried {
    pub(super) delivered: u64,
    /// How many are still parked.
    pub(super) parked: u64,
    /// Why the rest was not tried; null when it was.
    #[schema(required)]
    pub(super) detail: Option<String>,
}

/// A stream, as answers show it.
pub(super) fn shown(of: &OfStreams, stream: &Stream) -> Result<StreamShown, Problem> {
    let streams = &of.app.deliveries.streams;
    let (lag, mut positions) = tokio::task::block_in_place(|| streams.progress(stream))?;
    positions.sort_by_key(|(position, size)| std::cmp::Reverse(size.saturating_sub(position.next)));
    let health = of.app.directory.get::<StreamHealth>(&stream.id);
    let health = health.map(|health| StreamHealth::clone(&health)).unwrap_or_default();
    Ok(StreamShown {
        id: stream.id.clone(),
        organization: stream.organization.clone(),
        name: stream.name.clone(),
        destination: stream.destination.clone(),
        secrets: stream.secret_names.clone(),
        mapping: stream.mapping.clone().into(),
        filter: stream.filter.clone(),
        batch_events: stream.batch_events,
        interval_seconds: stream.interval_seconds,
        state: match stream.paused {
            true => State::Paused,
            false if health.failing_since.is_some() => State::Failing,
            false => State::Active,
        },
        created_at: time(stream.created_at),
        updated_at: time(stream.updated_at),
        health: Health {
            last_success_at: health.last_success_at.map(time),
            delivered: health.delivered,
            lag_events: lag.events,
            lag_seconds: u64::try_from(lag.age_ms / 1_000).unwrap_or(0),
            parked: streams.parked(&stream.id) as u64,
            expired: health.expired,
            last_error: health.last_error,
            failing_since: health.failing_since.map(time),
            failures: health.failures,
            retry_at: health.retry_at.map(time),
        },
        positions: positions
            .into_iter()
            .take(POSITIONS_MAX)
            .map(|(position, size)| Position {
                organization: position.organization,
                epoch: position.epoch,
                next: position.next,
                size,
            })
            .collect(),
    })
}

/// Parked events, as answers show them.
pub(super) fn parked(mut events: Vec<Arc<ParkedEvent>>) -> Parked {
    events.sort_by_key(|event| (event.parked_at, event.sequence));
    let one = |event: &Arc<ParkedEvent>| One {
        organization: event.organization.clone(),
        sequence: event.sequence,
        event: event.event.clone(),
        reason: event.reason.clone(),
        parked_at: time(event.parked_at),
    };
    Parked {
        total: events.len() as u64,
        parked: events.iter().take(PARKED_MAX).map(one).collect(),
    }
}
