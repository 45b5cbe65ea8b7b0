//! Proofs: checkpoints, inclusion, consistency, and the C2SP tlog-tiles under `tlog/`.
//!
//! Invariant: an inclusion proof, its size and its checkpoint belong together.
//!
//! Not here: how trees are hashed (`trailbook_merkle`), who signs (`trailbook_ledger`). See docs/formats/tree.md.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;
use trailbook_event::Part;
use trailbook_ledger::{PartSecret, Row, SignedCheckpoint};
use trailbook_merkle::{Hash, tile::TilePath};
use utoipa::ToSchema;

use super::{
    ask::{Knowing, Proving, Viewing, json},
    parameters::{Accepts, FROM_SIZE, Parameter, Parameters, SIZE, TO_SIZE},
    problem::{Document, Problem},
    reads,
};

/// What checkpoints and inclusion proofs accept.
pub(crate) const SIZED: Accepts = Accepts {
    filters: false,
    own: &[&SIZE],
};
/// What consistency proofs accept.
pub(crate) const BETWEEN: Accepts = Accepts {
    filters: false,
    own: &[&FROM_SIZE, &TO_SIZE],
};
/// What everything else here accepts.
pub(crate) const NOTHING: Accepts = Accepts {
    filters: false,
    own: &[],
};

/// The signed note of a checkpoint, as C2SP tlog-checkpoint and tlog-tiles have it.
const NOTE: &str = "text/plain; charset=utf-8";

/// Who signs checkpoints.
#[derive(Serialize, ToSchema)]
pub(crate) struct CheckpointKey {
    /// The verifier key (C2SP signed-note vkey).
    vkey: String,
    /// The first line of the checkpoints.
    origin: String,
    /// The ledger's epoch.
    epoch: u32,
    /// The published minimum index: entries below it are gone. A multiple of 256.
    minimum_index: u64,
}

/// An inclusion proof of one event, with what its leaf commits to. Binary fields are base64.
#[derive(Serialize, ToSchema)]
pub(crate) struct Inclusion {
    /// The event's position: its sequence.
    index: u64,
    /// The tree's size.
    size: u64,
    /// The event's epoch.
    epoch: u32,
    /// The leaf record.
    leaf: String,
    /// The audit path (RFC 9162), from the leaf up.
    hashes: Vec<String>,
    /// The checkpoint of this size.
    checkpoint: String,
    /// The five parts, in their order.
    parts: Vec<ProvenPart>,
}

/// A part of an event: its canonical bytes and its salt.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProvenPart {
    /// `core`, `actor`, `targets`, `context` or `details`.
    name: &'static str,
    /// The canonical bytes; absent when the part was redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
    /// The part's salt; absent when the part was redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    /// What the leaf commits to, when the part was redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    commitment: Option<String>,
}

/// A consistency proof.
#[derive(Serialize, ToSchema)]
pub(crate) struct Consistency {
    /// The older size.
    from: u64,
    /// The newer size.
    to: u64,
    /// The proof (RFC 9162), base64.
    hashes: Vec<String>,
}

/// The newest checkpoint, or the one published for `size`.
#[utoipa::path(get, path = "/v1/organizations/{organization}/checkpoint", tag = "Proof",
    responses((status = 200, description = "A signed note", body = String, content_type = "text/plain"),
        (status = 404, description = "No such checkpoint", body = Document<'static>)))]
pub(crate) async fn checkpoint(Knowing(ask): Knowing) -> Result<Response, Problem> {
    let parameters = ask.parameters(&SIZED)?;
    let checkpoint = match parameters.number(&SIZE) {
        Some(size) => ask.app.ledger.checkpoint_at(&ask.organization, size).await?,
        None => ask.app.ledger.checkpoint(&ask.organization).await?,
    };
    Ok(note(checkpoint))
}

/// The key that checkpoints are signed with, and the smallest index whose entry is still served.
#[utoipa::path(get, path = "/v1/organizations/{organization}/checkpoint-key", tag = "Proof",
    responses((status = 200, description = "The verifier key", body = CheckpointKey)))]
pub(crate) async fn checkpoint_key(Knowing(ask): Knowing) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let origin = ask.app.ledger.origin(&ask.organization)?;
    Ok(json(&CheckpointKey {
        vkey: origin.verifier_key,
        origin: origin.origin,
        epoch: origin.epoch,
        minimum_index: ask.app.ledger.minimum_index(&ask.organization)?,
    }))
}

