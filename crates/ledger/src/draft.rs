//! A commit in the making: what waits is numbered, hashed and pushed on the trees' frontiers, on copies of the heads.
//!
//! Invariants
//! - A submission enters whole or not at all.
//! - Nothing here is visible to anybody until the group is committed; dropping a draft changes nothing.

use std::{collections::HashMap, sync::Arc};

use rustc_hash::FxHashMap;
use trailbook_event::Timestamp;
use trailbook_merkle::{Frontier, LeafRecord};

use crate::{
    Error, EventId, OrganizationKey, Row,
    chain::{self, ChangedHead},
    database::{ChainHead, Change, Group, LedgerId, StoredAnswer, StoredCheckpoint, StoredClientId, Subtree},
    duplicates,
    frame::Frame,
    row::{ROW_OVERHEAD_BYTES, Secrets},
    submission::{ClientIdContent, Prepared, Receipt, Stored, Submission, encode_receipt},
    tail::{LedgerHead, LedgerState, Ledgers},
    tail_row::{self, Numbering, Run},
};

/// A ledger that the commit changes.
pub(crate) struct Changed {
    pub(crate) ledger: Arc<LedgerState>,
    pub(crate) head: LedgerHead,
    pub(crate) rows: Vec<Arc<Row>>,
    /// Not among the known ledgers yet.
    pub(crate) new: bool,
    run: u32,
}

/// What stays the same for all submissions of a commit.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) commit: u64,
    /// The epoch in which a new ledger begins: its name may have been used in an earlier era, by commits that are lost.
    pub(crate) era: u32,
    pub(crate) now: Timestamp,
    pub(crate) first_id: EventId,
    pub(crate) next_ledger: LedgerId,
}

/// A commit in the making.
pub(crate) struct Draft<'l> {
    ledgers: &'l Ledgers,
    secret: &'l [u8; 32],
    moment: Moment,
    pub(crate) changed: Vec<Changed>,
    by_key: FxHashMap<OrganizationKey, usize>,
    numbering: Numbering,
    frames: Vec<Frame>,
    subtrees: Vec<Subtree>,
    pub(crate) answers: Vec<StoredAnswer>,
    pub(crate) client_ids: Vec<StoredClientId>,
    known: HashMap<[u8; 16], StoredClientId>,
    pub(crate) checkpoints: Vec<StoredCheckpoint>,
    pub(crate) changes: Vec<Change>,
    bytes: usize,
}

/// What becomes of one event of a submission.
enum Fate {
    New,
    /// Stored earlier, or earlier in this commit.
    Known(StoredClientId),
    /// The same as an earlier event of the same submission.
    Repeats(usize),
}

impl<'l> Draft<'l> {
    /// An empty draft. `known` are the client ids that the database remembers among those that wait.
    pub(crate) fn new(
        ledgers: &'l Ledgers,
        secret: &'l [u8; 32],
        moment: Moment,
        known: impl IntoIterator<Item = StoredClientId>,
    ) -> Self {
        Self {
            ledgers,
            secret,
            moment,
            changed: Vec::new(),
            by_key: FxHashMap::default(),
            numbering: Numbering {
                first_id: Some(moment.first_id),
                ..Numbering::default()
            },
            frames: Vec::new(),
            subtrees: Vec::new(),
            answers: Vec::new(),
            client_ids: Vec::new(),
            known: known.into_iter().map(|known| (known.key, known)).collect(),
            checkpoints: Vec::new(),
            changes: Vec::new(),
            bytes: 0,
        }
    }

    /// A draft like this one before anything was placed.
    pub(crate) fn emptied(&self) -> Self {
        Self::new(self.ledgers, self.secret, self.moment, [])
    }

    /// Number of new events so far.
    pub(crate) fn events(&self) -> usize {
        self.numbering.run_of.len()
    }

