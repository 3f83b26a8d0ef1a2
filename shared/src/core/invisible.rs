//! Characters that nobody sees and that change what is seen.

/// Whether a character is invisible, breaks a line without being a control character, or changes the direction of the
/// text after it. In a text from data it can make a message look like another one.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
