//! What the event crate promises, tried from outside.
#![allow(
    clippy::disallowed_methods,
    reason = "tests work with real files, processes and time"
)]
#![allow(clippy::unwrap_used)]

mod admission;
mod bodies;
mod canonical;
mod catalog;
mod filter;
mod hostile;
mod language;
mod round_trip;
mod translated;
mod vectors;

use trailbook_event::{Admission, Admitted, Fault, Form, Limits, NoCatalog, Origin, Refusal, Timestamp, admit_body};

/// 2026-11-20T09:14:07.482Z, the time of receipt in these tests.
const NOW: Timestamp = Timestamp::from_millis(1_795_166_047_482);

/// Admits a body as a sender's, at [`NOW`], without a catalog.
fn admit_with(body: &[u8], form: Form, limits: &Limits) -> Result<Vec<Admitted>, Refusal> {
    admit_body(
        body,
        form,
        &Admission {
            limits,
            now: NOW,
            defaults: &NoCatalog,
            origin: Origin::Sender,
        },
    )
}

fn admit_json(body: &str) -> Result<Vec<Admitted>, Refusal> {
    admit_with(body.as_bytes(), Form::Json, &Limits::default())
}

/// The faults of a body that is JSON but invalid.
fn faults(body: &str) -> Vec<Fault> {
    match admit_json(body) {
        Err(Refusal::Invalid { faults, .. }) => faults,
        other => panic!("expected faults, got {other:?} for {body:.200}"),
    }
}

/// `pointer` of every fault of a body.
fn pointers(body: &str) -> Vec<String> {
    faults(body)
        .into_iter()
        .map(|fault| fault.pointer.as_str().to_owned())
        .collect()
}

/// The smallest event, with further members (each followed by a comma) before its own.
fn event_with(members: &str) -> String {
    format!("{{{members}\"organization\":\"fashion\",\"action\":\"a.b\",\"actor\":{{\"id\":\"u_1\"}}}}")
}
