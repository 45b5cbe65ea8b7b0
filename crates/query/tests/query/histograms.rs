//! Histograms: calendars with clock changes, empty buckets, bounds.

use std::sync::Arc;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use trailbook_event::{Event, Timestamp};
use trailbook_ledger::Row;
use trailbook_query::{
    AggregateRequest, BUCKETS_MAX, Bucket, Error, Interval, Measure, Metric, Operation, Question, Range,
};

use crate::{
    plain::{Plain, event, found, view, with_record},
    random,
};

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// The beginnings of the buckets of a range.
fn starts(interval: Interval, zone: &str, from: &str, to: &str) -> Vec<String> {
    let (plain, engine) = Plain::new();
    plain.append(&[event("user.login", 0)]);
    let range = Range {
        from: Some(time(from)),
        to: Some(time(to)),
    };
    let question = Question {
        range,
        ..Question::all()
    };
    let buckets = view(&engine)
        .histogram(&question, interval, &TimeZone::get(zone).unwrap())
        .unwrap();
    buckets
        .iter()
        .map(|bucket| bucket.start.to_string().replace(":00.000Z", "Z"))
        .collect()
}

#[test]
fn days_have_23_25_or_no_hours_where_clocks_change() {
    // Berlin: 29 March 2026 has 23 hours, 25 October 25.
    assert_eq!(
        starts(
            Interval::Day,
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-03-30T22:00:00Z"
        ),
        ["2026-03-27T23:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z"]
    );
    assert_eq!(
        starts(
            Interval::Day,
            "Europe/Berlin",
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00.001Z"
        ),
        ["2026-10-24T22:00Z", "2026-10-25T23:00Z"]
    );
    // Cairo: on 24 April 2026 there is no midnight, the day begins at 1:00.
    assert_eq!(
        starts(
            Interval::Day,
            "Africa/Cairo",
            "2026-04-23T12:00:00Z",
            "2026-04-25T12:00:00Z"
        ),
        ["2026-04-22T22:00Z", "2026-04-23T22:00Z", "2026-04-24T21:00Z"]
    );
    // Apia went over the date line: there was no 30 December 2011.
    assert_eq!(
        starts(
            Interval::Day,
            "Pacific/Apia",
            "2011-12-30T00:00:00Z",
            "2012-01-01T00:00:00Z"
        ),
        ["2011-12-29T10:00Z", "2011-12-30T10:00Z", "2011-12-31T10:00Z"]
    );
}

#[test]
fn hours_that_a_clock_change_repeats_are_two() {
    assert_eq!(
        starts(
            Interval::Hour,
            "Europe/Berlin",
            "2026-10-25T00:30:00Z",
            "2026-10-25T02:30:00Z"
        ),
        ["2026-10-25T00:00Z", "2026-10-25T01:00Z", "2026-10-25T02:00Z"]
    );
    // Kolkata's hours begin at the half of UTC's.
    assert_eq!(
        starts(
            Interval::Hour,
            "Asia/Kolkata",
            "2026-01-01T00:00:00Z",
            "2026-01-01T01:00:00Z"
        ),
        ["2025-12-31T23:30Z", "2026-01-01T00:30Z"]
    );
    // Lord Howe turns by half an hour: at 2:00 of 5 April 2026 it is 1:30 again.
    assert_eq!(
        starts(
            Interval::Hour,
            "Australia/Lord_Howe",
            "2026-04-04T14:10:00Z",
            "2026-04-04T17:00:00Z"
        ),
        [
            "2026-04-04T14:00Z",
            "2026-04-04T15:00Z",
            "2026-04-04T15:30Z",
            "2026-04-04T16:30Z"
        ]
    );
}

#[test]
fn weeks_begin_on_monday_and_months_on_the_first() {
    assert_eq!(
        starts(Interval::Week, "UTC", "2026-11-22T23:59:59Z", "2026-11-23T00:00:01Z"),
        ["2026-11-16T00:00Z", "2026-11-23T00:00Z"]
    );
    assert_eq!(
        starts(
            Interval::Month,
            "America/New_York",
            "2026-01-31T12:00:00Z",
            "2026-04-01T00:00:00Z"
        ),
        ["2026-01-01T05:00Z", "2026-02-01T05:00Z", "2026-03-01T05:00Z"]
    );
}

