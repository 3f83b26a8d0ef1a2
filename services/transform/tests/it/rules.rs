//! The rules that need no calendar: what a row must be, what becomes of two of the same time, what the file may look like.

use crate::support::{Case, Outcome};

const HEADER: &str = "datetime,open,high,low,close,volume\n";

fn daily(rows: &str) -> Outcome {
    Case::new("1day").now("2024-12-30T22:00:00Z").clean(format!("{HEADER}{rows}"))
}

#[test]
fn rows_become_candles_in_order_with_their_digits() {
    let outcome = daily(
        "2024-12-27,252.23,253.5,250.75,252.20001,35557500\n2024-12-26,257.830,258.70,253.06,255.59,42355300.0\n",
    );
    let expected = "symbol,interval,time,open,high,low,close,volume,has_volume,is_filled\n\
        AAPL,1day,2024-12-26,257.83,258.7,253.06,255.59,42355300,true,false\n\
        AAPL,1day,2024-12-27,252.23,253.5,250.75,252.20001,35557500,true,false\n";
    assert_eq!(outcome.csv, expected);
}

#[test]
fn each_fault_sets_its_row_aside_with_line_column_and_reason() {
    for (row, column, reason) in [
        (",1,2,1,2,5", "time", "missing"),
        ("30/12/2024,1,2,1,2,5", "time", "unreadable"),
        ("2024-12-27 09:30:00,1,2,1,2,5", "time", "other_interval"),
        ("2025-01-02,1,2,1,2,5", "time", "future"),
        ("2024-12-27,,2,1,2,5", "open", "missing"),
        ("2024-12-27,1,N/A,1,2,5", "high", "missing"),
        ("2024-12-27,1,2,nan,2,5", "low", "missing"),
        ("2024-12-27,1,2,1,null,5", "close", "missing"),
        ("2024-12-27,1,2,1,two,5", "close", "unreadable"),
        ("2024-12-27,1,2,1,0,5", "close", "not_positive"),
        ("2024-12-27,1,2,1,0.000,5", "close", "not_positive"),
        ("2024-12-27,-1,2,1,2,5", "open", "not_positive"),
        ("2024-12-27,1,1e99,1,2,5", "high", "too_many_digits"),
        ("2024-12-27,1,2,1,2", "row", "ragged"),
        ("2024-12-27,1,2,1,2,1,234", "row", "ragged"),
        ("2024-12-27,1,2,1,2,\"5", "row", "open_quote"),
        ("2024-12-27,1,2,1,2,\"5\"5", "row", "stray_quote"),
        ("2024-12-27,1,2,1,2,five", "volume", "unreadable"),
        ("2024-12-27,1,2,1,2,-5", "volume", "negative"),
        ("2024-12-27,2,1,2,2,5", "high", "high_below_low"),
        ("2024-12-27,3,2,1,2,5", "open", "outside_range"),
        ("2024-12-27,1,2,1,0.5,5", "close", "outside_range"),
        ("2024-12-27,1,10,9.75,9.8,5", "open", "outside_range"),
        ("\u{feff}2024-12-27,1,2,1,2,5", "time", "unreadable"),
    ] {
        let outcome = daily(&format!("2024-12-26,1,2,1,2,5\n{row}\n"));
        let expected = (3, column.to_owned(), reason.to_owned(), row.to_owned());
        assert_eq!(outcome.quarantined(), [expected], "{row}");
        assert_eq!(outcome.times(), ["2024-12-26"], "{row}");
    }
}

#[test]
fn a_price_of_thirty_digits_keeps_them_all() {
    let price = "123456789012345.678901234567891";
    let small = "0.000000000000000000000000000001";
    let outcome =
        daily(&format!("2024-12-26,{price},{price},{small},1.5,1\n2024-12-27,{price}0,{price},1e-30,1.5,1\n"));
    let numbers = format!("{price},{price},{small},1.5,1,false");
    assert_eq!(outcome.rows(), [format!("2024-12-26,{numbers}"), format!("2024-12-27,{numbers}")]);
}

#[test]
fn empty_rows_are_counted_and_dropped() {
    let rows = daily(",,,,,\n\n2024-12-27,1,2,1,2,5\n , ,,,,\n\r\n \n").report.rows;
    assert_eq!((rows.read, rows.empty, rows.kept), (6, 5, 1));
}

