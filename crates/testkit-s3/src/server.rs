//! The object protocol: requests meet their fate, those that may go on are carried out by `s3s-fs`.

use std::{fs, io, sync::Arc};

use bytes::Bytes;
use futures::stream;
use http::{Request, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use s3s::{
    Body,
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    Settings,
    faults::{Fate, Plan},
};

/// Ends a connection.
type Cut = io::Error;

/// What carries requests out.
#[derive(Clone)]
pub(crate) struct Storage(S3Service);

impl Storage {
    pub(crate) fn open(settings: &Settings) -> io::Result<Self> {
        fs::create_dir_all(settings.directory.join(&settings.bucket))?;
        let files = FileSystem::new(&settings.directory).map_err(|error| io::Error::other(format!("{error:?}")))?;
        let mut builder = S3ServiceBuilder::new(files);
        let (access_key, secret_key) = (settings.access_key.as_str(), settings.secret_key.as_str());
        builder.set_auth(SimpleAuth::from_single(access_key, secret_key));
        Ok(Self(builder.build()))
    }

    async fn carry_out(&self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let answer = self.0.call(request.map(Body::from)).await;
        answer.map_err(|error| Cut::other(format!("{error:?}")))
    }
}

/// Serves for ever; its connections end with it.
pub(crate) async fn serve(listener: TcpListener, storage: Storage, plan: Arc<Plan>) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let (storage, plan) = (storage.clone(), Arc::clone(&plan));
        let answer = service_fn(move |request| answer(storage.clone(), Arc::clone(&plan), request));
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), answer));
    }
}

async fn answer(storage: Storage, plan: Arc<Plan>, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
    let (delay, fate) = plan.draw(request.method().as_str(), &request.uri().to_string());
    tokio::time::sleep(delay).await;
    match fate {
        Fate::Answered => storage.carry_out(request).await,
        Fate::Hangs => std::future::pending().await,
        Fate::CutBefore => Err(cut()),
        Fate::Refused(status) => {
            // Whoever sends a long body would not look at an answer that comes before its end.
            let _ = request.into_body().collect().await;
            Ok(refusal(status))
        }
        Fate::CutAfter => {
            let (_, body) = storage.carry_out(request).await?.into_parts();
            let _ = body.collect().await;
            Err(cut())
        }
        Fate::Truncated => {
            spoilt(storage.carry_out(request).await?, |whole| {
                whole.slice(..whole.len() / 2)
            })
            .await
        }
        Fate::Flipped => spoilt(storage.carry_out(request).await?, flipped).await,
    }
}

/// An answer with another body, of which the length may not be what its head says.
async fn spoilt(answer: Response<Body>, spoil: impl Fn(Bytes) -> Bytes) -> Result<Response<Body>, Cut> {
    let (head, body) = answer.into_parts();
    let whole = body.collect().await.map_err(Cut::other)?.to_bytes();
    let length = whole.len();
    let spoilt = spoil(whole);
    let mut frames = vec![Ok(Frame::data(spoilt.clone()))];
    if spoilt.len() < length {
        frames.push(Err(cut()));
    }
    let body = Body::http_body_unsync(StreamBody::new(stream::iter(frames)));
    let mut answer = Response::from_parts(head, body);
    answer.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    Ok(answer)
}

fn flipped(whole: Bytes) -> Bytes {
    let mut bytes = whole.to_vec();
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte = !*byte;
    }
    bytes.into()
}

fn refusal(status: u16) -> Response<Body> {
    let code = if status == 503 { "SlowDown" } else { "InternalError" };
    let text = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as planned</Message></Error>");
    let mut answer = Response::new(Body::from(Bytes::from(text)));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer
}

fn cut() -> Cut {
    Cut::new(io::ErrorKind::ConnectionAborted, "cut as planned")
}
