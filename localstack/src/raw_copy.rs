//! A copy of `raw/` on disk, because LocalStack forgets its objects when it stops.
//!
//! Each object is two files: its bytes, and what stands beside it as JSON. The JSON is written last, so that a copy that
//! was broken off is no copy.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use candlewick_shared::core::metadata::{FIRST_WRITTEN, Metadata};
use candlewick_shared::ports::store::{NewObject, Object, ObjectInfo, ObjectStore, PutIf};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How long an object that was just written may be without a copy, while there are some.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// The same, while nothing is written: each look lists the bucket.
pub const IDLE_INTERVAL: Duration = Duration::from_secs(5);

/// How long after the last object nothing counts as being written.
pub const BUSY_FOR: Duration = Duration::from_secs(30);

/// When an object that could not be copied is tried again, although nobody wrote it anew.
const AGAIN: Duration = Duration::from_secs(60);

/// The copy of one bucket's raw objects.
#[derive(Debug)]
pub struct RawCopy {
    root: PathBuf,
    prefix: String,
    copied: BTreeMap<String, Stamp>,
    left: BTreeMap<String, Left>,
}

/// An object that could not be copied.
#[derive(Clone, Debug)]
struct Left {
    stamp: Stamp,
    tried: Instant,
    why: String,
}

/// What an update of the copy did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// How many objects it copied.
    pub copied: usize,
    /// Those that have no copy of their newest version, and why, by key.
    pub left: Vec<(String, String)>,
}

/// What tells one version of an object from another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    etag: String,
    last_modified: Timestamp,
}

/// What stands beside an object.
#[derive(Debug, Deserialize, Serialize)]
struct Beside {
    key: String,
    first_written: Timestamp,
    metadata: Metadata,
}

impl Stamp {
    fn of(info: &ObjectInfo) -> Self {
        Self { etag: info.etag.clone(), last_modified: info.last_modified }
    }
}

impl RawCopy {
    /// The copy in a directory, which is made where it is missing.
    pub fn open(root: &Path, prefix: &str) -> anyhow::Result<Self> {
        for part in ["objects", "beside"] {
            let dir = root.join(part);
            fs::create_dir_all(&dir).with_context(|| format!("create {}", dir.display()))?;
        }
        Ok(Self { root: root.to_owned(), prefix: prefix.to_owned(), copied: BTreeMap::new(), left: BTreeMap::new() })
    }

    /// Puts every copied object back that the bucket has not, oldest first, and says how many there were. Each keeps the
    /// time at which it was first written in its metadata.
    pub async fn restore(&self, store: &dyn ObjectStore) -> anyhow::Result<usize> {
        let mut all = self.read_beside()?;
        all.sort_by(|(_, a), (_, b)| (a.first_written, &a.key).cmp(&(b.first_written, &b.key)));
        for (place, beside) in &all {
            let path = self.object_path(place);
            let body = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
            let mut metadata = beside.metadata.clone();
            metadata.insert(FIRST_WRITTEN.to_owned(), beside.first_written.to_string());
            let put = store.put(&beside.key, NewObject::csv(body, metadata), PutIf::Absent).await;
            put.with_context(|| format!("put {} back", beside.key))?;
        }
        Ok(all.len())
    }

    /// Copies what is new, drops copies of what is gone, and says how many objects it copied. What cannot be copied is passed
    /// over.
    ///
    /// An empty bucket drops nothing: it looks the same as one that was forgotten.
    pub async fn update(&mut self, store: &dyn ObjectStore) -> anyhow::Result<Update> {
        let listed = store.list(&self.prefix).await.context("list raw objects")?;
        self.left.retain(|key, _| listed.iter().any(|info| info.key == *key));
        let mut copied = 0;
        let new: Vec<_> = listed.iter().filter(|info| self.is_new(info)).collect();
        for info in new {
            match self.copy(store, &info.key).await {
                Ok(is_there) => {
                    self.left.remove(&info.key);
                    copied += usize::from(is_there);
                }
                Err(error) => {
                    let stamp = Stamp::of(info);
                    let tried = Instant::now();
                    let why = format!("{error:#}");
                    self.left.insert(info.key.clone(), Left { stamp, tried, why });
                }
            }
        }
        if !listed.is_empty() {
            self.drop_all_but(&listed)?;
        }
        let left = self.left.iter().map(|(key, left)| (key.clone(), left.why.clone())).collect();
        Ok(Update { copied, left })
    }