#[test]
fn a_header_alone_is_refused() {
    for text in ["", "\n", "\r\n"] {
        let refusal = Case::new("1day").try_clean(format!("{}{text}", HEADER.trim_end())).unwrap_err();
        assert_eq!(refusal.class(), "nothing_usable");
        assert_eq!(refusal.to_string(), "the file has a header and no rows: nothing was replaced");
    }
}

#[test]
fn what_is_no_csv_of_candles_is_refused() {
    for text in ["", "{\"code\":429}", "a,b\n1,2\n", "2024-12-27,1,2,1,2,5\n"] {
        assert!(Case::new("1day").try_clean(text).is_err(), "{text}");
    }
}

#[test]
fn a_cell_does_not_go_on_in_the_next_line() {
    let header = HEADER.replace('\n', ",note\n");
    let text =
        format!("\u{feff}{header}2024-12-26,1,2,1,2,5,\"a\nb\"\n2024-12-27,x,2,1,2,5,\n\"2024-12-25\",1,2,1,2,5,\n");
    let outcome = Case::new("1day").clean(text);
    let reasons = [(2, "open_quote"), (3, "ragged"), (4, "unreadable")].map(|(line, reason)| (line, reason.to_owned()));
    assert_eq!(outcome.reasons(), reasons);
    assert_eq!(outcome.times(), ["2024-12-25"]);
    assert_eq!(outcome.report.ignored_columns, ["note"]);
}

#[test]
fn every_way_to_write_a_row_says_the_same() {
    let usual = daily("2024-12-26,1.5,2,1,2,5\n2024-12-27,2,3,1,2.25,7\n");
    for text in [
        "date;open;high;low;close;volume\n2024-12-26;1.5;2;1;2;5\n2024-12-27;2;3;1;2.25;7",
        "Date,Open,High,Low,Close,Volume\r\n2024-12-26,1.5,2,1,2,5\r\n2024-12-27,2,3,1,2.25,7\r\n",
        "date,open,high,low,close,volume\r2024-12-26,1.5,2,1,2,5\r2024-12-27,2,3,1,2.25,7\r",
        "\u{feff}datetime,open,high,low,close,volume,\n2024-12-27,2,3,1,2.25,7,\n2024-12-26,1.5,2,1,2,5,\n",
        "datetime,open,high,low,close,volume\n2024-12-27,2.0,3.00,1,2.250,7.0\n2024-12-26, 1.5 ,2,1,2,5\n",
        "datetime,open,high,low,close,volume\n\"2024-12-27\",\"2\",\"3\",\"1\",\"2.25\",\"7\"\n2024-12-26,15e-1,+2,01,2,5\n",
        "volume,close,low,high,open,time\n5,2,1,2,1.5,2024-12-26\n7,2.25,1,3,2,2024-12-27 00:00:00\n",
        "timestamp,open,high,low,close,volume,x,y\n2024-12-26,1.5,2,1,2,5,\",\",\"\"\"\"\n2024-12-27,2,3,1,2.25,7\n",
        "date,open,high,low,close,volume\n2024-12-26,1.5,2,1,2,5,,\n20241227, \"2\", 3, 1, 2.25, 7\n",
    ] {
        assert_eq!(Case::new("1day").clean(text).csv, usual.csv, "{text}");
    }
}

#[test]
fn rows_of_the_same_time_are_settled_by_their_volume() {
    let outcome = daily(
        "2024-12-23,1,2,1,2,5\n2024-12-23,1.0,2,1,2,5\n\
         2024-12-24,1,2,1,2,5\n2024-12-24,1,2,1,1.5,4\n\
         2024-12-26,1,2,1,2,5\n2024-12-26,1,2,1,1.5,5\n",
    );
    assert_eq!(outcome.rows(), ["2024-12-23,1,2,1,2,5,false", "2024-12-24,1,2,1,2,5,false"]);
    assert_eq!(outcome.report.rows.collapsed, 1);
    let of = |line, reason: &str| (line, reason.to_owned());
    let conflict = "conflicting_duplicate";
    assert_eq!(outcome.reasons(), [of(5, "lesser_duplicate"), of(6, conflict), of(7, conflict)]);
}

