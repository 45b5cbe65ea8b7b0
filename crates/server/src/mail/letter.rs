//! What the letters say: one template in plain text and one in HTML for each, filled in here.
//!
//! Invariant: what somebody else chose (a name) stays within its place: it brings neither lines, nor headers, nor markup.

use lettre::{
    Message,
    message::{Mailbox, MultiPart},
};

use crate::markup::escaped;

/// Characters of a name in a letter; longer ones are cut.
const NAME_CHARACTERS_MAX: usize = 80;

/// A letter to one person.
#[derive(Clone)]
pub(crate) struct Letter {
    /// The address it goes to.
    pub(crate) to: lettre::Address,
    /// What it is about.
    pub(crate) subject: Subject,
    /// The page that it leads to. Whoever has it can act: it is never logged.
    pub(crate) link: String,
}

/// What a letter is about.
#[derive(Clone)]
pub(crate) enum Subject {
    /// Somebody may join an organization.
    Invitation {
        /// The organization's name.
        organization: String,
        /// Who invites, when the letter should say so.
        inviter: Option<String>,
    },
    /// Somebody forgot a password.
    PasswordReset {
        /// The organization's name.
        organization: String,
    },
}

impl Letter {
    /// Which letter it is, for the log.
    pub(crate) fn kind(&self) -> &'static str {
        match self.subject {
            Subject::Invitation { .. } => "invitation",
            Subject::PasswordReset { .. } => "password_reset",
        }
    }

    /// The message as it is sent.
    ///
    /// # Errors
    /// When an address cannot be written into a header.
    pub(crate) fn message(&self, from: &Mailbox) -> Result<Message, lettre::error::Error> {
        let (title, text, html) = self.templates();
        let values = self.values();
        Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, self.to.clone()))
            .subject(filled(title, &values, str::to_owned))
            .multipart(MultiPart::alternative_plain_html(
                filled(text, &values, str::to_owned),
                filled(html, &values, escaped),
            ))
    }

    fn templates(&self) -> (&'static str, &'static str, &'static str) {
        match self.subject {
            Subject::Invitation { .. } => (
                "Invitation to the audit log of {organization}",
                include_str!("invitation.txt"),
                include_str!("invitation.html"),
            ),
            Subject::PasswordReset { .. } => (
                "Set a new password for the audit log of {organization}",
                include_str!("password_reset.txt"),
                include_str!("password_reset.html"),
            ),
        }
    }

    fn values(&self) -> [(&'static str, String); 3] {
        let (organization, inviter) = match &self.subject {
            Subject::Invitation { organization, inviter } => (organization, inviter.as_deref()),
            Subject::PasswordReset { organization } => (organization, None),
        };
        [
            ("{organization}", one_line(organization)),
            ("{inviter}", one_line(inviter.unwrap_or("An administrator"))),
            ("{link}", self.link.clone()),
        ]
    }
}

/// A template with its values, each put in once: a value that looks like a placeholder stays as it is.
fn filled(template: &str, values: &[(&str, String)], write: impl Fn(&str) -> String) -> String {
    let (mut text, mut rest) = (String::new(), template);
    while let Some(at) = rest.find('{') {
        text += &rest[..at];
        rest = &rest[at..];
        match values.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, value)) => {
                text += &write(value);
                rest = &rest[name.len()..];
            }
            None => {
                text.push('{');
                rest = &rest[1..];
            }
        }
    }
    text + rest
}

fn one_line(name: &str) -> String {
    let plain = |character: char| if character.is_control() { ' ' } else { character };
    name.chars().map(plain).take(NAME_CHARACTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(organization: &str, inviter: &str) -> String {
        let letter = Letter {
            to: "ann@fashion.example".parse().expect("an address"),
            subject: Subject::Invitation {
                organization: organization.into(),
                inviter: Some(inviter.into()),
            },
            link: "https://log.example/password#tb_link_x".into(),
        };
        let from = "Trailbook <log@log.example>".parse().expect("a mailbox");
        let message = letter.message(&from).expect("a message").formatted();
        String::from_utf8(message).expect("ASCII")
    }

    #[test]
    fn a_name_brings_no_headers_and_no_markup() {
        let text = written("Fashion\r\nBcc: everybody@example.com\r\n\r\nHello", "<b>Eve</b>");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        let names: Vec<&str> = head
            .lines()
            .filter(|line| !line.starts_with(' '))
            .map(|line| line.split(':').next().unwrap_or_default())
            .collect();
        assert_eq!(
            names,
            ["From", "To", "Subject", "MIME-Version", "Date", "Content-Type"],
            "{head}"
        );
        assert!(body.contains("&lt;b&gt;Eve&lt;/b&gt;"), "{body}");
    }

    #[test]
    fn a_name_that_looks_like_a_placeholder_stays_a_name() {
        let values = [("{organization}", "{link}".to_owned()), ("{link}", "secret".to_owned())];
        let text = filled("{a} of {organization}: {link}", &values, str::to_owned);
        assert_eq!(text, "{a} of {link}: secret");
    }
}
