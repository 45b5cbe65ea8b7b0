//! How far an import came, in a small file beside the reject file, so that an interrupted one goes on where it stopped.
//!
//! Invariants
//! - A position is written only after everything before it is stored, known or in the reject file.
//! - The file is replaced whole, and removed when the import is finished.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{Error, Summary};

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Content {
    /// Digest of server, project, organization and mapping.
    import: String,
    /// How long the reject file was.
    rejects_bytes: u64,
    /// What had been done.
    summary: Summary,
    /// By fingerprint of an input: how many of its records are done.
    records_done: BTreeMap<String, u64>,
}

/// The state of one import.
pub(crate) struct State {
    /// `None` when nothing is to be remembered.
    path: Option<PathBuf>,
    content: Content,
}

impl State {
    /// A state that is forgotten.
    pub(crate) fn forgotten() -> Self {
        Self {
            path: None,
            content: Content::default(),
        }
    }

    /// The state that an interrupted import left, or a new one.
    ///
    /// # Errors
    /// `Invalid` when the file is that of another import.
    pub(crate) fn open(path: &Path, import: &str) -> Result<Self, Error> {
        let fresh = Content {
            import: import.to_owned(),
            ..Content::default()
        };
        let content = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => fresh,
            Err(error) => return Err(Error::file(path)(error)),
            Ok(bytes) => match serde_json::from_slice::<Content>(&bytes) {
                Ok(content) if content.import == import => content,
                _ => {
                    let path = path.display();
                    return Err(Error::Invalid(format!(
                        "{path} belongs to another import that was interrupted. Finish that one first, name another reject file with --rejects, or remove {path} to give it up."
                    )));
                }
            },
        };
        Ok(Self {
            path: Some(path.to_owned()),
            content,
        })
    }

    pub(crate) fn rejects_bytes(&self) -> u64 {
        self.content.rejects_bytes
    }

    pub(crate) fn summary(&self) -> Summary {
        self.content.summary
    }

    /// How many records of an input are done.
    pub(crate) fn records_done(&self, fingerprint: &str) -> u64 {
        self.content.records_done.get(fingerprint).copied().unwrap_or(0)
    }

    /// Remembers how far an input has come; an input without a fingerprint cannot be continued.
    pub(crate) fn save(
        &mut self,
        fingerprint: Option<&str>,
        records_done: u64,
        rejects_bytes: u64,
        summary: Summary,
    ) -> Result<(), Error> {
        let (Some(path), Some(fingerprint)) = (&self.path, fingerprint) else {
            return Ok(());
        };
        self.content.records_done.insert(fingerprint.to_owned(), records_done);
        self.content.rejects_bytes = rejects_bytes;
        self.content.summary = summary;
        let new = path.with_extension("new");
        let bytes = serde_json::to_vec_pretty(&self.content).map_err(|error| Error::file(path)(error.into()))?;
        fs::write(&new, bytes).map_err(Error::file(&new))?;
        fs::rename(&new, path).map_err(Error::file(path))
    }

    /// The import is finished: there is nothing to go on with.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let Some(path) = self.path else { return Ok(()) };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file(path)(error)),
            _ => Ok(()),
        }
    }
}
