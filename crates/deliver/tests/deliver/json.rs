//! An event as it is returned: one JSON object with the envelope and the very bytes of the parts.

use trailbook_deliver::{
    json::{Envelope, write_event},
    jsonl::write_line,
};
use trailbook_event::Part;
use trailbook_ledger::{PartSecret, Secrets};
use trailbook_merkle::Hash;

use crate::ledger::row;

#[test]
fn the_envelope_stands_before_the_members_of_the_parts() {
    let mut row = row(5);
    let mut out = Vec::new();
    write_event(
        &row,
        &Envelope {
            project: "my \"app\"",
            kept_ms: None,
        },
        &mut out,
    );
    let text = String::from_utf8(out.clone()).unwrap();
    let head = format!(
        "{{\"id\":\"{}\",\"project\":\"my \\\"app\\\"\",\"sequence\":5,\"epoch\":1,\
         \"received_at\":\"2023-11-14T22:13:25.000Z\",\"expires_at\":null,\"country\":\"GB\",\"redacted\":[],\
         \"action\":\"user.role.updated\",",
        row.id
    );
    assert!(text.starts_with(&head), "{text}");
    for part in [Part::Actor, Part::Targets, Part::Context] {
        let member = format!(
            ",\"{}\":{},",
            part.name(),
            String::from_utf8_lossy(row.parts.part(part))
        );
        assert!(text.contains(&member), "{member}");
    }
    let parsed: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(parsed["metadata"]["plan"], "gold");
    assert_eq!(parsed.as_object().unwrap().len(), 8 + 11 + 3 + 3);

    row.country = None;
    let kept = Part::ALL.map(|part| match part {
        Part::Actor | Part::Details => PartSecret::Commitment(Hash([1; 32])),
        _ => PartSecret::Salt([2; 32]),
    });
    row.secrets = Secrets::Redacted(Box::new(kept));
    let envelope = Envelope {
        project: "p",
        kept_ms: Some(-row.received_at.millis()),
    };
    let mut line = b"before\n".to_vec();
    write_line(&row, &envelope, &mut line);
    let line = line.strip_prefix(b"before\n").unwrap();
    let parsed: serde_json::Value = serde_json::from_slice(line).unwrap();
    assert_eq!(parsed["expires_at"], "1970-01-01T00:00:00.000Z");
    assert!(parsed["country"].is_null());
    assert_eq!(parsed["redacted"], serde_json::json!(["actor", "details"]));
    assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
    assert_eq!(line.last(), Some(&b'\n'));
}
