//! What `/metrics` tells, in the OpenMetrics text format. No label names an organization, a project or a key.

mod deliveries;

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet, text::encode},
    metrics::{
        MetricType,
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
        info::Info,
    },
    registry::{Registry, Unit},
};
use trailbook_access::{Directory, People};
use trailbook_deliver::stream::Streams;
use trailbook_ledger::{BUCKETS_MS, Durations, Job, Ledger, Stage};
use trailbook_query::Engine;

use self::deliveries::{OfExports, OfStreams};
use crate::mail::Post;

/// Upper bounds of the duration buckets, in seconds.
const BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

/// A group of routes, told apart by the path alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    /// `/v1/events…`
    Ingest,
    /// Files.
    Export,
    /// Checkpoints, proofs and tiles.
    Proof,
    /// Everything else under `/v1/`.
    Read,
    /// The page, the description of the API, health.
    Public,
}

impl Surface {
    const ALL: [Surface; 5] = [
        Surface::Ingest,
        Surface::Export,
        Surface::Proof,
        Surface::Read,
        Surface::Public,
    ];

    /// The group that a path belongs to.
    pub(crate) fn of(path: &str) -> Self {
        if path.starts_with("/v1/events") {
            return Self::Ingest;
        }
        let Some((_, below)) = path
            .strip_prefix("/v1/organizations/")
            .and_then(|rest| rest.split_once('/'))
        else {
            return if path.starts_with("/v1/") {
                Self::Read
            } else {
                Self::Public
            };
        };
        match below {
            file if file.starts_with("events.") => Self::Export,
            proof if proof.starts_with("checkpoint") || proof.starts_with("tlog/") || proof == "consistency" => {
                Self::Proof
            }
            proof if proof.ends_with("/proof") => Self::Proof,
            _ => Self::Read,
        }
    }

    /// The group's name in labels and logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Export => "export",
            Self::Proof => "proof",
            Self::Read => "read",
            Self::Public => "public",
        }
    }
}

/// The answers of one surface, by the first digit of their status.
struct Answers {
    by_class: [Counter; CLASSES.len()],
    seconds: Histogram,
}

const CLASSES: [&str; 6] = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"];

type Requests = Family<[(&'static str, &'static str); 2], Counter>;
type Seconds = Family<[(&'static str, &'static str); 1], Histogram>;

/// The server's measures. All only grow, but the gauges.
pub(crate) struct Measures {
    registry: Registry,
    surfaces: [Answers; Surface::ALL.len()],
    panics: Counter,
    /// Acts of readers that could not be recorded.
    pub(crate) unrecorded: Counter,
    questions: Seconds,
    /// Events stored.
    pub(crate) accepted: Counter,
    /// Events recognised as stored before.
    pub(crate) duplicates: Counter,
    /// Connections open now.
    pub(crate) connections: Gauge,
    /// Live feeds open now.
    pub(crate) live: Gauge,
}

