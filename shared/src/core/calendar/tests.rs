//! Known facts about the markets, and properties of individual slots. `tests/it/calendar_sessions.rs` compares all
//! sessions with the package that they come from.

use jiff::Timestamp;
use jiff::civil::{Date, date};

use super::Calendar;
use super::definition::Definition;
use super::embedded::FILES;
use super::session::Session;
use crate::core::interval::Interval;

mod exchanges;
mod properties;

const INTRADAY: [Interval; 9] = [
    Interval::Min1,
    Interval::Min5,
    Interval::Min15,
    Interval::Min30,
    Interval::Min45,
    Interval::Hour1,
    Interval::Hour2,
    Interval::Hour4,
    Interval::Hour8,
];
const LONGER: [Interval; 3] = [Interval::Day1, Interval::Week1, Interval::Month1];

fn calendar(code: &str) -> &'static Calendar {
    Calendar::for_mic(code).unwrap().unwrap()
}

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

fn day(text: &str) -> i64 {
    at(&format!("{text}T00:00Z"))
}

fn utc(instant: i64) -> String {
    Timestamp::from_second(instant).unwrap().strftime("%d %H:%M").to_string()
}

fn dates(stamps: impl Iterator<Item = i64>) -> Vec<String> {
    stamps.map(|stamp| Timestamp::from_second(stamp).unwrap().strftime("%F").to_string()).collect()
}

/// Compares the parts of a session, as days of the month and times in UTC.
fn check_session(code: &str, date: Date, expected: &[&str]) {
    let session = calendar(code).session(date).unwrap();
    let parts = session.map(|session| {
        session.parts().map(|(start, end)| format!("{} - {}", utc(start), utc(end))).collect::<Vec<_>>()
    });
    assert_eq!(parts.unwrap_or_default(), expected, "{code} on {date}");
}

/// Compares the slots of the session on a date, as times in UTC.
fn check_slots(code: &str, date: Date, interval: Interval, expected: &str) {
    let Session { open, close, .. } = calendar(code).session(date).unwrap().unwrap();
    let slots: Vec<_> = calendar(code).slots(interval, open..=close - 1).unwrap().map(utc).collect();
    let times: Vec<_> = slots.iter().map(|slot| &slot[3..]).collect();
    assert_eq!(times.join(" "), expected, "{code} on {date}");
}

#[test]
fn every_embedded_calendar_has_sessions() {
    let codes: Vec<_> = Calendar::codes().unwrap().collect();
    assert_eq!(codes.len(), FILES.len());
    for code in codes {
        let calendar = calendar(code);
        assert_eq!(calendar.code(), code);
        assert!(*calendar.coverage().start() >= date(1990, 1, 1), "{code}");
        assert!(calendar.sessions(calendar.coverage()).unwrap().count() > 1700, "{code}");
    }
    let names: Vec<_> = FILES.iter().map(|file| file.name).collect();
    assert!(names.is_sorted(), "files are found by a binary search");
}

#[test]
fn segments_share_the_calendar_of_their_market() {
    for (segment, code) in [("XNAS", "XNYS"), ("XNGS", "XNYS"), ("XNMS", "XNYS"), ("XNCM", "XNYS"), ("ARCX", "XNYS")] {
        assert!(std::ptr::eq(calendar(segment), calendar(code)), "{segment}");
    }
    assert_eq!((calendar("XSHE").code(), calendar("MISX").code()), ("XSHG", "XMOS"));
    assert_eq!(calendar("XNSE").code(), "XBOM");
    assert!(Calendar::for_mic("XXXX").unwrap().is_none());
    assert!(Calendar::for_mic("").unwrap().is_none());
}

#[test]
fn the_version_names_the_source_and_the_horizon() {
    assert_eq!(calendar("XNGS").version(), "XNYS exchange_calendars 4.13.2 through 2027-11-22");
    assert_eq!(calendar("XSHG").version(), "XSHG exchange_calendars 4.13.2 through 2026-12-31");
    assert_eq!(calendar("XTKS").timezone(), "Asia/Tokyo");
}

