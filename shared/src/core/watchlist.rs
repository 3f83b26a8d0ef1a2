//! `watchlist.toml`: the instruments to keep up to date.

mod cleaning;
mod error;
mod file;
mod formats;
mod history;
mod location;
mod place;
#[cfg(test)]
mod tests;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::str::FromStr;

use toml::Spanned;

pub use self::cleaning::{CleaningSettings, InvalidShare, Sessions, Share};
pub use self::error::{Fault, WatchlistError};
use self::file::{File, Group, Settings};
use self::formats::FileFormat;
pub use self::formats::Format;
pub use self::history::{History, InvalidHistory};
pub use self::location::{InvalidLocation, Location};
pub use self::place::Place;
use crate::core::calendar::calendars::Calendars;
use crate::core::form::{self, SaidForm};
use crate::core::interval::Interval;
use crate::core::key::{RawKey, Series};
use crate::core::symbol::Symbol;

/// The instruments to keep up to date, with their intervals and cleaning settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Watchlist {
    instruments: BTreeMap<Symbol, Instrument>,
    /// The settings for instruments that are not on the list, because a dropped file can be of any instrument.
    others: Instrument,
    formats: BTreeMap<String, Format>,
    calendars: Calendars,
}

/// The watchlist has no format of this name.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("there is no [formats.{0}] in the watchlist")]
pub struct UnknownFormat(pub String);

/// The settings of one instrument.
#[derive(Clone, Debug, PartialEq)]
pub struct Instrument {
    /// The group of the instrument, or empty if it is not on the list.
    pub group: String,
    /// The intervals to fetch, from the shortest to the longest.
    pub intervals: Vec<Interval>,
    /// How far back to fetch.
    pub history: History,
    /// How the candles are cleaned.
    pub cleaning: CleaningSettings,
}

impl Watchlist {
    /// Returns every instrument in the order of the symbols.
    pub fn instruments(&self) -> impl Iterator<Item = (&Symbol, &Instrument)> {
        self.instruments.iter()
    }

    /// Returns every series in the order of symbols and intervals.
    pub fn series(&self) -> impl Iterator<Item = Series> {
        self.series_after(None)
    }

    /// Returns the series after `last`, which need not be on the list any more, or all series.
    pub fn series_after(&self, last: Option<&Series>) -> impl Iterator<Item = Series> {
        let from = last.map_or(Bound::Unbounded, |last| Bound::Included(&last.symbol));
        let all = self.instruments.range::<Symbol, _>((from, Bound::Unbounded)).flat_map(series_of);
        all.skip_while(move |series| last.is_some_and(|last| series <= last))
    }

    /// Returns the series of one symbol. There are none if the symbol is not on the list.
    pub fn series_of(&self, symbol: &Symbol) -> impl Iterator<Item = Series> {
        self.instruments.get_key_value(symbol).into_iter().flat_map(series_of)
    }

    /// Returns the cleaning settings of an instrument, whether it is on the list or not.
    #[must_use]
    pub fn cleaning(&self, symbol: &Symbol) -> &CleaningSettings {
        &self.instrument(symbol).cleaning
    }

    /// How an object is cleaned, with the form that its metadata names or that is bound to its key or symbol.
    ///
    /// # Errors
    ///
    /// [`UnknownFormat`] if it names a format that the watchlist does not have.
    pub fn cleaning_of(&self, key: &RawKey, said: &SaidForm) -> Result<CleaningSettings, UnknownFormat> {
        let format = match &said.format {
            Some(name) if name == form::RAW => None,
            Some(name) => Some(self.formats.get(name).ok_or_else(|| UnknownFormat(name.clone()))?),
            None => self.formats.values().find(|format| format.is_of(key)),
        };
        let form = said.form().or(format.map(|format| format.form.clone()).unwrap_or_default());
        Ok(CleaningSettings { form, ..self.cleaning(&key.path.series.symbol).clone() })
    }

    /// Returns how far back an instrument is fetched, whether it is on the list or not.
    #[must_use]
    pub fn history(&self, symbol: &Symbol) -> History {
        self.instrument(symbol).history
    }

    /// Returns the calendars that exist, with those of the owner.
    #[must_use]
    pub fn calendars(&self) -> &Calendars {
        &self.calendars
    }

    fn instrument(&self, symbol: &Symbol) -> &Instrument {
        self.instruments.get(symbol).unwrap_or(&self.others)
    }
}

fn series_of<'a>((symbol, instrument): (&'a Symbol, &'a Instrument)) -> impl Iterator<Item = Series> + 'a {
    instrument.intervals.iter().map(|interval| Series { symbol: symbol.clone(), interval: *interval })
}

/// A watchlist without calendars of the owner.
impl FromStr for Watchlist {
    type Err = WatchlistError;

    fn from_str(text: &str) -> Result<Self, WatchlistError> {
        Self::parse(text, Calendars::default())
    }
}

