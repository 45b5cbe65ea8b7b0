//! Canonical JSON: RFC 8785 held against an independent reader and the rule's own properties; time against `jiff`.

use std::borrow::Cow;

use proptest::prelude::*;
use trailbook_event::{
    Timestamp,
    json::{self, Value, parse, write_canonical},
};

fn canonical(value: &Value<'_>) -> String {
    let mut out = Vec::new();
    write_canonical(value, &mut out);
    String::from_utf8(out).unwrap()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_]{0,8}",
        "\\PC{0,12}",
        "[\u{1}-\u{1f}\"\\\\/\u{7f}\u{e000}-\u{ffff}\u{10000}-\u{10fff}]{0,6}"
    ]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-1000_i32..1000).prop_map(f64::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(|integer| integer as f64),
        any::<f64>().prop_filter("kept", |number| number.is_finite()
            && (number.abs() <= json::INTEGER_MAX || number.abs() >= 1e21)),
    ]
}

/// Any value that Trailbook keeps.
pub(crate) fn value() -> impl Strategy<Value = Value<'static>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number().prop_map(Value::Number),
        text().prop_map(|text| Value::String(Cow::Owned(text))),
    ];
    leaf.prop_recursive(4, 40, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::hash_map(text(), inner, 0..40).prop_map(|members| Value::Object(
                members.into_iter().map(|(key, value)| (key.into(), value)).collect()
            )),
        ]
    })
}

/// The value as another library writes it: other spacing, other escapes, members as they come.
fn foreign(value: &Value<'_>) -> serde_json::Value {
    serde_json::from_str(&canonical(value)).unwrap()
}

proptest! {
    #[test]
    fn canonical_text_reads_back_to_itself(value in value()) {
        let text = canonical(&value);
        let read = parse(&text, &json::Limits::default()).unwrap();
        prop_assert_eq!(canonical(&read), text);
    }

    #[test]
    fn any_spelling_has_the_same_canonical_text(value in value()) {
        let pretty = serde_json::to_string_pretty(&foreign(&value)).unwrap();
        let read = parse(&pretty, &json::Limits::default()).unwrap();
        prop_assert_eq!(canonical(&read), canonical(&value));
    }

    #[test]
    fn escaped_text_reads_like_plain_text(text in text()) {
        let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        let escaped = format!("\"{escaped}\"");
        prop_assert_eq!(parse(&escaped, &json::Limits::default()).unwrap(), Value::String(text.into()));
    }

    #[test]
    fn whatever_the_bytes_reading_agrees_with_another_reader(bytes in "[\\[\\]{}:,\"\\\\ u0-9eE.+\\-truefalsn\u{0}\n]{0,24}") {
        let ours = parse(&bytes, &json::Limits::default());
        let theirs = serde_json::from_str::<serde_json::Value>(&bytes);
        // Beyond the grammar we refuse more, and as `Refused`; they refuse numbers beyond a double as we do.
        match ours {
            Ok(_) => prop_assert!(theirs.is_ok()),
            Err(error) if error.kind == json::ErrorKind::Syntax => prop_assert!(theirs.is_err()),
            Err(_) => {}
        }
    }

    #[test]
    fn times_agree_with_another_calendar(millis in -62_135_596_800_000_i64..=253_402_207_200_000, offset in -1439_i64..=1439) {
        let ours = Timestamp::from_millis(millis);
        let theirs = jiff::Timestamp::from_millisecond(millis).unwrap();
        prop_assert_eq!(ours.to_string(), format!("{theirs:.3}"));
        prop_assert_eq!(Timestamp::parse(&ours.to_string()), Some(ours));
        // The same moment as a clock elsewhere shows it.
        let local = Timestamp::from_millis(millis + offset * 60_000).to_string();
        let sign = if offset < 0 { '-' } else { '+' };
        let elsewhere = format!("{}{sign}{:02}:{:02}", local.trim_end_matches('Z'), offset.abs() / 60, offset.abs() % 60);
        if local.len() == 24 && !local.starts_with("0000") {
            prop_assert_eq!(Timestamp::parse(&elsewhere), Some(ours));
        }
    }
}

/// The numbers of RFC 8785, appendix B, as far as they are kept.
#[test]
fn numbers_are_written_as_ecmascript_does() {
    for (bits, expected) in [
        (0x0000_0000_0000_0000_u64, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0x4340_0000_0000_0000 - 1, "9007199254740991"),
        (0xc340_0000_0000_0000 - 1, "-9007199254740991"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ] {
        assert_eq!(canonical(&Value::Number(f64::from_bits(bits))), expected);
    }
}

/// The example of RFC 8785, section 3.2.2, without its number that is beyond the exact integers.
#[test]
fn the_example_of_the_rfc() {
    let sent = r#"{
        "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
        "literals": [null, true, false]
    }"#;
    let expected = "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\
                    \"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
    assert_eq!(canonical(&parse(sent, &json::Limits::default()).unwrap()), expected);
}
