//! Detects candles that begin by the clock and not with the session: full hours in a market that opens at 09:30, or
//! the eight hours from midnight UTC in a market whose day begins at 17:00 in New York.

use candlewick_shared::core::calendar::Calendar;
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::expected::Expected;
use crate::fault::{Fault, QuarantinedRow, Reason};
use crate::row::Row;

/// What the candles are aligned to, for the report.
pub const BY_THE_CLOCK: &str = "the clock, not the open of the session";

/// The percentage of all rows that must match no slot although the market is open, before the file counts as having
/// another grid than the calendar.
const FEWEST_STRAYS: usize = 20;

/// The percentage of all rows that must be within the market's hours.
const MOST_OPEN: usize = 80;

/// Whether rows have a grid of their own, by the clock: all begin at multiples of their length from midnight, in UTC
/// or in the market's time zone, nearly all are within the market's hours, and many match no slot.
pub fn is_by_the_clock(rows: &[Row], strays: &[Row], expected: &Expected<'_>) -> bool {
    let (Some(calendar), Some(length)) = (expected.calendar, expected.interval.seconds()) else { return false };
    let all = || rows.iter().chain(strays);
    let count = rows.len() + strays.len();
    if !expected.interval.is_intraday() || count < 2 || strays.len() * 100 < count * FEWEST_STRAYS {
        return false;
    }
    let zones = [TimeZone::get(calendar.timezone()).ok(), Some(TimeZone::UTC)];
    let is_open = |row: &&Row| is_open(row, calendar, expected);
    if strays.iter().filter(is_open).count() * 100 < count * FEWEST_STRAYS {
        return false;
    }
    let is_aligned = zones.into_iter().flatten().any(|zone| all().all(|row| is_multiple(row, length, &zone)));
    is_aligned && all().filter(is_open).count() * 100 >= count * MOST_OPEN
}

fn is_multiple(row: &Row, length: i64, zone: &TimeZone) -> bool {
    let Ok(instant) = Timestamp::from_second(row.time.seconds()) else { return false };
    let time = zone.to_datetime(instant).time();
    time.duration_since(Time::midnight()).as_secs() % length == 0
}

/// Whether the market is open at any time within a candle.
fn is_open(row: &Row, calendar: &Calendar, expected: &Expected<'_>) -> bool {
    let start = row.time.seconds();
    let length = expected.interval.seconds().unwrap_or(0);
    let Some(date) = row.time.date() else { return false };
    let dates = date.yesterday().unwrap_or(date)..=date.tomorrow().unwrap_or(date);
    let Ok(mut sessions) = calendar.sessions(dates) else { return true };
    sessions.any(|session| session.parts().any(|(open, close)| start < close && open < start + length))
        || expected.is_extended_hours(start)
}

/// Removes the rows of times at which the market is closed.
pub fn take_shut(rows: &mut Vec<Row>, expected: &Expected<'_>) -> Vec<QuarantinedRow> {
    let Some(calendar) = expected.calendar else { return Vec::new() };
    let shut = rows.extract_if(.., |row| !is_open(row, calendar, expected));
    shut.map(stray).collect()
}

/// Quarantines a row that matches no slot.
pub fn stray(row: Row) -> QuarantinedRow {
    QuarantinedRow { start: row.start, time: Some(row.time), fault: Fault { column: "time", reason: Reason::NoSlot } }
}
