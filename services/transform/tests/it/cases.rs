//! Files as people really have them, and what must become of each.

use std::fs;
use std::path::Path;

use candlewick_shared::core::report::Fate;
use candlewick_transform::refusal::Refusal;

use crate::support::{Case, Outcome};

fn file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/files");
    fs::read(folder.join(format!("{name}.csv"))).unwrap()
}

fn case(interval: &str, calendar: &str) -> Case {
    Case::new(interval).symbol("ABC").calendar(calendar)
}

fn daily(name: &str) -> Outcome {
    case("1day", "XNYS").clean(file(name))
}

fn refused(case: &Case, name: &str) -> Refusal {
    case.try_clean(file(name)).unwrap_err()
}

#[test]
fn rows_with_more_cells_than_the_header_are_no_candles() {
    for (name, calendar, rows, detail) in [
        ("thousands-unquoted-volume", "XNYS", 3, "8 cells for 6"),
        ("euro-decimals-comma-flat", "none", 2, "9 cells for 5"),
    ] {
        let case = case("1day", calendar);
        assert_eq!(case.nothing_usable(file(name)), [("ragged".to_owned(), rows)]);
        let words = refused(&case, name).to_string();
        assert!(
            words.contains(&format!("Line 2, row: {detail}")) && words.contains("write 1234567 and 1.25"),
            "{words}"
        );
    }
}

#[test]
fn an_open_quote_costs_its_own_line() {
    let outcome = daily("unclosed-quote-closed-later");
    assert_eq!(outcome.reasons(), [(2, "open_quote".to_owned())]);
    let rows = [
        "2024-01-03,101,103,100,102,900,false",
        "2024-01-04,102,104,101,103,800,false",
        "2024-01-05,103,105,102,104,700,false",
    ];
    assert_eq!(outcome.rows(), rows);
}

#[test]
fn a_flag_means_what_it_says_in_every_spelling() {
    for name in ["is_filled-pandas", "is_filled-psql"] {
        let rows = [
            "2024-01-02,100,102,99,101,1000,false",
            "2024-01-03,101,101,101,101,0,true",
            "2024-01-04,102,104,101,103,900,false",
        ];
        assert_eq!(daily(name).rows(), rows, "{name}");
        assert_eq!(case("1day", "none").clean(file(name)).rows(), rows, "{name} with no calendar");
    }
}

#[test]
fn candles_of_another_instrument_are_refused() {
    let refused = |name: &str| refused(&case("1day", "XNYS"), name);
    let several = refused("two-symbols-in-one-file");
    assert_eq!(several.class(), "several_instruments");
    assert!(several.to_string().contains("column \"Name\" names several instruments: AAA, BBB"), "{several}");
    let other = refused("clean-csv-of-other-symbol");
    assert_eq!(other.class(), "other_instrument");
    assert!(other.to_string().contains("names MSFT, and the file is for ABC"), "{other}");
    let interval = case("1week", "XNYS").symbol("MSFT").try_clean(file("clean-csv-of-other-symbol")).unwrap_err();
    assert_eq!(interval.class(), "other_interval");
}

#[test]
fn no_candle_is_lost_because_its_volume_is_unknown() {
    let export = case("1day", "XNYS").symbol("MUTF").clean(file("export-of-candles-without-volume"));
    let lines = String::from_utf8(file("export-of-candles-without-volume")).unwrap().lines().count();
    assert_eq!(export.rows().len(), lines - 1);
    assert!(export.csv.lines().skip(1).all(|line| line.ends_with(",0,false,false")), "{}", export.csv);
    let index = daily("index-volume-column-empty");
    let rows = [
        "2024-01-02,4745.2,4754.33,4722.67,4742.83,false",
        "2024-01-03,4725.07,4729.29,4699.71,4704.81,false",
        "2024-01-04,4697.42,4726.78,4687.53,4688.68,false",
    ];
    assert_eq!(index.rows(), rows);
    let broker = case("1day", "24/5").clean(file("ib-volume-minus1"));
    assert_eq!(broker.rows(), ["2024-01-02,1.1,1.12,1.09,1.11,false", "2024-01-03,1.11,1.13,1.1,1.12,false"]);
    let named = daily("vol-named-vol");
    assert_eq!(named.rows(), ["2024-01-02,100,102,99,101,1000,false", "2024-01-03,101,103,100,102,900,false"]);
}

#[test]
fn a_failed_download_replaces_nothing() {
    assert_eq!(refused(&case("1day", "XNYS"), "header-only-failed-download").class(), "nothing_usable");
    assert_eq!(daily("good-5-days").rows().len(), 5);
}

