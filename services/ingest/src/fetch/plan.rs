//! Plans requests: the span of a series' history, its parts, and which of them are due.

use std::collections::BTreeSet;

use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Month;
use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::core::raw_csv::SourceRow;
use candlewick_shared::core::watchlist::History;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, ToSpan};

/// The most candles in one answer of the API.
pub const MOST_CANDLES: usize = 5000;

/// How long a month stays open after its end, because the last candles of a session may be late or corrected.
const LATE: SignedDuration = SignedDuration::from_hours(24);

/// A span of time, in UTC for intraday candles and in the exchange's time zone for the longer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: DateTime,
    /// Exclusive. For some intervals the API includes the end of a request in its answer; such a candle is cut off.
    pub until: DateTime,
}

/// A stored month of an intraday series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptMonth {
    pub month: Month,
    /// The run that fetched it.
    pub run: Option<String>,
    pub fetched_at: Timestamp,
    /// The source's description of the instrument.
    pub instrument: Instrument,
    /// The date of the series' oldest candle, which was requested before its first month was fetched.
    pub earliest: Option<Date>,
    /// The months for which the API had no candle when this one was fetched.
    pub vacant: BTreeSet<Month>,
    /// When the month that showed a split was fetched, if this one was fetched again because of the split.
    pub refetched_since: Option<Timestamp>,
}

impl Window {
    /// The dates from `from` to the day before `until`.
    pub fn of_dates(from: Date, until: Date) -> Self {
        Self { from: from.to_datetime(Time::midnight()), until: until.to_datetime(Time::midnight()) }
    }

    pub fn contains(&self, time: DateTime) -> bool {
        (self.from..self.until).contains(&time)
    }
}

/// The window of a series' whole history, up to now.
pub fn history(interval: Interval, history: History, now: Timestamp) -> Window {
    let today = now.to_zoned(TimeZone::UTC).date();
    // East of UTC the next day may have begun already, so a candle dated tomorrow in UTC may exist today.
    let until = if interval.is_intraday() { 1.day() } else { 2.days() };
    Window::of_dates(history.first_date(today), moved(today, until))
}

/// The months of a history, oldest first, starting with that of the oldest candle if it is known.
pub fn months(history: Window, earliest: Option<Date>) -> Vec<Month> {
    let from = earliest.map_or(history.from.date(), |earliest| earliest.max(history.from.date()));
    let firsts = std::iter::successors(Some(from.first_of_month()), |first| first.checked_add(1.month()).ok());
    firsts.take_while(|first| *first < history.until.date()).map(Month::of).collect()
}

/// The window of a whole month, cut off at the end of the history.
pub fn whole(month: Month, history: Window) -> Window {
    let first = first_of(month);
    Window::of_dates(first, moved(first, 1.month()).min(history.until.date()))
}

/// Extends a window back to the oldest of some rows.
pub fn back_to(window: Window, rows: &[SourceRow]) -> Window {
    let oldest = rows.iter().filter_map(crate::fetch::overlap::time).min();
    let from = oldest.map_or(window.from, |oldest| oldest.date().to_datetime(Time::midnight()));
    Window { from: from.min(window.from), ..window }
}

/// Whether a month must be requested: it is not stored, or was fetched while it was open. Never twice in a run.
pub fn is_due(kept: Option<&KeptMonth>, run: &str) -> bool {
    kept.is_none_or(|kept| kept.run.as_deref() != Some(run) && kept.fetched_at < closes_at(kept.month))
}

/// The month to fetch again when a backfill that was interrupted on an earlier day continues: the last stored one before the
/// first missing one. If the series was split meanwhile, the stored months have the old prices and the missing ones will have
/// the new ones. They have no candle in common, so only fetching this month again can reveal the split.
pub fn seam(kept: &[KeptMonth], months: &[Month], vacant: &BTreeSet<Month>, now: Timestamp) -> Option<Month> {
    let is_known = |month: &Month| vacant.contains(month) || kept.iter().any(|kept| kept.month == *month);
    let missing = months.iter().find(|month| !is_known(month) && closes_at(**month) <= now)?;
    let last = kept.iter().rfind(|kept| kept.month < *missing && months.contains(&kept.month))?;
    let date = |time: Timestamp| time.to_zoned(TimeZone::UTC).date();
    (date(last.fetched_at) < date(now)).then_some(last.month)
}

/// The months that are known to have no candle. Only the object of the last month records them, so each new month forgets
/// them, and a month that was empty by mistake is requested again.
pub fn vacant(kept: &[KeptMonth], months: &[Month]) -> BTreeSet<Month> {
    let last = kept.iter().find(|kept| Some(&kept.month) == months.last());
    last.map(|kept| kept.vacant.clone()).unwrap_or_default()
}

/// From when on only a split can change a month.
pub fn closes_at(month: Month) -> Timestamp {
    let end = moved(first_of(month), 1.month()).to_zoned(TimeZone::UTC).map(|end| end.timestamp());
    end.and_then(|end| end.checked_add(LATE)).unwrap_or(Timestamp::MAX)
}

/// The window to request of an open month whose last stored candle is `last`: from the day before it, so that stored and new
/// candles can be compared. If a whole month fits into one answer, it is requested, because that costs no more.
pub fn tail(whole: Window, last: Option<DateTime>, interval: Interval) -> Window {
    let Some((last, seconds)) = last.zip(interval.seconds()) else { return whole };
    let slots = (whole.until - whole.from).get_days() as i64 * 86_400 / seconds;
    if slots <= MOST_CANDLES as i64 {
        return whole;
    }
    let from = moved(last.date(), (-1).days()).to_datetime(Time::midnight());
    Window { from: from.max(whole.from), ..whole }
}

