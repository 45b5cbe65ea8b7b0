//! The histogram: how many events each interval of time has, the empty ones too.

use jiff::tz::TimeZone;
use trailbook_event::{
    Filter, Timestamp,
    filter::{Field, Folded, Pattern},
};

use crate::{
    Error, Question, View,
    calendar::{Interval, bucket_of, bucket_starts},
    plan::{Search, select},
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
    /// [`Error::Invalid`] beyond [`crate::BUCKETS_MAX`] buckets; [`Error::Corrupt`].
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
            let mut bucket = Between::default();
            for row in found.iter() {
                buckets[bucket.of(starts, block.time(row))].count += 1;
            }
            for row in select(block, security, found)?.iter() {
                buckets[bucket.of(starts, block.time(row))].security += 1;
            }
        }
        Ok(())
    }
}

/// The bucket of the event before: most events are in the same one.
#[derive(Default)]
struct Between {
    bucket: usize,
}

impl Between {
    fn of(&mut self, starts: &[i64], time: i64) -> usize {
        let begun = starts.get(self.bucket).is_some_and(|start| *start <= time);
        if !begun || starts.get(self.bucket + 1).is_some_and(|next| *next <= time) {
            self.bucket = bucket_of(starts, time);
        }
        self.bucket
    }
}
