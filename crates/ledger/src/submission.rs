//! Events on their way into the ledger: prepared on the caller's thread, so that the one writer only numbers them.
//!
//! Invariant: a prepared event's commitments are those of the bytes in its frame.

use std::{net::IpAddr, sync::Arc, time::Instant};

use bytes::Bytes;
use rustc_hash::FxHashMap;
use tokio::sync::OwnedSemaphorePermit;
use trailbook_event::{Admitted, Part};
use trailbook_merkle::{Hash, commitments};

use crate::{
    EventId, OrganizationKey, duplicates,
    frame::{self, Body, Frame},
    inputs::Random,
    measures::{Measures, Stage},
};

/// An idempotency key of one credential, with the body that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Hash of the credential that sent it.
    pub credential: [u8; 32],
    /// The key as sent.
    pub key: String,
    /// Hash of the request's body.
    pub body: [u8; 32],
}

/// What preparing needs beside the events.
#[derive(Clone, Copy)]
pub(crate) struct Preparation<'p> {
    pub(crate) random: &'p dyn Random,
    /// The deployment's secret.
    pub(crate) secret: &'p [u8; 32],
    pub(crate) measures: &'p Measures,
}

/// What one caller wants stored: all of it or nothing.
#[derive(Debug)]
pub struct Submission {
    pub(crate) organizations: Vec<OrganizationKey>,
    pub(crate) events: Vec<Prepared>,
    pub(crate) frame: Frame,
    pub(crate) idempotency: Option<IdempotencyKey>,
    /// What is told of organizations that have no ledger before this.
    pub(crate) announcements: Option<Box<Announcements>>,
    /// Its share of `queue_bytes_max` while it waits for the writer.
    pub(crate) room: Option<OwnedSemaphorePermit>,
}

/// Events that tell of new organizations: each is stored only in the very commit that gives the organization its ledger.
#[derive(Debug)]
pub(crate) struct Announcements {
    /// Of which of the submission's organizations each event tells.
    pub(crate) of: Vec<u32>,
    /// The events, without client ids.
    pub(crate) submission: Submission,
}

/// One event of a submission.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// Index into the submission's organizations.
    pub(crate) organization: u32,
    pub(crate) commitments: [Hash; 5],
    pub(crate) body: Body,
    pub(crate) client_id: Option<ClientIdContent>,
}

/// A client id and what it stands for, as keyed and shortened hashes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientIdContent {
    pub(crate) key: [u8; 16],
    pub(crate) content: [u8; 16],
}

impl Submission {
    /// Prepares admitted events of `project`: draws nonces, commits to the parts, encodes and compresses the bodies.
    /// `country` gives the ISO 3166-1 alpha-2 code of an address, if it knows one.
    pub(crate) fn prepare(
        project: &str,
        admitted: Vec<Admitted>,
        idempotency: Option<IdempotencyKey>,
        country: &dyn Fn(IpAddr) -> Option<[u8; 2]>,
        Preparation {
            random,
            secret,
            measures,
        }: Preparation<'_>,
    ) -> Self {
        let started = Instant::now();
        let mut nonces = vec![0; admitted.len() * 16];
        random.fill(&mut nonces);
        let project: Arc<str> = project.into();
        let (mut organizations, mut known) = (Vec::new(), FxHashMap::<String, u32>::default());
        let mut bodies = frame::Builder::with_capacity(admitted.iter().map(|event| event.parts.bytes().len()).sum());
        let mut prepared = Vec::with_capacity(admitted.len());
        for (event, nonce) in admitted.into_iter().zip(nonces.as_chunks::<16>().0) {
            let organization = *known.entry(event.organization).or_insert_with_key(|name| {
                organizations.push(OrganizationKey::new(Arc::clone(&project), name.as_str()));
                organizations.len() as u32 - 1
            });
            let commitments = commitments(nonce, Part::ALL.map(|part| event.parts.part(part)));
            let code = event.ip.and_then(country);
            bodies.push(nonce, event.occurred_at, code, &event.parts);
            let client_id = event.client_id.map(|client_id| ClientIdContent {
                key: duplicates::client_id_key(secret, &organizations[organization as usize], &client_id.id),
                content: client_id.content.first_chunk().copied().unwrap_or_default(),
            });
            prepared.push((organization, commitments, client_id));
        }
        measures.add(Stage::Commitments, started.elapsed());
        let started = Instant::now();
        let (frame, bodies) = bodies.finish();
        measures.add(Stage::Compress, started.elapsed());
        let events = prepared
            .into_iter()
            .zip(bodies)
            .map(|((organization, commitments, client_id), body)| Prepared {
                organization,
                commitments,
                body,
                client_id,
            })
            .collect();
        Self {
            organizations,
            events,
            frame,
            idempotency,
            announcements: None,
            room: None,
        }
    }

