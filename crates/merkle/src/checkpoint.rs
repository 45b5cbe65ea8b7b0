//! Checkpoints: the text in which a tree head is signed, C2SP tlog-checkpoint. The signature is the note's (note.rs).
//!
//! Invariant: the origin can also name a note's key; there are no extension lines.

use crate::note::is_name;
use crate::{Error, Hash, SIZE_MAX};

/// A tree head: which log, how many leaves, which root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
}

impl Checkpoint {
    /// A checkpoint of the log named `origin`. [`Error::Invalid`] when the name is empty or has white space, control characters or `+`,
    /// or the size exceeds any tree.
    pub fn new(origin: String, size: u64, root: Hash) -> Result<Self, Error> {
        if !is_name(&origin) {
            return Err(Error::Invalid(
                "checkpoint origin is empty or has white space, control characters or +",
            ));
        }
        if size > SIZE_MAX {
            return Err(Error::Invalid("checkpoint size is larger than any tree"));
        }
        Ok(Self { origin, size, root })
    }

    /// The log's name; in a later epoch it ends in the epoch, as in `/e2`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree of these leaves.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// The text that is signed: three lines, each ended by a newline.
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }

    /// The checkpoint in a note's text; [`Error::Invalid`] unless it is exactly what [`Checkpoint::to_text`] writes.
    pub fn parse(text: &str) -> Result<Self, Error> {
        const INVALID: Error = Error::Invalid("checkpoint is not three lines of origin, size and root");
        let mut lines = text.strip_suffix('\n').ok_or(INVALID)?.split('\n');
        let (Some(origin), Some(size), Some(root), None) = (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(INVALID);
        };
        let canonical = size == "0" || (!size.starts_with('0') && size.bytes().all(|byte| byte.is_ascii_digit()));
        let size = size
            .parse()
            .ok()
            .filter(|_| canonical)
            .ok_or(Error::Invalid("checkpoint size is not a decimal number"))?;
        Self::new(origin.to_owned(), size, Hash::from_base64(root)?)
    }
}
