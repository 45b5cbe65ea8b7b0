//! One event as JSON text, in the order of members that a person would write.

use std::fmt::Write as _;

use trailbook_event::Timestamp;

use crate::{
    population::{Actor, Population, address},
    random::Random,
    vocabulary::{Action, CHANGES, FAILURES, USER_AGENTS},
};

const FAILED_PERCENT: u64 = 3;
const USUAL_ADDRESS_PERCENT: u64 = 85;

/// What is settled before the text is written.
pub(crate) struct Draft {
    pub(crate) organization: usize,
    pub(crate) actor: Actor,
    pub(crate) occurred_at: Timestamp,
    pub(crate) action: &'static Action,
    pub(crate) security: bool,
    pub(crate) trace: Option<u128>,
    pub(crate) client_id: Option<[u64; 2]>,
}

/// The event. Nothing in the vocabulary needs an escape, so texts are written as they are.
pub(crate) fn write_event(draft: &Draft, population: &Population, random: &mut Random) -> String {
    let mut out = String::with_capacity(1024);
    let action = draft.action;
    out.push('{');
    if let Some(client_id) = draft.client_id {
        write_client_id(&mut out, client_id);
    }
    put(
        &mut out,
        format_args!("\"organization\":\"{}\"", population.organization(draft.organization)),
    );
    put(
        &mut out,
        format_args!(
            ",\"occurred_at\":\"{}\",\"action\":\"{}\"",
            draft.occurred_at, action.name
        ),
    );
    put(
        &mut out,
        format_args!(
            ",\"action_type\":\"{}\",\"area\":\"{}\"",
            action.action_type, action.area
        ),
    );
    if random.percent(20) {
        put(&mut out, format_args!(",\"product\":\"{}\"", action.product));
    }
    let targets = targets(draft, population, random);
    put(
        &mut out,
        format_args!(",\"description\":\"{} {}\"", action.phrase, targets[0].1),
    );
    if draft.security {
        out.push_str(",\"security\":true");
    }
    let failed = random.percent(FAILED_PERCENT);
    if failed {
        put(
            &mut out,
            format_args!(
                ",\"result\":\"{}\"",
                if random.percent(30) { "denied" } else { "failure" }
            ),
        );
    }
    write_actor(&mut out, &draft.actor);
    write_targets(&mut out, action, &targets);
    write_context(&mut out, draft, random);
    if action.action_type == "update" {
        write_changes(&mut out, random);
    }
    if let Some(trace) = draft.trace {
        put(&mut out, format_args!(",\"trace_id\":\"{trace:032x}\""));
    }
    write_metadata(&mut out, random);
    if failed {
        put(&mut out, format_args!(",\"message\":\"{}\"", random.pick(&FAILURES)));
    }
    out.push('}');
    out
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes all text");
}

fn write_client_id(out: &mut String, [high, low]: [u64; 2]) {
    let (third, fourth) = (0x4000 | (high & 0xFFF), 0x8000 | (low >> 50));
    put(
        out,
        format_args!(
            "\"client_id\":\"{:08x}-{:04x}-{third:04x}-",
            high >> 32,
            (high >> 16) & 0xFFFF
        ),
    );
    put(out, format_args!("{fourth:04x}-{:012x}\",", low & 0xFFFF_FFFF_FFFF));
}

/// Ids and names of one to three targets: 88 % have one.
fn targets(draft: &Draft, population: &Population, random: &mut Random) -> Vec<(String, String)> {
    let count = match random.below(100) {
        0..88 => 1,
        88..97 => 2,
        _ => 3,
    };
    (0..count)
        .map(|_| {
            if draft.action.target.0 == "user" {
                let person = population.actor(draft.organization, population.draw_actor(random));
                return (person.id, person.name);
            }
            let (number, name) = population.draw_thing(draft.organization, random);
            (format!("{}{number}", draft.action.target.1), name)
        })
        .collect()
}

fn write_actor(out: &mut String, actor: &Actor) {
    put(
        out,
        format_args!(",\"actor\":{{\"type\":\"{}\",\"id\":\"{}\"", actor.actor_type, actor.id),
    );
    put(out, format_args!(",\"name\":\"{}\"", actor.name));
    if let Some(email) = &actor.email {
        put(out, format_args!(",\"email\":\"{email}\""));
    }
    if let Some(team) = actor.team {
        put(out, format_args!(",\"team\":\"{team}\""));
    }
    out.push('}');
}