/// From this time on, candles were still incomplete when they were fetched, so changes are expected.
pub fn open_from(interval: Interval, fetched_at: Timestamp) -> DateTime {
    let fetched = TimeZone::UTC.to_datetime(fetched_at);
    let length = match (interval.seconds(), interval) {
        (Some(seconds), _) => seconds.seconds(),
        (None, Interval::Month1) => 31.days(),
        (None, Interval::Week1) => 7.days(),
        (None, _) => 1.day(),
    };
    fetched.checked_sub(length).unwrap_or(DateTime::MIN)
}

fn first_of(month: Month) -> Date {
    Date::new(month.year, month.month, 1).unwrap_or(Date::MIN)
}

fn moved(date: Date, by: Span) -> Date {
    date.checked_add(by).unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2024-12-30T22:00:00Z";

    fn five_years() -> Window {
        history(Interval::Hour1, History::Years(5), NOW.parse().unwrap())
    }

    fn month(text: &str) -> Month {
        Month::of(format!("{text}-01").parse().unwrap())
    }

    fn window(from: &str, until: &str) -> Window {
        Window { from: from.parse().unwrap(), until: until.parse().unwrap() }
    }

    #[test]
    fn history_reaches_over_today_wherever_that_has_begun() {
        assert_eq!(five_years(), window("2019-12-30", "2024-12-31"));
        assert_eq!(
            history(Interval::Day1, History::Years(5), NOW.parse().unwrap()),
            window("2019-12-30", "2025-01-01")
        );
    }

    #[test]
    fn months_begin_with_the_oldest_candle_and_touch() {
        let all = months(five_years(), None);
        assert_eq!((all.len(), all[0]), (61, month("2019-12")));
        let younger = months(five_years(), Some("2024-10-07".parse().unwrap()));
        assert_eq!(younger, [month("2024-10"), month("2024-11"), month("2024-12")]);
        let windows: Vec<_> = all.iter().map(|month| whole(*month, five_years())).collect();
        assert!(windows.windows(2).all(|pair| pair[0].until == pair[1].from));
        assert_eq!(windows.last().unwrap().until, five_years().until);
    }

    #[test]
    fn a_month_is_due_until_it_was_fetched_a_day_after_its_end() {
        let kept = |fetched_at: &str| KeptMonth {
            month: month("2024-11"),
            run: Some("run-1".to_owned()),
            fetched_at: fetched_at.parse().unwrap(),
            instrument: Instrument::default(),
            earliest: None,
            vacant: BTreeSet::new(),
            refetched_since: None,
        };
        assert!(is_due(None, "run-2"));
        assert!(is_due(Some(&kept("2024-12-01T23:59:59Z")), "run-2"));
        assert!(!is_due(Some(&kept("2024-12-02T00:00:00Z")), "run-2"));
        assert!(!is_due(Some(&kept("2024-11-15T22:00:00Z")), "run-1"), "this run has it already");
    }

    #[test]
    fn a_backfill_goes_on_at_the_last_month_of_an_earlier_day() {
        let months = ["2024-09", "2024-10", "2024-11", "2024-12"].map(month);
        let kept = |names: &[&str], fetched_at: &str| -> Vec<KeptMonth> {
            let fetched_at = fetched_at.parse().unwrap();
            let run = None;
            let instrument = Instrument::default();
            let earliest = None;
            let vacant = BTreeSet::new();
            let refetched_since = None;
            let kept =
                KeptMonth { month: month("2024-09"), run, fetched_at, instrument, earliest, vacant, refetched_since };
            names.iter().map(|name| KeptMonth { month: month(name), ..kept.clone() }).collect()
        };
        let seam = |kept: &[KeptMonth], vacant: &[&str]| {
            seam(kept, &months, &vacant.iter().map(|name| month(name)).collect(), NOW.parse().unwrap())
        };
        let yesterday = "2024-12-29T22:00:00Z";
        let today = "2024-12-30T00:00:00Z";
        assert_eq!(seam(&kept(&["2024-09", "2024-10"], yesterday), &[]), Some(month("2024-10")));
        assert_eq!(seam(&kept(&["2024-09", "2024-11"], yesterday), &[]), Some(month("2024-09")));
        assert_eq!(seam(&kept(&["2024-09", "2024-11"], yesterday), &["2024-10"]), None, "only what is open is missing");
        assert_eq!(seam(&kept(&["2024-09", "2024-10"], today), &[]), None, "it was fetched today");
        assert_eq!(seam(&kept(&["2024-11"], yesterday), &[]), None, "nothing is before what is missing");
    }

    #[test]
    fn of_an_open_month_too_long_for_an_answer_only_the_end_is_asked_for() {
        let whole = whole(month("2024-12"), five_years());
        let last = Some("2024-12-27T20:59:00".parse().unwrap());
        assert_eq!(tail(whole, last, Interval::Min1), window("2024-12-26", "2024-12-31"));
        assert_eq!(tail(whole, last, Interval::Hour1), whole);
        assert_eq!(tail(whole, None, Interval::Min1), whole);
        let first_day = Some("2024-12-01T00:01:00".parse().unwrap());
        assert_eq!(tail(whole, first_day, Interval::Min1), whole, "it does not reach into the month before");
    }

    #[test]
    fn a_candle_is_open_until_its_time_is_over() {
        let at = |interval| open_from(interval, NOW.parse().unwrap()).to_string();
        assert_eq!(
            (at(Interval::Hour1), at(Interval::Day1)),
            ("2024-12-30T21:00:00".into(), "2024-12-29T22:00:00".into())
        );
    }
}
