//! Candles that begin by the clock and not with the session: hours from 09:00 of a market that opens at 09:30, or the eight
//! hours from midnight in UTC of one whose day begins at 17:00 in New York.

use candlewick_shared::core::calendar::Calendar;
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::expected::Expected;
use crate::fault::{Fault, Reason, SetAside};
use crate::row::Row;

/// What fits where candles begin by the clock.
pub const BY_THE_CLOCK: &str = "the clock, not the open of the session";

/// How many of all rows in a hundred must be of no slot though the market is open, so that the file has another grid than the
/// calendar.
const FEWEST_STRAYS: usize = 20;

/// How many of all rows in a hundred must be of times at which the market is open.
const MOST_OPEN: usize = 80;

/// Whether rows have a grid of their own, by the clock: all begin at multiples of their length from midnight, in UTC or where the
/// market is, nearly all while it is open, and many of them at no slot.
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

/// Whether the market is open at any time of a candle.
fn is_open(row: &Row, calendar: &Calendar, expected: &Expected<'_>) -> bool {
    let start = row.time.seconds();
    let length = expected.interval.seconds().unwrap_or(0);
    let Some(date) = row.time.date() else { return false };
    let dates = date.yesterday().unwrap_or(date)..=date.tomorrow().unwrap_or(date);
    let Ok(mut sessions) = calendar.sessions(dates) else { return true };
    sessions.any(|session| session.parts().any(|(open, close)| start < close && open < start + length))
        || expected.is_extended_hours(start)
}

/// Takes out the rows of times at which the market is shut.
pub fn take_shut(rows: &mut Vec<Row>, expected: &Expected<'_>) -> Vec<SetAside> {
    let Some(calendar) = expected.calendar else { return Vec::new() };
    let shut = rows.extract_if(.., |row| !is_open(row, calendar, expected));
    shut.map(stray).collect()
}

/// A row of no slot.
pub fn stray(row: Row) -> SetAside {
    SetAside { start: row.start, time: Some(row.time), fault: Fault { column: "time", reason: Reason::NoSlot } }
}
