//! Hostile input: each kind has its own refusal, quickly, and leaves nothing behind.

use trailbook_event::{
    Form, Limits, Refusal,
    json::{self, ErrorKind, parse, parse_bytes, write_canonical},
};

use crate::{admit_with, event_with};

fn outcome(bytes: &[u8]) -> Result<String, (ErrorKind, usize, String)> {
    let value = parse_bytes(bytes, &json::Limits::default())
        .map_err(|error| (error.kind, error.offset, error.pointer.as_str().to_owned()))?;
    let mut out = Vec::new();
    write_canonical(&value, &mut out);
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn what_is_not_json_is_malformed_at_its_first_wrong_byte() {
    let cases: &[(&[u8], usize)] = &[
        (b"", 0),
        (b" ", 1),
        (b"[", 1),
        (b"]", 0),
        (b"{", 1),
        (b"[1", 2),
        (b"[1,", 3),
        (b"[1,]", 3),
        (b"[,1]", 1),
        (b"[1 2]", 3),
        (b"{\"a\"}", 4),
        (b"{\"a\":}", 5),
        (b"{\"a\":1,}", 7),
        (b"{a:1}", 1),
        (b"{'a':1}", 1),
        (b"{\"a\":1 \"b\":2}", 7),
        (b"{1:1}", 1),
        (b"[1]x", 3),
        (b"1 1", 2),
        (b"[1]\0", 3),
        (b"\0", 0),
        (b"nul", 0),
        (b"nulll", 4),
        (b"True", 0),
        (b"NaN", 0),
        (b"Infinity", 0),
        (b"-Infinity", 1),
        (b"-", 1),
        (b"+1", 0),
        (b"01", 1),
        (b"-01", 2),
        (b"1.", 2),
        (b".5", 0),
        (b"1e", 2),
        (b"1e+", 3),
        (b"0x10", 1),
        (b"1.e1", 2),
        (b"--1", 1),
        (b"\"", 1),
        (b"\"a", 2),
        (b"\"\n\"", 1),
        (b"\"\0\"", 1),
        (b"\"\x1f\"", 1),
        (b"\"\\x41\"", 1),
        (b"\"\\u12\"", 1),
        (b"\"\\u12g4\"", 1),
        (b"\"\\", 1),
        (b"\"\\ud800\\u12\"", 7),
        (b"'a'", 0),
        (b"// c\n1", 0),
        (b"[1]/**/", 3),
        (b"\xEF\xBB\xBF{}", 0),
        (b"\xFF", 0),
        (b"\"\xC0\x80\"", 1),
        (b"\"\xED\xA0\x80\"", 1),
        (b"\"\xF4\x90\x80\x80\"", 1),
        (b"\"\xE2\x82\"", 1),
        (b"\"\x80\"", 1),
        (b"[1\x0b]", 2),
        (b"\xFE\xFF\0[\0]", 0),
        ("[1,\u{a0}2]".as_bytes(), 3),
    ];
    for (bytes, offset) in cases {
        let found = outcome(bytes).map_err(|(kind, offset, _)| (kind, offset));
        assert_eq!(
            found,
            Err((ErrorKind::Syntax, *offset)),
            "{:?}",
            String::from_utf8_lossy(bytes)
        );
    }
}

#[test]
fn json_that_is_not_kept_is_refused_at_its_pointer() {
    for (text, pointer) in [
        (r#"{"a":1,"a":1}"#, "/a"),
        (r#"{"a":1,"\u0061":2}"#, "/a"),
        (r#"{"a":{"~/":[0,{"b":0,"b":0}]}}"#, "/a/~0~1/1/b"),
        (r#"["\ud800"]"#, "/0"),
        (r#"["\udc00\ud800"]"#, "/0"),
        (r#"["\ud800\ud800\udc00"]"#, "/0"),
        (r#"["\ud800x"]"#, "/0"),
        (r#"["a\u0000b"]"#, "/0"),
        ("[0,9007199254740992]", "/1"),
        ("[-9007199254740992]", "/0"),
        ("[9223372036854775808]", "/0"),
        ("[18446744073709551616]", "/0"),
        ("[100000000000000000000000]", "/0"),
        ("[9007199254740993.0]", "/0"),
        ("[1e17]", "/0"),
        ("[1e400]", "/0"),
        ("[-1e400]", "/0"),
    ] {
        let found = outcome(text.as_bytes()).map_err(|(kind, _, pointer)| (kind, pointer));
        assert_eq!(found, Err((ErrorKind::Refused, pointer.to_owned())), "{text}");
    }
}

#[test]
fn what_is_kept_is_kept_exactly() {
    for (text, expected) in [
        ("-0", "0"),
        ("-0.0", "0"),
        ("0.1", "0.1"),
        ("1E+2", "100"),
        ("1e-2", "0.01"),
        ("9007199254740991", "9007199254740991"),
        ("-9007199254740991", "-9007199254740991"),
        ("1e21", "1e+21"),
        ("1e308", "1e+308"),
        ("1e-400", "0"),
        ("123.456e3", "123456"),
        (" [ ] ", "[]"),
        ("{ }", "{}"),
        ("\"\"", "\"\""),
        (r#""\ud83d\ude00""#, "\"\u{1f600}\""),
        (r#""\/\b\f\n\r\t""#, r#""/\b\f\n\r\t""#),
        (
            "\"\u{7f}\u{2028}\u{202e}\u{fffe}\"",
            "\"\u{7f}\u{2028}\u{202e}\u{fffe}\"",
        ),
        (r#"{"b":1,"a":{"d":[],"c":null}}"#, r#"{"a":{"c":null,"d":[]},"b":1}"#),
        (r#"{"":0}"#, r#"{"":0}"#),
    ] {
        assert_eq!(outcome(text.as_bytes()).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn depth_is_bounded_without_the_stack() {
    let nest = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let kind = |text: &str| outcome(text.as_bytes()).map_err(|(kind, ..)| kind);
    assert!(kind(&nest(32)).is_ok());
    assert_eq!(kind(&nest(33)), Err(ErrorKind::Refused));
    assert_eq!(kind(&nest(100_000)), Err(ErrorKind::Refused));
    assert_eq!(kind(&"[".repeat(100_000)), Err(ErrorKind::Syntax));
    assert_eq!(kind(&"{\"a\":".repeat(100_000)), Err(ErrorKind::Syntax));
    assert_eq!(
        kind(&("{\"a\":".repeat(100_000) + "0" + &"}".repeat(100_000))),
        Err(ErrorKind::Refused)
    );
    assert_eq!(kind(&(nest(100_000) + "]")), Err(ErrorKind::Syntax));
    // No setting lets the stack overflow.
    let deepest = json::Limits { depth_max: usize::MAX };
    assert!(parse(&nest(json::DEPTH_CEILING), &deepest).is_ok());
    assert!(parse(&nest(json::DEPTH_CEILING + 1), &deepest).is_err());
}

#[test]
fn huge_objects_and_keys_are_read_in_time() {
    let members = |count: usize| {
        (0..count)
            .map(|index| format!("\"k{index}\":{index}"))
            .collect::<Vec<_>>()
            .join(",")
    };
    let million = format!("{{{}}}", members(1_000_000));
    assert!(outcome(million.as_bytes()).is_ok());
    let repeated = format!("{{{},\"k77\":0}}", members(1_000_000));
    assert_eq!(outcome(repeated.as_bytes()).unwrap_err().2, "/k77");
    let key = "k".repeat(64 * 1024);
    assert!(outcome(format!("{{\"{key}\":1}}").as_bytes()).is_ok());
    assert_eq!(
        outcome(format!("{{\"{key}\":1,\"{key}\":1}}").as_bytes())
            .unwrap_err()
            .2,
        format!("/{key}")
    );
}

#[test]
fn a_key_that_repeats_is_found_wherever_it_stands() {
    for count in [2, 3, 31, 32, 33, 34, 70] {
        for repeated in 1..count {
            for first in [0, repeated / 2, repeated - 1] {
                let name = |index: usize| if index == repeated { first } else { index };
                let members: Vec<_> = (0..count).map(|index| format!("\"{:03}\":0", name(index))).collect();
                let text = format!("{{{}}}", members.join(","));
                assert_eq!(
                    outcome(text.as_bytes()).unwrap_err().2,
                    format!("/{first:03}"),
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn refusals_inside_an_event_keep_their_pointer_and_hide_nothing() {
    let body = event_with(r#""metadata":{"n":9007199254740993,"s":"\ud800","d":{"x":1,"x":2}},"bogus":1,"area":7,"#);
    assert_eq!(
        crate::pointers(&body),
        ["/metadata/n", "/metadata/s", "/metadata/d/x", "/bogus", "/area"]
    );
    // What was refused while reading is not complained of a second time as what stands in its place.
    assert_eq!(
        crate::pointers(&event_with(r#""area":9007199254740993,"client_id":"","#)),
        ["/area", "/client_id"]
    );
}

#[test]
fn many_faults_are_counted_but_not_all_listed() {
    let numbers = vec!["1e400"; 5000].join(",");
    let body = event_with(&format!("\"metadata\":{{\"n\":[{numbers}]}},"));
    let lines = format!("{body}\n{body}\n");
    let Err(Refusal::Invalid { faults, more }) = admit_with(lines.as_bytes(), Form::Ndjson, &Limits::default()) else {
        panic!("the numbers are too large")
    };
    assert_eq!((faults.len(), more), (100, 9900));
}
