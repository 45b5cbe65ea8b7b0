//! Which segments are worth merging.
//!
//! Segments of one level and class form intervals of commits: a sealing makes one, a compaction makes one of several, split by
//! ledgers. Enough neighbouring intervals of a level become one of the next.

use std::{collections::BTreeSet, sync::Arc};

use super::{DAY_MS, Manifest};
use crate::database::StoredSegment;

/// Intervals that become one.
const FAN: usize = 8;

/// What compacting aims for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactionLimits {
    /// Rows after which a segment ends with the run at hand.
    pub segment_rows_max: u64,
    /// An interval with so many rows is left as it is.
    pub interval_rows_max: u64,
}

impl Default for CompactionLimits {
    fn default() -> Self {
        Self {
            segment_rows_max: 2_000_000,
            interval_rows_max: 64_000_000,
        }
    }
}

/// Segments to be merged, in the order of their commits, and the level of what comes of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Merge {
    pub(crate) inputs: Vec<Arc<StoredSegment>>,
    pub(crate) level: u8,
}

/// Segments of one level and class that cover the same commits.
struct Interval {
    segments: Vec<Arc<StoredSegment>>,
    level: u8,
    rows: u64,
    received: (i64, i64),
}

/// The merge that is most worth it: of the lowest level, the oldest. No merge begins with one of `adjoining_nothing`.
pub(crate) fn plan_compaction(
    manifest: &Manifest,
    limits: &CompactionLimits,
    adjoining_nothing: &BTreeSet<u64>,
) -> Option<Merge> {
    let mut classes: Vec<Option<u32>> = manifest.segments().map(|segment| segment.retention_days).collect();
    classes.sort_unstable();
    classes.dedup();
    let merges = classes.into_iter().filter_map(|class| {
        let intervals = intervals(manifest, class);
        let last = last_level(&intervals);
        (0..=last).find_map(|level| neighbours(&intervals, level, class, limits, adjoining_nothing))
    });
    merges.min_by_key(|merge| merge.level)
}

fn last_level(intervals: &[Interval]) -> u8 {
    intervals
        .iter()
        .map(|interval| interval.level)
        .max()
        .unwrap_or_default()
}

/// The intervals of a class, in the order of their commits.
fn intervals(manifest: &Manifest, class: Option<u32>) -> Vec<Interval> {
    let mut intervals: Vec<Interval> = Vec::new();
    for segment in manifest.segments().filter(|segment| segment.retention_days == class) {
        match intervals.last_mut() {
            Some(last) if last.segments[0].commits == segment.commits => {
                last.rows += segment.events;
                last.received.0 = last.received.0.min(segment.received.0);
                last.received.1 = last.received.1.max(segment.received.1);
                last.segments.push(Arc::clone(segment));
            }
            _ => intervals.push(Interval {
                level: segment.level,
                rows: segment.events,
                received: segment.received,
                segments: vec![Arc::clone(segment)],
            }),
        }
    }
    intervals
}

/// The first [`FAN`] neighbours of a level that may become one.
fn neighbours(
    intervals: &[Interval],
    level: u8,
    class: Option<u32>,
    limits: &CompactionLimits,
    adjoining_nothing: &BTreeSet<u64>,
) -> Option<Merge> {
    let fits = |window: &[Interval]| {
        let same = window.iter().all(|interval| interval.level == level);
        let rows: u64 = window.iter().map(|interval| interval.rows).sum();
        let first = window.iter().map(|interval| interval.received.0).min();
        let last = window.iter().map(|interval| interval.received.1).max();
        let span = first.zip(last).map_or(0, |(first, last)| last - first);
        // What expires together stays together: no segment spans more than a tenth of its retention.
        let span_max = class.map_or(i64::MAX, |days| i64::from(days) * DAY_MS / 10);
        let adjoins = !adjoining_nothing.contains(&window[0].segments[0].segment);
        same && adjoins && rows <= limits.interval_rows_max && span <= span_max
    };
    let window = intervals.windows(FAN).find(|window| fits(window))?;
    let inputs = window.iter().flat_map(|interval| interval.segments.iter().cloned());
    Some(Merge {
        inputs: inputs.collect(),
        level: level + 1,
    })
}
