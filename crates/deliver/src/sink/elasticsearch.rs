//! The bulk interface of Elasticsearch and OpenSearch.
//!
//! Invariants
//! - An event's document has its Log ID: one that comes twice is there once, and the second answer, 409, says that it arrived.
//! - What is wrong with the index, the cluster or the credentials is not held against an event.
//!
//! See <https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk>.

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;
use trailbook_event::{Fault, Pointer, json::write_string};
use url::Url;

use super::{
    Batch, Failure, Record, Refused, Sink,
    client::{self, Answer, Client},
    group::{Limits, group},
    secrets::{Secrets, secret_fault},
};
use crate::outbound;

/// So many that the answer stays below what is read of one, even when every event is refused.
const LIMITS: Limits = Limits {
    entries: 1_000,
    bytes: 5_000_000,
};
/// Of an answer only this is wanted: the rest is as long as the request.
const WANTED: &str = "filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason";
/// Longest name of an index, in bytes.
const INDEX_BYTES_MAX: usize = 255;

/// A cluster.
pub(super) struct Elasticsearch {
    client: Client,
    url: Url,
    headers: HeaderMap,
    index: String,
}

#[derive(Deserialize)]
struct Said {
    errors: bool,
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    create: Created,
}

#[derive(Deserialize)]
struct Created {
    status: u16,
    error: Option<Wrong>,
}

#[derive(Deserialize)]
struct Wrong {
    r#type: Option<String>,
    reason: Option<String>,
}

impl Elasticsearch {
    pub(super) fn new((url, index): (&str, &str), secrets: &Secrets<'_>, client: Client) -> Result<Self, Fault> {
        let at = Pointer::root().child("destination");
        if !is_index(index) {
            let detail =
                "It is not the name of an index or data stream; give one in small letters, such as audit-events.";
            return Err(Fault::new(at.child("index"), detail));
        }
        let mut url = client::below(&client::base(url, at.child("url"), client.outbound())?, "_bulk");
        url.set_query(Some(WANTED));
        let (authorization, client) = authorization(secrets, client)?;
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, authorization);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
        Ok(Self {
            client,
            url,
            headers,
            index: index.to_owned(),
        })
    }

    fn entry(&self, record: &Record) -> Vec<u8> {
        let mut out = Vec::with_capacity(record.payload.len() + 128);
        out.extend_from_slice(b"{\"create\":{\"_index\":");
        write_string(&self.index, &mut out);
        out.extend_from_slice(b",\"_id\":");
        write_string(&record.row.id.to_string(), &mut out);
        out.extend_from_slice(b"}}\n");
        out.extend_from_slice(&record.payload);
        out.push(b'\n');
        out
    }

    async fn bulk(&self, records: &[Record], body: Vec<u8>) -> Result<Vec<Refused>, Failure> {
        let answer = match self
            .client
            .post(&self.url, self.headers.clone(), Bytes::from(body))
            .await
        {
            // As much as this is only said about events that were not taken.
            Err(outbound::Error::TooLarge) if records.len() > 1 => {
                let reason = "The destination said more about the events than can be read.".into();
                return Err(Failure::Refused { reason });
            }
            answered => answered?,
        };
        if answer.status.as_u16() != 200 {
            return Err(self.client.failure(&answer));
        }
        let said: Said = serde_json::from_slice(&answer.body).map_err(|_| self.client.later(&answer))?;
        match said.errors {
            false => Ok(Vec::new()),
            true => self.refused(records, &said.items, &answer),
        }
    }

    /// The events that were not taken, one answer for each of them.
    fn refused(&self, records: &[Record], items: &[Item], answer: &Answer) -> Result<Vec<Refused>, Failure> {
        if items.len() != records.len() {
            return Err(self.client.later(answer));
        }
        let mut refused = Vec::new();
        for (record, Item { create }) in records.iter().zip(items) {
            match create.status {
                200 | 201 | 409 => {}
                400 | 413 | 422 => refused.push(Refused {
                    sequence: record.row.sequence,
                    reason: self.sentence(create),
                }),
                _ => return Err(Failure::later(self.sentence(create))),
            }
        }
        Ok(refused)
    }

    fn sentence(&self, created: &Created) -> String {
        let said = created.error.as_ref().map_or_else(String::new, |wrong| {
            let of = |text: &Option<String>| text.clone().unwrap_or_default();
            self.client
                .quoted(&format!("{}: {}", of(&wrong.r#type), of(&wrong.reason)))
        });
        format!("The destination answered {} for an event: {said}", created.status)
    }
}

#[async_trait]
impl Sink for Elasticsearch {
    async fn send(&self, batch: &Batch<'_>) -> Result<Vec<Refused>, Failure> {
        let entries: Vec<Vec<u8>> = batch.records.iter().map(|record| self.entry(record)).collect();
        let mut refused = Vec::new();
        for range in group(entries.iter().map(Vec::len), LIMITS) {
            let records = &batch.records[range.clone()];
            refused.extend(self.bulk(records, entries[range].concat()).await?);
        }
        Ok(refused)
    }
}

/// An API key, or a user's name and password.
fn authorization(secrets: &Secrets<'_>, client: Client) -> Result<(HeaderValue, Client), Fault> {
    if secrets.optional("api_key").is_some() {
        if secrets.optional("username").or(secrets.optional("password")).is_some() {
            let detail = "Give either `api_key`, or `username` and `password`.";
            return Err(secret_fault("api_key", detail));
        }
        return Ok((secrets.header("api_key", "ApiKey ")?, client));
    }
    if secrets.optional("username").is_none() {
        let detail = "It is missing; give either it, or `username` and `password`.";
        return Err(secret_fault("api_key", detail));
    }
    let (user, password) = (secrets.required("username")?, secrets.required("password")?);
    if user.contains(':') {
        return Err(secret_fault("username", "A user's name has no colon."));
    }
    let encoded = STANDARD.encode(format!("{user}:{password}"));
    let mut value = HeaderValue::try_from(format!("Basic {encoded}")).expect("Base64 fits a header");
    value.set_sensitive(true);
    Ok((value, client.hiding(encoded)))
}

/// What an index may be called: <https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-indices-create>.
fn is_index(name: &str) -> bool {
    let is_good = |character: char| {
        !character.is_uppercase()
            && !character.is_whitespace()
            && !character.is_control()
            && !matches!(
                character,
                '\\' | '/' | '*' | '?' | '"' | '<' | '>' | '|' | ',' | '#' | ':'
            )
    };
    let begins = !name.starts_with(['-', '_', '+']) && !matches!(name, "." | "..");
    !name.is_empty() && name.len() <= INDEX_BYTES_MAX && begins && name.chars().all(is_good)
}
