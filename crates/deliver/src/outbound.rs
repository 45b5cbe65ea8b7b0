//! The one door to servers that a customer names: identity providers, webhooks, and the destinations of streams.
//!
//! A name is resolved once; every address that it has must be reachable ([`Allowed`]), and the connection goes to one of
//! the addresses that were checked. So a name that changes its address in between is of no use to anybody.
//!
//! Invariants
//! - One request goes to one server: redirects are answers like others, proxies of the environment are not used.
//! - A request ends within the door's timeout, and no answer takes more than [`ANSWER_BYTES_MAX`].
//! - Errors that a customer can see do not tell a closed port from a filtered one.
//!
//! Not here: who may name a URL, how often it is tried.

mod server;

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};
use url::{Host, Url};

pub use self::server::{Allowed, Protocol, Server};

/// From the call to the end of the answer, unless somebody has more patience ([`Outbound::with_timeout`]).
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// For each address that a name has.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The largest body that is read.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;
/// The largest head of an answer that is read.
const ANSWER_HEAD_BYTES_MAX: usize = 64 << 10;
/// Addresses that a name may have; more are refused.
const ADDRESSES_MAX: usize = 32;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL is not one that requests are made to.
    #[error("the URL cannot be used: {0}")]
    Url(&'static str),
    /// The operator's setting decides.
    #[error(
        "the server cannot be used: connections go to public addresses, by https on port 443 or 8443 or by syslog over TLS \
         on port 6514, and to what the operator allows in private_destinations"
    )]
    NotAllowed,
    /// No address, no connection, or no answer in time.
    #[error("the server cannot be reached")]
    Unreachable,
    /// The server did not prove to be the one that was named.
    #[error("no TLS connection to the server")]
    Tls(#[source] std::io::Error),
    /// This machine knows no certificate authorities.
    #[error("this machine has no certificate authorities: install ca-certificates, or set SSL_CERT_FILE")]
    NoAuthorities,
    /// More than [`ANSWER_BYTES_MAX`].
    #[error("the answer has more than 1 MiB")]
    TooLarge,
    /// What came is not HTTP.
    #[error("the answer is not well-formed")]
    Malformed,
}

/// A request on its way.
type Sending = BoxFuture<'static, Result<Response<Vec<u8>>, Error>>;

/// What an open connection can do.
pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<C: AsyncRead + AsyncWrite + Send + Unpin> Connection for C {}

/// Certificate authorities that a server has to prove its name to, instead of those of this machine.
#[derive(Clone)]
pub struct Authorities(Arc<ClientConfig>);

impl Authorities {
    /// Those of a PEM text; `None` when it holds no certificates, or one that is damaged.
    pub fn from_pem(text: &str) -> Option<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
            roots.add(certificate.ok()?).ok()?;
        }
        (!roots.is_empty()).then(|| Self(trusting(roots)))
    }
}

/// Connects to servers that customers name.
pub struct Outbound {
    allowed: Allowed,
    timeout: Duration,
    /// Loaded by the first connection over TLS.
    tls: OnceLock<Arc<ClientConfig>>,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Outbound").finish_non_exhaustive()
    }
}

impl Outbound {
    /// A door to public servers and to what the operator allows.
    pub fn new(allowed: Allowed) -> Self {
        Self {
            allowed,
            timeout: REQUEST_TIMEOUT,
            tls: OnceLock::new(),
        }
    }

    /// The same door for requests that may take longer, or must not take as long.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// How long one request may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Whether the server can be one that may be reached, as far as can be said without asking anybody for its address.
    pub fn check(&self, server: &Server) -> Result<(), Error> {
        match self.allowed.may_reach(server) {
            true => Ok(()),
            false => Err(Error::NotAllowed),
        }
    }

    /// Sends one request and reads the whole answer, whatever its status.
    pub async fn send<B: Into<Bytes>>(&self, request: Request<B>) -> Result<Response<Vec<u8>>, Error> {
        timeout(self.timeout, self.exchange(request.map(Into::into)))
            .await
            .unwrap_or(Err(Error::Unreachable))
    }

    /// [`Self::send`] for libraries that bring no HTTP client of their own.
    pub fn client(self: &Arc<Self>) -> impl Fn(Request<Vec<u8>>) -> Sending + Send + Sync + use<> {
        let outbound = Arc::clone(self);
        move |request| {
            let outbound = Arc::clone(&outbound);
            async move { outbound.send(request).await }.boxed()
        }
    }

