//! Aggregates equal plain loops.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use proptest::prelude::*;
use trailbook_event::{
    Event, Filter,
    filter::{Field, Folded, Pattern, facet_values, indexed_metadata},
    json::Value,
    text,
};
use trailbook_ledger::Row;
use trailbook_query::{AggregateRequest, Error, GROUPS_MAX, Measure, Metric, Operation, Question};

use crate::{
    plain::{Plain, event, found, scope, view, with_record},
    random,
};

fn field(name: &str) -> Field {
    Field::from_name(name).unwrap().unwrap()
}

fn metric(name: &str, operation: &str, field_name: Option<&str>) -> Metric {
    let operation = Operation::from_name(operation).unwrap();
    let measure = Measure::Of {
        operation,
        field: field_name.map(field),
        filter: None,
        in_trace_of: None,
    };
    Metric {
        name: name.to_owned(),
        measure,
    }
}

fn expression(name: &str, text: &str) -> Metric {
    Metric {
        name: name.to_owned(),
        measure: Measure::Expression(text.to_owned()),
    }
}

fn facet(row: &Row, name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    with_record(row, |record| {
        facet_values(record, &field(name), &mut |value, _| {
            found.insert(value.to_owned());
        });
    });
    found
}

/// The numbers at `metadata.a`.
fn numbers(row: &Row) -> Vec<f64> {
    let mut texts = Vec::new();
    with_record(row, |record| {
        indexed_metadata(record.event, &mut |path, value| {
            if path == "a" {
                texts.push(value.to_owned());
            }
        });
    });
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

fn trace(row: &Row) -> Option<String> {
    with_record(row, |record| {
        record
            .event
            .trace_id
            .as_deref()
            .map(|id| text::fold_case(id).into_owned())
    })
}

fn rank(sorted: &[f64], percent: usize) -> Option<f64> {
    sorted.get((sorted.len() * percent).div_ceil(100).max(1) - 1).copied()
}

/// The sum by Shewchuk's partial sums, which do not overlap, so that the largest two round it.
fn exact_sum(values: &[f64]) -> f64 {
    let mut partials: Vec<f64> = Vec::new();
    for value in values {
        let mut rest = *value;
        let mut next = Vec::new();
        for partial in &partials {
            let (large, small) = if rest.abs() < partial.abs() {
                (*partial, rest)
            } else {
                (rest, *partial)
            };
            let high = large + small;
            let low = small - (high - large);
            next.extend((low != 0.0).then_some(low));
            rest = high;
        }
        next.push(rest);
        partials = next;
    }
    partials.iter().sum()
}

/// The metrics of the request below over one group's rows.
fn plain_metrics(rows: &[&Row], narrow: &Filter, traces: &BTreeSet<String>) -> Vec<Option<f64>> {
    let values: Vec<f64> = rows.iter().flat_map(|row| numbers(row)).collect();
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    let sum = exact_sum(&values);
    let actors: BTreeSet<String> = rows.iter().flat_map(|row| facet(row, "actor")).collect();
    let narrowed = rows
        .iter()
        .filter(|row| with_record(row, |record| narrow.matches(record)))
        .count() as f64;
    let traced = rows
        .iter()
        .filter(|row| trace(row).is_some_and(|trace| traces.contains(&trace)))
        .count() as f64;
    vec![
        Some(rows.len() as f64),
        Some(rows.iter().filter(|row| !facet(row, "target").is_empty()).count() as f64),
        Some(sum),
        (!values.is_empty()).then(|| sum / values.len() as f64),
        sorted.first().copied(),
        sorted.last().copied(),
        rank(&sorted, 50),
        rank(&sorted, 95),
        Some(actors.len() as f64),
        Some(narrowed),
        Some(traced),
        (narrowed != 0.0).then(|| 1.0 - traced / narrowed),
    ]
}

/// Asks for every kind of metric.
pub(crate) fn request(question: &Question, group_by: &[&str], narrow: &Filter) -> AggregateRequest {
    let count = |name: &str, filter, in_trace_of| Metric {
        name: name.to_owned(),
        measure: Measure::Of {
            operation: Operation::Count,
            field: None,
            filter,
            in_trace_of,
        },
    };
    AggregateRequest {
        question: question.clone(),
        group_by: group_by.iter().map(|name| field(name)).collect(),
        interval: None,
        metrics: vec![
            metric("count", "count", None),
            metric("with_target", "count", Some("target")),
            metric("sum", "sum", Some("metadata.a")),
            metric("avg", "avg", Some("metadata.a")),
            metric("min", "min", Some("metadata.a")),
            metric("max", "max", Some("metadata.a")),
            metric("p50", "p50", Some("metadata.a")),
            metric("p95", "p95", Some("metadata.a")),
            metric("actors", "distinct", Some("actor")),
            count("narrowed", Some(narrow.clone()), None),
            count("traced", None, Some(narrow.clone())),
            expression("rate", "1 - traced / narrowed"),
        ],
    }
}

/// By two fields, of which one may have several values, or all in one.
pub(crate) fn group_by(grouped: bool) -> &'static [&'static str] {
    if grouped { &["target", "area"] } else { &[] }
}

