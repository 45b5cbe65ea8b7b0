//! Bodies of foreign records: how much their events may come to.

use trailbook_event::{
    Admission, Admitted, Fault, Form, Limits, NoCatalog, Origin, Pointer, Refusal, Translated, Translation,
    json::{Limits as JsonLimits, Value, parse},
    translate_body,
};

use crate::{NOW, event_with};

/// Makes every record an event with a message of so many bytes.
struct Adding(usize);

impl Translation for Adding {
    fn translate(&self, _: &Value<'_>, _: usize) -> Result<Translated, Vec<Fault>> {
        let text = event_with(&format!("\"message\":\"{}\",", "m".repeat(self.0)));
        let Value::Object(members) = parse(&text, &JsonLimits::default()).unwrap() else {
            panic!("an event is an object");
        };
        let owned = |value: Value<'_>| match value {
            Value::String(text) => Value::String(text.into_owned().into()),
            _ => Value::Object(vec![("id".into(), Value::String("u_1".into()))]),
        };
        let members = members
            .into_iter()
            .map(|(key, value)| (key.into_owned().into(), owned(value)));
        Ok(Translated {
            event: Value::Object(members.collect()),
            content: [0; 32],
        })
    }

    fn of_record(&self, _: &Value<'_>, fault: Fault) -> Fault {
        fault
    }
}

/// Admits so many records of so many bytes as events with so many bytes more; an event may have 1,000.
fn admitted(records: usize, record_bytes: usize, added: usize) -> Result<Vec<Admitted>, Refusal> {
    let record = format!("{{\"r\":\"{}\"}}\n", "r".repeat(record_bytes));
    let limits = Limits {
        event_bytes_max: 1_000,
        ..Limits::default()
    };
    let admission = Admission {
        limits: &limits,
        now: NOW,
        defaults: &NoCatalog,
        origin: Origin::Sender,
    };
    translate_body(
        record.repeat(records).as_bytes(),
        Form::Ndjson,
        &admission,
        &Adding(added),
    )
}

fn only_fault(refused: Result<Vec<Admitted>, Refusal>) -> Fault {
    let Err(Refusal::Invalid { faults, more: 0 }) = refused else {
        panic!("expected one fault, got {refused:?}");
    };
    let [fault] = faults.try_into().unwrap();
    fault
}

#[test]
fn many_small_records_do_not_become_many_large_events() {
    let each = admitted(1, 1, 800).unwrap()[0].parts.bytes().len();
    let fitting = 16 * 1_000 / each;
    assert_eq!(admitted(fitting, 1, 800).unwrap().len(), fitting);
    let fault = only_fault(admitted(100, 1, 800));
    assert_eq!(fault.pointer, Pointer::root().index(fitting), "{fault:?}");
    assert!(fault.detail.contains("much larger than the body"), "{fault:?}");
}

#[test]
fn a_large_body_may_become_four_times_as_large() {
    assert_eq!(admitted(1_000, 300, 800).unwrap().len(), 1_000);
    assert_eq!(only_fault(admitted(1_000, 150, 800)).pointer.as_str().len(), 4);
}

#[test]
fn no_translation_makes_an_event_that_is_too_large() {
    let fault = only_fault(admitted(1, 1, 1_000));
    assert_eq!(fault.detail, Translated::too_large(1_000).detail);
}
