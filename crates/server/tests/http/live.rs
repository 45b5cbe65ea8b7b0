//! The live feed.

use std::io::{BufRead, BufReader, Write};

use serde_json::{Value, json};

use crate::server::{ROOT_KEY, Server, event};

pub(crate) struct Feed(Box<dyn BufRead>);

impl Feed {
    pub(crate) fn open(server: &Server, filter: &str, last: Option<&str>) -> Self {
        let mut stream = server.connect();
        let resume = last.map_or_else(String::new, |id| format!("Last-Event-ID: {id}\r\n"));
        let head = format!(
            "GET /v1/organizations/acme/events/live?{filter} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {ROOT_KEY}\r\n{resume}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut feed = Self(Box::new(BufReader::new(stream)));
        assert!(feed.line().contains("200"));
        while feed.line() != "retry: 2000" {}
        feed
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the feed ended");
        line.trim_end().to_owned()
    }

    /// The id and event of the next message.
    pub(crate) fn next(&mut self) -> (String, Value) {
        loop {
            if let Some(id) = self.line().strip_prefix("id: ") {
                let data = self.line();
                return (
                    id.to_owned(),
                    serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap(),
                );
            }
        }
    }
}

#[test]
fn events_appear_as_they_are_stored_and_a_feed_resumes_where_it_ended() {
    let server = Server::start();
    server.fill("acme", 5);
    let mut feed = Feed::open(&server, "", None);
    server.ingest(&event("acme", 5));
    let (id, first) = feed.next();
    assert_eq!((id.as_str(), &first["sequence"]), ("1-5", &json!(5)));
    drop(feed);
    server.fill("acme", 600);
    let mut resumed = Feed::open(&server, "", Some(&id));
    for sequence in 6..606 {
        assert_eq!(resumed.next().1["sequence"], sequence);
    }
}

#[test]
fn filters_hold_for_the_feed() {
    let server = Server::start();
    server.fill("acme", 1);
    let mut feed = Feed::open(&server, "q=security:true", Some("1-0"));
    server.fill("acme", 12);
    let seen = [
        feed.next().1["metadata"]["n"].clone(),
        feed.next().1["metadata"]["n"].clone(),
        feed.next().1["metadata"]["n"].clone(),
    ];
    assert_eq!(json!(seen), json!([0, 5, 10]));
}

#[test]
fn ids_that_are_not_of_this_feed_are_refused() {
    let server = Server::start();
    server.fill("acme", 3);
    for id in ["1-3", "2-0", "nonsense", "0-1", "1--1"] {
        let headers = [
            ("Authorization", format!("Bearer {ROOT_KEY}")),
            ("Last-Event-ID", id.to_owned()),
        ];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = server.send("GET", "/v1/organizations/acme/events/live", &headers, b"");
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "invalid-parameter"),
            "{id}"
        );
    }
}
