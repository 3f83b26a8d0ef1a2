//! Which candles must exist and which cannot exist yet: checks rows and gaps against the calendar.

use std::ops::RangeInclusive;

use candlewick_shared::core::calendar::{Calendar, last_date};
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::watchlist::Sessions;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::fault::{Fault, QuarantinedRow, Reason};
use crate::row::Row;
use crate::task::Task;

/// The candles to expect in a series.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// The calendar, if one is known.
    pub calendar: Option<&'static Calendar>,
    pub interval: Interval,
    /// The time zone in which dates begin and end if there is no calendar.
    pub zone: &'a TimeZone,
    /// When the source returned the data.
    pub now: Timestamp,
    /// Whether candles before and after the session are wanted too.
    pub is_extended: bool,
    /// Whether the source's candles begin by the clock; the slots are unknown then.
    pub is_by_the_clock: bool,
}

/// A slot that was not over when the source was asked.
enum Open {
    /// The slot had begun: its candle could still change.
    Provisional,
    /// The slot had not begun.
    Future,
}

impl<'a> Expected<'a> {
    /// The candles to expect in an object, by the calendar that was chosen for it.
    pub fn of(task: &Task<'a>, calendar: Option<&'static Calendar>) -> Self {
        Self {
            calendar,
            interval: task.series.interval,
            zone: task.zone,
            now: task.now,
            is_extended: task.settings.sessions == Sessions::Extended,
            is_by_the_clock: false,
        }
    }
}

impl Expected<'_> {
    /// The times, in seconds, that the calendar can classify as slots or not.
    pub fn covered(&self) -> RangeInclusive<i64> {
        let calendar = self.calendar.filter(|_| !self.is_by_the_clock);
        calendar.map_or(RangeInclusive::new(1, 0), |calendar| calendar.covered_stamps(self.interval))
    }

    /// The slots between two times, as far as the calendar covers them.
    pub fn slots(&self, from: i64, through: i64) -> impl Iterator<Item = i64> + use<> {
        let covered = self.covered();
        let range = from.max(*covered.start())..=through.min(*covered.end());
        let slots = self.calendar.filter(|_| !range.is_empty()).map(|calendar| calendar.slots(self.interval, range));
        slots.and_then(Result::ok).into_iter().flatten()
    }

    /// The slots between two times that may have candles. This includes slots in which no candle is expected because
    /// only some venues trade.
    fn possible_slots(&self, from: i64, through: i64) -> impl Iterator<Item = i64> + use<> {
        let covered = self.covered();
        let range = from.max(*covered.start())..=through.min(*covered.end());
        let calendar = self.calendar.filter(|_| !range.is_empty());
        let slots = calendar.map(|calendar| calendar.possible_slots(self.interval, range));
        slots.and_then(Result::ok).into_iter().flatten()
    }

    /// Removes the rows that match no slot. Rows are in ascending order of time; those that the calendar does not
    /// cover are kept.
    pub fn take_strays(&self, rows: &mut Vec<Row>) -> Vec<Row> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Vec::new() };
        let mut slots = self.possible_slots(first.time.seconds(), last.time.seconds());
        let mut slot = slots.next();
        let covered = self.covered();
        let mut strays = Vec::new();
        rows.retain(|row| {
            let time = row.time.seconds();
            while slot.is_some_and(|slot| slot < time) {
                slot = slots.next();
            }
            let stays = slot == Some(time) || !covered.contains(&time) || self.is_extended_hours(time);
            if !stays {
                strays.push(*row);
            }
            stays
        });
        strays
    }

    /// Whether a time is before or after the session of its date and such candles are wanted: from 04:00 to 20:00 in
    /// the market's time zone, the extended hours of exchanges in the United States.
    pub fn is_extended_hours(&self, time: i64) -> bool {
        let Some(calendar) = self.calendar.filter(|_| self.is_extended && self.interval.is_intraday()) else {
            return false;
        };
        let (Ok(zone), Ok(instant)) = (TimeZone::get(calendar.timezone()), Timestamp::from_second(time)) else {
            return false;
        };
        let local = zone.to_datetime(instant);
        let has_session = matches!(calendar.session(local.date()), Ok(Some(_)));
        has_session && (4..20).contains(&local.hour())
    }

    /// Removes the rows of slots that were not over, which can only be the last rows. Returns the count of
    /// provisional rows, and the rows of slots that had not begun, which are quarantined.
    pub fn take_open(&self, rows: &mut Vec<Row>) -> (u64, Vec<QuarantinedRow>) {
        let mut provisional = 0;
        let mut quarantined = Vec::new();
        while let Some(row) = rows.last() {
            match self.open(row.time.seconds()) {
                Some(Open::Provisional) => provisional += 1,
                Some(Open::Future) => {
                    let fault = Fault { column: "time", reason: Reason::Future };
                    quarantined.push(QuarantinedRow { start: row.start, time: Some(row.time), fault });
                }
                None => break,
            }
            rows.pop();
        }
        (provisional, quarantined)
    }

    fn open(&self, time: i64) -> Option<Open> {
        let now = self.now.as_second();
        match self.end(time).is_none_or(|end| end > now) {
            false => None,
            true if self.begin(time).is_some_and(|begin| begin > now) => Some(Open::Future),
            true => Some(Open::Provisional),
        }
    }

    /// Whether a slot was over, so that the source could have had its candle.
    pub fn is_over(&self, slot: i64) -> bool {
        // No interval is longer than this, so older slots need no look into the calendar.
        const LONGEST: i64 = 40 * 86_400;
        slot < self.now.as_second() - LONGEST || self.open(slot).is_none()
    }

    /// When the candle with this time is complete: according to the calendar, or without one at the latest end of its
    /// interval. `None` if that is out of the range of dates.
    pub fn end(&self, time: i64) -> Option<i64> {
        let known = self.calendar.and_then(|calendar| calendar.slot_end(self.interval, time).ok().flatten());
        known.or_else(|| match self.interval.seconds() {
            Some(length) => time.checked_add(length),
            None => self.midnight(last_date(self.interval, time).tomorrow().ok()?),
        })
    }

    /// When the candle of a date begins, if the calendar knows the first session in it.
    fn begin(&self, time: i64) -> Option<i64> {
        let calendar = self.calendar?;
        let date = CandleTime::from_seconds(time).date()?;
        if self.interval.is_intraday() {
            return Some(time);
        }
        let mut sessions = calendar.sessions(date..=last_date(self.interval, time)).ok()?;
        sessions.next().map(|session| session.open)
    }

    fn midnight(&self, date: Date) -> Option<i64> {
        let midnight = self.zone.to_ambiguous_timestamp(date.to_datetime(Time::midnight()));
        midnight.compatible().ok().map(|instant| instant.as_second())
    }

    /// How many rows the calendar does not cover, and its error for the latest of them. Without a calendar these are
    /// all rows, and there is no error.
    pub fn unchecked(&self, rows: &[Row]) -> (u64, Option<String>) {
        let covered = self.covered();
        let mut beyond = rows.iter().rev().filter(|row| !covered.contains(&row.time.seconds())).peekable();
        let asked = beyond.peek().map(|row| row.time.seconds());
        let refusal = |time| self.calendar.and_then(|calendar| calendar.slot_end(self.interval, time).err());
        (beyond.count() as u64, asked.and_then(refusal).map(|refusal| refusal.to_string()))
    }
}
