//! Turns clean CSV into Parquet.

use candlewick_columnar::lines::{self, LinesError};
use candlewick_shared::core::key::Series;
use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::runtime::outcome::Failure;

/// The Parquet of an object.
pub struct Columns {
    pub bytes: Vec<u8>,
    /// The value that Parquet's decimals cannot hold, if there is one. The Parquet then has no rows: some of the candles
    /// would look like all of them, and a rounded value would be wrong.
    pub left_out: Option<String>,
}

pub fn of(
    key: &str,
    series: &Series,
    clean: &[u8],
    source: Option<&str>,
    instrument: &Instrument,
) -> Result<Columns, Failure> {
    let about = about(series, source, instrument);
    match lines::parquet(series, clean, &about) {
        Ok(bytes) => Ok(Columns { bytes, left_out: None }),
        Err(error) if error.does_not_fit().is_some() => {
            let bytes = lines::parquet(series, &[], &about).map_err(|error| unreadable(key, &error))?;
            Ok(Columns { bytes, left_out: Some(error.to_string()) })
        }
        Err(error) => Err(unreadable(key, &error)),
    }
}

fn unreadable(key: &str, error: &LinesError) -> Failure {
    Failure::new("unreadable_object", format!("{key}: {error}"))
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
