//! A listing of a bucket of S3 that holds one page of it at a time: no bucket is too large to be gone through.

use std::collections::VecDeque;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;

use crate::adapters::s3::{Answer, failed};
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
        let answer = request.set_continuation_token(token).send().await;
        self.take(answer.map_err(|error| failed("list objects under", &self.prefix, &error))?)?;
        Ok(true)
    }

    fn take(&mut self, page: ListObjectsV2Output) -> Result<(), StoreError> {
        self.rest = page.next_continuation_token.map_or(Rest::Nothing, Rest::Behind);
        for object in page.contents.unwrap_or_default() {
            let key = object.key.unwrap_or_default();
            let (etag, size, last_modified) = (object.e_tag, object.size, object.last_modified);
            let answer = Answer { etag, version_id: None, size, last_modified, metadata: None };
            self.page.push_back(answer.into_object_info(&key)?);
        }
        Ok(())
    }
}
