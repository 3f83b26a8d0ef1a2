//! The union of the objects of a series in order of time, as the loader should leave it in the table.

use std::cmp::Reverse;
use std::sync::Arc;

use candlewick_shared::core::candle::{Candle, CandleTime};
use jiff::Timestamp;

/// The owner of a candle. If two objects claim a candle, a real candle goes before a filled one, and then the greater owner
/// wins. If both raw objects were written in the same second, the bytes of the key decide.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// When the raw object of the transformed object was written.
    pub raw_written: Timestamp,
    /// The key of the transformed object.
    pub key: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The caller must open this object before the union can continue.
    Open(Arc<str>),
    /// The next candle and its owner.
    Candle(Candle, Owner),
    End,
}

/// Merges objects. Only those that overlap the current time are open. It does no I/O: it names the object that
/// it needs, and the caller passes it in.
#[derive(Debug, Default)]
pub struct Union {
    /// Objects that are not open yet, the earliest last.
    waiting: Vec<(CandleTime, Arc<str>)>,
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    owner: Owner,
    candles: std::iter::Peekable<std::vec::IntoIter<Candle>>,
}

impl Union {
    /// Takes the time of the first candle and the key of each object.
    pub fn new(beginnings: impl IntoIterator<Item = (CandleTime, String)>) -> Self {
        let mut waiting: Vec<_> = beginnings.into_iter().map(|(time, key)| (time, Arc::from(key))).collect();
        waiting.sort_by_key(|(time, key): &(CandleTime, Arc<str>)| Reverse((*time, Arc::clone(key))));
        Self { waiting, open: Vec::new() }
    }

    /// Opens the object that [`Step::Open`] named. Its candles must ascend.
    pub fn open(&mut self, owner: Owner, candles: Vec<Candle>) {
        self.waiting.retain(|(_, key)| *key != owner.key);
        self.open.push(Open { owner, candles: candles.into_iter().peekable() });
    }

    pub fn step(&mut self) -> Step {
        self.open.retain_mut(|open| open.candles.peek().is_some());
        let next = self.open.iter_mut().filter_map(|open| open.candles.peek().map(|candle| candle.time)).min();
        match (self.waiting.last(), next) {
            (Some((begins, key)), time) if time.is_none_or(|time| *begins <= time) => Step::Open(Arc::clone(key)),
            (_, Some(time)) => self.strongest_at(time),
            (_, None) => Step::End,
        }
    }

    /// Takes all claims on a time and returns the strongest one.
    fn strongest_at(&mut self, time: CandleTime) -> Step {
        let claims = self
            .open
            .iter_mut()
            .filter_map(|open| Some((open.owner.clone(), open.candles.next_if(|candle| candle.time == time)?)));
        let strength = |(owner, candle): &(Owner, Candle)| (!candle.is_filled, owner.clone());
        let strongest = claims.max_by_key(strength);
        strongest.map_or(Step::End, |(owner, candle)| Step::Candle(candle, owner))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use candlewick_shared::core::decimal::Decimal;
    use proptest::prelude::*;

    use super::*;

    type Objects = BTreeMap<String, (i64, BTreeSet<i64>)>;

    /// Of an object that was written at this time, every candle at an even time is filled.
    const FILLING: i64 = 2;

    fn is_filled(age: i64, time: i64) -> bool {
        age == FILLING && time % 2 == 0
    }

    fn candles(age: i64, times: &BTreeSet<i64>) -> Vec<Candle> {
        let price = Decimal::ZERO;
        let candle = |time: &i64| Candle {
            time: CandleTime::from_seconds(*time),
            open: price,
            high: price,
            low: price,
            close: price,
            volume: None,
            is_filled: is_filled(age, *time),
        };
        times.iter().map(candle).collect()
    }

    /// The owner of each time, and the most objects that were open at once.
    fn merged(objects: &Objects) -> (Vec<(i64, String)>, usize) {
        let beginnings = objects
            .iter()
            .filter_map(|(key, (_, times))| Some((CandleTime::from_seconds(*times.first()?), key.clone())));
        let mut union = Union::new(beginnings);
        let mut all = Vec::new();
        let mut most = 0;
        loop {
            match union.step() {
                Step::Open(key) => {
                    let (age, times) = &objects[&*key];
                    let owner = Owner { raw_written: Timestamp::from_second(*age).unwrap(), key };
                    union.open(owner, candles(*age, times));
                    most = most.max(union.open.len());
                }
                Step::Candle(candle, owner) => all.push((candle.time.seconds(), owner.key.to_string())),
                Step::End => return (all, most),
            }
        }
    }

    /// The same result, by writing each object over the older ones: first all filled candles, then all real ones.
    fn written_over(objects: &Objects) -> Vec<(i64, String)> {
        let mut by_age: Vec<_> = objects.iter().map(|(key, (age, times))| (age, key, times)).collect();
        by_age.sort();
        let mut table = BTreeMap::new();
        for wanted in [true, false] {
            for (age, key, times) in &by_age {
                let written = times.iter().filter(|time| is_filled(**age, **time) == wanted);
                table.extend(written.map(|time| (*time, (*key).clone())));
            }
        }
        table.into_iter().collect()
    }

    #[test]
    fn months_that_follow_each_other_are_open_one_at_a_time() {
        let month = |first: i64| (1, (first..first + 30).collect());
        let objects =
            BTreeMap::from([("a".to_owned(), month(0)), ("b".to_owned(), month(30)), ("c".to_owned(), month(60))]);
        let (all, most) = merged(&objects);
        assert_eq!((all.len(), most), (90, 1));
    }

    #[test]
    fn nothing_has_no_union() {
        assert_eq!(Union::default().step(), Step::End);
    }

    proptest! {
        #[test]
        fn it_is_what_writing_the_objects_in_the_order_of_their_strength_would_leave(
            objects in prop::collection::btree_map(
                "[a-f]", (0..3_i64, prop::collection::btree_set(0..40_i64, 0..12)), 0..5)
        ) {
            prop_assert_eq!(merged(&objects).0, written_over(&objects));
        }
    }
}
