//! Clean CSV, the format of the objects that the transform writes for the loader and for other readers.

use csv::{ByteRecord, Position, Reader, ReaderBuilder, WriterBuilder};
use jiff::tz::TimeZone;
use thiserror::Error;

use crate::core::candle::{Candle, CandleTime};
use crate::core::decimal::Decimal;
use crate::core::key::Series;

/// The columns of clean CSV, which are the same in every object. If the source has no volume, `has_volume` is `false`
/// and `volume` is `0`.
pub const COLUMNS: [&str; 10] =
    ["symbol", "interval", "time", "open", "high", "low", "close", "volume", "has_volume", "is_filled"];

/// The version of the schema. Version 1 did not have the column `has_volume`.
pub const SCHEMA: u32 = 2;

const VOLUME: usize = 7;
const HAS_VOLUME: usize = 8;
const IS_FILLED: usize = 9;

/// Where and why a text is not clean CSV of a series.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("line {line}, column {column}: {reason}")]
pub struct NotClean {
    /// The line number, starting at 1, or 0 if it is unknown.
    pub line: u64,
    /// The name of the column, or `header` or `row`.
    pub column: &'static str,
    /// What is wrong at that place.
    pub reason: String,
}

/// The content of one transformed object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CleanCandles {
    /// The candles in ascending order of their unique times.
    pub candles: Vec<Candle>,
}

/// Writes candles as clean CSV. The same candles always give the same bytes.
///
/// # Errors
///
/// Returns an error of the CSV writer. No candles cause one.
pub fn write(series: &Series, clean: &CleanCandles) -> Result<Vec<u8>, csv::Error> {
    let mut writer = WriterBuilder::new().from_writer(Vec::with_capacity(clean.candles.len() * 80 + 80));
    writer.write_record(COLUMNS)?;
    for candle in &clean.candles {
        writer.write_record(fields(series, candle))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn fields(series: &Series, candle: &Candle) -> impl Iterator<Item = String> {
    let names =
        [series.symbol.to_string(), series.interval.to_string(), candle.time.display(series.interval).to_string()];
    let prices = [candle.open, candle.high, candle.low, candle.close].map(|price| price.to_string());
    let volume = candle.volume.unwrap_or(Decimal::ZERO).to_string();
    let flags = [candle.volume.is_some(), candle.is_filled].map(|flag| flag.to_string());
    names.into_iter().chain(prices).chain([volume]).chain(flags)
}

/// Reads clean CSV of one series and checks that it keeps every rule of the format.
///
/// # Errors
///
/// Returns [`NotClean`] at the first violation: an unexpected header, an empty or unreadable cell, a row of another
/// series or a time that is not later than the one before.
pub fn read(bytes: &[u8], series: &Series) -> Result<CleanCandles, NotClean> {
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = reader.byte_headers().map_err(|error| not_clean(1, "header", error))?;
    check_header(header)?;
    read_records(reader, series)
}

/// Reads rows of clean CSV of one series without the header: a piece of a longer text that ends with a whole row.
///
/// # Errors
///
/// Returns [`NotClean`] as [`read`] does. Lines are counted from the beginning of the piece.
pub fn read_rows(bytes: &[u8], series: &Series) -> Result<CleanCandles, NotClean> {
    read_records(ReaderBuilder::new().flexible(true).has_headers(false).from_reader(bytes), series)
}

fn read_records(mut reader: Reader<&[u8]>, series: &Series) -> Result<CleanCandles, NotClean> {
    let mut clean = CleanCandles::default();
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|error| not_clean(0, "row", error))? {
        let line = record.position().map_or(0, Position::line);
        let candle = RowReader { record: &record, line }.candle(series)?;
        if clean.candles.last().is_some_and(|last| last.time >= candle.time) {
            return Err(not_clean(line, "time", "not later than the previous row"));
        }
        clean.candles.push(candle);
    }
    Ok(clean)
}

fn check_header(header: &ByteRecord) -> Result<(), NotClean> {
    if header.iter().eq(COLUMNS.map(str::as_bytes)) {
        return Ok(());
    }
    let is_old = header.iter().eq(COLUMNS.into_iter().filter(|name| *name != "has_volume").map(str::as_bytes));
    let hint = if is_old { ": written by an earlier version; run `candlewick replay raw/`" } else { "" };
    Err(not_clean(1, "header", format!("expected {}{hint}", COLUMNS.join(","))))
}

fn not_clean(line: u64, column: &'static str, reason: impl ToString) -> NotClean {
    NotClean { line, column, reason: reason.to_string() }
}

struct RowReader<'a> {
    record: &'a ByteRecord,
    line: u64,
}

