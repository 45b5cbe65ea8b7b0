//! The histogram: how many events each interval of time has, the empty ones too.

use std::ops::Range;

use jiff::tz::TimeZone;
use trailbook_event::{
    Filter, Timestamp,
    filter::{Field, Folded, Pattern},
};

use crate::{
    Error, Question, View,
    block::Moments,
    calendar::{Interval, bucket_of, bucket_starts},
    plan::{Search, select},
    row_set::RowSet,
    view::Extent,
};

/// One interval of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// When it begins; the first may begin before the range does.
    pub start: Timestamp,
    /// The events in it.
    pub count: u64,
    /// Those of them that matter for security.
    pub security: u64,
}

impl View {
    /// The found events by intervals of `zone`. Where the range is open it reaches to the first or last found event; with
    /// neither there are no buckets.
    ///
    /// # Errors
    /// [`Error::Invalid`] beyond [`crate::BUCKETS_MAX`] buckets; [`Error::Corrupt`], [`Error::Storage`].
    pub fn histogram(&self, question: &Question, interval: Interval, zone: &TimeZone) -> Result<Vec<Bucket>, Error> {
        let search = self.search(question);
        let Some(Extent { first, last }) = self.extent(&search)? else {
            return Ok(Vec::new());
        };
        let starts = bucket_starts(interval, zone, first, last)?;
        let empty = |start: &i64| Bucket {
            start: Timestamp::from_millis(*start),
            count: 0,
            security: 0,
        };
        let mut buckets: Vec<Bucket> = starts.iter().map(empty).collect();
        let security = Filter::Field {
            field: Field::Security,
            patterns: vec![Pattern::Whole(Folded::new("true"))],
        };
        self.fill(&search, &security, &starts, &mut buckets)?;
        Ok(buckets)
    }

    fn fill(&self, search: &Search, security: &Filter, starts: &[i64], buckets: &mut [Bucket]) -> Result<(), Error> {
        for block in self.blocks() {
            let found = search.select(block)?;
            if found.is_empty() {
                continue;
            }
            let matters = select(block, security, found.clone())?;
            let (oldest, newest) = block.reach()?;
            let (first, last) = (bucket_of(starts, oldest), bucket_of(starts, newest));
            if first == last {
                buckets[first].count += found.count() as u64;
                buckets[first].security += matters.count() as u64;
                continue;
            }
            let moments = block.moments()?;
            if moments.are_in_order() {
                fill_in_order(&moments, &found, &matters, (starts, first..last + 1), buckets);
            } else {
                for row in found.iter() {
                    let bucket = &mut buckets[bucket_of(starts, moments.time(row))];
                    bucket.count += 1;
                    bucket.security += u64::from(matters.contains(row));
                }
            }
        }
        Ok(())
    }
}

/// Counts rows that stand in the order of time: each bucket has those between two places.
fn fill_in_order(
    moments: &Moments,
    found: &RowSet,
    matters: &RowSet,
    (starts, reached): (&[i64], Range<usize>),
    buckets: &mut [Bucket],
) {
    let mut from = 0;
    for place in reached {
        let to = starts
            .get(place + 1)
            .map_or(found.length(), |next| moments.position_where(|(time, _)| time >= *next));
        buckets[place].count += found.count_between(from, to) as u64;
        buckets[place].security += matters.count_between(from, to) as u64;
        from = to;
    }
}
