//! Events as rows of the table that a good engineer would make for them elsewhere: typed columns for what is filtered,
//! the words that are searched, and the whole event beside them.
//!
//! Not here: the tables (`bench/harness/history`), whose columns have this order.

use std::io::Write;

use anyhow::Context;
use serde_json::Value;
use trailbook_event::text;
use trailbook_testkit::GeneratedEvent;

/// Where the columns' values are in an event, in the table's order; `id` comes before them, `words` and `event` after.
const COLUMNS: [&str; 19] = [
    "/organization",
    "/occurred_at",
    "/action",
    "/action_type",
    "/area",
    "/product",
    "/security",
    "/result",
    "/actor/type",
    "/actor/id",
    "/actor/name",
    "/actor/email",
    "/actor/team",
    "/targets/0/type",
    "/targets/0/id",
    "/targets/0/name",
    "/context/ip",
    "/trace_id",
    "/metadata/duration_ms",
];

/// Writes one line an event.
pub(crate) fn write(events: impl Iterator<Item = GeneratedEvent>, out: impl Write) -> anyhow::Result<()> {
    let mut rows = csv::WriterBuilder::new().has_headers(false).from_writer(out);
    for (number, generated) in events.enumerate() {
        let event: Value = serde_json::from_str(&generated.json)?;
        rows.write_field(ordered_uuid(number as u64))?;
        for pointer in COLUMNS {
            rows.write_field(field(&event, pointer)?)?;
        }
        rows.write_field(words(&event))?;
        rows.write_field(&generated.json)?;
        rows.write_record(None::<&[u8]>)?;
    }
    Ok(rows.flush()?)
}

/// A UUIDv7 of a made-up time: in order of receipt, as a server would give them, with an unpredictable end.
fn ordered_uuid(number: u64) -> String {
    const MADE_UP_MS: u64 = 1_767_225_600_000;
    let mut random = trailbook_testkit::Random::of_thing(0x6964, number);
    let (time, end) = (MADE_UP_MS + number / 64, random.next_u64());
    format!(
        "{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}",
        time >> 16,
        time & 0xFFFF,
        (number % 64) << 6,
        0x8000 | (end >> 50),
        end & 0xFFFF_FFFF_FFFF
    )
}

/// The text form of a value; what the event leaves out is its default, or empty.
fn field(event: &Value, pointer: &str) -> anyhow::Result<String> {
    Ok(match event.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
        None if pointer == "/security" => "false".into(),
        None if pointer == "/result" => "success".into(),
        None => String::new(),
        other => None.with_context(|| format!("{pointer} is {other:?}"))?,
    })
}

/// The words of description, message, action, actor and targets, folded, with spaces around each.
fn words(event: &Value) -> String {
    let mut words = String::from(" ");
    let mut add = |value: Option<&Value>| {
        if let Some(written) = value.and_then(Value::as_str) {
            text::tokens(written, &mut |word| {
                words.push_str(word);
                words.push(' ');
            });
        }
    };
    for pointer in [
        "/description",
        "/message",
        "/action",
        "/actor/id",
        "/actor/name",
        "/actor/email",
    ] {
        add(event.pointer(pointer));
    }
    for target in event.get("targets").and_then(Value::as_array).into_iter().flatten() {
        add(target.get("id"));
        add(target.get("name"));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{ordered_uuid, write};
    use trailbook_testkit::GeneratedEvent;

    #[test]
    fn a_row_has_the_columns_defaults_folded_words_and_the_event_itself() {
        let json = r#"{"organization":"o","occurred_at":"2026-01-01T00:00:00Z","action":"a.b","actor":{"type":"user","id":"u_1","name":"Zoë"},"targets":[{"type":"t","id":"t_1","name":"X, Y"}],"metadata":{"duration_ms":7}}"#;
        let event = GeneratedEvent {
            organization: "o".into(),
            json: json.into(),
        };
        let mut out = Vec::new();
        write(std::iter::once(event), &mut out).expect("written");
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&out[..]);
        let row = reader.records().next().expect("a row").expect("CSV");
        assert_eq!(row.len(), 22);
        let expected = [
            (1, "o"),
            (7, "false"),
            (8, "success"),
            (12, ""),
            (16, "X, Y"),
            (19, "7"),
            (20, " a b u 1 zoe t 1 x y "),
            (21, json),
        ];
        for (column, value) in expected {
            assert_eq!(&row[column], value, "column={column}");
        }
    }

    #[test]
    fn ids_are_in_order_and_different() {
        let ids: Vec<_> = (0..1_000).map(ordered_uuid).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| id.len() == 36));
    }
}
