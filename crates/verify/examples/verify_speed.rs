//! How many events of an evidence file are verified per second on one core. Makes a file in memory, written from the format's
//! description, and prints one line: `cargo run --release --example verify_speed [EVENTS]`.
#![allow(clippy::disallowed_methods, reason = "a measurement")]

use std::{
    fmt::Write as _,
    io::{Cursor, Write as _},
    time::Instant,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use trailbook_event::{Part, Timestamp};
use trailbook_merkle::{Checkpoint, Frontier, LeafRecord, commitment, note::Signer, salt};
use trailbook_verify::evidence_bytes;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

const ORIGIN: &str = "log.example/default/acme";

fn main() {
    let count = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(300_000);
    let signer = Signer::new(ORIGIN, &[1; 32]).expect("the origin is a name");
    let bytes = evidence(count, &signer);
    let start = Instant::now();
    let report = evidence_bytes(&bytes, signer.verifier());
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(report.exit_code(), 0, "{report}");
    let megabytes = bytes.len() as f64 / 1e6;
    println!(
        "{count} events, {megabytes:.0} MB: {seconds:.3} s, {:.0} events/s, {:.0} MB/s",
        count as f64 / seconds,
        megabytes / seconds
    );
}

/// An event of about 700 bytes in its five parts.
fn texts(sequence: u64) -> [String; 5] {
    [
        format!(
            "{{\"action\":\"user.role.updated\",\"action_type\":\"update\",\"area\":\"users_and_permissions\",\"client_id\":\"evt-{sequence}\",\
             \"description\":\"Made Bill Hart organization owner\",\"occurred_at\":\"2026-11-20T09:14:07.482Z\",\"organization\":\"acme\",\
             \"product\":\"UserManagement\",\"result\":\"success\",\"security\":true,\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\"}}"
        ),
        format!(
            "{{\"email\":\"sarah{sequence}@fashion.example\",\"id\":\"u_{sequence}\",\"name\":\"Sarah Khan\",\"team\":\"Growth\",\"type\":\"user\"}}"
        ),
        "[{\"email\":\"bill@fashion.example\",\"id\":\"u_92\",\"name\":\"Bill Hart\",\"type\":\"user\"}]".to_owned(),
        "{\"ip\":\"203.0.113.24\",\"referrer\":null,\"url\":null,\"user_agent\":\"Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0\"}"
            .to_owned(),
        format!(
            "{{\"changes\":[{{\"after\":\"owner\",\"before\":\"administrator\",\"field\":\"role\"}}],\"message\":null,\
             \"metadata\":{{\"plan\":\"gold\",\"seats\":{}}}}}",
            sequence % 100
        ),
    ]
}

fn evidence(count: u64, signer: &Signer) -> Vec<u8> {
    let (mut leaves, mut lines, mut frontier) = (Vec::new(), String::new(), Frontier::new());
    for sequence in 0..count {
        let (texts, nonce) = (texts(sequence), u128::from(sequence).to_le_bytes());
        let sent = Part::ALL.map(|part| {
            (
                part,
                &texts[usize::from(part.number()) - 1],
                salt(&nonce, part.number()),
            )
        });
        let record = LeafRecord {
            epoch: 1,
            sequence,
            received_at_millis: 1_700_000_000_000 + sequence as i64,
            id: u128::from(sequence + 1).to_be_bytes(),
            commitments: sent.map(|(part, text, salt)| commitment(part.number(), &salt, text.as_bytes())),
        };
        leaves.extend_from_slice(&record.encode());
        frontier.append(record.leaf_hash(), &mut |_| ());
        let id = format!("{:032x}", u128::from_be_bytes(record.id));
        let received_at = Timestamp::from_millis(record.received_at_millis);
        let id = format!(
            "{}-{}-{}-{}-{}",
            &id[..8],
            &id[8..12],
            &id[12..16],
            &id[16..20],
            &id[20..]
        );
        let parts = sent.map(|(part, text, salt)| {
            let (name, bytes, salt) = (part.name(), STANDARD.encode(text), STANDARD.encode(salt));
            format!("{{\"name\":\"{name}\",\"bytes\":\"{bytes}\",\"salt\":\"{salt}\"}}")
        });
        writeln!(
            lines,
            "{{\"sequence\":{sequence},\"id\":\"{id}\",\"epoch\":1,\"received_at\":\"{received_at}\",\"parts\":[{}]}}",
            parts.join(",")
        )
        .expect("a string takes all text");
    }
    let checkpoint = Checkpoint::new(ORIGIN.to_owned(), count, frontier.root()).expect("the origin is a name");
    let note = signer
        .sign(&checkpoint.to_text())
        .expect("a checkpoint is a note's text");
    let proof = format!("{{\"begin\":0,\"end\":{count},\"size\":{count},\"left\":[],\"right\":[]}}");
    let manifest = format!(
        "{{\"format\":\"trailbook-evidence\",\"version\":1,\"origin\":\"{ORIGIN}\",\"project\":\"default\",\"organization\":\"acme\",\
         \"epoch\":1,\"begin\":0,\"end\":{count},\"size\":{count},\"events\":{count},\"filtered\":false,\"filter\":null,\
         \"generated_by\":\"verify_speed\",\"generated_at\":\"2026-11-20T00:00:00.000Z\"}}"
    );
    archive(&[
        ("README.txt", b""),
        ("checkpoint", note.as_bytes()),
        ("range-proof.json", proof.as_bytes()),
        ("leaves.bin", &leaves),
        ("events.jsonl", lines.as_bytes()),
        ("evidence.json", manifest.as_bytes()),
    ])
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let stored = SimpleFileOptions::DEFAULT.compression_method(CompressionMethod::Stored);
        zip.start_file(*name, stored).expect("memory takes all bytes");
        zip.write_all(bytes).expect("memory takes all bytes");
    }
    zip.finish().expect("memory takes all bytes").into_inner()
}
