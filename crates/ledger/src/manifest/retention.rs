//! How long events are kept as of a moment: what was set for the organization, else for its project, else for the deployment.
//! Trailbook's own organization has no project above it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    RetentionScope,
    database::{PendingRetention, StoredRetention},
};

/// Milliseconds of a day.
pub const DAY_MS: i64 = 24 * 3_600_000;
/// How long a shortening waits before it takes effect.
const SHORTENING_WAITS_MS: i64 = 7 * DAY_MS;

/// How long events are kept, as of the moment that somebody asked and up to the next change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Days; `None` is for ever.
    pub days: Option<u32>,
    /// Whether nothing may expire.
    pub legal_hold: bool,
    /// What waits, whatever scope it was set for: days, and from when on (milliseconds).
    pub pending: Option<(Option<u32>, i64)>,
}

impl Retention {
    /// The days in force at a moment, a legal hold aside.
    pub fn days_at(&self, now: i64) -> Option<u32> {
        match self.pending {
            Some((days, at)) if at <= now => days,
            _ => self.days,
        }
    }

    /// When an event that was received at a moment expires by what is in force now; `None` when it does not. Milliseconds.
    pub fn expires_at(&self, received_at: i64, now: i64) -> Option<i64> {
        let days = self.days_at(now).filter(|_| !self.legal_hold)?;
        Some(received_at.saturating_add(i64::from(days) * DAY_MS))
    }
}

/// How long events of a scope are to be kept. It takes the place of what was set for the scope before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionChange {
    /// Of what.
    pub scope: RetentionScope,
    /// `None`: as in the scope above; `Some(None)`: for ever; otherwise days.
    pub days: Option<Option<u32>>,
    /// Whether nothing may expire; `None`: as in the scope above.
    pub legal_hold: Option<bool>,
}

/// What was set for all scopes.
#[derive(Clone)]
pub(crate) struct Retentions {
    set: Arc<BTreeMap<RetentionScope, StoredRetention>>,
    /// The deployment's.
    default_days: Option<u32>,
}

impl Retentions {
    pub(crate) fn new(stored: &[StoredRetention], default_days: Option<u32>) -> Self {
        let set = stored.iter().map(|stored| (stored.scope.clone(), stored.clone()));
        Self {
            set: Arc::new(set.collect()),
            default_days,
        }
    }

    pub(crate) fn set(&mut self, stored: &StoredRetention) {
        Arc::make_mut(&mut self.set).insert(stored.scope.clone(), stored.clone());
    }

    /// What was set for a scope, in force or waiting.
    pub(crate) fn own(&self, scope: &RetentionScope) -> Option<&StoredRetention> {
        self.set.get(scope)
    }

    /// What a scope comes to.
    pub(crate) fn effective(&self, scope: &RetentionScope, now: i64) -> Retention {
        let above = scope.above();
        let layers = [self.own(scope), above.as_ref().and_then(|above| self.own(above))];
        let layers = || layers.into_iter().flatten();
        let days_at = |moment| {
            let set = layers().find_map(|layer| layer.days_at(moment));
            set.unwrap_or(self.default_days)
        };
        let days = days_at(now);
        let moments: BTreeSet<i64> = layers().filter_map(|layer| Some(layer.pending?.at)).collect();
        let mut later = moments
            .range(now.saturating_add(1)..)
            .map(|moment| (days_at(*moment), *moment));
        Retention {
            days,
            legal_hold: layers().find_map(|layer| layer.legal_hold).unwrap_or_default(),
            pending: later.find(|(then, _)| *then != days),
        }
    }

    /// What is set for a scope after a change: longer at once, shorter after a wait in which asking for the old days takes it back. Where
    /// nothing was ever stored nothing waits.
    pub(crate) fn changed(&self, change: &RetentionChange, now: i64, has_events: bool) -> StoredRetention {
        let above = match change.scope.above() {
            Some(above) => self.effective(&above, now),
            None => Retention {
                days: self.default_days,
                ..Retention::default()
            },
        };
        // What waits in the scope above counts: else going back to that were a way round the wait.
        let lowest = above
            .pending
            .map_or(above.days, |(days, _)| shorter_of(days, above.days));
        let own = self.own(&change.scope);
        let days = own.and_then(|own| own.days_at(now));
        let is_shorter = change.days != days && is_shorter(change.days.unwrap_or(lowest), days.unwrap_or(above.days));
        let (days, pending) = if is_shorter && has_events {
            // Asked for before: the wait does not begin again.
            let waiting = own.and_then(|own| own.pending);
            let waiting = waiting.filter(|waiting| waiting.days == change.days && waiting.at > now);
            let at = waiting.map_or(now + SHORTENING_WAITS_MS, |waiting| waiting.at);
            (days, Some(PendingRetention { days: change.days, at }))
        } else {
            (change.days, None)
        };
        StoredRetention {
            scope: change.scope.clone(),
            days,
            legal_hold: change.legal_hold,
            pending,
        }
    }
}

