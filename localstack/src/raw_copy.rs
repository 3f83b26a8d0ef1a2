//! A copy of `raw/` on disk, because LocalStack forgets its objects when it stops.
//!
//! Each object is two files: its bytes, and what stands beside it as JSON. The JSON is written last, so that a copy that
//! was broken off is no copy.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use candlewick_shared::core::metadata::{FIRST_WRITTEN, Metadata};
use candlewick_shared::ports::store::{NewObject, Object, ObjectInfo, ObjectStore, PutIf};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// How long an object that was just written may be without a copy.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// The copy of one bucket's raw objects.
#[derive(Debug)]
pub struct RawCopy {
    root: PathBuf,
    prefix: String,
    copied: BTreeMap<String, Stamp>,
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
    ///
    /// # Errors
    /// A directory that cannot be made.
    pub fn open(root: &Path, prefix: &str) -> anyhow::Result<Self> {
        for part in ["objects", "beside"] {
            let dir = root.join(part);
            fs::create_dir_all(&dir).with_context(|| format!("create {}", dir.display()))?;
        }
        Ok(Self { root: root.to_owned(), prefix: prefix.to_owned(), copied: BTreeMap::new() })
    }

    /// Puts every copied object back that the bucket has not, oldest first, and says how many there were. Each keeps the
    /// time at which it was first written in its metadata.
    ///
    /// # Errors
    /// A copy that cannot be read, or a store that does not take it.
    pub async fn restore(&self, store: &dyn ObjectStore) -> anyhow::Result<usize> {
        let mut all = self.read_beside()?;
        all.sort_by(|a, b| (a.first_written, &a.key).cmp(&(b.first_written, &b.key)));
        for beside in &all {
            let path = self.object_path(&beside.key);
            let body = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
            let mut metadata = beside.metadata.clone();
            metadata.insert(FIRST_WRITTEN.to_owned(), beside.first_written.to_string());
            let put = store.put(&beside.key, NewObject::csv(body, metadata), PutIf::Absent).await;
            put.with_context(|| format!("put {} back", beside.key))?;
        }
        Ok(all.len())
    }

    /// Copies what is new, drops copies of what is gone, and says how many objects it copied.
    ///
    /// An empty bucket drops nothing: it looks the same as one that was forgotten.
    ///
    /// # Errors
    /// A store that does not answer, or a disk that does not take it.
    pub async fn update(&mut self, store: &dyn ObjectStore) -> anyhow::Result<usize> {
        let listed = store.list(&self.prefix).await.context("list raw objects")?;
        let new: Vec<_> = listed.iter().filter(|info| self.copied.get(&info.key) != Some(&Stamp::of(info))).collect();
        let mut count = 0;
        for info in new {
            if let Some(object) = store.get(&info.key).await.context("get a raw object")? {
                self.keep(&object)?;
                count += 1;
            }
        }
        if !listed.is_empty() {
            self.drop_all_but(&listed)?;
        }
        Ok(count)
    }

    fn keep(&mut self, object: &Object) -> anyhow::Result<()> {
        let info = &object.info;
        let mut metadata = info.metadata.clone();
        let first_written = metadata.remove(FIRST_WRITTEN).and_then(|text| text.parse().ok());
        let first_written = first_written.unwrap_or(info.last_modified);
        let beside = Beside { key: info.key.clone(), first_written, metadata };
        write_whole(&self.object_path(&info.key), &object.body)?;
        write_whole(&self.beside_path(&info.key), &serde_json::to_vec_pretty(&beside).context("write JSON")?)?;
        self.copied.insert(info.key.clone(), Stamp::of(info));
        Ok(())
    }

    fn drop_all_but(&mut self, listed: &[ObjectInfo]) -> anyhow::Result<()> {
        let gone = self.read_beside()?.into_iter().filter(|beside| !listed.iter().any(|info| info.key == beside.key));
        for Beside { key, .. } in gone {
            for path in [self.beside_path(&key), self.object_path(&key)] {
                fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
            }
            self.copied.remove(&key);
        }
        Ok(())
    }

    fn read_beside(&self) -> anyhow::Result<Vec<Beside>> {
        let mut files = Vec::new();
        files_below(&self.root.join("beside"), &mut files)?;
        files
            .iter()
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .map(|path| read_json(path))
            .collect()
    }

    fn object_path(&self, key: &str) -> PathBuf {
        self.root.join("objects").join(file_name(key))
    }

    fn beside_path(&self, key: &str) -> PathBuf {
        let mut name = file_name(key).into_os_string();
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
        assert_eq!(copy.update(&before).await.unwrap(), 2);
        assert_eq!(copy.update(&before).await.unwrap(), 0, "nothing is new");

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

    proptest! {
        #[test]
        fn no_key_leads_out_of_the_copy(key in "[./a %\\PC]{0,30}") {
            let path = file_name(&key);
            prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))));
        }
    }
}
