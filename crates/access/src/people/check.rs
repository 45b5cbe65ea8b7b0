//! What people may be called.

use trailbook_event::{Fault, Pointer};
use unicode_normalization::UnicodeNormalization;

/// Bytes of an e-mail address (RFC 5321, 4.5.3.1.3, without the angle brackets).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Characters of a display name.
pub const NAME_CHARS_MAX: usize = 200;
/// Characters of a role or a permission.
pub const WORD_CHARS_MAX: usize = 128;
/// Permissions of a user.
pub const PERMISSIONS_MAX: usize = 64;

/// An address as accounts are found by it: without case, in one normal form.
pub fn normal_email(text: &str) -> String {
    text.trim().nfc().collect::<String>().to_lowercase()
}

/// Collects faults of a body.
#[derive(Default)]
pub(super) struct Checks(pub(super) Vec<Fault>);

impl Checks {
    /// An address, in its normal form. Whether mail arrives there only a letter tells.
    pub(super) fn email(&mut self, text: &str) -> String {
        let email = normal_email(text);
        let parts = email.split_once('@');
        let plain =
            |character: char| !character.is_whitespace() && !character.is_control() && !"<>,;\"".contains(character);
        let good = email.len() <= EMAIL_BYTES_MAX
            && email.chars().all(plain)
            && parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
        if !good {
            self.fault("email", "this is not an e-mail address");
        }
        email
    }

    pub(super) fn name(&mut self, name: Option<&str>) -> Option<String> {
        let name = name.map(str::trim).filter(|name| !name.is_empty())?;
        if name.chars().count() > NAME_CHARS_MAX || name.contains(char::is_control) {
            self.fault(
                "name",
                format!("a name has at most {NAME_CHARS_MAX} characters, all of them printable"),
            );
        }
        Some(name.to_owned())
    }

    pub(super) fn role(&mut self, role: &str) -> String {
        if !is_word(role) {
            self.fault("role", format!("a role has 1 to {WORD_CHARS_MAX} printable characters"));
        }
        role.to_owned()
    }

    /// Permissions, sorted and each once.
    pub(super) fn permissions(&mut self, permissions: &[String]) -> Vec<String> {
        let mut sorted = permissions.to_vec();
        sorted.sort();
        sorted.dedup();
        if sorted.len() > PERMISSIONS_MAX || !sorted.iter().all(|word| is_word(word)) {
            let rule = format!("at most {PERMISSIONS_MAX} permissions of 1 to {WORD_CHARS_MAX} printable characters");
            self.fault("permissions", rule);
        }
        sorted
    }

    pub(super) fn fault(&mut self, member: &str, detail: impl Into<String>) {
        self.0.push(Fault::new(Pointer::root().child(member), detail));
    }

    /// What was checked, when nothing is wrong with it.
    pub(super) fn done(self) -> Result<(), super::Refusal> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(super::Refusal::Invalid(self.0))
        }
    }
}

fn is_word(word: &str) -> bool {
    (1..=WORD_CHARS_MAX).contains(&word.chars().count()) && word.trim() == word && !word.contains(char::is_control)
}