impl Measures {
    /// All at zero, but those of the ledger.
    pub(crate) fn new(
        ledger: Ledger,
        engine: Engine,
        people: Arc<People>,
        (directory, streams): (Arc<Directory>, Arc<Streams>),
        post: &Post,
    ) -> Self {
        let mut registry = Registry::with_prefix("trailbook");
        registry.register_collector(Box::new(OfLedger(ledger)));
        registry.register_collector(Box::new(OfCaches(engine)));
        registry.register_collector(Box::new(OfPeople(people)));
        registry.register_collector(Box::new(OfStreams(streams)));
        registry.register_collector(Box::new(OfExports(directory)));
        registry.register("letters_sent", "Letters that the mail server took", post.sent.clone());
        registry.register("letters_failed", "Letters that were given up", post.failed.clone());
        registry.register(
            "build",
            "The running binary",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        let (requests, seconds) = (
            Requests::default(),
            Seconds::new_with_constructor(|| Histogram::new(BUCKETS)),
        );
        registry.register("requests", "Requests answered", requests.clone());
        registry.register_with_unit(
            "request",
            "From the header to the answer",
            Unit::Seconds,
            seconds.clone(),
        );
        let questions = Seconds::new_with_constructor(|| Histogram::new(BUCKETS));
        registry.register_with_unit(
            "question",
            "Stages of answering: opening a view, then what is asked of it",
            Unit::Seconds,
            questions.clone(),
        );
        Self {
            questions,
            surfaces: Surface::ALL.map(|surface| Answers::of(surface, &requests, &seconds)),
            unrecorded: counter(
                &mut registry,
                "acts_unrecorded",
                "Reads whose record could not be stored",
            ),
            panics: counter(&mut registry, "panics", "Handlers that panicked"),
            accepted: counter(&mut registry, "events_accepted", "Events stored"),
            duplicates: counter(&mut registry, "events_duplicate", "Events recognised as stored before"),
            connections: gauge(&mut registry, "connections", "Connections open now"),
            live: gauge(&mut registry, "live_connections", "Live feeds open now"),
            registry,
        }
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, surface: Surface, status: StatusCode, took: Duration) {
        let answers = &self.surfaces[surface as usize];
        answers.by_class[usize::from(status.as_u16() / 100).min(5)].inc();
        answers.seconds.observe(took.as_secs_f64());
    }

    /// Does a stage of answering, which may read files, and measures how long it takes.
    pub(crate) fn timed<T>(&self, stage: &'static str, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let answer = tokio::task::block_in_place(work);
        let seconds = self.questions.get_or_create(&[("stage", stage)]);
        seconds.observe(started.elapsed().as_secs_f64());
        answer
    }

    /// Counts a handler that panicked.
    pub(crate) fn panicked(&self) {
        self.panics.inc();
    }

    /// The text of `/metrics`.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Answers {
    fn of(surface: Surface, requests: &Requests, seconds: &Seconds) -> Self {
        let labelled = |class| {
            requests
                .get_or_create(&[("surface", surface.name()), ("status", class)])
                .clone()
        };
        Self {
            by_class: CLASSES.map(labelled),
            seconds: seconds.get_or_create(&[("surface", surface.name())]).clone(),
        }
    }
}

/// The ledger's own measures, read when they are asked for.
struct OfLedger(Ledger);

impl fmt::Debug for OfLedger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OfLedger")
    }
}

impl Collector for OfLedger {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let measures = self.0.measures();
        let tail = [
            ("tail_events", "Events in memory, not yet sealed", &measures.tail_events),
            (
                "tail_bytes",
                "Bytes in memory of events not yet sealed, estimated",
                &measures.tail_bytes,
            ),
        ];
        for (name, help, gauge) in tail {
            let gauge = ConstGauge::new(gauge.load(Ordering::Relaxed));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        encode_cache(&mut encoder, measures)?;
        encode_history(&mut encoder, &self.0)?;
        let help = "Time in the stages of the append path";
        let mut stages = encoder.encode_descriptor("stage", help, Some(&Unit::Seconds), MetricType::Counter)?;
        for stage in Stage::ALL {
            let counter = ConstCounter::new(measures.seconds(stage));
            counter.encode(stages.encode_family(&[("stage", stage.name())])?)?;
        }
        encode_durations(
            &mut encoder,
            "commit",
            "Commits: statements and sync",
            &measures.commits,
        )?;
        encode_durations(
            &mut encoder,
            "wal_checkpoint",
            "The database moving its log",
            &measures.wal_checkpoints,
        )?;
        encode_durations(
            &mut encoder,
            "wal_restart",
            "Those of them that the writer waited for",
            &measures.wal_restarts,
        )
    }
}

