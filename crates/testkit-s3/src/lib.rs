//! An S3 server that keeps objects in a directory, checks signatures, and fails as it is told. For tests and `make cluster`;
//! the program `testkit-s3` is the same for tests that are not written in Rust.
//!
//! Invariants
//! - It listens on loopback only, and ends with the value that started it.
//! - Faults hit requests of the object protocol, never those of the control address.
//!
//! Not here: conditional writes that are safe under races: the server below checks first and writes then.

mod client;
mod control;
mod faults;
mod server;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, mpsc},
    thread::JoinHandle,
};

use object_store::ObjectStore;
use tokio::{net::TcpListener, sync::oneshot};

pub use self::faults::{Count, Faults};
use self::{faults::Plan, server::Storage};

/// What a server keeps where, and for whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The directory of the buckets; made when it is not there.
    pub directory: PathBuf,
    /// The bucket, at least three characters; made when it is not there.
    pub bucket: String,
    /// Access key id of the only user.
    pub access_key: String,
    /// Secret access key of the only user.
    pub secret_key: String,
    /// Port of the object protocol; 0 is a free one.
    pub port: u16,
}

/// A running server. It works on a thread of its own, whatever runtime the test has.
pub struct Server {
    address: SocketAddr,
    control: SocketAddr,
    settings: Settings,
    plan: Arc<Plan>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server; when this returns it answers.
    ///
    /// # Errors
    /// When the directory cannot be made or the port is taken.
    pub fn start(settings: Settings) -> io::Result<Self> {
        let storage = Storage::open(&settings)?;
        let plan = Arc::new(Plan::default());
        let (stop, stopped) = oneshot::channel();
        let (started, starting) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let (kept, port) = (Arc::clone(&plan), settings.port);
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let bound = bind(port).await;
                let (objects, control) = match bound {
                    Ok(bound) => bound,
                    Err(error) => return drop(started.send(Err(error))),
                };
                let addresses = objects.local_addr().and_then(|of| Ok((of, control.local_addr()?)));
                let _ = started.send(addresses);
                tokio::select! {
                    () = server::serve(objects, storage, Arc::clone(&kept)) => {}
                    () = control::serve(control, kept) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        let addresses = starting.recv().map_err(io::Error::other)?;
        let (address, control) = addresses?;
        Ok(Self {
            address,
            control,
            settings,
            plan,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The URL of the object protocol, such as `http://127.0.0.1:4321`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The URL of the control address.
    pub fn control(&self) -> String {
        format!("http://{}", self.control)
    }

    /// The bucket, as whoever has the keys sees it. Requests end after two seconds, and are repeated twice where that is safe.
    ///
    /// # Errors
    /// When the settings make no client.
    pub fn store(&self) -> object_store::Result<Arc<dyn ObjectStore>> {
        client::store(&self.endpoint(), &self.settings)
    }

    /// From now on requests fail like this; the default is that none does.
    pub fn fail(&self, faults: Faults) {
        self.plan.set(faults);
    }

    /// Requests since the start.
    pub fn count(&self) -> Count {
        self.plan.count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn bind(port: u16) -> io::Result<(TcpListener, TcpListener)> {
    let objects = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let control = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    Ok((objects, control))
}
