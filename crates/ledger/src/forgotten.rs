//! What was forgotten on purpose, recorded among the objects: floors, redactions and retentions.
//!
//! A copy of the database that is put back knows nothing of what was forgotten after it was made. These records do, and it forgets
//! the same before anything of it is read.
//!
//! Invariants
//! - A record is durable before the change that it speaks of is committed. So a change that failed may have a record: what somebody
//!   asked to be forgotten is forgotten when a copy is put back.
//! - A record holds in every continuation of a ledger: floors are instants of receipt, redacted events are known by their Log IDs.
//!
//! Not here: when an older copy is noticed (`chain`). See docs/formats/ledger.md, "Forgotten".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trailbook_event::{Part, Timestamp};

use crate::{
    Error, EventId, Ledger, OrganizationKey, RetentionScope,
    database::{Change, PendingRetention, StoredRedaction, StoredRetention, decode_days, encode_days},
    inputs::random_bytes,
    manifest::DAY_MS,
    objects::Objects,
    redact,
    submission::Submission,
    writer::Alteration,
};

/// Where the records are.
pub(crate) const DIRECTORY: &str = "forgotten";
/// Objects that are left as they are; more become one.
const OBJECTS_KEPT: usize = 64;
/// Redactions of one commit.
const REDACTIONS_AT_A_TIME: usize = 1_000;

/// One thing to forget, or how long to remember.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Record {
    /// Nothing that was received up to an instant is read, milliseconds.
    Floor {
        project: String,
        organization: String,
        received_at: i64,
    },
    /// Parts of an event were removed.
    Redaction {
        project: String,
        organization: String,
        sequence: u64,
        id: String,
        parts: Vec<String>,
        redacted_at: i64,
    },
    /// What was set for how long events of a project, or of one organization, are kept; `pending` is what waits: days, and from when on
    /// (milliseconds). Days are as they are stored.
    #[serde(rename = "scoped_retention")]
    Retention {
        project: String,
        organization: Option<String>,
        days: Option<u32>,
        legal_hold: Option<bool>,
        pending: Option<(Option<u32>, i64)>,
    },
    /// As it was written before there were scopes. Only read.
    #[serde(rename = "retention")]
    EarlierRetention {
        project: String,
        organization: String,
        days: Option<u32>,
        legal_hold: bool,
        pending: Option<(u32, i64)>,
    },
}

impl Record {
    pub(crate) fn floor(key: &OrganizationKey, received_at: Timestamp) -> Self {
        Self::Floor {
            project: key.project().to_owned(),
            organization: key.organization().to_owned(),
            received_at: received_at.millis(),
        }
    }

    pub(crate) fn redaction(key: &OrganizationKey, event: (u64, EventId), parts: &[Part], redacted_at: i64) -> Self {
        Self::Redaction {
            project: key.project().to_owned(),
            organization: key.organization().to_owned(),
            sequence: event.0,
            id: event.1.to_string(),
            parts: parts.iter().map(|part| part.name().to_owned()).collect(),
            redacted_at,
        }
    }

    pub(crate) fn retention(stored: &StoredRetention) -> Self {
        Self::Retention {
            project: stored.scope.project().to_owned(),
            organization: stored.scope.organization().map(str::to_owned),
            days: encode_days(stored.days),
            legal_hold: stored.legal_hold,
            pending: stored.pending.map(|pending| (encode_days(pending.days), pending.at)),
        }
    }

    /// What an earlier record says, as it is written now.
    fn current(self) -> Self {
        match self {
            Self::EarlierRetention {
                project,
                organization,
                days,
                legal_hold,
                pending,
            } => Self::Retention {
                project,
                organization: Some(organization),
                days: encode_days(Some(days)),
                legal_hold: legal_hold.then_some(true),
                pending: pending.map(|(days, at)| (Some(days), at)),
            },
            current => current,
        }
    }