/// The cache of a remote store's objects.
fn encode_cache(encoder: &mut DescriptorEncoder<'_>, measures: &trailbook_ledger::Measures) -> Result<(), fmt::Error> {
    let bytes = ConstGauge::new(measures.cache_bytes.load(Ordering::Relaxed));
    let help = "Bytes of the directory with copies of a remote store's objects";
    bytes.encode(encoder.encode_descriptor("object_cache_bytes", help, None, bytes.metric_type())?)?;
    for (name, help, counter) in [
        (
            "object_cache_hits",
            "Chunks of objects that were there",
            &measures.cache_hits,
        ),
        (
            "object_cache_misses",
            "Chunks of objects that a read waited for",
            &measures.cache_misses,
        ),
        (
            "object_cache_failures",
            "Requests for chunks of objects that failed",
            &measures.cache_failures,
        ),
    ] {
        let counter = ConstCounter::new(counter.load(Ordering::Relaxed));
        counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
    }
    Ok(())
}

/// Segments by level, how long the oldest event waits to be sealed, and the jobs.
fn encode_history(encoder: &mut DescriptorEncoder<'_>, ledger: &Ledger) -> Result<(), fmt::Error> {
    let stats = ledger.level_stats();
    let lag = ConstGauge::new(stats.tail_age_ms as f64 / 1e3);
    let help = "Since the oldest event that is not sealed was stored";
    lag.encode(encoder.encode_descriptor("seal_lag", help, Some(&Unit::Seconds), lag.metric_type())?)?;
    type Of = fn(&trailbook_ledger::LevelStats) -> u64;
    let gauges: [(&str, &str, Of); 4] = [
        (
            "segments",
            "Segments; many of level 0 are compaction that is owed",
            |level| level.segments,
        ),
        ("segment_events", "Sealed events", |level| level.events),
        ("segment_data_bytes", "Bytes of the segments' Parquet files", |level| {
            level.data_bytes
        }),
        (
            "segment_bundle_bytes",
            "Bytes of the segments' indexes and proofs",
            |level| level.bundle_bytes,
        ),
    ];
    for (name, help, of) in gauges {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (level, stats) in &stats.levels {
            ConstGauge::new(of(stats)).encode(family.encode_family(&[("level", level.to_string())])?)?;
        }
    }
    let measures = ledger.measures();
    let mut failures = encoder.encode_descriptor("job_failures", "Jobs that failed", None, MetricType::Counter)?;
    for job in Job::ALL {
        let failed = ConstCounter::new(measures.job_failures[job as usize].load(Ordering::Relaxed));
        failed.encode(failures.encode_family(&[("job", job.name())])?)?;
    }
    for job in Job::ALL {
        let name = format!("job_{}", job.name());
        encode_durations(
            encoder,
            &name,
            "Background work that did something",
            &measures.jobs[job as usize],
        )?;
    }
    Ok(())
}

/// The caches of sealed rows.
struct OfCaches(Engine);

impl fmt::Debug for OfCaches {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OfCaches")
    }
}

impl Collector for OfCaches {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "What was asked of the caches of sealed rows";
        let mut family = encoder.encode_descriptor("cache_requests", help, None, MetricType::Counter)?;
        for (cache, hits, misses) in self.0.cache_counts() {
            for (found, count) in [("hit", hits), ("miss", misses)] {
                ConstCounter::new(count).encode(family.encode_family(&[("cache", cache), ("found", found)])?)?;
            }
        }
        Ok(())
    }
}

/// The work of checking passwords.
struct OfPeople(Arc<People>);

impl fmt::Debug for OfPeople {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OfPeople")
    }
}

impl Collector for OfPeople {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "Passwords hashed, to keep or to check them";
        let counter = ConstCounter::new(self.0.hashes());
        counter.encode(encoder.encode_descriptor("password_hashes", help, None, MetricType::Counter)?)
    }
}

fn encode_durations(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    durations: &Durations,
) -> Result<(), fmt::Error> {
    let (counts, sum) = durations.read();
    let bounds = BUCKETS_MS.iter().map(|bound| bound / 1e3).chain([f64::MAX]);
    let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
    let mut metric = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
    metric.encode_histogram::<NoLabelSet>(sum, counts.iter().sum(), &buckets, None)
}

fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    registry.register(name, help, counter.clone());
    counter
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}
