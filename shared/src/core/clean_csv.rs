//! Clean CSV: what the transform writes and the loader, and anybody else, reads.

use csv::{ByteRecord, Position, ReaderBuilder, WriterBuilder};
use jiff::tz::TimeZone;
use thiserror::Error;

use crate::core::candle::{Candle, CandleTime};
use crate::core::decimal::Decimal;
use crate::core::key::Series;

/// The columns of clean CSV, where the instrument has volume; where it has none, that column is not there.
pub const COLUMNS: [&str; 9] = ["symbol", "interval", "time", "open", "high", "low", "close", "volume", "is_filled"];

const VOLUME: usize = 7;

/// Where and why a text is no clean CSV of a series.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("line {line}, column {column}: {reason}")]
pub struct NotClean {
    /// The line, from 1.
    pub line: u64,
    /// The column's name, or `header` or `row`.
    pub column: &'static str,
    /// What is wrong there.
    pub reason: String,
}

/// Candles of one series, ascending in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CleanCandles {
    /// Whether the instrument has a volume column.
    pub has_volume: bool,
    /// The candles, with unique times that ascend.
    pub candles: Vec<Candle>,
}

/// Writes candles as clean CSV. The same candles give the same bytes.
///
/// # Errors
/// None that come from the candles; the writer's own, should memory refuse.
pub fn write(series: &Series, clean: &CleanCandles) -> Result<Vec<u8>, csv::Error> {
    let mut writer = WriterBuilder::new().from_writer(Vec::with_capacity(clean.candles.len() * 80 + 80));
    writer.write_record(columns(clean.has_volume))?;
    for candle in &clean.candles {
        writer.write_record(fields(series, candle, clean.has_volume))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn columns(has_volume: bool) -> impl Iterator<Item = &'static str> {
    COLUMNS.into_iter().enumerate().filter(move |(at, _)| has_volume || *at != VOLUME).map(|(_, name)| name)
}

fn fields(series: &Series, candle: &Candle, has_volume: bool) -> impl Iterator<Item = String> {
    let volume = if has_volume { candle.volume } else { None };
    let names =
        [series.symbol.to_string(), series.interval.to_string(), candle.time.display(series.interval).to_string()];
    let prices = [candle.open, candle.high, candle.low, candle.close].map(|price| price.to_string());
    names.into_iter().chain(prices).chain(volume.map(|volume| volume.to_string())).chain([candle.is_filled.to_string()])
}

/// Reads clean CSV of one series, and holds it to everything that clean CSV promises.
///
/// # Errors
/// [`NotClean`], at the first place that breaks a promise: another header, an empty or unreadable cell, another series, a
/// time that does not ascend.
pub fn read(bytes: &[u8], series: &Series) -> Result<CleanCandles, NotClean> {
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = reader.byte_headers().map_err(|error| not_clean(1, "header", error))?;
    let has_volume = has_volume(header)?;
    let mut clean = CleanCandles { has_volume, candles: Vec::new() };
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|error| not_clean(0, "row", error))? {
        let line = record.position().map_or(0, Position::line);
        let candle = RowReader { record: &record, line, has_volume }.candle(series)?;
        if clean.candles.last().is_some_and(|last| last.time >= candle.time) {
            return Err(not_clean(line, "time", "not later than the row before"));
        }
        clean.candles.push(candle);
    }
    Ok(clean)
}

fn has_volume(header: &ByteRecord) -> Result<bool, NotClean> {
    let is = |has_volume| header.iter().eq(columns(has_volume).map(str::as_bytes));
    match (is(true), is(false)) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(not_clean(1, "header", format!("expected {}", COLUMNS.join(",")))),
    }
}

fn not_clean(line: u64, column: &'static str, reason: impl ToString) -> NotClean {
    NotClean { line, column, reason: reason.to_string() }
}

struct RowReader<'a> {
    record: &'a ByteRecord,
    line: u64,
    has_volume: bool,
}

