//! Detects which day of its week or month a source uses as the stamp, from all dates of a series together.
//!
//! Candlewick stamps a week with its Monday and a month with its first day. Other sources use the last session, the
//! Friday, the last day of the month, or a Sunday. A single date proves nothing, but if every date of a series is the
//! last session of its week and no two dates are in the same week, only one reading remains. If two remain, the
//! series is rejected.

use std::fmt;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use thiserror::Error;

use super::Calendar;
use super::period::{Period, date_of, midnight};
use crate::core::interval::Interval;

/// Which day stamps a week or a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamping {
    /// The first day, as in Candlewick: the Monday, or the first of the month.
    FirstDay,
    /// The day of the first session.
    FirstSession,
    /// The day of the last session.
    LastSession,
    /// The last day from Monday to Friday, even if it is a holiday.
    LastWeekday,
    /// The last day: the Sunday, or the last of the month.
    LastDay,
    /// The Sunday before the week.
    SundayBefore,
}

impl Stamping {
    const ALL: [Self; 6] =
        [Self::FirstDay, Self::FirstSession, Self::LastSession, Self::LastWeekday, Self::LastDay, Self::SundayBefore];

    /// Whether the source stamps an unfinished period with the date of the download.
    fn moves_until_the_end(self) -> bool {
        matches!(self, Self::LastSession | Self::LastWeekday | Self::LastDay)
    }

    /// A day within the period that a date stamps.
    fn day_within(self, date: Date) -> Date {
        if self == Self::SundayBefore { date.saturating_add(1.day()) } else { date }
    }
}

impl fmt::Display for Stamping {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::FirstDay => "the first day",
            Self::FirstSession => "the first session",
            Self::LastSession => "the last session",
            Self::LastWeekday => "the last weekday",
            Self::LastDay => "the last day",
            Self::SundayBefore => "the Sunday before",
        })
    }
}

/// How the candles of a weekly or monthly series are stamped; returned by [`stamping`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamps {
    /// Which day of its period each date is.
    pub stamping: Stamping,
    period: Period,
    /// The newest date, if it does not match: its week or month was not over when the source was asked.
    unfinished: Option<Date>,
}

impl Stamps {
    /// The date that Candlewick gives the candle: the Monday, or the first of the month. `None` for the last candle
    /// of a series if its week or month was not over: that candle is provisional.
    #[must_use]
    pub fn slot(&self, date: Date) -> Option<Date> {
        let within = self.stamping.day_within(date);
        (self.unfinished != Some(date)).then(|| date_of(self.period.around(within).first))
    }
}

/// Why the dates do not show how the series is stamped.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum UnclearStamps {
    /// Two dates are in the same week or month.
    #[error("{0} and {1} are of one {2}: a {2} is stamped with its {first_day}", first_day = first_day(.2))]
    TwoInOne(Date, Date, &'static str),
    /// All dates are Sundays, and they could stamp the week before or the week after.
    #[error(
        "a week that is stamped with a Sunday ({0}) is the one before it or the one after it, and nothing tells which: \
         stamp each week with its Monday"
    )]
    Sundays(Date),
    /// The dates fit no stamping.
    #[error(
        "{0} is a {day}: a {1} is stamped with its {first_day}, or each with its last session or last day",
        day = weekday(.0),
        first_day = first_day(.1)
    )]
    Mixed(Date, &'static str),
}

/// Detects how the candles of a weekly or monthly series are stamped, from all of its dates in any order. For daily and
/// shorter candles, and without any dates, the result is always [`Stamping::FirstDay`].
///
/// `today` is the date on which the source was asked: no period begins after it. Dates that the calendar does not
/// cover decide nothing.
///
/// # Errors
///
/// Fails if the dates fit no stamping, or two that assign them to different weeks.
pub fn stamping(
    interval: Interval,
    calendar: Option<&Calendar>,
    today: Date,
    dates: impl IntoIterator<Item = Date>,
) -> Result<Stamps, UnclearStamps> {
    let mut dates: Vec<_> = dates.into_iter().collect();
    dates.sort_unstable();
    dates.dedup();
    let series = Series { period: Period::of(interval), calendar, today, dates };
    if series.period == Period::Day || series.dates.is_empty() {
        return Ok(series.stamps(Stamping::FirstDay));
    }
    let fitting: Vec<_> = Stamping::ALL.into_iter().filter(|stamping| series.fits(*stamping)).collect();
    match (fitting.first(), fitting.contains(&Stamping::SundayBefore)) {
        (Some(stamping), is_sunday) if !is_sunday || fitting.len() == 1 => Ok(series.stamps(*stamping)),
        (Some(_), _) => Err(UnclearStamps::Sundays(series.dates[0])),
        (None, _) => Err(series.unclear()),
    }
}

