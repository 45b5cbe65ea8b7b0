//! Saved views among the records.

use super::{Change, Directory};
use crate::records::{OwnerKind, SavedView, ViewOwner};

impl Directory {
    /// Removes the private views of somebody who is gone: nobody else sees them. What they shared stays with the others.
    pub fn remove_private_views(&self, change: &mut Change, kind: OwnerKind, id: &str) {
        let gone = ViewOwner {
            kind,
            id: id.to_owned(),
        };
        let state = self.state();
        let private = state.views.all().filter(|view| !view.shared && view.owner == gone);
        let ids: Vec<String> = private.map(|view| view.id.clone()).collect();
        drop(state);
        ids.iter().for_each(|id| change.remove::<SavedView>(id));
    }
}
