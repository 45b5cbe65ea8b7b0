//! Requests signed as Standard Webhooks 1.0 says: batches of a stream, and whatever else is told by webhook.
//!
//! Invariants
//! - What is signed is what is sent: the id, the time and the body's bytes.
//! - The id is the batch's, so that a receiver recognises what comes twice.
//!
//! Not here: Ed25519 signatures (`v1a`), which nobody asked for.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue, header};
use sha2::Sha256;
use trailbook_event::{Fault, Pointer, json::write_string};
use trailbook_ledger::{Clock, Random};
use url::Url;

use super::{
    Batch, Failure, Refused, Sink,
    client::{self, Client},
    secrets::{Secrets, secret_fault},
};
use crate::outbound::Outbound;

/// What secrets begin with.
const SECRET: &str = "whsec_";
/// Bytes that a secret may have.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Somewhere that signed requests are sent to.
pub struct Webhook {
    client: Client,
    url: Url,
    headers: HeaderMap,
    /// The newest first.
    keys: Vec<Vec<u8>>,
}

impl Webhook {
    /// A webhook whose `url` and `headers` were given at `at`, with the secrets `secret`, perhaps `previous_secret`, and
    /// `header.NAME` for headers that are credentials. Nothing is sent.
    pub fn new(
        (url, headers): (&str, &BTreeMap<String, String>),
        secrets: &BTreeMap<String, String>,
        at: &Pointer,
        outbound: &Arc<Outbound>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        let secrets = Secrets::known(secrets, &["secret", "previous_secret"], true)?;
        let mut keys = vec![key("secret", secrets.required("secret")?)?];
        if let Some(previous) = secrets.optional("previous_secret") {
            keys.push(key("previous_secret", previous)?);
        }
        let mut headers = secrets.headers(headers, &at.child("headers"))?;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(Self {
            url: client::url(url, at.child("url"), outbound)?,
            client: Client::new(outbound, clock, secrets.mask()),
            headers,
            keys,
        })
    }

    /// Sends a JSON text, once. The same `id` says that it is the same message, sent again.
    pub async fn send_json(&self, id: &str, body: Vec<u8>) -> Result<(), Failure> {
        let seconds = self.client.now().millis().div_euclid(1000);
        let signatures: Vec<String> = self.keys.iter().map(|key| sign(key, id, seconds, &body)).collect();
        let mut headers = self.headers.clone();
        for (name, value) in [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", signatures.join(" ")),
        ] {
            let value =
                HeaderValue::try_from(value).map_err(|_| Failure::later("The id cannot be sent in a header."))?;
            headers.insert(name, value);
        }
        let answer = self.client.post(&self.url, headers, Bytes::from(body)).await?;
        match answer.status.is_success() {
            true => Ok(()),
            false => Err(self.client.failure(&answer)),
        }
    }
}

#[async_trait]
impl Sink for Webhook {
    async fn send(&self, batch: &Batch<'_>) -> Result<Vec<Refused>, Failure> {
        let id = batch.id();
        self.send_json(&id, body(&id, batch)).await?;
        Ok(Vec::new())
    }
}

/// A secret for a webhook that was given none.
pub fn new_secret(random: &dyn Random) -> String {
    let mut key = [0; 32];
    random.fill(&mut key);
    format!("{SECRET}{}", STANDARD.encode(key))
}

/// The signature of a message: `v1,` and the HMAC in Base64.
pub fn sign(key: &[u8], id: &str, seconds: i64, body: &[u8]) -> String {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    hmac.update(format!("{id}.{seconds}.").as_bytes());
    hmac.update(body);
    format!("v1,{}", STANDARD.encode(hmac.finalize().into_bytes()))
}

/// The bytes of a secret.
fn key(name: &str, secret: &str) -> Result<Vec<u8>, Fault> {
    let bytes = secret.strip_prefix(SECRET).and_then(|text| STANDARD.decode(text).ok());
    bytes
        .filter(|bytes| SECRET_BYTES.contains(&bytes.len()))
        .ok_or_else(|| {
            secret_fault(
                name,
                "It is not `whsec_` and 24 to 64 bytes in Base64; leave it out to have one made.",
            )
        })
}

fn body(id: &str, batch: &Batch<'_>) -> Vec<u8> {
    let bytes: usize = batch.records.iter().map(|record| record.payload.len() + 1).sum();
    let mut out = Vec::with_capacity(bytes + 512);
    out.extend_from_slice(b"{\"type\":\"trailbook.events\",\"id\":");
    write_string(id, &mut out);
    out.extend_from_slice(b",\"organization\":");
    write_string(batch.organization, &mut out);
    out.extend_from_slice(b",\"project\":");
    write_string(batch.project, &mut out);
    out.extend_from_slice(b",\"events\":[");
    for (index, record) in batch.records.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&record.payload);
    }
    out.extend_from_slice(b"]}");
    out
}
