//! The candles that a vendor has at a given time, newest first.

use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, ToSpan};

use super::candle::Candle;
use super::instruments::INTRADAY_SINCE;
use super::interval::{Interval, Span};
use super::minutes::Path;
use super::series::{Series, day_number};
use super::sessions::Session;
use super::splits::{self, Split, View};

/// A candle with its start time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Local time of the exchange; midnight for daily and longer intervals.
    pub starts: DateTime,
    /// The time at which its first session or slot opens.
    pub opens: Timestamp,
    pub candle: Candle,
}

/// The candles of an instrument at `now`.
#[derive(Clone, Copy, Debug)]
pub struct Feed<'a> {
    /// The daily candles.
    pub series: Series<'a>,
    /// The splits of this symbol.
    pub splits: &'a [Split],
    /// Whether prices are adjusted for splits.
    pub adjusted: bool,
    /// Later candles do not exist yet, and open ones contain the trades so far.
    pub now: Timestamp,
}

type Bars<'a> = Box<dyn Iterator<Item = Bar> + 'a>;

impl<'a> Feed<'a> {
    /// Returns all candles of an interval that begin on or before `last`, newest first.
    pub fn newest_first(self, interval: Interval, last: Date) -> Bars<'a> {
        match interval.span() {
            Span::Minutes(minutes) => Box::new(self.sessions(last, interval).flat_map(move |s| self.slots(s, minutes))),
            Span::Day => Box::new(self.sessions(last, interval).filter_map(move |session| self.daily(session))),
            Span::Week | Span::Month => self.periods(interval, last),
        }
    }

    /// Returns the oldest candle of an interval.
    pub fn oldest(self, interval: Interval) -> Option<Bar> {
        let soon = self.since(interval).checked_add(10.days()).ok()?;
        self.newest_first(interval, soon).last()
    }

    /// Returns the local date of the exchange at `now`.
    pub fn today(&self) -> Date {
        self.series.instrument().calendar.zone().to_datetime(self.now).date()
    }

    fn since(&self, interval: Interval) -> Date {
        let listed = self.series.instrument().since;
        if interval.is_intraday() { listed.max(INTRADAY_SINCE) } else { listed }
    }

    /// Returns the sessions that have opened, newest first. In forex, tomorrow's session may be among them, because it
    /// opens in the evening.
    fn sessions(self, last: Date, interval: Interval) -> impl Iterator<Item = Session> + 'a {
        let since = self.since(interval);
        let tomorrow = self.today().tomorrow().unwrap_or(Date::MAX);
        let sessions = self.series.instrument().calendar.sessions_back_from(last.min(tomorrow));
        sessions.take_while(move |session| session.date >= since).filter(move |session| session.opens <= self.now)
    }

    fn daily(&self, session: Session) -> Option<Bar> {
        let full = self.series.day(session);
        let candle = if session.closes() <= self.now {
            full
        } else {
            self.path(session).candle(0, session.minutes, self.elapsed(session))?
        };
        let candle = self.split(candle, session.date, false);
        Some(Bar { starts: session.date.to_datetime(Time::midnight()), opens: session.opens, candle })
    }

    /// Returns the candles of the slots of a session that have begun, newest first.
    fn slots(self, session: Session, minutes: i64) -> impl Iterator<Item = Bar> + 'a {
        let path = self.path(session);
        let elapsed = self.elapsed(session);
        let count = (session.minutes + minutes - 1) / minutes;
        (0..count).rev().filter_map(move |number| {
            let from = number * minutes;
            let candle = path.candle(from, from + minutes, elapsed)?;
            let opens = session.opens + from.minutes();
            let starts = self.series.instrument().calendar.zone().to_datetime(opens);
            Some(Bar { starts, opens, candle: self.split(candle, session.date, true) })
        })
    }

    /// Returns weeks or months, each joined from daily candles and dated by its first calendar day.
    fn periods(self, interval: Interval, last: Date) -> Bars<'a> {
        let oldest = period_start(self.since(interval), interval.span());
        let newest = period_start(last.min(self.today()), interval.span());
        let starts = std::iter::successors(Some(newest), move |start| {
            start.yesterday().ok().map(|before| period_start(before, interval.span()))
        });
        let within = starts.take_while(move |start| *start >= oldest);
        Box::new(within.filter_map(move |start| self.period(interval, start)))
    }

    fn period(&self, interval: Interval, start: Date) -> Option<Bar> {
        let sessions = self.sessions(period_end(start, interval.span())?, interval);
        let days = sessions.take_while(|session| session.date >= start).filter_map(|session| self.daily(session));
        let joined =
            days.reduce(|later, earlier| Bar { candle: earlier.candle.followed_by(later.candle), ..earlier })?;
        Some(Bar { starts: start.to_datetime(Time::midnight()), ..joined })
    }

    fn path(&self, session: Session) -> Path {
        let instrument = self.series.instrument();
        let noise = self.series.noise();
        Path::new(self.series.day(session), session.minutes, instrument.tick, noise, day_number(session.date))
    }

    fn elapsed(&self, session: Session) -> i64 {
        self.now.as_second() - session.opens.as_second()
    }

    fn split(&self, candle: Candle, date: Date, intraday: bool) -> Candle {
        splits::apply(candle, date, self.splits, View { adjusted: self.adjusted, intraday, today: self.today() })
    }
}

fn period_start(date: Date, span: Span) -> Date {
    match span {
        Span::Week => date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days()).unwrap_or(date),
        Span::Month => date.first_of_month(),
        Span::Minutes(_) | Span::Day => date,
    }
}

fn period_end(start: Date, span: Span) -> Option<Date> {
    match span {
        Span::Week => start.checked_add(6.days()).ok(),
        Span::Month => Some(start.last_of_month()),
        Span::Minutes(_) | Span::Day => Some(start),
    }
}