#[test]
fn new_york_closes_early_before_holidays() {
    check_session("XNYS", date(2024, 11, 27), &["27 14:30 - 27 21:00"]);
    check_session("XNYS", date(2024, 11, 28), &[]);
    check_session("XNYS", date(2024, 11, 29), &["29 14:30 - 29 18:00"]);
    check_session("XNYS", date(2024, 12, 24), &["24 14:30 - 24 18:00"]);
    check_session("XNYS", date(2023, 7, 3), &["03 13:30 - 03 17:00"]);
}

#[test]
fn new_york_closes_for_a_president_and_for_a_storm() {
    for mourning_or_storm in [date(2018, 12, 5), date(2025, 1, 9), date(2012, 10, 29), date(2012, 10, 30)] {
        check_session("XNYS", mourning_or_storm, &[]);
    }
    for not_closed in [date(2021, 12, 31), date(2022, 1, 3), date(2021, 6, 21)] {
        assert!(calendar("XNYS").session(not_closed).unwrap().is_some(), "{not_closed}");
    }
}

#[test]
fn sessions_move_in_utc_when_the_clocks_change() {
    check_session("XNYS", date(2024, 3, 8), &["08 14:30 - 08 21:00"]);
    check_session("XNYS", date(2024, 3, 11), &["11 13:30 - 11 20:00"]);
    check_session("XNYS", date(2024, 11, 1), &["01 13:30 - 01 20:00"]);
    check_session("XNYS", date(2024, 11, 4), &["04 14:30 - 04 21:00"]);
    check_session("XLON", date(2024, 10, 25), &["25 07:00 - 25 15:30"]);
    check_session("XLON", date(2024, 10, 28), &["28 08:00 - 28 16:30"]);
    // Sydney's summer is the northern winter; its sessions then begin on the previous day in UTC.
    check_session("XASX", date(2024, 4, 5), &["04 23:00 - 05 05:00"]);
    check_session("XASX", date(2024, 4, 8), &["08 00:00 - 08 06:00"]);
}

#[test]
fn asian_markets_have_a_break_and_half_days_have_none() {
    check_session("XTKS", date(2024, 11, 1), &["01 00:00 - 01 02:30", "01 03:30 - 01 06:00"]);
    check_session("XTKS", date(2024, 11, 5), &["05 00:00 - 05 02:30", "05 03:30 - 05 06:30"]);
    check_session("XHKG", date(2024, 12, 23), &["23 01:30 - 23 04:00", "23 05:00 - 23 08:00"]);
    check_session("XHKG", date(2024, 12, 24), &["24 01:30 - 24 04:00"]);
    check_session("XSHG", date(2024, 12, 24), &["24 01:30 - 24 03:30", "24 05:00 - 24 07:00"]);
}

#[test]
fn sessions_on_a_saturday_and_late_opens_are_known() {
    check_session("XBOM", date(2024, 1, 20), &["20 03:45 - 20 10:00"]);
    check_session("XBOM", date(2024, 1, 27), &[]);
    check_session("BVMF", date(2024, 2, 14), &["14 16:00 - 14 21:00"]);
}

#[test]
fn indias_special_sessions_are_known_and_short_ones_are_not_expected() {
    check_session("XBOM", date(2024, 3, 2), &["02 03:45 - 02 04:30", "02 06:00 - 02 07:00"]);
    check_session("XBOM", date(2024, 5, 18), &["18 03:45 - 18 04:30", "18 06:15 - 18 07:10"]);
    check_session("XBOM", date(2023, 11, 12), &["12 12:45 - 12 13:45"]);
    check_session("XBOM", date(2026, 2, 1), &["01 03:45 - 01 10:00"]);
    check_session("XNSE", date(2020, 2, 1), &["01 03:45 - 01 10:00"]);
    let days = |from, through| dates(calendar("XBOM").slots(Interval::Day1, day(from)..=day(through)).unwrap());
    assert_eq!(days("2024-03-01", "2024-03-04"), ["2024-03-01", "2024-03-04"]);
    assert!(calendar("XBOM").is_slot(Interval::Day1, day("2024-03-02")).unwrap());
    assert!(!calendar("XBOM").is_slot(Interval::Day1, day("2024-03-09")).unwrap());
    assert_eq!(days("2026-01-30", "2026-02-02"), ["2026-01-30", "2026-02-01", "2026-02-02"]);
}

