//! Our own form: events as they are sent, or as a server returned them (an export), one a line.
//!
//! The envelope of a returned event (id, sequence, times of receipt and expiry …) belongs to the server that made it, so
//! it is left out; its id becomes the `client_id` unless the event has one.

use std::borrow::Cow;

use trailbook_event::json::{self, Limits, Value};

/// What a server adds to an event.
const ENVELOPE: [&str; 8] = [
    "id",
    "project",
    "sequence",
    "epoch",
    "received_at",
    "expires_at",
    "country",
    "redacted",
];

/// The event of one record, as it is to be sent.
///
/// # Errors
/// A sentence.
pub(crate) fn event<'t>(text: &'t str, organization: &str) -> Result<Value<'t>, String> {
    let limits = Limits::default();
    let value = json::parse(text, &limits).map_err(|error| match error.pointer.as_str() {
        "" => format!("{} (byte {})", error.detail, error.offset),
        place => format!("{place}: {}", error.detail),
    })?;
    let Value::Object(mut members) = value else {
        return Err(format!("This is {}; an event is an object.", value.kind()));
    };
    let returned = ["id", "sequence", "received_at"]
        .iter()
        .all(|name| members.iter().any(|(key, _)| key == name));
    if returned {
        unwrap_envelope(&mut members);
    }
    match members
        .iter()
        .find(|(key, _)| key == "organization")
        .map(|(_, value)| value)
    {
        None => members.push((
            "organization".into(),
            Value::String(Cow::Owned(organization.to_owned())),
        )),
        Some(Value::String(named)) if named == organization => {}
        Some(_) => {
            return Err(format!(
                "/organization: This event belongs to another organization than {organization}; import it there."
            ));
        }
    }
    Ok(Value::Object(members))
}

fn unwrap_envelope(members: &mut Vec<(Cow<'_, str>, Value<'_>)>) {
    let id = members.iter().find(|(key, _)| key == "id").map(|(_, id)| id.clone());
    members.retain(|(key, value)| !ENVELOPE.contains(&key.as_ref()) && (key != "client_id" || *value != Value::Null));
    if let Some(id) = id
        && !members.iter().any(|(key, _)| key == "client_id")
    {
        members.push(("client_id".into(), id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let value = event(text, "fashion").expect("an event");
        let mut bytes = Vec::new();
        json::write_canonical(&value, &mut bytes);
        assert_eq!(String::from_utf8(bytes).expect("UTF-8"), expected);
    }

    #[test]
    fn the_organization_is_added_and_never_changed() {
        check(r#"{"action":"a"}"#, r#"{"action":"a","organization":"fashion"}"#);
        assert!(event(r#"{"organization":"other"}"#, "fashion").is_err());
    }

    #[test]
    fn a_returned_event_leaves_its_envelope() {
        check(
            r#"{"id":"x","sequence":3,"received_at":"t","country":null,"client_id":null,"organization":"fashion"}"#,
            r#"{"client_id":"x","organization":"fashion"}"#,
        );
    }

    #[test]
    fn an_unknown_member_named_id_is_left_for_admission_to_refuse() {
        check(r#"{"id":"x"}"#, r#"{"id":"x","organization":"fashion"}"#);
    }
}
