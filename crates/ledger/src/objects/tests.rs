//! The cache over a store in memory that counts and spoils.
#![allow(clippy::unwrap_used)]

use std::{
    fmt, fs,
    io::Write,
    path::Path as Directory,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::{
    CopyOptions, GetOptions, GetRange, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory, path::Path,
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use trailbook_testkit_s3::{Faults, Server, Settings};

use super::{
    ObjectCache, ObjectFile, ObjectFiles, Objects,
    kept::{CHUNK_BYTES, Known},
};
use crate::{Error, Measures, database::StoredObject};

const CHUNK: usize = CHUNK_BYTES as usize;

/// A store that takes its time, counts what is got of it, and cuts the first answers short.
#[derive(Debug, Default)]
struct Counting {
    inner: InMemory,
    gets: AtomicU64,
    cut: AtomicU64,
}

impl fmt::Display for Counting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("counting")
    }
}

#[async_trait]
impl ObjectStore for Counting {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(&self, at: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, location: &Path, mut options: GetOptions) -> Result<GetResult> {
        self.gets.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let is_cut = self
            .cut
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if let (Ok(_), Some(GetRange::Bounded(range))) = (is_cut, &mut options.range) {
            range.end -= 1;
        }
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// A cache over such a store.
struct Scene {
    store: Arc<Counting>,
    measures: Arc<Measures>,
    directory: TempDir,
    bytes_max: u64,
}

impl Scene {
    fn new(bytes_max: u64) -> Self {
        Self {
            store: Arc::default(),
            measures: Arc::default(),
            directory: TempDir::new().unwrap(),
            bytes_max,
        }
    }

    fn cache(&self) -> ObjectCache {
        let (store, measures) = (Arc::clone(&self.store), Arc::clone(&self.measures));
        ObjectCache::open(store, self.directory.path(), self.bytes_max, measures).unwrap()
    }

    /// Puts an object of so many bytes, all different from place to place.
    fn put(&self, name: &str, length: usize) -> (Known, Vec<u8>) {
        let bytes: Vec<u8> = (0..length).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect();
        let path = Path::from(name);
        let put = self.store.put(&path, PutPayload::from(bytes.clone()));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(put).unwrap();
        let known = Known {
            name: Arc::from(name),
            bytes: length as u64,
            sha256: Sha256::digest(&bytes).into(),
        };
        (known, bytes)
    }

    fn gets(&self) -> u64 {
        self.store.gets.swap(0, Ordering::SeqCst)
    }

    /// Bytes of all files of pieces.
    fn kept_bytes(&self) -> u64 {
        files(self.directory.path())
            .iter()
            .map(|file| fs::metadata(file).unwrap().len())
            .sum()
    }
}

fn files(directory: &Directory) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

fn read(file: &ObjectFile, offset: usize, length: usize) -> std::result::Result<Vec<u8>, Error> {
    Ok(file.read(offset as u64, length)?.unwrap())
}

#[test]
fn many_readers_fetch_a_chunk_once() {
    let scene = Scene::new(1 << 30);
    let (object, bytes) = scene.put("segments/a.parquet", 30 * CHUNK + 5);
    let file = ObjectFile::cached(scene.cache(), object);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                assert_eq!(
                    read(&file, 20 * CHUNK + 7, 2 * CHUNK).unwrap(),
                    bytes[20 * CHUNK + 7..][..2 * CHUNK]
                )
            });
        }
    });
    assert_eq!(scene.gets(), 1, "three adjacent chunks");
    assert_eq!(read(&file, 21 * CHUNK, CHUNK).unwrap(), bytes[21 * CHUNK..][..CHUNK]);
    assert_eq!(scene.gets(), 0);
    assert_eq!(read(&file, 30 * CHUNK, 5).unwrap(), bytes[30 * CHUNK..]);
    assert_eq!(scene.measures.cache_bytes.load(Ordering::SeqCst), 3 * CHUNK_BYTES + 5);
}

#[test]
fn a_reader_who_goes_forward_is_served_in_advance() {
    let scene = Scene::new(1 << 30);
    let (object, bytes) = scene.put("segments/a.parquet", 100 * CHUNK);
    let file = ObjectFile::cached(scene.cache(), object);
    let step = CHUNK / 2;
    for offset in (0..100 * CHUNK).step_by(step) {
        assert_eq!(read(&file, offset, step).unwrap(), bytes[offset..offset + step]);
    }
    let gets = scene.gets();
    assert!(gets < 30, "{gets} requests for 100 chunks");
    let waited = scene.measures.cache_misses.load(Ordering::SeqCst);
    assert!(waited < 200, "{waited}");
}

