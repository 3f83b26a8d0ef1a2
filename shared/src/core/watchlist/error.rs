//! Why a text is no watchlist, and where.

use thiserror::Error;

use super::place::Place;
use crate::core::form::NoForm;
use crate::core::symbol::{Symbol, SymbolError};

/// Why a text is no watchlist, and where.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{}{fault}", place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default())]
pub struct WatchlistError {
    /// The line and the field; none where it is of the whole.
    pub place: Option<Place>,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a watchlist.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Fault {
    /// It is not TOML, or has another field or value than a watchlist.
    #[error("{0}")]
    Syntax(String),
    /// What stands for a symbol is none.
    #[error(transparent)]
    Symbol(#[from] SymbolError),
    /// No symbol is in it.
    #[error("the watchlist names no symbol: add one to a group, such as [groups.stocks] symbols = [\"AAPL\"]")]
    Empty,
    /// A symbol stands in two places, so that it is not clear whose settings hold.
    #[error("symbol {symbol} stands in group {group} already, in line {line}: take it out of one place")]
    Twice {
        /// The symbol.
        symbol: Symbol,
        /// The group that has it already.
        group: String,
        /// The line there.
        line: usize,
    },
    /// An instrument has settings of its own but stands in no group.
    #[error("[instruments.\"{0}\"] stands in no group: add {0} to a group's symbols")]
    NoGroup(Symbol),
    /// A format has a part that is none.
    #[error(transparent)]
    Format(#[from] NoForm),
    /// An instrument would have no interval.
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
