//! Answers to ingest requests, read with as little work as possible.

use anyhow::{Context, bail, ensure};

/// Room for the answer to a batch of 1,000.
const CAPACITY: usize = 128 * 1024;

/// One answer while it arrives.
pub(crate) struct Answer {
    buffer: Vec<u8>,
    filled: usize,
    /// Length of header and body together, once the header is there.
    length: Option<usize>,
}

impl Answer {
    pub(crate) fn new() -> Self {
        Self {
            buffer: vec![0; CAPACITY],
            filled: 0,
            length: None,
        }
    }

    /// Where the next bytes belong.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        &mut self.buffer[self.filled..]
    }

    /// Takes note of bytes that were put into [`Self::room`]; true when the answer is complete and says that `events`
    /// events were stored.
    ///
    /// # Errors
    /// The answer says anything else, or the connection was closed.
    pub(crate) fn arrived(&mut self, bytes: usize, events: usize) -> anyhow::Result<bool> {
        ensure!(bytes > 0, "the server closed the connection");
        self.filled += bytes;
        if self.length.is_none() {
            self.length = header(&self.buffer[..self.filled])?;
        }
        let Some(length) = self.length.filter(|length| self.filled >= *length) else {
            return Ok(false);
        };
        ensure!(self.filled == length, "the server sent more than one answer");
        let text = &self.buffer[..length];
        let stored = format!("{{\"accepted\":{events},");
        let all = text.starts_with(b"HTTP/1.1 201")
            && text.windows(stored.len()).take(4096).any(|at| at == stored.as_bytes());
        if !all {
            bail!("not stored: {}", String::from_utf8_lossy(&text[..length.min(1500)]));
        }
        (self.filled, self.length) = (0, None);
        Ok(true)
    }
}

/// The length of header and body, when the header is complete.
fn header(text: &[u8]) -> anyhow::Result<Option<usize>> {
    let Some(end) = text.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let header = std::str::from_utf8(&text[..end]).context("a header is text")?;
    let length = header
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .with_context(|| format!("an answer without a length: {header}"))?;
    Ok(Some(end + 4 + length.1.trim().parse::<usize>()?))
}

#[cfg(test)]
mod tests {
    use super::Answer;

    fn arrives(pieces: &[&str], events: usize) -> anyhow::Result<Vec<bool>> {
        let mut answer = Answer::new();
        pieces
            .iter()
            .map(|piece| {
                answer.room()[..piece.len()].copy_from_slice(piece.as_bytes());
                answer.arrived(piece.len(), events)
            })
            .collect()
    }

    #[test]
    fn an_answer_in_pieces_is_complete_with_its_last_byte() {
        let pieces = [
            "HTTP/1.1 201 Created\r\ncontent-",
            "length: 16\r\n\r\n{\"accepted\"",
            ":2, }",
        ];
        assert_eq!(arrives(&pieces, 2).expect("stored"), [false, false, true]);
        assert!(arrives(&pieces, 3).is_err(), "another number of events");
    }

    #[test]
    fn refusals_and_closed_connections_are_errors() {
        assert!(arrives(&["HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"], 1).is_err());
        assert!(arrives(&[""], 1).is_err());
    }
}
