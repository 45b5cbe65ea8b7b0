//! Connections: accepted up to a bound, served with time limits, finished before the process ends.
//!
//! Invariants
//! - At most `connections_max` connections are served; more wait in the kernel's queue.
//! - A header must arrive within `header_timeout_ms`, be smaller than [`HEADER_BYTES_MAX`] and have at most 100 fields.
//! - After the stop signal no connection is accepted, idle ones close, busy ones have [`DRAIN`] to finish.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::timeout,
};

use crate::{
    config::Limits,
    http::{self, App},
};

/// The largest header.
const HEADER_BYTES_MAX: usize = 64 << 10;

/// How much of a body is read at a time, at most.
const READ_BYTES_MAX: usize = 512 << 10;

/// The most header fields.
const HEADER_FIELDS_MAX: usize = 100;

/// How long requests in flight may take once the server stops.
const DRAIN: Duration = Duration::from_secs(8);

/// Serves until `stopping` turns true, then until the last request is answered or [`DRAIN`] has passed.
pub(crate) async fn serve(listener: TcpListener, app: Arc<App>, limits: &Limits, mut stopping: watch::Receiver<bool>) {
    let router = http::router(app.clone());
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_header_size(HEADER_BYTES_MAX)
        .max_buf_size(READ_BYTES_MAX)
        .max_headers(HEADER_FIELDS_MAX)
        .pipeline_flush(true);
    let mut connections = JoinSet::new();
    while !*stopping.borrow() {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            _ = stopping.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        let Some((stream, peer, place)) = accepted else {
            continue;
        };
        let connection = Connection {
            app: app.clone(),
            router: router.clone(),
            peer,
            _place: place,
        };
        connections.spawn(connection.serve(stream, protocol.clone(), stopping.clone()));
    }
    drop(listener);
    let finished = timeout(DRAIN, async { while connections.join_next().await.is_some() {} }).await;
    if finished.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "requests were still in flight and are cut off"
        );
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, place)),
        Err(error) => {
            // Mostly too many open files: waiting lets connections close.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

/// Returns once the server stops.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error says that the sender is gone, and then the server has stopped as well.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

struct Connection {
    app: Arc<App>,
    router: Router,
    peer: SocketAddr,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    async fn serve(self, stream: TcpStream, protocol: http1::Builder, mut stopping: watch::Receiver<bool>) {
        // Answers are written whole: waiting for more bytes only delays them.
        let _ = stream.set_nodelay(true);
        self.app.measures.connections.inc();
        let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
            http::answer(self.app.clone(), self.router.clone(), self.peer, request.map(Body::new))
        });
        let mut connection = std::pin::pin!(protocol.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopped(&mut stopping) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection ended early");
        }
        self.app.measures.connections.dec();
    }
}
