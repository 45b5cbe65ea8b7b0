//! Bodies as they arrive: read with a time limit, decoded within a size limit.
//!
//! Invariants
//! - At most `body_bytes` of one body are held, as sent and decoded; all bodies together stay within `bodies_bytes`.
//! - A plain body is not copied after it was collected.
//!
//! Not here: what the bytes mean.

use std::{io::Read, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::Segment;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use trailbook_event::Pointer;

use super::{
    App,
    problem::{Code, Problem},
};
use crate::config::Limits;

/// The largest zstd window, as a power of two: as large as a decoded body may be.
const ZSTD_WINDOW_LOG_MAX: u32 = 24;

/// The least room that is made for decoded bytes.
const CHUNK_BYTES: usize = 16 << 10;

/// How long a body waits for its share of the memory.
const SHARE_TIMEOUT: Duration = Duration::from_secs(5);

/// From this size on, work on a body leaves the event loop's thread.
pub(crate) const LARGE_BYTES: usize = 64 << 10;

/// What a body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// One JSON text.
    Json,
    /// A JSON text a line.
    Lines,
}

/// A decoded body and its share of the memory for bodies.
pub(crate) struct Received {
    /// The decoded bytes.
    pub(crate) bytes: Bytes,
    /// What they hold.
    pub(crate) format: Format,
    _share: OwnedSemaphorePermit,
}

#[derive(Clone, Copy)]
enum Encoding {
    Plain,
    Gzip,
    Zstd,
}

/// The memory that all bodies share.
#[derive(Clone)]
pub(crate) struct Bodies {
    limits: Limits,
    kibibytes: Arc<Semaphore>,
}

impl Bodies {
    /// With all its memory free.
    pub(crate) fn new(limits: Limits) -> Self {
        let kibibytes = Arc::new(Semaphore::new((limits.bodies_bytes >> 10).min(Semaphore::MAX_PERMITS)));
        Self { limits, kibibytes }
    }

    /// Reads and decodes a body of JSON or JSON lines.
    pub(crate) async fn receive(&self, headers: &HeaderMap, body: Body) -> Result<Received, Problem> {
        let format = format(headers)?;
        self.receive_any(headers, body, format).await
    }

    /// Reads and decodes a body whose format the caller knows.
    pub(crate) async fn receive_any(
        &self,
        headers: &HeaderMap,
        body: Body,
        format: Format,
    ) -> Result<Received, Problem> {
        let encoding = encoding(headers)?;
        let announced = announced(headers)?;
        let max = self.limits.body_bytes;
        if announced.is_some_and(|length| length > max as u64) {
            return Err(too_large(max));
        }
        let timeout = self.limits.body_timeout;
        let share = tokio::time::timeout(SHARE_TIMEOUT, self.share(encoding, announced))
            .await
            .map_err(|_| {
                let detail = "Too many bodies are being handled (bodies_bytes_max); nothing was stored.";
                Problem::new(Code::Overloaded, detail).retry_after(1).stored("no")
            })??;
        let collected = tokio::time::timeout(timeout, collect(body, announced.unwrap_or(0) as usize, max));
        let sent = collected.await.map_err(|_| {
            Problem::new(
                Code::RequestTimeout,
                format!("The body must arrive within {} s.", timeout.as_secs()),
            )
        })??;
        let bytes = match encoding {
            Encoding::Plain => sent,
            Encoding::Gzip | Encoding::Zstd if sent.len() < LARGE_BYTES / 16 => decode(encoding, &sent, max)?,
            Encoding::Gzip | Encoding::Zstd => tokio::task::block_in_place(|| decode(encoding, &sent, max))?,
        };
        Ok(Received {
            bytes,
            format,
            _share: share,
        })
    }

