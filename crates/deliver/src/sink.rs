//! Where a stream's deliveries go: one batch of events in, and what became of it out.
//!
//! Invariants
//! - A batch is the events of one organization, in sequence order. The same batch may be sent again, with the same [`Batch::id`].
//! - Nothing is taken for delivered that the destination did not say it has.
//!
//! Not here: which batches, when, and how often they are tried (`stream`); whose addresses may be reached (`outbound`).

mod client;
mod compress;
mod datadog;
mod elasticsearch;
mod group;
mod objects;
mod otlp;
mod secrets;
mod splunk;
mod syslog;
pub mod webhook;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use trailbook_access::records::Destination;
use trailbook_event::{Fault, Pointer};
use trailbook_ledger::{Clock, Row};

use self::{
    client::Client, datadog::Datadog, elasticsearch::Elasticsearch, objects::Objects, otlp::Otlp, secrets::Secrets,
    splunk::Splunk, syslog::Syslog, webhook::Webhook,
};
use crate::outbound::Outbound;

/// How long a delivery may take; the [`Outbound`] that sinks are opened with has this timeout.
pub const DELIVERY_TIMEOUT: Duration = Duration::from_secs(60);

/// One event on its way.
#[derive(Debug, Clone)]
pub struct Record {
    /// The event as it is stored.
    pub row: Arc<Row>,
    /// What the stream's mapping made of it: one JSON object, without line breaks.
    pub payload: Bytes,
}

/// Events that are delivered together.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'b> {
    /// Project of the organization.
    pub project: &'b str,
    /// The organization.
    pub organization: &'b str,
    /// The ledger's epoch.
    pub epoch: u32,
    /// The first sequence that the batch is about.
    pub begin: u64,
    /// The sequence after the last: between them are the events that the stream's filter lets through.
    pub end: u64,
    /// The events, at least one.
    pub records: &'b [Record],
    /// How long events of this organization are kept, milliseconds; `None` is for ever.
    pub kept_ms: Option<i64>,
}

impl Batch<'_> {
    /// Names the batch, the same whenever it is sent: `msg_` and 32 hexadecimal digits.
    pub fn id(&self) -> String {
        let (from, to) = self.ends();
        let name = format!("{}\0{}\0{}\0{from}\0{to}", self.project, self.organization, self.epoch);
        let digest = Sha256::digest(name);
        let mut id = String::from("msg_");
        digest[..16].iter().for_each(|byte| id.push_str(&format!("{byte:02x}")));
        id
    }

    /// The sequences of its first and last event.
    pub fn ends(&self) -> (u64, u64) {
        let sequence = |record: Option<&Record>| record.map_or(self.begin, |record| record.row.sequence);
        (sequence(self.records.first()), sequence(self.records.last()))
    }
}

/// An event that the destination will not take, whatever comes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its sequence.
    pub sequence: u64,
    /// What the destination said, in a sentence without secrets.
    pub reason: String,
}

impl Refused {
    /// An event that cannot even be sent.
    fn unreadable(record: &Record) -> Self {
        Self {
            sequence: record.row.sequence,
            reason: "The stored event is damaged and cannot be put into this form.".into(),
        }
    }
}

/// Why a batch was not delivered. Sentences are for whoever set the stream up, and hold no secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Not now: the same batch is sent again. Part of it may have been taken.
    #[error("{reason}")]
    Later {
        /// What went wrong.
        reason: String,
        /// How long the destination asked to wait.
        after: Option<Duration>,
    },
    /// The destination does not take the batch as it is: it is sent again in halves, until the events are known that are to blame.
    #[error("{reason}")]
    Refused {
        /// What the destination said.
        reason: String,
    },
}

impl Failure {
    /// A failure that may pass.
    pub fn later(reason: impl Into<String>) -> Self {
        Self::Later {
            reason: reason.into(),
            after: None,
        }
    }
}

/// A destination that is ready to take batches.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Sends a batch, once. `Ok` says that every event has arrived durably, as far as the destination tells, but for those named.
    async fn send(&self, batch: &Batch<'_>) -> Result<Vec<Refused>, Failure>;
}

/// Makes a destination ready, or says what is wrong with it: the fault's place is in the request that makes a stream, below
/// `/destination` or `/secrets`. Nothing is connected to, and no file or environment is read.
pub fn open(
    destination: &Destination,
    secrets: &BTreeMap<String, String>,
    outbound: &Arc<Outbound>,
    clock: &Arc<dyn Clock>,
) -> Result<Box<dyn Sink>, Fault> {
    let known = Secrets::of(destination, secrets)?;
    let client = Client::new(outbound, clock, known.mask());
    Ok(match destination {
        Destination::S3 {
            bucket,
            region,
            endpoint,
            objects,
        } => {
            let s3 = |client: &_| objects::s3((bucket, region), endpoint.as_deref(), &known, client);
            Box::new(Objects::new(objects, client, s3)?)
        }
        Destination::Gcs {
            bucket,
            endpoint,
            objects,
        } => {
            let gcs = |client: &_| objects::gcs(bucket, endpoint.as_deref(), &known, client);
            Box::new(Objects::new(objects, client, gcs)?)
        }
        Destination::AzureBlob {
            account,
            container,
            endpoint,
            objects,
        } => {
            let azure = |client: &_| objects::azure((account, container), endpoint.as_deref(), &known, client);
            Box::new(Objects::new(objects, client, azure)?)
        }
        Destination::Webhook { url, headers } => {
            let at = Pointer::root().child("destination");
            Box::new(Webhook::new((url, headers), secrets, &at, outbound, clock)?)
        }
        Destination::SplunkHec {
            url,
            index,
            source_type,
        } => {
            let names = (index.as_deref(), source_type.as_deref());
            Box::new(Splunk::new(url, names, &known, client)?)
        }
        Destination::Datadog {
            site,
            url,
            service,
            tags,
        } => {
            let labels = (service.as_deref(), tags.as_slice());
            Box::new(Datadog::new((site, url.as_deref()), labels, &known, client)?)
        }
        Destination::Elasticsearch { url, index } => Box::new(Elasticsearch::new((url, index), &known, client)?),
        Destination::Syslog {
            host,
            port,
            tls,
            ca,
            format,
        } => Box::new(Syslog::new((host, *port, *tls), ca.as_deref(), *format, outbound)?),
        Destination::Otlp { url, headers } => Box::new(Otlp::new((url, headers), &known, client)?),
    })
}
