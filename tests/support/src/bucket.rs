//! A bucket in memory that records its writes, and lets others act between a handler's calls.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use candlewick_shared::adapters::memory_store::MemoryStore;
use candlewick_shared::core::blame::Blame;
use candlewick_shared::core::event::{EventKind, ObjectEvent};
use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::ports::store::{NewObject, Object, ObjectInfo, ObjectStore, Put, PutIf, StoreError};
use futures::future::BoxFuture;

/// A bucket in memory that records writes and can be interfered with.
#[derive(Clone, Default)]
pub struct Bucket {
    /// The underlying bucket, whose use is not recorded.
    pub inner: Arc<MemoryStore>,
    written: Arc<Mutex<Vec<String>>>,
    writes: Arc<Mutex<Writes>>,
    intruders: Arc<Mutex<VecDeque<BoxFuture<'static, ()>>>>,
}

/// Writes on their way to the bucket.
#[derive(Default)]
struct Writes {
    /// How many more writes pass until one is held up.
    until_one_is_held: Option<usize>,
    /// The write that is held up.
    held: Option<(String, NewObject, PutIf)>,
}

impl Bucket {
    /// The keys that were written through this bucket, in order.
    pub fn written(&self) -> Vec<String> {
        self.written.lock().unwrap().clone()
    }

    /// Runs the intruder right after the next read that has no intruder yet.
    pub fn intrude_after_a_read(&self, intruder: impl Future<Output = ()> + Send + 'static) {
        self.intruders.lock().unwrap().push_back(Box::pin(intruder));
    }

    /// Lets this many writes pass and holds up the next one, which fails for its writer.
    pub fn hold_a_write_after(&self, writes: usize) {
        self.writes.lock().unwrap().until_one_is_held = Some(writes);
    }

    /// Lets the write that was held up arrive.
    pub async fn let_it_get_there(&self) -> Put {
        let (key, object, condition) = self.writes.lock().unwrap().held.take().unwrap();
        self.inner.put(&key, object, condition).await.unwrap()
    }

    /// Writes an object without recording it.
    pub async fn drop_object(&self, key: &str, body: impl Into<Vec<u8>>, metadata: &[(&str, &str)]) {
        put(&self.inner, key, body, metadata).await;
    }

    /// The object at a key, which must exist.
    pub async fn object(&self, key: &str) -> Object {
        self.inner.get(key).await.unwrap().unwrap_or_else(|| panic!("there is no {key}"))
    }

    /// The text of the object at a key, which must exist.
    pub async fn text(&self, key: &str) -> String {
        String::from_utf8(self.object(key).await.body.to_vec()).unwrap()
    }
}

impl Writes {
    /// The error that the writer gets if its write is held up.
    fn hold(&mut self, key: &str, object: &NewObject, condition: &PutIf) -> Option<StoreError> {
        let before = self.until_one_is_held.take()?;
        if before > 0 {
            self.until_one_is_held = Some(before - 1);
            return None;
        }
        self.held = Some((key.to_owned(), object.clone(), condition.clone()));
        let key = key.to_owned();
        let reason = "no answer".to_owned();
        Some(StoreError { operation: "put object", key, reason, blame: Blame::Dependency })
    }
}

/// Writes an object unconditionally.
pub async fn put(store: &MemoryStore, key: &str, body: impl Into<Vec<u8>>, metadata: &[(&str, &str)]) {
    let metadata: Metadata = metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    store.put(key, NewObject::csv(body.into(), metadata), PutIf::Always).await.unwrap();
}

/// The event of a written object.
#[must_use]
pub fn created(key: &str) -> ObjectEvent {
    ObjectEvent {
        kind: EventKind::Created,
        bucket: "candles".to_owned(),
        key: key.to_owned(),
        size: None,
        etag: None,
        version_id: None,
        time: None,
    }
}

#[async_trait]
impl ObjectStore for Bucket {
    async fn get_within(&self, key: &str, most: u64) -> Result<Option<Object>, StoreError> {
        let object = self.inner.get_within(key, most).await;
        let intruder = self.intruders.lock().unwrap().pop_front();
        if let Some(intruder) = intruder {
            intruder.await;
        }
        object
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StoreError> {
        self.inner.head(key).await
    }

    async fn put(&self, key: &str, object: NewObject, condition: PutIf) -> Result<Put, StoreError> {
        if let Some(failure) = self.writes.lock().unwrap().hold(key, &object, &condition) {
            return Err(failure);
        }
        let put = self.inner.put(key, object, condition).await?;
        if put != Put::Changed {
            self.written.lock().unwrap().push(key.to_owned());
        }
        Ok(put)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        self.inner.list(prefix).await
    }
}