    /// A body's share of the memory: its announced size, or the most that it can become.
    async fn share(&self, encoding: Encoding, announced: Option<u64>) -> Result<OwnedSemaphorePermit, Problem> {
        let bytes = match (encoding, announced) {
            (Encoding::Plain, Some(length)) => length as usize,
            (Encoding::Plain, None) => self.limits.body_bytes,
            (Encoding::Gzip | Encoding::Zstd, _) => 2 * self.limits.body_bytes,
        };
        let kibibytes = u32::try_from(bytes.min(self.limits.bodies_bytes) >> 10)
            .unwrap_or(u32::MAX)
            .max(1);
        self.kibibytes
            .clone()
            .acquire_many_owned(kibibytes)
            .await
            .map_err(|_| Problem::internal())
    }
}

/// Reads a body that is one JSON document of a known shape.
pub(crate) async fn document<T: DeserializeOwned>(app: &App, headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    let received = app.bodies.receive(headers, body).await?;
    if received.format != Format::Json {
        let detail = "Content-Type must be application/json.";
        return Err(Problem::new(Code::UnsupportedMediaType, detail));
    }
    let first = received.bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'[') {
        // A list of values in the order of the fields would be read as well.
        return Err(Problem::fault(Code::Invalid, Pointer::root(), "It must be an object."));
    }
    let mut reader = serde_json::Deserializer::from_slice(&received.bytes);
    let read = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = error.path().iter().fold(Pointer::root(), |at, segment| match segment {
            Segment::Map { key } => at.child(key),
            Segment::Seq { index } => at.index(*index),
            Segment::Enum { .. } | Segment::Unknown => at,
        });
        let error = error.into_inner();
        match error.classify() {
            Category::Data => Problem::fault(Code::Invalid, pointer, format!("{error}.")),
            _ => Problem::new(Code::MalformedJson, format!("{error}.")),
        }
    })?;
    let rest = reader.end();
    rest.map_err(|error| Problem::new(Code::MalformedJson, format!("{error}.")))?;
    Ok(read)
}

fn too_large(max: usize) -> Problem {
    Problem::new(
        Code::BodyTooLarge,
        format!("A body has at most {max} bytes, decoded. Send smaller batches."),
    )
}

fn format(headers: &HeaderMap) -> Result<Format, Problem> {
    let Some(given) = single(headers, &header::CONTENT_TYPE)? else {
        return Ok(Format::Json);
    };
    let (kind, parameters) = given.split_once(';').unwrap_or((given, ""));
    let charset = parameters
        .split(';')
        .find_map(|parameter| parameter.trim().strip_prefix("charset="));
    let utf8 = charset.is_none_or(|charset| charset.trim_matches('"').eq_ignore_ascii_case("utf-8"));
    match kind.trim() {
        kind if utf8 && kind.eq_ignore_ascii_case("application/json") => Ok(Format::Json),
        kind if utf8 && kind.eq_ignore_ascii_case("application/x-ndjson") => Ok(Format::Lines),
        _ => {
            let detail = "Content-Type must be application/json or application/x-ndjson, in UTF-8.";
            Err(Problem::new(Code::UnsupportedMediaType, detail))
        }
    }
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    let given = single(headers, &header::CONTENT_ENCODING)?.unwrap_or("identity").trim();
    match given {
        name if name.eq_ignore_ascii_case("identity") => Ok(Encoding::Plain),
        name if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => Ok(Encoding::Gzip),
        name if name.eq_ignore_ascii_case("zstd") => Ok(Encoding::Zstd),
        _ => {
            let detail = "Content-Encoding must be gzip or zstd, once, or absent.";
            Err(Problem::new(Code::UnsupportedMediaType, detail))
        }
    }
}

fn announced(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(text) = single(headers, &header::CONTENT_LENGTH)? else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|_| Problem::parameter("Content-Length", "is not a number."))
}

/// A header that may occur once.
pub(crate) fn single<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> Result<Option<&'h str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::parameter(name.as_str(), "the header occurs more than once."));
    }
    value
        .to_str()
        .map(Some)
        .map_err(|_| Problem::parameter(name.as_str(), "the header must be visible ASCII."))
}

