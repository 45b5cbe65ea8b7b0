//! An organization that was opened and has no events yet: every question is answered, with nothing.

use jiff::tz::TimeZone;
use trailbook_event::{Filter, filter::Field};
use trailbook_ledger::{EventId, OrganizationKey, Settlement};
use trailbook_query::{CacheSizes, Engine, FacetRequest, Interval, Order, PageRequest, Question, Scope};

use crate::stored::{Stored, admitted};

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_ledger_answers_every_question_with_nothing_and_its_feed_brings_the_first_event() {
    let stored = Stored::new(1, 50).await;
    let ledger = stored.open().await;
    let organization = OrganizationKey::new("default", "opened");
    let settlement = Settlement {
        open: vec![organization.clone()],
        ..Settlement::default()
    };
    ledger.settle(settlement).await.unwrap();
    let engine = Engine::new(ledger.clone(), [7; 32], CacheSizes::default());
    let scope = Scope {
        organization: organization.clone(),
        own: None,
    };
    engine.catch_up(&organization).unwrap();
    engine.trim();
    let view = engine.view(&scope).unwrap();
    assert_eq!((view.size(), view.count(&Question::all()).unwrap()), (0, 0));
    for order in [Order::Descending, Order::Ascending] {
        let page = view
            .page(&PageRequest {
                question: Question::all(),
                order,
                limit: 10,
                cursor: None,
            })
            .unwrap();
        assert_eq!((page.rows.len(), page.next), (0, None));
        assert!(view.rows(&Question::all(), order).next().is_none());
    }
    assert!(view.event(&EventId::first(1, [7; 10])).unwrap().is_none());
    let facets = FacetRequest {
        question: Question::all(),
        fields: vec![Field::from_name("action").unwrap().unwrap()],
        limit: 10,
        prefix: None,
    };
    assert!(view.facets(&facets).unwrap()[0].values.is_empty());
    view.histogram(&Question::all(), Interval::Day, &TimeZone::UTC).unwrap();

    let mut feed = engine.live(&scope, &Filter::all(), None).unwrap();
    let event = r#"{"organization":"opened","action":"thing.done","actor":{"id":"u_1"}}"#;
    let submission = ledger.prepare("default", admitted(event), None, &|_| None);
    ledger.append(submission).await.unwrap();
    assert_eq!(feed.next().await.unwrap()[0].sequence, 0);
    ledger.close().await.unwrap();
    assert_eq!(stored.fsck().await.findings, []);
}
