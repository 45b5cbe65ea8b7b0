//! CSV as a CSV reader and Python's csv module see it.

use std::{collections::BTreeMap, process::Command, sync::Arc};

use jiff::tz::TimeZone;
use trailbook_deliver::{
    csv::{Column, Csv, DEFAULT_COLUMNS},
    json::Envelope,
    labels::Labels,
};
use trailbook_ledger::Row;

use crate::ledger::{row, row_with};

const ENVELOPE: Envelope<'static> = Envelope {
    project: "default",
    kept_ms: None,
};

fn file(columns: Vec<Column>, zone: Option<TimeZone>, rows: &[Row]) -> Vec<u8> {
    let ids: Vec<String> = columns.iter().map(|column| column.id().to_owned()).collect();
    let mut csv = Csv::new(columns, zone);
    csv.header(&ids).unwrap();
    rows.iter().for_each(|row| csv.row(row, &ENVELOPE).unwrap());
    csv.take().unwrap()
}

/// The cells of the only row, by the columns' ids.
fn cells(ids: &str, zone: Option<TimeZone>, row: &Row) -> Vec<String> {
    let bytes = file(Column::parse_list(ids).unwrap(), zone, std::slice::from_ref(row));
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>().join(","), ids);
    let record = reader.records().next().unwrap().unwrap();
    record.iter().map(str::to_owned).collect()
}

/// Texts that people and programs have put into names to see what happens.
const HOSTILE: [&str; 16] = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "a,b",
    "say \"hi\"",
    "two\r\nlines",
    "'=1",
    "",
    " =1",
    "é=",
    "\"=1\"",
];

#[test]
fn two_readers_see_the_same_cells_and_none_starts_a_formula() {
    let rows: Vec<Row> = (0..)
        .zip(HOSTILE)
        .map(|(at, text)| row_with(at, text, "null"))
        .collect();
    let bytes = file(Column::defaults(), None, &rows);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(bytes.as_slice());
    let ours: Vec<Vec<String>> = reader
        .records()
        .map(|record| record.unwrap().iter().map(str::to_owned).collect())
        .collect();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.csv");
    std::fs::write(&path, &bytes).unwrap();
    let script =
        "import csv, json, sys; print(json.dumps(list(csv.reader(open(sys.argv[1], newline='', encoding='utf-8')))))";
    let output = Command::new("python3")
        .args(["-c", script])
        .arg(&path)
        .output()
        .unwrap();
    let theirs: Vec<Vec<String>> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(ours, theirs);
    assert_eq!(ours[0], DEFAULT_COLUMNS);
    let formula = |cell: &&String| cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    assert_eq!(ours.iter().flatten().find(formula), None);
    let name = DEFAULT_COLUMNS.iter().position(|id| *id == "actor.name").unwrap();
    for (line, text) in ours[1..].iter().zip(HOSTILE) {
        assert_eq!(
            line[name]
                .strip_prefix('\'')
                .filter(|_| !text.starts_with('\''))
                .unwrap_or(&line[name]),
            text
        );
    }
}

#[test]
fn a_cell_holds_the_value_at_its_path() {
    let metadata = "{\"a.b\":1,\"credit\":-5,\"flags\":[true,\"x\"],\"note\":\"text\",\"nothing\":null,\"plan\":{\"name\":\"gold\"}}";
    let row = row_with(7, "Sarah", metadata);
    for (id, expected) in [
        ("sequence", "7"),
        ("project", "default"),
        ("country", "GB"),
        ("received_at", "2023-11-14T22:13:27.000Z"),
        ("occurred_at", "2026-11-20T09:14:07.482Z"),
        ("security", "true"),
        ("area", "users"),
        ("product", ""),
        ("expires_at", ""),
        ("targets.name", "Bill, Ann"),
        ("targets.id", "u_92"),
        ("targets.1.name", "Ann"),
        ("targets.1.id", ""),
        ("targets.2.name", ""),
        ("changes.field", "role"),
        ("changes", "[{\"after\":\"owner\",\"field\":\"role\"}]"),
        ("metadata", metadata),
        ("metadata.plan.name", "gold"),
        ("metadata.plan", "{\"name\":\"gold\"}"),
        ("metadata.a\\.b", "1"),
        ("metadata.credit", "'-5"),
        ("metadata.flags", "[true,\"x\"]"),
        ("metadata.note", "text"),
        ("metadata.nothing", ""),
        ("metadata.absent.deeper", ""),
    ] {
        assert_eq!(cells(id, None, &row), [expected], "{id}");
    }
}

