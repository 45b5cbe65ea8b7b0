//! What an alert makes of events, one after the other: which it counts, and when it fires.
//!
//! Invariants
//! - What is made of an event depends on events, the alert and what it remembers, and on nothing else; but where there is no
//!   room for what would be told, it is counted as if the alert were quiet.
//! - What is remembered is bounded: [`GROUPS_MAX`] groups, and [`MATCHES_MAX`] events of all of them.

use std::collections::BTreeSet;

use trailbook_access::records::{Alert, AlertGroup, AlertMatch, AlertState, Condition, FoundEvents, Grouping};
use trailbook_event::{
    Filter, Record,
    filter::{Field, facet_values},
};
use trailbook_ledger::Row;

use super::past::Past;
use crate::Error;

/// Groups that an alert remembers.
const GROUPS_MAX: usize = 1_000;
/// Events that an alert remembers, in all groups.
const MATCHES_MAX: usize = 20_000;
/// What begins the actions of alerts themselves.
const OWN_ACTIONS: &str = "trailbook.alert.";

/// What an alert looks for.
pub(super) struct Rule {
    filter: Filter,
    looks_for: LooksFor,
    quiet_ms: i64,
}

enum LooksFor {
    Any,
    Threshold {
        count: usize,
        window_ms: i64,
        by: Option<Field>,
    },
    FirstSeen(Field),
    /// A digest does not look at single events.
    Nothing,
}

/// What of an event is counted where.
struct Case {
    group: Option<String>,
    value: Option<String>,
}

impl Rule {
    /// What an alert looks for, with its filter.
    pub(super) fn new(alert: &Alert, filter: Filter) -> Self {
        let looks_for = match &alert.condition {
            Condition::Any {} => LooksFor::Any,
            Condition::Threshold {
                count,
                window_seconds,
                by,
            } => LooksFor::Threshold {
                count: *count as usize,
                window_ms: i64::from(*window_seconds) * 1_000,
                by: by.map(field_of),
            },
            Condition::FirstSeen { field } => match Field::from_name(field) {
                Ok(Some(field)) => LooksFor::FirstSeen(field),
                Ok(None) | Err(_) => LooksFor::Nothing,
            },
            Condition::Digest { .. } => LooksFor::Nothing,
        };
        Self {
            filter,
            looks_for,
            quiet_ms: i64::from(alert.quiet_seconds) * 1_000,
        }
    }

    /// The filter that holds for the events of a group.
    pub(super) fn filter_of(alert: &Alert, filter: Filter, group: Option<&str>) -> Filter {
        let field = match &alert.condition {
            Condition::Threshold { by: Some(by), .. } => field_of(*by),
            _ => Field::Actor,
        };
        match group {
            Some(value) => filter.and(super::past::having(&field, value)),
            None => filter,
        }
    }

