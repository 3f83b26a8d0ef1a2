//! Compares stored with fetched candles: which past candles changed, and whether a split explains it.

use std::collections::BTreeMap;
use std::fmt;

use candlewick_shared::core::decimal::Decimal;
use candlewick_shared::core::raw_csv::SourceRow;
use jiff::civil::DateTime;

/// How many closes must have changed by the same ratio to count as a split. One or two may be corrections.
const LEAST: usize = 3;

/// The smallest change of a price by a split, in thousandths. Rounding by the vendor is far less.
const LEAST_CHANGE: i128 = 5;

/// How far a price may deviate from the ratio, in ten-thousandths, beyond what rounding to its last digit explains.
const SLACK: i128 = 5;

/// Larger numbers are not compared, because their products would overflow.
const LARGEST: i128 = 100_000_000_000_000;

/// The result of a comparison.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overlap {
    pub compared: usize,
    /// How many of the compared candles have another price or volume now.
    pub changed: usize,
    /// The constant ratio by which every close changed.
    pub split: Option<Ratio>,
    /// The stored and new closes of the same times, if both are prices, oldest first. Rows that later answers lacked come
    /// last.
    pub closes: Vec<(f64, f64)>,
}

/// New price divided by old price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    new: i128,
    old: i128,
}

impl Ratio {
    pub fn value(self) -> f64 {
        self.new as f64 / self.old as f64
    }
}

impl fmt::Display for Ratio {
    /// A decimal number with four digits after the point.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = (self.new * 10_000 + self.old / 2) / self.old;
        write!(formatter, "{}.{:04}", parts / 10_000, parts % 10_000)
    }
}

/// The time of a row, if it can be read.
pub fn time(row: &SourceRow) -> Option<DateTime> {
    row.datetime.parse().ok()
}

/// Compares the common candles up to `open_from`, which were complete when the stored ones were fetched.
///
/// Stored rows that later answers lacked were fetched earlier than the others and may have prices from before a split, so
/// they decide only if there are no others.
pub fn compare(kept: &[SourceRow], fetched: &[SourceRow], open_from: DateTime) -> Overlap {
    let closed = |row: &&SourceRow| time(row).is_some_and(|time| time <= open_from);
    let fetched: BTreeMap<_, _> = fetched.iter().map(|row| (time(row), row)).collect();
    let pairs_of = |is_marked: bool| -> Vec<_> {
        let rows = kept.iter().filter(|row| row.fetched_at.is_some() == is_marked).filter(closed);
        let kept: BTreeMap<_, _> = rows.map(|row| (time(row), row)).collect();
        kept.into_iter().filter_map(|(time, kept)| Some((kept, *fetched.get(&time)?))).collect()
    };
    let newest = pairs_of(false);
    let older = pairs_of(true);
    let prices = |(kept, fetched): &(&SourceRow, &SourceRow)| price(kept).zip(price(fetched));
    let closes = newest.iter().chain(&older).filter_map(prices).collect();
    let pairs = if newest.is_empty() { older } else { newest };
    let changed = pairs.iter().filter(|(kept, fetched)| differ(kept, fetched)).count();
    Overlap { compared: pairs.len(), changed, split: split(&pairs), closes }
}

/// The close of a row, if it is a price.
pub fn price(row: &SourceRow) -> Option<f64> {
    close(row).and_then(|_| row.prices[3].parse().ok())
}

/// Whether two rows of one time differ in a price or the volume.
pub fn differ(kept: &SourceRow, fetched: &SourceRow) -> bool {
    let is_same = |one: &str, other: &str| match (one.parse::<Decimal>(), other.parse::<Decimal>()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    };
    let volume = |row: &SourceRow| row.volume.clone().unwrap_or_default();
    let prices = kept.prices.iter().zip(&fetched.prices);
    !(prices.clone().all(|(one, other)| is_same(one, other)) && is_same(&volume(kept), &volume(fetched)))
}

/// The ratio of a split. Candles after the split were fetched at the new price already and did not change. Rows without a
/// price are ignored.
fn split(pairs: &[(&SourceRow, &SourceRow)]) -> Option<Ratio> {
    let closes: Vec<_> = pairs.iter().filter_map(|(kept, fetched)| close(fetched).zip(close(kept))).collect();
    let before = closes.iter().rposition(|(new, old)| new != old)? + 1;
    let scaled = Scaled::new(&closes[..before])?;
    let ratio = scaled.ratio()?;
    (before >= LEAST && scaled.all_have(ratio)).then_some(ratio)
}

fn close(row: &SourceRow) -> Option<Decimal> {
    row.prices[3].parse::<Decimal>().ok().filter(|close| close.is_positive())
}

/// New and old closes as integers of a common scale, and the value of the last digit of each in that scale.
struct Scaled {
    closes: Vec<(i128, i128)>,
    new_digit: i128,
    old_digit: i128,
}

impl Scaled {
    fn new(closes: &[(Decimal, Decimal)]) -> Option<Self> {
        let new_scale = closes.iter().map(|(new, _)| new.scale()).max()?;
        let old_scale = closes.iter().map(|(_, old)| old.scale()).max()?;
        let scale = new_scale.max(old_scale);
        let digit = |own: u8| 10_i128.checked_pow(u32::from(scale - own));
        let integer =
            |price: Decimal| price.mantissa().checked_mul(digit(price.scale())?).filter(|integer| *integer <= LARGEST);
        let closes = closes.iter().map(|(new, old)| integer(*new).zip(integer(*old)));
        Some(Self {
            closes: closes.collect::<Option<_>>()?,
            new_digit: digit(new_scale)?,
            old_digit: digit(old_scale)?,
        })
    }

