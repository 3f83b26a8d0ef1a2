//! Reads and saves the documents in their folder next to the watchlist: files, or objects of a bucket.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use candlewick_shared::core::blame::Blame;
use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::core::watchlist::Location;
use candlewick_shared::ports::store::{NewObject, ObjectStore, Put, PutIf};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use super::document::{Document, Fault, MOST_BYTES};
use super::name::Name;

/// More documents than anybody has are a mistake.
const MOST_DOCUMENTS: usize = 200;

/// The documents of a folder.
pub struct Files {
    folder: Location,
    /// The bucket, if the folder is in one.
    store: Option<Arc<dyn ObjectStore>>,
    /// The objects that were read for a list, by name: an object is read again when its entity tag has changed.
    listed: Mutex<BTreeMap<Name, Stored>>,
    /// One save at a time, so that none is lost between the look at a file and its replacement.
    saving: Mutex<()>,
}

/// A document as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The text; `None` if it is too large to be one.
    pub text: Option<String>,
    /// Changes with every edit.
    pub version: String,
}

impl Stored {
    fn of(bytes: &[u8], version: String) -> Self {
        let text = (bytes.len() <= MOST_BYTES).then(|| String::from_utf8_lossy(bytes).into_owned());
        Self { text, version }
    }

    /// The dashboard that the text describes.
    pub fn document(&self) -> Result<Document, Fault> {
        self.text.as_deref().map_or_else(|| Err(Fault::too_large()), Document::parse)
    }
}

/// What a save expects to replace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever is there.
    Anything,
    Nothing,
    Version(String),
}

impl Files {
    /// The documents that belong to a watchlist. `store` opens the bucket if it is in one.
    pub fn of(watchlist: &Location, store: impl FnOnce(&str) -> Arc<dyn ObjectStore>) -> Self {
        let folder = watchlist.dashboards();
        let store = match &folder {
            Location::File(_) => None,
            Location::Object { bucket, .. } => Some(store(bucket)),
        };
        Self { folder, store, listed: Mutex::default(), saving: Mutex::default() }
    }

    /// Where a document is, for people.
    pub fn location_of(&self, name: &Name) -> String {
        format!("{}/{name}.toml", self.folder.to_string().trim_end_matches('/'))
    }

    /// Every document, by name.
    pub async fn all(&self) -> anyhow::Result<BTreeMap<Name, Stored>> {
        match (&self.folder, &self.store) {
            (Location::File(path), _) => in_folder(path).with_context(|| format!("read {}", path.display())),
            (Location::Object { key, .. }, Some(store)) => self.in_bucket(store.as_ref(), key).await,
            (Location::Object { .. }, None) => Ok(BTreeMap::new()),
        }
    }

    async fn in_bucket(&self, store: &dyn ObjectStore, prefix: &str) -> anyhow::Result<BTreeMap<Name, Stored>> {
        let mut listed = self.listed.lock().await;
        let mut found = BTreeSet::new();
        for info in store.list(prefix).await? {
            let Some(name) = info.key.strip_prefix(prefix).and_then(Name::of_file) else { continue };
            found.insert(name.clone());
            ensure!(found.len() <= MOST_DOCUMENTS, "{} has more than {MOST_DOCUMENTS} documents", self.folder);
            if listed.get(&name).is_none_or(|known| known.version != info.etag)
                && let Some(stored) = of_object(store, &info.key).await?
            {
                listed.insert(name, stored);
            }
        }
        listed.retain(|name, _| found.contains(name));
        Ok(listed.clone())
    }

    /// One document, if there is one with this name.
    pub async fn one(&self, name: &Name) -> anyhow::Result<Option<Stored>> {
        match (&self.folder, &self.store) {
            (Location::File(path), _) => of_file(&file(path, name)),
            (Location::Object { key, .. }, Some(store)) => of_object(store.as_ref(), &object(key, name)).await,
            (Location::Object { .. }, None) => Ok(None),
        }
    }

    /// Replaces a document if what is there is as expected; returns its new version, or `None` if it is not.
    pub async fn save(&self, name: &Name, text: &str, expected: Expected) -> anyhow::Result<Option<String>> {
        let _one_at_a_time = self.saving.lock().await;
        match (&self.folder, &self.store) {
            (Location::File(path), _) => {
                let path = file(path, name);
                if !expected.is_met(of_file(&path)?.map(|stored| stored.version)) {
                    return Ok(None);
                }
                replace(&path, text).with_context(|| format!("write {}", path.display()))?;
                Ok(Some(version(text.as_bytes())))
            }
            (Location::Object { key, .. }, Some(store)) => {
                let object = NewObject {
                    body: text.to_owned().into(),
                    content_type: "application/toml",
                    metadata: Metadata::new(),
                };
                let put = store.put(&self::object(key, name), object, expected.condition()).await?;
                Ok(match put {
                    Put::Written { etag } => Some(etag),
                    Put::Changed => None,
                })
            }
            (Location::Object { .. }, None) => anyhow::bail!("the bucket of {} was not opened", self.folder),
        }
    }
}

impl Expected {
    fn is_met(&self, now: Option<String>) -> bool {
        match self {
            Self::Anything => true,
            Self::Nothing => now.is_none(),
            Self::Version(version) => now.as_ref() == Some(version),
        }
    }

