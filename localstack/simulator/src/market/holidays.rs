//! Holidays and early closes of the New York Stock Exchange, according to NYSE rule 7.2.

use jiff::civil::{Date, Weekday, date};

/// Unscheduled closures: days of mourning, attacks and storms.
const UNSCHEDULED: [Date; 10] = [
    date(2001, 9, 11),
    date(2001, 9, 12),
    date(2001, 9, 13),
    date(2001, 9, 14),
    date(2004, 6, 11),
    date(2007, 1, 2),
    date(2012, 10, 29),
    date(2012, 10, 30),
    date(2018, 12, 5),
    date(2025, 1, 9),
];

/// The first year in which the exchange was closed on Juneteenth.
const JUNETEENTH_SINCE: i16 = 2022;

/// Returns whether a weekday has no session. Holidays that were introduced before 1998 are assumed for all years.
pub fn is_holiday(day: Date) -> bool {
    is_scheduled_holiday(day) || UNSCHEDULED.contains(&day)
}

/// Returns whether a session ends at 13:00. This is the case on the day after Thanksgiving, and on the eves of
/// Independence Day and Christmas if both the eve and the holiday are in the same working week.
pub fn closes_early(day: Date) -> bool {
    match (day.month(), day.day()) {
        (7, 3) | (12, 24) => {
            matches!(day.weekday(), Weekday::Monday | Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday)
        }
        (11, _) => day.yesterday().is_ok_and(is_thanksgiving),
        _ => false,
    }
}

fn is_scheduled_holiday(day: Date) -> bool {
    match day.month() {
        1 => is_observed(day, 1) || is_nth(day, 3, Weekday::Monday),
        2 => is_nth(day, 3, Weekday::Monday),
        3 | 4 => is_good_friday(day),
        5 => is_nth(day, -1, Weekday::Monday),
        6 => day.year() >= JUNETEENTH_SINCE && is_observed(day, 19),
        7 => is_observed(day, 4),
        9 => is_nth(day, 1, Weekday::Monday),
        11 => is_thanksgiving(day),
        12 => is_observed(day, 25),
        _ => false,
    }
}

fn is_thanksgiving(day: Date) -> bool {
    day.month() == 11 && is_nth(day, 4, Weekday::Thursday)
}

fn is_nth(day: Date, nth: i8, weekday: Weekday) -> bool {
    day.nth_weekday_of_month(nth, weekday).is_ok_and(|found| found == day)
}

/// Returns whether a holiday on the given day of the month is observed on `day`: on the Friday before if it is a
/// Saturday, on the Monday after if it is a Sunday. New Year on a Saturday is not observed, as the Friday is in another
/// month.
fn is_observed(day: Date, holiday: i8) -> bool {
    let observed_for = match day.weekday() {
        Weekday::Friday => holiday - 1,
        Weekday::Monday => holiday + 1,
        _ => holiday,
    };
    day.day() == holiday || day.day() == observed_for
}

fn is_good_friday(day: Date) -> bool {
    let sunday = day.checked_add(jiff::Span::new().days(2));
    sunday.is_ok_and(|sunday| (sunday.month(), sunday.day()) == easter(sunday.year()))
}

/// Returns the month and day of Easter Sunday, the Sunday after the ecclesiastical full moon of the Gregorian calendar.
fn easter(year: i16) -> (i8, i8) {
    let year = i32::from(year);
    let century = year / 100;
    let golden = year % 19;
    let moon_correction = (13 + 8 * century) / 25;
    let moon = (15 - moon_correction + century - century / 4 + 19 * golden).rem_euclid(30);
    let full_moon = moon - moon / 28 * (1 - 29 / (moon + 1) * ((21 - golden) / 11));
    let weekday = (year + year / 4 + full_moon + 2 - century + century / 4).rem_euclid(7);
    let sunday = 28 + full_moon - weekday;
    if sunday > 31 { (4, small(sunday - 31)) } else { (3, small(sunday)) }
}

fn small(day_of_month: i32) -> i8 {
    i8::try_from(day_of_month).unwrap_or_default()
}
