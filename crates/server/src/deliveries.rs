//! What deliveries work with: the door to customers' servers, their secrets, and the catalogs' mappings.
//!
//! Invariant: a destination's secrets are opened only where a delivery is made or a stream is changed.
//!
//! Not here: when deliveries are made (`trailbook_deliver`), who may set them up (`http::streams`).

use std::{collections::BTreeMap, sync::Arc};

use trailbook_access::{
    Directory,
    records::{Alert, AlertWebhook, Destination, Mapping, Stream},
};
use trailbook_deliver::{
    Error,
    outbound::Outbound,
    payload::Payload,
    sink::{
        self,
        webhook::{self, Webhook},
    },
    stream::{Equipment, Outfitter, Streams},
};
use trailbook_event::{Fault, Pointer};
use trailbook_ledger::{Clock, Random};

use crate::{catalog::Catalogs, encryption::EncryptionKey, http::write_payload};

/// What a stream's secrets are encrypted for.
const STREAM: &str = "stream";
/// What an alert's secrets are encrypted for.
const ALERT: &str = "alert";

/// Streams, and what they work with.
pub(crate) struct Deliveries {
    pub(crate) streams: Arc<Streams>,
    pub(crate) workshop: Arc<Workshop>,
}

/// What equipment is made of.
pub(crate) struct Workshop {
    pub(crate) directory: Arc<Directory>,
    pub(crate) catalogs: Arc<Catalogs>,
    pub(crate) outbound: Arc<Outbound>,
    pub(crate) key: EncryptionKey,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

impl Deliveries {
    /// The deliveries of a directory.
    pub(crate) fn new(workshop: Workshop) -> Self {
        let workshop = Arc::new(workshop);
        let streams = Streams::new(workshop.directory.clone(), workshop.clock.clone(), workshop.clone());
        Self {
            streams: Arc::new(streams),
            workshop,
        }
    }

    /// A stream's secrets as they are stored: of use for this stream only.
    pub(crate) fn seal(&self, id: &str, secrets: &BTreeMap<String, String>) -> String {
        self.workshop.seal(STREAM, id, secrets)
    }

    /// An alert's secrets as they are stored: of use for this alert only.
    pub(crate) fn seal_of_alert(&self, id: &str, secrets: &BTreeMap<String, String>) -> String {
        self.workshop.seal(ALERT, id, secrets)
    }

    /// A stream's secrets.
    ///
    /// # Errors
    /// Why they do not open.
    pub(crate) fn secrets(&self, stream: &Stream) -> Result<BTreeMap<String, String>, String> {
        self.workshop.secrets(stream)
    }

    /// An alert's secrets.
    ///
    /// # Errors
    /// Why they do not open.
    pub(crate) fn secrets_of_alert(&self, alert: &Alert) -> Result<BTreeMap<String, String>, String> {
        self.workshop.open(ALERT, &alert.id, &alert.secrets)
    }

    /// A secret for a webhook that was given none.
    pub(crate) fn made_secret(&self, destination: &Destination, given: &BTreeMap<String, String>) -> Option<String> {
        let is_wanted = matches!(destination, Destination::Webhook { .. }) && !given.contains_key("secret");
        is_wanted.then(|| self.new_secret())
    }

    /// A secret for a webhook.
    pub(crate) fn new_secret(&self) -> String {
        webhook::new_secret(&*self.workshop.random)
    }

    /// Whether a stream can be equipped with these secrets. Nothing is connected to.
    ///
    /// # Errors
    /// What is wrong, at its place in the request.
    pub(crate) fn check(&self, stream: &Stream, secrets: &BTreeMap<String, String>) -> Result<(), Fault> {
        let workshop = &self.workshop;
        sink::open(&stream.destination, secrets, &workshop.outbound, &workshop.clock)?;
        workshop
            .payload(stream)
            .map(drop)
            .map_err(|reason| Fault::new(Pointer::root().child("mapping"), reason))
    }
}

impl Workshop {
    /// The webhook of an alert. Nothing is connected to.
    ///
    /// # Errors
    /// What is wrong, at its place in the request that sets the alert up.
    pub(crate) fn webhook(&self, webhook: &AlertWebhook, secrets: &BTreeMap<String, String>) -> Result<Webhook, Fault> {
        let at = Pointer::root().child("webhook");
        Webhook::new(
            (&webhook.url, &webhook.headers),
            secrets,
            &at,
            &self.outbound,
            &self.clock,
        )
    }

    /// An alert's webhook as it is set up now.
    ///
    /// # Errors
    /// Why there is none, in a sentence for whoever set the alert up.
    pub(crate) fn webhook_of(&self, alert: &Alert) -> Result<Webhook, String> {
        let webhook = alert.webhook.as_ref().ok_or("The alert has no webhook.")?;
        let secrets = self.open(ALERT, &alert.id, &alert.secrets)?;
        self.webhook(webhook, &secrets).map_err(|fault| fault.detail)
    }

    fn secrets(&self, stream: &Stream) -> Result<BTreeMap<String, String>, String> {
        self.open(STREAM, &stream.id, &stream.secrets)
    }

    fn seal(&self, purpose: &str, id: &str, secrets: &BTreeMap<String, String>) -> String {
        let plain = serde_json::to_vec(secrets).expect("texts by name are JSON");
        self.key.seal(&plain, &[purpose, id], &*self.random)
    }

    fn open(&self, purpose: &str, id: &str, sealed: &str) -> Result<BTreeMap<String, String>, String> {
        let opened = self.key.open(sealed, &[purpose, id]);
        let opened = opened.map_err(|error| format!("The destination's secrets do not open: {error}."))?;
        serde_json::from_slice(&opened)
            .map_err(|_| "The destination's secrets are damaged: give them again.".to_owned())
    }

    fn payload(&self, stream: &Stream) -> Result<Payload, String> {
        let name = match &stream.mapping {
            Mapping::Native => return Ok(Payload::Native),
            Mapping::Ocsf => return Ok(Payload::Ocsf),
            Mapping::Ecs => return Ok(Payload::Ecs),
            Mapping::Catalog(name) => name,
        };
        let vocabulary = self.catalogs.of(&self.directory, &stream.project);
        let output = vocabulary
            .as_ref()
            .and_then(|vocabulary| vocabulary.output(name))
            .cloned();
        let output = output.ok_or_else(|| {
            let known: Vec<&str> = vocabulary.iter().flat_map(|vocabulary| vocabulary.outputs()).collect();
            let known = if known.is_empty() {
                "it has none".to_owned()
            } else {
                format!("there are {}", known.join(", "))
            };
            format!("The project's catalog has no output mapping of the name {name}; {known}.")
        })?;
        Ok(Payload::Custom(Arc::new(move |row, envelope, out| {
            write_payload(row, envelope, Some(&output), out)
                .map_err(|error| Error::Output(std::io::Error::other(error)))
        })))
    }
}

impl Outfitter for Workshop {
    fn equip(&self, stream: &Stream) -> Result<Equipment, String> {
        let secrets = self.secrets(stream)?;
        let sink = sink::open(&stream.destination, &secrets, &self.outbound, &self.clock);
        Ok(Equipment {
            sink: sink.map_err(|fault| fault.detail)?,
            payload: self.payload(stream)?,
        })
    }
}
