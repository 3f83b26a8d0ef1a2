//! `watchlist.toml`: the instruments to keep fresh.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

use crate::core::calendar::choice::CalendarSetting;
use crate::core::interval::Interval;
use crate::core::key::Series;
use crate::core::symbol::Symbol;

/// The instruments to keep fresh, at which intervals, and how their candles are cleaned.
#[derive(Clone, Debug, PartialEq)]
pub struct Watchlist {
    instruments: BTreeMap<Symbol, Instrument>,
    /// How an instrument is cleaned that is not on the list: a dropped file can be of any.
    others: CleaningSettings,
}

#[derive(Clone, Debug, PartialEq)]
struct Instrument {
    intervals: Vec<Interval>,
    cleaning: CleaningSettings,
}

/// How an instrument's candles are cleaned.
#[derive(Clone, Debug, PartialEq)]
pub struct CleaningSettings {
    /// The calendar, where the owner says one; otherwise the source's word decides.
    pub calendar: Option<CalendarSetting>,
    /// The longest run of vacant slots that is filled. Three sessions are a feed's hiccup; more is a suspension, which a
    /// chart should show.
    pub max_fill: u32,
    /// The largest share of rows that may be set aside before somebody should look.
    pub max_quarantined: Share,
    /// The largest share of candles that may be put in before somebody should look.
    pub max_filled: Share,
}

impl Default for CleaningSettings {
    fn default() -> Self {
        Self { calendar: None, max_fill: 3, max_quarantined: Share(0.01), max_filled: Share(0.05) }
    }
}

/// A share of a whole, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct Share(f64);

/// The number is no share of a whole.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("{0} is no share: write one from 0 to 1, such as 0.01 for one in a hundred")]
pub struct NoShare(String);

impl Share {
    /// From 0 to 1.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Share {
    type Error = NoShare;

    fn try_from(number: f64) -> Result<Self, NoShare> {
        if (0.0..=1.0).contains(&number) { Ok(Self(number)) } else { Err(NoShare(number.to_string())) }
    }
}

impl FromStr for Share {
    type Err = NoShare;

    fn from_str(text: &str) -> Result<Self, NoShare> {
        text.parse::<f64>().map_err(|_| NoShare(text.to_owned()))?.try_into()
    }
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
    // Repeated from `Settings`: serde cannot refuse unknown fields where it flattens one struct into another.
    intervals: Option<Vec<Interval>>,
    calendar: Option<CalendarSetting>,
    max_fill: Option<u32>,
    max_quarantined: Option<Share>,
    max_filled: Option<Share>,
}

/// What can be set for all, for a group or for one instrument.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    intervals: Option<Vec<Interval>>,
    calendar: Option<CalendarSetting>,
    max_fill: Option<u32>,
    max_quarantined: Option<Share>,
    max_filled: Option<Share>,
}

impl Group {
    fn settings(&self) -> Settings {
        Settings {
            intervals: self.intervals.clone(),
            calendar: self.calendar.clone(),
            max_fill: self.max_fill,
            max_quarantined: self.max_quarantined,
            max_filled: self.max_filled,
        }
    }
}

impl Settings {
    /// These, and `wider` ones where these say nothing.
    fn or(self, wider: Self) -> Self {
        Self {
            intervals: self.intervals.or(wider.intervals),
            calendar: self.calendar.or(wider.calendar),
            max_fill: self.max_fill.or(wider.max_fill),
            max_quarantined: self.max_quarantined.or(wider.max_quarantined),
            max_filled: self.max_filled.or(wider.max_filled),
        }
    }

    fn cleaning(&self) -> CleaningSettings {
        let usual = CleaningSettings::default();
        CleaningSettings {
            calendar: self.calendar.clone(),
            max_fill: self.max_fill.unwrap_or(usual.max_fill),
            max_quarantined: self.max_quarantined.unwrap_or(usual.max_quarantined),
            max_filled: self.max_filled.unwrap_or(usual.max_filled),
        }
    }

