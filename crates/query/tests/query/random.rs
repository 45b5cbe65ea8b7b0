//! Random events and filters from small vocabularies, so that they meet.

use proptest::{collection::vec, option, prelude::*, sample::select};
use trailbook_event::{
    Actor, Change, Context, Event, Filter, Part, Target, Timestamp,
    filter::{Field, Pattern, Words},
    json::Value,
};
use trailbook_query::{Question, Range};

use crate::plain::Deed;

const WORDS: &[&str] = &[
    "Role",
    "role",
    "roles",
    "Rôle",
    "user.role.updated",
    "USER.role",
    "Müller",
    "muller",
    "a",
    "ab",
    "abc",
    "ABC",
    "4",
    "42",
    "4.5",
    "-0.25",
    "日本語",
    "made owner of",
    "made  Owner",
    "owner-made",
    "x*",
    "true",
];
const ADDRESSES: &[&str] = &[
    "203.0.113.24",
    "203.0.114.1",
    "::ffff:203.0.113.9",
    "2001:db8::1",
    "not an address",
];
const FIELDS: &[&str] = &[
    "action",
    "action_type",
    "area",
    "product",
    "actor",
    "actor_type",
    "team",
    "target",
    "target_type",
    "ip",
    "country",
    "result",
    "trace_id",
    "client_id",
    "security",
    "changed",
    "metadata.a",
    "metadata.a.b",
    "metadata.none",
];
/// Events lie this many milliseconds apart at most.
pub(crate) const SPAN_MS: i64 = 400_000_000;

fn word() -> impl Strategy<Value = &'static str> {
    select(WORDS)
}

fn maybe() -> impl Strategy<Value = Option<std::borrow::Cow<'static, str>>> {
    option::of(word().prop_map(Into::into))
}

fn value() -> impl Strategy<Value = Value<'static>> {
    let leaf = prop_oneof![
        word().prop_map(|text| Value::String(text.into())),
        select(&[0.0, 4.0, 42.0, 0.1, 0.2, -7.5][..]).prop_map(Value::Number),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::Array),
            inner.prop_map(|value| Value::Object(vec![("b".into(), value)])),
        ]
    })
}

fn actor() -> impl Strategy<Value = Actor<'static>> {
    (
        select(&["user", "service", "anonymous", "unknown"][..]),
        maybe(),
        maybe(),
        maybe(),
        maybe(),
    )
        .prop_map(|(kind, id, name, email, team)| Actor {
            kind: kind.into(),
            id,
            name,
            email,
            team,
        })
}

fn target() -> impl Strategy<Value = Target<'static>> {
    (word(), maybe(), maybe(), maybe()).prop_map(|(kind, id, name, email)| Target {
        kind: kind.into(),
        id,
        name,
        email,
    })
}

fn details() -> impl Strategy<Value = (Vec<Change<'static>>, Option<Value<'static>>, Option<&'static str>)> {
    let change = (word(), option::of(value()), option::of(value())).prop_map(|(field, before, after)| Change {
        field: field.into(),
        before,
        after,
    });
    let metadata = option::of(value()).prop_map(|value| value.map(|value| Value::Object(vec![("a".into(), value)])));
    (vec(change, 0..2), metadata, option::of(word()))
}

pub(crate) fn event() -> impl Strategy<Value = Event<'static>> {
    let core = (word(), word(), maybe(), maybe(), maybe(), any::<bool>(), maybe());
    let ids = (maybe(), 0..SPAN_MS, option::of(select(ADDRESSES)));
    (core, ids, actor(), vec(target(), 0..3), details()).prop_map(|(core, ids, actor, targets, details)| {
        let (action, action_type, area, product, description, security, trace_id) = core;
        let (client_id, time, ip) = ids;
        let (changes, metadata, message) = details;
        Event {
            client_id,
            // Some happen in the same millisecond.
            occurred_at: Timestamp::from_millis(if time % 5 == 0 { 1000 } else { time }),
            action_type: action_type.into(),
            area,
            product,
            description,
            security,
            trace_id,
            actor,
            targets,
            context: Context {
                ip: ip.map(Into::into),
                ..Context::default()
            },
            changes,
            metadata,
            message: message.map(Into::into),
            ..super::plain::event(action, 0)
        }
    })
}