impl RowReader<'_> {
    fn candle(&self, series: &Series) -> Result<Candle, NotClean> {
        if self.record.len() != columns(self.has_volume).count() {
            return Err(self.wrong("row", format!("{} cells", self.record.len())));
        }
        self.same("symbol", 0, series.symbol.as_str())?;
        self.same("interval", 1, series.interval.as_str())?;
        Ok(Candle {
            time: self.time(series)?,
            open: self.decimal("open", 3)?,
            high: self.decimal("high", 4)?,
            low: self.decimal("low", 5)?,
            close: self.decimal("close", 6)?,
            volume: if self.has_volume { Some(self.decimal("volume", VOLUME)?) } else { None },
            is_filled: self.is_filled()?,
        })
    }

    fn wrong(&self, column: &'static str, reason: impl ToString) -> NotClean {
        not_clean(self.line, column, reason)
    }

    fn cell(&self, at: usize) -> &[u8] {
        self.record.get(at).unwrap_or_default()
    }

    fn same(&self, column: &'static str, at: usize, expected: &str) -> Result<(), NotClean> {
        let found = self.cell(at);
        if found == expected.as_bytes() {
            return Ok(());
        }
        Err(self.wrong(column, format!("{:?}, where the key says {expected:?}", String::from_utf8_lossy(found))))
    }

    fn time(&self, series: &Series) -> Result<CandleTime, NotClean> {
        let text = std::str::from_utf8(self.cell(2)).map_err(|error| self.wrong("time", error))?;
        CandleTime::parse(text, series.interval, &TimeZone::UTC).map_err(|error| self.wrong("time", error))
    }

    fn decimal(&self, column: &'static str, at: usize) -> Result<Decimal, NotClean> {
        Decimal::parse(self.cell(at)).map_err(|error| self.wrong(column, error))
    }

    fn is_filled(&self) -> Result<bool, NotClean> {
        match self.cell(if self.has_volume { 8 } else { VOLUME }) {
            b"true" => Ok(true),
            b"false" => Ok(false),
            _ => Err(self.wrong("is_filled", "neither true nor false")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series() -> Series {
        Series { symbol: "AAPL".parse().unwrap(), interval: "1day".parse().unwrap() }
    }

    const CLEAN: &str = "symbol,interval,time,open,high,low,close,volume,is_filled\n\
        AAPL,1day,2024-12-27,257.83,258.7,253.06,255.59,42355300,false\n\
        AAPL,1day,2024-12-30,255.59,255.59,255.59,255.59,0,true\n";

    #[test]
    fn reading_and_writing_gives_the_same_bytes() {
        let candles = read(CLEAN.as_bytes(), &series()).unwrap();
        assert_eq!(candles.candles.len(), 2);
        assert_eq!(String::from_utf8(write(&series(), &candles).unwrap()).unwrap(), CLEAN);
    }

    #[test]
    fn an_instrument_without_volume_has_no_volume_column() {
        let text = CLEAN.replace(",volume", "").replace(",42355300", "").replace(",0,", ",");
        let candles = read(text.as_bytes(), &series()).unwrap();
        assert_eq!((candles.has_volume, candles.candles[0].volume), (false, None));
        assert_eq!(String::from_utf8(write(&series(), &candles).unwrap()).unwrap(), text);
    }

    #[test]
    fn a_broken_promise_is_named_with_line_and_column() {
        for (from, to, expected) in [
            ("is_filled\n", "filled\n", "line 1, column header"),
            ("42355300", "", "line 2, column volume"),
            ("258.7", "high", "line 2, column high"),
            ("AAPL,1day,2024-12-30", "MSFT,1day,2024-12-30", "line 3, column symbol"),
            ("2024-12-30", "2024-12-27", "line 3, column time: not later"),
            ("0,true", "0,yes", "line 3, column is_filled"),
            ("0,true", "0,true,more", "line 3, column row"),
        ] {
            let error = read(CLEAN.replace(from, to).as_bytes(), &series()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
