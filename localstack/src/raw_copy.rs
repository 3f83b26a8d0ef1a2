//! A copy of `raw/` on disk, because emulators forget their objects when they stop.
//!
//! Each object is two files: its bytes, and a JSON file with its key, time and metadata. The JSON is written last, so an
//! interrupted copy does not count as one.

mod files;
pub mod follower;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use candlewick_shared::core::metadata::{FIRST_WRITTEN, Metadata};
use candlewick_shared::ports::store::{NewObject, Object, ObjectInfo, ObjectStore, Put, PutIf};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::files::{file_name, files_below, is_short, odd_name, read_json, write_whole};

/// The copy of one bucket's raw objects.
#[derive(Debug)]
pub struct RawCopy {
    root: PathBuf,
    prefix: String,
    copied: BTreeMap<String, Stamp>,
    /// The ETags of the objects that were restored, until a listing says when the store wrote them.
    restored: BTreeMap<String, String>,
    /// Why an object could not be copied, by key.
    left: BTreeMap<String, String>,
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

/// The data about an object, in a file of its own.
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
        let (root, prefix) = (root.to_owned(), prefix.to_owned());
        Ok(Self { root, prefix, copied: BTreeMap::new(), restored: BTreeMap::new(), left: BTreeMap::new() })
    }

    /// Puts every copied object back that the bucket does not have, oldest first, and returns how many there are. The
    /// metadata of each keeps the time at which it was first written.
    ///
    /// # Errors
    /// A copy that cannot be read, or a store that does not accept it.
    pub async fn restore(&mut self, store: &dyn ObjectStore) -> anyhow::Result<usize> {
        let mut all = self.read_beside()?;
        all.sort_by(|(_, a), (_, b)| (a.first_written, &a.key).cmp(&(b.first_written, &b.key)));
        for (place, beside) in &all {
            let path = self.object_path(place);
            let body = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
            let mut metadata = beside.metadata.clone();
            metadata.insert(FIRST_WRITTEN.to_owned(), beside.first_written.to_string());
            let put = store.put(&beside.key, NewObject::csv(body, metadata), PutIf::Absent).await;
            if let Put::Written { etag } = put.with_context(|| format!("put {} back", beside.key))? {
                self.restored.insert(beside.key.clone(), etag);
            }
        }
        Ok(all.len())
    }

    /// Lists the bucket, copies new and changed objects, and removes copies of objects that are gone. An object that cannot
    /// be copied does not stop the others.
    ///
    /// An empty bucket removes nothing, because it looks the same as one whose objects were forgotten.
    ///
    /// # Errors
    /// A store that cannot be listed, or a copy that cannot be read.
    pub async fn reconcile(&mut self, store: &dyn ObjectStore) -> anyhow::Result<Update> {
        let listed = store.list(&self.prefix).await.context("list raw objects")?;
        self.left.retain(|key, _| listed.iter().any(|info| info.key == *key));
        self.adopt_restored(&listed);
        let is_new = |info: &&ObjectInfo| self.copied.get(&info.key) != Some(&Stamp::of(info));
        let new: Vec<_> = listed.iter().filter(is_new).map(|info| info.key.clone()).collect();
        let copied = self.copy_all(store, new).await;
        if !listed.is_empty() {
            self.drop_all_but(&listed)?;
        }
        Ok(Update { copied, left: self.left() })
    }

    /// Copies these objects again, or removes the copies of those that are gone.
    pub async fn follow(&mut self, store: &dyn ObjectStore, keys: BTreeSet<String>) -> Update {
        let copied = self.copy_all(store, keys).await;
        Update { copied, left: self.left() }
    }

    /// The objects that could not be copied, and why.
    #[must_use]
    pub fn left(&self) -> Vec<(String, String)> {
        self.left.iter().map(|(key, why)| (key.clone(), why.clone())).collect()
    }

    /// The copies of objects that were just restored from them are complete.
    fn adopt_restored(&mut self, listed: &[ObjectInfo]) {
        let restored = std::mem::take(&mut self.restored);
        let same = listed.iter().filter(|info| restored.get(&info.key) == Some(&info.etag));
        self.copied.extend(same.map(|info| (info.key.clone(), Stamp::of(info))));
    }

    /// Copies objects, and returns how many.
    async fn copy_all(&mut self, store: &dyn ObjectStore, keys: impl IntoIterator<Item = String>) -> usize {
        let mut copied = 0;
        for key in keys {
            match self.copy(store, &key).await {
                Ok(is_there) => {
                    self.left.remove(&key);
                    copied += usize::from(is_there);
                }
                Err(error) => drop(self.left.insert(key, format!("{error:#}"))),
            }
        }
        copied
    }

    /// Copies an object, or removes its copy where it is gone, and says whether it was still there.
    async fn copy(&mut self, store: &dyn ObjectStore, key: &str) -> anyhow::Result<bool> {
        // Whatever its size: it goes straight to disk, and only one is read at a time.
        let Some(object) = store.get_within(key, u64::MAX).await? else {
            self.copied.remove(key);
            [file_name(key), odd_name(key)].iter().for_each(|place| self.remove(place));
            return Ok(false);
        };
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

    /// The data about each copied object, and the place of both files in their folders.
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

#[cfg(test)]
mod tests;