fn pattern(field: &Field) -> BoxedStrategy<Pattern> {
    let made = |field: Field, value: String, prefix| Pattern::new(&field, value.into(), prefix).unwrap();
    let (field, other) = (field.clone(), field.clone());
    match field {
        Field::Ip => select(&["203.0.113.0/24", "203.0.113.24", "::/0", "2001:db8::/32", "0.0.0.0/0"][..])
            .prop_map(move |network| made(other.clone(), network.to_owned(), false))
            .boxed(),
        Field::Security => any::<bool>()
            .prop_map(move |value| made(other.clone(), value.to_string(), false))
            .boxed(),
        _ => (
            prop_oneof![word(), select(&["us", "DE", "success", "user", "SERVICE"][..])],
            any::<bool>(),
            0..4_usize,
        )
            .prop_map(move |(text, prefix, cut)| {
                let text: String = if prefix {
                    text.chars().take(cut).collect()
                } else {
                    text.to_owned()
                };
                made(other.clone(), text, prefix)
            })
            .boxed(),
    }
}

fn leaf() -> impl Strategy<Value = Filter> {
    let field = select(FIELDS)
        .prop_map(|name| Field::from_name(name).unwrap().unwrap())
        .prop_flat_map(|field| {
            vec(pattern(&field), 1..3).prop_map(move |patterns| Filter::Field {
                field: field.clone(),
                patterns,
            })
        });
    let words =
        (word(), word(), any::<bool>(), any::<bool>()).prop_filter_map("no words", |(one, two, both, exact)| {
            let words = Words::new(if both { format!("{one} {two}") } else { one.to_owned() })?;
            Some(if exact {
                Filter::Phrase(words)
            } else {
                Filter::Word(words)
            })
        });
    let time = (0..SPAN_MS, any::<bool>()).prop_map(|(time, before)| {
        let instant = Timestamp::from_millis(time);
        if before {
            Filter::Before(instant)
        } else {
            Filter::After(instant)
        }
    });
    prop_oneof![4 => field, 3 => words, 1 => time]
}

pub(crate) fn filter() -> impl Strategy<Value = Filter> {
    leaf().prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Filter::all_of),
            vec(inner.clone(), 0..4).prop_map(Filter::any_of),
            inner.prop_map(Filter::negated),
        ]
    })
}

pub(crate) fn question() -> impl Strategy<Value = Question> {
    let end = || option::weighted(0.3, (0..SPAN_MS).prop_map(Timestamp::from_millis));
    (prop_oneof![3 => filter(), 1 => Just(Filter::all())], end(), end()).prop_map(|(filter, from, to)| Question {
        filter,
        range: Range { from, to },
    })
}

fn appended() -> impl Strategy<Value = Deed> {
    vec(event(), 1..6).prop_map(Deed::Append)
}

/// What changes no answer.
fn upkeep() -> impl Strategy<Value = Deed> {
    let share = || prop_oneof![1 => Just(1000_u16), 2 => 0..1000_u16];
    prop_oneof![
        2 => Just(Deed::Read),
        1 => Just(Deed::CatchUp),
        3 => share().prop_map(Deed::Seal),
        1 => Just(Deed::Merge),
    ]
}

/// A ledger's life in the tail and in segments, with floors and redactions.
pub(crate) fn history() -> impl Strategy<Value = Vec<Deed>> {
    let parts = proptest::sample::subsequence(Part::ALL.to_vec(), 1..=5);
    let loss = prop_oneof![
        1 => (0..300_u16).prop_map(Deed::Floor),
        3 => (0..1000_u16, parts).prop_map(|(place, parts)| Deed::Redact(place, parts)),
    ];
    vec(prop_oneof![5 => appended(), 3 => upkeep(), 1 => loss], 1..40)
}

/// What may happen while a listing is read, and does not change it.
pub(crate) fn meanwhile() -> impl Strategy<Value = Vec<Deed>> {
    vec(prop_oneof![appended(), upkeep()], 0..24)
}
