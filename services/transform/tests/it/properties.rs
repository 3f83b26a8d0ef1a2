//! What must hold of any file: every row is accounted for, order means nothing, and what is clean stays as it is.

use candlewick_shared::core::report::Report;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::Case;

const HEADER: &str = "datetime,open,high,low,close,volume\n";

/// A case with or without a calendar, at an interval of each kind.
fn cases() -> impl Strategy<Value = Case> {
    let calendars = select(vec!["none", "XNYS", "XTKS", "24/7", "24/5", "forex"]);
    let intervals = select(vec!["1min", "1h", "4h", "1day", "1week", "1month"]);
    let zones = select(vec!["UTC", "America/New_York", "Asia/Tokyo"]);
    (calendars, intervals, zones, 0..5_u32, any::<bool>()).prop_map(|(calendar, interval, zone, max_fill, month)| {
        let case = Case::new(interval).calendar(calendar).zone(zone).max_fill(max_fill).now("2024-11-25T16:10:30Z");
        if month && case.series.interval.is_intraday() { case.month(2024, 11) } else { case }
    })
}

fn price() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => select(vec!["1", "2", "1.5", "1.25", "2.75", "0.001", "1.25000", "2.000"]).prop_map(str::to_owned),
        1 => select(vec!["1.50", "01", "+2", "2e0", "\"1\"", " 2 "]).prop_map(str::to_owned),
        1 => select(vec!["x", "", "0", "-1", "nan", "1e99", "123456789012345678901234567890"]).prop_map(str::to_owned),
    ]
}

fn time() -> impl Strategy<Value = String> {
    let date = (select(vec!["2024-09", "2024-11"]), 1..31_u8).prop_map(|(month, day)| format!("{month}-{day:02}"));
    let clock = (select(vec![0_u8, 9, 10, 14, 15, 16]), select(vec![0_u8, 1, 29, 30, 31]))
        .prop_map(|(h, m)| format!("{h:02}:{m:02}:00"));
    prop_oneof![
        2 => date.clone(),
        3 => (date.clone(), clock.clone(), select(vec![' ', 'T'])).prop_map(|(date, clock, between)| format!("{date}{between}{clock}")),
        1 => (date, clock).prop_map(|(date, clock)| format!("{date}T{clock}Z")),
    ]
}

fn row() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => (time(), vec(price(), 4..=4), 1..4_u8).prop_map(|(time, prices, volume)| format!("{time},{},{volume}", prices.join(","))),
        8 => (time(), 1..3_u8).prop_map(|(time, volume)| format!("{time},1.5,2,1,1.25,{volume}")),
        1 => Just(",,,,,".to_owned()),
        1 => "\\PC{0,20}".prop_map(|text| text.replace(['"', '\r', '\n'], "")),
    ]
}

/// The report but for the lines, which order changes.
fn counts(report: &Report) -> Report {
    report.clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_row_is_accounted_for(case in cases(), rows in vec(row(), 0..60)) {
        // The case itself holds the counts to each other.
        let Some(outcome) = case.clean_any(format!("{HEADER}{}", rows.join("\n"))) else { return Ok(()) };
        let lines = rows.len() - usize::from(rows.last().is_some_and(String::is_empty));
        prop_assert_eq!(outcome.report.rows.read, lines as u64);
        prop_assert_eq!(outcome.quarantined().len() as u64, outcome.report.rows.quarantined_total());
        for (line, _, _, row) in outcome.quarantined() {
            prop_assert_eq!(&rows[line as usize - 2], &row);
        }
        let vacant = outcome.report.gaps.iter().filter(|gap| gap.fate == candlewick_shared::core::report::Fate::Filled);
        prop_assert_eq!(vacant.map(|gap| gap.slots).sum::<u64>(), outcome.report.rows.filled);
    }

    #[test]
    fn cleaning_what_is_clean_changes_nothing(case in cases(), rows in vec(row(), 0..60)) {
        let Some(once) = case.clean_any(format!("{HEADER}{}", rows.join("\n"))) else { return Ok(()) };
        if once.report.rows.written == 0 {
            return Ok(());
        }
        let twice = case.clean(&once.csv);
        prop_assert_eq!(&twice.csv, &once.csv);
        prop_assert_eq!(twice.report.rows.refilled, once.report.rows.filled);
        let spans = |report: &Report| report.gaps.iter().map(|gap| (gap.first.clone(), gap.last.clone())).collect::<Vec<_>>();
        prop_assert_eq!(spans(&twice.report), spans(&once.report));
        prop_assert_eq!(twice.report.rows.quarantined_total(), 0);
    }

    #[test]
    fn the_order_of_rows_changes_nothing(case in cases(), (rows, shuffled) in vec(row(), 0..40).prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))) {
        let one = case.clean_any(format!("{HEADER}{}\n", rows.join("\n")));
        let other = case.clean_any(format!("{HEADER}{}\n", shuffled.join("\n")));
        prop_assert_eq!(one.is_some(), other.is_some());
        let Some((one, other)) = one.zip(other) else { return Ok(()) };
        prop_assert_eq!(one.csv, other.csv);
        prop_assert_eq!(counts(&one.report), counts(&other.report));
    }

    #[test]
    fn plain_rows_are_judged_as_all_others_are(case in cases(), rows in vec(row(), 0..60)) {
        // A file in which a column is at an unusual place has no plain rows.
        let moved = |row: &String| format!("x,{row}");
        let plain = case.clean_any(format!("{HEADER}{}", rows.join("\n")));
        let careful = format!("note,{HEADER}{}", rows.iter().map(moved).collect::<Vec<_>>().join("\n"));
        let careful = case.clean_any(careful);
        prop_assert_eq!(plain.is_some(), careful.is_some());
        let Some((plain, careful)) = plain.zip(careful) else { return Ok(()) };
        prop_assert_eq!(&plain.csv, &careful.csv);
        prop_assert_eq!(plain.report.gaps, careful.report.gaps);
        prop_assert_eq!(plain.report.rows.kept, careful.report.rows.kept);
    }
}
