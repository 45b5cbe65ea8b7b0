//! What happens, in random order.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use trailbook_event::{Admitted, ClientId, Event, Filter, Part, Timestamp};
use trailbook_ledger::{Error, OrganizationKey, Retention, RetentionChange, RetentionScope, Row, Settlement};
use trailbook_query::{Scope, View};

use super::{
    Draw, Story,
    jobs::Work,
    model::Model,
    proofs,
    questions::{self, Following, Listing},
    world::{World, country},
};
use crate::{plain, random};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const ORGANIZATIONS: [&str; 5] = ["acme", "bolt", "crow", "dune", "echo"];
/// A view stays readable for so long.
const VIEW_HELD_MS: i64 = 11 * HOUR;

/// One seed's life.
pub(super) struct Simulation {
    pub(super) length: usize,
    pub(super) draw: Draw,
    story: Story,
    pub(super) world: World,
    model: Model,
    /// What was sent, to be sent again.
    sent: Vec<Vec<Admitted>>,
    client_ids: u64,
    listings: Vec<Listing>,
    followings: Vec<Following>,
    views: Vec<Held>,
}

/// A view that was opened earlier, and what it has to go on answering.
struct Held {
    view: View,
    own: Option<Filter>,
    rows: Vec<Arc<Row>>,
    until: i64,
}

