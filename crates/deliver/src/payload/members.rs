//! Writing JSON objects member by member, straight into the output.
//!
//! Invariants
//! - What has no members or no elements is not written at all, nor is a text that is absent or empty.
//!
//! Not here: escaping (`trailbook_event::json`).

use trailbook_event::{Timestamp, json::write_string};
use trailbook_ledger::EventId;

/// The members of one object, as they are being written.
pub(super) struct Members<'o> {
    out: &'o mut Vec<u8>,
    /// Where the object's first member begins.
    begin: usize,
}

/// Appends an object, `{}` when `fill` writes nothing.
pub(super) fn write_object(out: &mut Vec<u8>, fill: impl FnOnce(&mut Members<'_>)) {
    out.push(b'{');
    let begin = out.len();
    fill(&mut Members { out, begin });
    out.push(b'}');
}

impl Members<'_> {
    /// The comma before and the name of the next member; names need no escapes.
    fn name(&mut self, name: &'static str) {
        self.out
            .extend_from_slice(if self.out.len() == self.begin { b"\"" } else { b",\"" });
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    pub(super) fn text(&mut self, name: &'static str, text: &str) {
        self.name(name);
        write_string(text, self.out);
    }

    pub(super) fn optional(&mut self, name: &'static str, text: Option<&str>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.text(name, text);
        }
    }

    pub(super) fn number(&mut self, name: &'static str, number: i64) {
        self.name(name);
        if number < 0 {
            self.out.push(b'-');
        }
        write_digits(number.unsigned_abs(), self.out);
    }

    pub(super) fn sequence(&mut self, name: &'static str, sequence: u64) {
        self.name(name);
        write_digits(sequence, self.out);
    }

    pub(super) fn id(&mut self, name: &'static str, id: EventId) {
        self.name(name);
        self.out.push(b'"');
        id.write(self.out);
        self.out.push(b'"');
    }

    pub(super) fn yes(&mut self, name: &'static str) {
        self.name(name);
        self.out.extend_from_slice(b"true");
    }

    pub(super) fn time(&mut self, name: &'static str, time: Timestamp) {
        self.text(name, &time.to_string());
    }

    pub(super) fn hexadecimal(&mut self, name: &'static str, bytes: &[u8]) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.name(name);
        self.out.push(b'"');
        let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        self.out.extend(digits.map(|digit| DIGITS[usize::from(digit)]));
        self.out.push(b'"');
    }

    /// A value that is JSON already.
    pub(super) fn raw(&mut self, name: &'static str, json: &[u8]) {
        self.name(name);
        self.out.extend_from_slice(json);
    }

    /// A text that holds JSON.
    pub(super) fn json(&mut self, name: &'static str, json: &[u8]) {
        // Stored bytes are text; what could be damaged shows as U+FFFD.
        match std::str::from_utf8(json) {
            Ok(text) => self.text(name, text),
            Err(_) => self.text(name, &String::from_utf8_lossy(json)),
        }
    }

    pub(super) fn texts<'t>(&mut self, name: &'static str, texts: impl IntoIterator<Item = &'t str>) {
        self.list(name, texts, write_string);
    }

    /// As [`Members::texts`], but `[]` where there are none.
    pub(super) fn all_texts(&mut self, name: &'static str, texts: Vec<&str>) {
        if texts.is_empty() {
            self.name(name);
            self.out.extend_from_slice(b"[]");
        } else {
            self.texts(name, texts);
        }
    }

    pub(super) fn object(&mut self, name: &'static str, fill: impl FnOnce(&mut Members<'_>)) {
        let before = self.out.len();
        self.name(name);
        self.out.push(b'{');
        let begin = self.out.len();
        fill(&mut Members { out: self.out, begin });
        if self.out.len() == begin {
            self.out.truncate(before);
        } else {
            self.out.push(b'}');
        }
    }

    /// An object for each item.
    pub(super) fn objects<T>(
        &mut self,
        name: &'static str,
        items: impl IntoIterator<Item = T>,
        fill: impl Fn(&mut Members<'_>, T),
    ) {
        self.list(name, items, |item, out| {
            write_object(out, |members| fill(members, item))
        });
    }

    fn list<T>(&mut self, name: &'static str, items: impl IntoIterator<Item = T>, write: impl Fn(T, &mut Vec<u8>)) {
        let mut items = items.into_iter().peekable();
        if items.peek().is_none() {
            return;
        }
        self.name(name);
        for (position, item) in items.enumerate() {
            self.out.push(if position == 0 { b'[' } else { b',' });
            write(item, self.out);
        }
        self.out.push(b']');
    }
}

/// The number in decimal digits.
fn write_digits(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let (mut begin, mut rest) = (digits.len(), number);
    loop {
        begin -= 1;
        digits[begin] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[begin..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_of_what_is_empty() {
        let mut out = Vec::new();
        write_object(&mut out, |members| {
            members.object("nothing", |inner| inner.optional("name", None));
            members.object("deeper", |inner| {
                inner.object("none", |_| {});
                inner.objects("list", [1, 2], |item, number| item.number("n", number));
            });
            members.texts("texts", []);
            members.optional("text", Some(""));
            members.texts("said", ["a\"\n", "b"]);
            members.hexadecimal("hash", &[0, 0xAF]);
            members.number("least", i64::MIN);
            members.sequence("most", u64::MAX);
            members.number("zero", 0);
            members.json("json", b"{\"a\":\"\\n\"}");
            members.raw("raw", b"[1]");
        });
        assert_eq!(
            String::from_utf8(out).expect("text"),
            r#"{"deeper":{"list":[{"n":1},{"n":2}]},"said":["a\"\n","b"],"hash":"00af","#.to_owned()
                + r#""least":-9223372036854775808,"most":18446744073709551615,"zero":0,"#
                + r#""json":"{\"a\":\"\\n\"}","raw":[1]}"#
        );
    }
}
