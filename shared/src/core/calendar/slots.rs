//! Slots: the stamps of the candles that a calendar expects.
//!
//! A stamp is the time that TwelveData gives a candle, in Unix seconds. For a candle shorter than a day it is the
//! instant at which the candle starts; for a longer one it is midnight UTC of the date that `period` decides on.
//!
//! Slots shorter than a day start at the open of the session and at every step after it, as long as they start before
//! the close. The last slot may therefore be short: the 1h slots of New York start at 09:30, and the last one, at
//! 15:30, lasts half an hour. After a break the steps restart at its end: the 1h slots of Tokyo start at 9:00, 10:00,
//! 11:00, 12:30, 13:30 and so on. exchange_calendars divides sessions in the same way, each part by itself. If a
//! session is a full day in UTC (24/7, 24/5), the slots are the multiples of the step from midnight. A forex session
//! lasts from 17:00 to 17:00 in New York: its slots are the multiples of the step from that hour, and its daily
//! candle has the date on which the session ends.
//!
//! When only some venues trade (forex on Christmas Day), a candle is possible but not expected.

use std::ops::RangeInclusive;
use std::slice;

use jiff::civil::Date;

use super::Calendar;
use super::error::BeyondHorizon;
use super::period::{DAY, Period, Span, date_of, midnight};
use super::session::Session;
use crate::core::interval::Interval;

impl Calendar {
    /// The stamps of the expected candles in a range of stamps, in ascending order.
    ///
    /// # Errors
    ///
    /// Fails if one of the two ends is outside of [`Calendar::covered_stamps`].
    pub fn slots(&self, interval: Interval, stamps: RangeInclusive<i64>) -> Result<Slots<'_>, BeyondHorizon> {
        self.slots_of(interval, stamps, Wanted::Expected)
    }

    /// The stamps that candles may have in a range of stamps, in ascending order: the expected ones, and those of
    /// times at which only some venues trade.
    ///
    /// # Errors
    ///
    /// Fails if one of the two ends is outside of [`Calendar::covered_stamps`].
    pub fn possible_slots(&self, interval: Interval, stamps: RangeInclusive<i64>) -> Result<Slots<'_>, BeyondHorizon> {
        self.slots_of(interval, stamps, Wanted::Possible)
    }

    fn slots_of(
        &self,
        interval: Interval,
        stamps: RangeInclusive<i64>,
        wanted: Wanted,
    ) -> Result<Slots<'_>, BeyondHorizon> {
        let (from, through) = stamps.into_inner();
        self.require_covered_stamp(interval, from)?;
        self.require_covered_stamp(interval, through)?;
        let sessions = &self.sessions;
        Ok(match interval.seconds() {
            Some(step) => Slots(Kind::Steps(Steps::new(sessions, wanted, step, from, through))),
            None => Slots(Kind::Periods(Periods::new(sessions, wanted, Period::of(interval), from, through))),
        })
    }

    /// When the market opens next, in Unix seconds, after an instant at which it is closed. `None` if the market is
    /// open at that instant or the calendar does not reach the next open. Hours in which only some venues trade do
    /// not count as an open.
    #[must_use]
    pub fn next_open(&self, instant: i64) -> Option<i64> {
        if !(self.span.0..self.span.1).contains(&instant) {
            return None;
        }
        let first = self.sessions.partition_point(|session| session.close <= instant);
        let mut parts =
            self.sessions.iter().skip(first).filter(|session| session.is_certain()).flat_map(Session::parts);
        parts.find(|(_, end)| instant < *end).map(|(start, _)| start).filter(|start| instant < *start)
    }

    /// Whether a candle may have this stamp: the slot is expected or possible.
    ///
    /// # Errors
    ///
    /// Fails if the calendar does not cover the stamp.
    pub fn is_slot(&self, interval: Interval, stamp: i64) -> Result<bool, BeyondHorizon> {
        Ok(self.slot_end(interval, stamp)?.is_some())
    }

    /// When the candle with this stamp is complete; until then it is provisional. `None` if the stamp is not a slot.
    ///
    /// This is the end of the slot, but no later than the next close or break. For a day, a week and a month it is
    /// the close of the last session in it.
    ///
    /// # Errors
    ///
    /// Fails if the calendar does not cover the stamp.
    pub fn slot_end(&self, interval: Interval, stamp: i64) -> Result<Option<i64>, BeyondHorizon> {
        self.require_covered_stamp(interval, stamp)?;
        Ok(match interval.seconds() {
            Some(step) => self.step_end(step, stamp),
            None => self.period_end(Period::of(interval), stamp),
        })
    }

    /// The stamps that this calendar can classify as slots or not. A week or a month is only included if it is fully
    /// covered, because otherwise its last session is unknown.
    pub fn covered_stamps(&self, interval: Interval) -> RangeInclusive<i64> {
        if interval.is_intraday() {
            return self.span.0..=self.span.1 - 1;
        }
        let period = Period::of(interval);
        let head = period.around(self.first);
        let tail = period.around(self.last);
        let first = if head.first == midnight(self.first) { head.first } else { head.last + DAY };
        let last = if tail.last == midnight(self.last) { tail.last } else { tail.first - DAY };
        first..=last + DAY - 1
    }

    fn require_covered_stamp(&self, interval: Interval, stamp: i64) -> Result<(), BeyondHorizon> {
        let covered = self.covered_stamps(interval);
        if covered.contains(&stamp) {
            return Ok(());
        }
        let too_early = stamp < *covered.start();
        let asked = if interval.is_intraday() {
            self.uncovered_date(stamp, too_early)
        } else {
            let Span { first, last } = Period::of(interval).around(date_of(stamp));
            date_of(if too_early { first } else { last })
        };
        Err(self.beyond_horizon(asked))
    }

    /// The market's date at an instant that is not covered, for the error. It is counted from the edge of the
    /// coverage, so the error never names a date that is covered.
    fn uncovered_date(&self, instant: i64, too_early: bool) -> Date {
        let (begin, end) = self.span;
        date_of(if too_early {
            midnight(self.first).saturating_add(instant.saturating_sub(begin))
        } else {
            midnight(self.last).saturating_add(DAY).saturating_add(instant.saturating_sub(end))
        })
    }

    fn step_end(&self, step: i64, stamp: i64) -> Option<i64> {
        let session = self.sessions.get(self.sessions.partition_point(|session| session.close <= stamp))?;
        let (start, end) = session.parts().find(|(start, end)| (*start..*end).contains(&stamp))?;
        ((stamp - start) % step == 0).then_some(end.min(stamp + step))
    }

    fn period_end(&self, period: Period, stamp: i64) -> Option<i64> {
        let Span { first, last } = period.around(date_of(stamp));
        let after = self.sessions.partition_point(|session| midnight(session.date) <= last);
        let session = self.sessions.get(after.checked_sub(1)?)?;
        (stamp == first && midnight(session.date) >= first).then_some(session.close)
    }
}