impl Simulation {
    pub(super) async fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        Self {
            length: 60 + draw.below(100),
            story: Story {
                seed,
                steps: Vec::new(),
            },
            world: World::new(seed, &mut draw).await,
            draw,
            model: Model::default(),
            sent: Vec::new(),
            client_ids: 0,
            listings: Vec::new(),
            followings: Vec::new(),
            views: Vec::new(),
        }
    }

    pub(super) fn tell(&mut self, step: impl Into<String>) {
        self.story.tell(step);
    }

    /// One step.
    pub(super) async fn step(&mut self) {
        self.world
            .clock
            .advance(1 + self.draw.choices.below(2_000).cast_signed());
        match self.draw.below(100) {
            0..28 => self.write().await,
            28..48 => self.question().await,
            48..66 => self.work().await,
            66..72 => self.advance_floors().await,
            72..75 => self.sweep().await,
            75..83 => self.interleaved().await,
            83..87 => self.checkpoint().await,
            87..90 => self.many_seals().await,
            90..96 => self.time_passes(),
            _ => self.reopen().await,
        }
        self.world.segment_files();
        self.views.retain(|held| held.until >= self.world.now());
    }

    /// Something is written.
    pub(super) async fn write(&mut self) {
        self.world.clock.advance(1);
        match self.draw.below(10) {
            0..7 => self.append().await,
            7 => self.retention().await,
            _ => self.redact().await,
        }
    }

    async fn append(&mut self) {
        let events = if self.draw.percent(8) && !self.sent.is_empty() {
            self.sent[self.draw.below(self.sent.len())].clone()
        } else {
            self.events()
        };
        self.send(events).await;
    }

    async fn send(&mut self, events: Vec<Admitted>) {
        self.tell(format!("append {} events", events.len()));
        let (ledger, now) = (self.world.ledger(), self.world.now());
        let submission = ledger.prepare("default", events.clone(), None, &country);
        let receipt = ledger.append(submission).await.unwrap();
        self.model.appended(ledger, &events, &receipt, now);
        self.sent.push(events);
    }

    fn events(&mut self) -> Vec<Admitted> {
        let count = 1 + self.draw.below(30);
        let mut events: Vec<Admitted> = (0..count).map(|_| self.event()).collect();
        if self.draw.percent(8) {
            // Enough to fill tiles.
            let same = Admitted {
                client_id: None,
                ..events[0].clone()
            };
            events.extend(vec![same; 300]);
        }
        events
    }

    fn event(&mut self) -> Admitted {
        let ranks = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4];
        let organization = ORGANIZATIONS[ranks[self.draw.below(ranks.len())]];
        let mut event = self.draw.of(&random::event());
        event.organization = organization.into();
        if self.draw.percent(30) {
            // Around now, also in the near future; the others happened at any time, most of them long ago.
            let off = self.draw.choices.below(48 * HOUR as u64).cast_signed() - 24 * HOUR;
            event.occurred_at = Timestamp::from_millis(self.world.now() + off);
        }
        event.client_id = self.draw.percent(30).then(|| {
            self.client_ids += 1;
            format!("{}-{}", ["a", "Role", "42"][self.draw.below(3)], self.client_ids).into()
        });
        admitted(&event)
    }

    fn record(&self, organization: &OrganizationKey) -> Admitted {
        let mut event = plain::event("trailbook.changed", self.world.now());
        event.organization = organization.organization().to_owned().into();
        admitted(&event)
    }

    fn organization(&mut self) -> Option<OrganizationKey> {
        let known = self.model.organizations();
        (!known.is_empty()).then(|| known[self.draw.below(known.len())].clone())
    }

    async fn retention(&mut self) {
        let Some(organization) = self.organization() else {
            return;
        };
        let of_project = self.draw.percent(25);
        let change = RetentionChange {
            scope: if of_project {
                RetentionScope::Project(organization.project().into())
            } else {
                (&organization).into()
            },
            days: [
                None,
                Some(None),
                Some(Some(1)),
                Some(Some(2)),
                Some(Some(7)),
                Some(Some(30)),
            ][self.draw.below(6)],
            legal_hold: [None, Some(false), Some(true)][self.draw.below(3)].filter(|_| self.draw.percent(40)),
        };
        self.tell(format!("{change:?}"));
        let (record, now) = (self.record(&organization), self.world.now());
        let ledger = self.world.ledger();
        let known = self.model.organizations();
        let before: Vec<Retention> = known.iter().map(|key| ledger.retention(key)).collect();
        let settlement = Settlement {
            retentions: vec![change.clone()],
            events: vec![ledger.prepare(organization.project(), vec![record.clone()], None, &|_| None)],
            ..Settlement::default()
        };
        ledger.settle(settlement).await.unwrap();
        for (key, before) in known.iter().zip(before) {
            let after = ledger.retention(key);
            let days = |days: Option<u32>| days.unwrap_or(u32::MAX);
            assert!(days(after.days) >= days(before.days), "{key}: {before:?} {after:?}");
            if !of_project && *key != organization {
                assert_eq!(after, before, "{key}");
            }
        }
        let set = ledger.own_retention(change.scope).unwrap();
        let asked = set.pending.map_or(set.days, |pending| pending.days);
        assert_eq!((asked, set.legal_hold), (change.days, change.legal_hold));
        self.model.recorded(ledger, &organization, &record, now);
    }

    async fn redact(&mut self) {
        let Some(organization) = self.organization() else {
            return;
        };
        let size = self.model.ledgers[&organization].size();
        let (sequence, record) = (self.draw.choices.below(size + 1), self.record(&organization));
        let mut parts: Vec<Part> = Part::ALL.into_iter().filter(|_| self.draw.percent(40)).collect();
        if parts.is_empty() {
            parts.push(Part::Actor);
        }
        self.tell(format!("redact {parts:?} of {organization} {sequence}"));
        let (ledger, now) = (self.world.ledger(), self.world.now());
        let redacted = ledger.redact(&organization, sequence, &parts, record.clone()).await;
        let known = self.model.ledgers.get_mut(&organization).unwrap();
        if (known.floor..size).contains(&sequence) {
            redacted.unwrap();
            known.redact(sequence, &parts);
            self.model.recorded(ledger, &organization, &record, now);
        } else {
            assert!(matches!(redacted, Err(Error::NotFound)), "{redacted:?}");
        }
    }

    async fn work(&mut self) {
        let work = [Work::Seal, Work::Seal, Work::Compact, Work::CarryOut, Work::Expire][self.draw.below(5)];
        self.tell(format!("{work:?}"));
        if self.draw.percent(50) {
            work.run_all(self.world.ledger()).await;
        } else {
            work.run(self.world.ledger()).await.unwrap();
        }
        self.question().await;
    }

    /// So many seals that there is something to compact, sometimes twice over.
    async fn many_seals(&mut self) {
        let seals = if self.draw.percent(10) { 70 } else { 8 };
        for _ in 0..seals {
            self.append().await;
            self.tell("Seal");
            Work::Seal.run_all(self.world.ledger()).await;
        }
    }

    pub(super) async fn advance_floors(&mut self) {
        self.tell("advance floors");
        let (ledger, now) = (self.world.ledger(), self.world.now());
        let expected = self.model.advance_floors(ledger, now);
        assert_eq!(ledger.advance_floors().await.unwrap(), expected);
        for (organization, known) in &self.model.ledgers {
            assert_eq!(
                ledger.sealed(organization).unwrap().floor,
                known.floor,
                "{organization}"
            );
        }
    }

    pub(super) async fn sweep(&mut self) {
        self.tell("sweep");
        self.world.segment_files();
        self.world.ledger().sweep().await.unwrap();
    }

    async fn checkpoint(&mut self) {
        let Some(organization) = self.organization() else {
            return;
        };
        self.tell(format!("checkpoint of {organization}"));
        self.world.clock.advance(1_000);
        let signed = self.world.ledger().checkpoint(&organization).await.unwrap();
        let known = self.model.ledgers.get_mut(&organization).unwrap();
        assert_eq!((signed.size, signed.root), (known.size(), known.root(known.size())));
        known.checkpoints.push(signed);
    }

    fn time_passes(&mut self) {
        let hours = [1, 3, 9, 13, 25, 60, 24 * 8][self.draw.below(7)];
        self.tell(format!("{hours} hours pass"));
        self.world.clock.advance(hours * HOUR);
    }

    async fn reopen(&mut self) {
        self.tell("reopen");
        self.views.clear();
        self.world.reopen().await;
    }

    /// Something is asked, of a view that is opened now or of something begun earlier.
    pub(super) async fn question(&mut self) {
        let Some(organization) = self.organization() else {
            return;
        };
        self.tell(format!("ask {organization}"));
        let known = &self.model.ledgers[&organization];
        let scope = Scope {
            organization: organization.clone(),
            own: questions::own(&mut self.draw),
        };
        let engine = self.world.engine();
        if self.draw.percent(30) {
            engine.catch_up(&organization).unwrap();
            engine.trim();
        }
        let view = engine.view(&scope).unwrap();
        questions::ask(&mut self.draw, &view, scope.own.as_ref(), known.readable());
        let mut listing = Listing::begin(&mut self.draw, scope.clone(), known.size());
        if listing.turn(engine, &view, known.readable()) {
            self.listings.push(listing);
        }
        if self.draw.percent(10) {
            self.followings
                .push(Following::begin(&mut self.draw, scope.clone(), known.size()));
        }
        if self.draw.percent(10) {
            self.views.push(Held {
                view,
                own: scope.own,
                rows: known.readable().to_vec(),
                until: self.world.now() + VIEW_HELD_MS,
            });
        }
        proofs::check(&mut self.draw, self.world.ledger(), &organization, known).await;
        self.continued().await;
    }

    /// What was begun earlier goes on.
    async fn continued(&mut self) {
        let engine = self.world.engine();
        if !self.listings.is_empty() {
            let mut listing = self.listings.swap_remove(self.draw.below(self.listings.len()));
            let known = &self.model.ledgers[&listing.scope.organization];
            let view = engine.view(&listing.scope).unwrap();
            if listing.turn(engine, &view, known.readable()) {
                self.listings.push(listing);
            }
        }
        if !self.followings.is_empty() {
            let place = self.draw.below(self.followings.len());
            let following = &mut self.followings[place];
            let known = &self.model.ledgers[&following.scope.organization];
            following.resume(engine, known.readable()).await;
        }
        if !self.views.is_empty() {
            let held = &self.views[self.draw.below(self.views.len())];
            questions::ask(&mut self.draw, &held.view, held.own.as_ref(), &held.rows);
        }
    }

    /// Everything that waits is done; then nothing is left of what has gone.
    pub(super) async fn end(mut self) {
        self.tell("the end");
        for work in [Work::Seal, Work::CarryOut, Work::Compact] {
            work.run_all(self.world.ledger()).await;
        }
        self.advance_floors().await;
        // What expired is erased within half a day, its objects half a day later, those of failed jobs as well.
        self.world.clock.advance(9 * HOUR);
        Work::Expire.run_all(self.world.ledger()).await;
        self.world.clock.advance(13 * HOUR);
        self.views.clear();
        self.sweep().await;
        for organization in self.model.organizations() {
            self.question().await;
            let sealed = self.world.ledger().sealed(&organization).unwrap();
            assert!(sealed.redactions.is_empty(), "{organization}: {:?}", sealed.redactions);
        }
        let stats = self.world.ledger().stats().unwrap();
        let report = self.world.stop().await;
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
        let readable: usize = self.model.ledgers.values().map(|known| known.readable().len()).sum();
        assert_eq!(
            report.events, readable as u64,
            "events that are stored, and that can be read"
        );
        assert_eq!(self.world.segment_files().len() as u64, 2 * report.segments);
        let (stored, levels): (u64, Vec<u8>) = (
            self.model.ledgers.values().map(|known| known.size()).sum(),
            stats.levels.into_keys().collect(),
        );
        eprintln!(
            "seed {}: {} steps, {stored} events of which {readable} can be read, levels {levels:?}",
            self.story.seed,
            self.story.steps.len()
        );
    }
}

/// An event as it comes from admission.
fn admitted(event: &Event<'_>) -> Admitted {
    let parts = event.to_parts();
    Admitted {
        organization: event.organization.to_string(),
        client_id: event.client_id.as_ref().map(|id| ClientId {
            id: id.to_string(),
            content: Sha256::digest(parts.bytes()).into(),
        }),
        occurred_at: event.occurred_at,
        ip: event.context.ip.as_ref().and_then(|ip| ip.parse().ok()),
        parts,
    }
}