fn write_targets(out: &mut String, action: &Action, targets: &[(String, String)]) {
    out.push_str(",\"targets\":[");
    for (position, (id, name)) in targets.iter().enumerate() {
        let comma = if position == 0 { "" } else { "," };
        put(
            out,
            format_args!(
                "{comma}{{\"type\":\"{}\",\"id\":\"{id}\",\"name\":\"{name}\"}}",
                action.target.0
            ),
        );
    }
    out.push(']');
}

fn write_context(out: &mut String, draft: &Draft, random: &mut Random) {
    let usual = random.percent(USUAL_ADDRESS_PERCENT);
    let ip = if usual { draft.actor.address } else { address(random) };
    let user_agent = match draft.actor.actor_type {
        "service" => USER_AGENTS[USER_AGENTS.len() - 1 - draft.actor.browser % 2],
        _ => USER_AGENTS[draft.actor.browser % (USER_AGENTS.len() - 2)],
    };
    put(
        out,
        format_args!(",\"context\":{{\"ip\":\"{ip}\",\"user_agent\":\"{user_agent}\""),
    );
    if random.percent(5) {
        put(
            out,
            format_args!(",\"url\":\"https://app.example.com/{}\"", draft.action.area),
        );
    }
    out.push('}');
}

/// One or two changes. In one of ten the value before is absent: the field is new.
fn write_changes(out: &mut String, random: &mut Random) {
    let count = 1 + usize::from(random.percent(30));
    let first = random.below(CHANGES.len() as u64) as usize;
    out.push_str(",\"changes\":[");
    for place in 0..count {
        let (field, values) = CHANGES[(first + place) % CHANGES.len()];
        let after = random.below(values.len() as u64) as usize;
        let before = (after + 1) % values.len();
        put(
            out,
            format_args!("{}{{\"field\":\"{field}\"", if place == 0 { "" } else { "," }),
        );
        if !random.percent(10) {
            put(out, format_args!(",\"before\":{}", values[before]));
        }
        put(out, format_args!(",\"after\":{}}}", values[after]));
    }
    out.push(']');
}

/// Kinds of members beside the request's id.
const METADATA_KINDS: usize = 10;

/// Three to eight members: the request's id, and others of ten kinds, each once and in a fixed order.
fn write_metadata(out: &mut String, random: &mut Random) {
    let mut wanted = 2 + (random.below(2) * random.below(6)) as usize;
    put(
        out,
        format_args!(
            ",\"metadata\":{{\"request_id\":\"{:016x}{:016x}\"",
            random.next_u64(),
            random.next_u64()
        ),
    );
    for kind in 0..METADATA_KINDS {
        if random.below((METADATA_KINDS - kind) as u64) < wanted as u64 {
            out.push(',');
            write_member(out, kind, random);
            wanted -= 1;
        }
    }
    out.push('}');
}

fn write_member(out: &mut String, kind: usize, random: &mut Random) {
    match kind {
        0 => put(
            out,
            format_args!("\"duration_ms\":{}", 3 + random.below(60) * random.below(60)),
        ),
        1 => put(
            out,
            format_args!(
                "\"plan\":\"{}\"",
                random.pick(&["free", "silver", "gold", "enterprise"])
            ),
        ),
        2 => put(
            out,
            format_args!(
                "\"region\":\"{}\"",
                random.pick(&["eu-west-1", "us-east-1", "ap-south-1"])
            ),
        ),
        3 => put(
            out,
            format_args!("\"source\":\"{}\"", random.pick(&["web", "api", "mobile", "scheduler"])),
        ),
        4 => put(
            out,
            format_args!(
                "\"app\":{{\"version\":\"4.{}.{}\",\"build\":{}}}",
                random.below(9),
                random.below(6),
                1900 + random.below(80)
            ),
        ),
        5 => put(out, format_args!("\"rows\":{}", random.below(40) * random.below(5000))),
        6 => put(
            out,
            format_args!("\"cost\":{}.{}", random.below(90), 1 + random.below(9)),
        ),
        7 => put(
            out,
            format_args!(
                "\"tags\":[\"{}\",\"{}\"]",
                random.pick(&["q1", "q2", "q3"]),
                random.pick(&["vip", "test", "core"])
            ),
        ),
        8 => put(
            out,
            format_args!(
                "\"locale\":\"{}\"",
                random.pick(&["en-GB", "en-US", "fr-FR", "de-DE", "hi-IN", "ja-JP"])
            ),
        ),
        _ => put(
            out,
            format_args!(
                "\"limits\":{{\"daily\":{},\"retry\":{}}}",
                1000 * (1 + random.below(20)),
                random.percent(50)
            ),
        ),
    }
}
