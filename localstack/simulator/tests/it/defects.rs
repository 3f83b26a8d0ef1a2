//! Defects of the vendor's data.

use std::collections::BTreeMap;

use candlewick_simulator::api::defects::Defect;
use candlewick_simulator::settings::Settings;
use serde_json::Value;

use crate::support::{Local, local, local_with};

const YEAR: &str = "/time_series?symbol=MSFT&interval=1day&start_date=2025-11-18&end_date=2026-11-18";

/// A year of rows, sound and with one defect.
fn years(defect: Defect) -> (Vec<Value>, Vec<Value>) {
    let defects = BTreeMap::from([("MSFT".to_owned(), vec![defect])]);
    (rows(&local()), rows(&local_with(&Settings { defects, ..Settings::default() })))
}

fn rows(local: &Local) -> Vec<Value> {
    local.json(YEAR)["values"].as_array().unwrap().clone()
}

/// The rows of the second that are not in the first.
fn added(sound: &[Value], spoiled: &[Value]) -> Vec<Value> {
    spoiled.iter().filter(|row| !sound.contains(row)).cloned().collect()
}

fn number(row: &Value, field: &str) -> f64 {
    row[field].as_str().unwrap().parse().unwrap()
}

#[test]
fn there_are_no_defects_unless_asked_for() {
    let dates = local().times("symbol=MSFT&interval=1day&start_date=2025-11-18&end_date=2026-11-18");
    assert_eq!(dates.len(), 251);
    assert!(dates.is_sorted_by(|newer, older| newer > older));
}

#[test]
fn a_duplicate_is_the_same_row_again() {
    let (sound, spoiled) = years(Defect::Duplicate);
    assert!((spoiled.len() - sound.len()).abs_diff(251 / 23) <= 3, "{}", spoiled.len());
    assert!(added(&sound, &spoiled).is_empty());
}

#[test]
fn a_conflict_is_the_same_date_with_another_close_and_less_volume() {
    let (sound, spoiled) = years(Defect::Conflict);
    let added = added(&sound, &spoiled);
    assert!(added.len() > 5);
    for conflict in added {
        let original = sound.iter().find(|row| row["datetime"] == conflict["datetime"]).unwrap();
        assert_ne!(original["close"], conflict["close"]);
        assert!(number(&conflict, "volume") < number(original, "volume"));
    }
}

#[test]
fn a_missing_row_is_not_there() {
    let (sound, spoiled) = years(Defect::Missing);
    assert!(spoiled.len() < sound.len() - 5);
    assert!(added(&sound, &spoiled).is_empty());
}

#[test]
fn sentinels_nulls_and_hundredfold_prices_replace_rows() {
    let sentinel = |row: &Value| row["high"] == "-1.0" || row["low"] == "0.0";
    let null = |row: &Value| row["open"].is_null() && row["close"].is_null() && row["volume"].is_string();
    let hundredfold = |row: &Value| number(row, "close") > 10_000.0;
    for (defect, is_defect) in [
        (Defect::Sentinel, &sentinel as &dyn Fn(&Value) -> bool),
        (Defect::Null, &null),
        (Defect::Hundredfold, &hundredfold),
    ] {
        let (sound, spoiled) = years(defect);
        let added = added(&sound, &spoiled);
        assert_eq!(sound.len(), spoiled.len());
        assert!(added.len() > 5 && added.iter().all(is_defect), "{defect:?} {added:?}");
    }
}

#[test]
fn float_noise_moves_every_price_by_a_hundred_thousandth() {
    let (sound, spoiled) = years(Defect::FloatNoise);
    for (sound, spoiled) in sound.iter().zip(&spoiled) {
        let off = (number(sound, "close") - number(spoiled, "close")).abs();
        assert!((off - 0.000_01).abs() < 1e-9, "{sound} {spoiled}");
    }
}

#[test]
fn weekend_rows_repeat_a_friday() {
    let (sound, spoiled) = years(Defect::Weekend);
    let added = added(&sound, &spoiled);
    assert!(added.len() > 5);
    let weekday = |row: &Value| row["datetime"].as_str().unwrap().parse::<jiff::civil::Date>().unwrap().weekday();
    assert!(added.iter().all(|row| weekday(row) == jiff::civil::Weekday::Saturday));
}

#[test]
fn a_future_row_is_dated_tomorrow() {
    let (sound, spoiled) = years(Defect::Future);
    let added = added(&sound, &spoiled);
    assert_eq!((added.len(), &added[0]["datetime"]), (1, &"2026-11-19".into()));
}

#[test]
fn a_missed_split_is_a_step_down_to_a_quarter() {
    let defects = BTreeMap::from([("*".to_owned(), vec![Defect::SplitStep])]);
    let local = local_with(&Settings { defects, ..Settings::default() });
    let closes = local.column("symbol=MSFT&interval=1day&start_date=2021-06-01&end_date=2025-06-01&order=asc", "close");
    let closes: Vec<f64> = closes.iter().map(|close| close.parse().unwrap()).collect();
    let steps = closes.windows(2).filter(|pair| pair[1] / pair[0] < 0.3).count();
    assert_eq!(steps, 1);
}
