//! `trailbook migrate`: from one machine to many. The deployment of a data directory moves into a PostgreSQL database and an object store.
//!
//! Invariants
//! - The data directory is only read; a move that fails leaves it as it was, and may be repeated with an empty database.
//! - Objects are there before the database names them, byte for byte as it says.
//!
//! Not here: how rows are moved (`trailbook_ledger::import`).

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart, path::Path as Name};
use sha2::{Digest, Sha256};
use trailbook_ledger::{
    backup::OBJECTS_DIRECTORY,
    database::{Loaded, StoredObject},
    import,
};

use crate::{
    config::{Options, Settings},
    encryption::{self, EncryptionKey},
    inputs::OsRandom,
    maintain::on_runtime,
    secret_file, store,
    store::Workplace,
};

/// What only this process reads and writes: it does not move.
const SCRATCH: &str = "scratch/";
/// The objects that are written anew under their names.
const CHANGING: &str = "_last_checkpoint";
/// Parts of one upload that may be under way.
const PARTS_WAITING: usize = 4;

/// Move the deployment of a data directory into a PostgreSQL database and an object store
#[derive(Debug, Args)]
#[command(after_help = "\
Stop the server first. The settings are those of the nodes to come: the database, which has to be empty, the object store, and the keys,
which are those of the data directory (files signing-key and encryption-key). The data directory is only read; keep it until the nodes
have run for a while.

Example:
  TRAILBOOK_SIGNING_KEY_FILE=/var/lib/trailbook/signing-key \\
  TRAILBOOK_ENCRYPTION_KEY_FILE=/var/lib/trailbook/encryption-key \\
  trailbook migrate --from /var/lib/trailbook --data /tmp/node --database postgres://… --objects s3://…

Exit codes: 0 moved, and all heads are equal; 1 not moved")]
pub(crate) struct Arguments {
    /// The data directory that moves; no server may be using it
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    #[command(flatten)]
    options: Options,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (settings, from) = (arguments.options.settings()?, arguments.from);
    let url = settings.database.clone().filter(|_| settings.on_postgres());
    let url = url.context("name the PostgreSQL database that it moves to with --database")?;
    ensure!(
        settings.objects.is_some(),
        "name the object store that it moves to with --objects"
    );
    check_keys(&settings, &from)?;
    on_runtime(async {
        let objects = Workplace::of(&settings).objects.store(&settings.data)?;
        store::look_at(&*objects)
            .await
            .context("the object store cannot be used")?;
        let source = store::local(&from.join(OBJECTS_DIRECTORY))?;
        let mut hashes = HashMap::new();
        copy(&*source, &*objects, &mut hashes).await?;
        let moved = import(&from, &url).await?;
        // Whatever came between the two.
        copy(&*source, &*objects, &mut hashes).await?;
        check_objects(&moved.target, &hashes)?;
        check_heads(&moved.source, &moved.target)?;
        let events: u64 = moved.target.heads.iter().map(|head| head.size).sum();
        println!(
            "moved: commit {} (era {}), {} ledgers with {events} events, {} segments, {} objects; all heads are equal",
            moved.target.head.commit,
            moved.target.head.era,
            moved.target.heads.len(),
            moved.target.segments.len(),
            hashes.len(),
        );
        println!("Look at all of it with `trailbook fsck --deep` and the same settings before the first node starts.");
        Ok(ExitCode::SUCCESS)
    })
}

/// The nodes have to go on with the keys that were in use.
fn check_keys(settings: &Settings, from: &Path) -> anyhow::Result<()> {
    let path = from.join(store::SIGNING_KEY_FILE);
    let kept = secret_file::read(&path)?;
    let given = settings.signing_key.as_ref().map(|key| key.bytes());
    ensure!(
        kept.is_none() || kept == given,
        "signing_key is not the key in {}, with which all checkpoints so far are signed: give that one",
        path.display()
    );
    let path = from.join(encryption::FILE);
    if path.exists() {
        let kept = EncryptionKey::of_directory(None, from, &OsRandom)?;
        ensure!(
            settings.encryption_key.as_ref().is_some_and(|given| given.is(&kept)),
            "encryption_key is not the key in {}, with which customers' secrets are encrypted: give that one",
            path.display()
        );
    }
    Ok(())
}

/// Copies all objects that are not there yet; notes the SHA-256 of each that it copied or found.
async fn copy(
    source: &dyn ObjectStore,
    target: &dyn ObjectStore,
    hashes: &mut HashMap<String, (u64, [u8; 32])>,
) -> anyhow::Result<()> {
    let mut listed = source.list(None);
    while let Some(object) = listed.next().await {
        let object = object.context("the objects of the data directory cannot be listed")?;
        let name = object.location.to_string();
        let is_changing = object.location.filename() == Some(CHANGING);
        if name.starts_with(SCRATCH) || hashes.contains_key(&name) && !is_changing {
            continue;
        }
        let copied = copy_one(source, target, &object.location).await;
        hashes.insert(
            name.clone(),
            copied.with_context(|| format!("{name} cannot be copied"))?,
        );
    }
    Ok(())
}

/// Copies an object; answers its length and SHA-256. What is there under its name has the same bytes, or was cut off.
async fn copy_one(source: &dyn ObjectStore, target: &dyn ObjectStore, name: &Name) -> anyhow::Result<(u64, [u8; 32])> {
    let mut bytes = source.get(name).await?.into_stream();
    let mut upload = WriteMultipart::new(target.put_multipart(name).await?);
    let (mut hash, mut length) = (Sha256::new(), 0);
    while let Some(chunk) = bytes.try_next().await? {
        hash.update(&chunk);
        length += chunk.len() as u64;
        upload.wait_for_capacity(PARTS_WAITING).await?;
        upload.put(chunk);
    }
    upload.finish().await?;
    let stored = target.head(name).await?.size;
    ensure!(stored == length, "{stored} of {length} bytes arrived");
    Ok((length, hash.finalize().into()))
}

/// Every object that the database names was copied, and is what the database says.
fn check_objects(loaded: &Loaded, hashes: &HashMap<String, (u64, [u8; 32])>) -> anyhow::Result<()> {
    let named = loaded
        .segments
        .iter()
        .flat_map(|segment| [&segment.data, &segment.bundle]);
    let is_wrong = |object: &&StoredObject| hashes.get(&object.name) != Some(&(object.bytes, object.sha256));
    let wrong: Vec<&str> = named.filter(is_wrong).map(|object| object.name.as_str()).collect();
    if !wrong.is_empty() {
        bail!(
            "the database names objects that are missing in the data directory, or are not what it says: {}. Run `trailbook fsck --deep` \
             there, bring them back from a backup, and move into an empty database",
            wrong.join(", ")
        );
    }
    Ok(())
}

/// The heads of all ledgers are equal.
fn check_heads(source: &Loaded, target: &Loaded) -> anyhow::Result<()> {
    ensure!(source.head == target.head, "the newest commit differs after the move");
    ensure!(
        source.heads.len() == target.heads.len(),
        "the number of ledgers differs after the move"
    );
    for (before, after) in source.heads.iter().zip(&target.heads) {
        ensure!(
            before == after,
            "the head of a ledger differs after the move: ledger={}",
            before.key
        );
    }
    Ok(())
}
