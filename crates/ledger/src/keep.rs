//! The work in the background: sealing, compacting, floors, erasing, sweeping, the lake, each when it is due.
//!
//! Invariants
//! - A job runs on one node at a time, which holds its lease; whoever finds it expired takes over.
//! - A job that fails is tried again later; nothing is lost by that.
//! - A clock that jumped does not expire anything: see [`floors_wait`], and the writer, which refuses commits.
//! - Sealing comes first: while the tail is full, compacting waits, but not for ever.

use std::{
    sync::{PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use trailbook_event::Timestamp;

use crate::{Error, Ledger, inputs::random_bytes};

/// Between two looks at what is due.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Between two looks at what has expired, and at objects to delete.
const LOOK_FOR_EXPIRED_EVERY: Duration = Duration::from_secs(60);
/// Between two looks whether the lease of a job that is due has become free.
const LOOK_FOR_LEASE_EVERY: Duration = Duration::from_secs(2);
/// How long a lease holds; a node that died is followed by another within this time and a look.
pub const LEASE_MS: i64 = 20_000;
/// Segments of the lowest level from which on compacting does not wait for sealing any more: a question looks into each.
const DEBT_MAX: usize = 64;
/// A clock that shows this much more than the newest commit at a start may be wrong …
const DOUBTFUL_MS: i64 = 24 * 3_600_000;
/// … and whoever sees that has so long to set it right before anything expires by it.
const DOUBT_LASTS: Duration = Duration::from_secs(3_600);
/// After a failure.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// A kind of background work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// The tail becomes segments.
    Seal,
    /// Small segments become larger ones.
    Compact,
    /// Redactions are carried out in segments.
    Redact,
    /// Floors move up, what lies below is erased, objects are deleted.
    Expire,
    /// The lake's log gets the versions that it lacks.
    Lake,
}

impl Job {
    /// All jobs.
    pub const ALL: [Job; 5] = [Job::Seal, Job::Compact, Job::Redact, Job::Expire, Job::Lake];

    /// The job's name in leases, logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Job::Seal => "seal",
            Job::Compact => "compact",
            Job::Redact => "redact",
            Job::Expire => "expire",
            Job::Lake => "lake",
        }
    }
}

/// What came of a look at a job.
enum Worked {
    /// Something was done, and there may be more.
    More,
    /// Nothing is due.
    Nothing,
    /// It is due, and another node has it.
    Elsewhere,
}

