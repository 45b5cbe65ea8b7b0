//! What a run measured, as one JSON line.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::{Target, process, stages::Reading};

/// Acknowledgements and when they happened.
pub(crate) struct Timed {
    started: Instant,
    ended: Instant,
    /// Times from sending to the last byte of the answer, in microseconds.
    acknowledgements: Histogram<u64>,
    events: u64,
    /// Tries that the server refused because it was at a limit.
    refused: u64,
}

impl Timed {
    /// The clock starts now.
    pub(crate) fn starting() -> anyhow::Result<Self> {
        let now = Instant::now();
        Ok(Self {
            started: now,
            ended: now,
            acknowledgements: Histogram::new(3)?,
            events: 0,
            refused: 0,
        })
    }

    /// An answer is complete.
    pub(crate) fn acknowledged(&mut self, sent: Instant) -> anyhow::Result<()> {
        self.ended = Instant::now();
        self.acknowledgements.record((self.ended - sent).as_micros() as u64)?;
        Ok(())
    }

    /// The server was at a limit; the request will be sent again.
    pub(crate) fn waited(&mut self) {
        self.refused += 1;
    }

    /// Answers so far.
    pub(crate) fn requests(&self) -> u64 {
        self.acknowledgements.len()
    }

    /// Several connections as one run: from the first start to the last end.
    pub(crate) fn together(parts: Vec<Self>, events_per_request: u64) -> anyhow::Result<Self> {
        let mut all = Self::starting()?;
        for part in parts {
            all.started = all.started.min(part.started);
            all.ended = all.ended.max(part.ended);
            all.acknowledgements.add(&part.acknowledgements)?;
            all.refused += part.refused;
        }
        all.events = all.requests() * events_per_request;
        Ok(all)
    }

    fn duration(&self) -> Duration {
        self.ended - self.started
    }
}

/// Runs the load between two looks at both processes and, if asked for, at the server's measures.
pub(crate) fn measured(target: &Target, load: impl FnOnce() -> anyhow::Result<Timed>) -> anyhow::Result<Value> {
    let own = std::process::id();
    let cpu = || -> anyhow::Result<_> {
        Ok((
            process::cpu_seconds(own)?,
            target.pid.map(process::cpu_seconds).transpose()?,
        ))
    };
    let reading = || target.stages.then(|| Reading::take(target)).transpose();
    let earlier = reading()?;
    let (client_before, server_before) = cpu()?;
    let timed = load()?;
    let (client_after, server_after) = cpu()?;
    let later = reading()?;
    let memory = |name| target.pid.map(|pid| process::memory_bytes(pid, name)).transpose();
    let seconds = timed.duration().as_secs_f64();
    let at = |quantile| timed.acknowledgements.value_at_quantile(quantile) as f64 / 1e3;
    Ok(json!({
        "events": timed.events,
        "seconds": seconds,
        "events_per_second": timed.events as f64 / seconds,
        "requests_per_second": timed.requests() as f64 / seconds,
        "acknowledgement_ms": {"p50": at(0.50), "p95": at(0.95), "p99": at(0.99), "max": timed.acknowledgements.max() as f64 / 1e3},
        "refused": timed.refused,
        "client_cpu_seconds": client_after - client_before,
        "server_cpu_seconds": server_after.zip(server_before).map(|(after, before)| after - before),
        "server_rss_peak_bytes": memory("VmHWM")?,
        "server_rss_anonymous_bytes": memory("RssAnon")?,
        "stages": later.zip(earlier).map(|(later, earlier)| later.since(&earlier)),
    }))
}