    /// Opens a connection for bytes, protected when the server's protocol says so. Its end is the caller's business, and so is
    /// the time that it takes.
    pub async fn connect(
        &self,
        server: &Server,
        authorities: Option<&Authorities>,
    ) -> Result<Box<dyn Connection>, Error> {
        let addresses = self.checked(server, resolve(server).await?)?;
        let stream = connect(&addresses).await?;
        if !server.protocol.is_secure() {
            return Ok(Box::new(stream));
        }
        let name = match &server.host {
            Host::Domain(name) => {
                ServerName::try_from(name.clone()).map_err(|_| Error::Url("its host is not a name"))?
            }
            Host::Ipv4(address) => ServerName::IpAddress(IpAddr::from(*address).into()),
            Host::Ipv6(address) => ServerName::IpAddress(IpAddr::from(*address).into()),
        };
        let config = match authorities {
            Some(Authorities(config)) => config.clone(),
            None => self.tls()?,
        };
        let stream = TlsConnector::from(config).connect(name, stream).await;
        Ok(Box::new(stream.map_err(Error::Tls)?))
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Vec<u8>>, Error> {
        // What is connected to and what is sent come from one reading of the URL.
        let url = Url::parse(&request.uri().to_string()).map_err(|_| Error::Url("it is not one"))?;
        let server = Server::of(&url).map_err(Error::Url)?;
        let request = prepared(request, &url, &server)?;
        answer(self.connect(&server, None).await?, request).await
    }

    /// The addresses, when every one of them may be reached: a name with one that may not is refused.
    fn checked(&self, server: &Server, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Error> {
        if addresses.is_empty() {
            return Err(Error::Unreachable);
        }
        let reached = |address: &SocketAddr| self.allowed.reaches(server, address.ip());
        if addresses.len() > ADDRESSES_MAX || !addresses.iter().all(reached) {
            return Err(Error::NotAllowed);
        }
        Ok(addresses)
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, Error> {
        if let Some(config) = self.tls.get() {
            return Ok(config.clone());
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(Error::NoAuthorities);
        }
        Ok(self.tls.get_or_init(|| trusting(roots)).clone())
    }
}

/// TLS with servers whose certificates these authorities signed.
fn trusting(roots: RootCertStore) -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has the suites of these versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

async fn resolve(server: &Server) -> Result<Vec<SocketAddr>, Error> {
    let port = server.port;
    let address = match &server.host {
        Host::Domain(name) => {
            let found = lookup_host((name.as_str(), port)).await;
            return Ok(found.map_err(|_| Error::Unreachable)?.collect());
        }
        Host::Ipv4(address) => SocketAddr::from((*address, port)),
        Host::Ipv6(address) => SocketAddr::from((*address, port)),
    };
    Ok(vec![address])
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Error> {
    for address in addresses {
        if let Ok(Ok(stream)) = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            return Ok(stream);
        }
    }
    Err(Error::Unreachable)
}

/// The request as it is sent: the path alone, and headers that are ours to set.
fn prepared(request: Request<Bytes>, url: &Url, server: &Server) -> Result<Request<Full<Bytes>>, Error> {
    let (mut head, body) = request.into_parts();
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    head.uri = target.parse().map_err(|_| Error::Url("its path is not one"))?;
    let host = HeaderValue::try_from(server.authority()).map_err(|_| Error::Url("its host is not a name"))?;
    head.headers.insert(header::HOST, host);
    head.headers.insert(
        header::USER_AGENT,
        HeaderValue::from_static(concat!("trailbook/", env!("CARGO_PKG_VERSION"))),
    );
    head.headers
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(Request::from_parts(head, Full::from(body)))
}

async fn answer<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Response<Vec<u8>>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let handshake = http1::Builder::new()
        .max_buf_size(ANSWER_HEAD_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await;
    let (mut sender, connection) = handshake.map_err(|_| Error::Malformed)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|_| Error::Malformed)?;
        let (head, body) = response.into_parts();
        match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
            Ok(body) => Ok(Response::from_parts(head, body.to_bytes().into())),
            Err(error) if error.is::<LengthLimitError>() => Err(Error::TooLarge),
            Err(_) => Err(Error::Malformed),
        }
    };
    // The connection lives as long as the exchange: when this future is dropped, so is the connection.
    tokio::pin!(exchange);
    tokio::select! {
        biased;
        outcome = &mut exchange => outcome,
        // Its own errors reach the exchange.
        _ = connection => exchange.await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };
    use tokio_rustls::{
        TlsAcceptor,
        rustls::{
            ServerConfig,
            pki_types::{CertificateDer, PrivateKeyDer},
        },
    };

    use super::*;

