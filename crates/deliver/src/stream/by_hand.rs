//! What people do to a stream by hand: try it, send parked events again, see how far it is behind.

use std::sync::Arc;

use trailbook_access::{
    SYSTEM,
    records::{ParkedEvent, Stream, StreamPosition},
};
use trailbook_ledger::{Head, OrganizationKey, Row};

use super::{Equipment, Lag, Start, Streams, health::Behind, load, place};
use crate::{
    Error,
    made_up::made_up,
    sink::{Batch, Failure, Record},
};

/// Parked events that are sent again at one request.
const RETRIED_AT_ONCE: usize = 1_000;

/// What became of parked events.
#[derive(Debug, Default)]
pub struct Retried {
    /// Those that the destination took, or that have expired: they are parked no more.
    pub settled: Vec<ParkedEvent>,
    /// How many of them the destination took.
    pub delivered: u64,
    /// Why the rest was not tried; `None` when it was.
    pub stopped: Option<String>,
}

impl Streams {
    /// Sends one made-up event, which is in no ledger.
    ///
    /// # Errors
    /// What the destination said, in a sentence.
    pub async fn test(&self, stream: &Stream) -> Result<(), String> {
        let equipment = self.equip(stream)?;
        let organization = stream.organization.as_deref().unwrap_or(SYSTEM);
        let key = OrganizationKey::new(stream.project.as_str(), organization);
        let row = made_up(&self.directory, &key, self.clock.now()).map_err(|error| error.to_string())?;
        match self.send_one(&equipment, &key, Arc::new(row)).await {
            Ok(None) => Ok(()),
            Ok(Some(reason)) => Err(reason),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Sends parked events again, one by one, the oldest first.
    ///
    /// # Errors
    /// When stored events cannot be read.
    pub async fn retry_parked(&self, stream: &Stream) -> Result<Retried, Error> {
        let mut parked: Vec<Arc<ParkedEvent>> = self.directory.of(&stream.id);
        parked.sort_by_key(|event| (event.parked_at, event.sequence));
        let mut retried = Retried::default();
        let equipment = match self.equip(stream) {
            Ok(equipment) => equipment,
            Err(reason) => {
                retried.stopped = Some(reason);
                return Ok(retried);
            }
        };
        for event in parked.into_iter().take(RETRIED_AT_ONCE) {
            let key = OrganizationKey::new(event.project.as_str(), event.organization.as_str());
            let row = self.row(&key, event.sequence).await?;
            let outcome = match row {
                None => Ok(None),
                Some(row) => {
                    let outcome = self.send_one(&equipment, &key, row).await;
                    retried.delivered += u64::from(matches!(outcome, Ok(None)));
                    outcome
                }
            };
            match outcome {
                Ok(None) => retried.settled.push(ParkedEvent::clone(&event)),
                Ok(Some(_)) => {}
                Err(failure) => {
                    retried.stopped = Some(failure.to_string());
                    break;
                }
            }
        }
        Ok(retried)
    }

    /// How far a stream is behind, and where it is in each ledger with the ledger's size, as it is written.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn progress(&self, stream: &Stream) -> Result<(Lag, Vec<(StreamPosition, u64)>), Error> {
        let now = self.clock.now().millis();
        let (mut behind, mut positions) = (Behind::default(), Vec::new());
        for (organization, head) in self.organizations(stream) {
            let position = self.written_position(&stream.id, &organization, &head)?;
            if position.next < head.size {
                behind.note(&self.ledger, &organization, position.next..head.size);
            }
            positions.push((position, head.size));
        }
        Ok((behind.lag(&self.ledger, now), positions))
    }

    /// Where streams with a start begin in each of their ledgers.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn starts(&self, stream: &Stream, start: Start) -> Result<Vec<StreamPosition>, Error> {
        let all = self.organizations(stream).into_iter();
        all.map(|(organization, head)| start.position(&self.ledger, &stream.id, &organization, &head))
            .collect()
    }

    /// How far a stream has come in a ledger as it is written; at the beginning where nothing is.
    pub(super) fn written_position(
        &self,
        stream: &str,
        organization: &OrganizationKey,
        head: &Head,
    ) -> Result<StreamPosition, Error> {
        let id = format!("{stream}/{}", organization.organization());
        let position = match self.directory.get::<StreamPosition>(&id) {
            Some(recorded) => StreamPosition::clone(&recorded),
            None => return Start::Beginning.position(&self.ledger, stream, organization, head),
        };
        place::in_epoch(&self.ledger, organization, head, position)
    }

    /// The event of a sequence; `None` when it has expired.
    async fn row(&self, organization: &OrganizationKey, sequence: u64) -> Result<Option<Arc<Row>>, Error> {
        let (ledger, organization) = (self.ledger.clone(), organization.clone());
        let read = tokio::task::spawn_blocking(move || ledger.rows(&organization, sequence, 1));
        let rows = read
            .await
            .map_err(|error| Error::Output(std::io::Error::other(error)))??;
        Ok(rows.into_iter().find(|row| row.sequence == sequence))
    }

    /// Sends one event; `Ok` with what the destination said when it refuses the event.
    async fn send_one(
        &self,
        equipment: &Equipment,
        organization: &OrganizationKey,
        row: Arc<Row>,
    ) -> Result<Option<String>, Failure> {
        let kept_ms = self
            .ledger
            .retention(organization)
            .expires_at(0, self.clock.now().millis());
        let payload = load::written(&row, &equipment.payload, organization, kept_ms);
        let payload = payload.map_err(|error| Failure::later(error.to_string()))?;
        let (begin, epoch) = (row.sequence, row.epoch);
        let records = [Record { row, payload }];
        let batch = Batch {
            project: organization.project(),
            organization: organization.organization(),
            epoch,
            begin,
            end: begin + 1,
            records: &records,
            kept_ms,
        };
        match equipment.sink.send(&batch).await {
            Ok(refused) => Ok(refused.into_iter().next().map(|refused| refused.reason)),
            Err(Failure::Refused { reason }) => Ok(Some(reason)),
            Err(later) => Err(later),
        }
    }
}
