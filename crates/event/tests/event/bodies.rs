//! Whole bodies: one event, a batch, JSON lines; and what is wrong with which of them.

use trailbook_event::{Form, Limits, Refusal};

use crate::{admit_json, admit_with, event_with, pointers};

fn batch(events: &[String]) -> String {
    format!("{{\"events\":[{}]}}", events.join(","))
}

fn lines(body: &str) -> Result<usize, Refusal> {
    admit_with(body.as_bytes(), Form::Ndjson, &Limits::default()).map(|admitted| admitted.len())
}

fn line_pointers(body: &str) -> Vec<String> {
    match lines(body) {
        Err(Refusal::Invalid { faults, .. }) => faults
            .into_iter()
            .map(|fault| fault.pointer.as_str().to_owned())
            .collect(),
        other => panic!("expected faults, got {other:?}"),
    }
}

fn place(refusal: Refusal) -> (usize, usize, usize) {
    match refusal {
        Refusal::Malformed {
            offset, line, column, ..
        } => (offset, line, column),
        other => panic!("expected malformed, got {other:?}"),
    }
}

#[test]
fn events_keep_their_order() {
    let events: Vec<_> = (0..20)
        .map(|index| event_with(&format!("\"client_id\":\"{index}\",")))
        .collect();
    for admitted in [
        admit_json(&batch(&events)).unwrap(),
        admit_with(
            events.join("\r\n \t\r\n\n").as_bytes(),
            Form::Ndjson,
            &Limits::default(),
        )
        .unwrap(),
    ] {
        let ids: Vec<_> = admitted.into_iter().map(|one| one.client_id.unwrap().id).collect();
        assert_eq!(ids, (0..20).map(|index| index.to_string()).collect::<Vec<_>>());
    }
    assert_eq!(admit_json(&format!(" \n{}\n", event_with(""))).unwrap().len(), 1);
    assert_eq!(
        admit_json(&format!(" {{ \"\\u0065vents\" : [ {} ] }} ", event_with("")))
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_fault_does_not_hide_the_faults_of_other_events() {
    let good = event_with("");
    let deep = event_with(&format!(
        "\"metadata\":{{\"d\":{}1{}}},",
        "[".repeat(40),
        "]".repeat(40)
    ));
    let large = event_with(&format!("\"message\":\"{}\",", "m".repeat(1024 * 1024)));
    let repeated = event_with("\"metadata\":{\"a\":1,\"a\":1},");
    let events = [
        event_with("\"x\":1,"),
        good.clone(),
        deep,
        large,
        "7".into(),
        repeated,
        good,
        "{}".into(),
    ];
    let deep_pointer = format!("/events/2/metadata/d{}", "/0".repeat(30));
    assert_eq!(
        pointers(&batch(&events)),
        [
            "/events/0/x",
            &deep_pointer,
            "/events/3",
            "/events/4",
            "/events/5/metadata/a",
            "/events/7/organization",
            "/events/7/action",
            "/events/7/actor"
        ]
    );
    assert_eq!(line_pointers(&events.join("\n")).len(), 8);
    assert_eq!(
        line_pointers(&format!("\n\n{}\n \n{}\n", event_with(""), event_with("\"x\":1,"))),
        ["/1/x"]
    );
}

#[test]
fn an_event_is_measured_by_itself() {
    let limits = Limits {
        event_bytes_max: 200,
        ..Limits::default()
    };
    let of_size = |size: usize| {
        let bare = event_with("\"message\":\"\",").len();
        event_with(&format!("\"message\":\"{}\",", "m".repeat(size - bare)))
    };
    let outcome = |body: String| admit_with(body.as_bytes(), Form::Json, &limits).map(|admitted| admitted.len());
    assert_eq!(outcome(of_size(200)), Ok(1));
    assert_eq!(outcome(batch(&vec![of_size(200); 50])), Ok(50));
    assert_eq!(outcome(format!("{}{}", " ".repeat(500), of_size(200))), Ok(1));
    for body in [
        of_size(201),
        batch(&[of_size(200), of_size(201)]),
        event_with(&format!("\"metadata\":{{\"l\":[{}0]}},", "0,".repeat(300))),
    ] {
        let Err(Refusal::Invalid { faults, .. }) = admit_with(body.as_bytes(), Form::Json, &limits) else {
            panic!("too large")
        };
        assert!(faults[0].detail.contains("larger than 200 bytes"), "{faults:?}");
        assert_eq!(faults.len(), 1);
    }
}

#[test]
fn what_is_not_json_is_refused_as_a_whole_with_its_place() {
    let good = event_with("");
    assert_eq!(place(admit_json("").unwrap_err()), (0, 1, 1));
    assert_eq!(place(admit_json("{\n \"é\":x}").unwrap_err()), (8, 2, 6));
    let unread = event_with(&format!("\"metadata\":{{\"d\":{}", "[".repeat(40)));
    assert!(matches!(
        admit_json(&batch(&[good.clone(), unread])),
        Err(Refusal::Malformed { .. })
    ));
    assert!(matches!(
        admit_json(&format!("{good}{good}")),
        Err(Refusal::Malformed { .. })
    ));
    assert!(matches!(
        admit_json(&format!("{{\"events\":[{good} {good}]}}")),
        Err(Refusal::Malformed { .. })
    ));
    assert!(matches!(
        admit_json(&format!("{{\"events\":[{good},]}}")),
        Err(Refusal::Malformed { .. })
    ));
    assert!(matches!(
        admit_json(&format!("{{\"events\":[{good}]")),
        Err(Refusal::Malformed { .. })
    ));
    assert!(matches!(
        admit_json(&format!("\u{feff}{good}")),
        Err(Refusal::Malformed { .. })
    ));
    assert_eq!(
        place(lines(&format!("{good}\n\n{good}x\n")).unwrap_err()),
        (good.len() * 2 + 2, 3, good.len() + 1)
    );
    // A value does not go on in the next line.
    assert!(matches!(
        lines(&good.replacen(',', ",\n", 1)),
        Err(Refusal::Malformed { .. })
    ));
    assert!(matches!(
        admit_with(b"{\"organization\":\"\xFF\"}", Form::Json, &Limits::default()),
        Err(Refusal::Malformed { offset: 17, .. })
    ));
}

#[test]
fn a_batch_is_a_list_of_events_and_nothing_else() {
    let good = event_with("");
    assert_eq!(pointers("{\"events\":[]}"), ["/events"]);
    assert_eq!(pointers("{\"events\":{}}"), ["/events"]);
    assert_eq!(pointers("{\"events\":null,\"x\":1}"), ["/events", "/x"]);
    assert_eq!(
        pointers(&format!("{{\"events\":[{good}],\"x\":1,\"y\":[{{}}]}}")),
        ["/x", "/y"]
    );
    assert_eq!(
        pointers(&format!("{{\"events\":[{good}],\"events\":[{good}]}}")),
        ["/events"]
    );
    assert_eq!(pointers(&format!("[{good}]")), [""]);
    assert_eq!(line_pointers(" \n\n"), [""]);
}

#[test]
fn the_number_of_events_is_bounded() {
    let limits = Limits {
        events_max: 3,
        ..Limits::default()
    };
    let events = |count: usize| vec![event_with(""); count];
    let outcome = |body: String, form| admit_with(body.as_bytes(), form, &limits).map(|admitted| admitted.len());
    assert_eq!(outcome(batch(&events(3)), Form::Json), Ok(3));
    assert_eq!(outcome(events(3).join("\n"), Form::Ndjson), Ok(3));
    assert_eq!(
        outcome(batch(&events(4)), Form::Json),
        Err(Refusal::TooMany { events_max: 3 })
    );
    assert_eq!(
        outcome(events(4).join("\n"), Form::Ndjson),
        Err(Refusal::TooMany { events_max: 3 })
    );
}
