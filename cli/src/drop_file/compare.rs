//! Compares a new version of an object with its series.

use std::collections::BTreeMap;

use candlewick_shared::core::candle::{Candle, CandleTime};
use jiff::Timestamp;

/// A transformed object of the series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CleanObject {
    /// Decides which of two objects is the newer: when its raw object was written, then its key.
    pub age: (Timestamp, String),
    /// The candles, ascending.
    pub candles: Vec<Candle>,
}

/// What a new version of an object changes. Only real candles count; filled ones are ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Candles that the series did not have.
    pub new: u64,
    /// Candles with different values.
    pub changed: u64,
    /// Candles with the same values.
    pub unchanged: u64,
    /// Candles that the series would lose.
    pub lost: u64,
    /// The times of the first and the last lost candle.
    pub span: Option<(CandleTime, CandleTime)>,
}

/// Compares the current series with the one after the change: `coming` would replace `own` and be the newest object. A
/// filled candle of it takes the place of no real one of another object.
pub fn compare(own: Option<&CleanObject>, others: &[CleanObject], coming: &[Candle]) -> Change {
    let before = union(own.into_iter().chain(others));
    let rest = union(others);
    let coming: BTreeMap<CandleTime, &Candle> = coming.iter().map(|candle| (candle.time, candle)).collect();
    let touched = own.into_iter().flat_map(|own| own.candles.iter().map(|candle| candle.time));
    let mut touched: Vec<CandleTime> = touched.chain(coming.keys().copied()).collect();
    touched.sort_unstable();
    touched.dedup();
    let mut change = Change::default();
    for time in touched {
        let after = stronger(rest.get(&time).copied(), coming.get(&time).copied());
        change.add(time, before.get(&time).copied(), after);
    }
    change
}

/// Of two claims of a candle, the real one, and of two of the same kind the newer one.
fn stronger<'a>(older: Option<&'a Candle>, newer: Option<&'a Candle>) -> Option<&'a Candle> {
    let is_kept = |older: &&Candle| newer.is_none_or(|newer| newer.is_filled && !older.is_filled);
    older.filter(is_kept).or(newer)
}

/// The candles of a series. Of objects that claim the same candle, the newest has it, but a real candle goes before a filled
/// one.
fn union<'a>(objects: impl IntoIterator<Item = &'a CleanObject>) -> BTreeMap<CandleTime, &'a Candle> {
    let mut objects: Vec<_> = objects.into_iter().collect();
    objects.sort_by(|one, other| one.age.cmp(&other.age));
    let mut union: BTreeMap<CandleTime, &Candle> = BTreeMap::new();
    for candle in objects.iter().flat_map(|object| &object.candles) {
        let strongest = stronger(union.get(&candle.time).copied(), Some(candle)).unwrap_or(candle);
        union.insert(candle.time, strongest);
    }
    union
}

impl Change {
    fn add(&mut self, time: CandleTime, before: Option<&Candle>, after: Option<&Candle>) {
        let real = |candle: Option<&'_ Candle>| candle.filter(|candle| !candle.is_filled).copied();
        match (real(before), real(after)) {
            (None, None) => {}
            (None, Some(_)) => self.new += 1,
            (Some(before), Some(after)) if before == after => self.unchanged += 1,
            (Some(_), Some(_)) => self.changed += 1,
            (Some(_), None) => {
                self.lost += 1;
                self.span = Some((self.span.map_or(time, |(first, _)| first), time));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_map;
    use proptest::prelude::*;

    use super::*;

    type Minutes = BTreeMap<i64, (u32, bool)>;

    fn candles(minutes: &Minutes) -> Vec<Candle> {
        let candle = |(minute, (price, is_filled)): (&i64, &(u32, bool))| {
            let price = price.to_string().parse().unwrap();
            let time = CandleTime::from_seconds(minute * 60);
            Candle { time, open: price, high: price, low: price, close: price, volume: None, is_filled: *is_filled }
        };
        minutes.iter().map(candle).collect()
    }

    fn real(minutes: &[(i64, u32)]) -> Minutes {
        minutes.iter().map(|(minute, price)| (*minute, (*price, false))).collect()
    }

    fn object(second: i64, minutes: &Minutes) -> CleanObject {
        CleanObject { age: (Timestamp::from_second(second).unwrap(), format!("k{second}")), candles: candles(minutes) }
    }

    fn counts(change: Change) -> [u64; 4] {
        [change.new, change.changed, change.unchanged, change.lost]
    }

    #[test]
    fn what_is_new_changed_the_same_and_lost_is_counted() {
        let own = object(1, &real(&[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]));
        let change = compare(Some(&own), &[], &candles(&real(&[(2, 2), (3, 9), (7, 7)])));
        assert_eq!(counts(change), [1, 1, 1, 3]);
        let minutes = change.span.map(|(first, last)| (first.seconds() / 60, last.seconds() / 60));
        assert_eq!(minutes, Some((1, 5)));
        assert_eq!(counts(compare(None, &[], &own.candles)), [5, 0, 0, 0]);
    }

    #[test]
    fn a_filled_candle_is_as_good_as_none() {
        let mut with_filled = real(&[(1, 1), (3, 3)]);
        with_filled.insert(2, (1, true));
        let filled = object(1, &with_filled);
        let full = object(1, &real(&[(1, 1), (2, 2), (3, 3)]));
        assert_eq!(counts(compare(Some(&filled), &[], &full.candles)), [1, 0, 2, 0]);
        assert_eq!(counts(compare(Some(&full), &[], &filled.candles)), [0, 0, 2, 1]);
    }

    #[test]
    fn what_another_object_has_is_not_lost() {
        let own = object(2, &real(&[(1, 1), (2, 2)]));
        let other = object(1, &real(&[(2, 9)]));
        assert_eq!(counts(compare(Some(&own), std::slice::from_ref(&other), &candles(&real(&[(1, 1)])))), [0, 1, 1, 0]);
        // A newer object's candle is taken over by the file, which will be newer still.
        let newer = object(3, &real(&[(2, 9)]));
        let taken = candles(&real(&[(1, 1), (2, 2)]));
        assert_eq!(counts(compare(Some(&own), &[newer], &taken)), [0, 1, 1, 0]);
    }

    #[test]
    fn a_filled_candle_takes_no_real_one_from_another_object() {
        let other = object(1, &real(&[(2, 9)]));
        let mut with_filled = real(&[(1, 1), (3, 3)]);
        with_filled.insert(2, (1, true));
        let change = compare(None, &[other], &candles(&with_filled));
        assert_eq!(counts(change), [2, 0, 1, 0]);
    }

    fn minutes() -> impl Strategy<Value = Minutes> {
        btree_map(0..8_i64, (1..3_u32, any::<bool>()), 0..8)
    }

    proptest! {
        /// The real candles before and after, by two ways: counted here, and by putting the objects together.
        #[test]
        fn the_counts_are_those_of_the_series(own in minutes(), other in minutes(), coming in minutes(), older in any::<bool>()) {
            let own = object(2, &own);
            let other = object(if older { 1 } else { 3 }, &other);
            let new = object(4, &coming);
            let change = compare(Some(&own), std::slice::from_ref(&other), &new.candles);
            let real = |objects: &[&CleanObject]| {
                union(objects.iter().copied()).values().filter(|candle| !candle.is_filled).count() as u64
            };
            let before = real(&[&own, &other]);
            let after = real(&[&new, &other]);
            prop_assert_eq!(before + change.new, after + change.lost);
            prop_assert_eq!(change.lost == 0, change.span.is_none());
        }
    }
}
