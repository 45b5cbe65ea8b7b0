//! Compression of what is sent, off the threads that serve requests. The same bytes become the same bytes.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

/// What Zstandard's own default is.
const ZSTD_LEVEL: i32 = 3;

/// RFC 1952, without a time; quick rather than small.
pub(super) async fn gzip(bytes: Vec<u8>) -> Vec<u8> {
    aside(move || {
        let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
        encoder.write_all(&bytes).expect("a vector takes all bytes");
        encoder.finish().expect("a vector takes all bytes")
    })
    .await
}

/// RFC 8878, with a checksum.
pub(super) async fn zstd(bytes: Vec<u8>) -> Vec<u8> {
    aside(move || {
        let written = || {
            let mut encoder = zstd::Encoder::new(Vec::with_capacity(bytes.len() / 4), ZSTD_LEVEL)?;
            encoder.include_checksum(true)?;
            encoder.write_all(&bytes)?;
            encoder.finish()
        };
        written().expect("a vector takes all bytes")
    })
    .await
}

async fn aside(work: impl FnOnce() -> Vec<u8> + Send + 'static) -> Vec<u8> {
    tokio::task::spawn_blocking(work)
        .await
        .expect("compression does not panic")
}
