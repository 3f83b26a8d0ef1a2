//! Adds defects to correct rows. Each kind was reported from a real vendor. Their positions depend only on the seed and
//! the symbol, so the same request shows the same defects.

use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Weekday, date};
use serde::{Deserialize, Serialize};

use super::sheet::Row;
use crate::market::interval::Interval;
use crate::market::noise::{Noise, Use};
use crate::market::price::{Price, UNITS};
use crate::market::series::day_number;

/// A kind of defect. Unless stated otherwise, one row in 23 is affected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Defect {
    /// A row appears twice.
    Duplicate,
    /// A row appears twice, once with a different close and half of the volume.
    Conflict,
    /// A row is missing.
    Missing,
    /// The high or low is a sentinel: -1 or zero.
    Sentinel,
    /// All prices are null, but not the volume.
    Null,
    /// All prices are a hundred times too large.
    Hundredfold,
    /// The prices of every row are off by one hundred-thousandth, as after a conversion to a float.
    FloatNoise,
    /// One Friday in four is repeated on Saturday.
    Weekend,
    /// A row is dated tomorrow, if the newest row is at most a week old.
    Future,
    /// Prices before a day in 2022 to 2024 are four times as large, as if the vendor had missed a split.
    SplitStep,
}

/// What the positions of defects depend on.
#[derive(Clone, Copy, Debug)]
pub struct RowContext {
    /// The source of pseudorandom numbers of the symbol.
    pub noise: Noise,
    pub interval: Interval,
    /// The time of the request in the time zone of the rows.
    pub now: DateTime,
}

/// One row in this many has a defect. It is coprime to the days of a week and to the minutes of every interval, so that
/// any 23 consecutive rows have one.
const PERIOD: i64 = 23;

/// Returns the rows with all the given defects, newest first.
pub fn apply(defects: &[Defect], rows: Vec<Row>, context: RowContext) -> Vec<Row> {
    let add = |rows: Vec<Row>, defect: &Defect| defect.add_to(rows, context);
    let mut rows = defects.iter().fold(rows, add);
    rows.sort_by_key(|row| std::cmp::Reverse(row.at));
    rows
}

impl Defect {
    fn add_to(self, rows: Vec<Row>, context: RowContext) -> Vec<Row> {
        match self {
            Self::Future => with_future_row(rows, context.now),
            Self::Weekend => {
                rows.into_iter().flat_map(|row| [Some(row), saturday(row, context.noise)]).flatten().collect()
            }
            Self::FloatNoise => rows.into_iter().map(float_noise).collect(),
            Self::SplitStep => rows.into_iter().map(|row| split_step(row, context.noise)).collect(),
            _ => rows
                .into_iter()
                .flat_map(|row| if self.affects(row, context) { self.replacement(row) } else { vec![row] })
                .collect(),
        }
    }

    fn affects(self, row: Row, context: RowContext) -> bool {
        let days = day_number(row.at.date());
        let minutes = days * 24 * 60 + i64::from(row.at.hour()) * 60 + i64::from(row.at.minute());
        let count = if context.interval.is_intraday() { minutes } else { days };
        let phase = context.noise.bits(Use::Defect(self as u64), 0);
        count.rem_euclid(PERIOD).unsigned_abs() == phase % PERIOD.unsigned_abs()
    }

    /// Returns the rows that replace an affected row.
    fn replacement(self, row: Row) -> Vec<Row> {
        match self {
            Self::Duplicate => vec![row, row],
            Self::Conflict => vec![row, contradiction(row)],
            Self::Missing => Vec::new(),
            Self::Sentinel => vec![sentinel(row)],
            Self::Null => vec![Row { prices: [None; 4], ..row }],
            Self::Hundredfold => vec![map_prices(row, |price| price.scaled(100.0))],
            Self::FloatNoise | Self::Weekend | Self::Future | Self::SplitStep => vec![row],
        }
    }
}

impl FromStr for Defect {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        serde_json::from_value(name.into()).map_err(|error| error.to_string())
    }
}

fn map_prices(row: Row, change: impl Fn(Price) -> Price) -> Row {
    Row { prices: row.prices.map(|price| price.map(&change)), ..row }
}

/// Returns a row as it could have been before the session ended, with another close in the range and less volume.
fn contradiction(row: Row) -> Row {
    let [open, high, low, close] = row.prices;
    let other = if close == low { high } else { low };
    let moved = if other == close { close.map(|price| Price::from_units(price.units() + 1)) } else { other };
    let high = high.max(moved);
    let low = low.min(moved);
    Row { prices: [open, high, low, moved], volume: row.volume.map(|volume| volume / 2), ..row }
}

fn sentinel(row: Row) -> Row {
    let [open, high, low, close] = row.prices;
    let on_even_day = row.at.day() % 2 == 0;
    let prices = if on_even_day {
        [open, high, Some(Price::from_units(0)), close]
    } else {
        [open, Some(Price::from_units(-UNITS)), low, close]
    };
    Row { prices, ..row }
}

fn float_noise(row: Row) -> Row {
    let step = if row.at.day() % 2 == 0 { 1 } else { -1 };
    map_prices(row, |price| Price::from_units(price.units() + step))
}

fn saturday(row: Row, noise: Noise) -> Option<Row> {
    let friday = row.at.date().weekday() == Weekday::Friday;
    let chosen = noise.bits(Use::Defect(Defect::Weekend as u64), day_number(row.at.date())).is_multiple_of(4);
    let at = row.at.checked_add(1.day()).ok()?;
    (friday && chosen).then_some(Row { at, ..row })
}

fn with_future_row(mut rows: Vec<Row>, now: DateTime) -> Vec<Row> {
    let tomorrow = now.date().tomorrow().unwrap_or(Date::MAX);
    let is_recent = |row: &Row| row.at.date().checked_add(7.days()).is_ok_and(|week_after| week_after >= now.date());
    let newest = rows.first().copied().filter(is_recent);
    rows.extend(newest.map(|row| Row { at: tomorrow.to_datetime(row.at.time()), ..row }));
    rows
}

fn split_step(row: Row, noise: Noise) -> Row {
    let days_in = noise.bits(Use::Defect(Defect::SplitStep as u64), 0) % 1000;
    let before = day_number(row.at.date()) < day_number(date(2022, 1, 3)) + days_in.cast_signed();
    let volume = row.volume.map(|volume| volume / 4);
    if before { Row { volume, ..map_prices(row, |price| price.scaled(4.0)) } } else { row }
}