async fn collect(mut body: Body, announced: usize, max: usize) -> Result<Bytes, Problem> {
    let (mut first, mut rest) = (Bytes::new(), Vec::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::new(Code::MalformedBody, "The body was cut off or is badly framed."))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > max {
            return Err(too_large(max));
        }
        if first.is_empty() && rest.is_empty() {
            first = data;
            continue;
        }
        if rest.is_empty() {
            rest = Vec::with_capacity(announced.max(first.len() + data.len()));
            rest.extend_from_slice(&std::mem::take(&mut first));
        }
        rest.extend_from_slice(&data);
    }
    Ok(if rest.is_empty() { first } else { Bytes::from(rest) })
}

fn decode(encoding: Encoding, sent: &[u8], max: usize) -> Result<Bytes, Problem> {
    let damaged = |_| {
        Problem::new(
            Code::MalformedBody,
            "The body is not what its Content-Encoding says, or is cut off.",
        )
    };
    let mut decoder: Box<dyn Read + '_> = match encoding {
        Encoding::Plain => Box::new(sent),
        Encoding::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(sent)),
        Encoding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(sent).map_err(damaged)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(damaged)?;
            Box::new(decoder)
        }
    };
    let first = CHUNK_BYTES.min(max);
    let mut decoded = Vec::with_capacity(first + 64);
    decoder
        .by_ref()
        .take(first as u64)
        .read_to_end(&mut decoded)
        .map_err(damaged)?;
    if decoded.len() == first {
        // Straight to the largest size: memory that is not written to costs nothing, while growing step by step leaves
        // garbage. One byte beyond the limit tells a body that is too large.
        decoded.reserve_exact(max + 64 - first);
        decoder
            .take((max + 1 - first) as u64)
            .read_to_end(&mut decoded)
            .map_err(damaged)?;
    }
    if decoded.len() > max {
        Err(too_large(max))
    } else {
        Ok(Bytes::from(decoded))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("in memory");
        encoder.finish().expect("in memory")
    }

    #[test]
    fn concatenated_members_decode_to_their_concatenation() {
        let sent = [gzip(b"[1,"), gzip(b"2]")].concat();
        assert_eq!(decode(Encoding::Gzip, &sent, 100).expect("decodes"), "[1,2]");
        let sent = [
            zstd::encode_all(&b"[1,"[..], 1).expect("in memory"),
            zstd::encode_all(&b"2]"[..], 1).expect("in memory"),
        ]
        .concat();
        assert_eq!(decode(Encoding::Zstd, &sent, 100).expect("decodes"), "[1,2]");
    }

    #[test]
    fn bombs_stop_at_the_limit_and_damage_is_told_from_size() {
        let bomb = vec![b' '; 1 << 20];
        for (encoding, sent) in [
            (Encoding::Gzip, gzip(&bomb)),
            (Encoding::Zstd, zstd::encode_all(&bomb[..], 19).expect("in memory")),
        ] {
            assert_eq!(
                decode(encoding, &sent, 1 << 16).expect_err("too large").code,
                Code::BodyTooLarge
            );
            assert_eq!(
                decode(encoding, &sent[..sent.len() - 3], 2 << 20)
                    .expect_err("cut off")
                    .code,
                Code::MalformedBody
            );
            assert_eq!(
                decode(encoding, b"plain", 1 << 16).expect_err("not encoded").code,
                Code::MalformedBody
            );
        }
    }

    #[test]
    fn nested_and_unknown_encodings_are_refused() {
        for value in ["gzip, gzip", "br", "deflate", "gzip,zstd"] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_ENCODING, value.parse().expect("visible"));
            assert_eq!(
                encoding(&headers).err().map(|problem| problem.code),
                Some(Code::UnsupportedMediaType),
                "{value}"
            );
        }
    }
}
