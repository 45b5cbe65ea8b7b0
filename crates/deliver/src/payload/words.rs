//! The words of actions, of kinds of targets and of names of fields, and which of them say what happened and to what.
//!
//! Senders write `user.role_updated`, `ADD_GROUP_MEMBER` or `CreateAccessKey`: words end where letters and digits end and
//! where a capital begins a word. A plural counts as its singular.

use std::{collections::HashMap, sync::LazyLock};

/// What somebody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Create,
    Read,
    Update,
    Delete,
    Add,
    Remove,
    Enable,
    Disable,
    Activate,
    Deactivate,
    Suspend,
    Resume,
    Lock,
    Unlock,
    Reset,
    Grant,
    Revoke,
    Move,
    Enroll,
    Unenroll,
    /// Going on as somebody else.
    Impersonate,
    /// Getting further rights for a session.
    Assume,
    SignIn,
    SignOut,
    Other,
}

/// What something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Topic {
    User = 1,
    Group = 1 << 1,
    Organization = 1 << 2,
    Policy = 1 << 3,
    Device = 1 << 4,
    /// Roles, permissions, privileges.
    Access = 1 << 5,
    Credential = 1 << 6,
    Password = 1 << 7,
    /// A second factor.
    Factor = 1 << 8,
    Session = 1 << 9,
    Setting = 1 << 10,
}

/// Some topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Topics(u16);

impl Topics {
    pub(super) fn insert(&mut self, topic: Topic) {
        self.0 |= topic as u16;
    }

    pub(super) fn has(self, topic: Topic) -> bool {
        self.0 & topic as u16 != 0
    }

    /// Whether rights are among them.
    pub(super) fn has_rights(self) -> bool {
        self.has(Topic::Access) || self.has(Topic::Policy)
    }
}

/// What one word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// A verb.
    Deed(Deed),
    /// A verb that is as often a noun: `list`, `view`, `export`.
    Perhaps(Deed),
    /// `out` and `off`, as in `signed_out`.
    Out,
    Topic(Topic),
}

/// The words of a text that say something, in their order.
pub(super) fn words(text: &str) -> impl Iterator<Item = Word> {
    Split { text, at: 0 }.filter_map(known)
}

/// What something of this kind is: the last word that says it, for a `user_group` is a group.
pub(super) fn topic_of(kind: &str) -> Option<Topic> {
    let topics = words(kind).filter_map(|word| match word {
        Word::Topic(topic) => Some(topic),
        _ => None,
    });
    topics.last()
}

/// Runs of letters and digits, split before capitals.
struct Split<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Iterator for Split<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let bytes = self.text.as_bytes();
        let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
        let start = self.at + bytes[self.at..].iter().position(is_letter)?;
        let mut end = start + 1;
        while end < bytes.len() && is_letter(&bytes[end]) && !begins_word(bytes, end) {
            end += 1;
        }
        self.at = end;
        Some(&self.text[start..end])
    }
}

/// Whether a capital begins a word here: after a small letter, or before one (`MFADevice`).
fn begins_word(bytes: &[u8], at: usize) -> bool {
    let is_small = |byte: &u8| byte.is_ascii_lowercase();
    bytes[at].is_ascii_uppercase()
        && (is_small(&bytes[at - 1]) || bytes.get(at + 1).is_some_and(is_small) && bytes[at - 1].is_ascii_uppercase())
}

/// The longest word that is known, in bytes.
const KNOWN_BYTES_MAX: usize = 16;

/// What a word says, whatever its case.
fn known(word: &str) -> Option<Word> {
    static KNOWN: LazyLock<HashMap<&'static str, Word>> = LazyLock::new(|| {
        let words =
            |(word, spellings): (Word, &'static str)| spellings.split(' ').map(move |spelling| (spelling, word));
        WORDS.into_iter().flat_map(words).collect()
    });
    let mut small = [0; KNOWN_BYTES_MAX];
    let small = small.get_mut(..word.len())?;
    small.copy_from_slice(word.as_bytes());
    small.make_ascii_lowercase();
    let word = std::str::from_utf8(small).ok()?;
    let singular = || KNOWN.get(word.strip_suffix('s')?);
    KNOWN.get(word).or_else(singular).copied()
}

