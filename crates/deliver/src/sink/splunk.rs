//! Splunk's HTTP Event Collector.
//!
//! Invariants
//! - Delivered is what the collector answered `code` 0 to. Tokens with indexer acknowledgement ask for a channel, which is not sent.
//!
//! See <https://docs.splunk.com/Documentation/Splunk/latest/Data/FormateventsforHTTPEventCollector>.

use std::io::Write as _;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;
use trailbook_event::{Fault, Pointer, json::write_string};
use url::Url;

use super::{
    Batch, Failure, Record, Refused, Sink,
    client::{self, Answer, Client},
    group::{Limits, group},
    secrets::Secrets,
};

/// Splunk Cloud takes 1 MB at once.
const LIMITS: Limits = Limits {
    entries: 10_000,
    bytes: 1_000_000,
};
/// The index of the token's settings does not exist, or may not be written to: nothing is wrong with the event.
const INCORRECT_INDEX: u32 = 7;

/// A collector.
pub(super) struct Splunk {
    client: Client,
    url: Url,
    headers: HeaderMap,
    index: Option<String>,
    source_type: String,
}

#[derive(Deserialize)]
struct Said {
    code: u32,
    #[serde(rename = "invalid-event-number")]
    invalid_event_number: Option<u64>,
}

impl Splunk {
    pub(super) fn new(
        url: &str,
        (index, source_type): (Option<&str>, Option<&str>),
        secrets: &Secrets<'_>,
        client: Client,
    ) -> Result<Self, Fault> {
        let at = Pointer::root().child("destination").child("url");
        let base = client::base(url, at, client.outbound())?;
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, secrets.header("token", "Splunk ")?);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(Self {
            client,
            url: client::below(&base, "services/collector/event"),
            headers,
            index: index.map(str::to_owned),
            source_type: source_type.unwrap_or("trailbook").to_owned(),
        })
    }

    fn entry(&self, batch: &Batch<'_>, record: &Record) -> Vec<u8> {
        let at = record.row.occurred_at.millis();
        let mut out = Vec::with_capacity(record.payload.len() + 256);
        write!(out, "{{\"time\":{}.{:03}", at.div_euclid(1000), at.rem_euclid(1000)).expect("a vector takes all bytes");
        out.extend_from_slice(b",\"host\":\"trailbook\",\"source\":\"trailbook\",\"sourcetype\":");
        write_string(&self.source_type, &mut out);
        if let Some(index) = &self.index {
            out.extend_from_slice(b",\"index\":");
            write_string(index, &mut out);
        }
        out.extend_from_slice(b",\"event\":");
        out.extend_from_slice(&record.payload);
        out.extend_from_slice(b",\"fields\":{\"organization\":");
        write_string(batch.organization, &mut out);
        out.extend_from_slice(b"}}");
        out
    }

    fn outcome(&self, answer: &Answer) -> Result<(), Failure> {
        let said: Option<Said> = serde_json::from_slice(&answer.body).ok();
        match (answer.status.as_u16(), said) {
            (200, Some(Said { code: 0, .. })) => Ok(()),
            (413, _) => Err(self.client.refused(answer)),
            (400, Some(said)) if said.invalid_event_number.is_some() && said.code != INCORRECT_INDEX => {
                Err(self.client.refused(answer))
            }
            _ => Err(self.client.later(answer)),
        }
    }
}

#[async_trait]
impl Sink for Splunk {
    async fn send(&self, batch: &Batch<'_>) -> Result<Vec<Refused>, Failure> {
        let entries: Vec<Vec<u8>> = batch.records.iter().map(|record| self.entry(batch, record)).collect();
        for range in group(entries.iter().map(Vec::len), LIMITS) {
            let body = Bytes::from(entries[range].concat());
            let answer = self.client.post(&self.url, self.headers.clone(), body).await?;
            self.outcome(&answer)?;
        }
        Ok(Vec::new())
    }
}
