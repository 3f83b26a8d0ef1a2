//! One raw row: a candle, nothing, or the reason why it is neither.

use candlewick_shared::core::candle::{Candle, CandleTime, TimeError};
use candlewick_shared::core::decimal::{Decimal, DecimalError};
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::raw_csv::Header;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::cells::Cells;
use crate::quarantine::Reason;

/// A row that is a possible candle. It keeps its time and where it stands, 24 bytes in all, and not its numbers: those are
/// in the text already, and nearly all of them are copied from there to the clean object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// When the candle opens.
    pub time: CandleTime,
    /// Where the row begins in the text.
    pub start: usize,
    /// Where its numbers stand in it, if they are written there as clean CSV writes them.
    pub numbers: Option<Numbers>,
}

/// Where the numbers of a plain row stand in it, each with its delimiter before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    from: u8,
    to: u8,
}

impl Numbers {
    /// From one place in the row to another; none where that is too far to be noted.
    #[must_use]
    pub fn new(from: usize, to: usize) -> Option<Self> {
        Some(Self { from: u8::try_from(from).ok()?, to: u8::try_from(to).ok()? })
    }

    /// The numbers of the row that begins at a place of a text.
    #[must_use]
    pub fn of(self, text: &[u8], start: usize) -> &[u8] {
        text.get(start + usize::from(self.from)..start + usize::from(self.to)).unwrap_or_default()
    }
}

/// What rows are read by.
#[derive(Clone, Debug)]
pub struct RowRules<'a> {
    /// Where the columns stand.
    pub header: &'a Header,
    /// The length of the candles.
    pub interval: Interval,
    /// The zone of times that name no offset.
    pub zone: &'a TimeZone,
    /// The moment beyond which everything is the future.
    pub now: Timestamp,
}

/// Why a row is no candle, and in which column that shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The column's name.
    pub column: &'static str,
    /// Why.
    pub reason: Reason,
}

const PRICE_NAMES: [&str; 4] = ["open", "high", "low", "close"];

/// The words that stand for nothing in what people export.
const NOTHING: [&str; 8] = ["", "n/a", "na", "nan", "null", "none", "-", "#n/a"];

/// The latest that a date has begun anywhere: at UTC+14.
const EARLIEST_DATE_LINE: SignedDuration = SignedDuration::from_hours(14);

impl RowRules<'_> {
    /// Reads a row that is not wholly empty.
    ///
    /// # Errors
    /// The first fault, from left to right in the order of clean CSV.
    pub fn candle(&self, cells: &Cells) -> Result<Candle, Fault> {
        let time = self.time(cells)?;
        let [open, high, low, close] = [0, 1, 2, 3].map(|at| self.price(cells, at));
        let volume = self.header.volume.map(|field| volume(cells.get(field))).transpose();
        let candle =
            Candle { time, open: open?, high: high?, low: low?, close: close?, volume: volume?, is_filled: false };
        possible(&candle).map(|()| candle)
    }

    /// Whether a row says that an earlier cleaning put it in.
    #[must_use]
    pub fn is_filled(&self, cells: &Cells) -> bool {
        self.header.is_filled.is_some_and(|field| cells.get(field) == b"true")
    }

    fn time(&self, cells: &Cells) -> Result<CandleTime, Fault> {
        let fault = |reason| Fault { column: "time", reason };
        let text = cells.get(self.header.time);
        if is_nothing(text) {
            return Err(fault(Reason::Missing));
        }
        let text = std::str::from_utf8(text).map_err(|_| fault(Reason::Unreadable))?;
        let time = CandleTime::parse(text, self.interval, self.zone).map_err(|error| fault(reason_of(error)))?;
        if self.is_future(time) { Err(fault(Reason::Future)) } else { Ok(time) }
    }

    /// Whether a time had not come yet anywhere.
    #[must_use]
    pub fn is_future(&self, time: CandleTime) -> bool {
        let latest = if self.interval.is_intraday() { SignedDuration::ZERO } else { EARLIEST_DATE_LINE };
        time.seconds() > self.now.as_second() + latest.as_secs()
    }

    fn price(&self, cells: &Cells, at: usize) -> Result<Decimal, Fault> {
        let price = number(cells.get(self.header.prices[at]), PRICE_NAMES[at])?;
        if price.is_positive() {
            Ok(price)
        } else {
            Err(Fault { column: PRICE_NAMES[at], reason: Reason::NotPositive })
        }
    }
}

fn is_nothing(text: &[u8]) -> bool {
    NOTHING.iter().any(|nothing| text.eq_ignore_ascii_case(nothing.as_bytes()))
}

fn reason_of(error: TimeError) -> Reason {
    match error {
        TimeError::Unreadable => Reason::Unreadable,
        TimeError::TimeOfDay | TimeError::DateAlone => Reason::OtherInterval,
        TimeError::Skipped => Reason::SkippedTime,
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

fn volume(text: &[u8]) -> Result<Decimal, Fault> {
    let volume = number(text, "volume")?;
    if volume.is_negative() { Err(Fault { column: "volume", reason: Reason::Negative }) } else { Ok(volume) }
}

fn possible(candle: &Candle) -> Result<(), Fault> {
    let outside = |price: Decimal| price < candle.low || price > candle.high;
    match candle {
        _ if candle.high < candle.low => Err(Fault { column: "high", reason: Reason::HighBelowLow }),
        _ if outside(candle.open) => Err(Fault { column: "open", reason: Reason::OutsideRange }),
        _ if outside(candle.close) => Err(Fault { column: "close", reason: Reason::OutsideRange }),
        _ => Ok(()),
    }
}
