//! A copy of `raw/` on disk, because emulators forget their objects when they stop.
//!
//! Each object is two files: its bytes, and a JSON file with its key, time and metadata that names the file of its bytes.

mod disk;
mod files;
pub mod follower;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context;
use candlewick_shared::core::metadata::FIRST_WRITTEN;
use candlewick_shared::ports::store::{NewObject, Object, ObjectInfo, ObjectStore, Put, PutIf};
use jiff::Timestamp;

use self::disk::{Copied, Description, Disk};
use self::files::{file_name, is_short, odd_name};

/// The copy of one bucket's raw objects.
#[derive(Debug)]
pub struct RawCopy {
    disk: Disk,
    prefix: String,
    copied: BTreeMap<String, Stamp>,
    /// The ETags of the objects that were restored, until a listing says when the store wrote them.
    restored: BTreeMap<String, String>,
    /// Why an object could not be copied, by key.
    left: BTreeMap<String, String>,
}

/// The result of an update of the copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// How many objects it copied.
    pub copied: usize,
    /// Those whose newest version is not copied, and why, by key.
    pub left: Vec<(String, String)>,
}

/// What tells one version of an object from another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    etag: String,
    last_modified: Timestamp,
}

impl Stamp {
    fn of(info: &ObjectInfo) -> Self {
        Self { etag: info.etag.clone(), last_modified: info.last_modified }
    }
}

impl RawCopy {
    /// Opens the copy in a directory, which is created if it does not exist.
    pub fn open(root: &Path, prefix: &str) -> anyhow::Result<Self> {
        let disk = Disk::open(root)?;
        let prefix = prefix.to_owned();
        Ok(Self { disk, prefix, copied: BTreeMap::new(), restored: BTreeMap::new(), left: BTreeMap::new() })
    }

    /// Puts every copied object back that the bucket does not have, oldest first, and returns how many there are. The
    /// metadata of each keeps the time at which it was first written.
    pub async fn restore(&mut self, store: &dyn ObjectStore) -> anyhow::Result<usize> {
        let all = oldest_first(self.disk.all()?);
        for copied in &all {
            let body = copied.read()?;
            let Description { key, first_written, metadata } = copied.description.clone();
            let mut metadata = metadata;
            metadata.insert(FIRST_WRITTEN.to_owned(), first_written.to_string());
            let put = store.put(&key, NewObject::csv(body, metadata), PutIf::Absent).await;
            if let Put::Written { etag } = put.with_context(|| format!("put {key} back"))? {
                self.restored.insert(key, etag);
            }
        }
        Ok(all.len())
    }

    /// Lists the bucket, copies new and changed objects, and removes copies of objects that are gone. An object that cannot
    /// be copied does not stop the others.
    ///
    /// An empty bucket removes nothing, because it looks the same as one whose objects were forgotten.
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

    /// Copies an object, or removes its copy if it is gone, and returns whether it was there.
    async fn copy(&mut self, store: &dyn ObjectStore, key: &str) -> anyhow::Result<bool> {
        // Its size does not matter: it goes straight to disk, and only one is read at a time.
        let Some(object) = store.get_within(key, u64::MAX).await? else {
            self.remove(key)?;
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
        let description = Description { key: info.key.clone(), first_written, metadata };
        // A disk cannot have every key as a path: it may be too long, or be a file where another key needs a directory.
        let plain = file_name(&info.key);
        let odd = odd_name(&info.key);
        if is_short(&plain) && self.disk.write(&plain, &object.body, description.clone()).is_ok() {
            self.disk.remove(&odd)?;
        } else {
            self.disk.write(&odd, &object.body, description)?;
            self.disk.remove(&plain)?;
        }
        self.copied.insert(info.key.clone(), Stamp::of(info));
        Ok(())
    }

    fn remove(&mut self, key: &str) -> anyhow::Result<()> {
        self.copied.remove(key);
        [file_name(key), odd_name(key)].iter().try_for_each(|place| self.disk.remove(place))
    }

    fn drop_all_but(&mut self, listed: &[ObjectInfo]) -> anyhow::Result<()> {
        let listed: BTreeSet<&str> = listed.iter().map(|info| info.key.as_str()).collect();
        let gone = self.disk.all()?.into_iter().filter(|copied| !listed.contains(copied.description.key.as_str()));
        for Copied { place, description, .. } in gone {
            self.disk.remove(&place)?;
            self.copied.remove(&description.key);
        }
        Ok(())
    }
}

/// One copy of each object, in the order in which they were written. A key may have two copies, an older one at its own
/// path and a newer one elsewhere, if the process was killed before it removed the older one.
fn oldest_first(mut all: Vec<Copied>) -> Vec<Copied> {
    all.sort_by_key(|copied| copied.description.first_written);
    let newest: BTreeMap<_, _> = all.into_iter().map(|copied| (copied.description.key.clone(), copied)).collect();
    let mut all: Vec<_> = newest.into_values().collect();
    all.sort_by_key(|copied| copied.description.first_written);
    all
}

#[cfg(test)]
mod tests;
