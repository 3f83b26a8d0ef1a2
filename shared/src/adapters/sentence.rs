//! Errors of libraries as one line of a bounded length.

use std::error::Error;

/// How long a sentence may be, in bytes: the AWS SDK quotes an answer that it cannot read, however long that is.
const MOST_BYTES: usize = 300;

/// The words of an error and of what caused it, without those that say the same again.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let own = error.to_string();
        if !words.iter().any(|known| known.contains(&own)) {
            words.push(own);
        }
        next = error.source();
    }
    sentence(&words.join(": "))
}

/// One line of a bounded length.
#[must_use]
pub fn sentence(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if plain.len() <= MOST_BYTES {
        return plain;
    }
    format!("{}…", &plain[..plain.floor_char_boundary(MOST_BYTES)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Said(&'static str, #[source] Option<Box<Said>>);

    #[test]
    fn causes_are_told_once() {
        let error = Said("dispatch failure", Some(Box::new(Said("refused", Some(Box::new(Said("refused", None)))))));
        assert_eq!(chain(&error), "dispatch failure: refused");
    }

    #[test]
    fn an_answer_that_is_quoted_whole_is_cut_and_on_one_line() {
        let long: &'static str = String::leak(format!("XML parse error:\n{}", "<Contents/>".repeat(1000)));
        let words = chain(&Said(long, None));
        assert!(words.len() < 310 && !words.contains('\n') && words.ends_with('…'), "{words}");
    }
}