#[test]
fn ten_thousand_buckets_are_given_and_one_more_refused() {
    let (plain, engine) = Plain::new();
    plain.append(&[event("user.login", 0)]);
    let to = |hours: usize| Question {
        range: Range {
            from: Some(Timestamp::from_millis(0)),
            to: Some(Timestamp::from_millis(hours as i64 * 3_600_000)),
        },
        ..Question::all()
    };
    let buckets = |hours| view(&engine).histogram(&to(hours), Interval::Hour, &TimeZone::UTC);
    assert_eq!(buckets(BUCKETS_MAX).unwrap().len(), BUCKETS_MAX);
    assert!(matches!(buckets(BUCKETS_MAX + 1), Err(Error::Invalid { .. })));
    let ever = Question {
        range: Range {
            from: Some(time("0001-01-01T00:00:00Z")),
            to: Some(time("9999-12-31T23:59:59Z")),
        },
        ..Question::all()
    };
    let refused = view(&engine).histogram(&ever, Interval::Month, &TimeZone::get("Asia/Tokyo").unwrap());
    assert!(matches!(refused, Err(Error::Invalid { .. })));
}

/// Every row is counted in its bucket.
pub(crate) fn assert_counted(buckets: &[Bucket], rows: &[Arc<Row>]) {
    for (place, bucket) in buckets.iter().enumerate() {
        let end = buckets.get(place + 1).map_or(i64::MAX, |next| next.start.millis());
        let inside = |at: Timestamp| at >= bucket.start && at.millis() < end;
        let of_bucket: Vec<_> = rows.iter().filter(|row| inside(row.occurred_at)).collect();
        let security = of_bucket
            .iter()
            .filter(|row| with_record(row, |record| record.event.security))
            .count();
        assert_eq!(
            (bucket.count, bucket.security),
            (of_bucket.len() as u64, security as u64)
        );
    }
    assert_eq!(
        buckets.iter().map(|bucket| bucket.count).sum::<u64>(),
        rows.len() as u64
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_event_is_in_its_bucket(
        history in random::history(),
        question in random::question(),
        (interval, zone) in prop_oneof![
            Just((Interval::Hour, "Asia/Kathmandu")), Just((Interval::Day, "Europe/Berlin")),
            Just((Interval::Week, "UTC")), Just((Interval::Month, "America/New_York")),
        ],
    ) {
        let (plain, engine) = Plain::new();
        history.iter().for_each(|deed| plain.undergo(deed, &engine));
        let zone = TimeZone::get(zone).unwrap();
        let rows = found(&plain.all(), &question, None);
        let buckets = view(&engine).histogram(&question, interval, &zone).unwrap();
        assert_counted(&buckets, &rows);

        let counted = AggregateRequest {
            question,
            group_by: vec![],
            interval: Some((interval, zone)),
            metrics: vec![Metric {
                name: "events".into(),
                measure: Measure::Of { operation: Operation::Count, field: None, filter: None, in_trace_of: None },
            }],
        };
        let counted: Vec<_> =
            view(&engine).aggregate(&counted).unwrap().iter().map(|row| (row.start.unwrap(), row.metrics[0])).collect();
        let expected: Vec<_> =
            buckets.iter().filter(|bucket| bucket.count > 0).map(|bucket| (bucket.start, Some(bucket.count as f64))).collect();
        prop_assert_eq!(counted, expected);
    }
}

#[test]
fn an_open_range_reaches_from_the_first_to_the_last_found_event() {
    let (plain, engine) = Plain::new();
    assert_eq!(
        view(&engine)
            .histogram(&Question::all(), Interval::Day, &TimeZone::UTC)
            .unwrap(),
        []
    );
    let late = Event {
        security: true,
        ..event("user.login", 86_400_000)
    };
    plain.append(&[event("user.login", 3 * 86_400_000), late]);
    let buckets = view(&engine)
        .histogram(&Question::all(), Interval::Day, &TimeZone::UTC)
        .unwrap();
    let days: Vec<_> = buckets
        .iter()
        .map(|bucket| (bucket.start.millis() / 86_400_000, bucket.count, bucket.security))
        .collect();
    assert_eq!(days, [(1, 1, 1), (2, 0, 0), (3, 1, 0)]);
}
