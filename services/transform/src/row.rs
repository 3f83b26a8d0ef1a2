//! One raw row: a candle, nothing, or the reason why it is neither.

use candlewick_shared::core::candle::{Candle, CandleTime, TimeError};
use candlewick_shared::core::decimal::{Decimal, DecimalError};
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::raw_csv::Header;
use csv::ByteRecord;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::quarantine::Reason;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    pub fn candle(&self, record: &ByteRecord) -> Result<Candle, Fault> {
        let time = self.time(record)?;
        let [open, high, low, close] = [0, 1, 2, 3].map(|at| self.price(record, at));
        let volume = self.header.volume.map(|field| volume(cell(record, field))).transpose();
        let candle =
            Candle { time, open: open?, high: high?, low: low?, close: close?, volume: volume?, is_filled: false };
        possible(&candle).map(|()| candle)
    }

    fn time(&self, record: &ByteRecord) -> Result<CandleTime, Fault> {
        let fault = |reason| Fault { column: "time", reason };
        let text = cell(record, self.header.time);
        if is_nothing(text) {
            return Err(fault(Reason::Missing));
        }
        let text = std::str::from_utf8(text).map_err(|_| fault(Reason::Unreadable))?;
        let time = CandleTime::parse(text, self.interval, self.zone).map_err(|error| fault(reason_of(error)))?;
        if self.is_future(time) { Err(fault(Reason::Future)) } else { Ok(time) }
    }

    fn is_future(&self, time: CandleTime) -> bool {
        let latest = if self.interval.is_intraday() { SignedDuration::ZERO } else { EARLIEST_DATE_LINE };
        time.seconds() > self.now.as_second() + latest.as_secs()
    }

    fn price(&self, record: &ByteRecord, at: usize) -> Result<Decimal, Fault> {
        let price = number(cell(record, self.header.prices[at]), PRICE_NAMES[at])?;
        if price.is_positive() {
            Ok(price)
        } else {
            Err(Fault { column: PRICE_NAMES[at], reason: Reason::NotPositive })
        }
    }
}

/// Whether there is nothing in any cell.
#[must_use]
pub fn is_empty(record: &ByteRecord) -> bool {
    record.iter().all(|cell| cell.trim_ascii().is_empty())
}

fn cell(record: &ByteRecord, field: usize) -> &[u8] {
    record.get(field).unwrap_or_default().trim_ascii()
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
