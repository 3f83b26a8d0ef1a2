//! No bytes make the cleaning panic, every row is accounted for, and cleaning what is clean changes nothing.
#![no_main]

use candlewick_shared::core::key::{Part, Series};
use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::core::report::Source;
use candlewick_shared::core::watchlist::CleaningSettings;
use candlewick_transform::clean::clean;
use candlewick_transform::task::Task;
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;

/// Clean CSV of any bytes; `None` if they are not raw CSV.
fn cleaned(text: &[u8], daily: bool) -> Option<Vec<u8>> {
    let interval = if daily { "1day" } else { "1min" };
    let series = Series { symbol: "AAPL".parse().ok()?, interval: interval.parse().ok()? };
    let settings = CleaningSettings { calendar: "XNYS".parse().ok(), ..CleaningSettings::default() };
    let zone = TimeZone::UTC;
    let instrument = Instrument::default();
    let source = Source::default();
    let now = "2024-12-30T22:00:00Z".parse().ok()?;
    let task = Task { series: &series, part: Part::Whole, zone: &zone, now, instrument: &instrument, settings: &settings, source, is_by_hand: true };
    let cleaned = clean(text, &task).ok()?;
    let rows = &cleaned.report.rows;
    assert_eq!(rows.written, rows.kept + rows.filled);
    let mut candles = Vec::new();
    cleaned.write_candles(&mut candles).ok()?;
    cleaned.write_quarantine(&mut Vec::new()).ok()?;
    Some(candles)
}

fuzz_target!(|input: (bool, &[u8])| {
    let (daily, text) = input;
    let headed = [b"datetime,open,high,low,close,volume\n", text].concat();
    for text in [text, &headed] {
        if let Some(once) = cleaned(text, daily) {
            assert_eq!(cleaned(&once, daily).as_ref(), Some(&once));
        }
    }
});