#[test]
fn an_instant_of_a_daily_candle_is_the_date_whose_session_it_opens() {
    let closes = [
        "2024-01-02,100,102,99,101,1000,false",
        "2024-01-03,101,103,100,102,1001,false",
        "2024-01-04,102,104,101,103,1002,false",
        "2024-01-05,103,105,102,104,1003,false",
    ];
    assert_eq!(daily("tradingview-unix-time-daily").rows(), closes);
    let words = refused(&case("1day", "none"), "tradingview-unix-time-daily").to_string();
    assert!(words.contains("\"1704205800\" has a time of day") && words.contains("--calendar XNYS"), "{words}");
    let coins = case("1day", "24/7").clean(file("timestamp-ms"));
    assert_eq!(coins.times(), ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]);
    assert_eq!(daily("tiingo-daily-z").times(), ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08"]);
    let minutes = case("5min", "XNYS").clean(file("tradingview-unix-time-5min"));
    let times = ["2024-01-02T14:30:00Z", "2024-01-02T14:35:00Z", "2024-01-02T14:40:00Z", "2024-01-02T14:45:00Z"];
    assert_eq!(
        (minutes.times(), minutes.report.ignored_columns),
        (times.map(str::to_owned).to_vec(), vec!["Volume MA".to_owned()])
    );
}

#[test]
fn hours_are_no_days() {
    let case = case("1day", "XNYS");
    assert_eq!(case.nothing_usable(file("hour-only")), [("other_interval".to_owned(), 2)]);
}

#[test]
fn what_rounding_put_outside_widens_the_range_and_what_is_wrong_is_not_filled() {
    let outcome = daily("yfinance-float-noise");
    assert_eq!(outcome.reasons(), [(3, "outside_range".to_owned())]);
    assert_eq!(outcome.times(), ["2024-01-02", "2024-01-04", "2024-01-05"]);
    assert_eq!(outcome.rows()[1], "2024-01-04,150.12000000000003,150.12000000000003,149.5,149.99,71983600,false");
    assert_eq!((outcome.report.rows.widened, outcome.report.rows.filled), (1, 0));
    assert_eq!(outcome.gaps()[0], ("2024-01-03", "2024-01-03", 1, Fate::Quarantined));
}

#[test]
fn a_price_below_zero_is_possible_where_the_owner_says_so() {
    let mut allowed = case("1day", "none");
    allowed.settings.allow_negative = true;
    let rows = [
        "2020-04-17,19.86,20.51,17.31,18.27,190000,false",
        "2020-04-20,17.73,17.85,-40.32,-37.63,247000,false",
        "2020-04-21,-14,13.86,-16.74,10.01,2200,false",
        "2020-04-22,11.3,16.2,6.5,13.78,800000,false",
    ];
    assert_eq!(allowed.clean(file("wti-negative")).rows(), rows);
    let outcome = case("1day", "XNYS").clean(file("wti-negative"));
    assert_eq!(outcome.rows(), [rows[0], rows[3]]);
    assert_eq!(outcome.gaps()[0], ("2020-04-20", "2020-04-21", 2, Fate::Quarantined));
}

#[test]
fn the_repeated_hour_keeps_both_of_its_candles() {
    let text = String::from_utf8(file("dst-fall-back-1h-naive")).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let reversed: String = rows.lines().rev().map(|row| format!("{row}\n")).collect();
    let case = case("1h", "24/7").zone("America/New_York");
    let expected = ["04", "05", "06", "07", "08"].map(|hour| format!("2024-11-03T{hour}:00:00Z"));
    for rows in [rows, &reversed] {
        let outcome = case.clean(format!("{header}\n{rows}"));
        assert_eq!(outcome.times(), expected);
        assert!(outcome.rows()[2].contains(",100.2,101.2,99.2,100.7,12,"), "{}", outcome.csv);
    }
}

#[test]
fn the_calendars_know_when_markets_trade() {
    let forex = case("1h", "forex").clean(file("forex-sunday-evening-1h"));
    assert_eq!((forex.rows().len(), forex.report.rows.filled), (6, 0));
    let eight_hours = case("8h", "forex").clean(file("twelvedata-forex-8h-real-stamps"));
    assert_eq!((eight_hours.rows().len(), eight_hours.reasons()), (4, vec![(3, "no_slot".to_owned())]));
    let detail = &eight_hours.details()[0];
    assert!(detail.ends_with("the market is closed then, and opens at 2022-03-06T22:00:00Z"), "{detail}");
    let storms = case("1day", "XHKG").clean(file("hkex-storm-days-2023-09"));
    assert_eq!((storms.rows().len(), storms.report.rows.filled), (6, 0));
    let special = case("1day", "XBOM").clean(file("nse-2024-03-02"));
    assert_eq!(special.times(), ["2024-03-01", "2024-03-02", "2024-03-04"]);
}

