//! Candles that a source stamps with their end and not with their start.

use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::form::Stamped;
use candlewick_shared::core::interval::Interval;

use crate::expected::Expected;
use crate::refusal::Refusal;
use crate::row::Row;
use crate::task::Task;

/// What the candles are stamped with, for the report.
pub const STAMPED: &str = "the end of each candle";

/// Fewer rows than this can be at the close by chance.
const FEWEST: usize = 3;

/// How many seconds before its stamp a candle begins.
pub fn shift(task: &Task<'_>) -> i64 {
    let interval = task.series.interval;
    match task.settings.form.stamped {
        Some(Stamped::End) if interval.is_intraday() => interval.seconds().unwrap_or(0),
        _ => 0,
    }
}

/// Moves candles that end with a slot which is shorter than their length to the start of that slot: the last hour of a
/// session may be half an hour. `rows` are in ascending order of time, each `length` seconds before its stamp.
pub fn move_to_shorter_slots(rows: &mut [Row], length: i64, expected: &Expected<'_>) {
    let Some(calendar) = expected.calendar else { return };
    let interval = expected.interval;
    for row in rows.iter_mut() {
        let time = row.time.seconds();
        if calendar.is_slot(interval, time).is_ok_and(|is_slot| !is_slot)
            && let Some(start) = slot_that_ends(calendar, interval, time, time + length)
        {
            row.time = CandleTime::from_seconds(start);
        }
    }
    rows.sort_by_key(|row| row.time);
}

/// The slot between two instants that ends with the second one.
fn slot_that_ends(calendar: &Calendar, interval: Interval, after: i64, end: i64) -> Option<i64> {
    let mut slots = calendar.possible_slots(interval, after + 1..=end - 1).ok()?;
    slots.find(|slot| calendar.slot_end(interval, *slot) == Ok(Some(end)))
}

/// Refuses rows whose times are plainly the ends of candles: in most sessions the first one is an interval after the open
/// and the last one is at the close, and in no session a candle begins with it. `rows` are in ascending order of time.
pub fn check(rows: &[Row], expected: &Expected<'_>) -> Result<(), Refusal> {
    let (Some(calendar), Some(length)) = (expected.calendar, expected.interval.seconds()) else { return Ok(()) };
    if !expected.interval.is_intraday() || expected.is_extended || rows.len() < FEWEST {
        return Ok(());
    }
    let mut evidence = Evidence::default();
    for (open, close) in openings(calendar, rows) {
        let from = rows.partition_point(|row| row.time.seconds() <= open - length);
        let to = rows.partition_point(|row| row.time.seconds() <= close);
        evidence.see(&rows[from..to], (open, close), length);
    }
    match evidence {
        Evidence { sessions, starts: 0, late, ends, example: Some((first, last)) }
            if late * 2 >= sessions && ends * 2 >= sessions =>
        {
            let shown = |row: Row| row.time.display(expected.interval).to_string();
            Err(Refusal::StampedAtEnd { first: shown(first), last: shown(last) })
        }
        _ => Ok(()),
    }
}

/// The spans of time in which the market is open around the rows. Sessions that follow each other without a pause are one.
fn openings(calendar: &Calendar, rows: &[Row]) -> Vec<(i64, i64)> {
    let date = |row: Option<&Row>| row.and_then(|row| row.time.date());
    let (Some(first), Some(last)) = (date(rows.first()), date(rows.last())) else { return Vec::new() };
    let coverage = calendar.coverage();
    let from = first.yesterday().unwrap_or(first).max(*coverage.start());
    let through = last.tomorrow().unwrap_or(last).min(*coverage.end());
    let mut openings: Vec<(i64, i64)> = Vec::new();
    for session in calendar.sessions(from..=through).into_iter().flatten() {
        match openings.last_mut() {
            Some((_, close)) if *close >= session.open => *close = session.close,
            _ => openings.push((session.open, session.close)),
        }
    }
    openings
}

/// What the rows of sessions show.
#[derive(Clone, Copy, Debug, Default)]
struct Evidence {
    /// The sessions that have rows.
    sessions: usize,
    /// Those in which a candle begins with the session.
    starts: usize,
    /// Those whose first row is an interval late.
    late: usize,
    /// Those whose last row is at the close.
    ends: usize,
    /// The first and the last row of a session that is late and has a row at the close.
    example: Option<(Row, Row)>,
}

impl Evidence {
    /// Adds the rows from one interval before the open to the close.
    fn see(&mut self, rows: &[Row], (open, close): (i64, i64), length: i64) {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return };
        let is_start = first.time.seconds() <= open;
        let is_late = !is_start && first.time.seconds() - length <= open;
        let is_end = last.time.seconds() == close;
        self.sessions += 1;
        self.starts += usize::from(is_start);
        self.late += usize::from(is_late);
        self.ends += usize::from(is_end);
        if is_late && is_end {
            self.example.get_or_insert((*first, *last));
        }
    }
}
