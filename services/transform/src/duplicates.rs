//! Rows of the same time.

use candlewick_shared::core::candle::Candle;

use crate::quarantine::Reason;

/// A raw row that is a possible candle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line it begins on, from 1.
    pub line: u64,
    /// What it says.
    pub candle: Candle,
}

/// What becomes of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// One row for each time that has a trustworthy one, ascending.
    pub kept: Vec<Row>,
    /// How many rows said the same as another one.
    pub collapsed: u64,
    /// The lines of those that are set aside.
    pub quarantined: Vec<(u64, Reason)>,
}

/// Sorts rows by time and settles those of the same time: equal ones collapse; of different ones the one with more volume
/// is kept, because a partial bar has less; where that does not tell, none can be trusted.
#[must_use]
pub fn resolve(mut rows: Vec<Row>) -> Resolved {
    rows.sort_unstable_by(|a, b| order(&a.candle).cmp(&order(&b.candle)).then(a.line.cmp(&b.line)));
    let before = rows.len();
    rows.dedup_by(|later, earlier| later.candle == earlier.candle);
    let mut resolved = Resolved { collapsed: (before - rows.len()) as u64, ..Resolved::default() };
    for same_time in rows.chunk_by(|a, b| a.candle.time == b.candle.time) {
        settle(same_time, &mut resolved);
    }
    resolved
}

/// Time first; then everything else, volume first, so that equal rows stand together and the largest volume last.
fn order(candle: &Candle) -> impl Ord + use<> {
    let Candle { time, open, high, low, close, volume, .. } = *candle;
    (time, volume, open, high, low, close)
}

fn settle(rows: &[Row], resolved: &mut Resolved) {
    let (last, others) = match rows {
        [] => return,
        [others @ .., last] => (last, others),
    };
    let tied = others.last().is_some_and(|other| other.candle.volume == last.candle.volume);
    if tied {
        resolved.quarantined.extend(rows.iter().map(|row| (row.line, Reason::ConflictingDuplicate)));
    } else {
        resolved.quarantined.extend(others.iter().map(|row| (row.line, Reason::LesserDuplicate)));
        resolved.kept.push(last.clone());
    }
}

#[cfg(test)]
mod tests {
    use candlewick_shared::core::candle::CandleTime;

    use super::*;

    /// A row at a second, with a close and perhaps a volume.
    fn row(line: u64, time: i64, close: &str, volume: Option<&str>) -> Row {
        let price = close.parse().unwrap();
        let volume = volume.map(|text| text.parse().unwrap());
        let time = CandleTime::from_seconds(time);
        Row {
            line,
            candle: Candle { time, open: price, high: price, low: price, close: price, volume, is_filled: false },
        }
    }

    fn lines(resolved: &Resolved) -> (Vec<u64>, u64, Vec<(u64, Reason)>) {
        (resolved.kept.iter().map(|row| row.line).collect(), resolved.collapsed, resolved.quarantined.clone())
    }

    #[test]
    fn rows_are_put_in_order_of_time() {
        let resolved = resolve(vec![row(2, 20, "1", None), row(3, 10, "1", None)]);
        assert_eq!(lines(&resolved), (vec![3, 2], 0, vec![]));
    }

    #[test]
    fn equal_rows_collapse_however_they_are_spelt() {
        let resolved = resolve(vec![row(2, 10, "1.50", Some("7")), row(3, 10, "1.5", Some("7.0"))]);
        assert_eq!(lines(&resolved), (vec![2], 1, vec![]));
    }

    #[test]
    fn of_different_rows_the_one_with_more_volume_is_kept() {
        let resolved =
            resolve(vec![row(2, 10, "1", Some("9")), row(3, 10, "2", Some("5")), row(4, 10, "3", Some("8"))]);
        assert_eq!(lines(&resolved), (vec![2], 0, vec![(3, Reason::LesserDuplicate), (4, Reason::LesserDuplicate)]));
    }

    #[test]
    fn where_volumes_do_not_tell_none_is_kept() {
        for volume in [None, Some("5")] {
            let resolved = resolve(vec![row(2, 10, "1", volume), row(3, 10, "2", volume), row(4, 20, "2", volume)]);
            let conflict = Reason::ConflictingDuplicate;
            assert_eq!(lines(&resolved), (vec![4], 0, vec![(2, conflict), (3, conflict)]));
        }
    }
}
