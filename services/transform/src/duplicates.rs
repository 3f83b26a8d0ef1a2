//! Resolves rows with the same time.

use candlewick_shared::core::candle::{Candle, CandleTime};
use candlewick_shared::core::decimal::Decimal;

use crate::fault::{Fault, QuarantinedRow, Reason};
use crate::row::Row;

/// The result for rows that shared their time with others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// How many rows were equal to another one.
    pub collapsed: u64,
    /// The rows to quarantine.
    pub quarantined: Vec<QuarantinedRow>,
    /// The times of rows whose prices have nothing in common.
    pub unlike: Vec<CandleTime>,
}

/// Keeps one row for each time, if one can be trusted. Equal rows collapse. Of different rows the one with the
/// largest volume is kept, because a partial bar has less; if the volumes do not decide, all of them are quarantined.
///
/// The rows are in ascending order of time. `candle` parses a row again, which few rows need.
pub fn resolve(rows: &mut Vec<Row>, mut candle: impl FnMut(&Row) -> Result<Candle, Fault>) -> Resolved {
    let mut resolved = Resolved::default();
    // In nearly every file no two rows share a time, and then nothing has to be copied.
    if rows.windows(2).all(|pair| pair[0].time != pair[1].time) {
        return resolved;
    }
    let mut at = 0;
    let mut kept = 0;
    while let Some(row) = rows.get(at) {
        let same = rows[at..].iter().take_while(|other| other.time == row.time).count();
        let winner = if same == 1 { Some(*row) } else { resolved.settle(&rows[at..at + same], &mut candle) };
        if let Some(winner) = winner {
            rows[kept] = winner;
            kept += 1;
        }
        at += same;
    }
    rows.truncate(kept);
    resolved
}

impl Resolved {
    fn settle(&mut self, rows: &[Row], mut candle: impl FnMut(&Row) -> Result<Candle, Fault>) -> Option<Row> {
        let mut candles = Vec::with_capacity(rows.len());
        for row in rows {
            match candle(row) {
                Ok(candle) => candles.push((candle, *row)),
                Err(fault) => self.quarantined(row, fault),
            }
        }
        candles.sort_unstable_by_key(|(candle, row)| (value(candle), row.start));
        let before = candles.len();
        candles.dedup_by_key(|(candle, _)| value(candle));
        drop_rows_without_volume(&mut candles);
        if let Some((candle, _)) = candles.first().filter(|_| are_unlike(&candles)) {
            self.unlike.push(candle.time);
        }
        self.collapsed += (before - candles.len()) as u64;
        self.most_traded(&candles)
    }

    /// The last of different candles in ascending order of volume, unless the one before it has the same volume or a
    /// volume is unknown.
    fn most_traded(&mut self, candles: &[(Candle, Row)]) -> Option<Row> {
        let ((last, winner), others) = candles.split_last()?;
        let is_unclear = |other: &Candle| other.volume.is_none() || other.volume == last.volume;
        let is_tied = others.iter().any(|(other, _)| is_unclear(other));
        let (losers, reason) =
            if is_tied { (candles, Reason::ConflictingDuplicate) } else { (others, Reason::LesserDuplicate) };
        losers.iter().for_each(|(_, row)| self.quarantined(row, Fault { column: "time", reason }));
        (!is_tied).then_some(*winner)
    }

    fn quarantined(&mut self, row: &Row, fault: Fault) {
        self.quarantined.push(QuarantinedRow { start: row.start, time: Some(row.time), fault });
    }
}

/// Whether the highest price of one candle is so far below the lowest of another that they cannot be of the same instrument.
fn are_unlike(candles: &[(Candle, Row)]) -> bool {
    let least_high = candles.iter().map(|(candle, _)| candle.high).min();
    let most_low = candles.iter().map(|(candle, _)| candle.low).max();
    least_high.zip(most_low).is_some_and(|(high, low)| high.is_positive() && is_below(high, 3, low, 2).unwrap_or(false))
}

