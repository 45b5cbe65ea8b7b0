//! Datadog's log intake.
//!
//! Invariants
//! - No request has more than the intake takes; an event that is larger than one log may be is refused here, because Datadog would
//!   cut it off and say that it was taken.
//! - A log has no date of ours: Datadog drops logs whose date is more than 18 hours ago, which a delivery that was held up would be.
//!
//! See <https://docs.datadoghq.com/api/latest/logs/#send-logs>.

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use serde_json::json;
use trailbook_event::{Fault, Pointer};
use url::Url;

use super::{
    Batch, Failure, Record, Refused, Sink,
    client::{self, Client},
    group::{Limits, group},
    secrets::Secrets,
};

/// One byte of each entry is its comma, and two of the request are brackets.
const LIMITS: Limits = Limits {
    entries: 1_000,
    bytes: 4_990_000,
};
/// The largest log.
const ENTRY_BYTES_MAX: usize = 1_000_000;

/// An intake.
pub(super) struct Datadog {
    client: Client,
    url: Url,
    headers: HeaderMap,
    service: String,
    tags: String,
}

impl Datadog {
    pub(super) fn new(
        (site, url): (&str, Option<&str>),
        (service, tags): (Option<&str>, &[String]),
        secrets: &Secrets<'_>,
        client: Client,
    ) -> Result<Self, Fault> {
        let at = Pointer::root().child("destination");
        let is_site = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-');
        if site.is_empty() || !site.chars().all(is_site) {
            return Err(Fault::new(
                at.child("site"),
                "It is not a site of Datadog; give one such as datadoghq.eu.",
            ));
        }
        if let Some(index) = tags.iter().position(|tag| tag.is_empty() || tag.contains(',')) {
            let detail = "A tag is not empty and has no comma; give one such as env:production.";
            return Err(Fault::new(at.child("tags").index(index), detail));
        }
        let base = match url {
            Some(url) => client::base(url, at.child("url"), client.outbound())?,
            None => client::base(
                &format!("https://http-intake.logs.{site}"),
                at.child("site"),
                client.outbound(),
            )?,
        };
        let mut headers = HeaderMap::new();
        headers.insert("dd-api-key", secrets.header("api_key", "")?);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(Self {
            client,
            url: client::below(&base, "api/v2/logs"),
            headers,
            service: service.unwrap_or("trailbook").to_owned(),
            tags: tags.join(","),
        })
    }

    fn entry(&self, batch: &Batch<'_>, record: &Record) -> Vec<u8> {
        let entry = json!({
            "ddsource": "trailbook",
            "ddtags": self.tags,
            "service": self.service,
            "message": String::from_utf8_lossy(&record.payload),
            "trailbook": {
                "id": record.row.id.to_string(),
                "organization": batch.organization,
                "project": batch.project,
                "sequence": record.row.sequence,
            },
        });
        entry.to_string().into_bytes()
    }
}

#[async_trait]
impl Sink for Datadog {
    async fn send(&self, batch: &Batch<'_>) -> Result<Vec<Refused>, Failure> {
        let mut refused = Vec::new();
        let mut entries = Vec::with_capacity(batch.records.len());
        for record in batch.records {
            let entry = self.entry(batch, record);
            match entry.len() <= ENTRY_BYTES_MAX {
                true => entries.push(entry),
                false => refused.push(Refused {
                    sequence: record.row.sequence,
                    reason: "The event is larger than 1 MB, which is the most that Datadog keeps of a log.".into(),
                }),
            }
        }
        for range in group(entries.iter().map(|entry| entry.len() + 1), LIMITS) {
            let body = [b"[", entries[range].join(&b',').as_slice(), b"]"].concat();
            let answer = self
                .client
                .post(&self.url, self.headers.clone(), Bytes::from(body))
                .await?;
            if !answer.status.is_success() {
                return Err(self.client.failure(&answer));
            }
        }
        Ok(refused)
    }
}
