//! The answers of an honest server, made from the formats alone, and a listener that gives them.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use trailbook_event::{Part, Timestamp};
use trailbook_merkle::{
    Checkpoint, Hash, LeafRecord, commitment,
    note::{Signer, VerifierKey},
    prove_consistency, prove_inclusion, root_of, salt,
    tile::write_entry,
};

pub(crate) const ORIGIN: &str = "log.example/default/acme";

/// What a server would answer, by path.
#[derive(Clone)]
pub(crate) struct Honest {
    pub(crate) answers: BTreeMap<String, Vec<u8>>,
    pub(crate) key: VerifierKey,
    pub(crate) note: Vec<u8>,
}

/// An event's five parts.
fn texts(sequence: u64, salt_of_history: u8) -> [String; 5] {
    [
        "{\"action\":\"login\",\"organization\":\"acme\"}".to_owned(),
        format!("{{\"id\":\"u{sequence}\"}}"),
        "[]".to_owned(),
        format!("{{\"ip\":\"192.0.2.{salt_of_history}\"}}"),
        "{\"changes\":[],\"message\":null,\"metadata\":{\"n\":1.5}}".to_owned(),
    ]
}

fn id(sequence: u64) -> [u8; 16] {
    let mut id = [0x11; 16];
    id[8..].copy_from_slice(&sequence.to_be_bytes());
    id
}

fn id_text(id: [u8; 16]) -> String {
    let hex = id.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    });
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// The path of an event below the organization.
pub(crate) fn event_path(sequence: u64) -> String {
    format!("events/{}", id_text(id(sequence)))
}

fn record(sequence: u64, texts: &[String; 5]) -> LeafRecord {
    LeafRecord {
        epoch: 1,
        sequence,
        received_at_millis: 1_700_000_000_000 + sequence as i64,
        id: id(sequence),
        commitments: Part::ALL.map(|part| {
            let bytes = texts[usize::from(part.number()) - 1].as_bytes();
            commitment(part.number(), &salt(&[sequence as u8; 16], part.number()), bytes)
        }),
    }
}

impl Honest {
    /// A ledger of `size` events whose contents depend on `history`.
    pub(crate) fn new(size: u64, history: u8) -> Self {
        let signer = Signer::new(ORIGIN, &[4; 32]).unwrap();
        let records: Vec<LeafRecord> = (0..size)
            .map(|sequence| record(sequence, &texts(sequence, history)))
            .collect();
        let hashes: Vec<Hash> = records.iter().map(LeafRecord::leaf_hash).collect();
        let root = root_of(hashes.as_slice(), size).unwrap();
        let note = signer
            .sign(&Checkpoint::new(ORIGIN.to_owned(), size, root).unwrap().to_text())
            .unwrap();
        let mut honest = Self {
            answers: BTreeMap::new(),
            key: signer.verifier().clone(),
            note: note.clone().into_bytes(),
        };
        honest.put("checkpoint", note);
        for (index, chunk) in records.chunks(256).enumerate() {
            honest.tile(index, chunk);
        }
        if size >= 256 {
            let upper: Vec<u8> = hashes
                .chunks_exact(256)
                .flat_map(|chunk| root_of(chunk, 256).unwrap().0)
                .collect();
            let width = upper.len() / 32;
            honest.answers.insert(format!("tlog/tile/1/000.p/{width}"), upper);
        }
        for (record, hash) in records.iter().zip(&hashes) {
            let path = prove_inclusion(hashes.as_slice(), record.sequence, size).unwrap();
            assert_eq!(record.leaf_hash(), *hash);
            honest.event(record, &texts(record.sequence, history), &path, size);
        }
        for from in 1..size {
            let path = prove_consistency(hashes.as_slice(), from, size).unwrap();
            honest.put(
                &format!("consistency?from={from}&to={size}"),
                format!("{{\"hashes\":[{}]}}", list(&path)),
            );
        }
        honest
    }

    pub(crate) fn put(&mut self, path: &str, body: String) {
        self.answers.insert(path.to_owned(), body.into_bytes());
    }

    /// Changes an answer's text.
    pub(crate) fn change(&mut self, path: &str, from: &str, to: &str) {
        let body = String::from_utf8(self.answers[path].clone()).unwrap();
        assert!(body.contains(from), "{from} is in {body}");
        self.put(path, body.replacen(from, to, 1));
    }

    fn tile(&mut self, index: usize, records: &[LeafRecord]) {
        let width = if records.len() < 256 {
            format!(".p/{}", records.len())
        } else {
            String::new()
        };
        let hashes = records.iter().flat_map(|record| record.leaf_hash().0).collect();
        let mut bundle = Vec::new();
        records
            .iter()
            .for_each(|record| write_entry(&record.encode(), &mut bundle).unwrap());
        self.answers.insert(format!("tlog/tile/0/{index:03}{width}"), hashes);
        self.answers
            .insert(format!("tlog/tile/entries/{index:03}{width}"), bundle);
    }

    fn event(&mut self, record: &LeafRecord, texts: &[String; 5], path: &[Hash], size: u64) {
        let sequence = record.sequence;
        let parts: Vec<String> = Part::ALL
            .iter()
            .zip(texts)
            .map(|(part, text)| {
                let salt = salt(&[sequence as u8; 16], part.number());
                let (bytes, salt) = (STANDARD.encode(text), STANDARD.encode(salt));
                format!(
                    "{{\"name\":\"{}\",\"bytes\":\"{bytes}\",\"salt\":\"{salt}\"}}",
                    part.name()
                )
            })
            .collect();
        let proof = format!(
            "{{\"index\":{sequence},\"size\":{size},\"epoch\":1,\"leaf\":\"{}\",\"hashes\":[{}],\"parts\":[{}]}}",
            STANDARD.encode(record.encode()),
            list(path),
            parts.join(",")
        );
        self.put(&format!("{}/proof?size={size}", event_path(sequence)), proof);
        let received_at = Timestamp::from_millis(record.received_at_millis);
        let members = |text: &String| text[1..text.len() - 1].to_owned();
        let shown = format!(
            "{{\"id\":\"{}\",\"sequence\":{sequence},\"epoch\":1,\"received_at\":\"{received_at}\",\"redacted\":[],{},\
             \"actor\":{},\"targets\":{},\"context\":{},{}}}",
            id_text(record.id),
            members(&texts[0]),
            texts[1],
            texts[2],
            texts[3],
            members(&texts[4])
        );
        self.put(&event_path(sequence), shown);
    }

    /// Listens, and answers until the process ends. The address to ask.
    pub(crate) fn serve(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
                let allowed = head
                    .iter()
                    .any(|line| line.eq_ignore_ascii_case("authorization: Bearer secret"));
                let body = path
                    .strip_prefix("/v1/organizations/acme/")
                    .and_then(|path| self.answers.get(path));
                let (status, body) = match (allowed, body) {
                    (false, _) => ("401 Unauthorized", &[][..]),
                    (true, None) => ("404 Not Found", &[][..]),
                    (true, Some(body)) => ("200 OK", body.as_slice()),
                };
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                // A client that has gone away is its own affair.
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
            }
        });
        address
    }
}

fn list(hashes: &[Hash]) -> String {
    hashes
        .iter()
        .map(|hash| format!("\"{}\"", hash.to_base64()))
        .collect::<Vec<_>>()
        .join(",")
}
