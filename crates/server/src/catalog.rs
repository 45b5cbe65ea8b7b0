//! The file that the setting `catalog` names: read once, at the start, whole or not at all.
//!
//! Not here: what a catalog is (`trailbook_event::catalog`, `trailbook_import::Vocabulary`), what admission does with it (`http::ingest`).

use std::path::Path;

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
