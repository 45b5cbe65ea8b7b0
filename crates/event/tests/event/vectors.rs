//! The test vectors of docs/formats/event.md: the document is read, so that it cannot say anything else than the code does.

use std::path::Path;

use trailbook_event::{Event, Part};

use crate::admit_json;

/// The fenced block that follows the line `marker`.
fn block<'d>(document: &'d str, marker: &str) -> &'d str {
    let after = document
        .split_once(&format!("\n{marker}\n"))
        .unwrap_or_else(|| panic!("no {marker:?}"))
        .1;
    let fenced = after.split_once("```").unwrap().1;
    let body = fenced.split_once('\n').unwrap().1;
    body.split_once("\n```").unwrap().0
}

#[test]
fn the_documented_events_have_the_documented_bytes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats/event.md");
    #[allow(clippy::disallowed_methods, reason = "the document is what is tested")]
    let document = std::fs::read_to_string(path).unwrap();
    for vector in 1..=3 {
        let admitted = admit_json(block(&document, &format!("Vector {vector}, as sent:"))).unwrap();
        let expected = block(&document, &format!("Vector {vector}, parts:"));
        let lines: Vec<&str> = expected.lines().collect();
        assert_eq!(lines.len(), 5);
        for (part, line) in Part::ALL.into_iter().zip(lines) {
            assert_eq!(
                std::str::from_utf8(admitted[0].parts.part(part)).unwrap(),
                line,
                "vector {vector} {}",
                part.name()
            );
        }
        assert!(Event::parse(&admitted[0].parts).is_ok());
        if let Some(client_id) = &admitted[0].client_id {
            let content: String = client_id.content.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(content, block(&document, &format!("Vector {vector}, content:")));
        }
    }
}
