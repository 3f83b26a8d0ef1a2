//! Symbols, the names of instruments.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The characters that are percent-encoded in object keys: all but `[A-Za-z0-9._-]`.
const ESCAPED_IN_KEYS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-');

/// The maximum length of a symbol in bytes. It is more than any symbol of the API needs and fits into every object key.
const MAX_BYTES: usize = 64;

/// A symbol as the API writes it, such as `AAPL`, `BRK.B`, `BTC/USD` or `SBIN:NSE`. `NA` and `TRUE` are symbols too.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Symbol(String);

/// Why a text is not a symbol.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SymbolError {
    /// The text is empty.
    #[error("a symbol is empty: write one such as AAPL or BTC/USD")]
    Empty,
    /// The text is longer than any symbol may be.
    #[error("symbol {0:?} is longer than {MAX_BYTES} bytes")]
    TooLong(String),
    /// The text contains a comma (which separates symbols in the API), white space, or a character that is invisible or
    /// changes how others are displayed.
    #[error(
        "symbol {0:?} has a character in it that is not allowed: use letters, digits and ASCII punctuation, no comma"
    )]
    Character(String),
    /// A spreadsheet would treat the text as a formula.
    #[error("symbol {0:?} begins with =, +, - or @, which spreadsheets would read as a formula")]
    Formula(String),
    /// The text of a key is not percent-encoded UTF-8, or not encoded as [`Symbol::to_key_form`] does it.
    #[error(
        "{0:?} is not a symbol as it is written in keys: percent-encode all but letters, digits, '.', '_' and '-' \
         (BTC%2FUSD)"
    )]
    Encoding(String),
}

impl Symbol {
    /// Returns the symbol as the API writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the symbol as one word of a shell command, quoted if necessary. Symbols come from file names, so a
    /// command that a person is advised to run could otherwise execute part of one.
    #[must_use]
    pub fn to_shell_word(&self) -> String {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':');
        if self.0.chars().all(is_plain) { self.0.clone() } else { format!("'{}'", self.0.replace('\'', "'\\''")) }
    }

    /// Returns the percent-encoded form that object keys contain, such as `BTC%2FUSD`.
    #[must_use]
    pub fn to_key_form(&self) -> String {
        utf8_percent_encode(&self.0, ESCAPED_IN_KEYS).to_string()
    }

    /// Parses the form that [`Self::to_key_form`] returns. No other encoding is accepted, so that a symbol has only one
    /// key.
    ///
    /// # Errors
    ///
    /// Returns a [`SymbolError`] if the text is not a symbol in that form.
    pub fn from_key_form(text: &str) -> Result<Self, SymbolError> {
        let encoding = || SymbolError::Encoding(text.to_owned());
        let decoded = percent_decode_str(text).decode_utf8().map_err(|_| encoding())?;
        let symbol: Self = decoded.parse()?;
        if symbol.to_key_form() == text { Ok(symbol) } else { Err(encoding()) }
    }
}

/// Symbols consist of letters and digits of any script and ASCII punctuation, which everyone sees as they are. White
/// space, marks, private-use characters, and control and format characters (such as those that reverse the direction of
/// text) are excluded.
fn is_symbol_char(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_graphic() && c != ',';
    }
    // Unicode classifies the Hangul fillers as letters, but they are invisible.
    let is_filler = matches!(c, '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}');
    c.is_alphanumeric() && !is_filler
}

impl FromStr for Symbol {
    type Err = SymbolError;

    fn from_str(text: &str) -> Result<Self, SymbolError> {
        match text {
            "" => Err(SymbolError::Empty),
            _ if text.len() > MAX_BYTES => Err(SymbolError::TooLong(text.to_owned())),
            _ if text.starts_with(['=', '+', '-', '@']) => Err(SymbolError::Formula(text.to_owned())),
            _ if !text.chars().all(is_symbol_char) => Err(SymbolError::Character(text.to_owned())),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Symbol {
    type Error = SymbolError;

    fn try_from(text: String) -> Result<Self, SymbolError> {
        text.parse()
    }
}

impl From<Symbol> for String {
    fn from(symbol: Symbol) -> Self {
        symbol.0
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn symbols_of_every_kind_have_their_key_form() {
        for (symbol, form) in [
            ("AAPL", "AAPL"),
            ("BRK.B", "BRK.B"),
            ("BTC/USD", "BTC%2FUSD"),
            ("SBIN:NSE", "SBIN%3ANSE"),
            ("NA", "NA"),
            ("<script>", "%3Cscript%3E"),
        ] {
            assert_eq!(symbol.parse::<Symbol>().unwrap().to_key_form(), form);
        }
    }

    #[test]
    fn what_is_no_symbol_is_refused() {
        for text in ["", "A B", "A,B", "A\n", &"A".repeat(65)] {
            assert!(text.parse::<Symbol>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_shown_or_changes_what_is_shown_is_refused() {
        for code in [
            0x00, 0x1B, 0x7F, 0x85, 0xA0, 0xAD, 0x034F, 0x0600, 0x061C, 0x115F, 0x1160, 0x180E, 0x200B, 0x200D, 0x200E,
            0x2028, 0x202E, 0x2060, 0x2066, 0x2069, 0x2800, 0x3000, 0x3164, 0xE000, 0xFE0F, 0xFEFF, 0xFFA0, 0xFFFD,
            0xE0041, 0xE0100,
        ] {
            let text = format!("SEC{}LPAA", char::from_u32(code).unwrap());
            assert!(matches!(text.parse::<Symbol>(), Err(SymbolError::Character(_))), "U+{code:04X}");
            let key = utf8_percent_encode(&text, ESCAPED_IN_KEYS).to_string();
            assert!(Symbol::from_key_form(&key).is_err(), "U+{code:04X} in a key");
        }
        for text in ["Ä1", "株式", "МТС"] {
            assert!(text.parse::<Symbol>().is_ok(), "{text}");
        }
    }

    #[test]
    fn what_a_spreadsheet_would_reckon_is_refused() {
        for text in ["=1+1", "+A", "-A", "@SUM(A1)", "=cmd|'/C'!A0"] {
            assert!(matches!(text.parse::<Symbol>(), Err(SymbolError::Formula(_))), "{text}");
        }
        for text in ["EURUSD=X", "BRK-B", "A+B", "^GSPC"] {
            assert!(text.parse::<Symbol>().is_ok(), "{text}");
        }
    }

    #[test]
    fn a_symbol_is_one_word_of_a_command() {
        for (text, word) in
            [("BTC/USD", "BTC/USD"), ("A;curl|sh", "'A;curl|sh'"), ("$(id)", "'$(id)'"), ("A'B", "'A'\\''B'")]
        {
            assert_eq!(text.parse::<Symbol>().unwrap().to_shell_word(), word);
        }
    }

    #[test]
    fn a_second_spelling_of_a_key_form_is_refused() {
        for text in ["BTC%2fUSD", "%41APL", "BTC/USD", "%FF"] {
            assert!(matches!(Symbol::from_key_form(text), Err(SymbolError::Encoding(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_key_form_leads_back_to_the_symbol(text in "[A-Z0-9<>\"%&|$^é株][!-+\\-.-~é株А]{0,9}") {
            let symbol: Symbol = text.parse().unwrap();
            prop_assert_eq!(Symbol::from_key_form(&symbol.to_key_form()), Ok(symbol));
        }
    }
}