#[test]
fn hong_kong_closes_for_storms_and_rain() {
    for day in [date(2023, 7, 17), date(2023, 9, 1), date(2023, 9, 8), date(2024, 9, 6), date(2021, 10, 13)] {
        check_session("XHKG", day, &[]);
    }
    check_session("XHKG", date(2023, 10, 9), &["09 06:00 - 09 08:00"]);
    check_session("XHKG", date(2022, 11, 2), &["02 01:30 - 02 04:00", "02 05:00 - 02 05:55"]);
    // It has traded through storms since September 2024: here typhoon Toraji, signal 8.
    check_session("XHKG", date(2024, 11, 14), &["14 01:30 - 14 04:00", "14 05:00 - 14 08:00"]);
    check_session("XHKG", date(2011, 3, 4), &["04 02:00 - 04 04:30", "04 06:30 - 04 08:00"]);
    check_session("XHKG", date(2011, 3, 7), &["07 01:30 - 07 04:00", "07 05:30 - 07 08:00"]);
}

#[test]
fn sao_paulo_closes_with_new_york() {
    check_session("BVMF", date(2024, 3, 8), &["08 13:00 - 08 21:00"]);
    check_session("BVMF", date(2024, 3, 11), &["11 13:00 - 11 20:00"]);
    check_session("BVMF", date(2024, 11, 1), &["01 13:00 - 01 20:00"]);
    check_session("BVMF", date(2024, 11, 4), &["04 13:00 - 04 21:00"]);
    check_session("BVMF", date(2025, 3, 5), &["05 16:00 - 05 21:00"]);
}

#[test]
fn forex_opens_on_sunday_evening_and_closes_on_friday_evening_in_new_york() {
    check_session("forex", date(2024, 1, 8), &["07 22:00 - 08 22:00"]);
    check_session("forex", date(2024, 1, 12), &["11 22:00 - 12 22:00"]);
    check_session("forex", date(2024, 7, 8), &["07 21:00 - 08 21:00"]);
    // The clocks change while the market is closed.
    check_session("forex", date(2024, 3, 8), &["07 22:00 - 08 22:00"]);
    check_session("forex", date(2024, 3, 11), &["10 21:00 - 11 21:00"]);
    for closed in [date(2024, 1, 6), date(2024, 1, 7)] {
        check_session("forex", closed, &[]);
    }
    let slots = |from, through| calendar("forex").slots(Interval::Hour1, at(from)..=at(through)).unwrap().map(utc);
    let across: Vec<_> = slots("2024-01-05T20:00Z", "2024-01-07T23:00Z").collect();
    assert_eq!(across, ["05 20:00", "05 21:00", "07 22:00", "07 23:00"]);
}

#[test]
fn forex_has_steps_from_five_in_the_afternoon_and_days_named_by_their_end() {
    check_slots("forex", date(2022, 3, 7), Interval::Hour8, "22:00 06:00 14:00");
    check_slots("forex", date(2022, 3, 15), Interval::Hour4, "21:00 01:00 05:00 09:00 13:00 17:00");
    assert!(!calendar("forex").is_slot(Interval::Hour8, at("2022-03-06T14:00Z")).unwrap());
    let days = calendar("forex").slots(Interval::Day1, day("2024-01-04")..=day("2024-01-09")).unwrap();
    assert_eq!(dates(days), ["2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"]);
    assert!(!calendar("forex").is_slot(Interval::Day1, day("2024-01-07")).unwrap());
    let end = calendar("forex").slot_end(Interval::Day1, day("2024-01-08")).unwrap();
    assert_eq!(end, Some(at("2024-01-08T22:00Z")));
}