impl Ledger {
    /// Does the background work of one kind until the ledger closes. To be spawned once for each of [`Job::ALL`].
    pub async fn keep(self, job: Job) {
        let holder = self.new_holder();
        while self.commands().is_ok() {
            let started = Instant::now();
            let measures = &self.inner.shared.measures;
            let pause = match self.work(job, &holder).await {
                Ok(Worked::More) => {
                    measures.jobs[job as usize].observe(started.elapsed());
                    Duration::ZERO
                }
                Ok(Worked::Nothing) if job == Job::Expire => LOOK_FOR_EXPIRED_EVERY,
                Ok(Worked::Nothing) => LOOK_EVERY,
                Ok(Worked::Elsewhere) => LOOK_FOR_LEASE_EVERY,
                Err(Error::Refused { .. }) => TRY_AGAIN_AFTER,
                Err(Error::Conflict { detail }) => {
                    tracing::info!(
                        detail,
                        job = job.name(),
                        "another node was faster; what this one did is not used"
                    );
                    TRY_AGAIN_AFTER
                }
                Err(error) => {
                    measures.job_failures[job as usize].fetch_add(1, Ordering::Relaxed);
                    tracing::error!(%error, job = job.name(), "a job failed and will be tried again");
                    TRY_AGAIN_AFTER
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Does one piece of work if it is due.
    async fn work(&self, job: Job, holder: &str) -> Result<Worked, Error> {
        if !self.is_due(job) {
            return Ok(Worked::Nothing);
        }
        if !self.lease(job.name(), holder).await? {
            return Ok(Worked::Elsewhere);
        }
        let is_more = tokio::select! {
            done = self.work_leased(job) => done?,
            () = self.renew(job, holder) => false,
        };
        Ok(if is_more { Worked::More } else { Worked::Nothing })
    }

    /// Keeps the lease of a job while it is worked on. That it is lost does no harm: what the job commits is refused when another node was
    /// faster.
    async fn renew(&self, job: Job, holder: &str) {
        loop {
            tokio::time::sleep(Duration::from_millis(LEASE_MS as u64 / 3)).await;
            if let Err(error) = self.lease(job.name(), holder).await {
                tracing::warn!(%error, job = job.name(), "a lease could not be renewed");
            }
        }
    }

    /// Does one piece of work; `true` when there may be more.
    async fn work_leased(&self, job: Job) -> Result<bool, Error> {
        match job {
            Job::Seal => Ok(self.seal().await?.is_some()),
            Job::Compact => Ok(self.compact().await?.is_some()),
            Job::Redact => self.carry_out_redactions().await,
            Job::Lake => self.write_lake().await,
            Job::Expire => {
                if !self.doubts_clock() {
                    self.advance_floors().await?;
                }
                while self.expire().await? {}
                self.sweep().await?;
                // Something expires at every moment; the next look comes after a while.
                Ok(false)
            }
        }
    }

    /// Whether the clock may be wrong, so that nothing expires by it yet: see [`floors_wait`].
    pub(crate) fn doubts_clock(&self) -> bool {
        let shared = &self.inner.shared;
        shared.clock.monotonic() < shared.floors_from
    }

    /// Whether a look at what is in memory says that there is something to do.
    fn is_due(&self, job: Job) -> bool {
        let shared = &self.inner.shared;
        match job {
            Job::Seal => {
                let age = shared
                    .tail_commits
                    .oldest()
                    .map(|oldest| shared.clock.now().millis() - oldest.millis());
                self.is_tail_full() || age.is_some_and(|age| age >= shared.limits.seal_age_ms)
            }
            Job::Redact => !shared.history.overlaid().is_empty(),
            Job::Compact => (!self.is_tail_full() || self.debt() >= DEBT_MAX) && self.to_compact().is_some(),
            Job::Expire => true,
            Job::Lake => self.is_lake_behind(),
        }
    }

    /// Segments of the lowest level.
    fn debt(&self) -> usize {
        let manifest = self.inner.shared.history.manifest();
        manifest.segments().filter(|segment| segment.level == 0).count()
    }

    /// Takes or renews the lease of a piece of work that one process at a time may do; `false` when another holder has it. It holds
    /// for [`LEASE_MS`]. `holder` is drawn by whoever works, and is nobody else's.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub async fn lease(&self, work: &str, holder: &str) -> Result<bool, Error> {
        let shared = &self.inner.shared;
        let now = shared.clock.now().millis();
        let leased = shared
            .database
            .lease(work.to_owned(), holder.to_owned(), now, now + LEASE_MS)
            .await;
        let leased = leased.map_err(|error| Error::storage("lease a job", error))?;
        if leased {
            // Whoever works knows what the holder before committed.
            self.catch_up().await?;
        }
        Ok(leased)
    }

    /// A name for [`Ledger::lease`]. What is held under it is given back when the ledger closes.
    pub fn new_holder(&self) -> String {
        let drawn = random_bytes::<8>(&*self.inner.shared.random);
        let holder: String = drawn.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut holders = self.inner.shared.holders.lock().unwrap_or_else(PoisonError::into_inner);
        holders.push(holder.clone());
        holder
    }
}

/// How long floors wait after a start at `now`: what has expired by a wrong clock does not come back.
pub(crate) fn floors_wait(now: Timestamp, committed_at: i64) -> Duration {
    if now.millis() - committed_at > DOUBTFUL_MS {
        DOUBT_LASTS
    } else {
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floors_wait_after_a_start_with_a_clock_far_ahead_of_the_newest_commit() {
        let committed_at = 1_790_000_000_000;
        let wait = |later: i64| floors_wait(Timestamp::from_millis(committed_at + later), committed_at);
        assert_eq!(wait(-60_000), Duration::ZERO);
        assert_eq!(wait(DOUBTFUL_MS), Duration::ZERO);
        assert_eq!(wait(DOUBTFUL_MS + 1), DOUBT_LASTS);
    }
}
