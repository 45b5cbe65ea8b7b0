//! Description templates: text with paths into the event in braces.

use super::EventPath;
use crate::Event;

/// Longest rendered description in bytes; a longer one is cut and ends in `…`. The event itself has all of it.
pub const DESCRIPTION_BYTES_MAX: usize = 8 * 1024;

/// A template such as `{actor.name} invited {targets.name}`; `{{` and `}}` stand for braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    written: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Path(EventPath),
}

impl Template {
    /// Compiles a template.
    ///
    /// # Errors
    /// One sentence for each brace that is open and each path that no event has.
    pub fn parse(written: &str) -> Result<Self, Vec<String>> {
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
            } else if let Some((path, after)) = rest.split_once('}') {
                pieces.extend([Piece::Text(std::mem::take(&mut text))]);
                match described(path) {
                    Ok(path) => pieces.push(Piece::Path(path)),
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
                Piece::Path(path) => description.push_str(&path.text(event)),
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
}

fn described(path: &str) -> Result<EventPath, String> {
    if path == "description" {
        return Err("a description cannot contain itself".to_owned());
    }
    EventPath::parse(path)
}