    fn condition(self) -> PutIf {
        match self {
            Self::Anything => PutIf::Always,
            Self::Nothing => PutIf::Absent,
            Self::Version(version) => PutIf::Matches(version),
        }
    }
}

fn file(folder: &Path, name: &Name) -> PathBuf {
    folder.join(format!("{name}.toml"))
}

fn object(prefix: &str, name: &Name) -> String {
    format!("{prefix}{name}.toml")
}

fn version(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A folder that does not exist has no documents.
fn in_folder(path: &Path) -> anyhow::Result<BTreeMap<Name, Stored>> {
    let entries = match std::fs::read_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries?,
    };
    let mut found = BTreeMap::new();
    for entry in entries {
        let entry = entry?;
        let Some(name) = Name::of_file(&entry.file_name().to_string_lossy()) else { continue };
        if let Some(stored) = of_file(&entry.path())? {
            found.insert(name, stored);
        }
        ensure!(found.len() <= MOST_DOCUMENTS, "it has more than {MOST_DOCUMENTS} documents");
    }
    Ok(found)
}

/// A file that is too large is read no further than needed to see that.
fn of_file(path: &Path) -> anyhow::Result<Option<Stored>> {
    use std::io::Read;

    let file = match std::fs::File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.with_context(|| format!("open {}", path.display()))?,
    };
    let mut bytes = Vec::new();
    file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes).with_context(|| format!("read {}", path.display()))?;
    Ok(Some(Stored::of(&bytes, version(&bytes))))
}

/// An object that alone cannot be read, such as one that is too large, does not hide the others.
async fn of_object(store: &dyn ObjectStore, key: &str) -> anyhow::Result<Option<Stored>> {
    match store.get_within(key, MOST_BYTES as u64).await {
        Ok(object) => Ok(object.map(|object| Stored::of(&object.body, object.info.etag))),
        Err(error) if matches!(error.blame, Blame::Message(_)) => {
            Ok(Some(Stored { text: None, version: String::new() }))
        }
        Err(error) => Err(error.into()),
    }
}

/// Writes a temporary file and renames it, so that readers never see an incomplete file.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().context("find its folder")?;
    std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    let mut file = tempfile::Builder::new().prefix(".dashboard").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use candlewick_shared::adapters::memory_store::MemoryStore;

    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    async fn keeps_documents(files: Files) {
        assert!(files.all().await.unwrap().is_empty() && files.one(&name("a")).await.unwrap().is_none());
        let first = files.save(&name("a"), "one", Expected::Nothing).await.unwrap().unwrap();
        assert_eq!(
            files.one(&name("a")).await.unwrap(),
            Some(Stored { text: Some("one".into()), version: first.clone() })
        );
        let refused = [Expected::Nothing, Expected::Version("other".into())];
        for expected in refused {
            assert_eq!(files.save(&name("a"), "two", expected).await.unwrap(), None);
        }
        assert_eq!(files.all().await.unwrap()[&name("a")].text.as_deref(), Some("one"));
        let second = files.save(&name("a"), "two", Expected::Version(first)).await.unwrap().unwrap();
        files.save(&name("b"), "three", Expected::Anything).await.unwrap().unwrap();
        let all = files.all().await.unwrap();
        let texts: Vec<_> = all.iter().map(|(name, stored)| (name.as_str(), stored.text.as_deref().unwrap())).collect();
        assert_eq!((texts, &all[&name("a")].version), (vec![("a", "two"), ("b", "three")], &second));
    }

    #[tokio::test]
    async fn a_folder_keeps_documents() {
        let folder = tempfile::tempdir().unwrap();
        let watchlist = Location::File(folder.path().join("watchlist.toml"));
        keeps_documents(Files::of(&watchlist, |_| Arc::new(MemoryStore::default()))).await;
        let kept = folder.path().join("config/dashboards");
        assert_eq!(std::fs::read_dir(kept).unwrap().count(), 2, "nothing else is left behind");
    }

    #[tokio::test]
    async fn a_bucket_keeps_documents() {
        let store: Arc<dyn ObjectStore> = Arc::new(MemoryStore::default());
        let watchlist: Location = "s3://b/config/watchlist.toml".parse().unwrap();
        keeps_documents(Files::of(&watchlist, |_| Arc::clone(&store))).await;
        let large = NewObject { body: vec![b' '; MOST_BYTES + 1].into(), content_type: "", metadata: Metadata::new() };
        store.put("config/dashboards/large.toml", large, PutIf::Always).await.unwrap();
        let files = Files::of(&watchlist, |_| Arc::clone(&store));
        assert!(files.all().await.unwrap()[&name("large")].document().unwrap_err().reason.contains("more than"));
        assert!(store.head("config/dashboards/a.toml").await.unwrap().is_some());
    }

    #[tokio::test]
    async fn what_is_no_document_is_not_listed() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("config/dashboards");
        std::fs::create_dir_all(kept.join("folder")).unwrap();
        for file in ["README.md", ".a.toml", "Upper.toml", "folder/b.toml", "good.toml"] {
            std::fs::write(kept.join(file), "x").unwrap();
        }
        let files =
            Files::of(&Location::File(folder.path().join("watchlist.toml")), |_| Arc::new(MemoryStore::default()));
        assert_eq!(files.all().await.unwrap().keys().map(Name::as_str).collect::<Vec<_>>(), ["good"]);
        assert!(files.location_of(&name("good")).ends_with("config/dashboards/good.toml"));
    }
}
