//! Errors of the AWS SDK as one sentence.

use std::error::Error;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::adapters::sentence::{chain, sentence};

/// What an AWS service answered, or why there was no answer.
pub fn words<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let message = error.message().unwrap_or_default().trim().trim_end_matches('.');
    match (error.code(), error) {
        (Some(code), _) if message.is_empty() => sentence(code),
        (Some(code), _) => sentence(&format!("{message} ({code})")),
        (None, SdkError::TimeoutError(_)) => "it did not answer in time".to_owned(),
        (None, SdkError::ServiceError(_)) => format!("it answered with status {}", status(error).unwrap_or_default()),
        (None, SdkError::ResponseError(_)) => format!("its answer cannot be read: {}", chain(error)),
        (None, _) => chain(error),
    }
}

/// The HTTP status of the response, or `None` if there was no response.
pub fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}