#[test]
fn forex_on_holidays_is_possible_and_not_expected() {
    let forex = calendar("forex");
    let days = |slots: crate::core::calendar::slots::Slots<'_>| dates(slots);
    let christmas = day("2024-12-24")..=day("2024-12-26");
    assert_eq!(days(forex.slots(Interval::Day1, christmas.clone()).unwrap()), ["2024-12-24", "2024-12-26"]);
    assert_eq!(days(forex.possible_slots(Interval::Day1, christmas).unwrap()).len(), 3);
    assert!(forex.is_slot(Interval::Day1, day("2025-01-01")).unwrap());
    // Trading is certain until 13:00 in New York on the eve, and again from midnight after the holiday.
    let eve_and_after = at("2024-12-24T16:00Z")..=at("2024-12-26T06:00Z");
    let hours: Vec<_> = forex.slots(Interval::Hour1, eve_and_after.clone()).unwrap().map(utc).collect();
    assert_eq!(hours, ["24 16:00", "24 17:00", "26 05:00", "26 06:00"]);
    assert_eq!(forex.possible_slots(Interval::Hour1, eve_and_after).unwrap().count(), 39);
    // Other bank holidays of New York and London are ordinary days.
    assert!(forex.slots(Interval::Day1, day("2024-07-04")..=day("2024-07-04")).unwrap().next().is_some());
}

#[test]
fn forex_ends_with_the_last_session_that_is_covered() {
    let forex = calendar("forex");
    let last = *forex.coverage().end();
    let close = forex.session(last).unwrap().unwrap().close;
    assert!(forex.is_slot(Interval::Hour1, close - 3600).unwrap());
    assert_eq!(forex.is_slot(Interval::Hour1, close).unwrap_err().asked, last.tomorrow().unwrap());
    assert!(forex.is_slot(Interval::Hour1, at("1990-01-01T22:00Z")).unwrap());
}

#[test]
fn the_next_open_is_told_of_a_time_at_which_the_market_is_closed() {
    let next = |code: &str, text| {
        calendar(code).next_open(at(text)).map(|open| Timestamp::from_second(open).unwrap().to_string())
    };
    let opens_at = |text: &str| Some(text.to_owned());
    assert_eq!(next("forex", "2022-03-06T14:00Z"), opens_at("2022-03-06T22:00:00Z"));
    assert_eq!(next("forex", "2022-03-06T22:00Z"), None);
    assert_eq!(next("XNYS", "2024-11-28T15:00Z"), opens_at("2024-11-29T14:30:00Z"));
    assert_eq!(next("XTKS", "2024-11-05T02:45Z"), opens_at("2024-11-05T03:30:00Z"));
    assert_eq!(next("XNYS", "2027-11-22T23:00Z"), None);
    assert_eq!(next("XNYS", "1989-01-01T00:00Z"), None);
}

#[test]
fn slots_start_at_the_open_and_the_last_may_be_cut_short() {
    check_slots("XNYS", date(2024, 11, 27), Interval::Hour1, "14:30 15:30 16:30 17:30 18:30 19:30 20:30");
    check_slots("XNYS", date(2024, 11, 29), Interval::Hour1, "14:30 15:30 16:30 17:30");
    check_slots("XNYS", date(2024, 11, 27), Interval::Hour4, "14:30 18:30");
    check_slots("XNYS", date(2024, 11, 27), Interval::Hour8, "14:30");
    check_slots("XNYS", date(2024, 11, 29), Interval::Min45, "14:30 15:15 16:00 16:45 17:30");
}

#[test]
fn slots_start_anew_after_the_break() {
    check_slots("XTKS", date(2024, 11, 5), Interval::Hour1, "00:00 01:00 02:00 03:30 04:30 05:30");
    check_slots("XTKS", date(2024, 11, 5), Interval::Hour4, "00:00 03:30");
    check_slots("XHKG", date(2024, 12, 23), Interval::Min45, "01:30 02:15 03:00 03:45 05:00 05:45 06:30 07:15");
    check_slots("XHKG", date(2024, 12, 24), Interval::Hour2, "01:30 03:30");
}

#[test]
fn markets_that_never_close_have_slots_at_multiples_of_the_step() {
    check_slots("24/7", date(2024, 12, 25), Interval::Hour4, "00:00 04:00 08:00 12:00 16:00 20:00");
    check_slots("24/5", date(2024, 12, 25), Interval::Hour8, "00:00 08:00 16:00");
    let weekend = day("2024-11-30")..=day("2024-12-02") - 1;
    assert_eq!(calendar("24/7").slots(Interval::Min1, weekend.clone()).unwrap().count(), 2 * 24 * 60);
    assert_eq!(calendar("24/5").slots(Interval::Min1, weekend).unwrap().count(), 0);
    assert!(!calendar("24/5").is_slot(Interval::Hour1, at("2024-12-01T22:00Z")).unwrap());
}

