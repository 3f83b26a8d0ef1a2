//! `watchlist.toml`: the instruments to keep fresh.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

use crate::core::interval::Interval;
use crate::core::key::Series;
use crate::core::symbol::Symbol;

/// The instruments to keep fresh, and at which intervals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watchlist {
    instruments: BTreeMap<Symbol, Vec<Interval>>,
}

/// Why a text is no watchlist.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum WatchlistError {
    /// It is not TOML, or has another field or value than a watchlist; the message names line and column.
    #[error("{0}")]
    Syntax(String),
    /// No symbol is in it.
    #[error("the watchlist names no symbol: add one to a group, such as [groups.stocks] symbols = [\"AAPL\"]")]
    Empty,
    /// A symbol stands in two groups, so that it is not clear whose settings hold.
    #[error("symbol {symbol} stands in group {first} and in group {second}: take it out of one")]
    TwoGroups {
        /// The symbol.
        symbol: Symbol,
        /// The group that comes first in the alphabet.
        first: String,
        /// The other group.
        second: String,
    },
    /// An instrument has settings of its own but stands in no group.
    #[error("[instruments.\"{0}\"] stands in no group: add {0} to a group's symbols")]
    NoGroup(Symbol),
    /// An instrument would have no interval.
    #[error("{0} has no interval: intervals = [] leaves nothing to fetch")]
    NoInterval(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    defaults: Settings,
    #[serde(default)]
    groups: BTreeMap<String, Group>,
    #[serde(default)]
    instruments: BTreeMap<Symbol, Settings>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    symbols: BTreeSet<Symbol>,
    intervals: Option<Vec<Interval>>,
}

/// What can be set for all, for a group or for one instrument.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    intervals: Option<Vec<Interval>>,
}

impl Watchlist {
    /// Every series, by symbol.
    pub fn series(&self) -> impl Iterator<Item = Series> {
        let of = |(symbol, intervals): (&Symbol, &Vec<Interval>)| {
            let symbol = symbol.clone();
            intervals.clone().into_iter().map(move |interval| Series { symbol: symbol.clone(), interval })
        };
        self.instruments.iter().flat_map(of)
    }

    /// The series of one symbol; none where the watchlist has not that symbol.
    pub fn series_of(&self, symbol: &Symbol) -> impl Iterator<Item = Series> {
        let intervals = self.instruments.get(symbol).cloned().unwrap_or_default();
        let symbol = symbol.clone();
        intervals.into_iter().map(move |interval| Series { symbol: symbol.clone(), interval })
    }
}

impl FromStr for Watchlist {
    type Err = WatchlistError;

    fn from_str(text: &str) -> Result<Self, WatchlistError> {
        let file: File = toml::from_str(text).map_err(|error| WatchlistError::Syntax(error.to_string()))?;
        let group_of = groups_by_symbol(&file)?;
        if let Some(stray) = file.instruments.keys().find(|symbol| !group_of.contains_key(*symbol)) {
            return Err(WatchlistError::NoGroup(stray.clone()));
        }
        let instruments: Result<BTreeMap<_, _>, _> =
            group_of.into_iter().map(|(symbol, name)| Ok((symbol.clone(), intervals(&file, &symbol, name)?))).collect();
        match instruments? {
            none if none.is_empty() => Err(WatchlistError::Empty),
            instruments => Ok(Self { instruments }),
        }
    }
}

fn groups_by_symbol(file: &File) -> Result<BTreeMap<Symbol, &str>, WatchlistError> {
    let mut group_of: BTreeMap<Symbol, &str> = BTreeMap::new();
    for (name, group) in &file.groups {
        for symbol in &group.symbols {
            if let Some(first) = group_of.insert(symbol.clone(), name) {
                let (first, second) = (first.to_owned(), name.clone());
                return Err(WatchlistError::TwoGroups { symbol: symbol.clone(), first, second });
            }
        }
    }
    Ok(group_of)
}

/// The intervals of an instrument: its own, or its group's, or everybody's, or days.
fn intervals(file: &File, symbol: &Symbol, group: &str) -> Result<Vec<Interval>, WatchlistError> {
    let own = file.instruments.get(symbol).and_then(|settings| settings.intervals.clone());
    let group = || file.groups.get(group).and_then(|group| group.intervals.clone());
    let chosen = own.or_else(group).or_else(|| file.defaults.intervals.clone());
    let intervals: BTreeSet<Interval> = chosen.unwrap_or_else(|| vec![Interval::Day1]).into_iter().collect();
    if intervals.is_empty() {
        Err(WatchlistError::NoInterval(symbol.to_string()))
    } else {
        Ok(intervals.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(text: &str) -> Vec<String> {
        text.parse::<Watchlist>().unwrap().series().map(|series| series.to_string()).collect()
    }

    #[test]
    fn an_instrument_has_its_own_settings_before_its_groups_before_everybodys() {
        let text = r#"
            [defaults]
            intervals = ["1day", "1week"]
            [groups.stocks]
            symbols = ["AAPL", "BRK.B"]
            [groups.crypto]
            symbols = ["BTC/USD"]
            intervals = ["1h"]
            [instruments."BRK.B"]
            intervals = ["1month"]
        "#;
        assert_eq!(series(text), ["AAPL 1day", "AAPL 1week", "BRK.B 1month", "BTC/USD 1h"]);
    }

    #[test]
    fn days_are_fetched_where_nothing_is_said() {
        assert_eq!(series("[groups.all]\nsymbols = [\"NA\", \"TRUE\"]"), ["NA 1day", "TRUE 1day"]);
    }

    #[test]
    fn what_is_no_watchlist_is_refused_with_line_and_field() {
        for (text, words) in [
            ("", "names no symbol"),
            ("[groups.a]\nsymbols = [\"A B\"]", "line 2"),
            ("[groups.a]\nsymbol = [\"A\"]", "symbol"),
            ("[groups.a]\nsymbols = [\"A\"]\nintervals = [\"5h\"]", "unknown interval \"5h\""),
            ("[groups.a]\nsymbols = [\"A\"]\nintervals = []", "A has no interval"),
            ("[groups.a]\nsymbols = [\"A\"]\n[groups.b]\nsymbols = [\"A\"]", "group a and in group b"),
            ("[instruments.A]\nintervals = [\"1day\"]", "stands in no group"),
            ("[groups.a]\nsymbols = [A]", "line 2"),
        ] {
            let error = text.parse::<Watchlist>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn the_watchlist_that_candlewick_comes_with_is_one() {
        assert!(series(include_str!("../../../watchlist.toml")).contains(&"AAPL 1day".to_owned()));
    }
}
