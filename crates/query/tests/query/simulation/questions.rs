//! Random questions, each answered by a plain loop too.

use std::{sync::Arc, time::Duration};

use jiff::tz::TimeZone;
use proptest::option;
use trailbook_event::{
    Filter, Timestamp,
    filter::{Field, Folded, Pattern},
    text,
};
use trailbook_ledger::Row;
use trailbook_query::{Engine, Error, FacetRequest, Interval, Order, PageRequest, Question, Scope, View};

use super::{Draw, model::assert_same};
use crate::{
    aggregates, histograms, pages,
    plain::{found, with_record},
    random,
};

/// How long a feed may take to answer before it is taken for stuck.
const STUCK: Duration = Duration::from_secs(60);

/// A listing that has more pages.
pub(super) struct Listing {
    pub(super) scope: Scope,
    question: Question,
    order: Order,
    limit: usize,
    cursor: Option<String>,
    /// Where it stands.
    last: Option<(Timestamp, u64)>,
    /// What it is about: the ledger as it was at its first page.
    size: u64,
}

/// Somebody who follows events, and comes again with the last sequence.
pub(super) struct Following {
    pub(super) scope: Scope,
    filter: Filter,
    last: Option<u64>,
}

/// The caller's own filter, for some.
pub(super) fn own(draw: &mut Draw) -> Option<Filter> {
    draw.of(&option::weighted(0.3, random::filter()))
}

impl Listing {
    pub(super) fn begin(draw: &mut Draw, scope: Scope, size: u64) -> Self {
        Self {
            scope,
            question: draw.of(&random::question()),
            order: [Order::Ascending, Order::Descending][draw.below(2)],
            limit: [1, 3, 7, 50][draw.below(4)],
            cursor: None,
            last: None,
            size,
        }
    }

    /// Reads a page and holds it against `all` rows that can be read; `false` when it was the last.
    pub(super) fn turn(&mut self, engine: &Engine, view: &View, all: &[Arc<Row>]) -> bool {
        if let Some(cursor) = &self.cursor {
            assert_eq!(engine.cursor_range(cursor).unwrap(), self.question.range);
        }
        let request = PageRequest {
            question: self.question.clone(),
            order: self.order,
            limit: self.limit,
            cursor: self.cursor.as_deref(),
        };
        let page = view.page(&request).unwrap();
        let rest = self.rest(all);
        assert_same(&page.rows, &rest[..self.limit.min(rest.len())]);
        assert_eq!((page.next.is_some(), page.size), (rest.len() > self.limit, self.size));
        self.last = page
            .rows
            .last()
            .map(|row| (row.occurred_at, row.sequence))
            .or(self.last);
        self.cursor = page.next;
        self.cursor.is_some()
    }

    /// What is still to come.
    fn rest(&self, all: &[Arc<Row>]) -> Vec<Arc<Row>> {
        let mut rest = found(all, &self.question, self.scope.own.as_ref());
        rest.sort_by_key(|row| (row.occurred_at, row.sequence));
        if self.order == Order::Descending {
            rest.reverse();
        }
        let is_next = |row: &Row| match (self.last, self.order) {
            (None, _) => true,
            (Some(last), Order::Ascending) => (row.occurred_at, row.sequence) > last,
            (Some(last), Order::Descending) => (row.occurred_at, row.sequence) < last,
        };
        rest.retain(|row| row.sequence < self.size && is_next(row));
        rest
    }
}

impl Following {
    pub(super) fn begin(draw: &mut Draw, scope: Scope, size: u64) -> Self {
        let filter = if draw.percent(50) {
            Filter::all()
        } else {
            draw.of(&random::filter())
        };
        let last = draw.percent(80).then(|| draw.choices.below(size));
        Self {
            scope,
            filter,
            last: last.or(size.checked_sub(1)),
        }
    }

    /// Comes again, with the last sequence that was seen, and takes everything that there is.
    pub(super) async fn resume(&mut self, engine: &Engine, all: &[Arc<Row>]) {
        let mut feed = engine.live(&self.scope, &self.filter, self.last).unwrap();
        let question = Question {
            filter: self.filter.clone(),
            ..Question::all()
        };
        let mut expected = found(all, &question, self.scope.own.as_ref());
        expected.retain(|row| self.last.is_none_or(|last| row.sequence > last));
        let mut seen = Vec::new();
        while seen.len() < expected.len() {
            let more = tokio::time::timeout(STUCK, feed.next()).await;
            seen.extend(more.expect("the feed passes over an event").unwrap());
        }
        assert_same(&seen, &expected);
        self.last = seen.last().map(|row| row.sequence).or(self.last);
    }
}

