//! Tells apart the local times in an hour that clocks repeat, by the order of rows.

use candlewick_shared::core::candle::CandleTime;

use crate::row::Row;

/// The longest time that clocks repeat, in seconds: an hour, except on Lord Howe Island, where it is half an hour.
const LONGEST: i64 = 3600;

/// A row whose local time happened twice. The row itself has the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated {
    /// The index of the row.
    pub at: usize,
    /// The second instant with this local time.
    pub second: CandleTime,
}

/// Assigns the second time to a row if the row before it in order of time is not before its first time.
///
/// The rows are in the order of the text. If they are in descending order of time, they are processed from the end.
pub fn settle(rows: &mut [Row], repeated: &[Repeated]) {
    let descends = rows.first().zip(rows.last()).is_some_and(|(first, last)| first.time > last.time);
    let ordered: Box<dyn Iterator<Item = &Repeated>> =
        if descends { Box::new(repeated.iter().rev()) } else { Box::new(repeated.iter()) };
    for &Repeated { at, second } in ordered {
        let before = if descends { rows.get(at + 1) } else { at.checked_sub(1).and_then(|before| rows.get(before)) };
        let is_second = before.is_some_and(|before| {
            (rows[at].time.seconds()..second.seconds() + LONGEST).contains(&before.time.seconds())
        });
        if is_second {
            rows[at].time = second;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Settles times in minutes since the start of the repeated hour; times within that hour may be the second ones.
    fn settled(minutes: &[i64]) -> Vec<i64> {
        let row = |(start, minute): (usize, &i64)| Row {
            time: CandleTime::from_seconds(minute * 60),
            start,
            numbers: None,
            has_time_of_day: true,
            is_filled: false,
        };
        let mut rows: Vec<_> = minutes.iter().enumerate().map(row).collect();
        let is_within = |(_, minute): &(usize, &i64)| (0..60).contains(*minute);
        let second = |minute: i64| CandleTime::from_seconds((minute + 60) * 60);
        let repeated: Vec<_> = minutes.iter().enumerate().filter(is_within).collect();
        let repeated: Vec<_> =
            repeated.iter().map(|(at, minute)| Repeated { at: *at, second: second(**minute) }).collect();
        settle(&mut rows, &repeated);
        rows.iter().map(|row| row.time.seconds() / 60).collect()
    }

    #[test]
    fn the_second_of_two_is_the_later_one_in_either_order() {
        assert_eq!(settled(&[-60, 0, 0, 120]), [-60, 0, 60, 120]);
        assert_eq!(settled(&[120, 0, 0, -60]), [120, 60, 0, -60]);
        assert_eq!(settled(&[-5, 0, 30, 0, 30, 120]), [-5, 0, 30, 60, 90, 120]);
        assert_eq!(settled(&[120, 30, 0, 30, 0, -5]), [120, 90, 60, 30, 0, -5]);
    }

    #[test]
    fn one_alone_is_the_first() {
        assert_eq!(settled(&[-60, 0, 120]), [-60, 0, 120]);
        assert_eq!(settled(&[120, 0, -60]), [120, 0, -60]);
        assert_eq!(settled(&[0]), [0]);
    }

    #[test]
    fn a_gap_in_the_first_hour_does_not_draw_rows_of_the_second_into_it() {
        assert_eq!(settled(&[0, 10, 0, 5, 20]), [0, 10, 60, 65, 80]);
    }
}