/// A group's values and the metrics of its rows.
type Group = (Vec<Option<String>>, Vec<Option<f64>>);

/// The answer to [`request`] over `all` rows.
pub(crate) fn plain_groups(
    all: &[Arc<Row>],
    question: &Question,
    own: Option<&Filter>,
    narrow: &Filter,
    group_by: &[&str],
) -> Vec<Group> {
    let rows = found(all, question, own);
    let in_range = Question {
        filter: narrow.clone(),
        ..question.clone()
    };
    let traces: BTreeSet<String> = found(all, &in_range, own).iter().filter_map(|row| trace(row)).collect();
    let mut groups = BTreeMap::<Vec<Option<String>>, Vec<&Row>>::new();
    if group_by.is_empty() {
        groups.insert(Vec::new(), Vec::new());
    }
    for row in &rows {
        let mut keys = vec![Vec::new()];
        for name in group_by {
            let values = facet(row, name);
            let values: Vec<Option<String>> = if values.is_empty() {
                vec![None]
            } else {
                values.into_iter().map(Some).collect()
            };
            let longer = |key: &Vec<Option<String>>| {
                let key = key.clone();
                values
                    .iter()
                    .map(move |value| [key.clone(), vec![value.clone()]].concat())
            };
            keys = keys.iter().flat_map(longer).collect();
        }
        keys.into_iter()
            .for_each(|key| groups.entry(key).or_default().push(row));
    }
    let groups = groups.into_iter();
    groups
        .map(|(key, rows)| (key, plain_metrics(&rows, narrow, &traces)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn metrics_of_groups_are_those_of_plain_loops(
        history in random::history(),
        question in random::question(),
        narrow in random::filter(),
        own in proptest::option::weighted(0.2, random::filter()),
        grouped in any::<bool>(),
    ) {
        let (plain, engine) = Plain::new();
        history.iter().for_each(|deed| plain.undergo(deed, &engine));
        let expected = plain_groups(&plain.all(), &question, own.as_ref(), &narrow, group_by(grouped));
        let answer = engine.view(&scope(own)).unwrap().aggregate(&request(&question, group_by(grouped), &narrow)).unwrap();
        let answer: Vec<_> = answer.into_iter().map(|row| (row.group, row.metrics)).collect();
        prop_assert_eq!(answer, expected);
    }
}

fn numbered(count: usize) -> Vec<Event<'static>> {
    (0..count)
        .map(|number| Event {
            client_id: Some(number.to_string().into()),
            metadata: Some(Value::Object(vec![("n".into(), Value::Number(number as f64))])),
            ..event("billing.charge", 0)
        })
        .collect()
}

#[test]
fn limits_are_exact_up_to_their_number_and_refuse_beyond() {
    let (plain, engine) = Plain::new();
    plain.append(&numbered(GROUPS_MAX));
    let request = AggregateRequest {
        question: Question::all(),
        group_by: vec![Field::ClientId],
        interval: None,
        metrics: vec![metric("events", "count", None)],
    };
    assert_eq!(view(&engine).aggregate(&request).unwrap().len(), GROUPS_MAX);
    let one_more = Event {
        client_id: Some("one more".into()),
        ..event("billing.charge", 0)
    };
    plain.append(&[one_more]);
    assert!(matches!(view(&engine).aggregate(&request), Err(Error::TooLarge { .. })));

    // Of all metrics together: 50 × 10,001 distinct values are within the limit of a million, 50 × 20,001 are beyond.
    let metrics = (0..50)
        .map(|number| metric(&format!("m{number}"), "distinct", Some("client_id")))
        .collect();
    let request = AggregateRequest {
        group_by: Vec::new(),
        metrics,
        ..request
    };
    let answer = view(&engine).aggregate(&request).unwrap();
    assert!(
        answer[0]
            .metrics
            .iter()
            .all(|value| *value == Some(GROUPS_MAX as f64 + 1.0))
    );
    plain.append(&numbered(2 * GROUPS_MAX));
    assert!(matches!(view(&engine).aggregate(&request), Err(Error::TooLarge { .. })));
}

#[test]
fn requests_that_make_no_sense_are_refused_by_name() {
    let (plain, engine) = Plain::new();
    plain.append(&numbered(1));
    let action = Pattern::Whole(Folded::new("billing.charge"));
    let question = Question {
        filter: Filter::Field {
            field: Field::Action,
            patterns: vec![action],
        },
        ..Question::all()
    };
    for (metrics, part) in [
        (vec![], "1 to 50"),
        (vec![metric("a", "count", None), metric("a", "count", None)], "`a`"),
        (vec![metric("a", "sum", Some("area"))], "metadata"),
        (vec![metric("a", "p95", None)], "metadata"),
        (vec![metric("a", "distinct", None)], "`field`"),
        (vec![expression("a", "a + 1")], "column 1"),
        (vec![metric("a", "count", None), expression("b", "a +")], "column 4"),
    ] {
        let request = AggregateRequest {
            question: question.clone(),
            group_by: vec![],
            interval: None,
            metrics,
        };
        let Err(Error::Invalid { detail }) = view(&engine).aggregate(&request) else {
            panic!("accepted: {part}")
        };
        assert!(detail.contains(part), "{detail}");
    }
}