    /// The ratio of the largest price, which has the smallest rounding error; `None` if it is close to one.
    fn ratio(&self) -> Option<Ratio> {
        let (new, old) = *self.closes.iter().max_by_key(|(_, old)| *old)?;
        let is_change = (new - old).abs() * 1_000 > LEAST_CHANGE * old;
        is_change.then_some(Ratio { new, old })
    }

    /// Whether each new close is its old one times the ratio: `new / old = ratio.new / ratio.old`, multiplied out.
    fn all_have(&self, ratio: Ratio) -> bool {
        self.closes.iter().all(|(new, old)| {
            let deviation = (new * ratio.old - old * ratio.new).abs();
            let rounding = self.new_digit * (old + ratio.old) + self.old_digit * (new + ratio.new);
            // The rounding error is at most half a digit.
            deviation <= rounding / 2 + old * ratio.new / 10_000 * SLACK
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: &str = "2025-01-01";

    fn rows(closes: &[&str]) -> Vec<SourceRow> {
        let row = |(day, close): (usize, &&str)| SourceRow {
            datetime: format!("2024-12-{:02}", day + 1),
            prices: [*close; 4].map(str::to_owned),
            volume: Some("100".to_owned()),
            fetched_at: None,
        };
        // Newest first, as the API sends them.
        closes.iter().enumerate().map(row).rev().collect()
    }

    fn compared(kept: &[&str], fetched: &[&str]) -> (usize, Option<String>) {
        let overlap = compare(&rows(kept), &rows(fetched), LATER.parse().unwrap());
        (overlap.changed, overlap.split.map(|ratio| ratio.to_string()))
    }

    fn split_of(kept: &[&str], fetched: &[&str]) -> Option<String> {
        compared(kept, fetched).1
    }

    #[test]
    fn what_is_the_same_number_did_not_change() {
        assert_eq!(compared(&["252.20", "1e2", "x"], &["252.2", "100", "x"]), (0, None));
    }

    #[test]
    fn a_constant_ratio_is_a_split_within_what_rounding_explains() {
        let kept = ["101.37", "99.99", "100.01", "252.2"];
        assert_eq!(compared(&kept, &["25.34", "25", "25", "63.05"]), (4, Some("0.2500".to_owned())));
        assert_eq!(split_of(&kept, &["25.3425", "24.9975", "25.0025", "63.05"]).as_deref(), Some("0.2500"));
        assert_eq!(split_of(&kept, &["1013.7", "999.9", "1000.1", "2522"]).as_deref(), Some("10.0000"));
        assert_eq!(split_of(&["0.03", "0.04", "0.05"], &["0.3", "0.4", "0.5"]).as_deref(), Some("10.0000"));
    }

    #[test]
    fn candles_behind_the_split_may_be_as_they_were() {
        let split = split_of(&["100", "104", "108", "27.5"], &["25", "26", "27", "27.5"]);
        assert_eq!(split.as_deref(), Some("0.2500"));
    }

    #[test]
    fn changes_of_no_one_ratio_are_corrections() {
        assert_eq!(compared(&["100", "104", "108"], &["25", "26", "29"]), (3, None));
        assert_eq!(compared(&["100", "104", "108"], &["25", "104", "108"]), (1, None), "one candle is no history");
        assert_eq!(compared(&["100", "104", "108"], &["100", "26", "27"]), (2, None));
        assert_eq!(
            compared(&["100", "104", "108"], &["100.1", "104.1", "108.11"]),
            (3, None),
            "too little for a split"
        );
        assert_eq!(compared(&["100", "104", ""], &["25", "26", ""]), (2, None));
    }

    #[test]
    fn a_candle_without_a_price_hides_no_split() {
        assert_eq!(split_of(&["100", "", "104", "108"], &["25", "25.5", "26", "27"]).as_deref(), Some("0.2500"));
    }

    #[test]
    fn a_candle_that_is_kept_from_before_a_split_shows_none() {
        let mut kept = rows(&["400", "101", "102", "103"]);
        kept[3].fetched_at = Some("2024-12-20T22:00:00Z".parse().unwrap());
        let overlap = compare(&kept, &rows(&["100", "101", "102", "103"]), LATER.parse().unwrap());
        assert_eq!((overlap.split, overlap.changed, overlap.closes.len()), (None, 0, 4));
    }

    #[test]
    fn what_was_open_or_stands_on_one_side_only_is_not_compared() {
        let fetched = rows(&["1", "2", "3", "4"]);
        let overlap = compare(&rows(&["1", "2", "9"]), &fetched, "2024-12-02".parse().unwrap());
        assert_eq!((overlap.compared, overlap.changed), (2, 0));
        assert_eq!(compare(&[], &fetched, LATER.parse().unwrap()), Overlap::default());
    }

    #[test]
    fn numbers_too_large_to_compare_are_no_split() {
        let large = ["123456789012345678901234567890", "223456789012345678901234567890", "3"];
        assert_eq!(compared(&large, &["1", "2", "3"]), (2, None));
    }
}
