//! How much memory cleaning takes, in bytes that were asked for and not in what a machine makes of that.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use candlewick_shared::core::key::{Part, Series};
use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::core::report::Source;
use candlewick_shared::core::watchlist::CleaningSettings;
use candlewick_transform::clean::clean;
use candlewick_transform::task::Task;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const HEADER: &str = "datetime,open,high,low,close,volume\n";

/// So many minutes, a row each as `row` writes it, newest first or not.
fn text(rows: i64, row: impl Fn(Timestamp, i64) -> String) -> String {
    let minute = |at: i64| row(Timestamp::from_second(1_700_000_040 + at * 60).unwrap(), at);
    let rows: String = (0..rows).map(minute).collect();
    format!("{HEADER}{rows}")
}

fn plain(time: Timestamp, at: i64) -> String {
    format!("{},150.25,151.5,149.75,150.{},{at}\n", time.strftime("%F %T"), at % 9 + 1)
}

/// The bytes that are held at once, at most, while a text is cleaned and all of it written.
fn peak(text: &str) -> usize {
    let series = Series { symbol: "BTC/USD".parse().unwrap(), interval: "1min".parse().unwrap() };
    let instrument = Instrument { instrument_type: Some("Digital Currency".to_owned()), ..Instrument::default() };
    let task = Task {
        series: &series,
        part: Part::Whole,
        zone: &TimeZone::UTC,
        now: "2024-11-22T00:00:00Z".parse().unwrap(),
        instrument: &instrument,
        settings: &CleaningSettings::default(),
        source: Source::default(),
        is_by_hand: true,
    };
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let cleaned = clean(text.as_bytes(), &task).unwrap();
    cleaned.write_candles(std::io::sink()).unwrap();
    cleaned.write_quarantine(std::io::sink()).unwrap();
    MEMORY.peak_usage() - before
}

/// By how many bytes a row the peak grows.
fn bytes_a_row(row: impl Fn(Timestamp, i64) -> String + Copy) -> f64 {
    let few = 5_000;
    let many = 20_000;
    // The calendar is made once, and stays.
    peak(&text(10, row));
    (peak(&text(many, row)) as f64 - peak(&text(few, row)) as f64) / (many - few) as f64
}

// One test, because what others did at the same time would be counted too.
#[test]
fn memory_grows_with_the_rows_by_no_more_than_is_said() {
    let usual = bytes_a_row(plain);
    assert!(usual <= 32.0, "{usual} bytes a plain row");
    let careful = bytes_a_row(|time, at| format!("\"{}\",1,2,1,1.50,{at}\n", time.strftime("%F %T")));
    assert!(careful <= 72.0, "{careful} bytes a row that is not plain");
    let bad = |time: Timestamp| format!("{},1,2,1,x,5\n", time.strftime("%F %T"));
    let quarantined = bytes_a_row(|time, at| if at == 0 { plain(time, at) } else { bad(time) });
    assert!(quarantined <= 144.0, "{quarantined} bytes a row that is quarantined");
    let twice = bytes_a_row(|time, at| plain(time, at) + &plain(time, at)) / 2.0;
    assert!(twice <= 72.0, "{twice} bytes a row that is there twice");
    let gap = bytes_a_row(|time, at| if at % 2 == 0 { plain(time, at) } else { String::new() }) * 2.0;
    assert!(gap <= 320.0, "{gap} bytes a row with a gap behind it");
}
