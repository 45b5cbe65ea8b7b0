//! Pins: while one holds, no object is deleted, so that a backup finds everything that its database names.
//!
//! A pin ends by itself: a backup that was killed holds nothing up for long.

use crate::{
    Error, Ledger,
    database::{Change, StoredPin},
};

impl Ledger {
    /// From now on no object is deleted, for some milliseconds or until the pin is taken out; the same name again begins anew.
    /// Answers until when it holds, milliseconds.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub async fn pin(&self, name: &str, holds_ms: i64) -> Result<i64, Error> {
        let until = self.inner.shared.clock.now().millis() + holds_ms;
        let pin = StoredPin {
            name: name.to_owned(),
            until,
        };
        self.change(vec![Change::Pin(pin)].into()).await?;
        Ok(until)
    }

    /// Takes a pin out; that there is none is no error.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub async fn unpin(&self, name: &str) -> Result<(), Error> {
        self.change(vec![Change::Unpin { name: name.to_owned() }].into())
            .await
            .map(drop)
    }
}
