//! Listings, counts, single events and facets equal plain loops, also while events arrive between pages.

use std::{collections::BTreeMap, sync::Arc};

use proptest::{option, prelude::*};
use trailbook_event::{
    Filter,
    filter::{Field, facet_values},
};
use trailbook_ledger::{EventId, OrganizationKey, Row};
use trailbook_query::{CacheSizes, Engine, Error, FacetRequest, FacetValue, Order, PageRequest, Question, Scope};

use crate::{
    plain::{Plain, event, found, in_order, scope, sequences, view, with_record},
    random,
};

/// Reads a whole listing; `between` runs between pages.
fn listing(
    engine: &Engine,
    scope: &Scope,
    question: &Question,
    order: Order,
    limit: usize,
    mut between: impl FnMut(),
) -> Vec<u64> {
    let mut listed = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let request = PageRequest {
            question: question.clone(),
            order,
            limit,
            cursor: cursor.as_deref(),
        };
        let page = engine.view(scope).unwrap().page(&request).unwrap();
        assert!(page.rows.len() <= limit);
        listed.extend(sequences(&page.rows));
        between();
        match page.next {
            Some(next) => cursor = Some(next),
            None => return listed,
        }
    }
}

fn order() -> impl Strategy<Value = Order> {
    any::<bool>().prop_map(|ascending| if ascending { Order::Ascending } else { Order::Descending })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_listing_is_the_filter_over_a_plain_vector(
        history in random::history(),
        later in random::meanwhile(),
        question in random::question(),
        own in option::weighted(0.3, random::filter()),
        order in order(),
        limit in 1_usize..9,
        cached in any::<bool>(),
    ) {
        let nothing = CacheSizes { index_bytes: 0, row_bytes: 0 };
        let (plain, engine) = Plain::with(if cached { CacheSizes::default() } else { nothing });
        let scope = scope(own.clone());
        history.iter().for_each(|deed| plain.undergo(deed, &engine));
        let expected = in_order(found(&plain.all(), &question, own.as_ref()), order);
        let mut later = later.iter();
        let listed = listing(&engine, &scope, &question, order, limit, || {
            later.next().into_iter().for_each(|deed| plain.undergo(deed, &engine));
        });
        prop_assert_eq!(listed, expected);

        let view = engine.view(&scope).unwrap();
        let now = found(&plain.all(), &question, own.as_ref());
        prop_assert_eq!(view.count(&question).unwrap(), now.len() as u64);
        let exported: Vec<_> = view.rows(&question, order).map(Result::unwrap).collect();
        prop_assert_eq!(sequences(&exported), in_order(now, order));
        for row in plain.all() {
            let seen = own.as_ref().is_none_or(|own| with_record(&row, |record| own.matches(record)));
            let event = view.event(&row.id).unwrap();
            prop_assert_eq!(event.map(|event| event.sequence), seen.then_some(row.sequence));
        }
    }

    #[test]
    fn a_view_between_two_sequences_is_the_filter_over_a_piece_of_a_plain_vector(
        history in random::history(),
        question in random::question(),
        (begin, end) in (0_u64..40, 0_u64..60),
    ) {
        let (plain, engine) = Plain::new();
        history.iter().for_each(|deed| plain.undergo(deed, &engine));
        let view = view(&engine).between(begin..end);
        let mut rows = plain.all();
        rows.retain(|row| (begin..end).contains(&row.sequence));
        let expected = found(&rows, &question, None);
        prop_assert_eq!(view.count(&question).unwrap(), expected.len() as u64);
        prop_assert_eq!(view.any_before(&question, u64::MAX).unwrap(), !expected.is_empty());
        let before = expected.iter().any(|row| row.sequence < 25);
        prop_assert_eq!(view.any_before(&question, 25).unwrap(), before);
        let listed: Vec<_> = view.rows(&question, Order::Ascending).map(Result::unwrap).collect();
        prop_assert_eq!(sequences(&listed), in_order(expected, Order::Ascending));
    }

    #[test]
    fn facets_count_what_a_plain_loop_counts(
        history in random::history(),
        question in random::question(),
        limit in 1_usize..6,
        prefix in option::of(prop_oneof![Just("m"), Just("A"), Just("")]),
    ) {
        let (plain, engine) = Plain::new();
        history.iter().for_each(|deed| plain.undergo(deed, &engine));
        let names = ["actor", "target", "area", "changed", "metadata.a", "metadata.a.b", "security", "country"];
        let fields = names.map(|name| Field::from_name(name).unwrap().unwrap()).to_vec();
        let request =
            FacetRequest { question: question.clone(), fields: fields.clone(), limit, prefix: prefix.map(str::to_owned) };
        let facets = view(&engine).facets(&request).unwrap();
        for (facet, field) in facets.iter().zip(&fields) {
            prop_assert_eq!(&facet.field, field);
            prop_assert_eq!(&facet.values, &plain_facet(found(&plain.all(), &question, None), field, prefix, limit), "{}", field);
        }
    }
}

