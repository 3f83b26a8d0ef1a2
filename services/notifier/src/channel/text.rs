//! Cuts texts to the limits of channels, because chats silently truncate or reject longer ones.

/// The end of a text that was cut.
const REST: &str = "\n… the rest: candlewick alerts";

/// Cuts a text to at most `most` UTF-16 code units, which is how chats count. A text that was cut says so.
pub fn cut(text: &str, most: usize) -> String {
    if text.encode_utf16().count() <= most {
        return text.to_owned();
    }
    let room = most.saturating_sub(REST.encode_utf16().count());
    let mut used = 0;
    let fits = |c: &char| {
        used += c.len_utf16();
        used <= room
    };
    text.chars().take_while(fits).chain(REST.chars()).collect()
}

/// Replaces backticks that would end a block of code in Markdown.
pub fn in_code(text: &str) -> String {
    text.replace("```", "'''")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_by_utf_16_and_says_so() {
        assert_eq!(cut("abc", 3), "abc");
        let cut = cut(&"\u{1F56F}".repeat(100), 100);
        assert!(cut.encode_utf16().count() <= 100 && cut.starts_with('\u{1F56F}') && cut.ends_with(REST), "{cut}");
    }
}
