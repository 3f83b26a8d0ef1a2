//! Errors in a watchlist and their places.

use thiserror::Error;

use super::place::Place;
use crate::core::calendar::choice::UnknownCalendar;
use crate::core::form::NoForm;
use crate::core::symbol::{Symbol, SymbolError};

/// Why a text is not a valid watchlist, and where the error is.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{}{fault}", place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default())]
pub struct WatchlistError {
    /// The line and the field, or `None` if the error concerns the whole text.
    pub place: Option<Place>,
    /// What is wrong at that place.
    pub fault: Fault,
}

/// What is wrong with a watchlist.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Fault {
    /// The text is not TOML, or has a field or a value that watchlists do not have.
    #[error("{0}")]
    Syntax(String),
    /// A symbol is invalid.
    #[error(transparent)]
    Symbol(#[from] SymbolError),
    /// The watchlist has no symbol.
    #[error("the watchlist names no symbol: add one to a group, such as [groups.stocks] symbols = [\"AAPL\"]")]
    Empty,
    /// A symbol is listed twice, so it is unclear which settings apply.
    #[error("symbol {symbol} is already in group {group}, on line {line}: remove one of the two")]
    Twice {
        /// The duplicate symbol.
        symbol: Symbol,
        /// The group that contains the symbol first.
        group: String,
        /// The line of the symbol in that group.
        line: usize,
    },
    /// An instrument has settings but is in no group.
    #[error("[instruments.\"{0}\"] is in no group: add {0} to a group's symbols")]
    NoGroup(Symbol),
    /// A format is invalid.
    #[error(transparent)]
    Format(#[from] NoForm),
    /// A calendar does not exist.
    #[error(transparent)]
    Calendar(#[from] UnknownCalendar),
    /// An instrument has no interval.
    #[error("{0} has no interval: intervals = [] leaves nothing to fetch")]
    NoInterval(Symbol),
}

impl WatchlistError {
    pub(super) fn syntax(text: &str, error: &toml::de::Error) -> Self {
        let place = error.span().map(|span| Place::at(text, span.start));
        Self { place, fault: Fault::Syntax(error.message().replace('\n', "; ")) }
    }

    pub(super) fn at(text: &str, offset: usize, fault: Fault) -> Self {
        Self { place: Some(Place::at(text, offset)), fault }
    }
}
