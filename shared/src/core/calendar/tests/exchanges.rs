//! Facts about exchanges of all regions, which their own announcements tell: closures, half days, breaks, changes of
//! the weekend, and clocks. They hold the package and its corrections to what happened.

use jiff::civil::{Date, date};

use super::{at, calendar, check_session, check_slots, dates, day};
use crate::core::interval::Interval;

fn check_closed(code: &str, days: &[Date]) {
    for day in days {
        assert!(calendar(code).session(*day).unwrap().is_none(), "{code} was closed on {day}");
    }
}

fn check_open(code: &str, days: &[Date]) {
    for day in days {
        assert!(calendar(code).session(*day).unwrap().is_some(), "{code} was open on {day}");
    }
}

#[test]
fn new_york_since_1990() {
    // Good Friday, also those of the 1990s with a report on employment.
    check_closed("XNYS", &[date(1990, 4, 13), date(1996, 4, 5), date(1999, 4, 2)]);
    // Presidents: Nixon, Reagan and Ford.
    check_closed("XNYS", &[date(1994, 4, 27), date(2004, 6, 11), date(2007, 1, 2)]);
    check_closed("XNYS", &[date(2001, 9, 11), date(2001, 9, 12), date(2001, 9, 13), date(2001, 9, 14)]);
    check_open("XNYS", &[date(2001, 9, 10), date(2001, 9, 17), date(1997, 7, 3)]);
    let week = calendar("XNYS").slots(Interval::Day1, day("2001-09-10")..=day("2001-09-17")).unwrap();
    assert_eq!(dates(week), ["2001-09-10", "2001-09-17"]);
}

#[test]
fn europe() {
    check_closed(
        "XLON",
        &[date(1999, 12, 31), date(2002, 6, 3), date(2020, 5, 8), date(2022, 9, 19), date(1995, 5, 8)],
    );
    check_session("XLON", date(2024, 12, 24), &["24 08:00 - 24 12:30"]);
    check_session("XETR", date(2023, 12, 29), &["29 08:00 - 29 13:00"]);
    check_session("XETR", date(2003, 12, 30), &["30 08:00 - 30 16:30"]);
    // The capital controls of 2015.
    check_closed("ASEX", &[date(2015, 6, 29), date(2015, 7, 31)]);
    check_open("ASEX", &[date(2015, 6, 26), date(2015, 8, 3)]);
    check_closed("XIST", &[date(2023, 2, 9), date(2023, 2, 14)]);
    check_session("XIST", date(2024, 10, 28), &["28 07:00 - 28 09:30"]);
    // The failures of banks in Iceland and Cyprus.
    check_closed("XICE", &[date(2008, 10, 9), date(2008, 10, 10), date(2008, 10, 13)]);
    check_closed("XCYS", &[date(2013, 3, 19), date(2013, 3, 28)]);
    check_open("XCYS", &[date(2013, 3, 15), date(2013, 4, 2)]);
    check_closed("XWAR", &[date(2018, 11, 12), date(2005, 4, 8)]);
}

#[test]
fn moscow_works_on_some_saturdays_and_rested_in_march_2022() {
    check_open("XMOS", &[date(2024, 4, 27), date(2024, 11, 2), date(2024, 12, 28)]);
    check_closed("XMOS", &[date(2024, 5, 4), date(2022, 2, 28), date(2022, 3, 10), date(2022, 3, 23)]);
    let moscow = calendar("MISX").slots(Interval::Day1, day("2022-02-25")..=day("2022-03-28")).unwrap();
    assert_eq!(dates(moscow), ["2022-02-25", "2022-03-25", "2022-03-28"], "33 shares traded on the 24th");
}

