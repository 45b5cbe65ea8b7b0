//! A line to a server that can be cut where a commit is sent or answered.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Where the line is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Cut {
    Nowhere,
    /// The server does not get the commit.
    Before,
    /// The server gets the commit, and its answer is lost.
    After,
}

pub(crate) struct Proxy {
    pub(crate) port: u16,
    cut: Arc<AtomicU8>,
}

impl Proxy {
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = Arc::new(AtomicU8::new(Cut::Nowhere as u8));
        let state = Arc::clone(&cut);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, Arc::clone(&state)));
            }
        });
        Self { port, cut }
    }

    /// From now on.
    pub(crate) fn cut(&self, cut: Cut) {
        self.cut.store(cut as u8, Ordering::SeqCst);
    }
}

/// Carries until either side ends or the line is cut.
async fn carry(mut client: TcpStream, server: u16, cut: Arc<AtomicU8>) {
    let mut server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut ends_with_answer = false;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(1..) = read else { return };
                let bytes = &asked[..read.unwrap()];
                let commits = bytes.windows(6).any(|word| word == b"COMMIT");
                if commits && cut.load(Ordering::SeqCst) == Cut::Before as u8 {
                    return;
                }
                ends_with_answer |= commits && cut.load(Ordering::SeqCst) == Cut::After as u8;
                if server.write_all(bytes).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(1..) = read else { return };
                let bytes = &answered[..read.unwrap()];
                if ends_with_answer {
                    // What comes before the end of the commit is lost too.
                    if bytes.windows(6).any(|word| word == b"COMMIT") {
                        return;
                    }
                } else if client.write_all(bytes).await.is_err() {
                    return;
                }
            }
        }
    }
}
