//! Which candles there must be, and which there cannot be yet: rows and gaps against the calendar.

use std::ops::RangeInclusive;

use candlewick_shared::core::calendar::{Calendar, last_date};
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::fault::{Fault, Reason, SetAside};
use crate::row::Row;

/// The candles to expect of a series.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// The calendar, where one is known.
    pub calendar: Option<&'static Calendar>,
    /// The length of the candles.
    pub interval: Interval,
    /// The zone in which dates begin and end where no calendar says it.
    pub zone: &'a TimeZone,
    /// When the source said what it said.
    pub now: Timestamp,
    /// Whether candles from before and after the session are wanted too.
    pub is_extended: bool,
    /// Whether the source's candles begin by the clock: no slot is then known.
    pub is_by_the_clock: bool,
}

/// A slot that was still open.
enum Open {
    /// It had begun: its candle was still to change.
    Provisional,
    /// It had not even begun.
    Future,
}

impl Expected<'_> {
    /// The times, in seconds, of which the calendar can tell whether they are slots.
    pub fn covered(&self) -> RangeInclusive<i64> {
        let calendar = self.calendar.filter(|_| !self.is_by_the_clock);
        calendar.map_or(RangeInclusive::new(1, 0), |calendar| calendar.covered_stamps(self.interval))
    }

    /// The slots from one time through another, as far as the calendar covers them.
    pub fn slots(&self, from: i64, through: i64) -> impl Iterator<Item = i64> + use<> {
        let covered = self.covered();
        let range = from.max(*covered.start())..=through.min(*covered.end());
        let slots = self.calendar.filter(|_| !range.is_empty()).map(|calendar| calendar.slots(self.interval, range));
        slots.and_then(Result::ok).into_iter().flatten()
    }

    /// The slots from one time through another in which there may be candles: also those in which none is expected,
    /// because only some venues trade then.
    fn possible_slots(&self, from: i64, through: i64) -> impl Iterator<Item = i64> + use<> {
        let covered = self.covered();
        let range = from.max(*covered.start())..=through.min(*covered.end());
        let calendar = self.calendar.filter(|_| !range.is_empty());
        let slots = calendar.map(|calendar| calendar.possible_slots(self.interval, range));
        slots.and_then(Result::ok).into_iter().flatten()
    }

    /// Takes out the rows that are of no slot. The rows ascend in time; those that the calendar does not cover stay.
    pub fn take_strays(&self, rows: &mut Vec<Row>) -> Vec<Row> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Vec::new() };
        let mut slots = self.possible_slots(first.time.seconds(), last.time.seconds()).peekable();
        let covered = self.covered();
        let mut strays = Vec::new();
        rows.retain(|row| {
            let time = row.time.seconds();
            while slots.next_if(|slot| *slot < time).is_some() {}
            let stays = slots.peek() == Some(&time) || !covered.contains(&time) || self.is_extended_hours(time);
            if !stays {
                strays.push(*row);
            }
            stays
        });
        strays
    }

    /// Whether a time is before or after the session of its date, and candles of such times are wanted: from 04:00 to 20:00 where the
    /// market is, as exchanges of the United States trade.
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

    /// Takes out the rows of slots that were still open, which can only be the last ones. The count is that of
    /// provisional rows; those of slots that had not even begun are set aside.
    pub fn take_open(&self, rows: &mut Vec<Row>) -> (u64, Vec<SetAside>) {
        let mut provisional = 0;
        let mut aside = Vec::new();
        while let Some(row) = rows.last() {
            match self.open(row.time.seconds()) {
                Some(Open::Provisional) => provisional += 1,
                Some(Open::Future) => {
                    let fault = Fault { column: "time", reason: Reason::Future };
                    aside.push(SetAside { start: row.start, time: Some(row.time), fault });
                }
                None => break,
            }
            rows.pop();
        }
        (provisional, aside)
    }

    fn open(&self, time: i64) -> Option<Open> {
        let now = self.now.as_second();
        match self.end(time).is_none_or(|end| end > now) {
            false => None,
            true if self.begin(time).is_some_and(|begin| begin > now) => Some(Open::Future),
            true => Some(Open::Provisional),
        }
    }

    /// Whether a slot was over, so that a candle of it could have been there.
    pub fn is_over(&self, slot: i64) -> bool {
        // No interval is longer than this; for slots so long ago the calendar need not be asked.
        const LONGEST: i64 = 40 * 86_400;
        slot < self.now.as_second() - LONGEST || self.open(slot).is_none()
    }

    /// When the candle of a time is complete: the calendar knows it, and without one it is complete at the latest when its
    /// interval is over. Nothing beyond all dates.
    pub fn end(&self, time: i64) -> Option<i64> {
        let known = self.calendar.and_then(|calendar| calendar.slot_end(self.interval, time).ok().flatten());
        known.or_else(|| match self.interval.seconds() {
            Some(length) => time.checked_add(length),
            None => self.midnight(last_date(self.interval, time).tomorrow().ok()?),
        })
    }

    /// When the candle of a date begins, where the calendar knows the first session in it.
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

    /// The calendar's words on the latest row that it does not cover, and how many such rows there are. Where no calendar
    /// is known that is all of them, and there are no words.
    pub fn unchecked(&self, rows: &[Row]) -> (u64, Option<String>) {
        let covered = self.covered();
        let mut beyond = rows.iter().rev().filter(|row| !covered.contains(&row.time.seconds())).peekable();
        let asked = beyond.peek().map(|row| row.time.seconds());
        let refusal = |time| self.calendar.and_then(|calendar| calendar.slot_end(self.interval, time).err());
        (beyond.count() as u64, asked.and_then(refusal).map(|refusal| refusal.to_string()))
    }
}