impl Watchlist {
    /// Parses a watchlist. Its settings can name only the given calendars.
    ///
    /// # Errors
    ///
    /// Fails if the text is no watchlist, and says where.
    pub fn parse(text: &str, calendars: Calendars) -> Result<Self, WatchlistError> {
        let file: File = toml::from_str(text).map_err(|error| WatchlistError::syntax(text, &error))?;
        require_known_calendars(text, &file, &calendars)?;
        let members = members(text, &file)?;
        let overrides = instrument_settings(text, &file)?;
        if let Some((stray, (_, offset))) = overrides.iter().find(|(symbol, _)| !members.contains_key(*symbol)) {
            return Err(WatchlistError::at(text, *offset, Fault::NoGroup(stray.clone())));
        }
        let resolve = |(symbol, member): (Symbol, Member<'_>)| {
            let own = overrides.get(&symbol).map(|(settings, _)| (*settings).clone()).unwrap_or_default();
            let settings = own.or(member.group.settings()).or(file.defaults.clone());
            Ok((symbol.clone(), settings.resolve_for(text, symbol, member.name, &calendars)?))
        };
        let instruments: BTreeMap<_, _> = members.into_iter().map(resolve).collect::<Result<_, WatchlistError>>()?;
        if instruments.is_empty() {
            return Err(WatchlistError { place: None, fault: Fault::Empty });
        }
        let others = file.defaults.resolve("", &calendars);
        Ok(Self { instruments, others, formats: formats(text, file.formats)?, calendars })
    }
}

fn require_known_calendars(text: &str, file: &File, calendars: &Calendars) -> Result<(), WatchlistError> {
    for setting in file.calendars() {
        let place = setting.span().start;
        let known = setting.get_ref().require_known(calendars);
        known.map_err(|error| WatchlistError::at(text, place, Fault::Calendar(error)))?;
    }
    Ok(())
}

fn formats(
    text: &str,
    written: BTreeMap<Spanned<String>, FileFormat>,
) -> Result<BTreeMap<String, Format>, WatchlistError> {
    let resolve = |(name, format): (Spanned<String>, FileFormat)| {
        let at = name.span().start;
        let format = format.resolve().map_err(|error| WatchlistError::at(text, at, Fault::Format(error)))?;
        Ok((name.into_inner(), format))
    };
    written.into_iter().map(resolve).collect()
}

/// A symbol's group, and the byte offset at which the symbol is written there.
#[derive(Clone, Copy)]
struct Member<'a> {
    name: &'a str,
    group: &'a Group,
    offset: usize,
}

fn members<'a>(text: &str, file: &'a File) -> Result<BTreeMap<Symbol, Member<'a>>, WatchlistError> {
    let mut members: BTreeMap<Symbol, Member<'_>> = BTreeMap::new();
    for (name, group) in &file.groups {
        for written in &group.symbols {
            let member = Member { name: name.get_ref(), group, offset: written.span().start };
            match members.entry(symbol(text, written)?) {
                Entry::Vacant(vacant) => drop(vacant.insert(member)),
                Entry::Occupied(known) => return Err(duplicate_symbol(text, known.key(), *known.get(), member)),
            }
        }
    }
    Ok(members)
}

/// The settings of single instruments, each with its byte offset.
fn instrument_settings<'a>(
    text: &str,
    file: &'a File,
) -> Result<BTreeMap<Symbol, (&'a Settings, usize)>, WatchlistError> {
    let instruments = file.instruments.iter();
    instruments.map(|(written, settings)| Ok((symbol(text, written)?, (settings, written.span().start)))).collect()
}

fn symbol(text: &str, written: &Spanned<String>) -> Result<Symbol, WatchlistError> {
    written.get_ref().parse().map_err(|error| WatchlistError::at(text, written.span().start, Fault::Symbol(error)))
}

/// The error is reported at the place that comes later in the text.
fn duplicate_symbol(text: &str, symbol: &Symbol, one: Member<'_>, other: Member<'_>) -> WatchlistError {
    let (first, second) = if one.offset < other.offset { (one, other) } else { (other, one) };
    let group = first.name.to_owned();
    let line = place::line_at(text, first.offset);
    WatchlistError::at(text, second.offset, Fault::Twice { symbol: symbol.clone(), group, line })
}

impl Settings {
    fn resolve_for(
        &self,
        text: &str,
        symbol: Symbol,
        group: &str,
        calendars: &Calendars,
    ) -> Result<Instrument, WatchlistError> {
        match self.intervals.as_ref().filter(|intervals| intervals.get_ref().is_empty()) {
            Some(none) => Err(WatchlistError::at(text, none.span().start, Fault::NoInterval(symbol))),
            None => Ok(self.resolve(group, calendars)),
        }
    }

    /// Completes the settings with the defaults: daily candles of five years.
    fn resolve(&self, group: &str, calendars: &Calendars) -> Instrument {
        let intervals = self.intervals.as_ref().map_or(vec![Interval::Day1], |intervals| intervals.get_ref().clone());
        Instrument {
            group: group.to_owned(),
            intervals: intervals.into_iter().collect::<BTreeSet<_>>().into_iter().collect(),
            history: self.history.unwrap_or_default(),
            cleaning: self.cleaning(calendars),
        }
    }
}
