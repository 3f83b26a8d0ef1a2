//! Cutting a text to what a channel takes. Chats cut longer ones off without a word, or refuse them.

/// What stands at the end of a text that was cut.
const REST: &str = "\n… the rest: candlewick alerts";

/// A text of at most so many UTF-16 code units, by which chats count; a longer one is cut, and says so.
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

/// A text for a block of code in Markdown, which three backticks would end.
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
