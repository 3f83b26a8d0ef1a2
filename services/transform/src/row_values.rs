//! Reads the prices, the volume and the flags of one raw row.

use candlewick_shared::core::candle::{Candle, CandleTime};
use candlewick_shared::core::decimal::{Decimal, DecimalError};
use candlewick_shared::core::raw_csv::Header;
use candlewick_shared::core::raw_csv::cells::Cells;

use crate::fault::{Fault, Reason};

/// The rules by which prices, volume and flags are read.
#[derive(Clone, Debug)]
pub struct ValueRules<'a> {
    pub header: &'a Header,
    /// Whether prices of zero or less are allowed.
    pub allow_negative: bool,
}

/// A possible candle, and how its row was corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    pub candle: Candle,
    /// Whether its range was widened, by no more than a rounding error of binary floats.
    pub is_widened: bool,
}

const PRICE_NAMES: [&str; 4] = ["open", "high", "low", "close"];

/// The words for a missing value in exports of people and programs.
const NOTHING: [&str; 19] = [
    "", "n/a", "na", "n.a.", "n/d", "nan", "nat", "null", "none", "nil", "-", "--", "\u{2013}", "\u{2014}", "#n/a",
    "#n/a n/a", "<na>", "\\n", ".",
];

/// The spellings of true in spreadsheets, databases and programs, in several languages.
const TRUE: [&str; 10] = ["true", "t", "1", "1.0", "yes", "y", "on", "wahr", "vrai", "verdadero"];
const FALSE: [&str; 10] = ["false", "f", "0", "0.0", "no", "n", "off", "falsch", "faux", "falso"];

impl ValueRules<'_> {
    /// Reads the candle in a row.
    pub fn read(&self, time: CandleTime, cells: &Cells) -> Result<Judged, Fault> {
        let [open, high, low, close] = [0, 1, 2, 3].map(|at| self.price(cells, at));
        let volume = self.volume(cells);
        let is_filled = flag(cells, self.header.is_filled, "is_filled");
        let candle = Candle {
            time,
            open: open?,
            high: high?,
            low: low?,
            close: close?,
            volume: volume?,
            is_filled: is_filled?.unwrap_or(false),
        };
        widened(candle)
    }

    fn price(&self, cells: &Cells, at: usize) -> Result<Decimal, Fault> {
        let price = number(cells.get(self.header.prices[at]), PRICE_NAMES[at])?;
        if price.is_positive() || self.allow_negative {
            Ok(price)
        } else {
            Err(Fault { column: PRICE_NAMES[at], reason: Reason::NotPositive })
        }
    }

    /// The volume, if it is known. Some brokers write -1 for an unknown volume.
    fn volume(&self, cells: &Cells) -> Result<Option<Decimal>, Fault> {
        let is_known = flag(cells, self.header.has_volume, "has_volume")?.unwrap_or(true);
        let cell = self.header.volume.map(|field| cells.get(field)).filter(|cell| is_known && !is_nothing(cell));
        let Some(cell) = cell else { return Ok(None) };
        let volume = number(cell, "volume")?;
        match volume.is_negative() {
            false => Ok(Some(volume)),
            true if (volume.mantissa(), volume.scale()) == (-1, 0) => Ok(None),
            true => Err(Fault { column: "volume", reason: Reason::Negative }),
        }
    }
}

/// Whether a cell is empty or has a word for a missing value.
pub fn is_nothing(text: &[u8]) -> bool {
    is_one_of(text, &NOTHING)
}

fn is_one_of(text: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
}

/// The flag in a row; `None` if the column does not exist.
fn flag(cells: &Cells, field: Option<usize>, column: &'static str) -> Result<Option<bool>, Fault> {
    let Some(field) = field else { return Ok(None) };
    match cells.get(field) {
        cell if is_one_of(cell, &TRUE) => Ok(Some(true)),
        cell if is_one_of(cell, &FALSE) => Ok(Some(false)),
        cell if is_nothing(cell) => Err(Fault { column, reason: Reason::Missing }),
        _ => Err(Fault { column, reason: Reason::Unreadable }),
    }
}

fn number(text: &[u8], column: &'static str) -> Result<Decimal, Fault> {
    if is_nothing(text) {
        return Err(Fault { column, reason: Reason::Missing });
    }
    Decimal::parse(text).map_err(|error| {
        let reason = match error {
            DecimalError::NotANumber => Reason::Unreadable,
            DecimalError::TooManyDigits => Reason::TooManyDigits,
        };
        Fault { column, reason }
    })
}

/// Widens the range of a candle to all of its prices, if a price is outside of it only because of rounding.
fn widened(candle: Candle) -> Result<Judged, Fault> {
    let Some(fault) = impossible(&candle) else { return Ok(Judged { candle, is_widened: false }) };
    let prices = [candle.open, candle.high, candle.low, candle.close];
    let low = prices.into_iter().fold(candle.low, Ord::min);
    let high = prices.into_iter().fold(candle.high, Ord::max);
    let is_rounding = low.is_about(candle.low) && high.is_about(candle.high);
    if is_rounding { Ok(Judged { candle: Candle { low, high, ..candle }, is_widened: true }) } else { Err(fault) }
}

fn impossible(candle: &Candle) -> Option<Fault> {
    let outside = |price: Decimal| price < candle.low || price > candle.high;
    match candle {
        _ if candle.high < candle.low => Some(Fault { column: "high", reason: Reason::HighBelowLow }),
        _ if outside(candle.open) => Some(Fault { column: "open", reason: Reason::OutsideRange }),
        _ if outside(candle.close) => Some(Fault { column: "close", reason: Reason::OutsideRange }),
        _ => None,
    }
}
