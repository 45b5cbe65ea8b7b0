//! docs/profiles.md: every row, its test and its state, written from the rows themselves.

use std::{collections::BTreeSet, fmt::Write, fs};

use crate::{Row, State, audit_log_report, capillary_intouch, moengage, ometria, omni};

const BOOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/profiles.md");

/// A product: the module of its tests, the letter of its rows, how many its page has, its profile.
const PRODUCTS: [(&str, &[Row], char, usize, &str); 5] = [
    ("ometria", ometria::ROWS, 'o', 57, "Ometria"),
    ("moengage", moengage::ROWS, 'm', 27, "MoEngage"),
    ("audit_log_report", audit_log_report::ROWS, 'r', 26, "Audit Log Report"),
    (
        "capillary_intouch",
        capillary_intouch::ROWS,
        'c',
        75,
        "Capillary Intouch",
    ),
    ("omni", omni::ROWS, 'n', 76, "Omni"),
];

fn book() -> String {
    let mut book = String::from(
        "# The five products, row by row\n\n\
         Written by the tests in `tests/profiles` (`make golden` writes it anew). Each row is a feature of a product's page, in our words; its test is the \
         function of that name, run over HTTP against the real server with the product's profile and its example events.\n\n\
         | state | what it means |\n| --- | --- |\n\
         | proven | the test proves it |\n\
         | proven, but for … | the test proves what the server does; the rest is named and comes with the viewer or with exports and streams |\n\
         | with the viewer, with delivery | not there yet |\n\
         | prose | a sentence of a help page that no program could fulfil, with the reason |\n",
    );
    for (module, rows, _, _, product) in PRODUCTS {
        let count = |is: fn(&State) -> bool| rows.iter().filter(|row| is(&row.state)).count();
        let proven = count(|state| matches!(state, State::Proven));
        let partly = count(|state| matches!(state, State::Partly(_)));
        writeln!(
            book,
            "\n## {product}\n\n{} rows: {proven} proven, {partly} proven but for a part, {} to come, {} prose.\n\n| row | what | test | state |\n| --- | --- | --- | --- |",
            rows.len(),
            count(|state| matches!(state, State::Viewer(_) | State::Delivery(_))),
            count(|state| matches!(state, State::Waived(_))),
        )
        .unwrap();
        for row in rows {
            let test = format!("`{module}::{}`", row.name);
            let (test, state) = match row.state {
                State::Proven => (test, "proven".to_owned()),
                State::Partly(rest) => (test, format!("proven, but for {rest}")),
                State::Viewer(what) => (String::new(), format!("with the viewer: {what}")),
                State::Delivery(what) => (String::new(), format!("with delivery: {what}")),
                State::Waived(why) => (String::new(), format!("prose: {why}")),
            };
            writeln!(book, "| {} | {} | {test} | {state} |", id(row), row.about).unwrap();
        }
    }
    book
}

/// `o_5` is O-5.
fn id(row: &Row) -> String {
    row.name.replace('_', "-").to_uppercase()
}

#[test]
fn every_row_of_every_page_is_there_once() {
    for (module, rows, letter, count, _) in PRODUCTS {
        let names: BTreeSet<&str> = rows.iter().map(|row| row.name).collect();
        let wanted: Vec<String> = (1..=count).map(|number| format!("{letter}_{number}")).collect();
        let missing: Vec<&String> = wanted.iter().filter(|name| !names.contains(name.as_str())).collect();
        assert!(missing.is_empty(), "{module} lacks {missing:?}");
        assert_eq!(rows.len(), count, "{module} has a row twice, or one that no page has");
    }
}

#[test]
fn the_table_of_rows_is_true() {
    let book = book();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(BOOK, &book).unwrap();
    }
    let kept = fs::read_to_string(BOOK).unwrap_or_default();
    assert!(
        kept == book,
        "docs/profiles.md differs from the tests: `make golden` writes it anew"
    );
}
