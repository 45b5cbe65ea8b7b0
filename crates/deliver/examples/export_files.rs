//! Writes the same events as CSV, JSON lines and Parquet into a directory, for other programs to open: generated ones, and ones
//! whose texts try what texts can try.
//!
//! `cargo run -p trailbook-deliver --example export_files DIRECTORY`; `scripts/check_exports.py` runs it.
#![allow(clippy::unwrap_used, reason = "a tool for tests stops where something is wrong")]

mod support;

use std::{fs::File, io::Write as _, path::Path, sync::Arc};

use serde_json::json;
use trailbook_deliver::{
    csv::{Column, Csv},
    json::Envelope,
    jsonl, parquet,
};
use trailbook_ledger::Row;
use trailbook_testkit::{Generator, Shape};

const GENERATED: usize = 3_000;
const ENVELOPE: Envelope<'static> = Envelope {
    project: "default",
    kept_ms: Some(31_536_000_000),
};

/// What a spreadsheet may run, and what a reader of CSV or Parquet may stumble over.
const HOSTILE: [&str; 38] = [
    "=1+1",
    "=HYPERLINK(\"http://127.0.0.1/?\"&A1,\"here\")",
    "=cmd|'/c calc'!A0",
    "+1+1",
    "+cmd|'/c calc'!A0",
    "-1+1",
    "-2+3+cmd|'/c calc'!A0",
    "@SUM(1+1)*cmd|'/c calc'!A0",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\r\n=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "'=1+1",
    "\"=1+1\"",
    "a\",=1+1,\"",
    ";=1+1",
    "a,b;c\td|e",
    "say \"hi\"",
    "\"",
    "\"\"",
    "two\nlines",
    "two\r\nlines",
    "carriage\rreturn",
    "ends in a newline\n",
    "",
    " ",
    " =1+1",
    "0123",
    "NULL",
    "é ü ß 漢字 🎉 ￿ \u{202e}txt",
    "\u{feff}=1+1",
    "\u{7f}\u{85}\u{2028}\u{2029}",
    "back\\slash",
];

fn main() {
    let directory = std::env::args().nth(1).expect("name a directory");
    let rows = support::rows(generated().chain(HOSTILE.iter().map(|text| hostile(text))));
    let newest_first: Vec<Arc<Row>> = rows.into_iter().rev().collect();
    let write = |name: &str, bytes: Vec<u8>| {
        let mut file = File::create(Path::new(&directory).join(name)).unwrap();
        file.write_all(&bytes).unwrap();
    };
    let chosen = Column::parse_list(
        "id,occurred_at,actor.name,targets.name,targets.1.name,metadata.note,metadata.deep,expires_at",
    );
    let chosen = chosen.unwrap();
    write("events.csv", csv(Column::defaults(), &newest_first));
    write("events.parquet", parquet(None, &newest_first));
    write("chosen.csv", csv(chosen.clone(), &newest_first));
    write("chosen.parquet", parquet(Some(chosen), &newest_first));
    let mut lines = Vec::new();
    newest_first
        .iter()
        .for_each(|row| jsonl::write_line(row, &ENVELOPE, &mut lines));
    write("events.jsonl", lines);
}

fn generated() -> impl Iterator<Item = String> {
    let shape = Shape {
        organizations: 1,
        client_ids: true,
        start: support::START,
        days: 90,
    };
    Generator::new(1, shape).take(GENERATED).map(|event| event.json)
}

/// An event that says this wherever prose may stand.
fn hostile(text: &str) -> String {
    let event = json!({
        "organization": "acme",
        "action": "text.tried",
        "description": text,
        "area": text,
        "product": text,
        "message": text,
        "actor": {"type": "user", "id": "u_1", "name": text, "email": text, "team": text},
        "targets": [
            {"type": "user", "id": "u_2", "name": text, "email": text},
            {"type": "user", "id": "u_3"},
            {"type": "group", "id": "g_1", "name": text},
        ],
        "context": {"user_agent": text, "url": text, "referrer": text},
        "changes": [{"field": "name", "before": text, "after": null}, {"field": "size", "after": 1.5e-7}],
        "metadata": {"note": text, "deep": {"list": [text, 1, true, null]}, "credit": -5},
    });
    event.to_string()
}

fn csv(columns: Vec<Column>, rows: &[Arc<Row>]) -> Vec<u8> {
    let names: Vec<String> = columns.iter().map(|column| column.id().to_owned()).collect();
    let mut csv = Csv::new(columns, None);
    csv.header(&names).unwrap();
    rows.iter().for_each(|row| csv.row(row, &ENVELOPE).unwrap());
    csv.take().unwrap()
}

fn parquet(columns: Option<Vec<Column>>, rows: &[Arc<Row>]) -> Vec<u8> {
    let mut writer = parquet::Writer::new(Vec::new(), columns).unwrap();
    rows.iter().for_each(|row| writer.push(row, &ENVELOPE).unwrap());
    writer.finish().unwrap()
}
