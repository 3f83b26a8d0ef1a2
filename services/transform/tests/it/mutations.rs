//! Real files, damaged at random: every row of the output is in one line of the input.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use candlewick_shared::core::decimal::Decimal;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::support::Case;

/// Files of `tests/cases/files` that are read, with their interval and calendar.
const FILES: [(&str, &str, &str); 12] = [
    ("good-5-days", "1day", "XNYS"),
    ("tiingo-daily-z", "1day", "XNYS"),
    ("is_filled-pandas", "1day", "XNYS"),
    ("unclosed-quote-closed-later", "1day", "XNYS"),
    ("yfinance-float-noise", "1day", "none"),
    ("ib-volume-minus1", "1day", "24/5"),
    ("dst-fall-back-1h-naive", "1h", "24/7"),
    ("thousands-unquoted-volume", "1day", "XNYS"),
    ("timestamp-ms", "1day", "24/7"),
    ("tradingview-unix-time-5min", "5min", "XNYS"),
    ("weekly-friday-stamps", "1week", "XNYS"),
    ("wti-negative", "1day", "none"),
];

/// What a cell is replaced by.
const CELLS: [&str; 18] = [
    "",
    "0",
    "-1",
    "100",
    "1e2",
    "1,5",
    "\"1,5\"",
    "\"",
    "\"2\"3",
    "NaN",
    " 101 ",
    "+102",
    "103.0",
    "x",
    "2024-01-03",
    "2024-01-03 10:00:00",
    "1704292200",
    "true",
];

fn damage(random: &mut StdRng, text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..random.random_range(1..6) {
        damage_line(random, &mut lines);
    }
    let line_break = *["\n", "\r\n", "\r"].choose(random).unwrap();
    let damaged = lines.join(line_break);
    match random.random_range(0..6) {
        0 => damaged.chars().take(random.random_range(0..damaged.len() + 1)).collect(),
        1 => damaged.replace(',', ";"),
        _ => damaged + line_break,
    }
}

fn damage_line(random: &mut StdRng, lines: &mut Vec<String>) {
    if lines.len() < 2 {
        return;
    }
    let (at, other) = (random.random_range(1..lines.len()), random.random_range(1..lines.len()));
    let mut cells: Vec<String> = lines[at].split(',').map(str::to_owned).collect();
    let (cell, second) = (random.random_range(0..cells.len()), random.random_range(0..cells.len()));
    match random.random_range(0..9) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[other].clone()),
        2 => lines.swap(at, other),
        3 => {
            let length = random.random_range(0..=lines[at].len());
            lines[at].truncate(length);
        }
        4 => {
            cells.remove(cell);
            lines[at] = cells.join(",");
        }
        5 => {
            cells.insert(cell, cells[second].clone());
            lines[at] = cells.join(",");
        }
        6 => {
            cells.swap(cell, second);
            lines[at] = cells.join(",");
        }
        7 => lines[at] = lines[at].clone() + &lines[other],
        _ => {
            cells[cell] = (*CELLS.choose(random).unwrap()).to_owned();
            lines[at] = cells.join(",");
        }
    }
}

/// The numbers of a line, however they are written.
fn numbers(line: &str) -> BTreeSet<String> {
    let cells = line.split([',', ';']).map(|cell| cell.trim_matches(|c| matches!(c, '"' | ' ' | '\t')));
    cells.filter_map(|cell| cell.parse::<Decimal>().ok()).map(|number| number.to_string()).collect()
}

fn check(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let (name, interval, calendar) = *FILES.choose(&mut random).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/cases/files/{name}.csv"));
    let text = damage(&mut random, &fs::read_to_string(path).unwrap());
    let mut case = Case::new(interval).symbol("ABC").calendar(calendar).zone("America/New_York");
    case.settings.allow_negative = name == "wti-negative";
    let Ok(outcome) = case.try_clean(&text) else { return };
    let lines: Vec<BTreeSet<String>> = text.split(['\n', '\r']).map(numbers).collect();
    for row in outcome.rows().iter().filter(|row| !row.ends_with(",true")) {
        let cells: Vec<&str> = row.split(',').collect();
        let values = &cells[1..cells.len() - 1];
        let is_in = |line: &BTreeSet<String>| values.iter().all(|value| line.contains(*value));
        assert!(lines.iter().any(is_in), "seed {seed}: {row} is in no line of\n{text}");
    }
    let rows = &outcome.report.rows;
    assert_eq!(rows.read, rows.accounted_for(), "seed {seed}: {rows:?}\n{text}");
}

#[test]
fn no_candle_comes_out_whose_numbers_are_not_in_one_line() {
    (0..4_000).for_each(check);
}
