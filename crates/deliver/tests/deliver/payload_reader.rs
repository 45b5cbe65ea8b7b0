//! Readers of CEF and of RFC 5424, written from their documents and sharing nothing with what writes them.

use std::collections::BTreeMap;

/// A CEF message taken apart.
#[derive(Debug)]
pub(crate) struct Cef {
    /// Version, vendor, product, its version, signature, name and severity.
    pub(crate) header: Vec<String>,
    pub(crate) extension: BTreeMap<String, String>,
}

pub(crate) fn read_cef(line: &str) -> Cef {
    let mut rest = line.strip_prefix("CEF:").expect("the prefix");
    let mut header = Vec::new();
    while header.len() < 7 {
        let end = unescaped(rest, '|')
            .next()
            .expect("a bar after each field of the header");
        header.push(undone(&rest[..end], &['|', '\\']));
        rest = &rest[end + 1..];
    }
    Cef {
        header,
        extension: read_extension(rest),
    }
}

/// Keys are what stands between a space and an equals sign that is not escaped; a value ends before the space of the next.
fn read_extension(text: &str) -> BTreeMap<String, String> {
    let signs: Vec<usize> = unescaped(text, '=').collect();
    let key_start = |sign: usize| text[..sign].rfind(' ').map_or(0, |space| space + 1);
    let mut extension = BTreeMap::new();
    for (position, sign) in signs.iter().enumerate() {
        let end = signs.get(position + 1).map_or(text.len(), |next| key_start(*next) - 1);
        let key = &text[key_start(*sign)..*sign];
        assert!(
            !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric()),
            "{key:?} in {text}"
        );
        let value = undone(&text[sign + 1..end], &['=', '\\', 'n', 'r']);
        assert_eq!(extension.insert(key.to_owned(), value), None, "{key} twice in {text}");
    }
    extension
}

/// The places of a sign that no backslash stands before, except an escaped one.
fn unescaped(text: &str, sign: char) -> impl Iterator<Item = usize> {
    let mut is_escaped = false;
    text.char_indices().filter_map(move |(at, character)| {
        let counts = !is_escaped && character == sign;
        is_escaped = !is_escaped && character == '\\';
        counts.then_some(at)
    })
}

fn undone(text: &str, allowed: &[char]) -> String {
    let mut out = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        assert!(!character.is_control(), "a control character in {text:?}");
        let escaped = match character {
            '\\' => characters.next().expect("a character after each backslash"),
            plain => {
                out.push(plain);
                continue;
            }
        };
        assert!(allowed.contains(&escaped), "\\{escaped} is no escape: {text}");
        out.push(match escaped {
            'n' => '\n',
            'r' => '\r',
            other => other,
        });
    }
    out
}

/// A syslog message taken apart.
#[derive(Debug)]
pub(crate) struct Syslog {
    pub(crate) priority: u8,
    pub(crate) timestamp: String,
    pub(crate) hostname: String,
    pub(crate) message_id: String,
    pub(crate) parameters: BTreeMap<String, String>,
    /// With its byte order mark.
    pub(crate) message: String,
}

pub(crate) fn read_syslog(bytes: &[u8]) -> Syslog {
    assert!(bytes.iter().all(|byte| *byte >= 0x20), "an octet below 32");
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    let (priority, rest) = text
        .strip_prefix('<')
        .and_then(|rest| rest.split_once('>'))
        .expect("a priority");
    let mut fields = rest.splitn(7, ' ');
    let mut field = || fields.next().expect("seven fields").to_owned();
    let [version, timestamp, hostname, application, process, message_id] = std::array::from_fn(|_| field());
    assert_eq!([version, application, process], ["1", "trailbook", "-"]);
    for (name, bytes_max) in [(&hostname, 255), (&message_id, 32)] {
        let is_visible = name.bytes().all(|byte| (33..=126).contains(&byte));
        assert!(is_visible && (1..=bytes_max).contains(&name.len()), "{name:?}");
    }
    let data = field();
    let element = data.strip_prefix("[trailbook@32473").expect("our element");
    let (parameters, message) = read_parameters(element);
    let message = message.strip_prefix(' ').expect("a space before the message");
    assert_eq!(
        message.is_ascii(),
        !message.starts_with('\u{feff}'),
        "the mark says UTF-8"
    );
    Syslog {
        priority: priority.parse().expect("a number"),
        timestamp,
        hostname,
        message_id,
        parameters,
        message: message.to_owned(),
    }
}

/// The parameters of an element and what follows its bracket.
fn read_parameters(mut text: &str) -> (BTreeMap<String, String>, &str) {
    let mut parameters = BTreeMap::new();
    while let Some(parameter) = text.strip_prefix(' ') {
        let (name, rest) = parameter.split_once("=\"").expect("a name and a value");
        let end = unescaped(rest, '"').next().expect("a closing quote");
        assert!(
            unescaped(&rest[..end], ']').next().is_none(),
            "a bracket that is not escaped"
        );
        parameters.insert(name.to_owned(), undone(&rest[..end], &['"', '\\', ']']));
        text = &rest[end + 1..];
    }
    (parameters, text.strip_prefix(']').expect("a closing bracket"))
}
