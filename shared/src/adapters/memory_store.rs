//! A bucket in memory, for tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::ports::store::{NewObject, Object, ObjectInfo, ObjectStore, Put, PutIf, StoreError, too_large};

/// A bucket in memory. Its clock advances by one second with each write, so the modification times of two writes always
/// differ.
#[derive(Debug, Default)]
pub struct MemoryStore {
    objects: Mutex<BTreeMap<String, Object>>,
}

impl MemoryStore {
    fn objects(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Object>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the object at a key, if there is one.
    pub fn remove(&self, key: &str) {
        self.objects().remove(key);
    }

    /// The keys of all objects in ascending order.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.objects().keys().cloned().collect()
    }
}

fn holds(condition: &PutIf, current: Option<&Object>) -> bool {
    match (condition, current) {
        (PutIf::Always, _) | (PutIf::Absent, None) => true,
        (PutIf::Matches(etag), Some(current)) => *etag == current.info.etag,
        (PutIf::Absent, Some(_)) | (PutIf::Matches(_), None) => false,
    }
}

fn next_second(objects: &BTreeMap<String, Object>) -> Timestamp {
    let newest = objects.values().map(|object| object.info.last_modified).max();
    newest.map_or(Timestamp::UNIX_EPOCH, |time| time.saturating_add(SignedDuration::from_secs(1)).unwrap_or(time))
}

#[async_trait]
impl ObjectStore for MemoryStore {
    async fn get_within(&self, key: &str, most: u64) -> Result<Option<Object>, StoreError> {
        match self.objects().get(key) {
            Some(object) if object.info.size > most => Err(too_large(key, object.info.size, most)),
            object => Ok(object.cloned()),
        }
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StoreError> {
        Ok(self.objects().get(key).map(|object| object.info.clone()))
    }

    async fn put(&self, key: &str, object: NewObject, condition: PutIf) -> Result<Put, StoreError> {
        let mut objects = self.objects();
        if !holds(&condition, objects.get(key)) {
            return Ok(Put::Changed);
        }
        let etag: String = Sha256::digest(&object.body).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let info = ObjectInfo {
            key: key.to_owned(),
            etag: etag.clone(),
            version_id: None,
            size: object.body.len() as u64,
            last_modified: next_second(&objects),
            metadata: object.metadata,
        };
        objects.insert(key.to_owned(), Object { info, body: object.body });
        Ok(Put::Written { etag })
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        let listed = |object: &Object| ObjectInfo { metadata: BTreeMap::new(), ..object.info.clone() };
        Ok(self.objects().iter().filter(|(key, _)| key.starts_with(prefix)).map(|(_, object)| listed(object)).collect())
    }
}
