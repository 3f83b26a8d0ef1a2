//! Compares a candle of the objects with a row of the table.

use std::fmt;

use candlewick_shared::core::candle::{Candle, CandleTime};
use candlewick_shared::core::interval::Interval;
use serde::Serialize;

use super::union::Owner;

/// A row of the table. Numbers are text without trailing zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRow {
    /// Microseconds since 1970.
    pub time: i64,
    /// Open, high, low and close.
    pub prices: [String; 4],
    pub volume: Option<String>,
    pub is_filled: bool,
    /// The key of the object that owns the row.
    pub object: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// Only the objects have the candle.
    Missing,
    /// Only the table has the candle.
    Extra,
    /// A column has different values.
    Differs,
    /// The table names another object as the owner.
    Owner,
    /// An object cannot be read, so its series was not compared.
    Unreadable,
    /// The Parquet of an object does not have its candles.
    Columns,
}

/// A difference between the objects and the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub symbol: String,
    pub interval: String,
    /// In the format of clean CSV.
    pub time: Option<String>,
    pub kind: DifferenceKind,
    pub column: Option<&'static str>,
    /// The value in the objects.
    pub expected: Option<String>,
    /// The value in the table.
    pub found: Option<String>,
    /// The object that has the candle, or for an extra candle the object that the table names as its owner.
    pub object: String,
}

/// The candle and the row at one time; at least one of them exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pair<'a> {
    Both(&'a Candle, &'a Owner, &'a TableRow),
    /// Only the objects have a candle.
    Expected(&'a Candle, &'a Owner),
    /// Only the table has a candle.
    Found(&'a TableRow),
}

/// Microseconds since 1970, the unit of [`TableRow::time`].
pub fn microseconds(time: CandleTime) -> i64 {
    time.seconds().saturating_mul(1_000_000)
}

impl Pair<'_> {
    /// Pairs the next candle with the next row if their times are equal, otherwise takes the earlier one.
    pub fn next<'a>(expected: Option<&'a (Candle, Owner)>, found: Option<&'a TableRow>) -> Option<Pair<'a>> {
        match (expected, found) {
            (None, None) => None,
            (Some((candle, owner)), None) => Some(Pair::Expected(candle, owner)),
            (None, Some(row)) => Some(Pair::Found(row)),
            (Some((candle, owner)), Some(row)) => Some(match microseconds(candle.time).cmp(&row.time) {
                std::cmp::Ordering::Less => Pair::Expected(candle, owner),
                std::cmp::Ordering::Equal => Pair::Both(candle, owner, row),
                std::cmp::Ordering::Greater => Pair::Found(row),
            }),
        }
    }

    /// The differences at this time, one per column.
    pub fn differences(&self, symbol: &str, interval: &str) -> Vec<Difference> {
        let difference = |kind, column, expected, found, object: &str| Difference {
            symbol: symbol.to_owned(),
            interval: interval.to_owned(),
            time: Some(self.time(interval)),
            kind,
            column,
            expected,
            found,
            object: object.to_owned(),
        };
        match self {
            Self::Expected(candle, owner) => {
                vec![difference(DifferenceKind::Missing, None, Some(candle.close.to_string()), None, &owner.key)]
            }
            Self::Found(row) => {
                vec![difference(DifferenceKind::Extra, None, None, Some(row.prices[3].clone()), &row.object)]
            }
            Self::Both(candle, owner, row) => {
                let columns = expected_columns(candle).into_iter().zip(found_columns(row));
                let differing = columns.filter(|((_, expected), found)| expected != found);
                let mut all: Vec<_> = differing
                    .map(|((column, expected), found)| {
                        difference(DifferenceKind::Differs, Some(column), expected, found, &owner.key)
                    })
                    .collect();
                if *owner.key != *row.object {
                    let expected = Some(owner.key.to_string());
                    let found = Some(row.object.clone());
                    all.push(difference(DifferenceKind::Owner, None, expected, found, &owner.key));
                }
                all
            }
        }
    }

    fn time(&self, interval: &str) -> String {
        let micros = match self {
            Self::Both(candle, ..) | Self::Expected(candle, _) => microseconds(candle.time),
            Self::Found(row) => row.time,
        };
        let time = CandleTime::from_seconds(micros.div_euclid(1_000_000));
        let is_whole = micros % 1_000_000 == 0;
        match interval.parse::<Interval>() {
            Ok(interval) if is_whole => time.display(interval).to_string(),
            _ => format!("@{micros} µs"),
        }
    }
}

