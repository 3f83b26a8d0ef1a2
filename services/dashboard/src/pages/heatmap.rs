//! A heatmap whose rows share one calendar: a column is the same date for every series.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};

use crate::pages::shell::symbol_address;
use crate::read::quality::SeriesSessions;
use crate::sessions::SessionCount;

/// The header of a column.
pub struct HeatColumn {
    pub date: Date,
    /// The month if the column starts one: `Dec`, or `2025` for January.
    pub month: String,
    /// The day of the month if the column starts a week.
    pub day: String,
}

/// A row of the heatmap.
pub struct Heat {
    /// The sessions of the row's series.
    pub sessions: SeriesSessions,
    /// The address of the series' page.
    pub address: String,
    /// One cell per column.
    pub cells: Vec<Cell>,
    expected: i64,
    actual: i64,
}

/// A cell: its style and its text.
pub struct Cell {
    /// Its CSS classes.
    pub class: &'static str,
    /// The numbers of actual, expected and filled candles: `388/390/2`; empty on a date without a session.
    pub says: String,
}

/// The dates on which any of the series has a session.
pub fn dates(all: &[SeriesSessions]) -> BTreeSet<Date> {
    all.iter().flat_map(|series| series.sessions.iter().map(|session| session.date)).collect()
}

/// The headers of the columns.
pub fn columns(dates: &BTreeSet<Date>) -> Vec<HeatColumn> {
    let mut before: Option<Date> = None;
    let column = |date: &Date| {
        let last = before.replace(*date);
        let is_new_month = last.is_none_or(|last| last.first_of_month() != date.first_of_month());
        let is_new_week = last.is_none_or(|last| monday(last) != monday(*date));
        let month = if date.month() == 1 { date.strftime("%Y") } else { date.strftime("%b") };
        HeatColumn {
            date: *date,
            month: if is_new_month { month.to_string() } else { String::new() },
            day: if is_new_week { date.day().to_string() } else { String::new() },
        }
    };
    dates.iter().map(column).collect()
}

fn monday(date: Date) -> Option<Date> {
    date.tomorrow().ok()?.nth_weekday(-1, Weekday::Monday).ok()
}

impl Heat {
    pub fn new(sessions: SeriesSessions, dates: &BTreeSet<Date>) -> Self {
        let sum =
            |number: fn(&SessionCount) -> u32| sessions.sessions.iter().map(|session| i64::from(number(session))).sum();
        let by_date: BTreeMap<Date, &SessionCount> =
            sessions.sessions.iter().map(|session| (session.date, session)).collect();
        Self {
            expected: sum(|session| session.expected),
            actual: sum(|session| session.actual.min(session.expected)),
            address: symbol_address(&sessions.symbol, &sessions.interval),
            cells: dates.iter().map(|date| cell(by_date.get(date).copied())).collect(),
            sessions,
        }
    }

    /// The share of expected candles that are present, in percent, rounded down so that only a complete row shows 100.
    pub fn percent(&self) -> i64 {
        if self.expected == 0 { 100 } else { 100 * self.actual / self.expected }
    }

    /// A summary of the row in words.
    pub fn words(&self) -> String {
        let SeriesSessions { symbol, interval, .. } = &self.sessions;
        format!("{symbol} {interval}: {} of {} expected candles are there", self.actual, self.expected)
    }
}

fn cell(session: Option<&SessionCount>) -> Cell {
    let Some(session) = session else { return Cell { class: "none", says: String::new() } };
    let SessionCount { actual, expected, filled, .. } = session;
    Cell { class: class(session), says: format!("{actual}/{expected}/{filled}") }
}

/// CSS classes for the share of a session that is present, in tenths.
const SHADES: [&str; 10] = ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9"];

fn class(session: &SessionCount) -> &'static str {
    let SessionCount { actual, expected, filled, .. } = *session;
    if actual > expected {
        return "excess";
    }
    if actual < expected {
        let tenth = (u64::from(actual) * 10).div_ceil(u64::from(expected.max(1))).min(9);
        return SHADES.get(tenth as usize).copied().unwrap_or("s0");
    }
    match (filled, u64::from(filled) * 20 >= u64::from(expected)) {
        (0, _) => "full",
        (_, false) => "full few",
        (_, true) => "full filled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(actual: u32, expected: u32, filled: u32) -> SessionCount {
        SessionCount { date: jiff::civil::date(2024, 12, 30), expected, actual, filled }
    }

    #[test]
    fn a_cell_is_shaded_by_the_share_that_is_there() {
        let class = |actual, expected, filled| class(&session(actual, expected, filled));
        assert_eq!(
            [class(0, 390, 0), class(1, 390, 0), class(195, 390, 0), class(389, 390, 0)],
            ["s0", "s1", "s5", "s9"]
        );
        assert_eq!([class(390, 390, 0), class(390, 390, 3), class(1, 1, 1)], ["full", "full few", "full filled"]);
        assert_eq!(class(2, 1, 0), "excess");
    }

    #[test]
    fn weeks_and_months_are_named_where_they_begin() {
        let dates = ["2024-12-30", "2024-12-31", "2025-01-02", "2025-01-06"].map(|date| date.parse().unwrap());
        let heads: Vec<_> =
            columns(&dates.into_iter().collect()).into_iter().map(|head| (head.month, head.day)).collect();
        let expected = [("Dec", "30"), ("", ""), ("2025", ""), ("", "6")];
        assert!(heads.iter().map(|(month, day)| (month.as_str(), day.as_str())).eq(expected), "{heads:?}");
    }
}