#[test]
fn weeks_get_the_date_of_their_monday() {
    let outcome = case("1week", "XNYS").clean(file("weekly-friday-stamps"));
    assert_eq!(outcome.times(), ["2024-01-01", "2024-01-08", "2024-01-15", "2024-01-22"]);
    assert_eq!(outcome.report.stamps.as_deref(), Some("the last session"));
    let mixed = "date,open,high,low,close\n2024-01-01,1,2,1,2\n2024-01-12,1,2,1,2\n";
    let mixed = case("1week", "XNYS").clean(mixed);
    assert_eq!(mixed.times(), ["2024-01-01"]);
    assert!(mixed.details()[0].contains("a week is stamped with its Monday"), "{:?}", mixed.details());
}

#[test]
fn files_of_other_forms_are_read() {
    let closes = |case: &Case, name: &str| {
        let outcome = case.clean(file(name));
        outcome.rows().iter().map(|row| row.split(',').nth(4).unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (name, interval, calendar, expected) in [
        ("timestamp-ms", "1day", "24/7", &["42100", "42101", "42102", "42103"][..]),
        ("binance-noheader-ms", "1day", "24/7", &["42100", "42101", "42102", "42103"]),
        ("yfinance-multiindex", "1day", "XNYS", &["101", "102", "103", "104", "105"]),
        ("bhavcopy", "1day", "XBOM", &["101"]),
        ("thousands-quoted", "1day", "XNYS", &["1235", "1235"]),
        ("euro-decimals-semicolon", "1day", "XNYS", &["101.9", "102.9"]),
        ("metatrader5-tab", "1min", "none", &["1.15", "1.12"]),
        ("utf16le-bom", "1day", "XNYS", &["101"]),
        ("excel-sep-line", "1day", "XNYS", &["101"]),
    ] {
        assert_eq!(closes(&case(interval, calendar), name), expected, "{name}");
    }
    assert_eq!(case("1day", "24/7").symbol("BTC/USD").clean(file("cdd-banner")).times(), ["2024-01-01"]);
    let local = case("5min", "XNYS").zone("America/New_York").clean(file("date-and-time-columns-5min"));
    assert_eq!(local.times(), ["2024-01-02T14:30:00Z", "2024-01-02T14:35:00Z"]);
    let thousands = case("1day", "XNYS").clean(file("thousands-quoted"));
    assert!(thousands.rows()[0].ends_with(",1234567,false"), "{}", thousands.csv);
    let ticks = case("1min", "none").clean(file("metatrader5-tab"));
    assert!(ticks.rows()[0].ends_with(",100,false"), "{}", ticks.csv);
}

#[test]
fn dates_that_could_be_two_are_refused_with_both() {
    let words = refused(&case("1day", "XNYS"), "us-dates").to_string();
    assert!(words.contains("2024-02-01 or 2024-01-02") && words.contains("--date-format %m/%d/%Y"), "{words}");
    let mut said = case("1day", "XNYS");
    said.settings.form.date_format = Some("%m/%d/%Y".to_owned());
    assert_eq!(said.clean(file("us-dates")).times(), ["2024-01-02", "2024-01-03"]);
}

#[test]
fn hours_by_the_clock_are_read_as_such_and_never_filled() {
    let hours = case("1h", "XNYS").zone("America/New_York").clean(file("xnys-1h-on-clock-hours"));
    assert_eq!((hours.rows().len(), hours.report.rows.filled, hours.gaps().len()), (7, 0, 0));
    assert_eq!(hours.report.stamps.as_deref(), Some("the clock, not the open of the session"));
    let rows = |hours: std::ops::Range<i64>| -> String {
        hours.map(|hour| format!("2024-11-27 {hour:02}:00:00,100,101,99,100,1\n")).collect()
    };
    let text = |rows: String| format!("datetime,open,high,low,close,volume\n{rows}");
    let as_utc = case("1h", "XNYS").clean_any(text(rows(9..16)));
    assert_eq!(as_utc, None, "local times read as UTC are mostly of hours at which the market is shut");
    let night = case("1h", "XNYS").zone("America/New_York").clean(text(format!(
        "{}{}",
        rows(9..16),
        rows(0..1).replace("27 00", "28 03")
    )));
    assert_eq!((night.rows().len(), night.reasons()), (7, vec![(9, "no_slot".to_owned())]));
}

#[test]
fn candles_outside_of_the_session_are_kept_where_the_owner_wants_them() {
    let text = "datetime,open,high,low,close,volume\n2024-11-27 08:30:00,1,2,1,2,1\n2024-11-27 09:30:00,1,2,1,2,1\n\
                2024-11-27 09:40:00,1,2,1,2,1\n2024-11-27 16:30:00,1,2,1,2,1\n2024-11-28 10:00:00,1,2,1,2,1\n";
    let mut case = case("5min", "XNYS").zone("America/New_York");
    assert_eq!(case.clean(text).reasons().len(), 3);
    case.settings.sessions = candlewick_shared::core::watchlist::Sessions::Extended;
    let outcome = case.clean(text);
    assert_eq!(outcome.reasons(), [(6, "no_slot".to_owned())], "Thanksgiving has no session");
    assert_eq!(outcome.report.rows.filled, 1, "09:35 alone");
}
