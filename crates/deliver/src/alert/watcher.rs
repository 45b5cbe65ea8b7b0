//! The alerts of one organization looking at its events, step by step: what is new is read once for all of them, and what they find
//! is written together with how far they looked.
//!
//! Not here: what an alert makes of an event (`rule`), telling (`teller`), waiting between steps (`alert`).

use std::{collections::BTreeMap, sync::Arc};

use trailbook_access::{
    Act, Origin,
    act::{Actor, Target},
    records::{Alert, AlertMessage, AlertState, Condition, Every, Found, FoundEvents, FoundPeriod, owner},
    secret::new_id,
};
use trailbook_event::{Event, Filter, Record, Timestamp};
use trailbook_ledger::{Head, Ledger, OrganizationKey};
use trailbook_query::Scope;

use super::{Alerts, blocking, digest, lease::Lease, past::Past, rule::Rule};
use crate::{
    Error,
    stream::{Next, place},
};

/// Events that are looked at in one step.
const ROWS_AT_A_STEP: usize = 2_000;
/// Events after which it is written how far alerts looked, also when they found nothing …
const WRITTEN_AFTER_EVENTS: u64 = 50_000;
/// … and the time after which it is, milliseconds.
const WRITTEN_AFTER_MS: i64 = 300_000;
/// Messages of an alert that wait to be told; what it finds beyond is counted, and said in the next one.
const MESSAGES_MAX: usize = 100;

/// The alerts of one organization, looking.
pub struct Watcher {
    of: Arc<Alerts>,
    organization: OrganizationKey,
    lease: Lease,
    past: Option<Past>,
    /// By alert, what is newer than its record.
    news: BTreeMap<String, News>,
    /// Events that were looked at since it was written how far.
    looked: u64,
    /// When that was, milliseconds.
    written_at: i64,
}

/// An alert that looked further.
struct News {
    alert: Arc<Alert>,
    from: Option<Arc<AlertState>>,
    to: AlertState,
    messages: Vec<AlertMessage>,
    acts: Vec<Act>,
}

/// An alert that looks.
struct Looking {
    news: News,
    filter: Filter,
    rule: Rule,
    room: usize,
}

impl Watcher {
    /// The alerts of an organization.
    pub fn new(of: Arc<Alerts>, organization: OrganizationKey) -> Self {
        Self {
            lease: Lease::new(of.clone(), &organization),
            past: Some(Past::new(of.engine.clone(), organization.clone())),
            written_at: of.clock.now().millis(),
            of,
            organization,
            news: BTreeMap::new(),
            looked: 0,
        }
    }

    /// Looks at what is new, as much as a step takes.
    ///
    /// # Errors
    /// When the database or stored events fail; nothing is lost then.
    pub async fn step(&mut self) -> Result<Next, Error> {
        let alerts: Vec<Arc<Alert>> = self.of.directory.of(&owner(&self.organization));
        if alerts.is_empty() {
            return Ok(Next::Gone);
        }
        let Some(head) = self.of.ledger.head(&self.organization) else {
            return Ok(Next::Idle);
        };
        let now = self.of.clock.now();
        let (due, later) = self.due(alerts.into_iter().filter(|alert| alert.enabled), &head, now)?;
        if !due.is_empty() {
            if !self.lease.take().await? {
                self.news.clear();
                return Ok(Next::At(now.millis() + trailbook_ledger::LEASE_MS / 3));
            }
            self.look(due, head, now).await?;
            if self.news.values().any(|news| !news.acts.is_empty()) || self.looked >= WRITTEN_AFTER_EVENTS {
                self.write().await?;
            }
            return Ok(Next::Now);
        }
        if self.news.is_empty() {
            return Ok(later.map_or(Next::Idle, Next::At));
        }
        let write_at = self.written_at + WRITTEN_AFTER_MS;
        if write_at > now.millis() {
            return Ok(Next::At(later.map_or(write_at, |later| later.min(write_at))));
        }
        self.write().await?;
        Ok(Next::Now)
    }

    /// The alerts that have something to look at, and when the next one has.
    fn due(
        &mut self,
        alerts: impl Iterator<Item = Arc<Alert>>,
        head: &Head,
        now: Timestamp,
    ) -> Result<(Vec<Looking>, Option<i64>), Error> {
        let (mut due, mut later) = (Vec::new(), None::<i64>);
        for alert in alerts {
            let news = self.taken(&alert, head, now)?;
            let is_due = match alert.condition {
                Condition::Digest { every } => {
                    let at = self.next_digest(every, news.to.since);
                    later = later.into_iter().chain(at).min();
                    at.is_some_and(|at| at <= now.millis())
                }
                _ => news.to.next < head.size,
            };
            let filter = self.of.filter(&alert);
            match filter {
                Ok(filter) if is_due => due.push(Looking {
                    rule: Rule::new(&alert, filter.clone()),
                    filter,
                    room: MESSAGES_MAX.saturating_sub(news.messages.len() + self.of.waiting(&alert.id)),
                    news,
                }),
                Ok(_) => self.keep(news),
                // It was read when the alert was set up: the language or the zone is another one since.
                Err(error) => {
                    tracing::error!(%error, alert = alert.id, "the filter of an alert cannot be read any more")
                }
            }
        }
        Ok((due, later))
    }

