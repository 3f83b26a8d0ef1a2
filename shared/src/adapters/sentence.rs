//! Texts of library errors as one line of bounded length.

use std::error::Error;

/// The longest sentence in bytes: the AWS SDK quotes responses that it cannot parse, however long they are.
const MAX_BYTES: usize = 300;

/// The messages of an error and its sources, without repetitions.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut messages: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let own = error.to_string();
        if !messages.iter().any(|known| known.contains(&own)) {
            messages.push(own);
        }
        next = error.source();
    }
    sentence(&messages.join(": "))
}

/// One line of at most 300 bytes and an ellipsis, with control characters replaced by spaces.
#[must_use]
pub fn sentence(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if plain.len() <= MAX_BYTES {
        return plain;
    }
    format!("{}…", &plain[..plain.floor_char_boundary(MAX_BYTES)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct TestError(&'static str, #[source] Option<Box<TestError>>);

    #[test]
    fn causes_are_told_once() {
        let error = TestError(
            "dispatch failure",
            Some(Box::new(TestError("refused", Some(Box::new(TestError("refused", None)))))),
        );
        assert_eq!(chain(&error), "dispatch failure: refused");
    }

    #[test]
    fn an_answer_that_is_quoted_whole_is_cut_and_on_one_line() {
        let long: &'static str = String::leak(format!("XML parse error:\n{}", "<Contents/>".repeat(1000)));
        let text = chain(&TestError(long, None));
        assert!(text.len() < 310 && !text.contains('\n') && text.ends_with('…'), "{text}");
    }
}
