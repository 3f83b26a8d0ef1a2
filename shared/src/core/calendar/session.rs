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
    /// When trading is certain, as start and end: the whole session, except on days on which only some venues trade or
    /// trade in full. Outside of it candles are possible, but none is expected. It is empty where no part is certain.
    pub certain: (i64, i64),
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

    /// Whether any of it is certain, so that a candle of its date is expected.
    pub fn is_certain(&self) -> bool {
        self.certain.0 < self.certain.1
    }
}

/// The instants at which the first covered date begins and the last one ends. Where sessions open on the day before,
/// so does the date.
pub(super) fn span(definition: &Definition, zone: &TimeZone) -> Result<(i64, i64), InvalidCalendar> {
    let begin_of = |date: Date| {
        let opens = definition.hours.first().map(|regular| regular.hours.open);
        instant(date, opens.filter(|time| time.day_before).unwrap_or(LocalTime::MIDNIGHT), zone)
    };
    let after_last = definition.last.0.tomorrow().map_err(|error| definition.invalid(error))?;
    let begin = begin_of(definition.first.0);
    begin.and_then(|begin| Ok((begin, begin_of(after_last)?))).map_err(|error| definition.invalid(error))
}

/// Every session of a definition, ascending and without overlap, or the reason why it makes no sense.
pub(super) fn expand(definition: &Definition, zone: &TimeZone) -> Result<Vec<Session>, InvalidCalendar> {
    let days = Days::new(definition);
    let covered = definition.first.0.series(jiff::Span::new().days(1)).take_while(|date| *date <= definition.last.0);
    let sessions = covered
        .filter(|date| days.has_session(*date))
        .map(|date| session(date, days.hours(date)?, days.uncertain.get(&date).copied(), zone))
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
    uncertain: BTreeMap<Date, Option<(LocalTime, LocalTime)>>,
}

impl<'a> Days<'a> {
    fn new(definition: &'a Definition) -> Self {
        Days {
            definition,
            weekdays: definition.days.iter().map(|day| (*day).into()).collect(),
            closed: definition.closed.iter().map(|date| date.0).collect(),
            extra: definition.extra.iter().map(|date| date.0).collect(),
            unusual: definition.unusual.iter().map(|each| (each.date.0, each.hours)).collect(),
            uncertain: definition.uncertain.iter().map(|each| (each.date.0, each.certain)).collect(),
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

/// `uncertain` is what the file says of the date there: the part that is certain, or none.
fn session(
    date: Date,
    hours: Hours,
    uncertain: Option<Option<(LocalTime, LocalTime)>>,
    zone: &TimeZone,
) -> Result<Session, String> {
    let at = |time| instant(date, time, zone);
    let break_ = match hours.break_ {
        Some((start, end)) => Some(Break { start: at(start)?, end: at(end)? }),
        None => None,
    };
    let (open, close) = (at(hours.open)?, at(hours.close)?);
    let certain = match uncertain {
        None => (open, close),
        Some(None) => (open, open),
        Some(Some((from, until))) => (at(from)?, at(until)?),
    };
    let session = Session { date, open, close, certain, break_ };
    let ascends = session.parts().all(|(start, end)| start < end) && break_.is_none_or(|pause| pause.start < pause.end);
    let is_within = open <= certain.0 && certain.0 <= certain.1 && certain.1 <= close;
    if ascends && is_within { Ok(session) } else { Err(format!("the hours of {date} are out of order")) }
}

/// No market opens or closes in the hour that a change of the clocks skips or repeats, so any reading of it will do.
fn instant(date: Date, time: LocalTime, zone: &TimeZone) -> Result<i64, String> {
    let date = if time.day_before { date.yesterday().map_err(|error| error.to_string())? } else { date };
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