    /// A server on loopback that says the same to everybody, and counts whom it spoke to.
    async fn server(says: Vec<u8>) -> (SocketAddr, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (address, reached) = (
            listener.local_addr().expect("an address"),
            Arc::new(AtomicUsize::new(0)),
        );
        let count = reached.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let says = says.clone();
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 4096]).await;
                    let _ = stream.write_all(&says).await;
                });
            }
        });
        (address, reached)
    }

    async fn get(allowed: &str, url: &str) -> Result<Response<Vec<u8>>, Error> {
        let request = Request::get(url).body(Vec::new()).expect("a request");
        Outbound::new(allowed.parse().expect("entries")).send(request).await
    }

    #[tokio::test]
    async fn loopback_is_not_reached_by_any_name_unless_it_is_allowed() {
        let (address, reached) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".into()).await;
        let port = address.port();
        for host in [
            "127.0.0.1",
            "localhost",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "0.0.0.0",
            "[::ffff:127.0.0.1]",
            "[::1]",
        ] {
            for scheme in ["http", "https"] {
                let refused = get("", &format!("{scheme}://{host}:{port}/")).await;
                assert!(
                    matches!(refused, Err(Error::NotAllowed)),
                    "{scheme} {host}: {refused:?}"
                );
            }
        }
        assert_eq!(reached.load(Ordering::SeqCst), 0);
        for allowed in ["127.0.0.0/8", &format!("127.0.0.1:{port}")] {
            let answer = get(allowed, &format!("http://127.0.0.1:{port}/")).await.expect(allowed);
            assert_eq!(
                (answer.status().as_u16(), answer.body().as_slice()),
                (200, b"hello".as_slice())
            );
        }
        assert_eq!(reached.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_name_with_one_private_address_among_public_ones_is_refused() {
        let url = Url::parse("https://a.example").expect("a URL");
        let server = Server::of(&url).expect("a server");
        let addresses = |text: &[&str]| text.iter().map(|one| one.parse().expect("an address")).collect();
        let outbound = Outbound::new(Allowed::default());
        let public = ["93.184.215.14:443", "[2606:4700:4700::1111]:443"];
        assert_eq!(outbound.checked(&server, addresses(&public)).expect("public").len(), 2);
        for mixed in [
            ["93.184.215.14:443", "10.0.0.1:443"],
            ["[::ffff:10.0.0.1]:443", "93.184.215.14:443"],
        ] {
            assert!(outbound.checked(&server, addresses(&mixed)).is_err(), "{mixed:?}");
        }
        assert!(outbound.checked(&server, Vec::new()).is_err());
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_is_not_followed() {
        let (target, reached) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".into()).await;
        let says = format!("HTTP/1.1 302 Found\r\nLocation: http://{target}/\r\nContent-Length: 0\r\n\r\n");
        let (address, _) = server(says.into_bytes()).await;
        let answer = get("127.0.0.0/8", &format!("http://{address}/"))
            .await
            .expect("an answer");
        assert_eq!(answer.status().as_u16(), 302);
        assert_eq!(reached.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn answers_are_bounded_and_must_be_http() {
        let body = |bytes: usize| {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n");
            [head.into_bytes(), vec![b'x'; bytes]].concat()
        };
        let answered = async |says: Vec<u8>| {
            let (address, _) = server(says).await;
            get("127.0.0.0/8", &format!("http://{address}/")).await
        };
        assert_eq!(
            answered(body(ANSWER_BYTES_MAX))
                .await
                .expect("at the bound")
                .body()
                .len(),
            ANSWER_BYTES_MAX
        );
        assert!(matches!(
            answered(body(ANSWER_BYTES_MAX + 1)).await,
            Err(Error::TooLarge)
        ));
        let head = format!(
            "HTTP/1.1 200 OK\r\nX: {}\r\n\r\n",
            "x".repeat(2 * ANSWER_HEAD_BYTES_MAX)
        );
        assert!(matches!(answered(head.into_bytes()).await, Err(Error::Malformed)));
        assert!(matches!(
            answered(b"220 mail.example ESMTP\r\n".into()).await,
            Err(Error::Malformed)
        ));
    }

    /// A TLS server on loopback whose certificate is for `name`; its address, and the certificate.
    async fn tls_server(name: &str) -> (SocketAddr, CertificateDer<'static>) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key);
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("a certificate with its key")));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                    .await;
                let _ = stream.shutdown().await;
            }
        });
        (address, certificate)
    }

    #[tokio::test]
    async fn a_server_has_to_prove_its_name_to_an_authority_that_is_trusted() {
        let get = async |trusted: Option<CertificateDer<'static>>, url: String| {
            let outbound = Outbound::new("127.0.0.0/8, ::1".parse().expect("entries"));
            if let Some(certificate) = trusted {
                let mut roots = RootCertStore::empty();
                roots.add(certificate).expect("a root");
                outbound.tls.get_or_init(|| trusting(roots));
            }
            outbound
                .send(Request::get(url).body(Vec::new()).expect("a request"))
                .await
        };
        let (address, certificate) = tls_server("localhost").await;
        let (by_name, by_address) = (
            format!("https://localhost:{}/", address.port()),
            format!("https://{address}/"),
        );
        let answer = get(Some(certificate.clone()), by_name.clone())
            .await
            .expect("an answer");
        assert_eq!(answer.body(), b"ok");
        let (_, other) = tls_server("localhost").await;
        for (what, trusted, url) in [
            ("another name", Some(certificate), by_address),
            ("another authority", Some(other), by_name.clone()),
            ("nobody's authority", None, by_name),
        ] {
            let refused = get(trusted, url).await;
            assert!(
                matches!(refused, Err(Error::Tls(_) | Error::NoAuthorities)),
                "{what}: {refused:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_server_that_is_silent_is_given_up() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        // Listening without accepting: the kernel completes the handshake and nobody answers.
        let outbound = Outbound::new("127.0.0.0/8".parse().expect("an entry")).with_timeout(Duration::from_millis(100));
        let request = Request::get(format!("http://{address}/")).body(Vec::new());
        let refused = outbound.send(request.expect("a request")).await;
        assert!(matches!(refused, Err(Error::Unreachable)), "{refused:?}");
    }
}