fn expected_columns(candle: &Candle) -> [(&'static str, Option<String>); 6] {
    let Candle { open, high, low, close, volume, is_filled, .. } = candle;
    [
        ("open", Some(open.to_string())),
        ("high", Some(high.to_string())),
        ("low", Some(low.to_string())),
        ("close", Some(close.to_string())),
        ("volume", volume.map(|volume| volume.to_string())),
        ("is_filled", Some(is_filled.to_string())),
    ]
}

fn found_columns(row: &TableRow) -> [Option<String>; 6] {
    let [open, high, low, close] = row.prices.clone().map(Some);
    [open, high, low, close, row.volume.clone(), Some(row.is_filled.to_string())]
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        let expected = text(&self.expected);
        let found = text(&self.found);
        write!(formatter, "{} {} {}: ", self.symbol, self.interval, self.time.as_deref().unwrap_or_default())?;
        match self.kind {
            DifferenceKind::Missing => write!(formatter, "missing in the table; {} has it", self.object),
            DifferenceKind::Extra => {
                write!(formatter, "in the table and in no object; the table names {} as its owner", self.object)
            }
            DifferenceKind::Differs => {
                let column = self.column.unwrap_or_default();
                write!(formatter, "{column} is {found} in the table and {expected} in {}", self.object)
            }
            DifferenceKind::Owner => {
                write!(formatter, "the table names {found} as its owner, but {expected} has the stronger claim")
            }
            DifferenceKind::Unreadable => write!(formatter, "not compared: {} cannot be read: {expected}", self.object),
            DifferenceKind::Columns => write!(formatter, "{} does not have its candles: {found}", self.object),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use candlewick_shared::core::decimal::Decimal;

    use super::*;

    fn expected() -> (Candle, Owner) {
        let price = |text: &str| Decimal::parse(text.as_bytes()).unwrap();
        let candle = Candle {
            time: CandleTime::from_seconds(1_735_257_600),
            open: price("1"),
            high: price("2.5"),
            low: price("0.5"),
            close: price("2"),
            volume: None,
            is_filled: false,
        };
        (candle, Owner { raw_written: jiff::Timestamp::UNIX_EPOCH, key: Arc::from("transformed/a") })
    }

    fn row() -> TableRow {
        TableRow {
            time: 1_735_257_600_000_000,
            prices: ["1", "2.5", "0.5", "2"].map(str::to_owned),
            volume: None,
            is_filled: false,
            object: "transformed/a".to_owned(),
        }
    }

    fn texts(expected: Option<&(Candle, Owner)>, found: Option<&TableRow>) -> Vec<String> {
        let pair = Pair::next(expected, found).unwrap();
        pair.differences("AAPL", "1day").iter().map(Difference::to_string).collect()
    }

    #[test]
    fn what_is_the_same_does_not_differ() {
        assert!(texts(Some(&expected()), Some(&row())).is_empty());
        assert_eq!(Pair::next(None, None), None);
    }

    #[test]
    fn every_difference_is_named_with_its_candle() {
        let when = "AAPL 1day 2024-12-27: ";
        assert_eq!(texts(Some(&expected()), None), [format!("{when}missing in the table; transformed/a has it")]);
        assert!(texts(None, Some(&row()))[0].starts_with(&format!("{when}in the table and in no object")));
        let tampered = TableRow { prices: ["1", "2.5", "0.5", "2.01"].map(str::to_owned), ..row() };
        assert_eq!(
            texts(Some(&expected()), Some(&tampered)),
            [format!("{when}close is 2.01 in the table and 2 in transformed/a")]
        );
        let volume = TableRow { volume: Some("0".to_owned()), is_filled: true, ..row() };
        assert_eq!(texts(Some(&expected()), Some(&volume)).len(), 2, "no volume is not the same as zero");
        let owner = TableRow { object: "transformed/b".to_owned(), ..row() };
        assert!(texts(Some(&expected()), Some(&owner))[0].contains("transformed/a has the stronger claim"));
    }

    #[test]
    fn the_earlier_side_goes_first() {
        let earlier = TableRow { time: row().time - 1, ..row() };
        assert!(texts(Some(&expected()), Some(&earlier))[0].contains("µs"));
        let later = TableRow { time: row().time + 1, ..row() };
        assert!(texts(Some(&expected()), Some(&later))[0].contains("missing"));
    }
}
