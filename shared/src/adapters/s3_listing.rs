//! A listing of an S3 bucket. It holds one page at a time, so that it works for buckets of any size.

use std::collections::VecDeque;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::EncodingType;

use crate::adapters::s3_answer::{Answer, failed};
use crate::core::blame::{Access, Blame};
use crate::core::event::decode_form_key;
use crate::ports::store::{ObjectInfo, StoreError};

/// The objects under a prefix, ordered by the bytes of their keys. A listing has no metadata.
#[derive(Clone, Debug)]
pub struct Listing {
    client: Client,
    bucket: String,
    prefix: String,
    page: VecDeque<ObjectInfo>,
    rest: Rest,
}

/// Which part of the listing has not been requested yet.
#[derive(Clone, Debug)]
enum Rest {
    All,
    After(String),
    Nothing,
}

impl Listing {
    pub(crate) fn new(client: Client, bucket: &str, prefix: &str) -> Self {
        let bucket = bucket.to_owned();
        let prefix = prefix.to_owned();
        Self { client, bucket, prefix, page: VecDeque::new(), rest: Rest::All }
    }

    /// The next object, without advancing; `None` at the end.
    ///
    /// # Errors
    ///
    /// Returns an error if S3 does not answer.
    pub async fn peek(&mut self) -> Result<Option<&ObjectInfo>, StoreError> {
        while self.page.is_empty() && self.request_page().await? {}
        Ok(self.page.front())
    }

    /// Returns the next object and advances; `None` at the end.
    ///
    /// # Errors
    ///
    /// Returns an error if S3 does not answer.
    pub async fn advance(&mut self) -> Result<Option<ObjectInfo>, StoreError> {
        self.peek().await?;
        Ok(self.page.pop_front())
    }

    /// Returns up to `most` objects and advances; empty at the end.
    ///
    /// # Errors
    ///
    /// Returns an error if S3 does not answer.
    pub async fn chunk(&mut self, most: usize) -> Result<Vec<ObjectInfo>, StoreError> {
        let mut objects = Vec::new();
        while objects.len() < most
            && let Some(object) = self.advance().await?
        {
            objects.push(object);
        }
        Ok(objects)
    }

    /// Requests the next page. Returns false at the end.
    async fn request_page(&mut self) -> Result<bool, StoreError> {
        let token = match &self.rest {
            Rest::All => None,
            Rest::After(token) => Some(token.clone()),
            Rest::Nothing => return Ok(false),
        };
        let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(&self.prefix);
        let request = request.set_continuation_token(token);
        let answer = match request.clone().send().await {
            // A key may have characters that XML cannot represent. Encoded keys are not requested in the first place,
            // because LocalStack compares them with a token of unencoded keys, so that a listing of several pages never
            // ends.
            Err(error) if is_unreadable(&error) => request.encoding_type(EncodingType::Url).send().await,
            answer => answer,
        };
        self.add_page(answer.map_err(|error| failed("list objects under", &self.prefix, Access::Own, &error))?)?;
        Ok(true)
    }

    fn add_page(&mut self, page: ListObjectsV2Output) -> Result<(), StoreError> {
        self.rest = page.next_continuation_token.map_or(Rest::Nothing, Rest::After);
        let is_encoded = page.encoding_type == Some(EncodingType::Url);
        for object in page.contents.unwrap_or_default() {
            let key = object.key.unwrap_or_default();
            let key = if is_encoded { self.decoded(&key)? } else { key };
            let answer = Answer {
                etag: object.e_tag,
                version_id: None,
                size: object.size,
                last_modified: object.last_modified,
                metadata: None,
            };
            self.page.push_back(answer.into_object_info(&key)?);
        }
        Ok(())
    }

    fn decoded(&self, key: &str) -> Result<String, StoreError> {
        decode_form_key(key).map_err(|error| StoreError {
            operation: "list objects under",
            key: self.prefix.clone(),
            reason: error.to_string(),
            blame: Blame::Dependency,
        })
    }
}

/// Whether S3 reported success, but the body could not be parsed.
fn is_unreadable<E>(error: &SdkError<E, HttpResponse>) -> bool {
    error.raw_response().is_some_and(|response| response.status().is_success())
}
