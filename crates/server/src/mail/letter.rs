//! What the letters say: one template in plain text and one in HTML for each, filled in here.
//!
//! Invariant: what somebody else chose (a name) stays within its place: it brings neither lines, nor headers, nor markup.

use lettre::{
    Message,
    message::{Attachment as Attached, Mailbox, MultiPart, header::ContentType},
};

use super::report::Report;
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
    /// Names the letter, so that mailboxes recognise one that comes twice.
    pub(crate) id: Option<String>,
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
    /// A file that somebody asked for is there.
    ExportReady {
        /// The organization's name.
        organization: String,
        /// The file's name.
        file: String,
        /// The file itself, when it is small.
        attachment: Option<Attachment>,
    },
    /// What an alert found.
    Report(Box<Report>),
}

/// A file that comes with a letter.
#[derive(Clone)]
pub(crate) struct Attachment {
    /// Its name.
    pub(crate) name: String,
    /// Such as `text/csv`.
    pub(crate) content_type: String,
    /// What it holds.
    pub(crate) bytes: Vec<u8>,
}

/// What stands in a place of a template.
pub(super) enum Filling {
    /// A text.
    Plain(String),
    /// What is written differently in plain text and in HTML, where it is markup.
    Written {
        /// In plain text.
        text: String,
        /// In HTML.
        html: String,
    },
}

impl Filling {
    fn text(&self) -> String {
        match self {
            Self::Plain(text) | Self::Written { text, .. } => text.clone(),
        }
    }

    fn html(&self) -> String {
        match self {
            Self::Plain(text) => escaped(text),
            Self::Written { html, .. } => html.clone(),
        }
    }
}

/// Places of a template, and what stands there.
pub(super) type Fillings = Vec<(&'static str, Filling)>;

impl Letter {
    /// Which letter it is, for the log.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.subject {
            Subject::Invitation { .. } => "invitation",
            Subject::PasswordReset { .. } => "password_reset",
            Subject::ExportReady { .. } => "export_ready",
            Subject::Report(_) => "alert",
        }
    }

    /// The message as it is sent.
    ///
    /// # Errors
    /// When an address cannot be written into a header.
    pub(crate) fn message(&self, from: &Mailbox) -> Result<Message, lettre::error::Error> {
        let (title, text, html) = self.templates();
        let fillings = self.fillings();
        let message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, self.to.clone()))
            .subject(filled(title, &fillings, Filling::text));
        let message = match &self.id {
            Some(id) => message.message_id(Some(format!("<{id}@{}>", from.email.domain()))),
            None => message,
        };
        let body = MultiPart::alternative_plain_html(
            filled(text, &fillings, Filling::text),
            filled(html, &fillings, Filling::html),
        );
        let Subject::ExportReady {
            attachment: Some(file), ..
        } = &self.subject
        else {
            return message.multipart(body);
        };
        let kind = ContentType::parse(&file.content_type).unwrap_or(ContentType::TEXT_PLAIN);
        let attached = Attached::new(one_line(&file.name)).body(file.bytes.clone(), kind);
        message.multipart(MultiPart::mixed().multipart(body).singlepart(attached))
    }

    fn templates(&self) -> (&'static str, &'static str, &'static str) {
        match &self.subject {
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
            Subject::ExportReady { .. } => (
                "Your export of the audit log of {organization}",
                include_str!("export_ready.txt"),
                include_str!("export_ready.html"),
            ),
            Subject::Report(_) => ("{title}", include_str!("report.txt"), include_str!("report.html")),
        }
    }

    fn fillings(&self) -> Fillings {
        let name = |name: &str| Filling::Plain(one_line(name));
        let mut fillings = match &self.subject {
            Subject::Invitation { organization, inviter } => vec![
                ("{organization}", name(organization)),
                ("{inviter}", name(inviter.as_deref().unwrap_or("An administrator"))),
            ],
            Subject::PasswordReset { organization } => vec![("{organization}", name(organization))],
            Subject::ExportReady {
                organization,
                file,
                attachment,
            } => {
                let enclosed = attachment.as_ref().map_or("", |_| " It also comes with this letter.");
                vec![
                    ("{organization}", name(organization)),
                    ("{file}", name(file)),
                    ("{enclosed}", Filling::Plain(enclosed.to_owned())),
                ]
            }
            Subject::Report(report) => report.fillings(),
        };
        fillings.push(("{link}", Filling::Plain(self.link.clone())));
        fillings
    }
}

/// A template with what stands in its places, each put in once: a text that looks like a place stays as it is.
fn filled(template: &str, fillings: &[(&str, Filling)], write: impl Fn(&Filling) -> String) -> String {
    let (mut text, mut rest) = (String::new(), template);
    while let Some(at) = rest.find('{') {
        text += &rest[..at];
        rest = &rest[at..];
        match fillings.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, filling)) => {
                text += &write(filling);
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

/// A name in one line, cut when it is long.
pub(super) fn one_line(name: &str) -> String {
    line(name, NAME_CHARACTERS_MAX)
}

/// A text in one line, cut after so many characters.
pub(super) fn line(text: &str, characters_max: usize) -> String {
    let plain = |character: char| match character {
        '\u{2028}' | '\u{2029}' => ' ',
        control if control.is_control() => ' ',
        other => other,
    };
    text.chars().map(plain).take(characters_max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(subject: Subject) -> String {
        let letter = Letter {
            to: "ann@fashion.example".parse().expect("an address"),
            subject,
            link: "https://log.example/password#tb_link_x".into(),
            id: None,
        };
        let from = "Trailbook <log@log.example>".parse().expect("a mailbox");
        let message = letter.message(&from).expect("a message").formatted();
        String::from_utf8(message).expect("ASCII")
    }

    fn headers(head: &str) -> Vec<&str> {
        let names = head.lines().filter(|line| !line.starts_with(' '));
        names.map(|line| line.split(':').next().unwrap_or_default()).collect()
    }

    #[test]
    fn a_name_brings_no_headers_and_no_markup() {
        let text = written(Subject::Invitation {
            organization: "Fashion\r\nBcc: everybody@example.com\r\n\r\nHello".into(),
            inviter: Some("<b>Eve</b>".into()),
        });
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert_eq!(
            headers(head),
            ["From", "To", "Subject", "MIME-Version", "Date", "Content-Type"],
            "{head}"
        );
        assert!(body.contains("&lt;b&gt;Eve&lt;/b&gt;"), "{body}");
    }

    #[test]
    fn a_file_comes_with_the_letter_under_a_name_that_stays_one() {
        let text = written(Subject::ExportReady {
            organization: "Fashion".into(),
            file: "events.csv".into(),
            attachment: Some(Attachment {
                name: "events\r\nX: y.csv".into(),
                content_type: "text/csv".into(),
                bytes: b"time,action\r\n".into(),
            }),
        });
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(!headers(head).contains(&"X") && !body.contains("\nX: y"), "{text}");
        assert!(
            body.contains("Content-Type: text/csv") && body.contains("time,action"),
            "{body}"
        );
    }

    #[test]
    fn a_name_that_looks_like_a_placeholder_stays_a_name() {
        let plain = |text: &str| Filling::Plain(text.to_owned());
        let fillings = [("{organization}", plain("{link}")), ("{link}", plain("secret"))];
        let text = filled("{a} of {organization}: {link}", &fillings, Filling::text);
        assert_eq!(text, "{a} of {link}: secret");
    }
}
