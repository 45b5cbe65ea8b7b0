//! How long an organization's events are kept, as of a moment.

use crate::database::StoredRetention;

/// Milliseconds of a day.
pub const DAY_MS: i64 = 24 * 3_600_000;
/// How long a shortening waits before it takes effect.
pub(crate) const SHORTENING_WAITS_MS: i64 = 7 * DAY_MS;

/// How long an organization's events are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Days; `None` is for ever.
    pub days: Option<u32>,
    /// Whether nothing may expire.
    pub legal_hold: bool,
    /// A shortening that waits: days, and from when on (milliseconds).
    pub pending: Option<(u32, i64)>,
}

impl Retention {
    /// The organization's own retention, or the deployment's.
    pub(crate) fn of(stored: Option<&StoredRetention>, default_days: Option<u32>) -> Self {
        stored.map_or(
            Self {
                days: default_days,
                ..Self::default()
            },
            |stored| Self {
                days: stored.days,
                legal_hold: stored.legal_hold,
                pending: stored.pending.map(|pending| (pending.days, pending.at)),
            },
        )
    }

    /// The days in force at a moment, a legal hold aside.
    pub fn days_at(&self, now: i64) -> Option<u32> {
        match self.pending {
            Some((days, at)) if at <= now => Some(days),
            _ => self.days,
        }
    }

    /// When an event that was received at a moment expires by what is in force now; `None` when it does not. Milliseconds.
    pub fn expires_at(&self, received_at: i64, now: i64) -> Option<i64> {
        let days = self.days_at(now).filter(|_| !self.legal_hold)?;
        Some(received_at.saturating_add(i64::from(days) * DAY_MS))
    }

    /// The retention after somebody asks for other days: longer at once, shorter after a wait in which it can be taken back by asking for
    /// the old days again.
    #[must_use]
    pub fn changed_to(&self, days: Option<u32>, legal_hold: bool, now: i64) -> Self {
        let current = self.days_at(now);
        let shorter = days.filter(|wanted| current.is_none_or(|current| *wanted < current));
        match shorter {
            Some(wanted) => Self {
                days: current,
                legal_hold,
                pending: match self.pending {
                    // Asked for before: the wait does not begin again.
                    Some((waiting, at)) if waiting == wanted && at > now => Some((waiting, at)),
                    _ => Some((wanted, now + SHORTENING_WAITS_MS)),
                },
            },
            None => Self {
                days,
                legal_hold,
                pending: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    #[test]
    fn a_shortening_waits_seven_days_and_can_be_taken_back() {
        let year = Retention {
            days: Some(365),
            ..Retention::default()
        };
        let asked = year.changed_to(Some(30), false, NOW);
        assert_eq!(asked.days_at(NOW), Some(365));
        assert_eq!(asked.days_at(NOW + SHORTENING_WAITS_MS - 1), Some(365));
        assert_eq!(asked.days_at(NOW + SHORTENING_WAITS_MS), Some(30));
        assert_eq!(
            asked.changed_to(Some(30), false, NOW + DAY_MS),
            asked,
            "asking again does not begin anew"
        );
        assert_eq!(asked.changed_to(Some(365), false, NOW + DAY_MS), year);
        let forever = Retention::default().changed_to(Some(30), false, NOW);
        assert_eq!(
            (forever.days_at(NOW), forever.days_at(NOW + SHORTENING_WAITS_MS)),
            (None, Some(30))
        );
    }

    #[test]
    fn a_longer_one_acts_at_once_and_a_hold_stops_everything() {
        let month = Retention {
            days: Some(30),
            ..Retention::default()
        };
        assert_eq!(month.changed_to(Some(60), false, NOW).days_at(NOW), Some(60));
        assert_eq!(month.changed_to(None, false, NOW).days_at(NOW), None);
        assert_eq!(month.expires_at(0, NOW), Some(30 * DAY_MS));
        assert_eq!(month.changed_to(Some(30), true, NOW).expires_at(0, NOW), None);
    }

    #[test]
    fn a_shortening_in_force_is_what_a_later_change_starts_from() {
        let later = NOW + SHORTENING_WAITS_MS;
        let shortened = Retention::default().changed_to(Some(30), false, NOW);
        assert_eq!(shortened.changed_to(Some(60), false, later).days_at(later), Some(60));
        let again = shortened.changed_to(Some(10), false, later);
        assert_eq!((again.days, again.days_at(later)), (Some(30), Some(30)));
    }
}
