//! A server that answers as the contract says, keeps events in memory, and fails on request.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

/// What goes wrong with the next request that stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// 503, nothing stored.
    Busy,
    /// Stored, but the connection is lost before the answer.
    AnswerLost,
    /// 401, nothing stored.
    Unauthorized,
}

#[derive(Default)]
struct Inside {
    events: Vec<Value>,
    answers: HashMap<String, Value>,
    failures: Vec<Option<Failure>>,
    /// Actions that are not valid.
    refused_action: Option<String>,
}

/// The server; it stops with the process.
pub(crate) struct FakeServer {
    pub(crate) url: String,
    inside: Arc<Mutex<Inside>>,
}

impl FakeServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inside = Arc::new(Mutex::new(Inside::default()));
        let shared = Arc::clone(&inside);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || serve(stream.unwrap(), &shared));
            }
        });
        Self { url, inside }
    }

    /// What the next requests that store meet, the first one last.
    pub(crate) fn fail(&self, failures: &[Option<Failure>]) {
        self.inside.lock().unwrap().failures = failures.to_vec();
    }

    pub(crate) fn refuse(&self, action: &str) {
        self.inside.lock().unwrap().refused_action = Some(action.to_owned());
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        self.inside.lock().unwrap().events.clone()
    }
}

fn serve(stream: TcpStream, shared: &Mutex<Inside>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let header = |name: &str| {
            let found = lines
                .iter()
                .find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)));
            found.map(|(_, value)| value.to_owned())
        };
        let mut body = vec![0; header("content-length").map_or(0, |length| length.parse().unwrap())];
        reader.read_exact(&mut body).unwrap();
        let (status, answer) = match lines[0].strip_prefix("GET ") {
            Some(rest) => (200, lookup(rest.split(' ').next().unwrap(), &shared.lock().unwrap())),
            None => match store(&header("idempotency-key").unwrap(), &body, &mut shared.lock().unwrap()) {
                Some(answer) => answer,
                None => return,
            },
        };
        let text = answer.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            text.len()
        );
        if writer.write_all((head + &text).as_bytes()).is_err() {
            return;
        }
    }
}

/// The events of the asked ids between `from` and `to`.
fn lookup(target: &str, inside: &Inside) -> Value {
    let (_, query) = target.split_once('?').unwrap();
    let pairs: Vec<(&str, String)> = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(k, v)| (k, decode(v)))
        .collect();
    let value = |name: &str| {
        pairs
            .iter()
            .find(|(key, _)| *key == name)
            .map_or("9", |(_, value)| value)
    };
    let matches = |event: &&Value| {
        let text = |member: &str| event[member].as_str().unwrap_or("5").to_owned();
        let asked = pairs
            .iter()
            .any(|(key, value)| *key == "client_id" && *value == text("client_id"));
        asked && text("occurred_at").as_str() >= value("from") && text("occurred_at").as_str() < value("to")
    };
    json!({"events": inside.events.iter().filter(matches).collect::<Vec<_>>(), "next": null})
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            b'+' => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The answer, or `None` when the connection is to be lost.
fn store(key: &str, body: &[u8], inside: &mut Inside) -> Option<(u16, Value)> {
    let failure = inside.failures.pop().flatten();
    match failure {
        Some(Failure::Busy) => return Some((503, json!({"title": "busy"}))),
        Some(Failure::Unauthorized) => {
            return Some((401, json!({"title": "Unauthorized", "detail": "The key is unknown."})));
        }
        Some(Failure::AnswerLost) | None => {}
    }
    if let Some(answer) = inside.answers.get(key) {
        return Some((201, answer.clone()));
    }
    let body: Value = serde_json::from_slice(body).unwrap();
    let events = body["events"].as_array().unwrap();
    let faulty = events
        .iter()
        .enumerate()
        .filter(|(_, event)| event["action"].as_str() == inside.refused_action.as_deref());
    let errors: Vec<Value> = faulty
        .map(|(index, _)| json!({"pointer": format!("/events/{index}/action"), "detail": "Not in the catalog."}))
        .collect();
    if !errors.is_empty() {
        return Some((
            422,
            json!({"title": "Invalid", "detail": "Some events are invalid.", "errors": errors}),
        ));
    }
    inside.events.extend(events.iter().cloned());
    let answer = json!({"accepted": events.len(), "duplicates": 0, "events": []});
    inside.answers.insert(key.to_owned(), answer.clone());
    (failure != Some(Failure::AnswerLost)).then_some((201, answer))
}