    fn is_new(&self, info: &ObjectInfo) -> bool {
        let stamp = Stamp::of(info);
        let was_left = self.left.get(&info.key).is_some_and(|left| left.stamp == stamp && left.tried.elapsed() < AGAIN);
        self.copied.get(&info.key) != Some(&stamp) && !was_left
    }

    /// Copies an object, and says whether it was still there.
    async fn copy(&mut self, store: &dyn ObjectStore, key: &str) -> anyhow::Result<bool> {
        // However large: it is on disk in a moment, and there is one at a time.
        let Some(object) = store.get_within(key, u64::MAX).await? else { return Ok(false) };
        self.keep(&object)?;
        Ok(true)
    }

    fn keep(&mut self, object: &Object) -> anyhow::Result<()> {
        let info = &object.info;
        let mut metadata = info.metadata.clone();
        let first_written = metadata.remove(FIRST_WRITTEN).and_then(|text| text.parse().ok());
        let first_written = first_written.unwrap_or(info.last_modified);
        let beside = Beside { key: info.key.clone(), first_written, metadata };
        let beside = serde_json::to_vec_pretty(&beside).context("write JSON")?;
        // A disk cannot have each key as a path: one may be a file where another needs a folder, or be too long.
        let plain = file_name(&info.key);
        if is_short(&plain) && self.write_pair(&plain, &object.body, &beside).is_ok() {
            self.remove(&odd_name(&info.key));
        } else {
            self.write_pair(&odd_name(&info.key), &object.body, &beside)?;
            self.remove(&plain);
        }
        self.copied.insert(info.key.clone(), Stamp::of(info));
        Ok(())
    }

    fn write_pair(&self, place: &Path, body: &[u8], beside: &[u8]) -> anyhow::Result<()> {
        write_whole(&self.object_path(place), body)?;
        write_whole(&self.beside_path(place), beside)
    }

    /// Removes a copy, where there is one.
    fn remove(&self, place: &Path) {
        for path in [self.beside_path(place), self.object_path(place)] {
            let _ = fs::remove_file(path);
        }
    }

    fn drop_all_but(&mut self, listed: &[ObjectInfo]) -> anyhow::Result<()> {
        let listed: BTreeSet<&str> = listed.iter().map(|info| info.key.as_str()).collect();
        let gone = self.read_beside()?.into_iter().filter(|(_, beside)| !listed.contains(beside.key.as_str()));
        for (place, Beside { key, .. }) in gone {
            for path in [self.beside_path(&place), self.object_path(&place)] {
                fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
            }
            self.copied.remove(&key);
        }
        Ok(())
    }

    /// What stands beside each copied object, and the place of both in their folders.
    fn read_beside(&self) -> anyhow::Result<Vec<(PathBuf, Beside)>> {
        let mut files = Vec::new();
        let root = self.root.join("beside");
        files_below(&root, &mut files)?;
        let json = files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "json"));
        json.map(|path| {
            let place = path.strip_prefix(&root).context("find the place of a copy")?.with_extension("");
            Ok((place, read_json(path)?))
        })
        .collect()
    }

    fn object_path(&self, place: &Path) -> PathBuf {
        self.root.join("objects").join(place)
    }

    fn beside_path(&self, place: &Path) -> PathBuf {
        let mut name = place.as_os_str().to_owned();
        name.push(".json");
        self.root.join("beside").join(name)
    }
}

/// What a key's segments keep of themselves as names of files.
const OUTSIDE_FILE_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-').remove(b'=');