    /// The intervals, or days where nothing is said.
    fn intervals(&self, symbol: &Symbol) -> Result<Vec<Interval>, WatchlistError> {
        let chosen = self.intervals.clone().unwrap_or_else(|| vec![Interval::Day1]);
        match chosen.into_iter().collect::<BTreeSet<_>>() {
            none if none.is_empty() => Err(WatchlistError::NoInterval(symbol.to_string())),
            intervals => Ok(intervals.into_iter().collect()),
        }
    }

    fn instrument(&self, symbol: &Symbol) -> Result<Instrument, WatchlistError> {
        Ok(Instrument { intervals: self.intervals(symbol)?, cleaning: self.cleaning() })
    }
}

impl Watchlist {
    /// Every series, by symbol.
    pub fn series(&self) -> impl Iterator<Item = Series> {
        let of = |(symbol, instrument): (&Symbol, &Instrument)| {
            let symbol = symbol.clone();
            instrument.intervals.clone().into_iter().map(move |interval| Series { symbol: symbol.clone(), interval })
        };
        self.instruments.iter().flat_map(of)
    }

    /// The series of one symbol; none where the watchlist has not that symbol.
    pub fn series_of(&self, symbol: &Symbol) -> impl Iterator<Item = Series> {
        let intervals = self.instruments.get(symbol).map(|instrument| instrument.intervals.clone());
        let symbol = symbol.clone();
        intervals.into_iter().flatten().map(move |interval| Series { symbol: symbol.clone(), interval })
    }

    /// How the candles of an instrument are cleaned, whether it is on the list or not.
    #[must_use]
    pub fn cleaning(&self, symbol: &Symbol) -> &CleaningSettings {
        self.instruments.get(symbol).map_or(&self.others, |instrument| &instrument.cleaning)
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
        let instruments: Result<BTreeMap<_, _>, _> = group_of
            .into_iter()
            .map(|(symbol, name)| Ok((symbol.clone(), file.settings(&symbol, name).instrument(&symbol)?)))
            .collect();
        match instruments? {
            none if none.is_empty() => Err(WatchlistError::Empty),
            instruments => Ok(Self { instruments, others: file.defaults.cleaning() }),
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

impl File {
    /// The settings of an instrument: its own, then its group's, then everybody's.
    fn settings(&self, symbol: &Symbol, group: &str) -> Settings {
        let own = self.instruments.get(symbol).cloned().unwrap_or_default();
        let group = self.groups.get(group).map(Group::settings).unwrap_or_default();
        own.or(group).or(self.defaults.clone())
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
    fn each_cleaning_setting_is_inherited_by_itself() {
        let text = r#"
            [defaults]
            max_fill = 2
            max_filled = 0.5
            [groups.stocks]
            symbols = ["AAPL", "SHEL"]
            calendar = "XNYS"
            max_quarantined = 0
            [instruments.SHEL]
            calendar = "XLON"
            max_fill = 0
        "#;
        let watchlist: Watchlist = text.parse().unwrap();
        let of = |symbol: &str| {
            let CleaningSettings { calendar, max_fill, max_quarantined, max_filled } =
                watchlist.cleaning(&symbol.parse().unwrap()).clone();
            (calendar, max_fill, max_quarantined.get(), max_filled.get())
        };
        let code = |code: &str| Some(CalendarSetting::Code(code.to_owned()));
        assert_eq!(of("AAPL"), (code("XNYS"), 2, 0.0, 0.5));
        assert_eq!(of("SHEL"), (code("XLON"), 0, 0.0, 0.5));
        assert_eq!(of("NOT.LISTED"), (None, 2, 0.01, 0.5));
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
            ("[defaults]\nmax_fil = 1", "line 2"),
            ("[groups.a]\nsymbols = [\"A\"]\nmax_fil = 1", "line 3"),
            ("[defaults]\ncalendar = \"NYSE\"", "no calendar is known by the name \"NYSE\""),
            ("[defaults]\n\nmax_filled = 5", "line 3"),
            ("[defaults]\nmax_quarantined = -0.1", "-0.1 is no share"),
            ("[defaults]\nmax_fill = -1", "line 2"),
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
