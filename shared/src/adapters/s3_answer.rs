//! The common parts of S3's responses, and their errors.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::DateTime;
use jiff::Timestamp;

use crate::adapters::aws_error::{status, words};
use crate::adapters::sentence::chain;
use crate::core::blame::{Access, Blame};
use crate::core::metadata::Metadata;
use crate::ports::store::{ObjectInfo, StoreError};

/// The fields that get, head and list responses have in common.
pub(crate) struct Answer {
    pub(crate) etag: Option<String>,
    pub(crate) version_id: Option<String>,
    pub(crate) size: Option<i64>,
    pub(crate) last_modified: Option<DateTime>,
    pub(crate) metadata: Option<HashMap<String, String>>,
}

impl Answer {
    pub(crate) fn into_object_info(self, key: &str) -> Result<ObjectInfo, StoreError> {
        let incomplete = |what| incomplete("read the answer about", key, format!("it has no {what}"));
        let etag = self.etag.ok_or_else(|| incomplete("ETag"))?;
        let written = self.last_modified.ok_or_else(|| incomplete("Last-Modified"))?;
        Ok(ObjectInfo {
            key: key.to_owned(),
            etag: unquoted(&etag),
            version_id: self.version_id,
            size: self.size.and_then(|size| u64::try_from(size).ok()).ok_or_else(|| incomplete("length"))?,
            last_modified: Timestamp::from_second(written.secs()).map_err(|_| incomplete("plausible Last-Modified"))?,
            metadata: self.metadata.map_or_else(Metadata::new, BTreeMap::from_iter),
        })
    }
}

pub(crate) fn unquoted(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

/// The error of a request that S3 refused or did not answer.
pub(crate) fn failed<E>(
    operation: &'static str,
    key: &str,
    access: Access,
    error: &SdkError<E, HttpResponse>,
) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let blame = Blame::of_s3(access, error.code(), status(error));
    StoreError { operation, key: key.to_owned(), reason: words(error), blame }
}

/// The error of a body that ended early.
pub(crate) fn interrupted(operation: &'static str, key: &str, error: &dyn std::error::Error) -> StoreError {
    incomplete(operation, key, chain(error))
}

/// The error of an incomplete response. The store is to blame, not the object.
pub(crate) fn incomplete(operation: &'static str, key: &str, reason: String) -> StoreError {
    StoreError { operation, key: key.to_owned(), reason, blame: Blame::Dependency }
}
