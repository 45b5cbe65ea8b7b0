//! The generator keeps its promises: determinism, size, skew, and events that every ledger admits.
#![allow(
    clippy::disallowed_methods,
    reason = "tests work with real files, processes and time"
)]

use std::collections::{HashMap, HashSet};

use trailbook_event::{Admission, Event, Limits, NoCatalog, Origin, Pointer, Timestamp, admit, json};
use trailbook_testkit::{GeneratedEvent, Generator, Shape};

const SAMPLE: usize = 20_000;

fn shape() -> Shape {
    let start = Timestamp::parse("2026-01-01T00:00:00Z").expect("well-formed");
    Shape {
        organizations: 1_000,
        client_ids: false,
        start,
        days: 90,
    }
}

fn sample(seed: u64, shape: Shape) -> Vec<GeneratedEvent> {
    Generator::new(seed, shape).take(SAMPLE).collect()
}

/// Calls `each` with every event of a sample, admitted and read back.
fn admitted(seed: u64, shape: Shape, mut each: impl FnMut(&Event<'_>)) {
    let limits = Limits::default();
    let now = Timestamp::parse("2026-06-01T00:00:00Z").expect("well-formed");
    let admission = Admission {
        limits: &limits,
        now,
        defaults: &NoCatalog,
        origin: Origin::Sender,
    };
    for generated in sample(seed, shape) {
        let value = json::parse(&generated.json, &limits.json()).expect("JSON");
        let admitted = admit(&value, &Pointer::root(), &admission)
            .unwrap_or_else(|faults| panic!("{faults:?} in {}", generated.json));
        assert_eq!(admitted.organization, *generated.organization);
        assert_eq!(admitted.client_id.is_some(), shape.client_ids);
        assert!(admitted.ip.is_some());
        each(&Event::parse(&admitted.parts).expect("canonical parts"));
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let first = sample(1, shape());
    assert_eq!(first, sample(1, shape()));
    assert_ne!(first, sample(2, shape()));
}

#[test]
fn events_are_705_bytes_in_the_mean_with_a_spread() {
    let sizes: Vec<f64> = sample(3, shape()).iter().map(|event| event.json.len() as f64).collect();
    let mean = sizes.iter().sum::<f64>() / SAMPLE as f64;
    let deviation = (sizes.iter().map(|size| (size - mean).powi(2)).sum::<f64>() / SAMPLE as f64).sqrt();
    assert!((mean - 705.0).abs() <= 705.0 * 0.05, "mean={mean}");
    assert!((50.0..200.0).contains(&deviation), "deviation={deviation}");
}

#[test]
fn the_largest_organization_has_a_tenth_and_one_organization_has_all() {
    let mut events: HashMap<_, usize> = HashMap::new();
    for event in sample(4, shape()) {
        *events.entry(event.organization).or_default() += 1;
    }
    let largest = *events.values().max().expect("not empty") as f64 / SAMPLE as f64;
    assert!((0.09..0.115).contains(&largest), "largest={largest}");
    assert!(events.len() > 900, "organizations={}", events.len());

    let alone: HashSet<_> = sample(
        4,
        Shape {
            organizations: 1,
            ..shape()
        },
    )
    .into_iter()
    .map(|event| event.organization)
    .collect();
    assert_eq!(alone.len(), 1);
}

#[test]
fn a_hundred_thousand_equal_organizations_have_a_handful_of_events_each() {
    let many = Shape {
        organizations: 100_000,
        ..shape()
    };
    let mut events: HashMap<_, usize> = HashMap::new();
    for event in Generator::new(7, many).with_equal_organizations().take(5 * 100_000) {
        *events.entry(event.organization).or_default() += 1;
    }
    assert!(events.len() > 95_000, "organizations={}", events.len());
    assert!(events.values().all(|count| *count < 40));
}

#[test]
fn any_number_of_events_fills_the_days_once_and_only_times_change() {
    let occurred_at = |event: &GeneratedEvent| {
        let value = json::parse(&event.json, &Limits::default().json()).expect("JSON");
        let json::Value::Object(members) = value else {
            panic!("an event is an object")
        };
        let time = members.iter().find_map(|(key, value)| match value {
            json::Value::String(text) if key == "occurred_at" => Timestamp::parse(text),
            _ => None,
        });
        time.expect("a time").millis()
    };
    const DAY_MS: i64 = 86_400_000;
    let start = shape().start.millis();
    for events in [3_000, 20_000] {
        let stream: Vec<_> = Generator::new(8, shape())
            .filling(events)
            .take(events as usize)
            .collect();
        let times: Vec<_> = stream.iter().map(occurred_at).collect();
        let (first, last) = (times[0], *times.last().expect("not empty"));
        assert!(first - start < DAY_MS && last - start > 89 * DAY_MS, "events={events}");
        let late = times.windows(2).map(|pair| pair[0] - pair[1]).max().expect("pairs");
        assert!(late < 30_000, "late={late}");
        let usual = Generator::new(8, shape()).take(events as usize);
        assert!(
            stream.iter().zip(usual).all(|(ours, usual)| {
                ours.organization == usual.organization && ours.json.len() == usual.json.len()
            })
        );
    }
}

#[test]
fn every_event_is_admitted_and_shares_are_those_of_real_logs() {
    let (mut security, mut failed, mut traced, mut several, mut numbers) = (0, 0, 0, 0, 0);
    let (mut actions, mut areas, mut traces) = (HashSet::new(), HashSet::new(), HashMap::<String, usize>::new());
    admitted(5, shape(), |event| {
        security += usize::from(event.security);
        failed += usize::from(event.result != "success");
        several += usize::from(event.targets.len() > 1);
        assert!((1..=3).contains(&event.targets.len()));
        actions.insert(event.action.to_string());
        areas.extend(event.area.as_ref().map(ToString::to_string));
        if let Some(trace) = &event.trace_id {
            traced += 1;
            *traces.entry(trace.to_string()).or_default() += 1;
        }
        let Some(json::Value::Object(members)) = &event.metadata else {
            panic!("metadata is an object")
        };
        assert!((3..=8).contains(&members.len()), "{}", members.len());
        numbers += usize::from(members.iter().any(|(key, _)| key == "duration_ms"));
    });
    let percent = |count: usize| 100.0 * count as f64 / SAMPLE as f64;
    assert!(
        (4.0..6.0).contains(&percent(security)),
        "security={}",
        percent(security)
    );
    assert!((2.0..4.0).contains(&percent(failed)), "failed={}", percent(failed));
    assert!((38.0..42.0).contains(&percent(traced)), "traced={}", percent(traced));
    assert!((10.0..14.0).contains(&percent(several)), "several={}", percent(several));
    assert!(numbers > SAMPLE / 4);
    assert_eq!((actions.len(), areas.len()), (60, 8));
    assert!(traces.values().all(|events| (1..=5).contains(events)));
    let shared = traces.values().filter(|events| **events >= 2).count();
    assert!(shared + 16 >= traces.len(), "only traces still open may have one event");
}

#[test]
fn client_ids_are_unique() {
    let mut ids = HashSet::new();
    admitted(
        6,
        Shape {
            client_ids: true,
            ..shape()
        },
        |event| {
            let id = event.client_id.as_ref().expect("asked for");
            assert_eq!(id.len(), 36);
            assert!(ids.insert(id.to_string()), "{id} twice");
        },
    );
}
