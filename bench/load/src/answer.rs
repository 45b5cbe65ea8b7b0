//! Answers to ingest requests, read with as little work as possible.

use anyhow::{Context, bail, ensure};

/// Room for the answer to a batch of 1,000.
const CAPACITY: usize = 128 * 1024;

/// What an answer says so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It is not complete.
    Pending,
    /// All events were stored.
    Stored,
    /// The server is at a limit and stored nothing: the request may be sent again.
    Busy,
}

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

    /// Like [`Self::arrival`] for a run in which the server is never at a limit: true when everything was stored.
    ///
    /// # Errors
    /// Those of [`Self::arrival`], and a busy server.
    pub(crate) fn arrived(&mut self, bytes: usize, events: usize) -> anyhow::Result<bool> {
        match self.arrival(bytes, events)? {
            Arrival::Pending => Ok(false),
            Arrival::Stored => Ok(true),
            Arrival::Busy => bail!("not stored: the server is at a limit"),
        }
    }

    /// Takes note of bytes that were put into [`Self::room`]; `Stored` when the answer is complete and says that `events`
    /// events were stored.
    ///
    /// # Errors
    /// The answer says anything else, or the connection was closed.
    pub(crate) fn arrival(&mut self, bytes: usize, events: usize) -> anyhow::Result<Arrival> {
        ensure!(bytes > 0, "the server closed the connection");
        self.filled += bytes;
        if self.length.is_none() {
            self.length = header(&self.buffer[..self.filled])?;
        }
        let Some(length) = self.length.filter(|length| self.filled >= *length) else {
            return Ok(Arrival::Pending);
        };
        ensure!(self.filled == length, "the server sent more than one answer");
        let text = &self.buffer[..length];
        let says = |what: &str| text.windows(what.len()).take(4096).any(|at| at == what.as_bytes());
        let arrival = if text.starts_with(b"HTTP/1.1 201") && says(&format!("{{\"accepted\":{events},")) {
            Arrival::Stored
        } else if text.starts_with(b"HTTP/1.1 503") && says("\"stored\":\"no\"") {
            Arrival::Busy
        } else {
            bail!("not stored: {}", String::from_utf8_lossy(&text[..length.min(1500)]));
        };
        (self.filled, self.length) = (0, None);
        Ok(arrival)
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
    use super::{
        Answer,
        Arrival::{self, Busy, Pending, Stored},
    };

    fn arrives(pieces: &[&str], events: usize) -> anyhow::Result<Vec<Arrival>> {
        let mut answer = Answer::new();
        pieces
            .iter()
            .map(|piece| {
                answer.room()[..piece.len()].copy_from_slice(piece.as_bytes());
                answer.arrival(piece.len(), events)
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
        assert_eq!(arrives(&pieces, 2).expect("stored"), [Pending, Pending, Stored]);
        assert!(arrives(&pieces, 3).is_err(), "another number of events");
    }

    #[test]
    fn a_server_at_its_limit_that_stored_nothing_is_busy() {
        let busy = ["HTTP/1.1 503 Busy\r\nContent-Length: 15\r\n\r\n{\"stored\":\"no\"}"];
        assert_eq!(arrives(&busy, 1).expect("understood"), [Busy]);
    }

    #[test]
    fn refusals_and_closed_connections_are_errors() {
        assert!(arrives(&["HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"], 1).is_err());
        assert!(arrives(&[""], 1).is_err());
    }
}
