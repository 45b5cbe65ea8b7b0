//! An actor, or a target that is a user, as the forms want people: with one name whatever is known of them.

use trailbook_event::{Actor, Target};

use super::filled;

/// Somebody of an event. What is empty counts as absent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person<'e> {
    pub(super) kind: &'e str,
    pub(super) id: Option<&'e str>,
    pub(super) name: Option<&'e str>,
    pub(super) email: Option<&'e str>,
    pub(super) team: Option<&'e str>,
}

impl<'e> Person<'e> {
    pub(super) fn of_actor(actor: &'e Actor<'_>) -> Self {
        Self {
            kind: &actor.kind,
            id: filled(&actor.id),
            name: filled(&actor.name),
            email: filled(&actor.email),
            team: filled(&actor.team),
        }
    }

    pub(super) fn of_target(target: &'e Target<'_>) -> Self {
        Self {
            kind: &target.kind,
            id: filled(&target.id),
            name: filled(&target.name),
            email: filled(&target.email),
            team: None,
        }
    }
}

/// Whether OCSF takes a text as an e-mail address: letters, digits and some signs, an at sign, and a name with a dot.
pub(super) fn is_email(text: &str) -> bool {
    let is_local = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+,-./=?^_`{|}~".contains(&byte);
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let Some((local, (host, rest))) = text
        .split_once('@')
        .and_then(|(local, domain)| Some((local, domain.split_once('.')?)))
    else {
        return false;
    };
    let parts = [local, host, rest];
    parts.iter().all(|part| !part.is_empty())
        && local.bytes().all(is_local)
        && host.bytes().all(is_host)
        && rest.bytes().all(|byte| is_host(byte) || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::is_email;

    #[test]
    fn an_email_address_is_what_the_schema_takes_as_one() {
        for (text, is) in [
            ("sarah.khan+x@fashion.example", true),
            ("a@b.c", true),
            ("a@b-c.d.e", true),
            ("", false),
            ("sarah", false),
            ("@b.c", false),
            ("a@b", false),
            ("a@.c", false),
            ("a@b.", false),
            ("a b@c.d", false),
            ("a@b@c.d", false),
            ("zoë@fashion.example", false),
            ("a@b.c\n", false),
        ] {
            assert_eq!(is_email(text), is, "{text}");
        }
    }
}
