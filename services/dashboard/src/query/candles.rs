//! Parameters that select the candles of a series.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;
use thiserror::Error;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::indicators::Indicators;
use crate::problem::Problem;
use crate::query::fields::{Field, Fields};

/// The default number of candles in a response: more than five years of daily or a month of minute candles.
const USUAL: u32 = 50_000;

/// The maximum number of candles in a response; `next` leads to the rest.
const MOST: u32 = 50_000;

/// Selects candles of a series, in ascending order of their times.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CandleQuery {
    /// The start of the range: a date, or an instant in RFC 3339.
    #[param(value_type = Option<Moment>, inline, example = "2024-01-01")]
    pub from: Option<Moment>,
    /// The end of the range, inclusive; a date includes the whole day.
    #[param(value_type = Option<Moment>, inline, example = "2024-12-31")]
    pub to: Option<Moment>,
    /// The maximum number of candles: 1 to 50000, which is the default. If there are more, `next` says where to
    /// continue.
    #[param(minimum = 1, maximum = 50_000)]
    #[serde(default, deserialize_with = "crate::query::bounded::<_, 50_000>")]
    pub limit: Option<u32>,
    /// The `next` of the previous response: only candles after this time are returned.
    #[param(value_type = Option<Moment>, inline)]
    pub after: Option<Moment>,
    /// Only the last candles of the range: 1 to 50000. If there are earlier ones, `previous` says where to continue.
    #[param(minimum = 1, maximum = 50_000)]
    #[serde(default, deserialize_with = "crate::query::bounded::<_, 50_000>")]
    pub last: Option<u32>,
    /// The `previous` of the previous response with `last`: only candles before this time are returned.
    #[param(value_type = Option<Moment>, inline)]
    pub before: Option<Moment>,
    /// The candles as they were at this moment, whatever was loaded since; a date means its end, in UTC.
    #[param(value_type = Option<Moment>, inline, example = "2024-12-31")]
    pub as_of: Option<Moment>,
    /// The maximum number of candles for the whole range; consecutive candles are merged to fit. Longer intervals than
    /// the stored one give more meaningful candles because they follow the sessions.
    #[param(minimum = 1, maximum = 10_000)]
    #[serde(default, deserialize_with = "crate::query::bounded::<_, 10_000>")]
    pub points: Option<u32>,
    /// The fields of the candles, separated by commas [default: all].
    #[param(value_type = Option<Vec<Field>>, style = Form, explode = false, inline, example = json!(["time", "close"]))]
    #[serde(default)]
    pub fields: Fields,
    /// The indicators, separated by commas: `sma20`, `ema20`, `bb20x2`, `rsi14`, `macd12x26x9`, `vwap` (per session),
    /// `vwap20`, with any lengths up to 500. A candle has the same value in every range.
    #[param(value_type = Option<Indicators>, inline, example = "sma20,rsi14")]
    #[serde(default)]
    pub indicators: Indicators,
}

/// Selects candles of a series as CSV. By default their number is not limited.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CsvQuery {
    /// The start of the range: a date, or an instant in RFC 3339.
    #[param(value_type = Option<Moment>, inline, example = "2024-01-01")]
    pub from: Option<Moment>,
    /// The end of the range, inclusive; a date includes the whole day.
    #[param(value_type = Option<Moment>, inline, example = "2024-12-31")]
    pub to: Option<Moment>,
    /// The maximum number of candles [default: the whole range].
    #[param(minimum = 1)]
    #[serde(default, deserialize_with = "crate::query::bounded::<_, { u32::MAX }>")]
    pub limit: Option<u32>,
    /// Only candles after this time.
    #[param(value_type = Option<Moment>, inline)]
    pub after: Option<Moment>,
    /// The candles as they were at this moment, whatever was loaded since; a date means its end, in UTC.
    #[param(value_type = Option<Moment>, inline, example = "2024-12-31")]
    pub as_of: Option<Moment>,
    /// The fields of the candles, separated by commas, in the order of the columns [default: all].
    #[param(value_type = Option<Vec<Field>>, style = Form, explode = false, inline, example = json!(["time", "close"]))]
    #[serde(default)]
    pub fields: Fields,
    /// The indicators, separated by commas; their columns follow the fields.
    #[param(value_type = Option<Indicators>, inline, example = "sma20,rsi14")]
    #[serde(default)]
    pub indicators: Indicators,
}

/// A date or an instant in a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Moment {
    /// A whole day, in UTC.
    Day(Date),
    Instant(Timestamp),
}

/// The text is neither a date nor an instant.
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

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(date) => date.fmt(out),
            Self::Instant(instant) => instant.fmt(out),
        }
    }
}

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        let text =
            |format| ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(format)));
        let any = AnyOfBuilder::new().item(text(KnownFormat::Date)).item(text(KnownFormat::DateTime));
        RefOr::T(Schema::AnyOf(any.build()))
    }
}

impl ToSchema for Moment {}

impl TryFrom<String> for Moment {
    type Error = NoMoment;

    fn try_from(text: String) -> Result<Self, NoMoment> {
        text.parse()
    }
}

