//! Series as real sources stamp them, and series that are ambiguous.

use proptest::prelude::*;

use super::*;

/// The detected stamping of a series, and the slots of its dates: `-` for a provisional one.
fn read(interval: Interval, calendar: &str, today: &str, dates: &str) -> Result<(Stamping, String), UnclearStamps> {
    let calendar = Calendar::for_mic(calendar).unwrap();
    let dates: Vec<Date> = dates.split(' ').map(|date| date.parse().unwrap()).collect();
    let stamps = stamping(interval, calendar, today.parse().unwrap(), dates.iter().copied())?;
    let slots = dates.iter().map(|date| stamps.slot(*date).map_or("-".to_owned(), |slot| slot.to_string()));
    Ok((stamps.stamping, slots.collect::<Vec<_>>().join(" ")))
}

fn weeks(calendar: &str, dates: &str) -> Result<(Stamping, String), UnclearStamps> {
    read(Interval::Week1, calendar, "2026-11-20", dates)
}

fn months(calendar: &str, dates: &str) -> Result<(Stamping, String), UnclearStamps> {
    read(Interval::Month1, calendar, "2026-11-20", dates)
}

fn said(stamping: Stamping, slots: &str) -> Result<(Stamping, String), UnclearStamps> {
    Ok((stamping, slots.to_owned()))
}

fn reason(result: Result<(Stamping, String), UnclearStamps>) -> String {
    result.unwrap_err().to_string()
}

const JANUARY: &str = "2024-01-01 2024-01-08 2024-01-15 2024-01-22";

#[test]
fn mondays_stay_as_they_are() {
    assert_eq!(weeks("XNYS", JANUARY), said(Stamping::FirstDay, JANUARY));
}

#[test]
fn fridays_are_the_weeks_that_they_end() {
    let fridays = "2024-01-05 2024-01-12 2024-01-19 2024-01-26";
    assert_eq!(weeks("XNYS", fridays), said(Stamping::LastSession, JANUARY));
    assert_eq!(weeks("unknown", fridays), said(Stamping::LastWeekday, JANUARY));
    let newest_first = "2024-01-26 2024-01-19";
    assert_eq!(weeks("XNYS", newest_first), said(Stamping::LastSession, "2024-01-22 2024-01-15"));
}

#[test]
fn a_week_without_its_friday_ends_on_its_last_session() {
    // Good Friday was on 2024-03-29.
    let dates = "2024-03-22 2024-03-28 2024-04-05";
    assert_eq!(weeks("XNYS", dates), said(Stamping::LastSession, "2024-03-18 2024-03-25 2024-04-01"));
    let fridays = "2024-03-22 2024-03-29 2024-04-05";
    assert_eq!(weeks("XNYS", fridays), said(Stamping::LastWeekday, "2024-03-18 2024-03-25 2024-04-01"));
    // India traded on Saturday, 2024-03-02; some sources have that session and others do not.
    for dates in ["2024-02-23 2024-03-02 2024-03-07", "2024-02-23 2024-03-01 2024-03-07"] {
        assert_eq!(weeks("XBOM", dates), said(Stamping::LastSession, "2024-02-19 2024-02-26 2024-03-04"));
    }
}

#[test]
fn a_week_without_its_monday_begins_with_its_first_session() {
    let dates = "2024-01-02 2024-01-08 2024-01-16";
    assert_eq!(weeks("XNYS", dates), said(Stamping::FirstSession, "2024-01-01 2024-01-08 2024-01-15"));
}

#[test]
fn the_newest_week_is_provisional_where_it_was_not_over() {
    let wednesday = "2024-01-05 2024-01-12 2024-01-17";
    assert_eq!(weeks("XNYS", wednesday), said(Stamping::LastSession, "2024-01-01 2024-01-08 -"));
    assert_eq!(weeks("unknown", wednesday), said(Stamping::LastWeekday, "2024-01-01 2024-01-08 -"));
}

#[test]
fn dates_before_the_calendar_follow_those_within() {
    // New York was closed on Friday, 1985-09-27.
    let dates = "1985-09-26 1989-12-29 1990-01-05 1990-01-12";
    assert_eq!(weeks("XNYS", dates), said(Stamping::LastSession, "1985-09-23 1989-12-25 1990-01-01 1990-01-08"));
    assert!(matches!(weeks("XNYS", "1985-09-23 1985-10-03"), Err(UnclearStamps::Mixed(..))));
}

#[test]
fn sundays_are_not_guessed_at() {
    let sundays = "2024-01-07 2024-01-14 2024-01-21";
    for calendar in ["XNYS", "forex", "24/7", "unknown"] {
        assert_eq!(weeks(calendar, sundays), Err(UnclearStamps::Sundays("2024-01-07".parse().unwrap())), "{calendar}");
    }
    assert!(reason(weeks("XNYS", sundays)).contains("stamp each week with its Monday"));
}

#[test]
fn sundays_are_read_where_one_of_the_two_weeks_cannot_be() {
    // Shanghai was closed in the week of 2024-02-12: the Sunday before it ends a week, and the Sunday in it begins
    // one.
    let ends = "2024-02-04 2024-02-11 2024-02-25";
    assert_eq!(weeks("XSHG", ends), said(Stamping::LastDay, "2024-01-29 2024-02-05 2024-02-19"));
    let begins = "2024-01-28 2024-02-04 2024-02-18";
    assert_eq!(weeks("XSHG", begins), said(Stamping::SundayBefore, "2024-01-29 2024-02-05 2024-02-19"));
    // If the source was asked on a Wednesday, no week can begin after the coming Sunday.
    let coming = read(Interval::Week1, "XNYS", "2024-01-24", "2024-01-14 2024-01-21 2024-01-28");
    assert_eq!(coming, said(Stamping::LastDay, "2024-01-08 2024-01-15 2024-01-22"));
}

