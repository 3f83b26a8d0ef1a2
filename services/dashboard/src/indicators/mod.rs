//! Indicators over the candles of a series, one candle at a time.
//!
//! Each begins before the range that is asked for (`run_up`), so that the same candle has the same value in every range.

mod averages;
mod momentum;
#[cfg(test)]
mod tests;
mod vwap;

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

use self::averages::{Bollinger, Ema, Sma};
use self::momentum::{Macd, Rsi};
use self::vwap::{RollingVwap, SessionVwap};

/// The longest length: what comes before a range is read with it.
const LONGEST: usize = 500;

/// How many indicators one request may ask for.
const MOST: usize = 16;

/// An indicator and its lengths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Indicator {
    /// The mean of the last closes.
    Sma(usize),
    /// The exponential average of closes, which begins with the mean of the first ones.
    Ema(usize),
    /// The mean of the last closes, and so many standard deviations (of the population) above and below it.
    Bollinger(usize, f64),
    /// Wilder's relative strength index.
    Rsi(usize),
    /// The difference of two exponential averages, its own average, and the difference of both.
    Macd(usize, usize, usize),
    /// The average price by volume since the session began.
    Vwap,
    /// The average price by volume of the last candles.
    RollingVwap(usize),
}

/// What an indicator looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bar {
    /// The highest price.
    pub high: f64,
    /// The lowest price.
    pub low: f64,
    /// The last price.
    pub close: f64,
    /// What was traded; 0 where it is not known.
    pub volume: f64,
    /// The session: another number is another session.
    pub session: i64,
}

/// An indicator at work.
pub trait Running: Send + Sync {
    /// Takes the next candle, and appends the values of the indicator's columns.
    fn step(&mut self, bar: &Bar, values: &mut Vec<Option<f64>>);
}

/// The text names no indicator.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "{0:?} is no indicator: write sma20, ema20, bb20x2, rsi14, macd12x26x9, vwap (of the session) or vwap20, with lengths \
     from 1 to {LONGEST}"
)]
pub struct NoIndicator(String);

impl Indicator {
    /// The names of its columns.
    pub fn columns(self) -> Vec<String> {
        match self {
            Self::Bollinger(..) => ["lower", "middle", "upper"].map(|part| format!("{self}_{part}")).to_vec(),
            Self::Macd(..) => vec![self.to_string(), format!("{self}_signal"), format!("{self}_histogram")],
            _ => vec![self.to_string()],
        }
    }

    /// How many candles before the first value have a part in it that can be seen: after so many, what an exponential
    /// average began with is less than the last digit of a float.
    pub fn run_up(self) -> usize {
        match self {
            Self::Sma(length) | Self::Bollinger(length, _) | Self::RollingVwap(length) => length - 1,
            Self::Ema(length) => 21 * length,
            Self::Rsi(length) => 42 * length,
            Self::Macd(fast, slow, signal) => 21 * (fast.max(slow) + signal),
            Self::Vwap => 0,
        }
    }

    /// Whether it goes by sessions, so that it needs all of the first one.
    pub fn is_of_session(self) -> bool {
        self == Self::Vwap
    }

    /// Whether it looks at more than the close.
    pub fn needs_volume(self) -> bool {
        matches!(self, Self::Vwap | Self::RollingVwap(_))
    }

    /// The indicator before its first candle.
    pub fn start(self) -> Box<dyn Running> {
        match self {
            Self::Sma(length) => Box::new(Sma::new(length)),
            Self::Ema(length) => Box::new(Ema::new(length)),
            Self::Bollinger(length, deviations) => Box::new(Bollinger::new(length, deviations)),
            Self::Rsi(length) => Box::new(Rsi::new(length)),
            Self::Macd(fast, slow, signal) => Box::new(Macd::new(fast, slow, signal)),
            Self::Vwap => Box::new(SessionVwap::default()),
            Self::RollingVwap(length) => Box::new(RollingVwap::new(length)),
        }
    }
}

impl fmt::Display for Indicator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sma(length) => write!(formatter, "sma{length}"),
            Self::Ema(length) => write!(formatter, "ema{length}"),
            Self::Bollinger(length, deviations) => write!(formatter, "bb{length}x{deviations}"),
            Self::Rsi(length) => write!(formatter, "rsi{length}"),
            Self::Macd(fast, slow, signal) => write!(formatter, "macd{fast}x{slow}x{signal}"),
            Self::Vwap => formatter.write_str("vwap"),
            Self::RollingVwap(length) => write!(formatter, "vwap{length}"),
        }
    }
}

impl FromStr for Indicator {
    type Err = NoIndicator;

    fn from_str(text: &str) -> Result<Self, NoIndicator> {
        parse(text).ok_or_else(|| NoIndicator(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Indicator> {
    let digits = text.find(|letter: char| letter.is_ascii_digit()).unwrap_or(text.len());
    let (name, numbers) = text.split_at_checked(digits)?;
    let parts: Vec<&str> = if numbers.is_empty() { Vec::new() } else { numbers.split('x').collect() };
    match (name, parts.as_slice()) {
        ("sma", []) => Some(Indicator::Sma(20)),
        ("sma", [number]) => length(number).map(Indicator::Sma),
        ("ema", []) => Some(Indicator::Ema(20)),
        ("ema", [number]) => length(number).map(Indicator::Ema),
        ("bb", []) => Some(Indicator::Bollinger(20, 2.0)),
        ("bb", [number]) => Some(Indicator::Bollinger(length(number)?, 2.0)),
        ("bb", [number, times]) => Some(Indicator::Bollinger(length(number)?, deviations(times)?)),
        ("rsi", []) => Some(Indicator::Rsi(14)),
        ("rsi", [number]) => length(number).map(Indicator::Rsi),
        ("macd", []) => Some(Indicator::Macd(12, 26, 9)),
        ("macd", [fast, slow, signal]) => Some(Indicator::Macd(length(fast)?, length(slow)?, length(signal)?)),
        ("vwap", []) => Some(Indicator::Vwap),
        ("vwap", [number]) => length(number).map(Indicator::RollingVwap),
        _ => None,
    }
}

fn length(text: &str) -> Option<usize> {
    text.parse().ok().filter(|length| (1..=LONGEST).contains(length))
}

fn deviations(text: &str) -> Option<f64> {
    text.parse().ok().filter(|times| (0.1..=10.0).contains(times))
}

/// The indicators that are asked for, each once, in the order in which they were named.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Indicators(Vec<Indicator>);

impl TryFrom<String> for Indicators {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut all: Vec<Indicator> = Vec::new();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let indicator = name.parse().map_err(|error: NoIndicator| error.to_string())?;
            if !all.contains(&indicator) {
                all.push(indicator);
            }
        }
        if all.len() > MOST { Err(format!("{MOST} indicators are the most of one request")) } else { Ok(Self(all)) }
    }
}

impl Indicators {
    /// The indicators, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Indicator> + '_ {
        self.0.iter().copied()
    }

    /// Whether none is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many candles before a range have a part in its values.
    pub fn run_up(&self) -> usize {
        self.iter().map(Indicator::run_up).max().unwrap_or(0)
    }
}
