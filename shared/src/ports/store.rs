//! The object store.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use thiserror::Error;

use crate::core::blame::Blame;
use crate::core::metadata::Metadata;

/// The default limit on the size of an object that is read, in bytes.
pub const MOST_BYTES: u64 = 256 << 20;

/// A bucket of objects. It is strongly consistent: a read returns the last confirmed write.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// Reads the current object at a key, or returns `None` if there is no object.
    ///
    /// The size is checked before the body is read: an object of more than `most` bytes is an error ([`too_large`]). A
    /// body that ends early is an error, never a shorter object.
    async fn get_within(&self, key: &str, most: u64) -> Result<Option<Object>, StoreError>;

    /// Reads an object of at most [`MOST_BYTES`] bytes, which is enough for every object that Candlewick writes.
    async fn get(&self, key: &str) -> Result<Option<Object>, StoreError> {
        self.get_within(key, MOST_BYTES).await
    }

    /// Reads the metadata of the current object at a key, or returns `None` if there is no object.
    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StoreError>;

    /// Writes an object if the condition holds at the moment of writing, and returns whether it did.
    async fn put(&self, key: &str, object: NewObject, condition: PutIf) -> Result<Put, StoreError>;

    /// Lists the objects under a prefix in the order of their keys. A listing has no user metadata.
    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError>;
}

/// Forwards to the shared store.
#[async_trait]
impl<S: ObjectStore + ?Sized> ObjectStore for Arc<S> {
    async fn get_within(&self, key: &str, most: u64) -> Result<Option<Object>, StoreError> {
        (**self).get_within(key, most).await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StoreError> {
        (**self).head(key).await
    }

    async fn put(&self, key: &str, object: NewObject, condition: PutIf) -> Result<Put, StoreError> {
        (**self).put(key, object, condition).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        (**self).list(prefix).await
    }
}

/// An object with its metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The key, version, size and user metadata of the object.
    pub info: ObjectInfo,
    /// The content, as stored.
    pub body: Bytes,
}

/// Everything that the store knows of an object except its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The decoded key.
    pub key: String,
    /// The entity tag without quotes. It changes whenever the content changes.
    pub etag: String,
    /// The version id, if the bucket has versioning enabled.
    pub version_id: Option<String>,
    /// The size in bytes.
    pub size: u64,
    /// When the object was written, to the second, by the store's clock.
    pub last_modified: Timestamp,
    /// The user metadata; empty in listings.
    pub metadata: Metadata,
}

/// An object to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewObject {
    /// The content.
    pub body: Bytes,
    /// The media type, such as `application/json`.
    pub content_type: &'static str,
    /// The user metadata.
    pub metadata: Metadata,
}

impl NewObject {
    /// Creates a CSV object in UTF-8.
    #[must_use]
    pub fn csv(body: Vec<u8>, metadata: Metadata) -> Self {
        Self { body: body.into(), content_type: "text/csv; charset=utf-8", metadata }
    }

    /// Creates a Parquet object.
    #[must_use]
    pub fn parquet(body: Vec<u8>, metadata: Metadata) -> Self {
        Self { body: body.into(), content_type: "application/vnd.apache.parquet", metadata }
    }

    /// Creates a JSON object.
    #[must_use]
    pub fn json(body: Vec<u8>, metadata: Metadata) -> Self {
        Self { body: body.into(), content_type: "application/json", metadata }
    }
}

/// The condition under which an object is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutIf {
    /// Write unconditionally.
    Always,
    /// Write only if there is no object at the key.
    Absent,
    /// Write only if the current object has this entity tag.
    Matches(String),
}

impl PutIf {
    /// The condition that the object at the key has not changed since `seen` was read.
    #[must_use]
    pub fn still(seen: Option<&ObjectInfo>) -> Self {
        seen.map_or(Self::Absent, |info| Self::Matches(info.etag.clone()))
    }
}

/// The result of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// The object was written.
    Written {
        /// The entity tag of the new object.
        etag: String,
    },
    /// Nothing was written because the condition did not hold: another writer was first.
    Changed,
}

/// A request to the store failed.
#[derive(Debug, Error)]
#[error("{operation} {key:?}: {reason}")]
pub struct StoreError {
    /// The operation as a verb phrase, such as `get object`.
    pub operation: &'static str,
    /// The key, or the prefix of a listing.
    pub key: String,
    /// The error message of the store.
    pub reason: String,
    /// Whether the object or the store is to blame.
    pub blame: Blame,
}

/// Creates the error for an object that is larger than its reader allows. Sizes are in bytes.
#[must_use]
pub fn too_large(key: &str, size: u64, most: u64) -> StoreError {
    StoreError {
        operation: "get object",
        key: key.to_owned(),
        reason: format!("it has {size} bytes, and at most {most} are read: split it, or raise MEMORY_LIMIT"),
        blame: Blame::Message("object_too_large"),
    }
}