    /// What is newest of an alert: its news, while they still fit what is recorded.
    fn taken(&mut self, alert: &Arc<Alert>, head: &Head, now: Timestamp) -> Result<News, Error> {
        let news = self.news.remove(&alert.id).filter(|news| self.of.fits(news));
        let mut news = news.unwrap_or_else(|| {
            let from = self.of.directory.get::<AlertState>(&alert.id);
            let begin = || AlertState::begin(&alert.id, (head.epoch, head.size), now.millis());
            News {
                alert: alert.clone(),
                to: from.as_deref().cloned().unwrap_or_else(begin),
                from,
                messages: Vec::new(),
                acts: Vec::new(),
            }
        });
        in_epoch(&self.of.ledger, &self.organization, head, &mut news.to)?;
        Ok(news)
    }

    fn keep(&mut self, news: News) {
        if news.from.as_deref() != Some(&news.to) || !news.acts.is_empty() {
            self.news.insert(news.alert.id.clone(), news);
        }
    }

    fn next_digest(&self, every: Every, since: i64) -> Option<i64> {
        let zone = self.of.directory.policy(&self.organization).zone();
        digest::next_due(every, &zone, Timestamp::from_millis(since)).map(Timestamp::millis)
    }

    /// Lets alerts look, where blocking is fine.
    async fn look(&mut self, due: Vec<Looking>, head: Head, now: Timestamp) -> Result<(), Error> {
        let (of, organization) = (self.of.clone(), self.organization.clone());
        let past = self.past.take();
        let past = past.unwrap_or_else(|| Past::new(of.engine.clone(), organization.clone()));
        let look = Look {
            of,
            organization,
            head,
            now,
            past,
            due,
        };
        let (past, due, looked) = blocking(move || look.all()).await??;
        self.past = Some(past);
        self.looked += looked;
        due.into_iter().for_each(|looking| self.keep(looking.news));
        Ok(())
    }

    /// Writes what is news, but for alerts that are not any more what it was made from: these look again.
    ///
    /// # Errors
    /// As [`trailbook_access::Change::commit`]; the news are kept.
    pub async fn write(&mut self) -> Result<(), Error> {
        let mut change = self.of.directory.change().await;
        for news in self.news.values().filter(|news| self.of.fits(news)) {
            change.put(news.to.clone())?;
            for message in &news.messages {
                change.put(message.clone())?;
            }
            news.acts.iter().cloned().for_each(|act| change.act(act));
        }
        if !change.is_empty() {
            change.commit().await?;
        }
        self.news.clear();
        self.looked = 0;
        self.written_at = self.of.clock.now().millis();
        Ok(())
    }
}

impl Alerts {
    /// Whether an alert and how far it looked are still recorded as news of it were made from.
    fn fits(&self, news: &News) -> bool {
        let directory = &self.directory;
        let alert = directory.get::<Alert>(&news.alert.id);
        let state = directory.get::<AlertState>(&news.alert.id);
        let is_same = match (&state, &news.from) {
            (Some(recorded), Some(from)) => Arc::ptr_eq(recorded, from),
            (recorded, from) => recorded.is_none() && from.is_none(),
        };
        is_same && alert.is_some_and(|recorded| Arc::ptr_eq(&recorded, &news.alert))
    }

    /// Messages of an alert that wait to be told.
    fn waiting(&self, alert: &str) -> usize {
        self.directory.state().alert_messages.of(alert).count()
    }
}

/// One look of several alerts at what is new.
struct Look {
    of: Arc<Alerts>,
    organization: OrganizationKey,
    head: Head,
    now: Timestamp,
    past: Past,
    due: Vec<Looking>,
}

impl Look {
    /// The look, and at how many events. Blocks on files.
    fn all(mut self) -> Result<(Past, Vec<Looking>, u64), Error> {
        self.past.renew();
        let mut due = std::mem::take(&mut self.due);
        let looked = self.at_events(&mut due)?;
        for looking in &mut due {
            if let Condition::Digest { every } = looking.news.alert.condition {
                self.at_period(looking, every)?;
            }
        }
        Ok((self.past, due, looked))
    }

