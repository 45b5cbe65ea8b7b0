//! Traces: one operation's events, oldest first.

use trailbook_event::{
    Actor, Event,
    filter::{Field, Folded, Pattern},
};
use trailbook_query::Error;

use crate::plain::{Plain, event, scope, sequences, view};

fn step(
    action: &'static str,
    at: i64,
    kind: &'static str,
    id: Option<&'static str>,
    name: &'static str,
) -> Event<'static> {
    Event {
        trace_id: Some("4BF92F35".into()),
        actor: Actor {
            kind: kind.into(),
            id: id.map(Into::into),
            name: Some(name.into()),
            email: None,
            team: None,
        },
        ..event(action, at)
    }
}

#[test]
fn a_trace_has_its_events_oldest_first_and_the_actors_that_are_known() {
    let (plain, engine) = Plain::new();
    plain.append(&[
        step("query.run", 50, "user", Some("u_1"), "Sarah"),
        step("query.ask", 10, "anonymous", None, "Nobody"),
        event("query.run", 20),
        step("query.run", 70, "user", Some("u_1"), "Sarah Khan"),
        step("query.done", 70, "service", None, "engine"),
    ]);
    let trace = view(&engine).trace("4bf92f35").unwrap();
    assert_eq!(sequences(&trace.events), [1, 0, 3, 4]);
    assert_eq!(trace.duration_ms, 60);
    let actions: Vec<_> = trace
        .actions
        .iter()
        .map(|(action, count)| (action.as_str(), *count))
        .collect();
    assert_eq!(actions, [("query.ask", 1), ("query.done", 1), ("query.run", 2)]);
    let actors: Vec<_> = trace
        .actors
        .iter()
        .map(|actor| (actor.kind.as_str(), actor.name.as_deref()))
        .collect();
    assert_eq!(actors, [("user", Some("Sarah Khan")), ("service", Some("engine"))]);

    let own = trailbook_event::Filter::Field {
        field: Field::Action,
        patterns: vec![Pattern::Whole(Folded::new("query.ask"))],
    };
    let narrowed = engine.view(&scope(Some(own))).unwrap();
    assert_eq!(sequences(&narrowed.trace("4bf92f35").unwrap().events), [1]);
    assert!(matches!(view(&engine).trace("4bf92f"), Err(Error::NotFound)));
}