/// Asks everything once.
pub(super) fn ask(draw: &mut Draw, view: &View, own: Option<&Filter>, all: &[Arc<Row>]) {
    let question = draw.of(&random::question());
    let expected = found(all, &question, own);
    assert_eq!(view.count(&question).unwrap(), expected.len() as u64, "{question:?}");
    match draw.below(6) {
        0 => facets(draw, view, &question, expected),
        1 => aggregates(draw, view, &question, own, all),
        2 => histogram(draw, view, &question, &expected),
        3 => trace(draw, view, own, all),
        4 => by_id(draw, view, own, all),
        _ => {
            let rows: Vec<_> = view.rows(&question, Order::Ascending).map(Result::unwrap).collect();
            let mut expected = expected;
            expected.sort_by_key(|row| (row.occurred_at, row.sequence));
            assert_same(&rows, &expected);
        }
    }
}

fn facets(draw: &mut Draw, view: &View, question: &Question, found: Vec<Arc<Row>>) {
    let names = [
        "actor",
        "target",
        "area",
        "changed",
        "metadata.a",
        "metadata.a.b",
        "security",
        "country",
    ];
    let fields = names.map(|name| Field::from_name(name).unwrap().unwrap()).to_vec();
    let (limit, prefix) = (1 + draw.below(6), [None, Some("m"), Some("A")][draw.below(3)]);
    let request = FacetRequest {
        question: question.clone(),
        fields: fields.clone(),
        limit,
        prefix: prefix.map(str::to_owned),
    };
    for (facet, field) in view.facets(&request).unwrap().iter().zip(&fields) {
        let expected = pages::plain_facet(found.clone(), field, prefix, limit);
        assert_eq!((&facet.field, &facet.values), (field, &expected), "{question:?}");
    }
}

fn aggregates(draw: &mut Draw, view: &View, question: &Question, own: Option<&Filter>, all: &[Arc<Row>]) {
    let (narrow, group_by) = (draw.of(&random::filter()), aggregates::group_by(draw.percent(50)));
    let answer = view
        .aggregate(&aggregates::request(question, group_by, &narrow))
        .unwrap();
    let answer: Vec<_> = answer.into_iter().map(|row| (row.group, row.metrics)).collect();
    let expected = aggregates::plain_groups(all, question, own, &narrow, group_by);
    assert_eq!(answer, expected, "{question:?} {narrow:?}");
}

fn histogram(draw: &mut Draw, view: &View, question: &Question, found: &[Arc<Row>]) {
    let interval = [Interval::Day, Interval::Week, Interval::Month][draw.below(3)];
    let zone = TimeZone::get(["UTC", "Asia/Kathmandu"][draw.below(2)]).unwrap();
    histograms::assert_counted(&view.histogram(question, interval, &zone).unwrap(), found);
}

fn trace(draw: &mut Draw, view: &View, own: Option<&Filter>, all: &[Arc<Row>]) {
    let of_trace = |row: &Row| with_record(row, |record| record.event.trace_id.as_deref().map(str::to_owned));
    let traces: Vec<String> = all.iter().filter_map(|row| of_trace(row)).collect();
    let Some(trace_id) = traces.get(draw.below(traces.len().max(1))) else {
        return;
    };
    let question = Question {
        filter: Filter::Field {
            field: Field::TraceId,
            patterns: vec![Pattern::Whole(Folded::new(trace_id))],
        },
        ..Question::all()
    };
    let mut expected = found(all, &question, own);
    expected.sort_by_key(|row| (row.occurred_at, row.sequence));
    match view.trace(&text::fold_case(trace_id)) {
        Ok(trace) => assert_same(&trace.events, &expected),
        Err(Error::NotFound) => assert!(expected.is_empty(), "{trace_id}"),
        Err(error) => panic!("{error}"),
    }
}

fn by_id(draw: &mut Draw, view: &View, own: Option<&Filter>, all: &[Arc<Row>]) {
    for _ in 0..5.min(all.len()) {
        let row = &all[draw.below(all.len())];
        let is_seen = own.is_none_or(|own| with_record(row, |record| own.matches(record)));
        let found: Vec<_> = view.event(&row.id).unwrap().into_iter().collect();
        assert_same(&found, if is_seen { std::slice::from_ref(row) } else { &[] });
    }
}