#[test]
fn east_asia() {
    check_closed("XTKS", &[date(2020, 10, 1), date(2019, 4, 30), date(2019, 5, 6)]);
    check_open("XTKS", &[date(1998, 5, 6)]);
    check_session("XTKS", date(2011, 11, 18), &["18 00:00 - 18 02:00", "18 03:30 - 18 06:00"]);
    check_session("XTKS", date(2011, 11, 21), &["21 00:00 - 21 02:30", "21 03:30 - 21 06:00"]);
    check_slots("XTKS", date(2005, 1, 4), Interval::Hour1, "00:00 01:00");
    check_closed(
        "XTAI",
        &[date(2024, 7, 24), date(2024, 7, 25), date(2024, 10, 2), date(2024, 10, 3), date(2024, 10, 31)],
    );
    check_closed("XSHG", &[date(2020, 1, 31), date(2015, 9, 3)]);
    check_closed("XHKG", &[date(1997, 7, 1), date(2008, 8, 22)]);
    // Buddha's Birthday became a holiday of Hong Kong in 1999.
    check_open("XHKG", &[date(1996, 5, 24), date(1998, 5, 4)]);
}

#[test]
fn seoul_traded_on_saturdays_until_1998_and_opens_late_for_the_exam() {
    check_open("XKRX", &[date(1997, 11, 22), date(1998, 12, 5)]);
    check_closed("XKRX", &[date(1998, 12, 12), date(1997, 11, 23), date(2024, 11, 16)]);
    check_session("XKRX", date(2024, 11, 13), &["13 00:00 - 13 06:30"]);
    check_session("XKRX", date(2024, 11, 14), &["14 01:00 - 14 07:30"]);
    check_session("XKRX", date(2024, 1, 2), &["02 01:00 - 02 06:30"]);
    check_session("XKRX", date(2027, 11, 22), &["22 00:00 - 22 06:30"]);
}

#[test]
fn lunch_breaks_of_southeast_asia() {
    check_session("XSES", date(2011, 7, 29), &["29 01:00 - 29 04:30", "29 06:00 - 29 09:00"]);
    check_session("XSES", date(2011, 8, 1), &["01 01:00 - 01 09:00"]);
    check_session("XSES", date(2017, 11, 13), &["13 01:00 - 13 04:00", "13 05:00 - 13 09:00"]);
    check_slots("XSES", date(2024, 12, 24), Interval::Hour1, "01:00 02:00 03:00");
    check_slots("XKLS", date(2024, 7, 1), Interval::Hour1, "01:00 02:00 03:00 04:00 06:30 07:30 08:30");
    check_session("XBKK", date(2024, 3, 22), &["22 03:00 - 22 05:30", "22 07:30 - 22 09:30"]);
    check_session("XBKK", date(2024, 3, 25), &["25 03:00 - 25 05:30", "25 07:00 - 25 09:30"]);
    // The prayer on Friday.
    check_session("XIDX", date(2024, 3, 14), &["14 02:00 - 14 05:00", "14 06:30 - 14 08:50"]);
    check_session("XIDX", date(2024, 3, 15), &["15 02:00 - 15 04:30", "15 07:00 - 15 08:50"]);
    check_session("XIDX", date(2021, 6, 11), &["11 02:00 - 11 04:30", "11 06:30 - 11 08:00"]);
    check_session("XKAR", date(2024, 3, 1), &["01 04:17 - 01 07:00", "01 09:32 - 01 11:30"]);
    check_closed("XIDX", &[date(2008, 10, 9), date(2008, 10, 10)]);
    check_closed("XBKK", &[date(2006, 9, 20), date(2010, 5, 20), date(2010, 5, 21)]);
    check_closed("XPHS", &[date(2020, 3, 17), date(2020, 3, 18)]);
    check_session("XPHS", date(2024, 7, 1), &["01 01:30 - 01 04:00", "01 05:00 - 01 07:00"]);
}

