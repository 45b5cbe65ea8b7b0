//! Canonical JSON (RFC 8785): keys in the order of their UTF-16 code units, numbers as ECMAScript writes them, the fewest
//! escapes, no whitespace.

use std::{borrow::Cow, cmp::Ordering};

use super::{INTEGER_MAX, Value, string::find_special};

/// Appends the canonical form of `value`. Its numbers must be finite, which every parsed value's are.
pub fn write_canonical(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(*number, out),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_canonical(item, out);
            }
            out.push(b']');
        }
        Value::Object(members) => write_object(members, out),
    }
}

/// Appends a string in canonical form, with its quotes.
#[inline]
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.push(b'"');
    let mut start = 0;
    loop {
        let end = find_special(bytes, start);
        out.extend_from_slice(&bytes[start..end]);
        let Some(special) = bytes.get(end) else { break };
        write_escape(*special, out);
        start = end + 1;
    }
    out.push(b'"');
}

fn write_escape(special: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match special {
        b'"' | b'\\' => special,
        0x08 => b'b',
        0x09 => b't',
        0x0A => b'n',
        0x0C => b'f',
        0x0D => b'r',
        other => {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[HEX[usize::from(other >> 4)], HEX[usize::from(other & 15)]]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Appends a finite number in canonical form.
fn write_number(number: f64, out: &mut Vec<u8>) {
    if number.abs() <= INTEGER_MAX && number.fract() == 0.0 {
        // Exact below 2^53; minus zero becomes 0, as ECMAScript has it.
        write_integer(number as i64, out);
    } else {
        out.extend_from_slice(ryu_js::Buffer::new().format_finite(number).as_bytes());
    }
}

fn write_integer(integer: i64, out: &mut Vec<u8>) {
    if integer < 0 {
        out.push(b'-');
    }
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = integer.unsigned_abs();
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

fn write_object(members: &[(Cow<'_, str>, Value<'_>)], out: &mut Vec<u8>) {
    out.push(b'{');
    if members.is_sorted_by(|left, right| utf16_order(&left.0, &right.0).is_le()) {
        for (index, member) in members.iter().enumerate() {
            write_sorted_member(index, member, out);
        }
    } else {
        let mut order: Vec<&(Cow<'_, str>, Value<'_>)> = members.iter().collect();
        order.sort_unstable_by(|left, right| utf16_order(&left.0, &right.0));
        for (index, member) in order.into_iter().enumerate() {
            write_sorted_member(index, member, out);
        }
    }
    out.push(b'}');
}

/// One member of an object, whose place among the sorted members is known.
fn write_sorted_member(index: usize, (key, value): &(Cow<'_, str>, Value<'_>), out: &mut Vec<u8>) {
    if index > 0 {
        out.push(b',');
    }
    write_string(key, out);
    out.push(b':');
    write_canonical(value, out);
}

/// The order of two texts by their UTF-16 code units, without encoding them: it differs from the order of the UTF-8 bytes
/// only where a character beyond U+FFFF (first byte from F0) meets one from U+E000 to U+FFFF (first byte EE or EF).
fn utf16_order(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    match left.iter().zip(right).find(|(a, b)| a != b) {
        None => left.len().cmp(&right.len()),
        Some((&a, &b)) if a >= 0xEE && b >= 0xEE && (a >= 0xF0) != (b >= 0xF0) => b.cmp(&a),
        Some((a, b)) => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::utf16_order;

    #[test]
    fn keys_are_ordered_by_utf_16_units() {
        let mut keys = [
            "\u{20ac}",
            "\r",
            "\u{fb33}",
            "1",
            "\u{1f600}",
            "\u{80}",
            "\u{f6}",
            "",
            "a\u{e000}",
            "a\u{10000}",
            "a\u{ff}",
        ];
        let mut expected = keys;
        expected.sort_by_key(|key| key.encode_utf16().collect::<Vec<_>>());
        keys.sort_by(|left, right| utf16_order(left, right));
        assert_eq!(keys, expected);
    }
}
