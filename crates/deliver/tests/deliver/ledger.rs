//! A small ledger made by hand, and evidence of it.

use std::sync::Arc;

use bytes::Bytes;
use trailbook_deliver::evidence::{self, About};
use trailbook_event::{Event, Parts, Timestamp, json};
use trailbook_ledger::{EventId, Row, SignedCheckpoint};
use trailbook_merkle::{
    Checkpoint, Hash, RangeProof,
    note::{Signer, VerifierKey},
    prove_range, root_of,
};

pub(crate) const ORIGIN: &str = "log.example/default/acme";

/// Parts from their five canonical texts.
pub(crate) fn parts(texts: [&str; 5]) -> Parts<Bytes> {
    let mut ends = [0; 5];
    let mut bytes = Vec::new();
    for (text, end) in texts.iter().zip(&mut ends) {
        bytes.extend_from_slice(text.as_bytes());
        *end = u32::try_from(bytes.len()).unwrap();
    }
    Parts::new(Bytes::from(bytes), ends).unwrap()
}

/// The canonical JSON text of a string.
pub(crate) fn quoted(text: &str) -> String {
    let mut bytes = Vec::new();
    json::write_string(text, &mut bytes);
    String::from_utf8(bytes).unwrap()
}

/// An event that says little else than its number.
pub(crate) fn row(sequence: u64) -> Row {
    row_with(sequence, &format!("Sarah {sequence}"), "{\"plan\":\"gold\"}")
}

/// An event whose actor and metadata matter.
pub(crate) fn row_with(sequence: u64, actor: &str, metadata: &str) -> Row {
    let core = "{\"action\":\"user.role.updated\",\"action_type\":\"update\",\"area\":\"users\",\"client_id\":null,\
        \"description\":\"Made owner\",\"occurred_at\":\"2026-11-20T09:14:07.482Z\",\"organization\":\"acme\",\
        \"product\":null,\"result\":\"success\",\"security\":true,\"trace_id\":null}";
    let actor = format!(
        "{{\"email\":null,\"id\":\"u_81\",\"name\":{},\"team\":null,\"type\":\"user\"}}",
        quoted(actor)
    );
    let targets = "[{\"email\":null,\"id\":\"u_92\",\"name\":\"Bill\",\"type\":\"user\"},\
        {\"email\":null,\"id\":null,\"name\":\"Ann\",\"type\":\"user\"}]";
    let context = "{\"ip\":\"203.0.113.24\",\"referrer\":null,\"url\":null,\"user_agent\":null}";
    let details = format!(
        "{{\"changes\":[{{\"after\":\"owner\",\"field\":\"role\"}}],\"message\":null,\"metadata\":{metadata}}}"
    );
    let parts = parts([core, &actor, targets, context, &details]);
    Event::parse(&parts).expect("the texts are canonical parts");
    let mut row = Row {
        sequence,
        commit: sequence / 3,
        id: EventId::first(1_700_000_000_000, [7; 10]).plus(sequence * 37),
        epoch: 1,
        received_at: Timestamp::from_millis(1_700_000_000_000 + sequence as i64 * 1000),
        occurred_at: Timestamp::parse("2026-11-20T09:14:07.482Z").unwrap(),
        country: Some(*b"GB"),
        secrets: trailbook_ledger::Secrets::Nonce([sequence as u8 ^ 0x5a; 16]),
        leaf_hash: Hash([0; 32]),
        parts,
    };
    row.leaf_hash = row.leaf_record().leaf_hash();
    row
}

/// A ledger of `size` events with its signed head.
pub(crate) struct Made {
    pub(crate) rows: Vec<Arc<Row>>,
    pub(crate) checkpoint: SignedCheckpoint,
    pub(crate) key: VerifierKey,
}

/// How evidence is to be made from a ledger.
pub(crate) struct Wanted<'f> {
    pub(crate) begin: u64,
    pub(crate) end: u64,
    pub(crate) filter: Option<&'f str>,
    pub(crate) keep: fn(u64) -> bool,
}

pub(crate) const ALL: Wanted<'static> = Wanted {
    begin: 0,
    end: u64::MAX,
    filter: None,
    keep: |_| true,
};

impl Made {
    pub(crate) fn new(size: u64) -> Self {
        Self::signed(size, ORIGIN, [9; 32])
    }

    pub(crate) fn signed(size: u64, origin: &str, secret: [u8; 32]) -> Self {
        Self::of((0..size).map(row).collect(), origin, secret)
    }

    pub(crate) fn of(rows: Vec<Row>, origin: &str, secret: [u8; 32]) -> Self {
        let hashes: Vec<Hash> = rows.iter().map(|row| row.leaf_hash).collect();
        let size = rows.len() as u64;
        let root = root_of(hashes.as_slice(), size).unwrap();
        let signer = Signer::new(origin, &secret).unwrap();
        let note = signer
            .sign(&Checkpoint::new(origin.to_owned(), size, root).unwrap().to_text())
            .unwrap();
        Self {
            rows: rows.into_iter().map(Arc::new).collect(),
            checkpoint: SignedCheckpoint {
                note,
                size,
                epoch: 1,
                root,
            },
            key: signer.verifier().clone(),
        }
    }

    pub(crate) fn proof(&self, begin: u64, end: u64) -> RangeProof {
        let hashes: Vec<Hash> = self.rows.iter().map(|row| row.leaf_hash).collect();
        prove_range(hashes.as_slice(), begin, end, self.checkpoint.size).unwrap()
    }

    pub(crate) fn evidence(&self, wanted: &Wanted<'_>) -> Vec<u8> {
        let end = wanted.end.min(self.checkpoint.size);
        let about = About {
            project: "default",
            organization: "acme",
            origin: ORIGIN,
            begin: wanted.begin,
            end,
            filter: wanted.filter,
            generated_by: "trailbook test",
            generated_at: Timestamp::from_millis(1_700_000_100_000),
        };
        let range = &self.rows[wanted.begin as usize..end as usize];
        let leaves = range.iter().map(|row| Ok(row.leaf_record()));
        let events = range
            .iter()
            .filter(|row| (wanted.keep)(row.sequence))
            .map(|row| Ok(row.clone()));
        evidence::write(
            &about,
            &self.checkpoint,
            &self.proof(wanted.begin, end),
            leaves,
            events,
            Vec::new(),
        )
        .unwrap()
    }
}