/// A path for any key: its segments, with all that a file name should not have percent-encoded. A segment that is empty,
/// or that leads elsewhere (`.`, `..`), gets a mark before it.
fn file_name(key: &str) -> PathBuf {
    let segment = |segment: &str| match segment {
        "" | "." | ".." => format!("%{segment}"),
        other => utf8_percent_encode(other, OUTSIDE_FILE_NAME).to_string(),
    };
    key.split('/').map(segment).collect()
}

/// Whether every part of a path is short enough for any file system, with an ending.
fn is_short(place: &Path) -> bool {
    place.components().all(|part| part.as_os_str().len() <= 240) && place.as_os_str().len() <= 2000
}

/// A place for a key that cannot be a path. No key's segment is encoded like this folder's name.
fn odd_name(key: &str) -> PathBuf {
    let digest: String = Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
    Path::new("%odd").join(digest)
}

fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || {
        let dir = path.parent().context("find its directory")?;
        fs::create_dir_all(dir)?;
        let mut file = tempfile::NamedTempFile::new_in(dir)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        anyhow::Ok(())
    };
    write().with_context(|| format!("write {}", path.display()))
}

fn read_json(path: &Path) -> anyhow::Result<Beside> {
    let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_slice(&bytes)
        .with_context(|| format!("read {} as JSON (remove it if it is broken)", path.display()))
}

