//! Alerts among the records: whom they may tell, and what goes with one.

use trailbook_ledger::OrganizationKey;

use super::{Change, Directory};
use crate::{
    records::{Alert, AlertHealth, AlertMessage, AlertState, User, UserState, owner},
    rights::Rights,
};

impl Directory {
    /// Whether an address is that of an active user of the organization who may look at it.
    pub fn may_be_told(&self, organization: &OrganizationKey, address: &str) -> bool {
        let policy = self.policy(organization);
        let may = |user: &User| {
            user.email == address
                && user.state == UserState::Active
                && Rights::of(&policy, Some(&user.role), &user.permissions).view
        };
        self.state().users.of(&owner(organization)).any(|user| may(user))
    }

    /// Removes an alert, how far it came and what it still had to tell.
    pub fn remove_alert(&self, change: &mut Change, id: &str) {
        change.remove::<Alert>(id);
        change.remove::<AlertState>(id);
        change.remove::<AlertHealth>(id);
        self.remove_alert_messages(change, id);
    }

    /// Removes what an alert still had to tell.
    pub fn remove_alert_messages(&self, change: &mut Change, id: &str) {
        let messages = self.of::<AlertMessage>(id);
        messages
            .iter()
            .for_each(|message| change.remove::<AlertMessage>(&message.id));
    }
}
