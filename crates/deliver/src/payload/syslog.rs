//! A message of RFC 5424 around a payload.
//!
//! Invariants
//! - Octets below 32 stand nowhere in it, so that framing by line breaks cuts no message.
//! - The message proper begins with the byte order mark of UTF-8 exactly when it is not plain ASCII (section 6.4).
//!
//! Not here: framing over TCP and TLS (RFC 6587, RFC 5425), limits of size.

use std::io::Write as _;

use trailbook_event::Event;
use trailbook_ledger::Row;

use super::opened::Opened;
use crate::Error;

/// `log audit`.
const FACILITY: u8 = 13;
const WARNING: u8 = 4;
const NOTICE: u8 = 5;
/// Private enterprise number for documentation (RFC 5612); Trailbook has none of its own.
const ENTERPRISE: u32 = 32473;
const HOSTNAME_BYTES_MAX: usize = 255;
const MESSAGE_ID_BYTES_MAX: usize = 32;

/// The event as a syslog message that says `message`, from the machine `hostname`.
///
/// # Errors
/// The stored parts are not what admission writes.
pub fn syslog(row: &Row, hostname: &str, message: &str) -> Result<Vec<u8>, Error> {
    let opened = Opened::of(row)?;
    let event = opened.event()?;
    let mut out = Vec::with_capacity(message.len() + 256);
    header(&event, hostname, &mut out);
    write!(out, " [trailbook@{ENTERPRISE}").expect("a vector takes all bytes");
    parameter("organization", &event.organization, &mut out);
    parameter("id", &row.id.to_string(), &mut out);
    parameter("sequence", &row.sequence.to_string(), &mut out);
    out.extend_from_slice(b"] ");
    if !message.is_ascii() {
        out.extend_from_slice("\u{feff}".as_bytes());
    }
    let begin = out.len();
    out.extend_from_slice(message.as_bytes());
    out[begin..].iter_mut().for_each(|byte| *byte = without_controls(*byte));
    Ok(out)
}

fn header(event: &Event<'_>, hostname: &str, out: &mut Vec<u8>) {
    let severity = if event.security || event.result != "success" {
        WARNING
    } else {
        NOTICE
    };
    write!(out, "<{}>1 {} ", FACILITY * 8 + severity, event.occurred_at).expect("a vector takes all bytes");
    printable(hostname, HOSTNAME_BYTES_MAX, out);
    out.extend_from_slice(b" trailbook - ");
    printable(&event.action, MESSAGE_ID_BYTES_MAX, out);
}

/// Visible ASCII, with `_` for every other character; `-` when there is none.
fn printable(text: &str, bytes_max: usize, out: &mut Vec<u8>) {
    let visible = |character: char| match character {
        '!'..='~' => character as u8,
        _ => b'_',
    };
    let before = out.len();
    out.extend(text.chars().take(bytes_max).map(visible));
    if out.len() == before {
        out.push(b'-');
    }
}

fn parameter(name: &str, value: &str, out: &mut Vec<u8>) {
    write!(out, " {name}=\"").expect("a vector takes all bytes");
    for byte in value.bytes() {
        if matches!(byte, b'"' | b'\\' | b']') {
            out.push(b'\\');
        }
        out.push(without_controls(byte));
    }
    out.push(b'"');
}

fn without_controls(byte: u8) -> u8 {
    if byte < 0x20 { b' ' } else { byte }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_visible_ascii_of_bounded_length() {
        let printed = |text: &str| {
            let mut out = Vec::new();
            printable(text, 5, &mut out);
            String::from_utf8(out).expect("ASCII")
        };
        for (text, expected) in [("", "-"), ("a b", "a_b"), ("zoë\n!", "zo__!"), ("abcdefgh", "abcde")] {
            assert_eq!(printed(text), expected, "{text:?}");
        }
    }

    #[test]
    fn values_of_parameters_are_escaped() {
        let mut out = Vec::new();
        parameter("id", "a\"b\\c]d\ne[", &mut out);
        assert_eq!(String::from_utf8(out).expect("text"), " id=\"a\\\"b\\\\c\\]d e[\"");
    }
}