fn files_below(dir: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("list {}", dir.display()))? {
        let path = entry.with_context(|| format!("list {}", dir.display()))?.path();
        if path.is_dir() {
            files_below(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use candlewick_shared::adapters::memory_store::MemoryStore;
    use candlewick_shared::core::blame::Blame;
    use candlewick_shared::ports::store::{Put, StoreError};
    use proptest::prelude::*;

    use super::*;

    async fn put(store: &MemoryStore, key: &str, body: &str) {
        let metadata = Metadata::from([("source".to_owned(), "hand".to_owned())]);
        store.put(key, NewObject::csv(body.into(), metadata), PutIf::Always).await.unwrap();
    }

    async fn contents(store: &MemoryStore) -> Vec<(String, String)> {
        let mut contents = Vec::new();
        for key in store.keys() {
            let object = store.get(&key).await.unwrap().unwrap();
            contents.push((key, String::from_utf8(object.body.to_vec()).unwrap()));
        }
        contents
    }

    #[tokio::test]
    async fn what_was_forgotten_comes_back_with_its_age() {
        let dir = tempfile::tempdir().unwrap();
        let before = MemoryStore::default();
        for (key, body) in [("raw/b", "2"), ("raw/a", "1"), ("other/c", "3")] {
            put(&before, key, body).await;
        }
        let mut copy = RawCopy::open(dir.path(), "raw/").unwrap();
        assert_eq!(copy.update(&before).await.unwrap().copied, 2);
        assert_eq!(copy.update(&before).await.unwrap(), Update::default(), "nothing is new");

        let after = MemoryStore::default();
        assert_eq!(RawCopy::open(dir.path(), "raw/").unwrap().restore(&after).await.unwrap(), 2);
        assert_eq!(contents(&after).await, [("raw/a".into(), "1".into()), ("raw/b".into(), "2".into())]);
        let info = after.head("raw/a").await.unwrap().unwrap();
        let written = before.head("raw/a").await.unwrap().unwrap().last_modified;
        assert_eq!(info.metadata[FIRST_WRITTEN], written.to_string());
        assert_eq!(info.metadata["source"], "hand");
    }

    #[tokio::test]
    async fn a_second_restore_still_knows_the_first_time() {
        let dir = tempfile::tempdir().unwrap();
        let stores = [MemoryStore::default(), MemoryStore::default(), MemoryStore::default()];
        put(&stores[0], "raw/other", "0").await;
        put(&stores[0], "raw/a", "1").await;
        for pair in stores.windows(2) {
            let mut copy = RawCopy::open(dir.path(), "raw/").unwrap();
            copy.update(&pair[0]).await.unwrap();
            copy.restore(&pair[1]).await.unwrap();
        }
        let first = stores[0].head("raw/a").await.unwrap().unwrap().last_modified;
        assert_eq!(stores[2].head("raw/a").await.unwrap().unwrap().metadata[FIRST_WRITTEN], first.to_string());
    }

    #[tokio::test]
    async fn what_was_removed_stays_removed_but_an_empty_bucket_removes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = MemoryStore::default();
        put(&store, "raw/a", "1").await;
        put(&store, "raw/b", "2").await;
        let mut copy = RawCopy::open(dir.path(), "raw/").unwrap();
        copy.update(&store).await.unwrap();
        store.remove("raw/a");
        copy.update(&store).await.unwrap();
        copy.update(&MemoryStore::default()).await.unwrap();
        let restored = MemoryStore::default();
        copy.restore(&restored).await.unwrap();
        assert_eq!(restored.keys(), ["raw/b"]);
    }

    /// A store of which some objects cannot be read.
    struct Archive(MemoryStore);

    #[async_trait::async_trait]
    impl ObjectStore for Archive {
        async fn get_within(&self, key: &str, most: u64) -> Result<Option<Object>, StoreError> {
            if key.contains("archived") {
                let operation = "get object";
                let key = key.to_owned();
                let reason = "it is archived".to_owned();
                return Err(StoreError { operation, key, reason, blame: Blame::Message("archived_object") });
            }
            self.0.get_within(key, most).await
        }

        async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StoreError> {
            self.0.head(key).await
        }

        async fn put(&self, key: &str, object: NewObject, condition: PutIf) -> Result<Put, StoreError> {
            self.0.put(key, object, condition).await
        }

        async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
            self.0.list(prefix).await
        }
    }

    #[tokio::test]
    async fn what_cannot_be_copied_is_told_and_stops_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let store = Archive(MemoryStore::default());
        for key in ["raw/a", "raw/archived", "raw/z"] {
            put(&store.0, key, "1").await;
        }
        let mut copy = RawCopy::open(dir.path(), "raw/").unwrap();
        let update = copy.update(&store).await.unwrap();
        assert_eq!((update.copied, update.left[0].0.as_str(), update.left.len()), (2, "raw/archived", 1));
        assert!(update.left[0].1.contains("it is archived"), "{update:?}");
        assert_eq!(copy.update(&store).await.unwrap().left.len(), 1, "it is told until it is mended");
        store.0.remove("raw/archived");
        assert_eq!(copy.update(&store).await.unwrap(), Update::default());
    }

    #[tokio::test]
    async fn every_key_that_a_bucket_may_have_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let before = MemoryStore::default();
        let long = [format!("raw/{}.csv", "x".repeat(256)), format!("raw/{}", "ä/".repeat(300))];
        let odd = [
            "raw/",
            "raw//x.csv",
            "raw//",
            "raw/a",
            "raw/a/b",
            "raw/a/b.json/c",
            "raw/a/b.json",
            "raw/\u{1b}[2J\n",
            "raw/../x",
        ];
        for key in odd.into_iter().chain(long.iter().map(String::as_str)) {
            put(&before, key, key).await;
        }
        let mut copy = RawCopy::open(dir.path(), "raw/").unwrap();
        assert_eq!(copy.update(&before).await.unwrap(), Update { copied: 11, left: Vec::new() });
        let after = MemoryStore::default();
        RawCopy::open(dir.path(), "raw/").unwrap().restore(&after).await.unwrap();
        assert_eq!(contents(&after).await, contents(&before).await);
        before.remove("raw//x.csv");
        copy.update(&before).await.unwrap();
        let after = MemoryStore::default();
        copy.restore(&after).await.unwrap();
        assert_eq!(contents(&after).await, contents(&before).await);
    }

    proptest! {
        #[test]
        fn no_key_leads_out_of_the_copy(key in "[./a %\\PC]{0,30}") {
            let path = file_name(&key);
            prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))));
        }
    }
}
