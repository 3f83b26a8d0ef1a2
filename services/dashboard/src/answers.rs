//! Recent responses, by their tag: what many callers ask for is read and written once until it changes.

use std::sync::Arc;

use axum::body::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::etag::ETag;

/// How many bytes all kept responses may have together.
const ALL: u64 = 16 * 1024 * 1024;

/// The longest response that is kept: five years of days, or a chart. Longer ones would displace many of these.
const ONE: usize = 512 * 1024;

/// About how many bytes a response has; the cache sizes its index by it.
const USUAL: u64 = 64 * 1024;

/// Keeps responses. The tag of each must cover all that the response depends on.
#[derive(Clone)]
pub struct Answers(Arc<Cache<ETag, Bytes, Length>>);

impl Default for Answers {
    fn default() -> Self {
        let count = usize::try_from(ALL / USUAL).unwrap_or(usize::MAX);
        Self(Arc::new(Cache::with_weighter(count, ALL, Length)))
    }
}

impl Answers {
    /// The response with this tag, if it is kept.
    pub fn get(&self, tag: &ETag) -> Option<Bytes> {
        self.0.get(tag)
    }

    /// Keeps a response, unless it is long.
    pub fn keep(&self, tag: &ETag, body: &Bytes) {
        if body.len() <= ONE {
            self.0.insert(tag.clone(), body.clone());
        }
    }
}

#[derive(Clone)]
struct Length;

impl Weighter<ETag, Bytes> for Length {
    fn weight(&self, _: &ETag, body: &Bytes) -> u64 {
        u64::try_from(body.len()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(number: usize) -> ETag {
        ETag::of(&[&number.to_le_bytes()])
    }

    #[test]
    fn long_responses_and_too_many_are_not_kept() {
        let answers = Answers::default();
        answers.keep(&tag(0), &Bytes::from(vec![0; ONE + 1]));
        assert_eq!(answers.get(&tag(0)), None);
        for number in 1..=100 {
            answers.keep(&tag(number), &Bytes::from(vec![0; ONE]));
            assert!(answers.0.weight() <= ALL, "after {number}: {} bytes", answers.0.weight());
        }
        assert!((1..=100).any(|number| answers.get(&tag(number)).is_some()));
    }
}
