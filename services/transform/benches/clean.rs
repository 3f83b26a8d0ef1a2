//! Benchmarks of cleaning alone, without I/O: `cargo bench -p candlewick-transform`.
//!
//! The input is a month of minutes, newest first. `copy` only copies the bytes and is the lower bound.

#![allow(missing_docs, clippy::unwrap_used, reason = "the benches are macros' work, and fail by it")]

use candlewick_columnar::lines;
use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::{Part, Series};
use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::core::report::Source;
use candlewick_shared::core::watchlist::CleaningSettings;
use candlewick_transform::clean::clean;
use candlewick_transform::task::Task;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use jiff::Timestamp;
use jiff::tz::TimeZone;

fn main() {
    divan::main();
}

/// Rows for the slots of some years; `row` formats each from its time and its number.
fn text(row: impl Fn(&str, i64) -> String) -> String {
    let at = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
    let calendar = Calendar::for_mic("XNYS").unwrap().unwrap();
    let range = at("2023-01-01T00:00:00Z")..=at("2023-03-31T00:00:00Z");
    let slots: Vec<i64> = calendar.slots(Interval::Min1, range).unwrap().collect();
    let zone = TimeZone::get("America/New_York").unwrap();
    let local = |slot: i64| zone.to_datetime(Timestamp::from_second(slot).unwrap()).strftime("%F %T").to_string();
    let rows = slots.iter().rev().enumerate().filter(|(at, _)| at % 200 != 0);
    let rows: String = rows.map(|(at, slot)| row(&local(*slot), at as i64)).collect();
    format!("datetime,open,high,low,close,volume\n{rows}")
}

fn plain() -> String {
    text(|time, at| format!("{time},150.{:02}1,151.50001,149.75001,150.{:02}1,{}\n", at % 49, at % 51, 1000 + at))
}

/// Cells that cannot be copied as they are: quoted, and with trailing zeros.
fn unusual() -> String {
    text(|time, at| format!("\"{time}\",150.{:02}0,151.50,149.750,150.{:02},{}.0\n", at % 49, at % 51, 1000 + at))
}

fn bench_clean(bencher: Bencher<'_, '_>, text: &str) {
    bench(bencher, text, false);
}

fn bench(bencher: Bencher<'_, '_>, text: &str, has_columns: bool) {
    let series = Series { symbol: "AAPL".parse().unwrap(), interval: Interval::Min1 };
    let instrument = Instrument { calendar: Some("XNGS".to_owned()), ..Instrument::default() };
    let zone = TimeZone::get("America/New_York").unwrap();
    let settings = CleaningSettings::default();
    let task = Task {
        series: &series,
        part: Part::Whole,
        zone: &zone,
        now: "2023-03-31T00:00:00Z".parse().unwrap(),
        instrument: &instrument,
        settings: &settings,
        source: Source::default(),
        is_by_hand: true,
    };
    let counted = bencher.counter(BytesCount::new(text.len())).counter(ItemsCount::new(text.lines().count()));
    counted.bench(|| {
        let mut out = Vec::with_capacity(text.len() * 2);
        clean(black_box(text.as_bytes()), &task).unwrap().write_candles(&mut out).unwrap();
        let columns = has_columns.then(|| lines::parquet(&series, &out, &[]).unwrap());
        (out, columns)
    });
}

#[divan::bench]
fn plain_rows_with_columns(bencher: Bencher<'_, '_>) {
    bench(bencher, &plain(), true);
}

#[divan::bench]
fn plain_rows(bencher: Bencher<'_, '_>) {
    bench_clean(bencher, &plain());
}

#[divan::bench]
fn unusual_rows(bencher: Bencher<'_, '_>) {
    bench_clean(bencher, &unusual());
}

#[divan::bench]
fn shuffled_rows(bencher: Bencher<'_, '_>) {
    let text = plain();
    let (header, rows) = text.split_once('\n').unwrap();
    let mut rows: Vec<&str> = rows.lines().collect();
    // A stride that shares no factor with the number of rows visits all of them.
    let stride = (7919..).find(|stride| gcd(*stride, rows.len()) == 1).unwrap();
    rows = (0..rows.len()).map(|at| rows[at * stride % rows.len()]).collect();
    bench_clean(bencher, &format!("{header}\n{}\n", rows.join("\n")));
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[divan::bench]
fn copy(bencher: Bencher<'_, '_>) {
    let text = plain();
    bencher.counter(BytesCount::new(text.len())).bench(|| black_box(text.as_bytes()).to_vec());
}