#[test]
fn weekends_of_the_middle_east() {
    check_open("XTAE", &[date(2025, 12, 28), date(2026, 1, 4), date(2026, 1, 9)]);
    check_closed("XTAE", &[date(2025, 12, 26), date(2026, 1, 11)]);
    check_session("XTAE", date(2025, 12, 28), &["28 07:59 - 28 13:40"]);
    check_session("XTAE", date(2026, 1, 9), &["09 07:59 - 09 11:50"]);
    check_open("XSAU", &[date(2024, 3, 24), date(2024, 3, 28)]);
    check_closed("XSAU", &[date(2024, 3, 22), date(2024, 3, 23), date(2024, 9, 23)]);
    // The weekend changed in 2013, before the calendar begins: those candles are kept unchecked.
    assert!(calendar("XSAU").session(date(2013, 6, 27)).is_err());
}

#[test]
fn clocks_of_the_southern_hemisphere() {
    // Auckland's clocks change on 2024-04-07 and 2024-09-29, and its sessions begin on the day before in UTC.
    check_session("XNZE", date(2024, 4, 5), &["04 21:00 - 05 03:45"]);
    check_session("XNZE", date(2024, 4, 8), &["07 22:00 - 08 04:45"]);
    check_session("XNZE", date(2024, 9, 30), &["29 21:00 - 30 03:45"]);
    // Brazil has had no summer time since 2019.
    check_session("BVMF", date(2018, 11, 5), &["05 12:00 - 05 19:00"]);
    check_session("BVMF", date(2019, 11, 1), &["01 13:00 - 01 20:00"]);
    check_session("XASX", date(2024, 12, 24), &["23 23:00 - 24 03:10"]);
    check_closed("XASX", &[date(2022, 9, 22)]);
    check_closed("XJSE", &[date(2023, 12, 15), date(2024, 5, 29), date(2021, 11, 1)]);
    check_closed("XMEX", &[date(2024, 10, 1)]);
}

#[test]
fn futures_and_metals_pause_for_an_hour_and_cross_midnight() {
    check_session("CMES", date(2024, 7, 8), &["07 22:00 - 08 21:00"]);
    assert!(!calendar("XCME").is_slot(Interval::Hour1, at("2024-07-08T21:00Z")).unwrap());
    check_session("us_futures", date(2024, 1, 8), &["07 23:00 - 08 22:00"]);
    check_session("metals", date(2024, 1, 8), &["07 23:00 - 08 22:00"]);
    let across = calendar("metals").slots(Interval::Hour1, at("2024-01-05T20:00Z")..=at("2024-01-08T00:00Z")).unwrap();
    assert_eq!(across.map(super::utc).collect::<Vec<_>>(), ["05 20:00", "05 21:00", "07 23:00", "08 00:00"]);
    // Holidays on which some products rest: candles are accepted, and none is expected.
    for code in ["CMES", "us_futures"] {
        let slots = |stamp| calendar(code).slots(Interval::Day1, day(stamp)..=day(stamp)).unwrap().count();
        assert_eq!((slots("2024-07-03"), slots("2024-07-04"), slots("2024-07-05")), (1, 0, 1), "{code}");
        assert!(calendar(code).is_slot(Interval::Day1, day("2024-07-04")).unwrap(), "{code}");
    }
    let gold = |stamp| calendar("metals").slots(Interval::Day1, day(stamp)..=day(stamp)).unwrap().count();
    assert_eq!((gold("2024-03-29"), gold("2024-06-19"), gold("2024-12-25")), (0, 1, 0));
    check_slots("metals", date(2024, 6, 19), Interval::Hour4, "22:00 02:00 06:00 10:00 14:00");
}

#[test]
fn what_the_lists_of_holidays_do_not_reach_is_not_covered() {
    for (code, before) in [
        ("XTAI", date(2000, 12, 30)),
        ("XSHG", date(1998, 12, 31)),
        ("XPHS", date(2001, 12, 31)),
        ("XKAR", date(1997, 2, 28)),
        ("CMES", date(2007, 12, 31)),
    ] {
        assert!(calendar(code).session(before).is_err(), "{code}");
    }
}
