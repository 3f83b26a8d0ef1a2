//! The defects of a vendor's data, put into sound rows. Each was reported from a real vendor; where they sit follows
//! from the seed and the symbol, so the same request shows the same defects.

use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Weekday, date};
use serde::{Deserialize, Serialize};

use super::sheet::Row;
use crate::market::interval::Interval;
use crate::market::noise::{Noise, Use};
use crate::market::price::{Price, UNITS};
use crate::market::series::day_number;

/// A kind of defect. All but the last three sit in one row of 23.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Defect {
    /// A row comes twice.
    Duplicate,
    /// A row comes twice, once with another close and half of the volume.
    Conflict,
    /// A row is not there.
    Missing,
    /// High or low is a sentinel: zero or -1.
    Sentinel,
    /// All prices are null; the volume is not.
    Null,
    /// All prices are a hundred times too large.
    Hundredfold,
    /// All prices are off by one hundred-thousandth, as after a conversion through a float.
    FloatNoise,
    /// One Friday in four is followed by the same on Saturday.
    Weekend,
    /// A row is dated tomorrow, where the rows reach into the last week.
    Future,
    /// Prices before a day in 2022 to 2024 are four times as large: a split that the vendor missed.
    SplitStep,
}

/// Where rows stand, for placing defects among them.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The symbol's source of made-up numbers.
    pub noise: Noise,
    /// The interval of the rows.
    pub interval: Interval,
    /// The time of the request in the zone of the rows.
    pub now: DateTime,
}

/// One row in so many has a defect. It is prime to the days of a week and to the minutes of every interval, so that
/// every stretch of 23 rows has one.
const PERIOD: i64 = 23;

/// The rows, newest first, with all the given defects.
pub fn apply(defects: &[Defect], rows: Vec<Row>, place: Place) -> Vec<Row> {
    let spoil = |rows: Vec<Row>, defect: &Defect| defect.spoil(rows, place);
    let mut spoiled = defects.iter().fold(rows, spoil);
    spoiled.sort_by_key(|row| std::cmp::Reverse(row.at));
    spoiled
}

impl Defect {
    fn spoil(self, rows: Vec<Row>, place: Place) -> Vec<Row> {
        match self {
            Self::Future => with_future_row(rows, place.now),
            Self::Weekend => {
                rows.into_iter().flat_map(|row| [Some(row), saturday(row, place.noise)]).flatten().collect()
            }
            Self::FloatNoise => rows.into_iter().map(float_noise).collect(),
            Self::SplitStep => rows.into_iter().map(|row| split_step(row, place.noise)).collect(),
            _ => rows
                .into_iter()
                .flat_map(|row| if self.strikes(row, place) { self.struck(row) } else { vec![row] })
                .collect(),
        }
    }

    fn strikes(self, row: Row, place: Place) -> bool {
        let days = day_number(row.at.date());
        let minutes = days * 24 * 60 + i64::from(row.at.hour()) * 60 + i64::from(row.at.minute());
        let count = if place.interval.is_intraday() { minutes } else { days };
        let phase = place.noise.bits(Use::Defect(self as u64), 0);
        count.rem_euclid(PERIOD).unsigned_abs() == phase % PERIOD.unsigned_abs()
    }

    /// What becomes of a row that is struck.
    fn struck(self, row: Row) -> Vec<Row> {
        match self {
            Self::Duplicate => vec![row, row],
            Self::Conflict => vec![row, contradiction(row)],
            Self::Missing => Vec::new(),
            Self::Sentinel => vec![sentinel(row)],
            Self::Null => vec![Row { prices: [None; 4], ..row }],
            Self::Hundredfold => vec![priced(row, |price| price.scaled(100.0))],
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

fn priced(row: Row, change: impl Fn(Price) -> Price) -> Row {
    Row { prices: row.prices.map(|price| price.map(&change)), ..row }
}

/// The same row as it was before the session ended: a close elsewhere in the range, and less volume.
fn contradiction(row: Row) -> Row {
    let [open, high, low, close] = row.prices;
    let other = if close == low { high } else { low };
    let moved = if other == close { close.map(|price| Price::from_units(price.units() + 1)) } else { other };
    let [high, low] = [high.max(moved), low.min(moved)];
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
    priced(row, |price| Price::from_units(price.units() + step))
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
    if before { Row { volume, ..priced(row, |price| price.scaled(4.0)) } } else { row }
}
