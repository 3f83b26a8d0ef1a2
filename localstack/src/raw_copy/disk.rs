//! The files of the copy. At every moment, also if the process is killed, each copied object is one whole version.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use candlewick_shared::core::metadata::Metadata;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::files::{self, bytes_name, with_ending};

/// The directory with the bytes of the objects, and the one with their descriptions.
const BYTES: &str = "objects";
const DESCRIPTIONS: &str = "beside";

/// The ending of the file of a description.
const ENDING: &str = ".json";

/// The copied objects in a directory.
#[derive(Debug)]
pub(super) struct Disk {
    root: PathBuf,
}

/// What is stored about an object besides its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Description {
    pub key: String,
    pub first_written: Timestamp,
    pub metadata: Metadata,
}

/// The content of a description's file.
#[derive(Debug, Deserialize, Serialize)]
struct Entry {
    #[serde(flatten)]
    description: Description,
    /// The name of the file of bytes. Copies of earlier releases do not have it, because there it is the object's own name.
    bytes: Option<String>,
}

/// A copied object: where its files are, and its description.
#[derive(Debug)]
pub(super) struct Copied {
    pub place: PathBuf,
    pub description: Description,
    bytes: PathBuf,
}

impl Disk {
    /// Opens a directory, which is created if it does not exist, and removes what a killed process left half done.
    pub(super) fn open(root: &Path) -> anyhow::Result<Self> {
        for part in [BYTES, DESCRIPTIONS] {
            let dir = root.join(part);
            fs::create_dir_all(&dir).with_context(|| format!("create {}", dir.display()))?;
        }
        let disk = Self { root: root.to_owned() };
        disk.sweep()?;
        Ok(disk)
    }

    /// Stores a version of an object at a place. Replacing its description publishes it, so its bytes are in a file of
    /// their own, next to those of the version before.
    pub(super) fn write(&self, place: &Path, bytes: &[u8], description: Description) -> anyhow::Result<()> {
        let before = self.entry_at(place).map(|entry| self.bytes_path(place, &entry)).ok();
        let entry = Entry { description, bytes: Some(bytes_name(place, bytes)) };
        let path = self.bytes_path(place, &entry);
        files::write_whole(&path, bytes)?;
        files::write_whole(&self.entry_path(place), &serde_json::to_vec_pretty(&entry).context("write JSON")?)?;
        if let Some(before) = before.filter(|before| *before != path) {
            files::remove(&before)?;
        }
        Ok(())
    }

    /// Removes the copy at a place, if there is one.
    pub(super) fn remove(&self, place: &Path) -> anyhow::Result<()> {
        let Ok(entry) = self.entry_at(place) else { return Ok(()) };
        files::remove(&self.entry_path(place))?;
        files::remove(&self.bytes_path(place, &entry))
    }

    /// All copied objects.
    pub(super) fn all(&self) -> anyhow::Result<Vec<Copied>> {
        let root = self.root.join(DESCRIPTIONS);
        let places = files::below(&root)?.into_iter().filter_map(|path| {
            let place = path.strip_prefix(&root).ok()?.to_str()?.strip_suffix(ENDING)?;
            Some(PathBuf::from(place))
        });
        places
            .map(|place| {
                let entry = self.entry_at(&place)?;
                let bytes = self.bytes_path(&place, &entry);
                Ok(Copied { place, description: entry.description, bytes })
            })
            .collect()
    }

    /// Removes files of bytes that no description names, and files that were not written to their end.
    fn sweep(&self) -> anyhow::Result<()> {
        let named: BTreeSet<PathBuf> = self.all()?.into_iter().map(|copied| copied.bytes).collect();
        let bytes = files::below(&self.root.join(BYTES))?.into_iter().filter(|path| !named.contains(path));
        let is_entry = |path: &PathBuf| path.to_str().is_some_and(|path| path.ends_with(ENDING));
        let others = files::below(&self.root.join(DESCRIPTIONS))?.into_iter().filter(|path| !is_entry(path));
        bytes.chain(others).try_for_each(|path| files::remove(&path))
    }

    fn entry_at(&self, place: &Path) -> anyhow::Result<Entry> {
        files::read_json(&self.entry_path(place))
    }

    fn entry_path(&self, place: &Path) -> PathBuf {
        with_ending(&self.root.join(DESCRIPTIONS).join(place), ENDING)
    }

    fn bytes_path(&self, place: &Path, entry: &Entry) -> PathBuf {
        let path = self.root.join(BYTES).join(place);
        match &entry.bytes {
            Some(name) => path.with_file_name(name),
            None => path,
        }
    }
}

impl Copied {
    /// Reads the bytes of the object.
    pub(super) fn read(&self) -> anyhow::Result<Vec<u8>> {
        fs::read(&self.bytes).with_context(|| format!("read {}", self.bytes.display()))
    }
}