const WORDS: [(Word, &str); 39] = [
    (
        Word::Deed(Deed::Create),
        "create created register registered provision provisioned",
    ),
    (
        Word::Deed(Deed::Read),
        "viewed read listed get describe described downloaded exported opened",
    ),
    (
        Word::Deed(Deed::Update),
        "update updated change changed edit edited modify modified put rename renamed",
    ),
    (Word::Deed(Deed::Delete), "delete deleted destroy destroyed"),
    (Word::Deed(Deed::Add), "add added join joined"),
    (Word::Deed(Deed::Remove), "remove removed leave left"),
    (Word::Deed(Deed::Enable), "enable enabled"),
    (Word::Deed(Deed::Disable), "disable disabled"),
    (Word::Deed(Deed::Activate), "activate activated"),
    (Word::Deed(Deed::Deactivate), "deactivate deactivated"),
    (Word::Deed(Deed::Suspend), "suspend suspended"),
    (
        Word::Deed(Deed::Resume),
        "resume resumed unsuspend unsuspended reactivate reactivated",
    ),
    (Word::Deed(Deed::Lock), "locked"),
    (Word::Deed(Deed::Unlock), "unlock unlocked"),
    (Word::Deed(Deed::Reset), "reset"),
    (Word::Deed(Deed::Grant), "grant granted assign assigned attach attached"),
    (
        Word::Deed(Deed::Revoke),
        "revoke revoked unassign unassigned detach detached",
    ),
    (Word::Deed(Deed::Move), "move moved"),
    (Word::Deed(Deed::Enroll), "enroll enrolled"),
    (Word::Deed(Deed::Unenroll), "unenroll unenrolled"),
    (Word::Deed(Deed::Impersonate), "impersonate impersonated impersonation"),
    (Word::Deed(Deed::Assume), "assume assumed elevate elevated"),
    (Word::Deed(Deed::SignIn), "login logon signin logged signed"),
    (Word::Deed(Deed::SignOut), "logout logoff signout"),
    (
        Word::Perhaps(Deed::Read),
        "list view download export open search access accessed",
    ),
    (Word::Perhaps(Deed::Lock), "lock"),
    (Word::Perhaps(Deed::Update), "set"),
    (Word::Out, "out off"),
    (
        Word::Topic(Topic::User),
        "user account member person people admin administrator employee collaborator",
    ),
    (Word::Topic(Topic::Group), "group team"),
    (
        Word::Topic(Topic::Organization),
        "organization organisation org tenant workspace company",
    ),
    (Word::Topic(Topic::Policy), "policy policies"),
    (Word::Topic(Topic::Device), "device"),
    (
        Word::Topic(Topic::Access),
        "role permission privilege entitlement scope",
    ),
    (
        Word::Topic(Topic::Credential),
        "key token secret credential certificate",
    ),
    (Word::Topic(Topic::Password), "password passcode"),
    (
        Word::Topic(Topic::Factor),
        "mfa 2fa factor otp totp passkey authenticator",
    ),
    (Word::Topic(Topic::Session), "session"),
    (
        Word::Topic(Topic::Setting),
        "setting configuration config preference integration connection webhook domain sso saml scim application app",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_signs_and_before_capitals() {
        for (text, expected) in [
            ("user.role_updated", vec!["user", "role", "updated"]),
            ("ADD_GROUP_MEMBER", vec!["ADD", "GROUP", "MEMBER"]),
            ("DeactivateMFADevice", vec!["Deactivate", "MFA", "Device"]),
            ("AWS::IAM::User", vec!["AWS", "IAM", "User"]),
            ("Zoë2fa größer", vec!["Zoë2fa", "größer"]),
            ("..", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(Split { text, at: 0 }.collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn the_last_word_of_a_kind_says_what_it_is_and_plurals_count() {
        for (kind, expected) in [
            ("user", Some(Topic::User)),
            ("user_group", Some(Topic::Group)),
            ("ServiceAccounts", Some(Topic::User)),
            ("api_key", Some(Topic::Credential)),
            ("policies", Some(Topic::Policy)),
            ("campaign", None),
            ("a_very_long_word_that_nobody_knows_of_at_all", None),
        ] {
            assert_eq!(topic_of(kind), expected, "{kind}");
        }
    }

    #[test]
    fn every_word_fits_and_stands_once() {
        let all: Vec<_> = WORDS.iter().flat_map(|(_, spellings)| spellings.split(' ')).collect();
        assert!(all.iter().all(|word| word.len() <= KNOWN_BYTES_MAX));
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
