//! The name of an instrument.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What a symbol's bytes are percent-encoded outside of, in object keys: `[A-Za-z0-9._-]`.
const OUTSIDE_KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-');

/// The longest symbol, in bytes: longer than any the API has, short enough for any object key.
const MAX_BYTES: usize = 64;

/// A symbol as the API writes it: `AAPL`, `BRK.B`, `BTC/USD`, `SBIN:NSE`. Always text: `NA` and `TRUE` are symbols too.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Symbol(String);

/// Why a text is no symbol.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SymbolError {
    /// Nothing is there.
    #[error("a symbol is empty: write one such as AAPL or BTC/USD")]
    Empty,
    /// It is longer than any symbol.
    #[error("symbol {0:?} is longer than {MAX_BYTES} bytes")]
    TooLong(String),
    /// White space, a comma (which separates symbols in the API) or a control character is in it.
    #[error("symbol {0:?} has a space, a comma or a control character in it")]
    Character(String),
    /// Its form in a key is not percent-encoded UTF-8 as Candlewick writes it.
    #[error(
        "{0:?} is not a symbol's form in a key: percent-encode all but letters, digits, '.', '_' and '-' (BTC%2FUSD)"
    )]
    Encoding(String),
}

impl Symbol {
    /// The symbol as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its form in object keys: `BTC%2FUSD`.
    #[must_use]
    pub fn to_key_form(&self) -> String {
        utf8_percent_encode(&self.0, OUTSIDE_KEY).to_string()
    }

    /// Reads the form that [`Self::to_key_form`] writes, and no other, so that one symbol has one key.
    ///
    /// # Errors
    /// [`SymbolError`], where the text is no symbol in that form.
    pub fn from_key_form(text: &str) -> Result<Self, SymbolError> {
        let encoding = || SymbolError::Encoding(text.to_owned());
        let decoded = percent_decode_str(text).decode_utf8().map_err(|_| encoding())?;
        let symbol: Self = decoded.parse()?;
        if symbol.to_key_form() == text { Ok(symbol) } else { Err(encoding()) }
    }
}

impl FromStr for Symbol {
    type Err = SymbolError;

    fn from_str(text: &str) -> Result<Self, SymbolError> {
        let forbidden = |c: char| c.is_whitespace() || c.is_control() || c == ',';
        match text {
            "" => Err(SymbolError::Empty),
            _ if text.len() > MAX_BYTES => Err(SymbolError::TooLong(text.to_owned())),
            _ if text.contains(forbidden) => Err(SymbolError::Character(text.to_owned())),
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
    fn a_second_spelling_of_a_key_form_is_refused() {
        for text in ["BTC%2fUSD", "%41APL", "BTC/USD", "%FF"] {
            assert!(matches!(Symbol::from_key_form(text), Err(SymbolError::Encoding(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_key_form_leads_back_to_the_symbol(text in "[^\\s,\\p{C}]{1,16}") {
            let symbol: Symbol = text.parse().unwrap();
            prop_assert_eq!(Symbol::from_key_form(&symbol.to_key_form()), Ok(symbol));
        }
    }
}
