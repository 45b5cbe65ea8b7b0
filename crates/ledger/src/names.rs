//! What names a ledger and an event in it.

use std::{fmt, sync::Arc};

/// An organization of a project: what a ledger belongs to. Every read begins with one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationKey {
    project: Arc<str>,
    organization: Arc<str>,
}

impl OrganizationKey {
    /// The ledger of `organization` in `project`. The names have been validated where they entered.
    pub fn new(project: impl Into<Arc<str>>, organization: impl Into<Arc<str>>) -> Self {
        Self {
            project: project.into(),
            organization: organization.into(),
        }
    }

    /// The project's name.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The organization's name.
    pub fn organization(&self) -> &str {
        &self.organization
    }
}

impl fmt::Display for OrganizationKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.project, self.organization)
    }
}

/// The Log ID of an event: a UUIDv7 (RFC 9562) made by the server, strictly increasing in order of receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId([u8; 16]);

impl EventId {
    /// From its 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its 16 bytes.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The first id of a commit: `millis` since the Unix epoch and 74 bits of `random`, the topmost cleared so that
    /// counting up from it within the same millisecond does not overflow.
    pub fn first(millis: u64, random: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&random);
        bytes[6] = 0x70 | (bytes[6] & 0x07);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        Self(bytes)
    }

    /// The id `count` places after this one: the 74 random bits count up, version and variant stay.
    #[must_use]
    pub fn plus(&self, count: u64) -> Self {
        let low = u64::from_be_bytes([
            self.0[8], self.0[9], self.0[10], self.0[11], self.0[12], self.0[13], self.0[14], self.0[15],
        ]) & LOW_MASK;
        let sum = low + count;
        let mut bytes = self.0;
        bytes[8..].copy_from_slice(&((sum & LOW_MASK) | VARIANT).to_be_bytes());
        if sum > LOW_MASK {
            let high = (u16::from_be_bytes([bytes[6], bytes[7]]) & 0x0fff) + 1;
            bytes[6..8].copy_from_slice(&(0x7000 | (high & 0x0fff)).to_be_bytes());
        }
        Self(bytes)
    }

    /// The time in the id, milliseconds since the Unix epoch.
    pub fn millis(&self) -> u64 {
        u64::from_be_bytes([0, 0, self.0[0], self.0[1], self.0[2], self.0[3], self.0[4], self.0[5]])
    }

    /// From the 36 characters of a UUID in lower or upper case; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 36 {
            return None;
        }
        let (mut id, mut nibbles) = ([0_u8; 16], 0);
        for (position, &character) in bytes.iter().enumerate() {
            if matches!(position, 8 | 13 | 18 | 23) {
                if character != b'-' {
                    return None;
                }
                continue;
            }
            let value = char::from(character).to_digit(16)? as u8;
            id[nibbles / 2] = id[nibbles / 2] << 4 | value;
            nibbles += 1;
        }
        Some(Self(id))
    }

    /// Writes the 36 characters of the UUID.
    pub fn write(&self, out: &mut Vec<u8>) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for (position, byte) in self.0.iter().enumerate() {
            if matches!(position, 4 | 6 | 8 | 10) {
                out.push(b'-');
            }
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
        }
    }
}

const LOW_MASK: u64 = (1 << 62) - 1;
const VARIANT: u64 = 1 << 63;

impl fmt::Display for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(36);
        self.write(&mut text);
        formatter.write_str(&String::from_utf8_lossy(&text))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ids_count_up_within_a_millisecond_and_keep_version_and_variant() {
        let mut random = [0xff; 10];
        random[0] = 0x00;
        let first = EventId::first(1_700_000_000_123, random);
        let mut last = first;
        for count in 1..1000 {
            let next = first.plus(count);
            assert!(next > last, "{next} after {last}");
            assert_eq!(next.millis(), 1_700_000_000_123);
            assert_eq!((next.bytes()[6] >> 4, next.bytes()[8] >> 6), (7, 2));
            last = next;
        }
    }

    #[test]
    fn an_id_is_read_back_from_its_text() {
        let id = EventId::first(1, [7; 10]);
        assert_eq!(EventId::parse(&id.to_string()), Some(id));
        assert_eq!(EventId::parse("01936f3a-7c1e-7d02-9f4b-2a7c1f00b6d"), None);
        assert_eq!(EventId::parse("01936f3a+7c1e-7d02-9f4b-2a7c1f00b6de"), None);
    }
}