    /// What a later record replaces or adds to.
    fn subject(&self) -> (u8, String, String, String) {
        match self {
            Self::Floor {
                project, organization, ..
            } => (0, project.clone(), organization.clone(), String::new()),
            Self::Retention {
                project, organization, ..
            } => {
                let organization = organization.clone().unwrap_or_default();
                (1, project.clone(), organization, String::new())
            }
            Self::EarlierRetention {
                project, organization, ..
            } => (1, project.clone(), organization.clone(), String::new()),
            Self::Redaction {
                project,
                organization,
                id,
                ..
            } => (2, project.clone(), organization.clone(), id.clone()),
        }
    }

    /// Adds what an earlier record of the same subject says: floors only move up, and parts stay removed.
    fn after(&mut self, earlier: &Self) {
        match (self, earlier) {
            (
                Self::Floor { received_at, .. },
                Self::Floor {
                    received_at: before, ..
                },
            ) => {
                *received_at = (*received_at).max(*before);
            }
            (Self::Redaction { parts, .. }, Self::Redaction { parts: before, .. }) => {
                let more: Vec<String> = before.iter().filter(|part| !parts.contains(part)).cloned().collect();
                parts.extend(more);
            }
            _ => {}
        }
    }
}

/// An object of records.
#[derive(Serialize, Deserialize)]
struct Recorded {
    /// Whose they are.
    deployment: String,
    records: Vec<Record>,
}

/// The records in an object's bytes, which have to be a deployment's own; otherwise what is wrong.
pub(crate) fn decode(bytes: &[u8], deployment: &str) -> Result<Vec<Record>, String> {
    let recorded: Recorded = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if recorded.deployment == deployment {
        Ok(recorded.records.into_iter().map(Record::current).collect())
    } else {
        Err(format!(
            "it belongs to another deployment: {} instead of {deployment}",
            recorded.deployment
        ))
    }
}

/// Everything that is recorded, by subject, and the names of the objects, oldest first.
type Read = (BTreeMap<(u8, String, String, String), Record>, Vec<String>);

async fn read(objects: &Objects, deployment: &str) -> Result<Read, Error> {
    let mut names: Vec<String> = objects
        .list(DIRECTORY)
        .await?
        .into_iter()
        .map(|object| object.name)
        .collect();
    names.sort_unstable();
    let mut known = BTreeMap::<_, Record>::new();
    for name in &names {
        let records = decode(&objects.get(name).await?, deployment);
        for mut record in records.map_err(|what| Error::corrupt(format!("object {name}: {what}")))? {
            if let Some(earlier) = known.get(&record.subject()) {
                record.after(earlier);
            }
            known.insert(record.subject(), record);
        }
    }
    Ok((known, names))
}

/// The right to forget: one at a time has it, so that the order of the records' names is the order of their commits.
pub(crate) type Forgetting<'l> = tokio::sync::MutexGuard<'l, ()>;