/// Which slots to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Expected,
    Possible,
}

impl Wanted {
    /// The span in which slots of this session start.
    fn span(self, session: &Session) -> (i64, i64) {
        match self {
            Wanted::Expected => session.certain,
            Wanted::Possible => (session.open, session.close),
        }
    }
}

/// The stamps in a range, from [`Calendar::slots`] or [`Calendar::possible_slots`].
#[derive(Clone, Debug)]
pub struct Slots<'a>(Kind<'a>);

#[derive(Clone, Debug)]
enum Kind<'a> {
    Steps(Steps<'a>),
    Periods(Periods<'a>),
}

impl Iterator for Slots<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        match &mut self.0 {
            Kind::Steps(steps) => steps.next(),
            Kind::Periods(periods) => periods.next(),
        }
    }
}

/// Slots within sessions. The current part of the current session is `next..end`.
#[derive(Clone, Debug)]
struct Steps<'a> {
    sessions: slice::Iter<'a, Session>,
    wanted: Wanted,
    step: i64,
    next: i64,
    end: i64,
    afternoon: Option<(i64, i64)>,
    /// The span in which slots of the current session start.
    begins: (i64, i64),
    from: i64,
    through: i64,
}

impl<'a> Steps<'a> {
    fn new(sessions: &'a [Session], wanted: Wanted, step: i64, from: i64, through: i64) -> Self {
        let first = sessions.partition_point(|session| session.close <= from);
        let sessions = sessions.get(first..).unwrap_or_default().iter();
        Steps { sessions, wanted, step, next: 0, end: 0, afternoon: None, begins: (0, 0), from, through }
    }

    fn next(&mut self) -> Option<i64> {
        while self.next >= self.end {
            self.enter_next_part()?;
        }
        let slot = self.next;
        self.next += self.step;
        (slot <= self.through).then_some(slot)
    }

    fn enter_next_part(&mut self) -> Option<()> {
        let (start, end) = match self.afternoon.take() {
            Some(part) => part,
            None => {
                let session = self.sessions.next()?;
                self.begins = self.wanted.span(session);
                let mut parts = session.parts();
                let morning = parts.next()?;
                self.afternoon = parts.next();
                morning
            }
        };
        let (from, until) = self.begins;
        let skipped = (self.from.max(from) - start + self.step - 1).max(0) / self.step;
        (self.next, self.end) = (start + skipped * self.step, end.min(until));
        Some(())
    }
}

/// Slots of days, weeks or months that have at least one session.
#[derive(Clone, Debug)]
struct Periods<'a> {
    sessions: slice::Iter<'a, Session>,
    wanted: Wanted,
    period: Period,
    /// The lowest stamp that may come next: all sessions of a week map to the same stamp, which is returned once.
    from: i64,
    through: i64,
}

impl<'a> Periods<'a> {
    fn new(sessions: &'a [Session], wanted: Wanted, period: Period, from: i64, through: i64) -> Self {
        let first = sessions.partition_point(|session| midnight(session.date) < from);
        let sessions = sessions.get(first..).unwrap_or_default().iter();
        Periods { sessions, wanted, period, from, through }
    }

    fn next(&mut self) -> Option<i64> {
        let wanted = self.wanted;
        let period = self.period;
        let from = self.from;
        let sessions = self.sessions.by_ref().filter(|session| wanted == Wanted::Possible || session.is_certain());
        let slot = sessions.map(|session| period.around(session.date).first).find(|slot| *slot >= from)?;
        self.from = slot + 1;
        (slot <= self.through).then_some(slot)
    }
}
