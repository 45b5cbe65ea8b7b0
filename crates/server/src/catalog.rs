//! The catalogs of the projects, compiled: what was set for each, and for the default project the file that the setting `catalog` names.
//!
//! Invariant: a catalog is in force whole or not at all.
//!
//! Not here: what a catalog is (`trailbook_event::catalog`, `trailbook_import::Vocabulary`), what admission does with it (`http::ingest`).

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use anyhow::bail;
use trailbook_access::{
    DEFAULT_PROJECT, Directory,
    records::{CatalogFormat, StoredCatalog},
};
use trailbook_event::catalog::CatalogFault;
use trailbook_import::Vocabulary;

use crate::config::ReadFile;

/// The catalog in a file that ends in `.toml` or `.json`.
///
/// # Errors
/// Everything that is wrong with it, one sentence each.
pub(crate) fn read(path: &str, read: ReadFile<'_>) -> Result<Vocabulary, Vec<String>> {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    let parse: fn(&str) -> Result<Vocabulary, Vec<CatalogFault>> = match extension {
        Some("toml") => Vocabulary::from_toml,
        Some("json") => Vocabulary::from_json,
        _ => return Err(vec![format!("{path}: a catalog's name ends in .toml or .json.")]),
    };
    let text = read(path).map_err(|error| vec![format!("{path} cannot be read: {error}.")])?;
    parse(&text).map_err(|faults| faults.iter().map(|fault| format!("{path}: {fault}")).collect())
}

/// A catalog's text, compiled.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn compiled(format: CatalogFormat, text: &str) -> Result<Vocabulary, Vec<CatalogFault>> {
    match format {
        CatalogFormat::Toml => Vocabulary::from_toml(text),
        CatalogFormat::Json => Vocabulary::from_json(text),
    }
}

/// The catalogs of the projects.
#[derive(Default)]
pub(crate) struct Catalogs {
    /// That of the default project, as long as none is set for it.
    default: Option<Arc<Vocabulary>>,
    /// By project: the commit that set it, and what it compiles to.
    compiled: RwLock<HashMap<String, (u64, Arc<Vocabulary>)>>,
}

impl Catalogs {
    /// With all that is set compiled; `default` is that of the default project as long as none is set for it.
    ///
    /// # Errors
    /// When one that was accepted before cannot be read any more.
    pub(crate) fn open(default: Option<Arc<Vocabulary>>, directory: &Directory) -> anyhow::Result<Self> {
        let catalogs = Self {
            default,
            ..Self::default()
        };
        let stored: Vec<Arc<StoredCatalog>> = directory.state().catalogs.all().cloned().collect();
        for stored in stored {
            let version = directory.version::<StoredCatalog>(&stored.project).unwrap_or_default();
            if let Err(faults) = catalogs.compile(&stored, version) {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                bail!(
                    "the catalog of project {} cannot be read: {}",
                    stored.project,
                    faults.join("; ")
                );
            }
        }
        Ok(catalogs)
    }

    /// The catalog of a project, if it has one.
    pub(crate) fn of(&self, directory: &Directory, project: &str) -> Option<Arc<Vocabulary>> {
        let Some(stored) = directory.get::<StoredCatalog>(project) else {
            return self.default.clone().filter(|_| project == DEFAULT_PROJECT);
        };
        let version = directory.version::<StoredCatalog>(project)?;
        let compiled = self.compiled.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, vocabulary)) = compiled.get(project).filter(|(known, _)| *known == version) {
            return Some(Arc::clone(vocabulary));
        }
        drop(compiled);
        let vocabulary = self.compile(&stored, version);
        vocabulary
            .inspect_err(|faults| tracing::error!(faults = faults.len(), "a catalog that was set cannot be read"))
            .ok()
    }

    fn compile(&self, stored: &StoredCatalog, version: u64) -> Result<Arc<Vocabulary>, Vec<CatalogFault>> {
        let vocabulary = Arc::new(compiled(stored.format, &stored.text)?);
        let mut compiled = self.compiled.write().unwrap_or_else(PoisonError::into_inner);
        compiled.insert(stored.project.clone(), (version, Arc::clone(&vocabulary)));
        Ok(vocabulary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(path: &str, text: &str) -> Result<Vocabulary, Vec<String>> {
        read(path, &|_| Ok(text.to_owned()))
    }

    #[test]
    fn the_name_says_how_it_is_written() {
        let toml = read_of("c.toml", "actions = [{ id = 'a', name = 'A' }]").expect("a catalog");
        let json = read_of("c.json", r#"{"actions":[{"id":"a","name":"A"}]}"#).expect("a catalog");
        assert!(toml.catalog.action("a").is_some() && json.catalog.action("a").is_some());
        assert_eq!(
            read_of("c.yaml", "").expect_err("refused"),
            ["c.yaml: a catalog's name ends in .toml or .json."]
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let absent = read("c.toml", &|_| Err(std::io::ErrorKind::NotFound.into()));
        assert!(absent.expect_err("refused")[0].starts_with("c.toml cannot be read: "));
    }
}