impl Ledger {
    /// Waits for the right to forget.
    pub(crate) async fn forgetting(&self) -> Forgetting<'_> {
        self.inner.forgetting.lock().await
    }

    /// Commits changes that make something unreadable, or say how long it is readable, after the records of them are durable.
    /// What they are made from is read while `_held` is, so that no other one comes in between.
    pub(crate) async fn forget(
        &self,
        _held: &Forgetting<'_>,
        records: Vec<Record>,
        alteration: Alteration,
    ) -> Result<u64, Error> {
        let shared = &self.inner.shared;
        shared.refused()?;
        let events = &alteration.events;
        let count = events.iter().map(Submission::count).sum();
        shared.room_for(count, events.iter().map(Submission::memory).sum())?;
        let head = shared.chain_head();
        let now = shared.clock.now().millis();
        let moment = format!("{:010}-{:020}-{now:015}", head.era, head.commit);
        let recorded = self.put_records(&moment, records).await?;
        let changed = self.change(alteration).await;
        if matches!(changed, Err(Error::Conflict { .. })) {
            // Decided on what was not so any more: nobody asks for it.
            shared.history.objects().delete(&recorded).await?;
        }
        changed
    }

    /// Answers the object's name.
    async fn put_records(&self, moment: &str, records: Vec<Record>) -> Result<String, Error> {
        let shared = &self.inner.shared;
        let unique = u32::from_be_bytes(random_bytes(&*shared.random));
        let recorded = Recorded {
            deployment: self.inner.deployment.clone(),
            records,
        };
        let bytes = serde_json::to_vec(&recorded).map_err(|error| Error::storage("write records", error))?;
        let name = format!("{DIRECTORY}/{moment}-{unique:08x}");
        shared.history.objects().put(&name, bytes).await?;
        Ok(name)
    }

    /// Makes one object of many. Not while a backup copies them.
    pub(crate) async fn condense_records(&self) -> Result<(), Error> {
        let objects = self.inner.shared.history.objects();
        let _held = self.forgetting().await;
        if objects.list(DIRECTORY).await?.len() <= OBJECTS_KEPT {
            return Ok(());
        }
        let (records, names) = read(objects, &self.inner.deployment).await?;
        // It takes the newest one's place in the order, so that every later record comes after it.
        let newest = names
            .last()
            .and_then(|name| Some(name.strip_prefix(DIRECTORY)?.get(1..48)?.to_owned()));
        let newest = newest.ok_or_else(|| Error::corrupt("the name of a record of what was forgotten"))?;
        self.put_records(&newest, records.into_values().collect()).await?;
        for name in &names {
            objects.delete(name).await?;
        }
        Ok(())
    }

    /// Forgets everything that is recorded, and what has expired by now, in the tail as well. For a database that may be older than the
    /// records; its newest commit is old, so that does not make the clock doubtful. Safe to repeat.
    pub(crate) async fn forget_again(&self) -> Result<(), Error> {
        let (records, _) = read(self.inner.shared.history.objects(), &self.inner.deployment).await?;
        let (mut floors, mut retentions, mut redactions) = (BTreeMap::new(), Vec::new(), Vec::new());
        for record in records.into_values() {
            match record {
                Record::Floor {
                    project,
                    organization,
                    received_at,
                } => {
                    let instant = Timestamp::from_millis(received_at);
                    floors.insert(OrganizationKey::new(project, organization), instant);
                }
                Record::Retention { .. } | Record::EarlierRetention { .. } => {
                    retentions.extend(self.retention_again(&record));
                }
                Record::Redaction { .. } => redactions.extend(self.redaction_again(&record)?),
            }
        }
        if !retentions.is_empty() {
            self.change(retentions.into()).await?;
        }
        for some in redactions.chunks(REDACTIONS_AT_A_TIME) {
            self.change(some.to_vec().into()).await?;
        }
        self.seal_expired().await?;
        self.move_floors(&|ledger| floors.get(&ledger.key).copied()).await?;
        self.advance_floors().await?;
        Ok(())
    }

    /// The change that sets a recorded retention, unless it is set.
    fn retention_again(&self, record: &Record) -> Option<Change> {
        let Record::Retention {
            project,
            organization,
            days,
            legal_hold,
            pending,
        } = record
        else {
            return None;
        };
        let scope = match organization {
            Some(organization) => {
                RetentionScope::Organization(OrganizationKey::new(project.as_str(), organization.as_str()))
            }
            None => RetentionScope::Project(project.as_str().into()),
        };
        let pending = pending.map(|(days, at)| PendingRetention {
            days: decode_days(days),
            at,
        });
        let stored = StoredRetention {
            scope,
            days: decode_days(*days),
            legal_hold: *legal_hold,
            pending,
        };
        let manifest = self.inner.shared.history.manifest();
        let is_set = manifest.retentions().own(&stored.scope) == Some(&stored);
        (!is_set).then_some(Change::Retention(stored))
    }

    /// The change that carries out a recorded redaction, if the event is there and still has what was removed.
    fn redaction_again(&self, record: &Record) -> Result<Option<Change>, Error> {
        let Record::Redaction {
            project,
            organization,
            sequence,
            id,
            parts,
            redacted_at,
        } = record
        else {
            return Ok(None);
        };
        let key = OrganizationKey::new(project.as_str(), organization.as_str());
        let Ok(ledger) = self.state(&key) else { return Ok(None) };
        let rows = self.rows(&key, *sequence, 1)?;
        let same = |row: &&std::sync::Arc<crate::Row>| row.sequence == *sequence && row.id.to_string() == *id;
        let Some(row) = rows.first().filter(same) else {
            return Ok(None);
        };
        let gone = row.redacted();
        let removed = Part::ALL
            .into_iter()
            .filter(|part| parts.iter().any(|name| name == part.name()));
        let removed: Vec<Part> = removed.filter(|part| !gone.contains(part)).collect();
        Ok((!removed.is_empty()).then(|| {
            Change::Redact(StoredRedaction {
                ledger: ledger.id,
                sequence: *sequence,
                secrets: redact::secrets_without(row, &removed),
                redacted_at: *redacted_at,
                rewritten: false,
            })
        }))
    }

    /// Forgets what expired while nobody looked, in the tail as well. To be called before the first read of a process. A ledger that
    /// refuses to write did it when it was opened; one whose clock may be wrong does it an hour later (`keep`).
    ///
    /// # Errors
    /// As [`Ledger::seal`] and [`Ledger::advance_floors`]; it can be repeated.
    pub async fn forget_expired(&self) -> Result<(), Error> {
        if self.inner.shared.refused().is_err() || self.doubts_clock() {
            return Ok(());
        }
        self.seal_expired().await?;
        self.advance_floors().await.map(drop)
    }

    /// Seals what may have expired in the tail: floors move over what is sealed. No retention is shorter than a day.
    async fn seal_expired(&self) -> Result<(), Error> {
        let shared = &self.inner.shared;
        let day_ago = Timestamp::from_millis(shared.clock.now().millis() - DAY_MS);
        while shared.tail_commits.oldest().is_some_and(|oldest| oldest <= day_ago) {
            self.seal().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn records_are_read_back_and_those_of_others_refused() {
        let key = OrganizationKey::new("default", "acme");
        let id = EventId::first(1, [7; 10]);
        let records = vec![
            Record::floor(&key, Timestamp::from_millis(5)),
            Record::redaction(&key, (3, id), &[Part::Actor], 9),
            Record::Retention {
                project: "default".into(),
                organization: None,
                days: None,
                legal_hold: Some(true),
                pending: Some((Some(30), 7)),
            },
        ];
        let recorded = Recorded {
            deployment: "trailbook/1".into(),
            records: records.clone(),
        };
        let bytes = serde_json::to_vec(&recorded).unwrap();
        assert_eq!(decode(&bytes, "trailbook/1").unwrap(), records);
        assert!(decode(&bytes, "trailbook/2").unwrap_err().contains("trailbook/1"));
        assert!(decode(&bytes[1..], "trailbook/1").is_err());
    }

    #[test]
    fn a_retention_that_was_recorded_before_there_were_scopes_is_the_organizations() {
        let record = |days: &str, legal_hold: bool| {
            let text = format!(
                r#"{{"deployment":"d","records":[{{"kind":"retention","project":"default","organization":"acme",
                    "days":{days},"legal_hold":{legal_hold},"pending":[30,7]}}]}}"#
            );
            decode(text.as_bytes(), "d").unwrap().remove(0)
        };
        let expected = |days, legal_hold| {
            Record::retention(&StoredRetention {
                scope: RetentionScope::Organization(OrganizationKey::new("default", "acme")),
                days: Some(days),
                legal_hold,
                pending: Some(PendingRetention {
                    days: Some(Some(30)),
                    at: 7,
                }),
            })
        };
        assert_eq!(record("null", true), expected(None, Some(true)));
        assert_eq!(record("90", false), expected(Some(90), None));
    }
}
