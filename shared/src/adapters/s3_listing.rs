//! A listing of a bucket of S3 that holds one page of it at a time: no bucket is too large to be gone through.

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

/// What lies under a prefix, by key as bytes. Metadata is not part of a listing.
#[derive(Clone, Debug)]
pub struct Listing {
    client: Client,
    bucket: String,
    prefix: String,
    page: VecDeque<ObjectInfo>,
    rest: Rest,
}

/// What has not been asked for yet.
#[derive(Clone, Debug)]
enum Rest {
    All,
    Behind(String),
    Nothing,
}

impl Listing {
    pub(crate) fn new(client: Client, bucket: &str, prefix: &str) -> Self {
        let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
        Self { client, bucket, prefix, page: VecDeque::new(), rest: Rest::All }
    }

    /// The next object, which stays the next one; none at the end.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn peek(&mut self) -> Result<Option<&ObjectInfo>, StoreError> {
        while self.page.is_empty() && self.ask().await? {}
        Ok(self.page.front())
    }

    /// The next object, and steps behind it; none at the end.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn advance(&mut self) -> Result<Option<ObjectInfo>, StoreError> {
        self.peek().await?;
        Ok(self.page.pop_front())
    }

    /// Up to `most` objects that follow; none at the end.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn chunk(&mut self, most: usize) -> Result<Vec<ObjectInfo>, StoreError> {
        let mut objects = Vec::new();
        while objects.len() < most
            && let Some(object) = self.advance().await?
        {
            objects.push(object);
        }
        Ok(objects)
    }

    /// Asks for the next page; false where there is none.
    async fn ask(&mut self) -> Result<bool, StoreError> {
        let token = match &self.rest {
            Rest::All => None,
            Rest::Behind(token) => Some(token.clone()),
            Rest::Nothing => return Ok(false),
        };
        let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(&self.prefix);
        let request = request.set_continuation_token(token);
        let answer = match request.clone().send().await {
            // A key may have characters that XML cannot say. Encoded keys are not asked for at once, because LocalStack compares them
            // with a token of bare keys, so that a listing of several pages has no end.
            Err(error) if is_unreadable(&error) => request.encoding_type(EncodingType::Url).send().await,
            answer => answer,
        };
        self.take(answer.map_err(|error| failed("list objects under", &self.prefix, Access::Own, &error))?)?;
        Ok(true)
    }

    fn take(&mut self, page: ListObjectsV2Output) -> Result<(), StoreError> {
        self.rest = page.next_continuation_token.map_or(Rest::Nothing, Rest::Behind);
        let is_encoded = page.encoding_type == Some(EncodingType::Url);
        for object in page.contents.unwrap_or_default() {
            let key = object.key.unwrap_or_default();
            let key = if is_encoded { self.decoded(&key)? } else { key };
            let (etag, size, last_modified) = (object.e_tag, object.size, object.last_modified);
            let answer = Answer { etag, version_id: None, size, last_modified, metadata: None };
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

/// Whether there was an answer that says all is well, and that could not be read.
fn is_unreadable<E>(error: &SdkError<E, HttpResponse>) -> bool {
    error.raw_response().is_some_and(|response| response.status().is_success())
}