    fn at_events(&mut self, due: &mut [Looking]) -> Result<u64, Error> {
        let is_looking = |looking: &&mut Looking| !matches!(looking.news.alert.condition, Condition::Digest { .. });
        let mut looking: Vec<&mut Looking> = due.iter_mut().filter(is_looking).collect();
        let Some(begin) = looking.iter().map(|looking| looking.news.to.next).min() else {
            return Ok(0);
        };
        let rows = self.of.ledger.rows(&self.organization, begin, ROWS_AT_A_STEP)?;
        for row in &rows {
            let event = Event::parse(&row.parts).map_err(|source| Error::Corrupt {
                sequence: row.sequence,
                source,
            })?;
            let record = Record {
                occurred_at: row.occurred_at,
                country: row.country(),
                event: &event,
            };
            for looking in looking
                .iter_mut()
                .filter(|looking| looking.news.to.next <= row.sequence)
            {
                let Looking { news, rule, room, .. } = &mut **looking;
                for found in rule.look(&mut news.to, (row, &record), &mut self.past, *room)? {
                    *room -= 1;
                    self.fired(news, Found::Events(found))?;
                }
                news.to.next = row.sequence + 1;
            }
        }
        if rows.is_empty() {
            // What there was has expired.
            looking
                .iter_mut()
                .for_each(|looking| looking.news.to.next = self.head.size);
        }
        Ok(rows.len() as u64)
    }

    fn at_period(&self, looking: &mut Looking, every: Every) -> Result<(), Error> {
        let zone = self.of.directory.policy(&self.organization).zone();
        let state = &mut looking.news.to;
        let due = digest::last_due(every, &zone, self.now).filter(|due| due.millis() > state.since);
        let Some(due) = due else { return Ok(()) };
        let ledger = &self.of.ledger;
        let end = place::first(ledger, &self.organization, self.head.size, |row| row.received_at >= due)?;
        let sequences = (state.next.min(end), end);
        let scope = Scope {
            organization: self.organization.clone(),
            own: None,
        };
        let found = FoundPeriod {
            count: digest::count(&self.of.engine.view(&scope)?, &looking.filter, sequences)?,
            sequences,
            received: (state.since, due.millis()),
        };
        state.next = end;
        state.since = due.millis();
        self.fired(&mut looking.news, Found::Digest(found))
    }

    /// Notes that an alert fired: the act, and what is to be told.
    fn fired(&self, news: &mut News, found: Found) -> Result<(), Error> {
        let (alert, now) = (&news.alert, self.now.millis());
        news.to.fired += 1;
        news.to.last_fired_at = Some(now);
        news.acts.push(self.act(alert, &found)?);
        if alert.recipients.is_empty() && alert.webhook.is_none() {
            return Ok(());
        }
        news.messages.push(AlertMessage {
            id: new_id("msg_", self.of.directory.random()),
            alert: alert.id.clone(),
            fired_at: now,
            found,
            to: alert
                .recipients
                .iter()
                .map(|recipient| recipient.address.clone())
                .collect(),
            webhook: alert.webhook.is_some(),
            failures: 0,
            retry_at: now,
        });
        Ok(())
    }

    fn act(&self, alert: &Alert, found: &Found) -> Result<Act, Error> {
        let key = self.organization.clone();
        let act = Act::by(Actor::system("Alerts"), Origin::default(), key, "trailbook.alert.fired");
        let act = act.target(Target::new("alert", alert.id.as_str(), Some(alert.name.clone())));
        Ok(match found {
            Found::Events(found) => self.with_events(act.with("count", found.count), found)?,
            Found::Digest(found) => {
                let [from, to] = [found.received.0, found.received.1].map(|at| Timestamp::from_millis(at).to_string());
                act.with("count", found.count).with("from", from).with("to", to)
            }
        })
    }

    fn with_events(&self, act: Act, found: &FoundEvents) -> Result<Act, Error> {
        let mut act = act.with("meanwhile", found.meanwhile);
        for (name, sequence) in [("first", found.sequences.0), ("last", found.sequences.1)] {
            let rows = self.of.ledger.rows(&self.organization, sequence, 1)?;
            if let Some(row) = rows.first().filter(|row| row.sequence == sequence) {
                act = act.with(name, row.id.to_string());
            }
        }
        let said = [("group", &found.group), ("value", &found.value)].into_iter();
        let said = said.filter_map(|(name, text)| Some((name, text.as_deref()?)));
        Ok(said.fold(act, |act, (name, text)| act.with(name, text)))
    }
}

/// What an alert remembers after its ledger has continued from an older copy: events that are lost count no more.
fn in_epoch(ledger: &Ledger, organization: &OrganizationKey, head: &Head, state: &mut AlertState) -> Result<(), Error> {
    if state.epoch >= head.epoch {
        return Ok(());
    }
    let was = state.epoch;
    let begins = place::first(ledger, organization, head.size, |row| row.epoch > was)?;
    state.epoch = head.epoch;
    state.next = state.next.min(begins);
    state.groups.clear();
    Ok(())
}
