//! The control address: `PUT /faults` (JSON), `DELETE /faults`, `GET /count`.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet};

use crate::faults::{Faults, Plan};

/// Longest body.
const BODY_BYTES_MAX: usize = 64 << 10;

/// Serves for ever; its connections end with it.
pub(crate) async fn serve(listener: TcpListener, plan: Arc<Plan>) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let plan = Arc::clone(&plan);
        let answer = service_fn(move |request| answer(Arc::clone(&plan), request));
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), answer));
    }
}

async fn answer(plan: Arc<Plan>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let (status, text) = match (head.method, head.uri.path()) {
        (Method::PUT, "/faults") => match faults(body).await {
            Ok(faults) => {
                plan.set(faults);
                (StatusCode::NO_CONTENT, String::new())
            }
            Err(what) => (StatusCode::BAD_REQUEST, what),
        },
        (Method::DELETE, "/faults") => {
            plan.set(Faults::default());
            (StatusCode::NO_CONTENT, String::new())
        }
        (Method::GET, "/count") => (StatusCode::OK, serde_json::to_string(&plan.count()).unwrap_or_default()),
        _ => (
            StatusCode::NOT_FOUND,
            "PUT /faults, DELETE /faults or GET /count".to_owned(),
        ),
    };
    let mut answer = Response::new(Full::from(text));
    *answer.status_mut() = status;
    Ok(answer)
}

async fn faults(body: Incoming) -> Result<Faults, String> {
    let bytes = Limited::new(body, BODY_BYTES_MAX).collect().await;
    let bytes = bytes.map_err(|error| error.to_string())?.to_bytes();
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}
