//! Sessions: the spans of time in which a market trades, one for each trading date.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::definition::{Definition, Hours, LocalTime};
use super::error::InvalidCalendar;

/// A session of regular trading. Times are Unix seconds; `close` and the end of the break are exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// The date that the market assigns to the session.
    pub date: Date,
    /// When the session opens.
    pub open: i64,
    /// When the session closes, which is earlier than usual on some dates.
    pub close: i64,
    /// The start and the end of the time in which trading is certain. This is the full session, except on days on
    /// which only some venues trade, or trade in full. Candles outside of it are possible but not expected. It is
    /// empty if no part of the session is certain.
    pub certain: (i64, i64),
    /// The break within the session, if there is one: the lunch of Tokyo, Hong Kong and Shanghai.
    pub break_: Option<Break>,
}

/// A pause within a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// When trading stops.
    pub start: i64,
    /// When trading resumes.
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

    /// Whether any part of the session is certain, so that a candle is expected on its date.
    pub fn is_certain(&self) -> bool {
        self.certain.0 < self.certain.1
    }
}

/// The instants at which the first covered date begins and the last one ends. If sessions open on the day before, the
/// dates begin then as well.
pub(super) fn span(definition: &Definition, zone: &TimeZone) -> Result<(i64, i64), InvalidCalendar> {
    let begin_of = |date: Date| {
        let opens = definition.usual_hours(definition.first.0).map(|hours| hours.open);
        instant(date, opens.filter(|time| time.day_before).unwrap_or(LocalTime::MIDNIGHT), zone)
    };
    let after_last = definition.last.0.tomorrow().map_err(|error| definition.invalid(error))?;
    let begin = begin_of(definition.first.0);
    begin.and_then(|begin| Ok((begin, begin_of(after_last)?))).map_err(|error| definition.invalid(error))
}

/// Expands a definition to its sessions in ascending order, or fails if they overlap, if their hours are out of order,
/// or if the file says something of a date that has no effect.
pub(super) fn expand(definition: &Definition, zone: &TimeZone) -> Result<Vec<Session>, InvalidCalendar> {
    let days = Days::new(definition);
    days.check().map_err(|reason| definition.invalid(reason))?;
    let covered = definition.first.0.series(jiff::Span::new().days(1)).take_while(|date| *date <= definition.last.0);
    let sessions = covered
        .filter(|date| days.has_session(*date))
        .map(|date| session(date, days.hours(date)?, days.uncertain.get(&date).copied(), zone))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|reason| definition.invalid(reason))?;
    require_order(&sessions).map_err(|reason| definition.invalid(reason))?;
    Ok(sessions)
}

/// A definition, indexed by date.
struct Days<'a> {
    definition: &'a Definition,
    closed: BTreeSet<Date>,
    extra: BTreeSet<Date>,
    unusual: BTreeMap<Date, Hours>,
    uncertain: BTreeMap<Date, Option<(LocalTime, LocalTime)>>,
}

impl<'a> Days<'a> {
    fn new(definition: &'a Definition) -> Self {
        let unusual = definition.unusual.iter().flat_map(|each| each.dates.iter().map(|date| (date.0, each.hours())));
        let uncertain =
            definition.uncertain.iter().flat_map(|each| each.dates.iter().map(|date| (date.0, each.certain)));
        Days {
            definition,
            closed: definition.closed.iter().map(|date| date.0).collect(),
            extra: definition.extra.iter().map(|date| date.0).collect(),
            unusual: unusual.collect(),
            uncertain: uncertain.collect(),
        }
    }

    fn has_session(&self, date: Date) -> bool {
        let is_regular = self.definition.regular_hours(date).is_some() && !self.closed.contains(&date);
        is_regular || self.extra.contains(&date)
    }

    fn hours(&self, date: Date) -> Result<Hours, String> {
        let regular = || self.definition.usual_hours(date);
        self.unusual.get(&date).copied().or_else(regular).ok_or_else(|| format!("no hours are given for {date}"))
    }

    /// A date without effect is a mistake: one of another year, or a closed Sunday where the Monday was meant.
    fn check(&self) -> Result<(), String> {
        let first = self.definition.first.0;
        let last = self.definition.last.0;
        if first > last {
            return Err(format!("first = {first} is after last = {last}"));
        }
        if self.definition.usual_hours(first).is_none() {
            return Err(format!("no hours are given for {first}"));
        }
        let is_regular = |date| self.definition.regular_hours(date).is_some();
        self.require_effect("closed", self.closed.iter(), is_regular)?;
        self.require_effect("extra", self.extra.iter(), |date| !is_regular(date))?;
        self.require_effect("unusual", self.unusual.keys(), |date| self.has_session(date))?;
        self.require_effect("uncertain", self.uncertain.keys(), |date| self.has_session(date))
    }

    fn require_effect<'d>(
        &self,
        key: &str,
        mut dates: impl Iterator<Item = &'d Date>,
        has_effect: impl Fn(Date) -> bool,
    ) -> Result<(), String> {
        let covered = self.definition.first.0..=self.definition.last.0;
        match dates.find(|date| !covered.contains(*date) || !has_effect(**date)) {
            Some(date) => {
                let day = date.strftime("%A");
                Err(format!("{key} has {date}, a {day}, which has no effect: is another date meant?"))
            }
            None => Ok(()),
        }
    }
}

/// `uncertain` is the entry of the date in the file, if it has one; its value is the certain part, if there is one.
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
    let open = at(hours.open)?;
    let close = at(hours.close)?;
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

/// No market opens or closes in an hour that a clock change skips or repeats, so how such a time is resolved does not
/// matter.
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