#[test]
fn small_objects_are_fetched_whole_and_survive_a_restart() {
    let scene = Scene::new(1 << 30);
    let (object, bytes) = scene.put("segments/a.bundle", 3 * CHUNK + 1);
    let file = ObjectFile::cached(scene.cache(), object.clone());
    assert_eq!(read(&file, 10, 10).unwrap(), bytes[10..20]);
    assert_eq!(read(&file, 2 * CHUNK, CHUNK).unwrap(), bytes[2 * CHUNK..3 * CHUNK]);
    assert_eq!(scene.gets(), 1);
    drop(file);
    fs::write(scene.directory.path().join("segments/a.bundle/7.new"), b"half").unwrap();
    let file = ObjectFile::cached(scene.cache(), object.clone());
    assert_eq!(read(&file, 0, bytes.len()).unwrap(), bytes);
    assert_eq!(scene.gets(), 0);
    assert_eq!(scene.kept_bytes(), bytes.len() as u64);
    drop(file);
    let whole = scene.directory.path().join("segments/a.bundle/whole");
    fs::write(&whole, &bytes[..100]).unwrap();
    let file = ObjectFile::cached(scene.cache(), object);
    assert_eq!(read(&file, 0, bytes.len()).unwrap(), bytes);
    assert_eq!(scene.gets(), 1, "a copy that is too short is none");
}

#[test]
fn what_was_not_used_for_longest_goes_and_comes_again() {
    let scene = Scene::new(20 * CHUNK_BYTES);
    let cache = scene.cache();
    let objects: Vec<_> = (0..5)
        .map(|number| scene.put(&format!("segments/{number}"), 8 * CHUNK))
        .collect();
    let files: Vec<_> = objects
        .iter()
        .map(|(object, _)| ObjectFile::cached(cache.clone(), object.clone()))
        .collect();
    for used in [0, 1, 0, 2, 0] {
        assert_eq!(read(&files[used], 0, 8 * CHUNK).unwrap(), objects[used].1);
    }
    assert_eq!(scene.gets(), 3, "0 was used in between and stayed");
    assert!(scene.kept_bytes() <= 20 * CHUNK_BYTES);
    assert_eq!(read(&files[1], 5, 5).unwrap(), objects[1].1[5..10]);
    assert_eq!(scene.gets(), 1, "1 had gone, while it was open");
}

#[test]
fn a_cache_that_is_too_small_for_anything_is_slow_and_not_wrong() {
    let scene = Scene::new(CHUNK_BYTES);
    let (object, bytes) = scene.put("segments/a.parquet", 40 * CHUNK);
    let file = ObjectFile::cached(scene.cache(), object);
    std::thread::scope(|scope| {
        for reader in 0..4 {
            let (file, bytes) = (&file, &bytes);
            scope.spawn(move || {
                let offset = reader * 9 * CHUNK + 100;
                assert_eq!(read(file, offset, 4 * CHUNK).unwrap(), bytes[offset..][..4 * CHUNK]);
            });
        }
    });
    assert!(scene.kept_bytes() <= CHUNK_BYTES);
}

#[test]
fn answers_that_are_cut_are_asked_for_again() {
    let scene = Scene::new(1 << 30);
    let (object, bytes) = scene.put("segments/a.parquet", 40 * CHUNK);
    scene.store.cut.store(2, Ordering::SeqCst);
    let file = ObjectFile::cached(scene.cache(), object);
    assert_eq!(read(&file, CHUNK, CHUNK).unwrap(), bytes[CHUNK..2 * CHUNK]);
    assert_eq!(scene.gets(), 3);
    assert_eq!(scene.measures.cache_failures.load(Ordering::SeqCst), 2);
}

