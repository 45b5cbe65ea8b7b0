//! HTTP as the object stores' client speaks it: connections that are kept, on threads of their own, with a limit to every wait.
//!
//! Invariants
//! - An answer begins within [`ANSWER_TIMEOUT`] of its request, body included; between two pieces of its body there is at most
//!   [`PIECE_TIMEOUT`].
//! - Connections live on these threads, not on those that use the store: neither a runtime that ends nor one that is busy takes
//!   a connection from others.
//!
//! Not here: repetitions (the stores' client), guards against addresses (this store is the operator's own).

use std::{error::Error, fmt, io, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::{SinkExt, channel::mpsc};
use http_body_util::{BodyExt, StreamBody};
use hyper::{
    Request, Response,
    body::Incoming,
    header::{HeaderValue, USER_AGENT},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector as Tcp},
    rt::{TokioExecutor, TokioTimer},
};
use object_store::{
    ClientConfigKey, ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
        HttpResponseBody, HttpService,
    },
};
use tokio::{runtime::Runtime, sync::oneshot, time::timeout};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
const PIECE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(60);
/// Pieces of a body that wait for whoever reads it.
const PIECES_WAITING: usize = 4;

/// Makes clients, which share the threads.
pub(super) struct Connector {
    threads: Arc<Threads>,
    tls: ClientConfig,
}

/// A runtime that may be dropped anywhere.
struct Threads(Option<Runtime>);

/// Sends requests.
struct Http {
    threads: Arc<Threads>,
    client: Client<HttpsConnector<Tcp>, HttpRequestBody>,
}

impl Connector {
    pub(super) fn new() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("objects-http")
            .enable_all()
            .build()?;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            threads: Arc::new(Threads(Some(runtime))),
            tls,
        })
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let builder = HttpsConnectorBuilder::new().with_tls_config(self.tls.clone());
        let is_plain = options.get_config_value(&ClientConfigKey::AllowHttp).as_deref() == Some("true");
        let builder = if is_plain {
            builder.https_or_http()
        } else {
            builder.https_only()
        };
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(builder.enable_http1().wrap_connector(tcp));
        Ok(HttpClient::new(Http {
            threads: Arc::clone(&self.threads),
            client,
        }))
    }
}

#[async_trait]
impl HttpService for Http {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let name = HeaderValue::from_static(concat!("trailbook/", env!("CARGO_PKG_VERSION")));
        request.headers_mut().insert(USER_AGENT, name);
        let (answer, answered) = oneshot::channel();
        if let Some(runtime) = &self.threads.0 {
            runtime.spawn(exchange(self.client.clone(), request, answer));
        }
        let gone = |error| Err(HttpError::new(HttpErrorKind::Unknown, error));
        answered.await.unwrap_or_else(gone)
    }
}

/// One request, until its answer's body was read or nobody wants it.
async fn exchange(
    client: Client<HttpsConnector<Tcp>, HttpRequestBody>,
    request: Request<HttpRequestBody>,
    mut answer: oneshot::Sender<Result<HttpResponse, HttpError>>,
) {
    let sent = tokio::select! {
        sent = timeout(ANSWER_TIMEOUT, client.request(request)) => sent,
        () = answer.closed() => return,
    };
    let response: Response<Incoming> = match sent {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return drop(answer.send(Err(failed(error)))),
        Err(late) => return drop(answer.send(Err(HttpError::new(HttpErrorKind::Timeout, late)))),
    };
    let (head, mut body) = response.into_parts();
    let (mut pieces, rest) = mpsc::channel(PIECES_WAITING);
    let read = HttpResponseBody::new(StreamBody::new(rest));
    if answer.send(Ok(Response::from_parts(head, read))).is_err() {
        return;
    }
    loop {
        let piece = match timeout(PIECE_TIMEOUT, body.frame()).await {
            Ok(None) => return,
            Ok(Some(Ok(piece))) => Ok(piece),
            Ok(Some(Err(error))) => Err(HttpError::new(HttpErrorKind::Interrupted, error)),
            Err(late) => Err(HttpError::new(HttpErrorKind::Timeout, late)),
        };
        let is_last = piece.is_err();
        if pieces.send(piece).await.is_err() || is_last {
            return;
        }
    }
}

/// A request without an answer, by what the stores' client may do next.
fn failed(error: hyper_util::client::legacy::Error) -> HttpError {
    let kind = if error.is_connect() {
        HttpErrorKind::Connect
    } else if is_cut(&error) {
        HttpErrorKind::Request
    } else {
        HttpErrorKind::Unknown
    };
    HttpError::new(kind, error)
}

/// Whether the connection ended before the answer.
fn is_cut(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            return error.is_closed() || error.is_incomplete_message() || error.is_body_write_aborted();
        }
        if error.is::<io::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

impl fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Connector")
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Http")
    }
}
