//! How far back a chart goes.

use candlewick_shared::core::interval::Interval;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far back a chart goes, counted from the last candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub enum Span {
    #[serde(rename = "1D")]
    Day1,
    #[serde(rename = "5D")]
    Day5,
    #[serde(rename = "1M")]
    Month1,
    #[serde(rename = "3M")]
    Month3,
    #[serde(rename = "6M")]
    Month6,
    #[serde(rename = "YTD")]
    YearToDate,
    #[serde(rename = "1Y")]
    Year1,
    #[serde(rename = "5Y")]
    Year5,
    All,
}

impl Span {
    /// What is shown if a tile does not say it.
    pub fn usual(interval: Interval) -> Self {
        if interval.is_intraday() { Self::Day5 } else { Self::Year1 }
    }

    /// The first date that is shown, given that of the last candle; `None` if all are shown. Five sessions are within a
    /// week.
    pub fn first(self, last: Date) -> Option<Date> {
        let back = match self {
            Self::Day1 => 0.days(),
            Self::Day5 => 6.days(),
            Self::Month1 => 1.month(),
            Self::Month3 => 3.months(),
            Self::Month6 => 6.months(),
            Self::YearToDate => return Some(last.first_of_year()),
            Self::Year1 => 1.year(),
            Self::Year5 => 5.years(),
            Self::All => return None,
        };
        last.checked_sub(back).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_begins_as_the_ranges_of_a_chart_do() {
        let first = |span: Span, last: &str| span.first(last.parse().unwrap()).map(|date| date.to_string());
        assert_eq!(first(Span::Month1, "2024-03-31").as_deref(), Some("2024-02-29"));
        assert_eq!(first(Span::Year1, "2024-02-29").as_deref(), Some("2023-02-28"));
        assert_eq!(first(Span::YearToDate, "2024-12-30").as_deref(), Some("2024-01-01"));
        assert_eq!(
            (first(Span::All, "2024-12-30"), first(Span::Day1, "2024-12-30")),
            (None, Some("2024-12-30".into()))
        );
    }
}
