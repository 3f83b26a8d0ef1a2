//! Decides which series a file has candles of.

use std::path::Path;

use anyhow::{Context, ensure};
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::symbol::Symbol;
use candlewick_transform::dialect;

use super::files::shown;
use super::names::Named;

/// The series of a file: what the options say, otherwise its path, otherwise a column of the file.
pub fn of(file: &Path, symbol: Option<&Symbol>, interval: Option<Interval>, text: &[u8]) -> anyhow::Result<Series> {
    if let (Some(symbol), Some(interval)) = (symbol, interval) {
        return Ok(Series { symbol: symbol.clone(), interval });
    }
    let named = if symbol.is_some() { Named::of(file).unwrap_or_default() } else { Named::of(file)? };
    let by_file = || named.symbol.clone().or_else(|| dialect::named_instrument(text));
    let name = shown(file);
    let found = symbol.cloned().or_else(by_file);
    let found =
        found.with_context(|| format!("{name}: neither its name nor a column says the symbol: add --symbol AAPL"))?;
    if let (None, Some(said), Some(other)) = (symbol, interval, named.interval) {
        ensure!(
            said == other,
            "{name}: the name says {other}, and --interval says {said}: add --symbol {} if the name is wrong",
            found.to_shell_word()
        );
    }
    let interval = interval.or(named.interval);
    let interval =
        interval.with_context(|| format!("{name}: its name does not say the interval: add --interval 1day"))?;
    Ok(Series { symbol: found, interval })
}
