//! A bucket in memory that lets others in between a loader's read and its writing.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use candlewick_shared::adapters::memory_store::MemoryStore;
use candlewick_shared::ports::store::{NewObject, Object, ObjectInfo, ObjectStore, Put, PutIf, StoreError};
use futures::future::BoxFuture;

/// A bucket in memory with an intruder.
#[derive(Clone, Default)]
pub struct Bucket {
    /// The bucket itself.
    pub inner: Arc<MemoryStore>,
    intruder: Arc<Mutex<Option<BoxFuture<'static, ()>>>>,
}

impl Bucket {
    /// Lets somebody in right after the next read, before the reader has what it read.
    pub fn intrude_after_a_read(&self, intruder: impl Future<Output = ()> + Send + 'static) {
        *self.intruder.lock().unwrap() = Some(Box::pin(intruder));
    }
}

#[async_trait]
impl ObjectStore for Bucket {
    async fn get(&self, key: &str) -> Result<Option<Object>, StoreError> {
        let object = self.inner.get(key).await;
        let intruder = self.intruder.lock().unwrap().take();
        if let Some(intruder) = intruder {
            intruder.await;
        }
        object
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StoreError> {
        self.inner.head(key).await
    }

    async fn put(&self, key: &str, object: NewObject, condition: PutIf) -> Result<Put, StoreError> {
        self.inner.put(key, object, condition).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        self.inner.list(prefix).await
    }
}
