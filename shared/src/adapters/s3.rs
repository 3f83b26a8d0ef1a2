//! An [`ObjectStore`] in a bucket of S3.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use crate::adapters::budget::{Budget, Share};
use crate::adapters::s3_answer::{Answer, failed, incomplete, interrupted, unquoted};
use crate::adapters::s3_listing::Listing;
use crate::core::blame::Access;
use crate::core::metadata::{Metadata, TRACEPARENT};
use crate::core::trace::TraceParent;
use crate::ports::store::{NewObject, Object, ObjectInfo, ObjectStore, Put, PutIf, StoreError, too_large};

/// The request header that carries the trace for AWS X-Ray.
const XRAY_HEADER: &str = "X-Amzn-Trace-Id";

/// A bucket of S3, with an optional limit on the memory for bodies.
#[derive(Clone, Debug)]
pub struct S3Store {
    client: Client,
    bucket: String,
    budget: Option<Budget>,
}

/// A body together with its share of the memory budget.
struct Counted {
    body: Vec<u8>,
    _share: Share,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

impl S3Store {
    /// The bucket with this name.
    #[must_use]
    pub fn new(client: Client, bucket: &str) -> Self {
        Self { client, bucket: bucket.to_owned(), budget: None }
    }

    /// The same bucket with a limit on the total size of the bodies that are in memory at once.
    #[must_use]
    pub fn within(self, budget: Budget) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// Waits until there is memory for a body.
    async fn share(&self, budget: &Budget, key: &str, bytes: u64) -> Result<Share, StoreError> {
        budget.take(bytes).await.map_err(|_| too_large(key, bytes, budget.bytes()))
    }

    /// The metadata of an object and its body, which has not been read yet.
    async fn open(&self, key: &str) -> Result<Option<(ObjectInfo, ByteStream)>, StoreError> {
        let answer = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(answer) => answer,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(failed("get object", key, Access::Read, &error)),
        };
        let info = Answer {
            etag: answer.e_tag,
            version_id: answer.version_id,
            size: answer.content_length,
            last_modified: answer.last_modified,
            metadata: answer.metadata,
        };
        Ok(Some((info.into_object_info(key)?, answer.body)))
    }

    /// Lists the objects under a prefix page by page, ordered by key.
    #[must_use]
    pub fn listing(&self, prefix: &str) -> Listing {
        Listing::new(self.client.clone(), &self.bucket, prefix)
    }

    /// The first `most` bytes of the current object at a key, or the whole object if it is shorter. `None` if there is
    /// no object.
    ///
    /// # Errors
    ///
    /// Returns an error if S3 does not answer, or if the object is empty.
    pub async fn beginning(&self, key: &str, most: u64) -> Result<Option<Bytes>, StoreError> {
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        match request.range(format!("bytes=0-{}", most.saturating_sub(1))).send().await {
            Ok(answer) => {
                let body = answer.body.collect().await.map_err(|error| interrupted("read object", key, &error))?;
                Ok(Some(body.into_bytes()))
            }
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(failed("get the beginning of object", key, Access::Read, &error)),
        }
    }
}

#[async_trait]
impl ObjectStore for S3Store {
    async fn get_within(&self, key: &str, most: u64) -> Result<Option<Object>, StoreError> {
        let mut held: Option<(u64, Share)> = None;
        loop {
            let Some((info, body)) = self.open(key).await? else { return Ok(None) };
            // Dropping the body closes the connection, so the rest is not transferred.
            if info.size > most {
                return Err(too_large(key, info.size, most));
            }
            // A share that is too small is returned before waiting for another one.
            let kept = held.take().filter(|(bytes, _)| *bytes >= info.size).map(|(_, share)| share);
            let share = match (&self.budget, kept) {
                (None, _) => None,
                (_, Some(share)) => Some(share),
                (Some(budget), None) => match budget.try_take(info.size) {
                    Some(share) => Some(share),
                    // A body that is not read soon is broken off, so the object is requested again when there is memory
                    // for it.
                    None => {
                        drop(body);
                        held = Some((info.size, self.share(budget, key, info.size).await?));
                        continue;
                    }
                },
            };
            let body = read(body, key, info.size).await?;
            return Ok(Some(Object { info, body: counted(body, share) }));
        }
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, StoreError> {
        let answer = match self.client.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(answer) => answer,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(failed("head object", key, Access::Own, &error)),
        };
        let info = Answer {
            etag: answer.e_tag,
            version_id: answer.version_id,
            size: answer.content_length,
            last_modified: answer.last_modified,
            metadata: answer.metadata,
        };
        info.into_object_info(key).map(Some)
    }

    async fn put(&self, key: &str, object: NewObject, condition: PutIf) -> Result<Put, StoreError> {
        let request = self.client.put_object().bucket(&self.bucket).key(key).content_type(object.content_type);
        let trace = trace_of(&object.metadata);
        let request = request.set_metadata(Some(object.metadata.into_iter().collect()));
        let request = conditional(request, condition).body(ByteStream::from(object.body));
        let request = request.customize().mutate_request(move |request| {
            if let Some(trace) = &trace {
                request.headers_mut().insert(XRAY_HEADER, trace.to_xray());
            }
        });
        match request.send().await {
            Ok(answer) => Ok(Put::Written { etag: unquoted(answer.e_tag.as_deref().unwrap_or_default()) }),
            Err(error) if is_condition_failed(&error) => Ok(Put::Changed),
            Err(error) => Err(failed("put object", key, Access::Own, &error)),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        let mut listing = self.listing(prefix);
        let mut objects = Vec::new();
        while let Some(object) = listing.advance().await? {
            objects.push(object);
        }
        Ok(objects)
    }
}

/// Reads a body into a buffer of its final size, so that there are never two copies of it.
async fn read(mut body: ByteStream, key: &str, size: u64) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    while let Some(part) = body.try_next().await.map_err(|error| interrupted("read object", key, &error))? {
        bytes.extend_from_slice(&part);
    }
    if bytes.len() as u64 != size {
        return Err(incomplete("read object", key, format!("received {} of {size} bytes", bytes.len())));
    }
    Ok(bytes)
}

fn counted(body: Vec<u8>, share: Option<Share>) -> Bytes {
    match share {
        Some(_share) => Bytes::from_owner(Counted { body, _share }),
        None => body.into(),
    }
}

/// The trace in an object's metadata also goes into the request header, which S3 passes on to the queue.
fn trace_of(metadata: &Metadata) -> Option<TraceParent> {
    metadata.get(TRACEPARENT).and_then(|text| text.parse().ok())
}

fn conditional(request: PutObjectFluentBuilder, condition: PutIf) -> PutObjectFluentBuilder {
    match condition {
        PutIf::Always => request,
        PutIf::Absent => request.if_none_match("*"),
        PutIf::Matches(etag) => request.if_match(format!("\"{etag}\"")),
    }
}

/// Only a missing key is an absent object: a missing bucket is a configuration error.
fn is_absent<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    matches!(error.as_service_error().and_then(ProvideErrorMetadata::code), Some("NoSuchKey" | "NotFound"))
}

/// S3 reports a failed condition in two ways: the condition did not hold (412), or another conditional write interfered
/// (409). A missing object under `If-Match` is a 404 and means the same: the version that was read is gone.
fn is_condition_failed<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    matches!(code, Some("PreconditionFailed" | "ConditionalRequestConflict" | "NoSuchKey"))
}
