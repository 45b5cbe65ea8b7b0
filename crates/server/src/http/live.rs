//! The live feed: Server-Sent Events in commit order, woken by commits and never polling.
//!
//! A message's `id` is `EPOCH-SEQUENCE`; `Last-Event-ID` resumes after it. Without it the feed begins with what is stored
//! after the request. A feed that reads slowly waits for its reader and misses nothing.
//!
//! Not here: waiting for events and filtering them (`trailbook_query::LiveFeed`).

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::stream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use trailbook_access::Caller;
use trailbook_deliver::json::write_event;
use trailbook_ledger::{Head, OrganizationKey, Row};
use trailbook_query::LiveFeed;

use super::{
    App,
    ask::Viewing,
    body::single,
    parameters::Accepts,
    problem::{Code, Problem},
    reads::envelope,
};

/// What the live feed accepts.
pub(crate) const ACCEPTS: Accepts = Accepts {
    filters: true,
    own: &[],
};

/// A comment goes out when nothing else has for so long, so that dead connections are noticed.
const QUIET: Duration = Duration::from_secs(15);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

struct Feed {
    events: LiveFeed,
    organization: OrganizationKey,
    /// As it was when the feed began.
    kept_ms: Option<i64>,
    stopping: watch::Receiver<bool>,
    caller: Caller,
    /// Wakes when a credential, a role or a policy changes.
    changes: watch::Receiver<u64>,
    place: Place,
}

/// What ends the waiting for events.
enum Woken<R> {
    By(R),
    ByAChange,
    ByTime,
}

/// A feed's place among the feeds that may be open.
struct Place {
    app: Arc<App>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.app.measures.live.dec();
    }
}

/// Events as they are stored, as Server-Sent Events. `Last-Event-ID` resumes.
#[utoipa::path(get, path = "/v1/organizations/{organization}/events/live", tag = "Read",
    responses((status = 200, description = "A stream of events", body = String, content_type = "text/event-stream")))]
pub(crate) async fn live(Viewing(ask): Viewing, headers: HeaderMap) -> Result<Response, Problem> {
    let filter = ask.parameters(&ACCEPTS)?.filter_and_range(&ask.policy)?;
    let after = single(&headers, &LAST_EVENT_ID)?
        .map(|id| resume(id, &ask.head))
        .transpose()?;
    let permit = ask.app.live.clone().try_acquire_owned().map_err(|_| {
        Problem::new(
            Code::TooManyRequests,
            "Too many live feeds are open (live_connections_max).",
        )
        .retry_after(30)
    })?;
    ask.app.measures.live.inc();
    let place = Place {
        app: ask.app.clone(),
        _permit: permit,
    };
    let feed = Feed {
        events: ask.app.engine.live(&ask.scope(), &filter, after)?,
        stopping: ask.app.stopping.clone(),
        kept_ms: ask.kept_ms(),
        changes: ask.app.directory.changes(),
        caller: ask.caller,
        organization: ask.organization,
        place,
    };
    let opening = stream::once(async { Ok(Bytes::from_static(b"retry: 2000\n\n")) });
    let messages = stream::unfold(feed, |mut feed| async move {
        let chunk = feed.chunk().await?;
        Some((Ok::<_, Infallible>(chunk), feed))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(stream::StreamExt::chain(opening, messages))).into_response())
}

/// The sequence that a feed ended with.
fn resume(id: &str, head: &Head) -> Result<u64, Problem> {
    let parsed = id
        .split_once('-')
        .and_then(|(epoch, sequence)| Some((epoch.parse().ok()?, sequence.parse().ok()?)));
    match parsed {
        Some((epoch, sequence)) if epoch == head.epoch && sequence < head.size => Ok(sequence),
        Some((epoch, _)) if u32::max(epoch, 1) < head.epoch => Err(Problem::parameter(
            "Last-Event-ID",
            "the ledger has continued in a newer epoch; read its events again and open the feed without the header.",
        )),
        _ => Err(Problem::parameter(
            "Last-Event-ID",
            "must be the id of a message of this feed.",
        )),
    }
}

impl Feed {
    /// The next messages, or a comment when it is quiet; `None` when the server stops, or the caller may look no longer.
    async fn chunk(&mut self) -> Option<Bytes> {
        let rows = loop {
            let woken = tokio::select! {
                rows = self.events.next() => Woken::By(rows),
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
                changed = self.changes.changed() => changed.is_ok().then_some(Woken::ByAChange)?,
                () = tokio::time::sleep(QUIET) => Woken::ByTime,
            };
            if !self.is_allowed() {
                return None;
            }
            match woken {
                Woken::ByAChange => {}
                Woken::ByTime => return Some(Bytes::from_static(b": quiet\n\n")),
                Woken::By(rows) => break rows,
            }
        };
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => {
                // The feed ends; whoever resumes it reads on from the last event that came.
                tracing::error!(%error, "a live feed could not be read");
                return None;
            }
        };
        let mut chunk = Vec::with_capacity(rows.len() * 1024);
        rows.iter().for_each(|row| self.write(row, &mut chunk));
        (!rows.is_empty()).then(|| chunk.into())
    }

    /// Whether the caller may still look: the credential stands, and its role suffices.
    fn is_allowed(&self) -> bool {
        let directory = &self.place.app.directory;
        let rights = self.caller.rights(&self.organization, directory);
        self.caller.stands(directory) && rights.is_ok_and(|rights| rights.view)
    }

    fn write(&self, row: &Row, chunk: &mut Vec<u8>) {
        chunk.extend_from_slice(format!("id: {}-{}\ndata: ", row.epoch, row.sequence).as_bytes());
        write_event(row, &envelope(&self.organization, self.kept_ms), chunk);
        chunk.extend_from_slice(b"\n\n");
    }
}

#[cfg(test)]
mod tests {
    use trailbook_event::Timestamp;

    use super::*;

    #[test]
    fn a_feed_resumes_after_its_last_message_of_the_same_epoch_only() {
        let head = Head {
            size: 10,
            epoch: 2,
            received_at: Timestamp::from_millis(0),
        };
        assert_eq!(resume("2-9", &head).ok(), Some(9));
        for id in ["1-9", "2-10", "3-1", "2", "", "2-", "-1", "x-y"] {
            assert!(resume(id, &head).is_err(), "{id}");
        }
    }
}
