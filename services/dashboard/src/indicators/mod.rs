//! Indicators over the candles of a series, computed one candle at a time.
//!
//! Each starts before the requested range (`run_up`), so that a candle has the same value in every range.

mod averages;
mod bar;
mod momentum;
#[cfg(test)]
mod tests;
mod vwap;

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use self::averages::{Bollinger, Ema, Sma};
pub use self::bar::{Bar, Running};
use self::momentum::{Macd, Rsi};
use self::vwap::{RollingVwap, SessionVwap};

/// The maximum length, which limits how many candles before a range are read.
const LONGEST: usize = 500;

/// The maximum number of indicators in one request.
const MOST: usize = 16;

/// An indicator and its lengths, in candles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Indicator {
    /// The mean of the last closes.
    Sma(usize),
    /// The exponential average of closes, which starts with the mean of the first ones.
    Ema(usize),
    /// The mean of the last closes, and bands at this many (population) standard deviations above and below it.
    Bollinger(usize, f64),
    /// Wilder's relative strength index.
    Rsi(usize),
    /// The difference of two exponential averages, its own average, and the difference of both.
    Macd(usize, usize, usize),
    /// The volume-weighted average price since the session started.
    Vwap,
    /// The volume-weighted average price of the last candles.
    RollingVwap(usize),
}

/// The text is not a valid indicator.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "{0:?} is no indicator: write sma20, ema20, bb20x2, rsi14, macd12x26x9, vwap (of the session) or vwap20, with lengths \
     from 1 to {LONGEST}"
)]
pub struct NoIndicator(String);

impl Indicator {
    pub fn columns(self) -> Vec<String> {
        match self {
            Self::Bollinger(..) => ["lower", "middle", "upper"].map(|part| format!("{self}_{part}")).to_vec(),
            Self::Macd(..) => vec![self.to_string(), format!("{self}_signal"), format!("{self}_histogram")],
            _ => vec![self.to_string()],
        }
    }

    /// How many earlier candles noticeably affect a value. Beyond that, the start value of an exponential average
    /// contributes less than the last digit of a float.
    pub fn run_up(self) -> usize {
        match self {
            Self::Sma(length) | Self::Bollinger(length, _) | Self::RollingVwap(length) => length - 1,
            Self::Ema(length) => 21 * length,
            Self::Rsi(length) => 42 * length,
            Self::Macd(fast, slow, signal) => 21 * (fast.max(slow) + signal),
            Self::Vwap => 0,
        }
    }

    /// Whether it is computed per session, and so needs the whole first session.
    pub fn is_of_session(self) -> bool {
        self == Self::Vwap
    }

    /// Whether it needs more than the close.
    pub fn needs_volume(self) -> bool {
        matches!(self, Self::Vwap | Self::RollingVwap(_))
    }

    /// The state before the first candle.
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

/// The requested indicators without duplicates, in the order of the request.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Indicators(Vec<Indicator>);

/// The names in the OpenAPI document. A list may also have spaces and numbers with zeros before them.
const NAMES: &str = concat!(
    r"^(((sma|ema|bb|rsi|vwap)(LENGTH)?|bb(LENGTH)x([1-9](\.[0-9]{1,2})?|10)|macd((LENGTH)x(LENGTH)x(LENGTH))?)",
    r"(,|$)){0,16}$"
);

impl PartialSchema for Indicators {
    fn schema() -> RefOr<Schema> {
        let names = NAMES.replace("LENGTH", "[1-9][0-9]?|[1-4][0-9]{2}|500");
        ObjectBuilder::new().schema_type(Type::String).pattern(Some(names)).into()
    }
}

impl ToSchema for Indicators {}

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
    pub fn iter(&self) -> impl Iterator<Item = Indicator> + '_ {
        self.0.iter().copied()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many candles before a range affect its values.
    pub fn run_up(&self) -> usize {
        self.iter().map(Indicator::run_up).max().unwrap_or(0)
    }
}
