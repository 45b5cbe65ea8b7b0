//! Streams among the records: what belongs to one goes with it.

use super::{Change, Directory, Kind};
use crate::records::{ParkedEvent, Stream, StreamHealth, StreamPosition};

impl Directory {
    /// Removes a stream, how far it came and what is parked.
    pub fn remove_stream(&self, change: &mut Change, id: &str) {
        change.remove::<Stream>(id);
        change.remove::<StreamHealth>(id);
        let positions = self.of::<StreamPosition>(id);
        positions
            .iter()
            .for_each(|position| change.remove::<StreamPosition>(&position.id()));
        let parked = self.of::<ParkedEvent>(id);
        parked
            .iter()
            .for_each(|event| change.remove::<ParkedEvent>(&event.id()));
    }
}