#[test]
fn times_are_in_the_zone_asked_for() {
    let kolkata = TimeZone::fixed(jiff::tz::Offset::from_seconds(19_800).unwrap());
    let row = row(0);
    let expected = ["2026-11-20T14:44:07.482+05:30", "2023-11-15T03:43:20.000+05:30"];
    assert_eq!(cells("occurred_at,received_at", Some(kolkata), &row), expected);
    let west = TimeZone::fixed(jiff::tz::Offset::from_seconds(-12_600).unwrap());
    assert_eq!(
        cells("occurred_at", Some(west), &row),
        ["2026-11-20T05:44:07.482-03:30"]
    );
}

#[test]
fn lines_end_in_carriage_return_and_line_feed_and_labels_are_neutralised() {
    let mut csv = Csv::new(Column::parse_list("sequence,action").unwrap(), None);
    csv.header(&["=No.", "Action, done"]).unwrap();
    csv.row(&row(3), &ENVELOPE).unwrap();
    let first = csv.take().unwrap();
    csv.row(&row(4), &ENVELOPE).unwrap();
    assert_eq!(
        String::from_utf8(first).unwrap(),
        "'=No.,\"Action, done\"\r\n3,user.role.updated\r\n"
    );
    assert_eq!(csv.take().unwrap(), b"4,user.role.updated\r\n");
}

#[test]
fn a_rendered_column_speaks_the_words_of_the_labels() {
    let words = |of: &str, words: &[(&str, &str)]| {
        let words = words
            .iter()
            .map(|(value, word)| ((*value).to_owned(), (*word).to_owned()));
        (of.to_owned(), words.collect::<BTreeMap<_, _>>())
    };
    let values = BTreeMap::from([
        words("targets.type", &[("user", "User")]),
        words("security", &[("true", "")]),
        words("role", &[("owner", "Owner")]),
        words("metadata.plan", &[("gold", "=Gold")]),
    ]);
    let labels = Arc::new(Labels::new(Vec::new(), BTreeMap::new(), values));
    let zone = TimeZone::fixed(jiff::tz::Offset::from_seconds(19_800).unwrap());
    for (template, cell) in [
        ("{action_type}: {description}", "Update: Made owner"),
        ("{targets.name} · {targets.type}", "Bill, Ann · User, User"),
        ("{targets.id}", "u_92, —"),
        ("{actor.name} · {actor.email}", "Sarah 7 · —"),
        ("{actor.email|actor.name}", "Sarah 7"),
        ("{actor.email} ({product})", ""),
        ("{security}", ""),
        ("{changes.field} {changes.before} {changes.after}", "role — Owner"),
        ("{metadata.plan}", "'=Gold"),
        ("{sequence} {country} {expires_at}", "7 GB —"),
        ("{occurred_at}", "2026-11-20T14:44:07.482+05:30"),
        ("{received_at}", "2023-11-15T03:43:27.000+05:30"),
        ("as it is", "as it is"),
    ] {
        let column = Column::rendered("cell", template, labels.clone()).unwrap();
        let bytes = file(vec![column], Some(zone.clone()), &[row(7)]);
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let record = reader
            .records()
            .next()
            .map_or_else(csv::StringRecord::new, Result::unwrap);
        assert_eq!(record.get(0).unwrap_or_default(), cell, "{template}");
    }
    let wrong = Column::rendered("cell", "{nothing} {", labels).unwrap_err().to_string();
    assert!(
        wrong.contains("`cell`") && wrong.contains("`nothing`") && wrong.contains("not closed"),
        "{wrong}"
    );
}

#[test]
fn an_unknown_column_is_named_with_its_neighbours() {
    for (id, near) in [
        ("actor.emial", "Did you mean `actor.email`"),
        ("email", "`actor.email`, `targets.email`"),
        ("occured_at", "`occurred_at`"),
        ("zzz", "event paths such as"),
        ("targets.01.name", ""),
        ("targets.0.nam", ""),
        ("metadata.", ""),
        ("", "event paths such as"),
    ] {
        let sentence = Column::parse(id).unwrap_err().to_string();
        assert!(
            sentence.starts_with(&format!("There is no column `{id}`.")) && sentence.contains(near),
            "{sentence}"
        );
    }
}
