//! Reads the time of one raw row.

use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::candle::{CandleTime, TimeError};
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::raw_csv::cells::Cells;
use candlewick_shared::core::time_text::TimeText;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::fault::{Fault, Reason};
use crate::row_values::is_nothing;

/// The rules by which times are read.
#[derive(Clone, Debug)]
pub struct TimeRules<'a> {
    /// The field of the time.
    pub field: usize,
    pub interval: Interval,
    /// The time zone of times without an offset.
    pub zone: &'a TimeZone,
    /// When the source returned the data; later times are in the future.
    pub now: Timestamp,
    /// The calendar whose sessions assign dates to daily candles that are stamped with an instant.
    pub calendar: Option<&'static Calendar>,
    /// How many seconds before its time a candle begins: the interval, if candles are stamped with their end.
    pub shift: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowTime {
    /// The start of the candle.
    pub time: CandleTime,
    /// The later instant with the same local time, if clocks were put back over it.
    pub repeated: Option<CandleTime>,
    /// Whether it was written with a time of day.
    pub has_time_of_day: bool,
}

/// How long before UTC a date begins in the easternmost time zone, UTC+14.
const EARLIEST_DATE_LINE: SignedDuration = SignedDuration::from_hours(14);

impl TimeRules<'_> {
    pub fn read(&self, cells: &Cells) -> Result<RowTime, Fault> {
        let fault = |reason| Fault { column: "time", reason };
        let text = cells.get(self.field);
        if is_nothing(text) {
            return Err(fault(Reason::Missing));
        }
        let read = std::str::from_utf8(text).map_err(|_| TimeError::Unreadable).and_then(|text| self.time_of(text));
        let time = read.map_err(|error| fault(reason_of(error)))?;
        if self.is_future(time.time) { Err(fault(Reason::Future)) } else { Ok(time) }
    }

    /// The time in a cell, for rows that may not be candles; `None` if it cannot be read.
    pub fn spoken_of(&self, cell: &[u8]) -> Option<CandleTime> {
        let text = std::str::from_utf8(cell).ok()?;
        let date = || (!self.interval.is_intraday()).then(|| TimeText::date_in(text)).flatten();
        self.time_of(text).map(|read| read.time).ok().or_else(|| date().map(CandleTime::from_date))
    }

    /// Whether a time was in the future everywhere.
    pub fn is_future(&self, time: CandleTime) -> bool {
        let latest = if self.interval.is_intraday() { SignedDuration::ZERO } else { EARLIEST_DATE_LINE };
        time.seconds() > self.now.as_second() + latest.as_secs()
    }

    /// Whether a candle may begin at a time: all intervals are whole minutes. With a calendar, other times match no slot.
    pub fn is_whole(&self, time: CandleTime) -> bool {
        self.calendar.is_some() || time.seconds() % 60 == 0
    }

    fn time_of(&self, text: &str) -> Result<RowTime, TimeError> {
        let text = TimeText::read(text).ok_or_else(|| self.unread(text))?;
        let has_time_of_day = !matches!(text, TimeText::Date(_));
        let (time, repeated) = if self.interval.is_intraday() { self.instant(text)? } else { (self.date(text)?, None) };
        if !self.is_whole(time) {
            return Err(TimeError::TimeOfDay);
        }
        let start = |time: CandleTime| CandleTime::from_seconds(time.seconds() - self.shift);
        Ok(RowTime { time: start(time), repeated: repeated.map(start), has_time_of_day })
    }

    /// The error for an unreadable time. If the text begins with a date and has more digits, it has a time of day in
    /// an unknown form.
    fn unread(&self, text: &str) -> TimeError {
        let goes_on = TimeText::date_in(text).is_some() && text.trim().len() > 10;
        let has_digit = text.trim().get(10..).is_some_and(|rest| rest.contains(|c: char| c.is_ascii_digit()));
        if goes_on && has_digit && !self.interval.is_intraday() { TimeError::TimeOfDay } else { TimeError::Unreadable }
    }

    fn instant(&self, text: TimeText) -> Result<(CandleTime, Option<CandleTime>), TimeError> {
        match text {
            TimeText::Date(_) => Err(TimeError::DateAlone),
            TimeText::Local(civil) => CandleTime::at_local_time(civil, self.zone),
            TimeText::Instant(instant, _) => Ok((CandleTime::from_seconds(instant.as_second()), None)),
        }
    }

    /// The date of a daily or longer candle: from a date, midnight, or the instant at which a session opens.
    fn date(&self, text: TimeText) -> Result<CandleTime, TimeError> {
        let midnight = |civil: DateTime| (civil.time() == Time::midnight()).then_some(civil.date());
        let date = match text {
            TimeText::Date(date) => Some(date),
            TimeText::Local(civil) => midnight(civil),
            TimeText::Instant(instant, civil) => midnight(civil)
                .or_else(|| midnight(self.zone.to_datetime(instant)))
                .or_else(|| self.calendar.and_then(|calendar| opened_at(calendar, instant))),
        };
        date.map(CandleTime::from_date).ok_or(TimeError::TimeOfDay)
    }
}

/// The date of the session that opens at an instant, or the date that begins then in the market's time zone.
fn opened_at(calendar: &Calendar, instant: Timestamp) -> Option<Date> {
    let local = TimeZone::get(calendar.timezone()).ok()?.to_datetime(instant);
    if local.time() == Time::midnight() {
        return Some(local.date());
    }
    let before = local.date().yesterday().ok()?;
    let after = local.date().tomorrow().ok()?;
    let mut sessions = calendar.sessions(before..=after).ok()?;
    sessions.find(|session| session.open == instant.as_second()).map(|session| session.date)
}

fn reason_of(error: TimeError) -> Reason {
    match error {
        TimeError::Unreadable => Reason::Unreadable,
        TimeError::TimeOfDay | TimeError::DateAlone => Reason::OtherInterval,
        TimeError::Skipped => Reason::SkippedTime,
    }
}