#[test]
fn a_day_is_stamped_with_the_date_of_its_session() {
    let slots = calendar("XASX").slots(Interval::Day1, day("2024-12-24")..=day("2024-12-30")).unwrap();
    assert_eq!(dates(slots), ["2024-12-24", "2024-12-27", "2024-12-30"]);
    assert!(!calendar("XASX").is_slot(Interval::Day1, at("2024-12-23T23:00Z")).unwrap());
}

#[test]
fn a_week_is_stamped_with_its_monday_even_when_that_is_a_holiday() {
    let slots = calendar("XNYS").slots(Interval::Week1, day("2025-08-25")..=day("2025-09-15")).unwrap();
    assert_eq!(dates(slots), ["2025-08-25", "2025-09-01", "2025-09-08", "2025-09-15"]);
    assert!(!calendar("XNYS").is_slot(Interval::Week1, day("2025-09-02")).unwrap());
}

#[test]
fn a_week_without_a_session_is_not_expected() {
    let slots = calendar("XSHG").slots(Interval::Week1, day("2024-02-05")..=day("2024-02-19")).unwrap();
    assert_eq!(dates(slots), ["2024-02-05", "2024-02-19"]);
    assert!(!calendar("XSHG").is_slot(Interval::Week1, day("2024-02-12")).unwrap());
}

#[test]
fn a_month_is_stamped_with_its_first_day() {
    let slots = calendar("XNYS").slots(Interval::Month1, day("2024-08-15")..=day("2025-01-01")).unwrap();
    assert_eq!(dates(slots), ["2024-09-01", "2024-10-01", "2024-11-01", "2024-12-01", "2025-01-01"]);
    assert!(!calendar("XNYS").is_slot(Interval::Month1, day("2024-09-03")).unwrap());
}

#[test]
fn a_range_of_slots_includes_both_of_its_ends() {
    for interval in INTRADAY.into_iter().chain(LONGER) {
        let stamp = if interval.is_intraday() { at("2024-07-01T13:30Z") } else { day("2024-07-01") };
        let slots = |stamps| calendar("XNYS").slots(interval, stamps).unwrap().collect::<Vec<_>>();
        assert_eq!(slots(stamp..=stamp), [stamp], "{interval:?}");
        assert!(slots(stamp + 1..=stamp).is_empty(), "{interval:?}");
    }
}

#[test]
fn a_candle_is_complete_at_the_end_of_its_slot_or_at_the_close() {
    let end = |code: &str, interval, stamp: &str| calendar(code).slot_end(interval, at(stamp)).unwrap().map(utc);
    let complete_at = |text: &str| Some(text.to_owned());
    assert_eq!(end("XNYS", Interval::Hour1, "2024-11-29T14:30Z"), complete_at("29 15:30"));
    assert_eq!(end("XNYS", Interval::Hour1, "2024-11-29T17:30Z"), complete_at("29 18:00"));
    assert_eq!(end("XNYS", Interval::Hour1, "2024-11-29T18:30Z"), None);
    assert_eq!(end("XTKS", Interval::Hour1, "2024-11-05T02:00Z"), complete_at("05 02:30"));
    assert_eq!(end("XNYS", Interval::Day1, "2024-11-29T00:00Z"), complete_at("29 18:00"));
    assert_eq!(end("XNYS", Interval::Day1, "2024-11-28T00:00Z"), None);
    assert_eq!(end("XNYS", Interval::Week1, "2024-11-25T00:00Z"), complete_at("29 18:00"));
    assert_eq!(end("XNYS", Interval::Month1, "2024-11-01T00:00Z"), complete_at("29 18:00"));
    assert_eq!(end("24/7", Interval::Day1, "2024-11-30T00:00Z"), complete_at("01 00:00"));
    assert_eq!(end("24/5", Interval::Week1, "2024-11-25T00:00Z"), complete_at("30 00:00"));
}

