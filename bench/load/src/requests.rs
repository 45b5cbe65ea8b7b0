//! Requests as whole byte strings, header included, built before anything is measured.

use std::io::Write as _;

use anyhow::ensure;
use trailbook_testkit::GeneratedEvent;

use crate::{Ingest, Single, Target};

/// What precedes a client id in a body.
const CLIENT_ID: &[u8] = b"\"client_id\":\"";
/// Where the last group of a UUID begins, and its length: that group is renumbered at each sending.
const LAST_GROUP: (usize, usize) = (24, 12);

/// One request, ready to be written to a connection.
pub(crate) struct Request {
    pub(crate) bytes: Vec<u8>,
    /// Where the numbered digits of each client id are.
    numbered: Vec<usize>,
}

impl Request {
    /// A request with this body, as JSON.
    pub(crate) fn new(target: &Target, body: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(body.len() + 256);
        write!(
            bytes,
            "POST /v1/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            target.server,
            target.key,
            body.len()
        )
        .expect("a vector takes all bytes");
        bytes.extend_from_slice(body);
        let numbered = bytes
            .windows(CLIENT_ID.len())
            .enumerate()
            .filter(|(_, window)| *window == CLIENT_ID)
            .map(|(place, _)| place + CLIENT_ID.len() + LAST_GROUP.0)
            .collect();
        Self { bytes, numbered }
    }

    /// Makes every client id one that was never sent: from `first` on, counting up. Costs some nanoseconds an event.
    pub(crate) fn renumber(&mut self, first: u64) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for (number, place) in (first..).zip(&self.numbered) {
            let mut rest = number;
            for digit in self.bytes[*place..*place + LAST_GROUP.1].iter_mut().rev() {
                *digit = DIGITS[(rest & 15) as usize];
                rest >>= 4;
            }
        }
    }
}

/// The requests of each connection.
pub(crate) fn batches(ingest: &Ingest) -> anyhow::Result<Vec<Vec<Request>>> {
    ensure!(
        ingest.batch > 0 && ingest.connections > 0,
        "--batch and --connections are at least 1"
    );
    let mut events = ingest.events.generator(ingest.client_ids)?;
    let mut connections: Vec<Vec<Request>> = (0..ingest.connections).map(|_| Vec::new()).collect();
    for number in 0..ingest.bodies.max(ingest.connections) {
        let body = batch_body(events.by_ref().take(ingest.batch));
        connections[number % ingest.connections].push(Request::new(&ingest.target, &body));
    }
    Ok(connections)
}

/// A batch's body, of at least one event.
pub(crate) fn batch_body(events: impl Iterator<Item = GeneratedEvent>) -> Vec<u8> {
    let mut body = b"{\"events\":[".to_vec();
    for event in events {
        body.extend_from_slice(event.json.as_bytes());
        body.push(b',');
    }
    body.pop();
    body.extend_from_slice(b"]}");
    body
}

/// Requests of one event each.
pub(crate) fn singles(single: &Single) -> anyhow::Result<Vec<Request>> {
    ensure!(
        single.connections > 0 && single.bodies > 0,
        "--connections and --bodies are at least 1"
    );
    let events = single.events.generator(false)?.take(single.bodies);
    Ok(events
        .map(|event| Request::new(&single.target, event.json.as_bytes()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renumbering_changes_the_last_group_of_each_client_id_and_nothing_else() {
        let target = Target {
            server: ([127, 0, 0, 1], 1).into(),
            key: "key".into(),
            pid: None,
            stages: false,
        };
        let id = "00112233-4455-4677-8899-aabbccddeeff";
        let body = format!("[{{\"client_id\":\"{id}\"}},{{\"client_id\":\"{id}\"}}]");
        let mut request = Request::new(&target, body.as_bytes());
        request.renumber(0x1f);
        let text = String::from_utf8(request.bytes).expect("ASCII");
        let expected = "[{\"client_id\":\"00112233-4455-4677-8899-00000000001f\"},\
                        {\"client_id\":\"00112233-4455-4677-8899-000000000020\"}]";
        assert!(text.ends_with(expected), "{text}");
        assert!(text.contains(&format!("Content-Length: {}\r\n", body.len())));
    }
}