impl Moment {
    /// The first second, since 1970.
    pub fn first(self) -> i64 {
        match self {
            Self::Day(date) => midnight(date),
            Self::Instant(instant) => instant.as_second(),
        }
    }

    /// The last microsecond.
    pub fn end(self) -> Timestamp {
        match self {
            Self::Day(_) => {
                let next = self.last().saturating_add(1);
                Timestamp::from_microsecond(next.saturating_mul(1_000_000) - 1).unwrap_or(Timestamp::MAX)
            }
            Self::Instant(instant) => instant,
        }
    }

    /// The last second, since 1970.
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

/// From which end of a range candles are taken, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    First(usize),
    Last(usize),
}

/// The bounds of a query, in seconds since 1970, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub from: i64,
    pub to: i64,
}

impl Range {
    /// The years −4712 to 9999, which both PostgreSQL and [`Timestamp`] support.
    pub const ALWAYS: Self = Self { from: -210_000_000_000, to: 253_402_300_799 };

    fn new(from: Option<Moment>, after: Option<Moment>, to: Option<Moment>, before: Option<Moment>) -> Self {
        let from = from.map_or(Self::ALWAYS.from, Moment::first);
        let from = after.map_or(from, |after| from.max(after.last().saturating_add(1)));
        let to = to.map_or(Self::ALWAYS.to, Moment::last);
        let to = before.map_or(to, |before| to.min(before.first().saturating_sub(1)));
        Self { from, to }.clamped()
    }

    /// From the start of one moment through the end of another.
    pub fn between(from: Option<Moment>, to: Option<Moment>) -> Self {
        Self::new(from, None, to, None)
    }

    /// Clamps the bounds to the supported years: the database rejects later times.
    fn clamped(self) -> Self {
        let clamp = |second: i64| second.clamp(Self::ALWAYS.from, Self::ALWAYS.to);
        Self { from: clamp(self.from), to: clamp(self.to) }
    }

    /// Extends the range by a number of seconds on each side.
    pub fn widened(self, seconds: i64) -> Self {
        Self { from: self.from.saturating_sub(seconds), to: self.to.saturating_add(seconds) }.clamped()
    }
}

impl CandleQuery {
    pub fn range(&self) -> Range {
        Range::new(self.from, self.after, self.to, self.before)
    }

    /// From which end of the range candles are taken, and how many.
    pub fn take(&self) -> Take {
        let count = |number: u32| number.clamp(1, MOST) as usize;
        match self.last {
            Some(last) => Take::Last(count(last)),
            None => Take::First(count(self.limit.unwrap_or(USUAL))),
        }
    }

    /// As [`Self::take`], but all candles if the query has no limit: for a response that has no `next`.
    pub fn take_all(&self) -> Take {
        match (self.last, self.limit) {
            (None, None) => Take::First(usize::MAX),
            _ => self.take(),
        }
    }

    /// The maximum number of candles of a merged range.
    pub fn points(&self) -> Option<u32> {
        self.points.map(|points| points.clamp(1, 10_000))
    }

    /// Rejects parameters that contradict each other.
    pub fn check(&self) -> Result<(), Problem> {
        if self.last.is_some() && (self.limit.is_some() || self.after.is_some()) {
            return Err(Problem::bad_request("last counts from the end of the range, limit and after from its start"));
        }
        if self.points.is_some() && (self.last.is_some() || !self.indicators.is_empty()) {
            return Err(Problem::bad_request(
                "points merges the candles of a whole range: last and indicators go by true ones",
            ));
        }
        Ok(())
    }
}

impl CsvQuery {
    pub fn range(&self) -> Range {
        Range::new(self.from, self.after, self.to, None)
    }

    /// How many candles to take from the start of the range.
    pub fn take(&self) -> Take {
        Take::First(self.limit.map_or(usize::MAX, |limit| limit.max(1) as usize))
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
        assert!(query.range().from <= Range::ALWAYS.to && query.range().to <= Range::ALWAYS.to, "{:?}", query.range());
    }

    #[test]
    fn an_answer_goes_on_after_where_the_last_one_ended() {
        let query = CandleQuery {
            from: Some("2024-01-01".parse().unwrap()),
            after: Some("2024-01-05".parse().unwrap()),
            limit: Some(0),
            ..CandleQuery::default()
        };
        assert_eq!(query.range(), Range { from: at("2024-01-06T00:00:00Z"), to: Range::ALWAYS.to });
        assert_eq!(query.take(), Take::First(1));
    }

    #[test]
    fn an_answer_goes_back_before_where_the_last_one_began() {
        let before = Some("2024-01-05".parse().unwrap());
        let query = CandleQuery { before, last: Some(7), ..CandleQuery::default() };
        assert_eq!(query.range(), Range { from: Range::ALWAYS.from, to: at("2024-01-04T23:59:59Z") });
        assert_eq!(query.take(), Take::Last(7));
        assert!(query.check().is_ok());
        assert!(CandleQuery { limit: Some(1), ..query.clone() }.check().is_err());
        assert!(CandleQuery { points: Some(1), ..query }.check().is_err());
    }
}
