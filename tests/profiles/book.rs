//! docs/profiles.md: every row, its test, its journeys on the screen and its state, written from the rows and the journeys themselves.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::Path,
};

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

/// Where journeys are: titles begin with the rows that they prove, `test("C-52, C-53: …"`.
const JOURNEYS: [&str; 2] = ["tests/profiles/screen", "web/e2e"];

/// The files with journeys, by row (`O-5`).
fn journeys() -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    for folder in JOURNEYS {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let Some(topic) = name.strip_suffix(".test.mjs") else {
                continue;
            };
            let text = fs::read_to_string(root.join(folder).join(&name)).unwrap();
            for row in text.split("test(").skip(1).flat_map(rows_of) {
                found.entry(row.to_owned()).or_default().insert(topic.to_owned());
            }
        }
    }
    found
}

/// The rows that a title names before its colon.
fn rows_of(call: &str) -> impl Iterator<Item = &str> {
    let title = call.trim_start().strip_prefix(['"', '`']).unwrap_or_default();
    let named = title.split_once(':').map_or("", |(named, _)| named);
    named.split(',').map(str::trim).filter(|row| {
        row.split_once('-').is_some_and(|(letter, number)| {
            matches!(letter, "O" | "M" | "R" | "C" | "N") && number.parse::<u8>().is_ok()
        })
    })
}

fn book() -> String {
    let journeys = journeys();
    let mut book = String::from(
        "# The five products, row by row\n\n\
         Written by the tests in `tests/profiles` (`make golden` writes it anew). Each row is a feature of a product's page, in our words; its test is the \
         function of that name, run over HTTP against the real server with the product's profile and its example events. Its journeys are in `tests/profiles/screen` and \
         `web/e2e`, run in a browser against the same.\n\n\
         | state | what it means |\n| --- | --- |\n\
         | proven | the test proves it, and where the row is about the screen a journey |\n\
         | proven outside | the test of tests/deliveries that is named proves it against a program that is not ours |\n\
         | prose | a sentence of a help page that no program could fulfil, with the reason |\n",
    );
    for (module, rows, _, _, product) in PRODUCTS {
        let count = |is: fn(&State) -> bool| rows.iter().filter(|row| is(&row.state)).count();
        let proven = count(|state| !matches!(state, State::Waived(_)));
        writeln!(
            book,
            "\n## {product}\n\n{} rows: {proven} proven, {} prose.\n\n| row | what | test | journeys | state |\n| --- | --- | --- | --- | --- |",
            rows.len(),
            count(|state| matches!(state, State::Waived(_))),
        )
        .unwrap();
        for row in rows {
            let test = format!("`{module}::{}`", row.name);
            let (test, state) = match row.state {
                State::Proven => (test, "proven".to_owned()),
                State::Shown(true) => (test, "proven".to_owned()),
                State::Shown(false) => (String::new(), "proven".to_owned()),
                State::Outside(true, outside) => (test, format!("proven outside: `{outside}`")),
                State::Outside(false, outside) => (String::new(), format!("proven outside: `{outside}`")),
                State::Waived(why) => (String::new(), format!("prose: {why}")),
            };
            let shown: Vec<&str> = journeys
                .get(&id(row))
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect();
            writeln!(
                book,
                "| {} | {} | {test} | {} | {state} |",
                id(row),
                row.about,
                shown.join(", ")
            )
            .unwrap();
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
fn every_row_of_the_screen_has_a_journey() {
    let journeys = journeys();
    let rows = PRODUCTS.iter().flat_map(|(_, rows, ..)| rows.iter());
    let missing: Vec<String> = rows
        .filter(|row| matches!(row.state, State::Shown(_)))
        .map(id)
        .filter(|row| !journeys.contains_key(row))
        .collect();
    assert!(missing.is_empty(), "no journey proves {missing:?}");
}

#[test]
fn every_test_outside_that_proves_a_row_is_there() {
    let rows = PRODUCTS.iter().flat_map(|(_, rows, ..)| rows.iter());
    for row in rows {
        let State::Outside(_, test) = row.state else { continue };
        let (file, name) = test.split_once("::").unwrap();
        let path = format!("{}/../../tests/deliveries/{file}.py", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(&format!("\ndef {name}(")), "{}: {test}", id(row));
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
