//! How fast events are admitted: `cargo run --release -p trailbook-event --example admit_speed`.
//!
//! Prints events per second of one core for a batch of 500 events of about 705 bytes (parse, check, canonicalise), and for
//! reading them back from their canonical bytes.
#![allow(clippy::disallowed_methods, reason = "a measurement needs the clock")]

use std::{fmt::Write, hint::black_box, time::Instant};

use trailbook_event::{Admission, Admitted, Event, Form, Limits, NoCatalog, Origin, Timestamp, admit_body};

const EVENTS: usize = 500;
const ROUNDS: usize = 2000;

fn main() {
    for with_client_id in [false, true] {
        let body = batch(with_client_id);
        println!("{} bytes an event, client ids: {with_client_id}", body.len() / EVENTS);
        let limits = Limits::default();
        let now = Timestamp::from_millis(1_795_166_047_482);
        let admission = Admission {
            limits: &limits,
            now,
            defaults: &NoCatalog,
            origin: Origin::Sender,
        };
        let admit = || admit_body(black_box(body.as_bytes()), Form::Json, &admission).expect("the batch is valid");
        measure("  admit", || admit().len());
        let admitted = admit();
        measure("  read back", || admitted.iter().filter(|one| fits(one)).count());
    }
}

fn fits(admitted: &Admitted) -> bool {
    Event::parse(black_box(&admitted.parts)).is_ok_and(|event| !event.action.is_empty())
}

fn measure(name: &str, round: impl Fn() -> usize) {
    let best = (0..5)
        .map(|_| {
            let start = Instant::now();
            let count: usize = (0..ROUNDS / 5).map(|_| round()).sum();
            start.elapsed().as_secs_f64() / count as f64
        })
        .fold(f64::INFINITY, f64::min);
    println!(
        "{name}: {:.0} events/s, {:.2} µs each (best of 5)",
        1.0 / best,
        best * 1e6
    );
}

fn batch(with_client_id: bool) -> String {
    let mut body = String::from("{\"events\":[");
    for index in 0..EVENTS {
        let comma = if index == 0 { "" } else { "," };
        let client_id = if with_client_id {
            format!("\"client_id\":\"c-{index:08}\",")
        } else {
            String::new()
        };
        write!(
            body,
            "{comma}{{{client_id}\"organization\":\"org-{:03}\",\"occurred_at\":\"2026-11-20T09:14:07.{:03}Z\",\
             \"action\":\"user.role.updated\",\"action_type\":\"update\",\"area\":\"users_and_permissions\",\
             \"description\":\"Changed the role of Bill Hart from administrator to owner\",\"result\":\"success\",\
             \"actor\":{{\"type\":\"user\",\"id\":\"u_{index}\",\"name\":\"Sarah Khan\",\"email\":\"sarah.khan@fashion.example\"}},\
             \"targets\":[{{\"type\":\"user\",\"id\":\"u_{}\",\"name\":\"Bill Hart\"}}],\
             \"context\":{{\"ip\":\"203.0.113.{}\",\"user_agent\":\"Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0\"}},\
             \"changes\":[{{\"field\":\"role\",\"before\":\"administrator\",\"after\":\"owner\"}}],\
             \"trace_id\":\"4bf92f3577b34da6a3ce929d{index:08x}\",\
             \"metadata\":{{\"plan\":\"gold\",\"seats\":{index},\"ratio\":0.25,\"request_id\":\"req-{index:010}\"}}}}",
            index % 40,
            index % 1000,
            index + 7,
            index % 250,
        )
        .expect("writing to a string cannot fail");
    }
    body + "]}"
}
