//! The names of dashboards.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The maximum length of a name.
const MOST: usize = 64;

/// The name of a dashboard: its file without `.toml`, and the last part of its address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// The text is not a valid name.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0:?} is no name of a dashboard: use 1 to {MOST} of a-z, 0-9, - and _, and begin with a letter or a digit")]
pub struct NoName(String);

impl FromStr for Name {
    type Err = NoName;

    fn from_str(text: &str) -> Result<Self, NoName> {
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_good = text.bytes().next().is_some_and(is_letter)
            && text.bytes().all(|byte| is_letter(byte) || byte == b'-' || byte == b'_')
            && text.len() <= MOST;
        if is_good { Ok(Self(text.to_owned())) } else { Err(NoName(text.to_owned())) }
    }
}

impl TryFrom<String> for Name {
    type Error = NoName;

    fn try_from(text: String) -> Result<Self, NoName> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the default dashboard of a group: lower case, with `-` for what no name has.
    pub fn of_group(group: &str) -> Option<Self> {
        let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
        let text: String = group.chars().map(plain).take(MOST).collect();
        text.trim_matches('-').parse().ok()
    }

    /// The name of the file with this name, if it is one of a dashboard. Editors leave hidden files.
    pub fn of_file(file: &str) -> Option<Self> {
        file.strip_suffix(".toml")?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_good_in_addresses_and_for_files() {
        for good in ["stocks", "a", "2024-energy_eu"] {
            assert_eq!(good.parse::<Name>().map(String::from), Ok(good.to_owned()));
        }
        for bad in ["", "-a", "_a", "Stocks", "a b", "../watchlist", "a.toml", "ä", &"a".repeat(65)] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
        assert_eq!(Name::of_file("stocks.toml"), "stocks".parse().ok());
        assert_eq!([".stocks.toml", "stocks", "Stocks.toml", "a/b.toml"].map(Name::of_file), [None, None, None, None]);
    }

    #[test]
    fn a_group_has_a_name_if_it_has_any_letter() {
        let name = |group: &str| Name::of_group(group).map(String::from);
        assert_eq!(name("US Stocks (big)"), Some("us-stocks--big".to_owned()));
        assert_eq!((name("stocks"), name("東京"), name("")), (Some("stocks".to_owned()), None, None));
    }
}
