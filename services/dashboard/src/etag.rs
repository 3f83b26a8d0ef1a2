//! Entity tags: a caller that has the current response gets 304 without a body.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// The version of a response. The tag is weak because the same response is sent both compressed and uncompressed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ETag(String);

impl ETag {
    /// A tag derived from the texts that determine the response, such as its address and the version of the data.
    pub fn of(texts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for text in texts {
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        }
        let digits: String = hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        Self(format!("W/\"{digits}\""))
    }

    /// Whether the caller has this version (`If-None-Match`, with the weak comparison of RFC 9110).
    pub fn is_known(&self, headers: &HeaderMap) -> bool {
        let said = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        said.flat_map(|value| value.split(',')).any(|tag| tag.trim() == "*" || strong(tag) == strong(&self.0))
    }

    /// A 304 response, with the tag and no body.
    pub fn not_modified(&self) -> Response {
        self.on(StatusCode::NOT_MODIFIED.into_response())
    }

    /// Adds the tag to a response.
    pub fn on(&self, mut response: Response) -> Response {
        if let Ok(value) = HeaderValue::from_str(&self.0) {
            response.headers_mut().insert(header::ETAG, value);
        }
        response
    }
}

/// A JSON response, or 304 if the caller has the same JSON already.
pub fn json(headers: &HeaderMap, value: &impl Serialize) -> Result<Response, Problem> {
    let body = serde_json::to_vec(value).map_err(|error| Problem::unavailable(format!("write JSON: {error}")))?;
    let tag = ETag::of(&[&body]);
    if tag.is_known(headers) {
        return Ok(tag.not_modified());
    }
    Ok(tag.on(([(header::CONTENT_TYPE, "application/json")], body).into_response()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_by_any_spelling_of_the_header() {
        let tag = ETag::of(&[b"a"]);
        let known = |text: &str| {
            tag.is_known(&HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_str(text).unwrap())]))
        };
        let weak = tag.0.clone();
        assert!(known(&weak) && known(&weak[2..]) && known(&format!("\"x\", {weak}")) && known("*"));
        assert!(!known("\"x\"") && !known("") && !tag.is_known(&HeaderMap::new()));
    }

    #[test]
    fn what_is_split_otherwise_has_another_tag() {
        assert_ne!(ETag::of(&[b"ab", b"c"]), ETag::of(&[b"a", b"bc"]));
    }
}
