//! Calendars and their trading sessions.

use jiff::civil::{Date, Time, Weekday, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::holidays;

const DAY_MINUTES: i64 = 24 * 60;
const XNYS_MINUTES: i64 = 390;
const XNYS_EARLY_MINUTES: i64 = 210;
const XNSE_MINUTES: i64 = 375;

/// A session of regular trading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// The local date of the exchange.
    pub date: Date,
    /// When trading begins.
    pub opens: Timestamp,
    /// The length of the session.
    pub minutes: i64,
}

impl Session {
    /// Returns when trading ends.
    pub fn closes(&self) -> Timestamp {
        self.opens + SignedDuration::from_mins(self.minutes)
    }
}

/// The days with sessions, and the times of sessions. Lunch breaks are not simulated.
#[derive(Clone, Debug)]
pub struct Calendar {
    days: Days,
    zone: TimeZone,
    opens: Opens,
    minutes: i64,
}

/// When the session of a date opens.
#[derive(Clone, Debug)]
enum Opens {
    /// At a local time on the date itself.
    At(Time),
    /// At a time in another time zone on the day before.
    DayBefore(TimeZone, Time),
}

#[derive(Clone, Copy, Debug)]
enum Days {
    Xnys,
    Weekdays,
    Every,
}

impl Calendar {
    /// Creates the calendar of the New York exchanges: 09:30 to 16:00, or to 13:00 on early closes. `zone` must be
    /// America/New_York.
    pub fn xnys(zone: TimeZone) -> Self {
        Self { days: Days::Xnys, zone, opens: Opens::At(time(9, 30, 0, 0)), minutes: XNYS_MINUTES }
    }

    /// Creates the calendar of the National Stock Exchange of India: 09:15 to 15:30 on every weekday. Its holidays are
    /// not simulated. `zone` must be Asia/Kolkata.
    pub fn xnse(zone: TimeZone) -> Self {
        Self { days: Days::Weekdays, zone, opens: Opens::At(time(9, 15, 0, 0)), minutes: XNSE_MINUTES }
    }

    /// Creates the calendar of currencies: Monday to Friday, each from 17:00 in New York on the day before. Local dates
    /// and times are UTC. `new_york` must be America/New_York.
    pub fn forex(new_york: TimeZone) -> Self {
        let opens = Opens::DayBefore(new_york, time(17, 0, 0, 0));
        Self { days: Days::Weekdays, zone: TimeZone::UTC, opens, minutes: DAY_MINUTES }
    }

    /// Creates the calendar of digital currencies: every day around the clock, in UTC.
    pub fn always_open() -> Self {
        Self { days: Days::Every, zone: TimeZone::UTC, opens: Opens::At(Time::midnight()), minutes: DAY_MINUTES }
    }

    /// Returns the time zone of local dates and times.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Returns the session of a date, if there is one.
    pub fn session(&self, date: Date) -> Option<Session> {
        if !self.trades_on(date) {
            return None;
        }
        let opens = match &self.opens {
            Opens::At(time) => self.zone.to_timestamp(date.to_datetime(*time)),
            Opens::DayBefore(zone, time) => zone.to_timestamp(date.yesterday().ok()?.to_datetime(*time)),
        };
        let opens = opens.ok()?;
        Some(Session { date, opens, minutes: self.minutes_on(date) })
    }

    /// Returns the sessions up to and including `last`, newest first, without an end.
    pub fn sessions_back_from(&self, last: Date) -> impl Iterator<Item = Session> {
        let days = std::iter::successors(Some(last), |day| day.yesterday().ok());
        days.filter_map(|day| self.session(day))
    }

    /// Returns the sessions from `first`, oldest first, without an end.
    pub fn sessions_from(&self, first: Date) -> impl Iterator<Item = Session> {
        let days = std::iter::successors(Some(first), |day| day.tomorrow().ok());
        days.filter_map(|day| self.session(day))
    }

    fn trades_on(&self, date: Date) -> bool {
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        match self.days {
            Days::Every => true,
            Days::Weekdays => !weekend,
            Days::Xnys => !weekend && !holidays::is_holiday(date),
        }
    }

    fn minutes_on(&self, date: Date) -> i64 {
        match self.days {
            Days::Xnys if holidays::closes_early(date) => XNYS_EARLY_MINUTES,
            _ => self.minutes,
        }
    }
}
