//! Sessions: the spans of time in which a market trades, a date each.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::definition::{Definition, Hours, LocalTime};
use super::error::InvalidCalendar;

/// A session of regular trading. Times are Unix seconds, `close` and the end of the break excluded from trading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// The date by which the market itself calls the session.
    pub date: Date,
    /// When it opens.
    pub open: i64,
    /// When it closes: on some dates early.
    pub close: i64,
    /// When it pauses, where it does: the lunch of Tokyo, Hong Kong and Shanghai.
    pub break_: Option<Break>,
}

/// A pause within a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// When trading stops.
    pub start: i64,
    /// When it goes on.
    pub end: i64,
}

impl Session {
    /// The one or two spans of uninterrupted trading, as start and end.
    pub fn parts(&self) -> impl Iterator<Item = (i64, i64)> + use<> {
        let (morning, afternoon) = match self.break_ {
            Some(Break { start, end }) => ((self.open, start), Some((end, self.close))),
            None => ((self.open, self.close), None),
        };
        [Some(morning), afternoon].into_iter().flatten()
    }
}

/// The instants at which the first covered date begins and the last one ends.
pub(super) fn span(definition: &Definition, zone: &TimeZone) -> Result<(i64, i64), InvalidCalendar> {
    let begin = instant(definition.first.0, LocalTime { hour: 0, minute: 0 }, zone);
    let end = instant(definition.last.0, LocalTime { hour: 24, minute: 0 }, zone);
    begin.and_then(|begin| Ok((begin, end?))).map_err(|error| definition.invalid(error))
}

/// Every session of a definition, ascending and without overlap, or the reason why it makes no sense.
pub(super) fn expand(definition: &Definition, zone: &TimeZone) -> Result<Vec<Session>, InvalidCalendar> {
    let days = Days::new(definition);
    let covered = definition.first.0.series(jiff::Span::new().days(1)).take_while(|date| *date <= definition.last.0);
    let sessions = covered
        .filter(|date| days.has_session(*date))
        .map(|date| session(date, days.hours(date)?, zone))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|reason| definition.invalid(reason))?;
    require_order(&sessions).map_err(|reason| definition.invalid(reason))?;
    Ok(sessions)
}

/// A definition arranged for the question what is on a date.
struct Days<'a> {
    definition: &'a Definition,
    weekdays: Vec<Weekday>,
    closed: BTreeSet<Date>,
    extra: BTreeSet<Date>,
    unusual: BTreeMap<Date, Hours>,
}

impl<'a> Days<'a> {
    fn new(definition: &'a Definition) -> Self {
        Days {
            definition,
            weekdays: definition.days.iter().map(|day| (*day).into()).collect(),
            closed: definition.closed.iter().map(|date| date.0).collect(),
            extra: definition.extra.iter().map(|date| date.0).collect(),
            unusual: definition.unusual.iter().map(|each| (each.date.0, each.hours)).collect(),
        }
    }

    fn has_session(&self, date: Date) -> bool {
        let regular = self.weekdays.contains(&date.weekday()) && !self.closed.contains(&date);
        regular || self.extra.contains(&date)
    }

    fn hours(&self, date: Date) -> Result<Hours, String> {
        let regular = self.definition.hours.iter().rev().find(|each| each.from.0 <= date).map(|each| each.hours);
        self.unusual.get(&date).copied().or(regular).ok_or_else(|| format!("no hours are given for {date}"))
    }
}

fn session(date: Date, hours: Hours, zone: &TimeZone) -> Result<Session, String> {
    let at = |time| instant(date, time, zone);
    let break_ = match hours.break_ {
        Some((start, end)) => Some(Break { start: at(start)?, end: at(end)? }),
        None => None,
    };
    let session = Session { date, open: at(hours.open)?, close: at(hours.close)?, break_ };
    if session.parts().all(|(start, end)| start < end) && break_.is_none_or(|pause| pause.start < pause.end) {
        Ok(session)
    } else {
        Err(format!("the hours of {date} are out of order"))
    }
}

/// No market opens or closes in the hour that a change of the clocks skips or repeats, so any reading of it will do.
fn instant(date: Date, time: LocalTime, zone: &TimeZone) -> Result<i64, String> {
    let (date, hour) = match time.hour {
        24 => (date.tomorrow().map_err(|error| error.to_string())?, 0),
        hour => (date, hour),
    };
    let zoned = date.at(hour, time.minute, 0, 0).to_zoned(zone.clone());
    zoned.map(|zoned| zoned.timestamp().as_second()).map_err(|error| error.to_string())
}

fn require_order(sessions: &[Session]) -> Result<(), String> {
    match sessions.windows(2).find(|pair| matches!(pair, [one, next] if one.close > next.open)) {
        Some(pair) => Err(format!("sessions overlap: {pair:?}")),
        None => Ok(()),
    }
}