impl RowReader<'_> {
    fn candle(&self, series: &Series) -> Result<Candle, NotClean> {
        if self.record.len() != COLUMNS.len() {
            return Err(self.wrong("row", format!("has {} cells, expected {}", self.record.len(), COLUMNS.len())));
        }
        self.same("symbol", 0, series.symbol.as_str())?;
        self.same("interval", 1, series.interval.as_str())?;
        Ok(Candle {
            time: self.time(series)?,
            open: self.decimal("open", 3)?,
            high: self.decimal("high", 4)?,
            low: self.decimal("low", 5)?,
            close: self.decimal("close", 6)?,
            volume: self.volume()?,
            is_filled: self.flag("is_filled", IS_FILLED)?,
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
        Err(self.wrong(column, format!("{:?}, but the key says {expected:?}", String::from_utf8_lossy(found))))
    }

    fn time(&self, series: &Series) -> Result<CandleTime, NotClean> {
        let text = std::str::from_utf8(self.cell(2)).map_err(|error| self.wrong("time", error))?;
        CandleTime::parse(text, series.interval, &TimeZone::UTC).map_err(|error| self.wrong("time", error))
    }

    fn decimal(&self, column: &'static str, at: usize) -> Result<Decimal, NotClean> {
        Decimal::parse(self.cell(at)).map_err(|error| self.wrong(column, error))
    }

    fn volume(&self) -> Result<Option<Decimal>, NotClean> {
        let volume = self.decimal("volume", VOLUME)?;
        match self.flag("has_volume", HAS_VOLUME)? {
            true => Ok(Some(volume)),
            false if volume == Decimal::ZERO => Ok(None),
            false => Err(self.wrong("volume", "not 0, but has_volume is false")),
        }
    }

    fn flag(&self, column: &'static str, at: usize) -> Result<bool, NotClean> {
        match self.cell(at) {
            b"true" => Ok(true),
            b"false" => Ok(false),
            _ => Err(self.wrong(column, "neither true nor false")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series() -> Series {
        Series { symbol: "AAPL".parse().unwrap(), interval: "1day".parse().unwrap() }
    }

    const CLEAN: &str = "symbol,interval,time,open,high,low,close,volume,has_volume,is_filled\n\
        AAPL,1day,2024-12-27,257.83,258.7,253.06,255.59,42355300,true,false\n\
        AAPL,1day,2024-12-30,255.59,255.59,255.59,255.59,0,true,true\n\
        AAPL,1day,2024-12-31,255.6,255.6,255.6,255.6,0,false,false\n";

    #[test]
    fn reading_and_writing_gives_the_same_bytes() {
        let candles = read(CLEAN.as_bytes(), &series()).unwrap();
        let volumes: Vec<_> =
            candles.candles.iter().map(|candle| candle.volume.map(|volume| volume.to_string())).collect();
        assert_eq!(volumes, [Some("42355300".to_owned()), Some("0".to_owned()), None]);
        assert_eq!(String::from_utf8(write(&series(), &candles).unwrap()).unwrap(), CLEAN);
    }

    #[test]
    fn a_piece_without_the_header_is_read_as_its_rows() {
        let (_, rows) = CLEAN.split_once('\n').unwrap();
        assert_eq!(read_rows(rows.as_bytes(), &series()), read(CLEAN.as_bytes(), &series()));
        assert_eq!(read_rows(CLEAN.as_bytes(), &series()).unwrap_err().line, 1);
    }

    #[test]
    fn an_object_of_an_earlier_version_is_refused_with_what_to_do() {
        let text = CLEAN.replace(",has_volume", "");
        let error = read(text.as_bytes(), &series()).unwrap_err().to_string();
        assert!(error.contains("candlewick replay raw/"), "{error}");
    }

    #[test]
    fn a_broken_promise_is_named_with_line_and_column() {
        for (from, to, expected) in [
            ("is_filled\n", "filled\n", "line 1, column header"),
            ("42355300", "", "line 2, column volume"),
            ("258.7", "high", "line 2, column high"),
            ("AAPL,1day,2024-12-30", "MSFT,1day,2024-12-30", "line 3, column symbol"),
            ("2024-12-30", "2024-12-27", "line 3, column time: not later"),
            ("true,true", "true,yes", "line 3, column is_filled"),
            ("true,true", "1,true", "line 3, column has_volume"),
            ("true,true", "true,true,more", "line 3, column row"),
            ("0,false,false", "7,false,false", "line 4, column volume: not 0"),
        ] {
            let error = read(CLEAN.replace(from, to).as_bytes(), &series()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