    /// What the alert finds now that it sees a further event. It finds at most `room` times something.
    pub(super) fn look(
        &self,
        state: &mut AlertState,
        (row, record): (&Row, &Record<'_>),
        past: &mut Past,
        room: usize,
    ) -> Result<Vec<FoundEvents>, Error> {
        let is_own = record.event.action.starts_with(OWN_ACTIONS);
        if matches!(self.looks_for, LooksFor::Nothing) || is_own || !self.filter.matches(record) {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for case in self.cases(row, record, past)? {
            let has_room = found.len() < room;
            found.extend(self.count(state, row, case, has_room));
        }
        self.forget(state, row.received_at.millis());
        Ok(found)
    }

    /// Where an event is counted.
    fn cases(&self, row: &Row, record: &Record<'_>, past: &mut Past) -> Result<Vec<Case>, Error> {
        let all = |group| Case { group, value: None };
        Ok(match &self.looks_for {
            LooksFor::Nothing => Vec::new(),
            LooksFor::Any | LooksFor::Threshold { by: None, .. } => vec![all(None)],
            LooksFor::Threshold { by: Some(field), .. } => {
                let groups = values(record, field).into_iter();
                groups.map(|group| all(Some(group))).collect()
            }
            LooksFor::FirstSeen(field) => {
                let Some(actor) = values(record, &Field::Actor).into_iter().next() else {
                    return Ok(Vec::new());
                };
                for value in values(record, field) {
                    if past.is_new(&actor, field, &value, row.sequence)? {
                        let (group, value) = (Some(actor), Some(value));
                        return Ok(vec![Case { group, value }]);
                    }
                }
                Vec::new()
            }
        })
    }

    /// Counts an event in its group; what is to be told when that makes the alert fire.
    fn count(&self, state: &mut AlertState, row: &Row, case: Case, has_room: bool) -> Option<FoundEvents> {
        let group = state.groups.entry(case.group.clone().unwrap_or_default()).or_default();
        let now = AlertMatch {
            sequence: row.sequence,
            received_at: row.received_at.millis(),
            occurred_at: row.occurred_at.millis(),
        };
        group.seen_at = now.received_at;
        let is_cause = match &self.looks_for {
            LooksFor::Threshold { count, window_ms, .. } => {
                let begin = now.received_at - window_ms;
                let over = group.recent.partition_point(|other| other.received_at < begin);
                group
                    .recent
                    .drain(..over.max((group.recent.len() + 1).saturating_sub(*count)));
                group.recent.push(now);
                group.recent.len() == *count
            }
            _ => {
                group.recent = vec![now];
                true
            }
        };
        if is_cause && !has_room {
            group.quiet_until = group.quiet_until.max(now.received_at + 1);
        }
        if now.received_at < group.quiet_until {
            group.untold += 1;
            let since = group.untold_since.unwrap_or(now.occurred_at);
            group.untold_since = Some(since.min(now.occurred_at));
            return None;
        }
        is_cause.then(|| self.fire(group, now, case))
    }

    fn fire(&self, group: &mut AlertGroup, last: AlertMatch, case: Case) -> FoundEvents {
        let counted = std::mem::take(&mut group.recent);
        let already = counted.iter().filter(|one| one.received_at < group.quiet_until).count();
        let occurred = counted.iter().map(|one| one.occurred_at).chain(group.untold_since);
        let found = FoundEvents {
            count: counted.len() as u64,
            meanwhile: group.untold.saturating_sub(already as u64),
            group: case.group,
            value: case.value,
            sequences: (
                counted.first().map_or(last.sequence, |first| first.sequence),
                last.sequence,
            ),
            occurred: (
                occurred.clone().min().unwrap_or(last.occurred_at),
                occurred.max().unwrap_or(last.occurred_at),
            ),
        };
        group.untold = 0;
        group.untold_since = None;
        group.quiet_until = last.received_at + self.quiet_ms;
        found
    }

    /// Lets go of groups when there are too many: first of those that do not matter any more, then of those with the fewest
    /// events, and of these the ones that were not seen for longest. Groups that are quiet stay longest.
    fn forget(&self, state: &mut AlertState, now: i64) {
        let (window_ms, count) = match &self.looks_for {
            LooksFor::Threshold { count, window_ms, .. } => (*window_ms, *count),
            _ => (0, 1),
        };
        let groups_max = (MATCHES_MAX / count).min(GROUPS_MAX);
        if state.groups.len() <= groups_max {
            return;
        }
        let counts = |group: &AlertGroup| {
            let newest = group.recent.last();
            window_ms > 0 && newest.is_some_and(|newest| newest.received_at >= now - window_ms)
        };
        state
            .groups
            .retain(|_, group| group.quiet_until > now || group.untold > 0 || counts(group));
        let keep = groups_max - groups_max / 10;
        if state.groups.len() <= keep {
            return;
        }
        let rank = |group: &AlertGroup| (group.quiet_until > now, group.recent.len(), group.seen_at);
        let mut ranked: Vec<_> = state
            .groups
            .iter()
            .map(|(name, group)| (rank(group), name.clone()))
            .collect();
        ranked.sort_unstable();
        for (_, name) in &ranked[..ranked.len() - keep] {
            state.groups.remove(name);
        }
    }
}

fn field_of(by: Grouping) -> Field {
    match by {
        Grouping::Actor => Field::Actor,
        Grouping::Ip => Field::Ip,
        Grouping::Target => Field::Target,
    }
}

/// The values that facets count, each once.
fn values(record: &Record<'_>, field: &Field) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    facet_values(record, field, &mut |value, _| {
        values.insert(value.to_owned());
    });
    values
}
