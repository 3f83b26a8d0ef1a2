//! Real files, damaged at random: the numbers of every candle are those of one line of the input.

use std::collections::BTreeSet;

use candlewick_test_support::mutations::{RealFile, damage, encode};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::support::Case;

/// The significant digits of a cell, so that `1,250.00`, `1250` and `1.25K` are the same. A zero has none.
fn digits(cell: &str) -> String {
    let mantissa = cell.trim_matches(|c: char| !c.is_ascii_digit()).split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').to_owned()
}

/// What the numbers of a line can be, whatever separates its cells.
fn numbers(line: &str) -> BTreeSet<String> {
    let mut numbers: BTreeSet<String> = line.split([',', ';', '\t', '|']).map(digits).collect();
    for separator in [',', ';', '\t', '|'] {
        numbers.extend(line.split(separator).map(digits));
        numbers.extend(quoted_cells(line, separator).iter().map(|cell| digits(cell)));
    }
    numbers.insert(String::new());
    numbers
}

/// The cells of a line in which a quoted separator separates nothing.
fn quoted_cells(line: &str, separator: char) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut is_quoted = false;
    for character in line.chars() {
        is_quoted ^= character == '"';
        match cells.last_mut() {
            Some(cell) if is_quoted || character != separator => cell.push(character),
            _ => cells.push(String::new()),
        }
    }
    cells
}

fn case(file: &RealFile) -> Case {
    let mut case = Case::new(file.interval).symbol(file.symbol).calendar(file.calendar).zone(file.zone);
    case.settings.allow_negative = file.name == "wti-negative";
    case
}

/// Whether the damaged file was read.
fn check(seed: u64) -> bool {
    let mut random = StdRng::seed_from_u64(seed);
    let file = RealFile::any(&mut random);
    let text = damage(&mut random, &file.text());
    let Ok(outcome) = case(&file).try_clean(encode(&mut random, &text)) else { return false };
    let lines: Vec<BTreeSet<String>> = text.split(['\n', '\r']).map(numbers).collect();
    for row in outcome.rows().iter().filter(|row| !row.ends_with(",true")) {
        let cells: Vec<&str> = row.split(',').collect();
        let values: Vec<String> = cells[1..cells.len() - 1].iter().map(|value| digits(value)).collect();
        let is_in = |line: &BTreeSet<String>| values.iter().all(|value| line.contains(value));
        assert!(lines.iter().any(is_in), "seed {seed}, {}: {row} is in no line of\n{text}", file.name);
    }
    let rows = &outcome.report.rows;
    assert_eq!(rows.read, rows.accounted_for(), "seed {seed}: {rows:?}\n{text}");
    true
}

#[test]
fn no_candle_comes_out_whose_numbers_are_not_in_one_line() {
    let read = (0..6_000).filter(|seed| check(*seed)).count();
    assert!(read > 3_000, "only {read} damaged files were read");
}