    /// Bytes that it will occupy in memory at most, estimated.
    pub(crate) fn memory(&self) -> usize {
        let announcements = self.announcements.as_ref();
        self.frame.payload.len()
            + self.events.len() * crate::row::ROW_OVERHEAD_BYTES
            + announcements.map_or(0, |announcements| announcements.submission.memory())
    }

    /// Events that it will add at most.
    pub(crate) fn count(&self) -> usize {
        let announcements = self.announcements.as_ref();
        self.events.len() + announcements.map_or(0, |announcements| announcements.submission.count())
    }
}

/// The answer to an append, in input order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// One entry per event sent.
    pub events: Vec<Stored>,
}

impl Receipt {
    /// How many were stored now.
    pub fn accepted(&self) -> usize {
        self.events.len() - self.duplicates()
    }

    /// How many had been stored before.
    pub fn duplicates(&self) -> usize {
        self.events.iter().filter(|event| event.duplicate).count()
    }
}

/// Where an event is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its Log ID.
    pub id: EventId,
    /// Whose ledger.
    pub organization: OrganizationKey,
    /// Its position there.
    pub sequence: u64,
    /// Whether it had been stored before under the same client id.
    pub duplicate: bool,
}

/// A receipt as it is kept for an idempotency key: runs of events that follow one another in one ledger.
/// Layout in docs/formats/ledger.md, "receipt".
pub(crate) fn encode_receipt(receipt: &Receipt) -> Vec<u8> {
    let mut organizations: Vec<&OrganizationKey> = Vec::new();
    let mut runs: Vec<(u32, u64, EventId, bool, u32)> = Vec::new();
    for event in &receipt.events {
        let organization = organizations
            .iter()
            .rposition(|key| **key == event.organization)
            .unwrap_or_else(|| {
                organizations.push(&event.organization);
                organizations.len() - 1
            }) as u32;
        match runs.last_mut() {
            Some((of, first, id, duplicate, count))
                if *of == organization
                    && *duplicate == event.duplicate
                    && *first + u64::from(*count) == event.sequence
                    && id.plus(u64::from(*count)) == event.id =>
            {
                *count += 1;
            }
            _ => runs.push((organization, event.sequence, event.id, event.duplicate, 1)),
        }
    }
    let mut bytes = Vec::new();
    bytes.extend((organizations.len() as u32).to_le_bytes());
    for key in organizations {
        for name in [key.project(), key.organization()] {
            bytes.extend((name.len() as u32).to_le_bytes());
            bytes.extend(name.as_bytes());
        }
    }
    for (organization, first, id, duplicate, count) in runs {
        bytes.extend(organization.to_le_bytes());
        bytes.extend(first.to_le_bytes());
        bytes.extend(id.bytes());
        bytes.push(u8::from(duplicate));
        bytes.extend(count.to_le_bytes());
    }
    bytes
}

/// Reads what [`encode_receipt`] wrote; `None` when the bytes are not a receipt.
pub(crate) fn decode_receipt(bytes: Vec<u8>) -> Option<Receipt> {
    let mut reader = frame::Reader::new(Bytes::from(bytes));
    let names = reader.u32()?;
    let mut organizations = Vec::new();
    for _ in 0..names {
        let mut name = || {
            let length = reader.u32()? as usize;
            String::from_utf8(reader.bytes(length)?.to_vec()).ok()
        };
        organizations.push(OrganizationKey::new(name()?, name()?));
    }
    let mut events = Vec::new();
    while !reader.is_empty() {
        let organization = organizations.get(reader.u32()? as usize)?;
        let (first, id, duplicate) = (
            reader.u64()?,
            EventId::from_bytes(reader.array()?),
            reader.array::<1>()?[0] == 1,
        );
        for offset in 0..u64::from(reader.u32()?) {
            events.push(Stored {
                id: id.plus(offset),
                organization: organization.clone(),
                sequence: first + offset,
                duplicate,
            });
        }
    }
    Some(Receipt { events })
}