/// The values of a field among rows that were found.
pub(crate) fn plain_facet(
    mut rows: Vec<Arc<Row>>,
    field: &Field,
    prefix: Option<&str>,
    limit: usize,
) -> Vec<FacetValue> {
    rows.sort_by_key(|row| (row.occurred_at, row.sequence));
    let mut known = BTreeMap::<String, (u64, Option<String>)>::new();
    for row in rows {
        let mut of_row = BTreeMap::<String, Option<String>>::new();
        with_record(&row, |record| {
            facet_values(record, field, &mut |value, label| {
                let known = of_row.entry(value.to_owned()).or_default();
                *known = known.take().or(label.map(str::to_owned));
            });
        });
        for (value, label) in of_row {
            let known = known.entry(value).or_default();
            known.0 += 1;
            known.1 = label.or(known.1.take());
        }
    }
    let begins = |text: &str| prefix.is_none_or(|prefix| text.to_lowercase().starts_with(&prefix.to_lowercase()));
    let mut values: Vec<FacetValue> = known
        .into_iter()
        .map(|(value, (count, label))| FacetValue { value, label, count })
        .filter(|value| begins(&value.value) || value.label.as_deref().is_some_and(begins))
        .collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.count));
    values.truncate(limit);
    values
}

#[test]
fn a_cursor_continues_only_the_listing_that_it_began() {
    let (plain, engine) = Plain::new();
    plain.append(&(0..5).map(|time| event("user.login", time)).collect::<Vec<_>>());
    let question = Question::all();
    let first = PageRequest {
        question: question.clone(),
        order: Order::Descending,
        limit: 2,
        cursor: None,
    };
    let next = view(&engine).page(&first).unwrap().next.unwrap();
    let range = engine.cursor_range(&next).unwrap();
    assert_eq!(range, question.range);

    let with = |question: &Question, order| PageRequest {
        question: question.clone(),
        order,
        limit: 2,
        cursor: Some(&next),
    };
    let refused = |result: Result<_, Error>| matches!(result, Err(Error::Invalid { .. }));
    assert_eq!(
        sequences(&view(&engine).page(&with(&question, Order::Descending)).unwrap().rows),
        [2, 1]
    );
    assert!(refused(view(&engine).page(&with(&question, Order::Ascending))));
    let before = Filter::Before(trailbook_event::Timestamp::from_millis(9));
    let filtered = Question {
        filter: before.clone(),
        ..Question::all()
    };
    assert!(refused(view(&engine).page(&with(&filtered, Order::Descending))));
    let mut later = Question::all();
    later.range.from = Some(trailbook_event::Timestamp::from_millis(0));
    assert!(refused(view(&engine).page(&with(&later, Order::Descending))));
    let narrowed = engine.view(&scope(Some(before))).unwrap();
    assert!(refused(narrowed.page(&with(&question, Order::Descending))));
    assert!(refused(engine.cursor_range("AAAA").map(|_| unreachable!())));
}

#[test]
fn an_unknown_ledger_or_event_is_not_found() {
    let (plain, engine) = Plain::new();
    plain.append(&[event("user.login", 0)]);
    let elsewhere = Scope {
        organization: OrganizationKey::new("default", "other"),
        own: None,
    };
    assert!(matches!(engine.view(&elsewhere), Err(Error::NotFound)));
    assert!(matches!(engine.catch_up(&elsewhere.organization), Err(Error::NotFound)));
    for id in [EventId::from_bytes([0; 16]), EventId::from_bytes([0xff; 16])] {
        assert!(view(&engine).event(&id).unwrap().is_none());
    }
}
