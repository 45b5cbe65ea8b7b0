//! What streams and exports count, over all organizations together.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};
use trailbook_access::{Directory, records::ExportState};
use trailbook_deliver::stream::Streams;

/// Streams.
pub(super) struct OfStreams(pub(super) Arc<Streams>);

impl fmt::Debug for OfStreams {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OfStreams")
    }
}

impl Collector for OfStreams {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let (totals, measures) = (self.0.totals(), self.0.measures());
        let help = "Streams that are set up";
        let mut states = encoder.encode_descriptor("streams", help, None, MetricType::Gauge)?;
        for (state, count) in [
            ("active", totals.active),
            ("paused", totals.paused),
            ("failing", totals.failing),
        ] {
            ConstGauge::new(count).encode(states.encode_family(&[("state", state)])?)?;
        }
        let lag = ConstGauge::new(totals.lag_ms as f64 / 1e3);
        let help = "The age of the oldest event that a stream has not delivered";
        lag.encode(encoder.encode_descriptor("stream_lag", help, Some(&Unit::Seconds), lag.metric_type())?)?;
        for (name, help, counted) in [
            (
                "stream_events",
                "Events delivered, repeated ones included",
                &measures.delivered,
            ),
            (
                "stream_failures",
                "Deliveries that failed and are repeated",
                &measures.failed,
            ),
            (
                "stream_events_parked",
                "Events that a destination did not take",
                &measures.parked,
            ),
        ] {
            let counter = ConstCounter::new(counted.load(Ordering::Relaxed));
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}

/// Exports on request.
pub(super) struct OfExports(pub(super) Arc<Directory>);

impl fmt::Debug for OfExports {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OfExports")
    }
}

impl Collector for OfExports {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "Exports on request";
        let mut states = encoder.encode_descriptor("exports", help, None, MetricType::Gauge)?;
        let records = self.0.state();
        for (name, state) in [
            ("queued", ExportState::Queued),
            ("running", ExportState::Running),
            ("ready", ExportState::Ready),
            ("failed", ExportState::Failed),
        ] {
            let count = records.exports.all().filter(|export| export.state == state).count();
            ConstGauge::new(count as u64).encode(states.encode_family(&[("state", name)])?)?;
        }
        Ok(())
    }
}
