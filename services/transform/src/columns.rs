//! Turns clean CSV into Parquet.

use candlewick_columnar::lines;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::runtime::outcome::Failure;

/// The Parquet of an object. A value that Parquet's decimals cannot hold makes it fail, so that no digit is lost.
pub fn of(
    key: &str,
    series: &Series,
    clean: &[u8],
    source: Option<&str>,
    instrument: &Instrument,
) -> Result<Vec<u8>, Failure> {
    let about = about(series, source, instrument);
    lines::parquet(series, clean, &about).map_err(|error| match error.does_not_fit() {
        Some(_) => Failure::new("too_many_digits", format!("{key}: {error}; round it, or set COLUMNAR=off")),
        None => Failure::new("unreadable_object", format!("{key}: {error}")),
    })
}

/// What the footer says. It names nothing that differs between two inputs with the same candles, such as a time.
fn about(series: &Series, source: Option<&str>, instrument: &Instrument) -> Vec<(String, String)> {
    let own = [
        ("symbol", Some(series.symbol.to_string())),
        ("interval", Some(series.interval.to_string())),
        ("source", source.map(str::to_owned)),
    ];
    let known = own.into_iter().chain(instrument.entries());
    known.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
