//! When each market trades: the sessions of a calendar.

use jiff::civil::{Date, Time, Weekday, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::holidays;

const DAY_MINUTES: i64 = 24 * 60;
const XNYS_MINUTES: i64 = 390;
const XNYS_EARLY_MINUTES: i64 = 210;
const XNSE_MINUTES: i64 = 375;

/// One stretch of regular trading, named by its local date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// The exchange's local date.
    pub date: Date,
    /// The instant at which trading begins.
    pub opens: Timestamp,
    /// How long it lasts.
    pub minutes: i64,
}

impl Session {
    /// The instant at which trading ends.
    pub fn closes(&self) -> Timestamp {
        self.opens + SignedDuration::from_mins(self.minutes)
    }
}

/// Which days have sessions, and when these begin and end. No lunch breaks.
#[derive(Clone, Debug)]
pub struct Calendar {
    days: Days,
    zone: TimeZone,
    opens: Opens,
    minutes: i64,
}

/// When the session of a date begins.
#[derive(Clone, Debug)]
enum Opens {
    /// At a local time of the date.
    At(Time),
    /// At a time of another zone on the day before.
    DayBefore(TimeZone, Time),
}

#[derive(Clone, Copy, Debug)]
enum Days {
    Xnys,
    Weekdays,
    Every,
}

impl Calendar {
    /// The New York exchanges: 09:30 to 16:00 New York time, 13:00 on early closes. `zone` is America/New_York.
    pub fn xnys(zone: TimeZone) -> Self {
        Self { days: Days::Xnys, zone, opens: Opens::At(time(9, 30, 0, 0)), minutes: XNYS_MINUTES }
    }

    /// The National Stock Exchange of India: 09:15 to 15:30. Its holidays are not known here: every weekday trades.
    pub fn xnse(zone: TimeZone) -> Self {
        Self { days: Days::Weekdays, zone, opens: Opens::At(time(9, 15, 0, 0)), minutes: XNSE_MINUTES }
    }

    /// Currencies: Monday to Friday, each from 17:00 in New York on the day before. Local times are UTC. `new_york` is
    /// America/New_York.
    pub fn forex(new_york: TimeZone) -> Self {
        let opens = Opens::DayBefore(new_york, time(17, 0, 0, 0));
        Self { days: Days::Weekdays, zone: TimeZone::UTC, opens, minutes: DAY_MINUTES }
    }

    /// Digital currencies: around the clock in UTC, every day.
    pub fn always_open() -> Self {
        Self { days: Days::Every, zone: TimeZone::UTC, opens: Opens::At(Time::midnight()), minutes: DAY_MINUTES }
    }

    /// The zone of its local dates and times.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The session of a date, or `None` where there is none.
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

    /// The sessions up to and including `last`, newest first, without end.
    pub fn sessions_back_from(&self, last: Date) -> impl Iterator<Item = Session> {
        let days = std::iter::successors(Some(last), |day| day.yesterday().ok());
        days.filter_map(|day| self.session(day))
    }

    /// The sessions from `first` on, oldest first, without end.
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