struct Series<'a> {
    period: Period,
    calendar: Option<&'a Calendar>,
    today: Date,
    /// In ascending order, without duplicates.
    dates: Vec<Date>,
}

impl Series<'_> {
    fn stamps(&self, stamping: Stamping) -> Stamps {
        let is_unfinished =
            |date: &Date| stamping.moves_until_the_end() && self.is_stamp(stamping, *date) == Some(false);
        let unfinished = self.dates.last().copied().filter(is_unfinished);
        Stamps { stamping, period: self.period, unfinished }
    }

    /// Whether no date contradicts a stamping, at least one confirms it, and no two dates share a period.
    fn fits(&self, stamping: Stamping) -> bool {
        let agrees = |date: &Date| self.is_stamp(stamping, *date) == Some(true);
        let contradicts =
            |date: &Date| self.is_stamp(stamping, *date) == Some(false) && !self.is_unfinished(stamping, *date);
        self.dates.iter().any(agrees) && !self.dates.iter().any(contradicts) && self.two_in_one(stamping).is_none()
    }

    /// Whether a date can be the day on which the source was asked, within a period that was not over.
    fn is_unfinished(&self, stamping: Stamping, date: Date) -> bool {
        let span = self.period.around(date);
        let is_stamp = self.is_stamp(stamping, date) != Some(false);
        let may_be = stamping.moves_until_the_end() && self.dates.last() == Some(&date);
        may_be && !is_stamp && self.trades(date_of(span.first), date_of(span.last)) && date <= self.today
    }

    /// Whether a stamping would give this date to its period; `None` if the calendar cannot tell.
    fn is_stamp(&self, stamping: Stamping, date: Date) -> Option<bool> {
        let within = stamping.day_within(date);
        let span = self.period.around(within);
        let first = date_of(span.first);
        let last = date_of(span.last);
        match stamping {
            Stamping::FirstDay => Some(date == first),
            Stamping::FirstSession => self.is_session(date, first, last, |days| days.next()),
            Stamping::LastSession => self.is_session(date, first, last, |days| days.last()),
            Stamping::LastWeekday => Some(date == last_weekday(last)),
            Stamping::LastDay => Some(date == last && first <= self.today && self.trades(first, last)),
            Stamping::SundayBefore => {
                let is_sunday = self.period == Period::Week && date.weekday() == Weekday::Sunday;
                Some(is_sunday && first <= self.today && self.trades(first, last))
            }
        }
    }

    /// Whether a date is the first or the last session of a period, counting all sessions or only the certain ones.
    fn is_session(
        &self,
        date: Date,
        first: Date,
        last: Date,
        pick: impl Fn(&mut dyn Iterator<Item = Date>) -> Option<Date>,
    ) -> Option<bool> {
        let sessions: Vec<_> = self.calendar?.sessions(first..=last).ok()?.collect();
        let all = pick(&mut sessions.iter().map(|session| session.date));
        let certain = pick(&mut sessions.iter().filter(|session| session.is_certain()).map(|session| session.date));
        Some(all == Some(date) || certain == Some(date))
    }

    /// Whether a period has a session; true if the calendar cannot tell.
    fn trades(&self, first: Date, last: Date) -> bool {
        let sessions = self.calendar.and_then(|calendar| calendar.sessions(first..=last).ok());
        sessions.is_none_or(|mut sessions| sessions.next().is_some())
    }

    fn two_in_one(&self, stamping: Stamping) -> Option<(Date, Date)> {
        let period_of = |date| self.period.around(stamping.day_within(date));
        let pairs = self.dates.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?)));
        pairs.into_iter().find(|(one, next)| period_of(*one) == period_of(*next))
    }

    fn unclear(&self) -> UnclearStamps {
        let name = if self.period == Period::Week { "week" } else { "month" };
        match self.two_in_one(Stamping::FirstDay) {
            Some((one, next)) => UnclearStamps::TwoInOne(one, next, name),
            None => {
                let is_other = |date: &&Date| self.is_stamp(Stamping::FirstDay, **date) == Some(false);
                let other = self.dates.iter().find(is_other).or(self.dates.first());
                UnclearStamps::Mixed(other.copied().unwrap_or(self.today), name)
            }
        }
    }
}

/// The last day from Monday to Friday on or before a date.
fn last_weekday(date: Date) -> Date {
    let past_friday = (date.weekday().to_monday_one_offset() - 5).max(0);
    date_of(midnight(date) - i64::from(past_friday) * super::period::DAY)
}

fn weekday(date: &Date) -> String {
    date.strftime("%A").to_string()
}

fn first_day(period: &&str) -> &'static str {
    if *period == "week" { "Monday" } else { "first day" }
}

#[cfg(test)]
mod tests;
