//! An HTTP server on loopback that does as it is told, and remembers what it was sent.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Answers it.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Answers with what it was sent.
    Echo(u16),
    /// Reads it, and answers later than anybody waits.
    Silence,
    /// Reads it, and breaks off in the middle of the answer.
    Half,
    /// Reads it and ends the connection.
    HangUp,
    /// Resets the connection.
    Reset,
    /// Answers in another protocol.
    Garbage,
}

/// What the server was sent.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in small letters.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// The server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    connections: Arc<AtomicUsize>,
}

/// An answer without further headers.
pub(crate) fn says(status: u16, body: impl AsRef<[u8]>) -> Reply {
    Reply::Answer(status, Vec::new(), body.as_ref().to_vec())
}

impl Server {
    /// Gives the replies in their order, and the last again and again.
    pub(crate) async fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies: Vec<Reply> = replies.into_iter().collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            received: Arc::default(),
            connections: Arc::default(),
        };
        let (received, connections) = (server.received.clone(), server.connections.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let index = connections.fetch_add(1, Ordering::SeqCst);
                let reply = replies[index.min(replies.len() - 1)].clone();
                tokio::spawn(serve(stream, reply, received.clone()));
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The one request that there was.
    pub(crate) fn only(&self) -> Received {
        let received = self.received();
        assert_eq!(received.len(), 1);
        received[0].clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, reply: Reply, received: Arc<Mutex<Vec<Received>>>) {
    if let Reply::Reset = reply {
        // What was sent and not read makes the kernel reset the connection.
        let _ = stream.readable().await;
        return;
    }
    let Some((head, request)) = read(&mut stream).await else {
        return;
    };
    received.lock().unwrap().push(request);
    let answer = match reply {
        Reply::Answer(status, headers, body) => answer(status, &headers, &body),
        Reply::Echo(status) => answer(status, &[], &head),
        Reply::Half => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec(),
        Reply::Garbage => b"220 mail.example ESMTP\r\n".to_vec(),
        Reply::Silence => {
            tokio::time::sleep(Duration::from_secs(3)).await;
            answer(200, &[], b"{}")
        }
        Reply::HangUp | Reply::Reset => Vec::new(),
    };
    let _ = stream.write_all(&answer).await;
    let _ = stream.shutdown().await;
}

fn answer(status: u16, headers: &[(&str, String)], body: &[u8]) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    out.push_str("\r\n");
    [out.as_bytes(), body].concat()
}

/// The bytes of a request's head, and the request.
async fn read(stream: &mut TcpStream) -> Option<(Vec<u8>, Received)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut body = bytes.split_off(end);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers.get("content-length")?.parse().ok()?;
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    let received = Received {
        method,
        path,
        headers,
        body,
    };
    Some((bytes, received))
}