/// `None` is for ever.
fn is_shorter(days: Option<u32>, than: Option<u32>) -> bool {
    days.is_some_and(|days| than.is_none_or(|than| days < than))
}

fn shorter_of(one: Option<u32>, other: Option<u32>) -> Option<u32> {
    if is_shorter(one, other) { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OrganizationKey;

    const NOW: i64 = 1_800_000_000_000;
    const FOR_EVER: Option<Option<u32>> = Some(None);

    fn acme() -> RetentionScope {
        RetentionScope::Organization(OrganizationKey::new("default", "acme"))
    }

    fn project() -> RetentionScope {
        RetentionScope::Project("default".into())
    }

    /// What was set for scopes of a deployment, all of which have events.
    struct Set(Retentions);

    impl Set {
        fn of_deployment(days: Option<u32>) -> Self {
            Self(Retentions::new(&[], days))
        }

        fn change(
            &mut self,
            scope: RetentionScope,
            days: Option<Option<u32>>,
            legal_hold: Option<bool>,
            now: i64,
        ) -> &mut Self {
            let change = RetentionChange {
                scope,
                days,
                legal_hold,
            };
            let stored = self.0.changed(&change, now, true);
            self.0.set(&stored);
            self
        }

        fn days(&mut self, scope: RetentionScope, days: Option<Option<u32>>, now: i64) -> &mut Self {
            self.change(scope, days, None, now)
        }

        fn acme(&self, now: i64) -> Retention {
            self.0.effective(&acme(), now)
        }
    }

    #[test]
    fn a_shortening_waits_seven_days_and_can_be_taken_back() {
        let mut set = Set::of_deployment(None);
        set.days(acme(), Some(Some(365)), NOW - 10 * DAY_MS);
        set.days(acme(), Some(Some(30)), NOW);
        let waits = Retention {
            days: Some(365),
            legal_hold: false,
            pending: Some((Some(30), NOW + SHORTENING_WAITS_MS)),
        };
        assert_eq!(set.acme(NOW), waits);
        assert_eq!(waits.days_at(NOW + SHORTENING_WAITS_MS), Some(30));
        assert_eq!(set.acme(NOW + SHORTENING_WAITS_MS - 1).days, Some(365));
        let in_force = set.acme(NOW + SHORTENING_WAITS_MS);
        assert_eq!((in_force.days, in_force.pending), (Some(30), None));
        set.days(acme(), Some(Some(30)), NOW + DAY_MS);
        assert_eq!(set.acme(NOW + DAY_MS), waits, "asking again does not begin anew");
        set.days(acme(), Some(Some(365)), NOW + DAY_MS);
        let back = set.acme(NOW + DAY_MS);
        assert_eq!((back.days, back.pending), (Some(365), None));
    }

    #[test]
    fn a_shortening_in_force_is_what_a_later_change_starts_from() {
        let mut set = Set::of_deployment(None);
        set.days(acme(), Some(Some(30)), NOW);
        let later = NOW + SHORTENING_WAITS_MS;
        set.days(acme(), Some(Some(10)), later);
        assert_eq!(set.acme(later).days, Some(30));
        assert_eq!(set.acme(later).pending, Some((Some(10), later + SHORTENING_WAITS_MS)));
        set.days(acme(), Some(Some(60)), later);
        assert_eq!((set.acme(later).days, set.acme(later).pending), (Some(60), None));
    }

    #[test]
    fn what_an_organization_does_not_say_is_its_projects_and_else_the_deployments() {
        let mut set = Set::of_deployment(Some(10));
        assert_eq!(set.acme(NOW).days, Some(10));
        set.change(project(), Some(Some(90)), Some(true), NOW);
        assert_eq!((set.acme(NOW).days, set.acme(NOW).legal_hold), (Some(90), true));
        set.change(acme(), FOR_EVER, Some(false), NOW);
        assert_eq!((set.acme(NOW).days, set.acme(NOW).legal_hold), (None, false));
        let other = RetentionScope::Organization(OrganizationKey::new("other", "acme"));
        assert_eq!(set.0.effective(&other, NOW).days, Some(10));
    }

    #[test]
    fn trailbooks_own_acts_are_kept_as_the_deployment_says_whatever_the_project_does() {
        let system = RetentionScope::Organization(OrganizationKey::new("default", "_system"));
        let mut set = Set::of_deployment(Some(3650));
        set.change(project(), Some(Some(30)), Some(true), NOW - 30 * DAY_MS);
        let of_deployment = Retention {
            days: Some(3650),
            ..Retention::default()
        };
        assert_eq!(set.0.effective(&system, NOW), of_deployment);
        set.days(project(), Some(Some(5)), NOW);
        assert_eq!(
            set.0.effective(&system, NOW).pending,
            None,
            "no shortening of the project waits"
        );
        set.change(system.clone(), Some(Some(4000)), Some(true), NOW);
        let own = set.0.effective(&system, NOW);
        assert_eq!((own.days, own.legal_hold), (Some(4000), true), "its own counts");
        set.days(system.clone(), None, NOW);
        let pending = Some((Some(3650), NOW + SHORTENING_WAITS_MS));
        assert_eq!(
            set.0.effective(&system, NOW).pending,
            pending,
            "back to the deployment's"
        );
    }

    #[test]
    fn a_projects_shortening_waits_for_those_that_inherit_it_and_leaves_the_others() {
        let mut set = Set::of_deployment(None);
        set.days(acme(), Some(Some(400)), NOW - 30 * DAY_MS);
        set.days(project(), Some(Some(90)), NOW);
        let bolt = RetentionScope::Organization(OrganizationKey::new("default", "bolt"));
        let pending = Some((Some(90), NOW + SHORTENING_WAITS_MS));
        assert_eq!(set.0.effective(&bolt, NOW).pending, pending);
        assert_eq!(set.0.effective(&project(), NOW).pending, pending);
        assert_eq!(set.acme(NOW).pending, None, "its own days stay");
    }

    #[test]
    fn going_back_to_what_is_shorter_above_waits_as_well_even_when_it_is_to_be_so_only_later() {
        let mut set = Set::of_deployment(Some(30));
        set.days(acme(), Some(Some(365)), NOW).days(acme(), None, NOW);
        assert_eq!(
            (set.acme(NOW).days, set.acme(NOW).pending),
            (Some(365), Some((Some(30), NOW + SHORTENING_WAITS_MS)))
        );
        let mut set = Set::of_deployment(None);
        set.days(acme(), Some(Some(365)), NOW - 30 * DAY_MS);
        set.days(project(), Some(Some(5)), NOW - 6 * DAY_MS);
        set.days(acme(), None, NOW);
        assert_eq!(
            set.acme(NOW + DAY_MS).days,
            Some(365),
            "the project's five days are in force"
        );
        assert_eq!(set.acme(NOW + SHORTENING_WAITS_MS).days, Some(5));
    }

    #[test]
    fn where_nothing_was_ever_stored_nothing_waits() {
        let retentions = Retentions::new(&[], None);
        let change = RetentionChange {
            scope: acme(),
            days: Some(Some(1)),
            legal_hold: None,
        };
        let stored = retentions.changed(&change, NOW, false);
        assert_eq!((stored.days, stored.pending), (Some(Some(1)), None));
    }

    #[test]
    fn a_hold_stops_everything_and_says_nothing_of_days() {
        let mut set = Set::of_deployment(Some(30));
        assert_eq!(set.acme(NOW).expires_at(0, NOW), Some(30 * DAY_MS));
        set.change(acme(), None, Some(true), NOW);
        assert_eq!((set.acme(NOW).days, set.acme(NOW).expires_at(0, NOW)), (Some(30), None));
        set.change(acme(), None, None, NOW);
        assert_eq!(set.acme(NOW).expires_at(0, NOW), Some(30 * DAY_MS));
    }
}
