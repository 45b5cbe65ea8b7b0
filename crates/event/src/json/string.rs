//! Strings: scanning eight bytes at a time, and undoing escapes.

use std::borrow::Cow;

use super::Reader;

/// A string that was read, and what is wrong with it although it is JSON.
pub(super) struct Scanned<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) refused: Option<&'static str>,
}

const UNENDED: &str = "The text ends inside a string; close it with a double quote.";
const CONTROL: &str = "A control character stands raw in a string; escape it.";
const BAD_ESCAPE: &str = "This is no escape that JSON knows; write a backslash as `\\\\`.";
const LONE: &str = "This text has half of a surrogate pair; send complete characters.";
const NUL: &str = "This text has a NUL character; send it without.";

/// Whether a byte ends a run that can be copied as it is: a quote, a backslash or a control character.
#[inline]
pub(super) fn is_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

/// The offset of the first special byte at or after `at`, or the length.
#[inline]
pub(super) fn find_special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let found = special_bytes(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes.len() - at.min(bytes.len());
    if let Some(chunk) = bytes.last_chunk().filter(|_| rest > 0) {
        // What precedes `at` is shifted out; the zero bytes shifted in are special, so that the end is found at the latest.
        let found = special_bytes(u64::from_le_bytes(*chunk) >> (64 - 8 * rest));
        return at + found.trailing_zeros() as usize / 8;
    }
    while at < bytes.len() && !is_special(bytes[at]) {
        at += 1;
    }
    at
}

/// The highest bit of each special byte; right for the first one and all before it, which is what callers look at.
#[inline]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES * 0x80;
    let quote = word ^ (ONES * u64::from(b'"'));
    let backslash = word ^ (ONES * u64::from(b'\\'));
    // The classic test for a zero byte: a borrow makes false hits only above a true one.
    let zero = |value: u64| value.wrapping_sub(ONES) & !value;
    (zero(quote) | zero(backslash) | (word.wrapping_sub(ONES * 0x20) & !word)) & HIGHS
}

impl<'a> Reader<'a> {
    /// The string that is next, when it has no escapes (nearly all have none); otherwise nothing is read.
    #[inline(always)]
    pub(super) fn plain_string(&mut self) -> Option<&'a str> {
        if self.peek() != b'"' {
            return None;
        }
        let start = self.at + 1;
        let end = find_special(self.bytes, start);
        if self.bytes.get(end) != Some(&b'"') {
            return None;
        }
        self.at = end + 1;
        Some(&self.text[start..end])
    }

    /// Reads the string whose opening quote is next. The error is a sentence; the reader then stands at the offending byte.
    #[inline]
    pub(super) fn scan_string(&mut self) -> Result<Scanned<'a>, &'static str> {
        match self.plain_string() {
            Some(text) => Ok(Scanned {
                text: Cow::Borrowed(text),
                refused: None,
            }),
            None => self.scan_escaped(),
        }
    }

    #[cold]
    fn scan_escaped(&mut self) -> Result<Scanned<'a>, &'static str> {
        let start = self.at + 1;
        self.at = find_special(self.bytes, start);
        let mut text = String::with_capacity((self.at - start) * 2 + 16);
        text.push_str(&self.text[start..self.at]);
        let mut refused = None;
        loop {
            match self.bytes.get(self.at) {
                None => return Err(UNENDED),
                Some(b'"') => break,
                Some(b'\\') => self.escape(&mut text, &mut refused)?,
                Some(_) => return Err(CONTROL),
            }
            let run = self.at;
            self.at = find_special(self.bytes, run);
            text.push_str(&self.text[run..self.at]);
        }
        self.at += 1;
        Ok(Scanned {
            text: Cow::Owned(text),
            refused,
        })
    }

    /// One escape, from its backslash on.
    fn escape(&mut self, text: &mut String, refused: &mut Option<&'static str>) -> Result<(), &'static str> {
        let plain = match self.bytes.get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(text, refused),
            _ => return Err(BAD_ESCAPE),
        };
        text.push(plain);
        self.at += 2;
        Ok(())
    }

    fn unicode_escape(&mut self, text: &mut String, refused: &mut Option<&'static str>) -> Result<(), &'static str> {
        let first = self.hex4(self.at + 2).ok_or(BAD_ESCAPE)?;
        self.at += 6;
        let code = match first {
            0xD800..=0xDBFF if self.bytes[self.at..].starts_with(b"\\u") => match self.hex4(self.at + 2) {
                Some(second @ 0xDC00..=0xDFFF) => {
                    self.at += 6;
                    0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
                }
                Some(_) => first,
                None => return Err(BAD_ESCAPE),
            },
            other => other,
        };
        match char::from_u32(code) {
            Some('\0') => *refused = refused.or(Some(NUL)),
            Some(character) => text.push(character),
            None => *refused = refused.or(Some(LONE)),
        }
        Ok(())
    }

    fn hex4(&self, at: usize) -> Option<u32> {
        self.bytes
            .get(at..at + 4)?
            .iter()
            .try_fold(0, |code, digit| Some(code * 16 + char::from(*digit).to_digit(16)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wide_scan_agrees_with_the_byte_by_byte_one() {
        for special in 0..=255_u8 {
            for place in 0..20 {
                for filler in [b'a', b'#', b'"', 0x21, 0x7F, 0x80, 0xA2, 0xFF] {
                    let mut bytes = [filler; 20];
                    bytes[place] = special;
                    for (start, end) in [(0, 20), (0, 7), (3, 20), (place, 20), (15, 20), (20, 20), (2, 9)] {
                        let part = &bytes[..end];
                        let expected = (start..end).find(|at| is_special(part[*at])).unwrap_or(end.max(start));
                        assert_eq!(find_special(part, start), expected, "{part:?} from {start}");
                    }
                }
            }
        }
    }
}
