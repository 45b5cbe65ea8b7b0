//! The right to work for the alerts of an organization, which one process at a time has.

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::time::timeout;
use trailbook_ledger::{LEASE_MS, OrganizationKey};

use super::Alerts;
use crate::Error;

/// How often it is looked after while something takes its time.
const RENEWED_EVERY: Duration = Duration::from_secs(5);

/// The lease of an organization's alerts.
pub(super) struct Lease {
    of: Arc<Alerts>,
    work: String,
    /// Until when this process has it, milliseconds.
    until: i64,
}

impl Lease {
    /// The lease of an organization, not taken yet.
    pub(super) fn new(of: Arc<Alerts>, organization: &OrganizationKey) -> Self {
        Self {
            work: format!("alerts {organization}"),
            of,
            until: 0,
        }
    }

    /// Takes the lease, or renews it when half of it is over; `false` when another process has it.
    pub(super) async fn take(&mut self) -> Result<bool, Error> {
        let now = self.of.clock.now().millis();
        if now < self.until - LEASE_MS / 2 {
            return Ok(true);
        }
        let is_ours = self.of.ledger.lease(&self.work, &self.of.holder).await?;
        self.until = if is_ours { now + LEASE_MS } else { 0 };
        Ok(is_ours)
    }

    /// Waits for work and keeps the lease meanwhile; without it the work is dropped, and `None` comes of it.
    pub(super) async fn during<T>(&mut self, work: impl Future<Output = T>) -> Result<Option<T>, Error> {
        let mut work = pin!(work);
        loop {
            match timeout(RENEWED_EVERY, &mut work).await {
                Ok(done) => return Ok(Some(done)),
                Err(_) if self.take().await? => {}
                Err(_) => return Ok(None),
            }
        }
    }
}
