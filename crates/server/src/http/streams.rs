//! `…/streams`: continuous deliveries of an organization's events, or of all of a project's, to somewhere else.
//!
//! Invariants
//! - No answer and no act says a secret, but for a webhook's own that was made for it, once.
//! - Who sets a stream up may see, take and administer everything that it carries.
//!
//! Not here: the carrying (`trailbook_deliver::stream`), what a request may say (`request`), what an answer says (`answer`).

mod answer;
mod of;
mod request;

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::json;
use trailbook_access::records::{ParkedEvent, Stream};
use trailbook_event::{Fault, Pointer, Timestamp};

pub(crate) use self::of::OfStreams;
use self::{
    answer::{Parked, Retried, StreamMade, StreamShown, Streams, Tested},
    request::{Replay, StreamRequest},
};
use super::{
    ask::{json as answered, json_with},
    body::document,
    etag,
    problem::{Code, Document, Problem},
};

/// Streams of an organization, or of a project as a whole.
const STREAMS_MAX: usize = 50;
/// Streams of a deployment.
const ALL_MAX: usize = 10_000;

/// One call, for the streams of an organization and for those of a whole project.
macro_rules! call {
    ($(#[doc = $doc:literal])* $name:ident, $of_project:ident, $method:ident, $below:literal, $at_project:literal, ($($described:tt)*),
        $does:ident($($argument:ident: $kind:ty),*)) => {
        $(#[doc = $doc])*
        #[utoipa::path($method, path = $below, tag = "Streams", $($described)*)]
        pub(crate) async fn $name(of: OfStreams, $($argument: $kind),*) -> Result<Response, Problem> {
            $does(of, $($argument),*).await
        }
        $(#[doc = $doc])*
        #[doc = " Of all organizations of the project."]
        #[utoipa::path($method, path = $at_project, tag = "Streams", $($described)*)]
        pub(crate) async fn $of_project(of: OfStreams, $($argument: $kind),*) -> Result<Response, Problem> {
            $does(of, $($argument),*).await
        }
    };
}

call!(
    /// The streams, by name.
    list, list_of_project, get, "/v1/organizations/{organization}/streams", "/v1/streams",
    (responses((status = 200, description = "The streams", body = Streams))),
    all()
);
call!(
    /// Sets a stream up.
    create, create_of_project, post, "/v1/organizations/{organization}/streams", "/v1/streams",
    (request_body(content = StreamRequest),
        responses((status = 201, description = "The stream; a webhook's secret is shown when it was made", body = StreamMade),
            (status = 422, description = "The request breaks a rule", body = Document<'static>))),
    made(headers: HeaderMap, body: Body)
);
call!(
    /// One stream, with how it is getting on.
    show, show_of_project, get, "/v1/organizations/{organization}/streams/{id}", "/v1/streams/{id}",
    (responses((status = 200, description = "The stream; ETag names its version", body = StreamShown),
        (status = 404, description = "No such stream", body = Document<'static>))),
    one()
);
call!(
    /// Changes a stream. Secrets that are left out stay, null removes one.
    replace, replace_of_project, put, "/v1/organizations/{organization}/streams/{id}", "/v1/streams/{id}",
    (params(("If-Match" = Option<String>, Header, description = "Only when the stream is at this version")),
        request_body(content = StreamRequest),
        responses((status = 200, description = "The stream as it is now", body = StreamShown),
            (status = 412, description = "It is at another version", body = Document<'static>),
            (status = 422, description = "The request breaks a rule", body = Document<'static>))),
    changed(headers: HeaderMap, body: Body)
);
call!(
    /// Removes a stream, with how far it came and what is parked.
    remove, remove_of_project, delete, "/v1/organizations/{organization}/streams/{id}", "/v1/streams/{id}",
    (responses((status = 204, description = "There is no such stream any more"),
        (status = 404, description = "No such stream", body = Document<'static>))),
    removed()
);
call!(
    /// Sends one made-up event, which is in no ledger, and says what became of it.
    test, test_of_project, post, "/v1/organizations/{organization}/streams/{id}/test", "/v1/streams/{id}/test",
    (responses((status = 200, description = "What became of it", body = Tested))),
    tested()
);
call!(
    /// Lets deliveries wait.
    pause, pause_of_project, post, "/v1/organizations/{organization}/streams/{id}/pause", "/v1/streams/{id}/pause",
    (responses((status = 200, description = "The stream as it is now", body = StreamShown))),
    paused()
);
call!(
    /// Lets deliveries go on, at once where they failed.
    resume, resume_of_project, post, "/v1/organizations/{organization}/streams/{id}/resume", "/v1/streams/{id}/resume",
    (responses((status = 200, description = "The stream as it is now", body = StreamShown))),
    resumed()
);
call!(
    /// Sends events again, from a sequence or a time on, with the same ids.
    replay, replay_of_project, post, "/v1/organizations/{organization}/streams/{id}/replay", "/v1/streams/{id}/replay",
    (request_body(content = Replay),
        responses((status = 200, description = "The stream as it is now", body = StreamShown),
            (status = 422, description = "The request breaks a rule", body = Document<'static>))),
    replayed(headers: HeaderMap, body: Body)
);
call!(
    /// The events that the destination did not take, the oldest first.
    parked, parked_of_project, get, "/v1/organizations/{organization}/streams/{id}/parked", "/v1/streams/{id}/parked",
    (responses((status = 200, description = "The first thousand", body = Parked))),
    kept()
);
call!(
    /// Sends parked events again, one by one.
    retry_parked, retry_parked_of_project, post,
    "/v1/organizations/{organization}/streams/{id}/parked/retry", "/v1/streams/{id}/parked/retry",
    (responses((status = 200, description = "What became of them", body = Retried))),
    retried()
);
call!(
    /// Gives parked events up. They stay in the log.
    drop_parked, drop_parked_of_project, delete,
    "/v1/organizations/{organization}/streams/{id}/parked", "/v1/streams/{id}/parked",
    (responses((status = 204, description = "Nothing is parked any more"))),
    dropped()
);

async fn all(of: OfStreams) -> Result<Response, Problem> {
    of.no_parameters()?;
    let mut streams = of.all();
    streams.sort_by_cached_key(|stream| (stream.name.to_lowercase(), stream.id.clone()));
    let shown = streams.iter().map(|stream| answer::shown(&of, stream));
    Ok(answered(&Streams {
        streams: shown.collect::<Result<_, _>>()?,
    }))
}

async fn made(of: OfStreams, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    of.no_parameters()?;
    let request: StreamRequest = document(&of.app, &headers, body).await?;
    let (stream, start, secret) = request.new_stream(&of)?;
    // Before the lock, since it may read files: what comes meanwhile is after these positions.
    let starts = tokio::task::block_in_place(|| of.app.deliveries.streams.starts(&stream, start))?;
    let mut change = of.begin().await?;
    check_room(&of)?;
    for position in starts {
        change.put(position)?;
    }
    change.act(of.act("trailbook.stream.created", &stream));
    change.put(stream.clone())?;
    change.commit().await?;
    let shown = answer::shown(&of, &stream)?;
    let made = json_with(StatusCode::CREATED, &StreamMade { stream: shown, secret });
    Ok(etag::tagged(made, of.version(&stream.id)))
}

async fn one(of: OfStreams) -> Result<Response, Problem> {
    of.no_parameters()?;
    let stream = of.find()?;
    shown(&of, &stream)
}

async fn changed(of: OfStreams, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    of.no_parameters()?;
    let request: StreamRequest = document(&of.app, &headers, body).await?;
    let mut change = of.begin().await?;
    let before = of.find()?;
    etag::check(&headers, of.version(&before.id))?;
    let after = request.changed_stream(&of, &before)?;
    let act = request::differences(of.act("trailbook.stream.changed", &after), &before, &after);
    if act.is_unchanged() {
        return shown(&of, &before);
    }
    change.act(act);
    change.put(after.clone())?;
    change.commit().await?;
    shown(&of, &after)
}

async fn removed(of: OfStreams) -> Result<Response, Problem> {
    of.no_parameters()?;
    let mut change = of.begin().await?;
    let stream = of.find()?;
    change.act(of.act("trailbook.stream.deleted", &stream));
    of.app.directory.remove_stream(&mut change, &stream.id);
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn tested(of: OfStreams) -> Result<Response, Problem> {
    of.no_parameters()?;
    let stream = of.find()?;
    let started = of.app.clock.monotonic();
    let outcome = of.app.deliveries.streams.test(&stream).await;
    let took_ms = of.app.clock.monotonic().saturating_sub(started).as_millis() as u64;
    let (delivered, detail) = match outcome {
        Ok(()) => (true, "The destination took the event.".to_owned()),
        Err(reason) => (false, reason),
    };
    let mut change = of.begin().await?;
    let act = of.act("trailbook.stream.tested", &stream);
    change.act(if delivered { act } else { act.failed() });
    change.commit().await?;
    Ok(answered(&Tested {
        delivered,
        detail,
        took_ms,
    }))
}

async fn paused(of: OfStreams) -> Result<Response, Problem> {
    set_paused(of, true, "trailbook.stream.paused").await
}

async fn resumed(of: OfStreams) -> Result<Response, Problem> {
    set_paused(of, false, "trailbook.stream.resumed").await
}

/// Also what is as it should be is set: a stream that waits after failures is tried at once when somebody lets it go on.
async fn set_paused(of: OfStreams, paused: bool, action: &'static str) -> Result<Response, Problem> {
    of.no_parameters()?;
    let mut change = of.begin().await?;
    let stream = Stream {
        paused,
        updated_at: of.app.clock.now().millis(),
        ..Stream::clone(&*of.find()?)
    };
    change.act(of.act(action, &stream));
    change.put(stream.clone())?;
    change.commit().await?;
    shown(&of, &stream)
}

async fn replayed(of: OfStreams, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    of.no_parameters()?;
    let request: Replay = document(&of.app, &headers, body).await?;
    let (start, only) = request.start(&of)?;
    let meant = of.find()?;
    // Before the lock, since it may read files.
    let starts = tokio::task::block_in_place(|| of.app.deliveries.streams.starts(&meant, start))?;
    let mut change = of.begin().await?;
    let stream = Stream {
        updated_at: of.app.clock.now().millis(),
        ..Stream::clone(&*of.find()?)
    };
    let is_meant = |organization: &str| only.as_ref().is_none_or(|only| only == organization);
    let meant: Vec<_> = starts
        .into_iter()
        .filter(|position| is_meant(&position.organization))
        .collect();
    if meant.is_empty() {
        let at = Pointer::root().child("organization");
        return Err(Problem::fault(
            Code::Invalid,
            at,
            "The project has no such organization with events.",
        ));
    }
    let act = of.act("trailbook.stream.replayed", &stream);
    change.act(act.with("from", request.said()).with("only", json!(only)));
    for position in meant {
        change.put(position)?;
    }
    change.put(stream.clone())?;
    change.commit().await?;
    shown(&of, &stream)
}

async fn kept(of: OfStreams) -> Result<Response, Problem> {
    of.no_parameters()?;
    let stream = of.find()?;
    Ok(answered(&answer::parked(
        of.app.directory.of::<ParkedEvent>(&stream.id),
    )))
}

async fn retried(of: OfStreams) -> Result<Response, Problem> {
    of.no_parameters()?;
    let stream = of.find()?;
    let retried = of.app.deliveries.streams.retry_parked(&stream).await?;
    let mut change = of.begin().await?;
    let act = of.act("trailbook.stream.parked_retried", &stream);
    change.act(act.with("delivered", retried.delivered));
    for event in &retried.settled {
        change.remove::<ParkedEvent>(&trailbook_access::Kind::id(event));
    }
    change.commit().await?;
    Ok(answered(&Retried {
        delivered: retried.delivered,
        parked: of.app.deliveries.streams.parked(&stream.id) as u64,
        detail: retried.stopped,
    }))
}

async fn dropped(of: OfStreams) -> Result<Response, Problem> {
    of.no_parameters()?;
    let mut change = of.begin().await?;
    let stream = of.find()?;
    let parked = of.app.directory.of::<ParkedEvent>(&stream.id);
    if !parked.is_empty() {
        change.act(
            of.act("trailbook.stream.parked_dropped", &stream)
                .with("events", parked.len()),
        );
        for event in parked {
            change.remove::<ParkedEvent>(&trailbook_access::Kind::id(&*event));
        }
        change.commit().await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn shown(of: &OfStreams, stream: &Stream) -> Result<Response, Problem> {
    let answer = answered(&answer::shown(of, stream)?);
    Ok(etag::tagged(answer, of.version(&stream.id)))
}

fn check_room(of: &OfStreams) -> Result<(), Problem> {
    let refused = |detail: String| Err(Problem::fault(Code::Invalid, Pointer::root(), detail));
    if of.all().len() >= STREAMS_MAX {
        return refused(format!(
            "There may be at most {STREAMS_MAX} streams; delete those that nobody needs."
        ));
    }
    if of.app.directory.state().streams.all().count() >= ALL_MAX {
        return refused(format!("A deployment has at most {ALL_MAX} streams."));
    }
    Ok(())
}

fn fault(pointer: &str, detail: impl Into<String>) -> Problem {
    let at = pointer.split('/').filter(|step| !step.is_empty());
    let at = at.fold(Pointer::root(), |at, step| at.child(step));
    Problem::faults(Code::Invalid, vec![Fault::new(at, detail.into())])
}

fn time(millis: i64) -> super::answers::Time {
    super::answers::Time(Timestamp::from_millis(millis))
}
