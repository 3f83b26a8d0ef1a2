//! Which candles of a series are asked for.

use std::str::FromStr;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;
use thiserror::Error;
use utoipa::IntoParams;

use crate::query::fields::{Field, Fields};

/// How many candles an answer has where nothing is said: more than five years of days or a month of minutes.
const USUAL: u32 = 50_000;

/// How many candles an answer has at most: `next` leads to the rest.
const MOST: u32 = 50_000;

/// Which candles of a series, in ascending order of their times.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CandleQuery {
    /// From this time on: a date, or an instant in RFC 3339.
    #[param(value_type = Option<String>, example = "2024-01-01")]
    pub from: Option<Moment>,
    /// Through this time; a date means all of that day.
    #[param(value_type = Option<String>, example = "2024-12-31")]
    pub to: Option<Moment>,
    /// How many candles at most: 1 to 50000, which is the default. Where there are more, `next` says where to go on.
    #[param(minimum = 1, maximum = 50_000)]
    pub limit: Option<u32>,
    /// Where the last answer ended: its `next`. Candles behind it are sent.
    #[param(value_type = Option<String>)]
    pub after: Option<Moment>,
    /// At most so many candles for the whole range, by merging candles that follow each other: for charts.
    #[param(minimum = 1, maximum = 10_000)]
    pub points: Option<u32>,
    /// Which fields of the candles, separated by commas [default: all]. CSV has them in this order.
    #[param(value_type = Option<Vec<Field>>, style = Form, explode = false, inline, example = json!(["time", "close"]))]
    #[serde(default)]
    pub fields: Fields,
}

/// A moment as parameters name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Moment {
    /// All of a day, in UTC.
    Day(Date),
    /// An instant.
    Instant(Timestamp),
}

/// The text is no moment.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0:?} is no time: write a date such as 2024-12-30, or an instant such as 2024-12-30T14:30:00Z")]
pub struct NoMoment(String);

impl FromStr for Moment {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, NoMoment> {
        let instant = || text.parse().map(Self::Instant).map_err(|_| NoMoment(text.to_owned()));
        if text.len() == 10 { text.parse().map(Self::Day).or_else(|_| instant()) } else { instant() }
    }
}

impl TryFrom<String> for Moment {
    type Error = NoMoment;

    fn try_from(text: String) -> Result<Self, NoMoment> {
        text.parse()
    }
}

impl Moment {
    /// Its first second, since 1970.
    #[must_use]
    pub fn first(self) -> i64 {
        match self {
            Self::Day(date) => midnight(date),
            Self::Instant(instant) => instant.as_second(),
        }
    }

    /// Its last second, since 1970.
    #[must_use]
    pub fn last(self) -> i64 {
        match self {
            Self::Day(date) => date.checked_add(1.day()).map_or(i64::MAX, |next| midnight(next) - 1),
            Self::Instant(instant) => instant.as_second(),
        }
    }
}

fn midnight(date: Date) -> i64 {
    TimeZone::UTC.to_timestamp(date.to_datetime(Time::midnight())).map_or(0, Timestamp::as_second)
}

/// The bounds of a read, in seconds since 1970, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The first second.
    pub from: i64,
    /// The last second.
    pub to: i64,
    /// The most candles.
    pub limit: u32,
}

/// The years −4712 to 9999, which PostgreSQL's times hold and ours too.
const ALWAYS: (i64, i64) = (-210_000_000_000, 253_402_300_799);

impl CandleQuery {
    /// What to read.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        let from = self.from.map_or(ALWAYS.0, Moment::first);
        let from = self.after.map_or(from, |after| from.max(after.last().saturating_add(1)));
        let to = self.to.map_or(ALWAYS.1, Moment::last);
        // What lies outside of the years that there are is asked for as their last second: the database knows no later one.
        let (from, to) = (from.clamp(ALWAYS.0, ALWAYS.1), to.clamp(ALWAYS.0, ALWAYS.1));
        Bounds { from, to, limit: self.limit.unwrap_or(USUAL).clamp(1, MOST) }
    }

    /// The most candles of a chart, where a chart is asked for.
    #[must_use]
    pub fn points(&self) -> Option<u32> {
        self.points.map(|points| points.clamp(1, 10_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    #[test]
    fn a_date_is_all_of_its_day_and_an_instant_itself() {
        let day: Moment = "2024-02-29".parse().unwrap();
        assert_eq!((day.first(), day.last()), (at("2024-02-29T00:00:00Z"), at("2024-02-29T23:59:59Z")));
        let instant: Moment = "2024-02-29T09:30:00-05:00".parse().unwrap();
        assert_eq!((instant.first(), instant.last()), (at("2024-02-29T14:30:00Z"), at("2024-02-29T14:30:00Z")));
    }

    #[test]
    fn what_is_no_time_is_refused_with_what_would_be_one() {
        for text in ["", "yesterday", "2024-02-30", "2024-2-3", "2024-02-29 10:00", "99999999999999"] {
            let error = text.parse::<Moment>().unwrap_err().to_string();
            assert!(error.contains("2024-12-30T14:30:00Z"), "{error}");
        }
    }

    #[test]
    fn no_bound_lies_outside_of_the_years_that_there_are() {
        let last = || Some("9999-12-31".parse().unwrap());
        let query = CandleQuery { after: last(), to: last(), ..CandleQuery::default() };
        assert!(query.bounds().from <= ALWAYS.1 && query.bounds().to <= ALWAYS.1, "{:?}", query.bounds());
    }

    #[test]
    fn an_answer_goes_on_behind_where_the_last_one_ended() {
        let query = CandleQuery {
            from: Some("2024-01-01".parse().unwrap()),
            after: Some("2024-01-05".parse().unwrap()),
            limit: Some(0),
            ..CandleQuery::default()
        };
        assert_eq!(query.bounds(), Bounds { from: at("2024-01-06T00:00:00Z"), to: ALWAYS.1, limit: 1 });
    }
}