#[test]
fn dates_that_have_nothing_in_common_are_refused_with_what_a_week_is_stamped_with() {
    let daily = reason(weeks("XNYS", "2024-01-02 2024-01-03 2024-01-04"));
    assert_eq!(daily, "2024-01-02 and 2024-01-03 are of one week: a week is stamped with its Monday");
    let wednesdays = reason(weeks("XNYS", "2024-01-03 2024-01-10 2024-01-17"));
    assert!(wednesdays.starts_with("2024-01-03 is a Wednesday: a week is stamped with its Monday"), "{wednesdays}");
    for dates in ["2024-01-06 2024-01-13", "2024-01-01 2024-01-12 2024-01-19", "2024-01-05 2024-01-08 2024-01-19"] {
        assert!(matches!(weeks("XNYS", dates), Err(UnclearStamps::Mixed(..))), "{dates}");
    }
    // Mondays, and in the last week the day on which the source was asked.
    assert!(matches!(weeks("XNYS", "2024-01-08 2024-01-15 2024-01-17"), Err(UnclearStamps::TwoInOne(..))));
}

#[test]
fn months_are_stamped_with_their_first_or_last_day_or_session() {
    let slots = "2024-02-01 2024-03-01 2024-04-01";
    assert_eq!(months("XNYS", slots), said(Stamping::FirstDay, slots));
    assert_eq!(months("XNYS", "2024-02-29 2024-03-28 2024-04-30"), said(Stamping::LastSession, slots));
    assert_eq!(months("XNYS", "2024-02-29 2024-03-31 2024-04-30"), said(Stamping::LastDay, slots));
    assert_eq!(months("unknown", "2024-02-29 2024-03-31 2024-04-30"), said(Stamping::LastDay, slots));
    assert_eq!(months("XNYS", "2024-02-29 2024-03-29 2024-04-30"), said(Stamping::LastWeekday, slots));
    assert_eq!(months("XNYS", "2024-02-01 2024-03-01 2024-04-01 2024-06-03").unwrap().0, Stamping::FirstSession);
    assert_eq!(months("XNYS", "2024-02-29 2024-03-28 2024-04-17").unwrap().1, "2024-02-01 2024-03-01 -");
    let reason = reason(months("XNYS", "2024-02-15 2024-03-15"));
    assert!(reason.contains("a month is stamped with its first day"), "{reason}");
}

#[test]
fn a_series_without_a_date_and_one_of_days_have_nothing_to_tell() {
    let none = stamping(Interval::Week1, None, Date::MIN, []).unwrap();
    let days = stamping(Interval::Day1, None, Date::MIN, ["2024-01-03".parse().unwrap()]).unwrap();
    assert_eq!(
        (none.stamping, days.slot("2024-01-03".parse().unwrap())),
        (Stamping::FirstDay, "2024-01-03".parse().ok())
    );
}

proptest! {
    /// However a source stamps the weeks or months of a market, the dates get their own slots or the series is
    /// rejected.
    #[test]
    fn no_candle_moves_to_another_week(
        code in proptest::sample::select(vec!["XNYS", "XSHG", "XBOM", "XTKS", "forex", "24/7"]),
        weekly in any::<bool>(),
        kind in proptest::sample::select(Stamping::ALL.to_vec()),
        start in 0..750_i64,
        count in 2..40_usize,
        dropped in proptest::collection::vec(any::<bool>(), 40),
    ) {
        let interval = if weekly { Interval::Week1 } else { Interval::Month1 };
        prop_assume!(weekly || kind != Stamping::SundayBefore);
        let calendar = Calendar::for_mic(code).unwrap().unwrap();
        let from = midnight("2006-01-02".parse().unwrap()) + start * 7 * super::super::period::DAY;
        let through = from + count as i64 * 31 * super::super::period::DAY;
        let slots = calendar.slots(interval, from..=through).unwrap().take(count).map(date_of);
        let slots: Vec<_> = slots.zip(dropped).filter(|(_, dropped)| !dropped).map(|(slot, _)| slot).collect();
        let stamped: Vec<_> = slots.iter().map(|slot| stamp(calendar, interval, kind, *slot)).collect();
        if let Ok(stamps) = stamping(interval, Some(calendar), Date::MAX, stamped.iter().copied()) {
            for (slot, date) in slots.iter().zip(&stamped) {
                prop_assert!(stamps.slot(*date).is_none_or(|read| read == *slot), "{date} is of {slot}: {stamps:?}");
            }
        } else {
            prop_assert!(kind == Stamping::SundayBefore || kind == Stamping::LastDay || code == "24/7", "{kind:?}");
        }
    }
}

/// The date that a source with this stamping writes for the week or month of a slot.
fn stamp(calendar: &Calendar, interval: Interval, kind: Stamping, slot: Date) -> Date {
    let span = Period::of(interval).around(slot);
    let first = date_of(span.first);
    let last = date_of(span.last);
    let mut sessions = calendar.sessions(first..=last).unwrap().map(|session| session.date);
    match kind {
        Stamping::FirstDay => first,
        Stamping::FirstSession => sessions.next().unwrap(),
        Stamping::LastSession => sessions.last().unwrap(),
        Stamping::LastWeekday => last_weekday(last),
        Stamping::LastDay => last,
        Stamping::SundayBefore => first.yesterday().unwrap(),
    }
}
