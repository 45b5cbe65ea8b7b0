//! Parquet as the crate's reader of rows sees it. Engines read it in `scripts/check_exports.py`.

use std::io::{self, Write};

use bytes::Bytes;
use parquet::{
    file::reader::{FileReader as _, SerializedFileReader},
    record::Field,
};
use trailbook_deliver::{Error, csv::Column, json::Envelope, parquet::Writer};
use trailbook_event::Part;
use trailbook_ledger::{PartSecret, Row, Secrets};

use crate::ledger::{parts, row, row_with};

const ENVELOPE: Envelope<'static> = Envelope {
    project: "default",
    kept_ms: Some(1000),
};

fn file(columns: Option<&str>, rows: &[Row]) -> SerializedFileReader<Bytes> {
    let columns = columns.map(|ids| Column::parse_list(ids).unwrap());
    let mut writer = Writer::new(Vec::new(), columns).unwrap();
    rows.iter().for_each(|row| writer.push(row, &ENVELOPE).unwrap());
    SerializedFileReader::new(Bytes::from(writer.finish().unwrap())).unwrap()
}

/// Each row's columns as names and values in text.
fn rows(file: &SerializedFileReader<Bytes>) -> Vec<Vec<(String, String)>> {
    let text = |field: &Field| match field {
        Field::Str(text) => format!("{text:?}"),
        Field::TimestampMillis(millis) => format!("@{millis}"),
        other => other.to_string(),
    };
    let rows = file.get_row_iter(None).unwrap();
    rows.map(|row| {
        let row = row.unwrap();
        row.get_column_iter()
            .map(|(name, field)| (name.clone(), text(field)))
            .collect()
    })
    .collect()
}

fn value<'r>(row: &'r [(String, String)], name: &str) -> &'r str {
    &row.iter().find(|(column, _)| column == name).unwrap().1
}

#[test]
fn each_column_holds_what_the_event_says_there() {
    let written = row_with(7, "=Sarah", "{\"plan\":\"gold\"}");
    let found = rows(&file(None, std::slice::from_ref(&written)));
    let expected = [
        ("id", format!("\"{}\"", written.id)),
        ("project", "\"default\"".into()),
        ("organization", "\"acme\"".into()),
        ("sequence", "7".into()),
        ("epoch", "1".into()),
        ("received_at", "@1700000007000".into()),
        ("occurred_at", "@1795166047482".into()),
        ("expires_at", "@1700000008000".into()),
        ("action", "\"user.role.updated\"".into()),
        ("action_type", "\"update\"".into()),
        ("area", "\"users\"".into()),
        ("product", "null".into()),
        ("description", "\"Made owner\"".into()),
        ("security", "true".into()),
        ("result", "\"success\"".into()),
        ("actor_type", "\"user\"".into()),
        ("actor_id", "\"u_81\"".into()),
        ("actor_name", "\"=Sarah\"".into()),
        ("actor_email", "null".into()),
        ("actor_team", "null".into()),
        ("target_types", "[\"user\", \"user\"]".into()),
        ("target_ids", "[\"u_92\", null]".into()),
        ("target_names", "[\"Bill\", \"Ann\"]".into()),
        ("target_emails", "[null, null]".into()),
        ("ip", "\"203.0.113.24\"".into()),
        ("country", "\"GB\"".into()),
        ("user_agent", "null".into()),
        ("url", "null".into()),
        ("referrer", "null".into()),
        ("trace_id", "null".into()),
        ("client_id", "null".into()),
        ("changes", format!("{:?}", "[{\"after\":\"owner\",\"field\":\"role\"}]")),
        ("metadata", format!("{:?}", "{\"plan\":\"gold\"}")),
        ("message", "null".into()),
        ("redacted", "[]".into()),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    assert_eq!(found, [expected.to_vec()]);
}

#[test]
fn chosen_columns_are_there_once_in_their_order_as_texts_and_times() {
    let ids = "metadata.plan,occurred_at,sequence,targets.name,metadata.plan,targets.1.id,security";
    let found = rows(&file(Some(ids), &[row(3)]));
    let expected = [
        ("metadata.plan", "\"gold\""),
        ("occurred_at", "@1795166047482"),
        ("sequence", "\"3\""),
        ("targets.name", "\"Bill, Ann\""),
        ("targets.1.id", "null"),
        ("security", "\"true\""),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(found, [expected.to_vec()]);
}

#[test]
fn an_empty_text_is_a_text_and_what_is_not_said_is_null() {
    let mut quiet = row_with(0, "", "null");
    let texts = Part::ALL.map(|part| String::from_utf8(quiet.parts.part(part).to_vec()).unwrap());
    let [core, actor, _, context, _] = &texts;
    let details = "{\"changes\":[],\"message\":\"\",\"metadata\":null}";
    quiet.parts = parts([core, actor, "[]", context, details]);
    for columns in [None, Some("actor.name,message,changes,metadata")] {
        let found = rows(&file(columns, std::slice::from_ref(&quiet)));
        let name = if columns.is_some() { "actor.name" } else { "actor_name" };
        assert_eq!(value(&found[0], name), "\"\"");
        assert_eq!(value(&found[0], "message"), "\"\"");
        assert_eq!(value(&found[0], "changes"), "null");
        assert_eq!(value(&found[0], "metadata"), "null");
    }
    let found = rows(&file(None, &[quiet]));
    assert_eq!(value(&found[0], "target_types"), "[]");
    assert_eq!(value(&found[0], "target_names"), "[]");
}

#[test]
fn redacted_parts_are_named() {
    let mut redacted = row(1);
    let mut secrets = Part::ALL.map(|part| redacted.secret(part));
    for part in [Part::Actor, Part::Details] {
        let place = usize::from(part.number()) - 1;
        secrets[place] = PartSecret::Commitment(redacted.commitments()[place]);
    }
    redacted.secrets = Secrets::Redacted(Box::new(secrets));
    let found = rows(&file(None, &[row(0), redacted, row(2)]));
    let parts: Vec<&str> = found.iter().map(|row| value(row, "redacted")).collect();
    assert_eq!(parts, ["[]", "[\"actor\", \"details\"]", "[]"]);
}

#[test]
fn a_long_file_has_several_row_groups_and_every_row_once() {
    let count = 70_000;
    let columns = Some(Column::parse_list("sequence").unwrap());
    let mut writer = Writer::new(Vec::new(), columns).unwrap();
    let mut event = row(0);
    for sequence in 0..count {
        event.sequence = sequence;
        writer.push(&event, &ENVELOPE).unwrap();
    }
    let file = SerializedFileReader::new(Bytes::from(writer.finish().unwrap())).unwrap();
    assert_eq!(file.num_row_groups(), 2);
    let sequences = file.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string());
    assert!(sequences.eq((0..count).map(|sequence| format!("{{sequence: \"{sequence}\"}}"))));
}

#[test]
fn nothing_at_all_is_a_file_with_columns_and_without_rows() {
    let file = file(None, &[]);
    assert_eq!(file.metadata().file_metadata().schema().get_fields().len(), 35);
    assert!(rows(&file).is_empty());
}

#[test]
fn an_output_that_takes_no_more_is_said() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut writer = Writer::new(Full(100), None).unwrap();
    writer.push(&row(0), &ENVELOPE).unwrap();
    assert!(matches!(writer.finish(), Err(Error::Output(_))));
}