    /// Whether there is nothing to commit.
    pub(crate) fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.answers.is_empty() && self.checkpoints.is_empty() && self.changes.is_empty()
    }

    /// Bytes that the new events will occupy in memory, estimated.
    pub(crate) fn memory(&self) -> usize {
        self.bytes
    }

    /// The Log ID of the newest event, if there are new ones.
    pub(crate) fn last_id(&self) -> Option<EventId> {
        self.events()
            .checked_sub(1)
            .map(|last| self.moment.first_id.plus(last as u64))
    }

    /// Ledgers that the commit creates.
    pub(crate) fn new_ledgers(&self) -> u64 {
        self.changed.iter().filter(|changed| changed.new).count() as u64
    }

    /// Gives an organization a ledger, if it has none.
    pub(crate) fn open(&mut self, organization: &OrganizationKey) {
        if self.ledgers.get(organization).is_none() {
            self.changed_index(organization);
        }
    }

    /// Takes a submission in and answers what its receipt will be once the group is committed.
    pub(crate) fn place(&mut self, submission: Submission) -> Result<Receipt, Error> {
        let fates = self.decide(&submission)?;
        let Submission {
            organizations,
            events,
            frame,
            idempotency,
            announcements,
            room: _room,
        } = submission;
        let unknown: Vec<bool> = match &announcements {
            Some(_) => organizations.iter().map(|key| !self.has(key)).collect(),
            None => Vec::new(),
        };
        let receipt = self.take_in(&organizations, events, fates, frame);
        if let Some(announcements) = announcements {
            let is_new = |of: u32| unknown[of as usize] && self.has(&organizations[of as usize]);
            let told: Vec<bool> = announcements.of.iter().map(|of| is_new(*of)).collect();
            self.announce(announcements.submission, &told);
        }
        if let Some(key) = idempotency {
            self.answers.push(StoredAnswer {
                key: duplicates::idempotency_key(self.secret, &key.credential, &key.key),
                body: key.body,
                receipt: encode_receipt(&receipt),
                stored_at: self.moment.now.millis(),
            });
        }
        Ok(receipt)
    }

    /// Whether an organization has a ledger, or has one once this is committed.
    fn has(&self, organization: &OrganizationKey) -> bool {
        self.by_key.contains_key(organization) || self.ledgers.get(organization).is_some()
    }

    /// Takes in those events that tell of organizations which are new.
    fn announce(&mut self, submission: Submission, told: &[bool]) {
        let is_told = told.iter().copied();
        let events: Vec<Prepared> = submission
            .events
            .into_iter()
            .zip(is_told)
            .filter_map(|(event, is_told)| is_told.then_some(event))
            .collect();
        let frame = if events.len() == told.len() {
            submission.frame
        } else {
            Frame::of(events.iter().map(|event| &event.body))
        };
        let fates = events.iter().map(|_| Fate::New).collect();
        self.take_in(&submission.organizations, events, fates, frame);
    }

    /// Numbers the new ones among some events. `frame` has the bodies of all of them.
    fn take_in(
        &mut self,
        organizations: &[OrganizationKey],
        events: Vec<Prepared>,
        fates: Vec<Fate>,
        frame: Frame,
    ) -> Receipt {
        let is_new = |fate: &Fate| matches!(fate, Fate::New);
        let frame = if fates.iter().all(is_new) {
            frame
        } else {
            let fresh = events.iter().zip(&fates).filter(|(_, fate)| is_new(fate));
            Frame::of(fresh.map(|(event, _)| &event.body))
        };
        let receipt = self.number(organizations, events, fates, vec![None; organizations.len()]);
        let accepted = receipt.accepted();
        if accepted > 0 {
            self.bytes += frame.payload.len() + accepted * ROW_OVERHEAD_BYTES;
            self.frames.push(frame);
        }
        receipt
    }

    /// What becomes of each event; an error when a client id stands for something else.
    fn decide(&self, submission: &Submission) -> Result<Vec<Fate>, Error> {
        let mut first: FxHashMap<[u8; 16], (usize, [u8; 16])> = FxHashMap::default();
        let mut reused = Vec::new();
        let mut fates = Vec::with_capacity(submission.events.len());
        for (position, event) in submission.events.iter().enumerate() {
            let fate = event
                .client_id
                .map_or(Ok(Fate::New), |ClientIdContent { key, content }| {
                    if let Some(known) = self.known.get(&key) {
                        return if known.content == content {
                            Ok(Fate::Known(*known))
                        } else {
                            Err(position)
                        };
                    }
                    match first.get(&key) {
                        Some((earlier, same)) if *same == content => Ok(Fate::Repeats(*earlier)),
                        Some(_) => Err(position),
                        None => {
                            first.insert(key, (position, content));
                            Ok(Fate::New)
                        }
                    }
                });
            match fate {
                Ok(fate) => fates.push(fate),
                Err(position) => reused.push(position),
            }
        }
        if reused.is_empty() {
            Ok(fates)
        } else {
            Err(Error::ClientIdReused { events: reused })
        }
    }

    fn number(
        &mut self,
        organizations: &[OrganizationKey],
        events: Vec<Prepared>,
        fates: Vec<Fate>,
        mut changed: Vec<Option<usize>>,
    ) -> Receipt {
        let mut stored: Vec<Stored> = Vec::with_capacity(events.len());
        for (event, fate) in events.into_iter().zip(fates) {
            let slot = event.organization as usize;
            let organization = organizations[slot].clone();
            stored.push(match fate {
                Fate::New => {
                    let changed = match changed[slot] {
                        Some(changed) => changed,
                        None => *changed[slot].insert(self.changed_index(&organization)),
                    };
                    let (id, sequence) = self.append(changed, event);
                    Stored {
                        id,
                        organization,
                        sequence,
                        duplicate: false,
                    }
                }
                Fate::Known(known) => Stored {
                    id: known.id,
                    organization,
                    sequence: known.sequence,
                    duplicate: true,
                },
                Fate::Repeats(earlier) => Stored {
                    duplicate: true,
                    ..stored[earlier].clone()
                },
            });
        }
        Receipt { events: stored }
    }

    /// Gives an event its number, its id and its leaf.
    fn append(&mut self, changed: usize, event: Prepared) -> (EventId, u64) {
        let id = self.moment.first_id.plus(self.numbering.run_of.len() as u64);
        let changed = &mut self.changed[changed];
        let sequence = changed.head.frontier.size();
        let leaf_hash = LeafRecord {
            epoch: changed.head.epoch,
            sequence,
            received_at_millis: changed.head.received_at.millis(),
            id: *id.bytes(),
            commitments: event.commitments,
        }
        .leaf_hash();
        let (ledger, subtrees) = (changed.ledger.id, &mut self.subtrees);
        changed.head.frontier.append(leaf_hash, &mut |closed| {
            subtrees.push(Subtree {
                ledger,
                level: closed.level,
                index: closed.index,
                hash: closed.hash,
            });
        });
        self.numbering.run_of.push(changed.run);
        self.numbering.leaf_hashes.push(leaf_hash);
        changed.rows.push(Arc::new(Row {
            sequence,
            commit: self.moment.commit,
            id,
            epoch: changed.head.epoch,
            received_at: changed.head.received_at,
            occurred_at: event.body.occurred_at,
            country: event.body.country,
            secrets: Secrets::Nonce(event.body.nonce),
            leaf_hash,
            parts: event.body.parts,
        }));
        if let Some(ClientIdContent { key, content }) = event.client_id {
            let stored = StoredClientId {
                key,
                content,
                sequence,
                id,
                stored_at: self.moment.now.millis(),
            };
            self.client_ids.push(stored);
            self.known.insert(key, stored);
        }
        (id, sequence)
    }

    /// The ledger of an organization among the changed ones; a copy of its head, or a new ledger, at first.
    fn changed_index(&mut self, organization: &OrganizationKey) -> usize {
        if let Some(index) = self.by_key.get(organization) {
            return *index;
        }
        let known = self.ledgers.get(organization);
        let new = known.is_none();
        let ledger = known.unwrap_or_else(|| {
            let head = LedgerHead {
                epoch: self.moment.era,
                frontier: Frontier::new(),
                received_at: self.moment.now,
            };
            Arc::new(LedgerState::new(
                self.moment.next_ledger + self.new_ledgers(),
                organization.clone(),
                head,
            ))
        });
        let mut head = ledger.ledger_head();
        head.received_at = head.received_at.max(self.moment.now);
        let run = self.numbering.runs.len() as u32;
        self.numbering.runs.push(Run {
            ledger: ledger.id,
            epoch: head.epoch,
            first_sequence: head.frontier.size(),
            received_at: head.received_at.millis(),
        });
        self.changed.push(Changed {
            ledger,
            head,
            rows: Vec::new(),
            new,
            run,
        });
        self.by_key.insert(organization.clone(), self.changed.len() - 1);
        self.changed.len() - 1
    }

    /// The group to commit on top of `previous`.
    pub(crate) fn group(&mut self, previous: ChainHead, token: [u8; 16], forget_before: Option<i64>) -> Group {
        let mut heads: Vec<ChangedHead> = self
            .changed
            .iter()
            .map(|changed| ChangedHead {
                ledger: changed.ledger.id,
                epoch: changed.head.epoch,
                size: changed.head.frontier.size(),
                root: changed.head.frontier.root(),
            })
            .collect();
        heads.sort_by_key(|head| head.ledger);
        let frames: Vec<&Frame> = self.frames.iter().collect();
        Group {
            commit: self.moment.commit,
            era: previous.era,
            chain: chain::next(previous.chain, previous.era, self.moment.commit, &heads),
            token,
            committed_at: self.moment.now.millis(),
            tail: (self.events() > 0).then(|| tail_row::encode(&self.numbering, &frames).into()),
            heads: self
                .changed
                .iter()
                .map(|changed| changed.ledger.stored(&changed.head, changed.new))
                .collect(),
            subtrees: std::mem::take(&mut self.subtrees),
            answers: self.answers.clone(),
            client_ids: self.client_ids.clone(),
            checkpoints: self.checkpoints.clone(),
            changes: self.changes.clone(),
            forget_before,
        }
    }
}