#[test]
fn an_object_that_is_not_there_or_of_another_length_is_named() {
    let scene = Scene::new(1 << 30);
    let (mut object, _) = scene.put("segments/a.parquet", 40 * CHUNK);
    object.bytes += 1;
    let cache = scene.cache();
    let error = read(&ObjectFile::cached(cache.clone(), object.clone()), 0, 1).unwrap_err();
    assert!(
        matches!(&error, Error::Corrupt { detail } if detail.contains("segments/a.parquet")),
        "{error}"
    );
    object.name = Arc::from("segments/b.parquet");
    let error = read(&ObjectFile::cached(cache, object), 0, 1).unwrap_err();
    assert!(
        matches!(&error, Error::Storage { detail, .. } if detail.contains("segments/b.parquet")),
        "{error}"
    );
}

#[test]
fn damaged_copies_are_dropped_and_fetched_again() {
    let scene = Scene::new(1 << 30);
    let (object, bytes) = scene.put("segments/a.parquet", 40 * CHUNK);
    let file = ObjectFile::cached(scene.cache(), object);
    assert_eq!(read(&file, 3 * CHUNK, 10).unwrap(), bytes[3 * CHUNK..][..10]);
    fs::write(scene.directory.path().join("segments/a.parquet/3"), vec![0; CHUNK]).unwrap();
    let place = 3 * CHUNK_BYTES..3 * CHUNK_BYTES + 10;
    assert_ne!(read(&file, 3 * CHUNK, 10).unwrap(), bytes[3 * CHUNK..][..10]);
    assert!(file.drop_copies(place.clone()));
    assert_eq!(read(&file, 3 * CHUNK, 10).unwrap(), bytes[3 * CHUNK..][..10]);
    fs::remove_file(scene.directory.path().join("segments/a.parquet/3")).unwrap();
    assert_eq!(read(&file, 3 * CHUNK, 10).unwrap(), bytes[3 * CHUNK..][..10]);
    assert_eq!(scene.gets(), 3);
}

#[test]
fn a_directory_is_one_processs_and_files_of_this_node_are_adopted() {
    let scene = Scene::new(1 << 30);
    let cache = scene.cache();
    let store: Arc<dyn ObjectStore> = scene.store.clone();
    let second = ObjectCache::open(store, scene.directory.path(), 1, Arc::clone(&scene.measures));
    assert!(matches!(second, Err(Error::Storage { .. })), "{second:?}");
    let made = scene.directory.path().join("made");
    fs::write(&made, b"made here").unwrap();
    cache.adopt("segments/made", &made, 9);
    let object = Known {
        name: Arc::from("segments/made"),
        bytes: 9,
        sha256: Sha256::digest(b"made here").into(),
    };
    let file = ObjectFile::cached(cache.clone(), object);
    assert_eq!(Bytes::from(read(&file, 5, 4).unwrap()), "here");
    assert_eq!(scene.gets(), 0);
    cache.forget("segments/made");
    assert_eq!(scene.kept_bytes(), 0);
}

/// The store said nothing after it had put the parts of a large object together: asking again would be answered that there is no
/// such upload. What counts is that the object is there.
#[tokio::test]
async fn a_large_object_whose_last_answer_is_lost_is_there() {
    let directory = TempDir::new().unwrap();
    let server = Server::start(Settings {
        directory: directory.path().join("s3"),
        bucket: "log".to_owned(),
        access_key: "key".to_owned(),
        secret_key: "secret".to_owned(),
        port: 0,
    });
    let server = server.unwrap();
    let (store, cache) = (server.store().unwrap(), directory.path().join("cache"));
    let cache = ObjectCache::open(Arc::clone(&store), &cache, 1 << 30, Arc::default()).unwrap();
    let objects = Objects::new(store, ObjectFiles::Cache(cache));
    server.fail(Faults {
        cut_after: 1.0,
        only: Some("POST".to_owned()),
        containing: Some("uploadId=".to_owned()),
        ..Faults::default()
    });
    let bytes: Vec<u8> = (0..20 << 20).map(|at: u32| (at >> 7) as u8).collect();
    let (scratch, mut file) = objects.scratch("segments/large").unwrap();
    file.write_all(&bytes).unwrap();
    objects.put_file(scratch, "segments/large").await.unwrap();
    let stored = StoredObject {
        name: "segments/large".to_owned(),
        bytes: bytes.len() as u64,
        sha256: Sha256::digest(&bytes).into(),
    };
    assert_eq!(objects.check(&stored, true), Ok(()));
    assert!(server.count()["POST"] > 1);
    let kept = objects.open(&stored).unwrap();
    assert_eq!(read(&kept, 9 << 20, 10).unwrap(), bytes[9 << 20..][..10]);
}