#[test]
fn dates_outside_of_the_coverage_are_refused() {
    let xnys = calendar("XNYS");
    let refused = xnys.session(date(2027, 11, 23)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "calendar XNYS covers 1990-01-01 to 2027-11-22 and says nothing of 2027-11-23: \
         for later dates, update Candlewick or put a calendar of your own next to the watchlist (docs/calendars.md)"
    );
    assert!(xnys.session(date(2027, 11, 22)).unwrap().is_some());
    assert_eq!(
        xnys.session(date(1989, 12, 31)).unwrap_err().to_string(),
        "calendar XNYS covers 1990-01-01 to 2027-11-22 and says nothing of 1989-12-31: \
         earlier candles are kept as they come, neither checked against sessions nor filled"
    );
    assert!(xnys.sessions(date(2027, 1, 1)..=date(2028, 1, 1)).is_err());
    assert!(xnys.sessions(date(1989, 1, 1)..=date(2006, 1, 1)).is_err());
}

#[test]
fn stamps_outside_of_the_coverage_are_refused_by_the_markets_own_date() {
    let asked = |code: &str, interval, stamp| calendar(code).is_slot(interval, stamp).unwrap_err().asked;
    // It is already the 23rd in Tokyo while it is still the 22nd in UTC.
    assert!(calendar("XTKS").is_slot(Interval::Hour1, at("2027-11-22T14:59Z")).is_ok());
    assert_eq!(asked("XTKS", Interval::Hour1, at("2027-11-22T15:00Z")), date(2027, 11, 23));
    assert_eq!(asked("XNYS", Interval::Hour1, at("1990-01-01T04:59Z")), date(1989, 12, 31));
    assert_eq!(asked("XNYS", Interval::Day1, day("2027-11-23")), date(2027, 11, 23));
    assert_eq!(asked("XNYS", Interval::Day1, i64::MAX), Date::MAX);
    assert_eq!(asked("XNYS", Interval::Min1, i64::MIN), Date::MIN);
}

#[test]
fn a_week_or_month_that_is_covered_in_part_is_refused() {
    let asked = |interval, stamp| calendar("XNYS").slot_end(interval, day(stamp)).unwrap_err().asked;
    assert_eq!(asked(Interval::Week1, "2027-11-22"), date(2027, 11, 28));
    assert_eq!(asked(Interval::Month1, "2027-11-01"), date(2027, 11, 30));
    let saudi = calendar("XSAU");
    assert_eq!(saudi.slot_end(Interval::Week1, day("2020-12-28")).unwrap_err().asked, date(2020, 12, 28));
    assert!(calendar("XNYS").is_slot(Interval::Week1, day("2027-11-15")).unwrap());
    assert!(calendar("XNYS").is_slot(Interval::Month1, day("1990-01-01")).unwrap());
    assert!(calendar("XSHG").is_slot(Interval::Month1, day("2026-12-01")).unwrap());
}

#[test]
fn an_invalid_file_says_what_is_wrong() {
    let reason = |from: &str, to: &str| {
        let text = FILES.iter().find(|file| file.name == "XTKS.toml").unwrap().text;
        let text = text.replacen(from, to, 1);
        Definition::parse("XTKS.toml", &text).and_then(|definition| Calendar::new(&definition)).unwrap_err().reason
    };
    assert!(reason("open = \"09:00\"", "open = \"9 o'clock\"").contains("9 o'clock is no time of the form 09:30"));
    assert!(reason("open = \"09:00\"", "open = \"11:00\"").contains("are out of order"));
    assert!(reason("from = 1997-01-01", "from = 1998-01-01").contains("no hours are given for 1997-01-01"));
    assert!(reason("open = \"09:00\"", "open = \"17:00 the day after\"").contains("17:00 the day after is no time"));
    assert!(reason("certain = [\"09:00\", \"11:00\"]", "certain = [\"08:00\", \"11:00\"]").contains("out of order"));
    assert!(reason("Asia/Tokyo", "Asia/Edo").contains("Asia/Edo"));
    assert!(reason("first", "since").contains("unknown field"));
}