/// The proof that an event is in the tree of a checkpoint.
#[utoipa::path(get, path = "/v1/organizations/{organization}/events/{id}/proof", tag = "Proof",
    responses((status = 200, description = "The proof", body = Inclusion),
        (status = 404, description = "No such event or checkpoint", body = Document<'static>)))]
pub(crate) async fn inclusion(Viewing(ask): Viewing) -> Result<Response, Problem> {
    let parameters = ask.parameters(&SIZED)?;
    let row = reads::find(&ask)?;
    let checkpoint = match parameters.number(&SIZE) {
        Some(size) if size <= row.sequence => {
            return Err(Problem::parameter(
                "size",
                "the event came later: its sequence is not below this size.",
            ));
        }
        Some(size) => ask.app.ledger.checkpoint_at(&ask.organization, size).await?,
        None => ask.app.ledger.checkpoint(&ask.organization).await?,
    };
    let hashes = ask
        .app
        .ledger
        .prove_inclusion(&ask.organization, row.sequence, checkpoint.size)
        .await?;
    Ok(json(&Inclusion {
        index: row.sequence,
        size: checkpoint.size,
        epoch: row.epoch,
        leaf: BASE64_STANDARD.encode(row.leaf_record().encode()),
        hashes: encoded(&hashes),
        checkpoint: checkpoint.note,
        parts: Part::ALL.map(|part| proven(&row, part)).into(),
    }))
}

fn proven(row: &Row, part: Part) -> ProvenPart {
    let (salt, commitment) = match row.secret(part) {
        PartSecret::Salt(salt) => (Some(salt), None),
        PartSecret::Commitment(kept) => (None, Some(kept.0)),
    };
    ProvenPart {
        name: part.name(),
        bytes: salt.map(|_| BASE64_STANDARD.encode(row.parts.part(part))),
        salt: salt.map(|salt| BASE64_STANDARD.encode(salt)),
        commitment: commitment.map(|kept| BASE64_STANDARD.encode(kept)),
    }
}

/// The proof that the tree of size `to` only appended to that of size `from`.
#[utoipa::path(get, path = "/v1/organizations/{organization}/consistency", tag = "Proof",
    responses((status = 200, description = "The proof", body = Consistency)))]
pub(crate) async fn consistency(Proving(ask): Proving) -> Result<Response, Problem> {
    let parameters = ask.parameters(&BETWEEN)?;
    let (from, to) = (required(&parameters, &FROM_SIZE)?, required(&parameters, &TO_SIZE)?);
    if from > to {
        return Err(Problem::parameter("from", "must not be larger than to."));
    }
    if to > ask.head.size {
        return Err(Problem::parameter(
            "to",
            &format!("the ledger has {} events.", ask.head.size),
        ));
    }
    let hashes = match from {
        0 => Vec::new(),
        _ => ask.app.ledger.prove_consistency(&ask.organization, from, to).await?,
    };
    Ok(json(&Consistency {
        from,
        to,
        hashes: encoded(&hashes),
    }))
}

fn required(parameters: &Parameters, parameter: &Parameter) -> Result<u64, Problem> {
    parameters
        .number(parameter)
        .ok_or_else(|| Problem::parameter(parameter.name, "is required."))
}

/// The newest checkpoint, where C2SP tlog-tiles clients look for it.
#[utoipa::path(get, path = "/v1/organizations/{organization}/tlog/checkpoint", tag = "Proof",
    responses((status = 200, description = "A signed note", body = String, content_type = "text/plain")))]
pub(crate) async fn tlog_checkpoint(Knowing(ask): Knowing) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    Ok(note(ask.app.ledger.checkpoint(&ask.organization).await?))
}

/// A tile of hashes (`L/N[.p/W]`) or of leaf records (`entries/N[.p/W]`), as C2SP tlog-tiles has it.
#[utoipa::path(get, path = "/v1/organizations/{organization}/tlog/tile/{*tile}", tag = "Proof",
    responses((status = 200, description = "The tile", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "No such tile (yet)", body = Document<'static>),
        (status = 410, description = "Below the minimum index", body = Document<'static>)))]
pub(crate) async fn tile(Proving(ask): Proving) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let path = TilePath::parse(ask.path("tile")).map_err(|_| Problem::not_found())?;
    let bytes = ask.app.ledger.tile(&ask.organization, &path, ask.head.size).await?;
    // What a tile holds never changes, but whoever may see it can: no shared cache keeps it.
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
    ];
    Ok((headers, bytes).into_response())
}

fn note(checkpoint: SignedCheckpoint) -> Response {
    (
        [(header::CONTENT_TYPE, NOTE), (header::CACHE_CONTROL, "no-store")],
        checkpoint.note,
    )
        .into_response()
}

fn encoded(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| hash.to_base64()).collect()
}
