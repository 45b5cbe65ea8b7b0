//! Objects of S3, Google Cloud Storage and Azure: one for each batch.
//!
//! Keys: `{prefix}organization={organization}/date=YYYY-MM-DD/hour=HH/e{epoch}-{first}-{last}.{ending}`, with the date and hour, in
//! UTC, at which the batch's first event was received, and the first and last sequence that the batch is about in 20 digits.
//!
//! Invariants
//! - The same batch has the same key: a repeated delivery overwrites itself.
//! - Keys of different organizations differ, and all begin with the prefix and `organization=`, whatever the names are.
//! - Whoever may write is who the secrets say: nothing is taken from the machine or its environment.
//!
//! Not here: what Parquet files hold (`parquet`).

mod connector;
mod store;

use std::sync::Arc;

use async_trait::async_trait;
use object_store::{Attribute, Attributes, ObjectStore, PutOptions, PutPayload, path::Path};
use trailbook_access::records::{Compression, ObjectFormat, Objects as Settings};
use trailbook_event::{Fault, Pointer};
use url::form_urlencoded::byte_serialize;

use self::connector::{Answered, cause};
pub(super) use self::store::{azure, gcs, s3};
use super::{Batch, Failure, Refused, Sink, client::Client, compress};
use crate::{Error, json::Envelope, parquet};

/// Longest prefix of keys, in bytes.
const PREFIX_BYTES_MAX: usize = 200;

/// A bucket or container.
pub(super) struct Objects {
    client: Arc<Client>,
    store: Box<dyn ObjectStore>,
    settings: Settings,
}

impl Objects {
    /// Those in a store, which is made with the same client.
    pub(super) fn new(
        settings: &Settings,
        client: Client,
        store: impl FnOnce(&Arc<Client>) -> Result<Box<dyn ObjectStore>, Fault>,
    ) -> Result<Self, Fault> {
        check_prefix(&settings.prefix)?;
        let client = Arc::new(client);
        Ok(Self {
            store: store(&client)?,
            client,
            settings: settings.clone(),
        })
    }

    async fn body(&self, batch: &Batch<'_>) -> Result<Vec<u8>, Error> {
        if self.settings.format == ObjectFormat::Parquet {
            return parquet_file(batch);
        }
        let lines = lines(batch);
        Ok(match self.settings.compression {
            Compression::Gzip => compress::gzip(lines).await,
            Compression::Zstd => compress::zstd(lines).await,
            Compression::None => lines,
        })
    }

    fn failure(&self, error: &object_store::Error) -> Failure {
        match cause(error) {
            Some(Answered::No(error)) => error.into(),
            Some(Answered::Yes(answer)) if answer.status.as_u16() == 413 || is_too_large(&answer.body) => {
                self.client.refused(answer)
            }
            // Also 400: this is what S3 says of a wrong region and of a token that is over.
            Some(Answered::Yes(answer)) => self.client.later(answer),
            None => Failure::later(format!(
                "The object could not be written: {}",
                self.client.quoted(&innermost(error))
            )),
        }
    }
}

#[async_trait]
impl Sink for Objects {
    async fn send(&self, batch: &Batch<'_>) -> Result<Vec<Refused>, Failure> {
        let (ending, content_type) = kind(&self.settings);
        let key = key(&self.settings.prefix, batch, ending);
        let path = Path::parse(key).map_err(|_| Failure::later("The object's key cannot be used."))?;
        let body = self.body(batch).await.map_err(|error| {
            let reason = format!("The object could not be made: {error}.");
            match error {
                // Halving finds the event, and the others go on.
                Error::Corrupt { .. } => Failure::Refused { reason },
                _ => Failure::later(reason),
            }
        })?;
        let options = PutOptions {
            attributes: Attributes::from_iter([(Attribute::ContentType, content_type)]),
            ..PutOptions::default()
        };
        match self.store.put_opts(&path, PutPayload::from(body), options).await {
            Ok(_) => Ok(Vec::new()),
            Err(error) => Err(self.failure(&error)),
        }
    }
}

/// The end of keys, and the media type.
fn kind(settings: &Settings) -> (&'static str, &'static str) {
    match (settings.format, settings.compression) {
        (ObjectFormat::Parquet, _) => ("parquet", "application/vnd.apache.parquet"),
        (ObjectFormat::Jsonl, Compression::Gzip) => ("jsonl.gz", "application/gzip"),
        (ObjectFormat::Jsonl, Compression::Zstd) => ("jsonl.zst", "application/zstd"),
        (ObjectFormat::Jsonl, Compression::None) => ("jsonl", crate::jsonl::CONTENT_TYPE),
    }
}

fn key(prefix: &str, batch: &Batch<'_>, ending: &str) -> String {
    let organization: String = byte_serialize(batch.organization.as_bytes()).collect();
    let received_at = batch.records.first().map(|record| record.row.received_at.to_string());
    let received_at = received_at.unwrap_or_default();
    let (date, time) = received_at.split_once('T').unwrap_or_default();
    let hour = time.get(..2).unwrap_or_default();
    let (epoch, first, last) = (batch.epoch, batch.begin, batch.end.saturating_sub(1));
    format!("{prefix}organization={organization}/date={date}/hour={hour}/e{epoch}-{first:020}-{last:020}.{ending}")
}

fn lines(batch: &Batch<'_>) -> Vec<u8> {
    let bytes: usize = batch.records.iter().map(|record| record.payload.len() + 1).sum();
    let mut lines = Vec::with_capacity(bytes);
    for record in batch.records {
        lines.extend_from_slice(&record.payload);
        lines.push(b'\n');
    }
    lines
}

/// The batch as a Parquet file of the event's fields, the same as an export's.
fn parquet_file(batch: &Batch<'_>) -> Result<Vec<u8>, Error> {
    let envelope = Envelope {
        project: batch.project,
        kept_ms: batch.kept_ms,
    };
    let mut file = parquet::Writer::new(Vec::new(), None)?;
    for record in batch.records {
        file.push(&record.row, &envelope)?;
    }
    file.finish()
}

/// Only characters that mean the same to all stores, so that a key stays below their 1,024 bytes and means one place.
fn check_prefix(prefix: &str) -> Result<(), Fault> {
    let fault = |detail: String| {
        let at = Pointer::root().child("destination").child("objects").child("prefix");
        Err(Fault::new(at, detail))
    };
    if prefix.len() > PREFIX_BYTES_MAX {
        return fault(format!(
            "It has more than {PREFIX_BYTES_MAX} bytes; give a shorter one."
        ));
    }
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-=".contains(&byte);
    if !prefix.bytes().all(is_good) {
        return fault(
            "It consists of letters A to Z, digits and `/`, `.`, `_`, `-`, `=`; take other characters out.".into(),
        );
    }
    let directories = prefix.strip_suffix('/').unwrap_or(prefix).split('/');
    match prefix.is_empty() || directories.into_iter().all(|name| !matches!(name, "" | "." | "..")) {
        true => Ok(()),
        false => fault("It begins with `/`, or a part of it is empty, `.` or `..`; give one such as audit/.".into()),
    }
}

/// S3 says it with status 400.
fn is_too_large(body: &[u8]) -> bool {
    String::from_utf8_lossy(body).contains("<Code>EntityTooLarge</Code>")
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