/// Whether a multiple of one number is less than that of another; `None` if they are too large to tell.
fn is_below(one: Decimal, times: i128, other: Decimal, other_times: i128) -> Option<bool> {
    let scale = one.scale().max(other.scale());
    let whole = |number: Decimal, times: i128| {
        let power = 10_i128.checked_pow(u32::from(scale - number.scale()))?;
        number.mantissa().checked_mul(power)?.checked_mul(times)
    };
    Some(whole(one, times)? < whole(other, other_times)?)
}

/// Removes rows that equal another row except that their volume is unknown.
fn drop_rows_without_volume(candles: &mut Vec<(Candle, Row)>) {
    let prices = |candle: &Candle| (candle.open, candle.high, candle.low, candle.close);
    let known: Vec<_> =
        candles.iter().filter(|(candle, _)| candle.volume.is_some()).map(|(candle, _)| prices(candle)).collect();
    candles.retain(|(candle, _)| candle.volume.is_some() || !known.contains(&prices(candle)));
}

/// The values of a candle, volume first, so that equal candles are adjacent and the largest volume is last.
fn value(candle: &Candle) -> impl Ord + use<> {
    let Candle { volume, open, high, low, close, .. } = *candle;
    (volume, open, high, low, close)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The indexes of the kept rows, the count of collapsed rows, and the indexes and reasons of quarantined rows.
    /// The input has a time, a close and perhaps a volume for each row, in ascending order of time.
    fn resolved(rows: &[(i64, &str, Option<&str>)]) -> (Vec<usize>, u64, Vec<(usize, Reason)>) {
        let row = |(start, row): (usize, &(i64, &str, Option<&str>))| Row {
            time: CandleTime::from_seconds(row.0),
            start,
            numbers: None,
            has_time_of_day: false,
            is_filled: false,
        };
        let mut left: Vec<Row> = rows.iter().enumerate().map(row).collect();
        let resolved = resolve(&mut left, |row| {
            let (_, close, volume) = rows[row.start];
            let price = close.parse().unwrap();
            let volume = volume.map(|text| text.parse().unwrap());
            Ok(Candle { time: row.time, open: price, high: price, low: price, close: price, volume, is_filled: false })
        });
        let quarantined =
            resolved.quarantined.iter().map(|quarantined| (quarantined.start, quarantined.fault.reason)).collect();
        (left.iter().map(|row| row.start).collect(), resolved.collapsed, quarantined)
    }

    #[test]
    fn equal_rows_collapse_however_they_are_spelt() {
        assert_eq!(resolved(&[(10, "1.50", Some("7")), (10, "1.5", Some("7.0"))]), (vec![0], 1, vec![]));
    }

    #[test]
    fn of_different_rows_the_one_with_more_volume_is_kept() {
        let lesser = Reason::LesserDuplicate;
        let rows = [(10, "1", Some("9")), (10, "2", Some("5")), (10, "3", Some("8")), (20, "1", Some("1"))];
        assert_eq!(resolved(&rows), (vec![0, 3], 0, vec![(1, lesser), (2, lesser)]));
    }

    #[test]
    fn a_row_that_lacks_only_the_volume_says_nothing_new() {
        assert_eq!(resolved(&[(10, "1.5", None), (10, "1.5", Some("7"))]), (vec![1], 1, vec![]));
        let conflict = Reason::ConflictingDuplicate;
        let rows = [(10, "1.5", None), (10, "1.6", Some("7")), (10, "1.7", Some("9"))];
        assert_eq!(resolved(&rows), (vec![], 0, vec![(0, conflict), (1, conflict), (2, conflict)]));
    }

    #[test]
    fn where_volumes_do_not_tell_none_is_kept() {
        for volume in [None, Some("5")] {
            let conflict = Reason::ConflictingDuplicate;
            let rows = [(10, "1", volume), (10, "2", volume), (20, "2", volume)];
            assert_eq!(resolved(&rows), (vec![2], 0, vec![(0, conflict), (1, conflict)]));
        }
    }
}
