//! Templates of descriptions and of columns: text with paths into the event in braces.

use std::borrow::Cow;

use super::{EventPath, path::MISSING};
use crate::Event;

/// Longest rendered description in bytes; a longer one is cut and ends in `…`. The event itself has all of it.
pub const DESCRIPTION_BYTES_MAX: usize = 8 * 1024;

/// A template such as `{actor.name} invited {targets.name}`; `{{` and `}}` stand for braces, `{actor.email|actor.name}` for
/// the first that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    written: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The first of these that is there.
    Paths(Vec<EventPath>),
}

type ReadPath = fn(&str) -> Result<EventPath, String>;

impl Template {
    /// Compiles the template of a description.
    ///
    /// # Errors
    /// One sentence for each brace that is open and each path that no event has.
    pub fn parse(written: &str) -> Result<Self, Vec<String>> {
        Self::compile(written, described)
    }

    /// Compiles the template of a column: its paths may lead into the envelope and to the description as well.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn parse_column(written: &str) -> Result<Self, Vec<String>> {
        Self::compile(written, EventPath::parse_returned)
    }

    fn compile(written: &str, read: ReadPath) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = written;
        while let Some(at) = rest.find(['{', '}']) {
            text.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                text.push_str(brace);
                rest = after;
            } else if brace == "}" {
                faults.push("a `}` closes nothing; write `}}` for a brace".to_owned());
            } else if let Some((paths, after)) = rest.split_once('}') {
                pieces.extend([Piece::Text(std::mem::take(&mut text))]);
                match paths.split('|').map(read).collect() {
                    Ok(paths) => pieces.push(Piece::Paths(paths)),
                    Err(fault) => faults.push(fault),
                }
                rest = after;
            } else {
                faults.push("a `{` is not closed; write `{{` for a brace".to_owned());
            }
        }
        text.push_str(rest);
        pieces.push(Piece::Text(text));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        if faults.is_empty() {
            Ok(Self {
                written: written.to_owned(),
                pieces,
            })
        } else {
            Err(faults)
        }
    }

    /// The template as it was written.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The description of an event.
    pub fn render(&self, event: &Event<'_>) -> String {
        let mut description = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => description.push_str(text),
                Piece::Paths(paths) => description.push_str(&first(paths, event)),
            }
            if description.len() > DESCRIPTION_BYTES_MAX {
                let end = description.floor_char_boundary(DESCRIPTION_BYTES_MAX - '…'.len_utf8());
                description.truncate(end);
                description.push('…');
                break;
            }
        }
        description
    }

    /// The text of a column, with each path read by `read`, which answers `None` for what is missing. A missing path is `—`
    /// beside others; where all are missing there is no text.
    pub fn render_with<'t>(&'t self, mut read: impl FnMut(&'t EventPath) -> Option<Cow<'t, str>>) -> String {
        let mut cell = String::new();
        let mut is_there = false;
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => cell.push_str(text),
                Piece::Paths(paths) => match paths.iter().find_map(&mut read) {
                    Some(text) => {
                        cell.push_str(&text);
                        is_there = true;
                    }
                    None => cell.push_str(MISSING),
                },
            }
        }
        let has_paths = self.pieces.iter().any(|piece| matches!(piece, Piece::Paths(_)));
        if has_paths && !is_there { String::new() } else { cell }
    }
}

/// The text of the first path that is there, of the last one otherwise.
fn first<'e>(paths: &'e [EventPath], event: &'e Event<'_>) -> Cow<'e, str> {
    let is_there = |path: &&EventPath| path.found(event).iter().any(|found| found.text.is_some());
    match paths {
        [path] => path.text(event),
        paths => paths
            .iter()
            .find(is_there)
            .map_or(Cow::Borrowed(MISSING), |path| path.text(event)),
    }
}

fn described(path: &str) -> Result<EventPath, String> {
    if path == "description" {
        return Err("a description cannot contain itself".to_owned());
    }
    EventPath::parse(path)
}
