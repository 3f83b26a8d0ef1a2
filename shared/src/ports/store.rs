//! The bucket.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use thiserror::Error;

use crate::core::blame::Blame;
use crate::core::metadata::Metadata;

/// How large an object may be where nobody says otherwise, in bytes.
pub const MOST_BYTES: u64 = 256 << 20;

/// One bucket of objects, strongly consistent: a read sees the last write that was confirmed.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// The current object at a key, whole; none where there is no object. Its size is known before its body is read, and
    /// one of more than `most` bytes is an error ([`too_large`]). A body that breaks off is an error, never a shorter object.
    async fn get_within(&self, key: &str, most: u64) -> Result<Option<Object>, StoreError>;

    /// The same with a limit that suits whatever Candlewick itself wrote.
    async fn get(&self, key: &str) -> Result<Option<Object>, StoreError> {
        self.get_within(key, MOST_BYTES).await
    }

    /// What stands beside the current object at a key; none where there is no object.
    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StoreError>;

    /// Writes an object if the condition holds at the moment of writing, and says whether it did.
    async fn put(&self, key: &str, object: NewObject, condition: PutIf) -> Result<Put, StoreError>;

    /// What lies under a prefix, by key. Metadata is not part of a listing.
    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError>;
}

/// A store that several have a hand on.
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

/// An object and what stands beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What stands beside it.
    pub info: ObjectInfo,
    /// Its bytes.
    pub body: Bytes,
}

/// What stands beside an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its key.
    pub key: String,
    /// Its entity tag, without quotes: what tells one content from another.
    pub etag: String,
    /// Its version, in buckets that keep versions.
    pub version_id: Option<String>,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written, to the second, by the store's clock.
    pub last_modified: Timestamp,
    /// Its user metadata; empty in listings.
    pub metadata: Metadata,
}

/// An object to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewObject {
    /// Its bytes.
    pub body: Bytes,
    /// Its media type.
    pub content_type: &'static str,
    /// Its user metadata.
    pub metadata: Metadata,
}

impl NewObject {
    /// A CSV object.
    #[must_use]
    pub fn csv(body: Vec<u8>, metadata: Metadata) -> Self {
        Self { body: body.into(), content_type: "text/csv; charset=utf-8", metadata }
    }

    /// A JSON object.
    #[must_use]
    pub fn json(body: Vec<u8>, metadata: Metadata) -> Self {
        Self { body: body.into(), content_type: "application/json", metadata }
    }
}

/// When to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutIf {
    /// In any case.
    Always,
    /// Only where there is no object yet.
    Absent,
    /// Only where the current object still has this entity tag.
    Matches(String),
}

impl PutIf {
    /// Only if the key still holds what was seen there.
    #[must_use]
    pub fn still(seen: Option<&ObjectInfo>) -> Self {
        seen.map_or(Self::Absent, |info| Self::Matches(info.etag.clone()))
    }
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is written, with this entity tag.
    Written {
        /// The new object's entity tag.
        etag: String,
    },
    /// The condition did not hold: somebody else wrote first, and nothing was written.
    Changed,
}

/// The store did not do what it was asked.
#[derive(Debug, Error)]
#[error("{operation} {key:?}: {reason}")]
pub struct StoreError {
    /// What was asked: `get object`.
    pub operation: &'static str,
    /// The key, or the prefix.
    pub key: String,
    /// The store's words.
    pub reason: String,
    /// Whose failure it is.
    pub blame: Blame,
}

/// The error about an object that is larger than its reader allows.
#[must_use]
pub fn too_large(key: &str, size: u64, most: u64) -> StoreError {
    StoreError {
        operation: "get object",
        key: key.to_owned(),
        reason: format!("it has {size} bytes, and at most {most} are read: split it, or raise MEMORY_LIMIT"),
        blame: Blame::Message("object_too_large"),
    }
}
