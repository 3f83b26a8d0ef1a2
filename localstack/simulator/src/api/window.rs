//! The window of candles that a request asks for.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time, time};
use jiff::tz::TimeZone;

use super::error::ApiError;
use super::parameters::{Parameters, Zone};
use super::sheet::Row;
use crate::market::bars::{Bar, Feed};
use crate::market::interval::Interval;

/// The maximum number of candles in an answer, and the default if the request has dates.
const MAX_SIZE: i64 = 5000;

/// The default number of candles if the request has no dates.
const UNDATED_SIZE: i64 = 30;

/// The dates, number of candles and time zone of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    start: Option<DateTime>,
    end: Option<DateTime>,
    day: Option<Day>,
    size: usize,
    zone: Zone,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Day {
    On(Date),
    Today,
    Yesterday,
}

/// The first and last time in the window, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bounds {
    first: DateTime,
    last: DateTime,
}

impl Window {
    /// Parses `start_date`, `end_date`, `date`, `outputsize` and `timezone`.
    pub fn parse(parameters: &Parameters) -> Result<Self, ApiError> {
        let start = moment(parameters, "start_date")?;
        let end = moment(parameters, "end_date")?;
        let day = day(parameters)?;
        let dated = start.is_some() || end.is_some() || day.is_some();
        let default = if dated { MAX_SIZE } else { UNDATED_SIZE };
        let size = parameters.number("outputsize", 1..=MAX_SIZE)?.unwrap_or(default);
        Ok(Self { start, end, day, size: usize::try_from(size).unwrap_or_default(), zone: parameters.zone()? })
    }

    /// Returns the rows that begin within the dates of the window, newest first and at most as many as its size.
    pub fn rows(&self, feed: Feed<'_>, interval: Interval, with_previous: bool) -> Vec<Row> {
        let zone = self.shown_zone(feed.series.instrument().calendar.zone(), interval);
        let bounds = self.bounds(interval, zone.to_datetime(feed.now).date());
        // The local date of a bar may be a day ahead of its date in the time zone of the request.
        let newest = bounds.last.date().tomorrow().unwrap_or(Date::MAX);
        let shown = |bar: &Bar| if interval.is_intraday() { zone.to_datetime(bar.opens) } else { bar.starts };
        let bars = feed.newest_first(interval, newest).skip_while(|bar| shown(bar) > bounds.last);
        rows(bars, self.size, with_previous, |bar| Some(shown(bar)).filter(|at| *at >= bounds.first))
    }

    /// Returns the time zone of the window's dates and of the times in the answer. Daily and longer candles always have
    /// dates of the exchange.
    pub fn shown_zone<'a>(&'a self, exchange: &'a TimeZone, interval: Interval) -> &'a TimeZone {
        if interval.is_intraday() { self.zone.or(exchange) } else { exchange }
    }

    /// Clients of the API report that `end_date` is inclusive for intraday candles and exclusive for longer ones.
    fn bounds(&self, interval: Interval, today: Date) -> Bounds {
        if let Some(day) = self.day {
            let date = day.resolve(today);
            return Bounds { first: date.to_datetime(Time::midnight()), last: date.to_datetime(time(23, 59, 59, 0)) };
        }
        let before = |end: DateTime| end.checked_sub(1.nanosecond()).unwrap_or(end);
        let last = self.end.map(|end| if interval.is_intraday() { end } else { before(end) });
        Bounds { first: self.start.unwrap_or(DateTime::MIN), last: last.unwrap_or(DateTime::MAX) }
    }
}

impl Day {
    fn resolve(self, today: Date) -> Date {
        match self {
            Self::On(date) => date,
            Self::Today => today,
            Self::Yesterday => today.yesterday().unwrap_or(today),
        }
    }
}

/// Returns the first `size` rows, up to the first bar for which `shown` returns `None`.
fn rows(
    bars: impl Iterator<Item = Bar>,
    size: usize,
    with_previous: bool,
    shown: impl Fn(&Bar) -> Option<DateTime>,
) -> Vec<Row> {
    let mut bars = bars.peekable();
    let mut rows = Vec::new();
    while rows.len() < size {
        let Some(bar) = bars.next() else { break };
        let Some(at) = shown(&bar) else { break };
        let previous = if with_previous { bars.peek().map(|before| before.candle.close) } else { None };
        rows.push(Row::new(at, bar.candle, previous));
    }
    rows
}

/// Parses `2006-01-02`, `2006-01-02T15:04:05` or `2006-01-02 15:04:05`, which clients also use; seconds are optional.
fn moment(parameters: &Parameters, name: &str) -> Result<Option<DateTime>, ApiError> {
    let Some(text) = parameters.text(name) else { return Ok(None) };
    let formats = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
    let with_time = || formats.iter().find_map(|format| DateTime::strptime(format, text).ok());
    let date = Date::strptime("%Y-%m-%d", text).ok().map(|date| date.to_datetime(Time::midnight()));
    let supported = || ApiError::invalid(name, text, "formats: 2006-01-02, 2006-01-02T15:04:05");
    date.or_else(with_time).map(Some).ok_or_else(supported)
}

fn day(parameters: &Parameters) -> Result<Option<Day>, ApiError> {
    match parameters.text("date").map(str::to_ascii_lowercase).as_deref() {
        None => Ok(None),
        Some("today") => Ok(Some(Day::Today)),
        Some("yesterday") => Ok(Some(Day::Yesterday)),
        Some(_) => Ok(moment(parameters, "date")?.map(|moment| Day::On(moment.date()))),
    }
}
