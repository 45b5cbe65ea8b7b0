//! The lake's log as any reader has it: from the newest checkpoint on, version after version.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::Arc,
};

use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::RowAccessor,
};
use serde_json::Value;
use trailbook_ledger::Measures;

use crate::support::Scratch;

/// The files of a log.
pub(crate) struct Log {
    pub(crate) versions: BTreeMap<u64, Vec<u8>>,
    pub(crate) checkpoints: BTreeMap<u64, BTreeSet<String>>,
    /// The checkpoint with which it begins, and how many rows that has, when it does not begin with version 0.
    pub(crate) begins_with: Option<(u64, u64)>,
}

impl Log {
    pub(crate) fn read(scratch: &Scratch) -> Self {
        let directory = scratch.directory.path().join("objects/_delta_log");
        let mut log = Self {
            versions: BTreeMap::new(),
            checkpoints: BTreeMap::new(),
            begins_with: None,
        };
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            match name.split_once('.') {
                Some((version, "json")) => {
                    log.versions.insert(version.parse().unwrap(), fs::read(path).unwrap());
                }
                Some((version, "checkpoint.parquet")) => {
                    log.checkpoints.insert(version.parse().unwrap(), added(&path));
                }
                _ => {
                    assert_eq!(name, "_last_checkpoint");
                    let named: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
                    log.begins_with = named["version"].as_u64().zip(named["size"].as_u64());
                }
            }
        }
        log
    }

    /// The files that the table has at a version. What leads to it must be there, and say nothing that cannot be.
    pub(crate) fn table(&self, version: u64) -> BTreeSet<String> {
        let checkpoint = self.checkpoints.range(..=version).next_back();
        let mut files = checkpoint.map(|(_, files)| files.clone()).unwrap_or_default();
        for version in checkpoint.map_or(0, |(version, _)| version + 1)..=version {
            let body = std::str::from_utf8(&self.versions[&version]).unwrap();
            for line in body.lines() {
                let action: Value = serde_json::from_str(line).unwrap();
                if let Some(path) = action["remove"]["path"].as_str() {
                    assert!(
                        files.remove(path),
                        "version {version} removes {path}, which is not there"
                    );
                }
                if let Some(path) = action["add"]["path"].as_str() {
                    assert!(files.insert(path.to_owned()), "version {version} adds {path} twice");
                }
            }
        }
        files
    }

    /// The names of a version's actions.
    pub(crate) fn actions(&self, version: u64) -> Vec<String> {
        let lines = self.versions[&version].split(|byte| *byte == b'\n');
        let lines = lines.filter(|line| !line.is_empty());
        let action = |line: &[u8]| serde_json::from_slice::<Value>(line).unwrap();
        lines
            .map(|line| action(line).as_object().unwrap().keys().next().unwrap().clone())
            .collect()
    }
}

/// The files that a checkpoint adds; each is named once.
fn added(path: &std::path::Path) -> BTreeSet<String> {
    let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    let mut files = BTreeSet::new();
    for row in reader.get_row_iter(None).unwrap() {
        if let Ok(add) = row.unwrap().get_group(2) {
            assert!(files.insert(add.get_string(0).unwrap().clone()), "{add}");
        }
    }
    files
}

/// Holds the log of a closed ledger against its database: the same versions, byte by byte, without a gap, and in the newest the segments.
pub(crate) async fn assert_log(scratch: &Scratch, place: &str) -> Log {
    let database = scratch.database(&Arc::new(Measures::default())).await;
    let loaded = database.load([0; 32], String::new()).await.unwrap();
    let stored = database.lake(0, 1_000).await.unwrap();
    let log = Log::read(scratch);
    for version in &stored {
        assert_eq!(log.versions.get(&version.version), Some(&version.body), "{place}");
    }
    let newest = loaded.next_lake_version - 1;
    assert_eq!(log.versions.keys().next_back(), Some(&newest), "{place}");
    assert!(log.checkpoints.keys().all(|version| *version <= newest), "{place}");
    if let Some((version, rows)) = log.begins_with {
        assert_eq!(log.checkpoints[&version].len() as u64 + 2, rows, "{place}");
    }
    let segments: BTreeSet<String> = loaded.segments.into_iter().map(|segment| segment.data.name).collect();
    assert_eq!(log.table(newest), segments, "{place}");
    for name in segments {
        assert!(
            scratch.directory.path().join("objects").join(&name).exists(),
            "{place}: {name}"
        );
    }
    log
}