#[test]
fn an_absent_volume_is_not_a_zero_volume_and_costs_no_candle() {
    let without = Case::new("1day").clean("date,open,high,low,close\n2024-12-26,1,2,1,2\n");
    let header = "symbol,interval,time,open,high,low,close,volume,has_volume,is_filled";
    assert_eq!(without.csv, format!("{header}\nAAPL,1day,2024-12-26,1,2,1,2,0,false,false\n"));
    assert_eq!(daily("2024-12-26,1,2,1,2,0\n").rows(), ["2024-12-26,1,2,1,2,0,false"]);
    for absent in ["", "NaN", "null", "N/A", "-", "-1", "-1.0", "<NA>", "\\N"] {
        let outcome = daily(&format!("2024-12-25,1,2,1,2,7\n2024-12-26,1,2,1,2,{absent}\n"));
        assert_eq!(outcome.rows(), ["2024-12-25,1,2,1,2,7,false", "2024-12-26,1,2,1,2,false"], "{absent}");
    }
}

#[test]
fn symbols_that_look_like_something_else_stay_text() {
    for symbol in ["NA", "TRUE", "NULL", "1e5", "BTC/USD"] {
        let outcome = Case::new("1day").symbol(symbol).clean("date,open,high,low,close\n2024-12-26,1,2,1,2\n");
        assert!(
            outcome.csv.ends_with(&format!("\n{symbol},1day,2024-12-26,1,2,1,2,0,false,false\n")),
            "{}",
            outcome.csv
        );
    }
    let quoted = Case::new("1day").symbol("\"A").clean("date,open,high,low,close\n2024-12-26,1,2,1,2\n");
    assert!(quoted.csv.ends_with("\n\"\"\"A\",1day,2024-12-26,1,2,1,2,0,false,false\n"), "{}", quoted.csv);
}

#[test]
fn without_a_calendar_nothing_is_filled_and_the_report_says_why() {
    let outcome = daily("2024-12-20,1,2,1,2,5\n2024-12-22,1,2,1,2,5\n2024-12-27,1,2,1,2,5\n");
    assert_eq!((outcome.report.rows.filled, outcome.report.rows.unchecked), (0, 3));
    assert_eq!(outcome.gaps(), []);
    assert_eq!(outcome.report.calendar.reason, "neither the settings nor the source name one");
}

#[test]
fn without_a_calendar_a_candle_is_complete_when_its_interval_is_over_where_it_is_from() {
    let text = "date,open,high,low,close\n2024-12-29,1,2,1,2\n2024-12-30,1,2,1,2\n";
    let at = |interval, zone, now| {
        let text = if interval == "1week" { text.replace("2024-12-29", "2024-12-23") } else { text.to_owned() };
        let outcome = Case::new(interval).zone(zone).now(now).clean(text);
        (outcome.report.rows.kept, outcome.report.rows.provisional)
    };
    assert_eq!(at("1day", "UTC", "2024-12-30T23:59:59Z"), (1, 1));
    assert_eq!(at("1day", "UTC", "2024-12-31T00:00:00Z"), (2, 0));
    assert_eq!(at("1day", "America/New_York", "2024-12-31T00:00:00Z"), (1, 1));
    assert_eq!(at("1week", "UTC", "2024-12-30T00:00:00Z"), (1, 1));
    let months = "date,open,high,low,close\n2024-11-01,1,2,1,2\n2024-12-01,1,2,1,2\n";
    let rows = Case::new("1month").now("2024-12-31T00:00:00Z").clean(months).report.rows;
    assert_eq!((rows.kept, rows.provisional), (1, 1));
    let minutes = "date,open,high,low,close\n2024-12-30 10:00:00,1,2,1,2\n2024-12-30 10:05:00,1,2,1,2\n";
    let outcome = Case::new("5min").now("2024-12-30T10:09:59Z").clean(minutes);
    assert_eq!((outcome.report.rows.kept, outcome.report.rows.provisional), (1, 1));
}

#[test]
fn a_share_above_its_threshold_is_said() {
    let rows = |bad: usize| format!("{}{}", "2024-12-26,1,2,1,2,5\n".repeat(100 - bad), "x,1,2,1,2,5\n".repeat(bad));
    let touched = |bad| daily(&rows(bad)).report.touched;
    assert!(!touched(1).threshold_passed());
    assert!(touched(2).quarantined.passed && touched(2).threshold_passed());
    assert_eq!(touched(2).quarantined.share, 0.02);
}
