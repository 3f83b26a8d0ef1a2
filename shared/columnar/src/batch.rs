//! Turns candles into record batches.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Decimal128Array, RecordBatch, TimestampMicrosecondArray};
use arrow_buffer::NullBuffer;
use arrow_schema::ArrowError;
use candlewick_shared::core::candle::Candle;
use candlewick_shared::core::decimal::Decimal;
use candlewick_shared::core::key::Series;
use thiserror::Error;

use crate::names::Names;
use crate::number::{DoesNotFit, unscaled};
use crate::schema::{PRECISION, SCALE, schema};

/// Why candles are not a record batch.
#[derive(Debug, Error)]
pub enum BatchError {
    /// A value has too many digits.
    #[error(transparent)]
    DoesNotFit(#[from] DoesNotFit),
    /// The arrays do not form a batch.
    #[error("build a record batch")]
    Arrow(#[from] ArrowError),
}

/// The columns of candles of one series.
pub(crate) struct Columns {
    times: Vec<i64>,
    prices: [Vec<i128>; 4],
    /// Zero where there is none.
    volumes: Vec<i128>,
    /// Whether there is a volume.
    known: Vec<bool>,
    filled: Vec<bool>,
}

/// Builds a batch of candles of one series.
///
/// # Errors
///
/// Returns [`BatchError::DoesNotFit`] for the first value with too many digits.
pub fn batch(names: &Names, series: &Series, candles: &[Candle]) -> Result<RecordBatch, BatchError> {
    Ok(Columns::of(series, candles)?.finish(names, series)?)
}

impl Columns {
    pub(crate) fn of(series: &Series, candles: &[Candle]) -> Result<Self, DoesNotFit> {
        let mut columns = Self::with_capacity(candles.len());
        for candle in candles {
            columns.push(series, candle)?;
        }
        Ok(columns)
    }

    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self {
            times: Vec::with_capacity(rows),
            prices: [(); 4].map(|()| Vec::with_capacity(rows)),
            volumes: Vec::with_capacity(rows),
            known: Vec::with_capacity(rows),
            filled: Vec::with_capacity(rows),
        }
    }

    fn push(&mut self, series: &Series, candle: &Candle) -> Result<(), DoesNotFit> {
        let does_not_fit = |column, value: String| DoesNotFit::new(column, value, candle.time, series.interval);
        let number = |column, number: Decimal| unscaled(number).ok_or_else(|| does_not_fit(column, number.to_string()));
        let seconds = candle.time.seconds();
        let micros = seconds.checked_mul(1_000_000).ok_or_else(|| does_not_fit("time", seconds.to_string()))?;
        let prices = [("open", candle.open), ("high", candle.high), ("low", candle.low), ("close", candle.close)];
        let mut units = [0; 4];
        for (units, (name, price)) in units.iter_mut().zip(prices) {
            *units = number(name, price)?;
        }
        let volume = candle.volume.map(|volume| number("volume", volume)).transpose()?;
        self.add(micros, units, volume, candle.is_filled);
        Ok(())
    }

    /// Adds a candle: its time in microseconds, and its numbers as [`unscaled`] gives them.
    #[inline]
    pub(crate) fn add(&mut self, micros: i64, prices: [i128; 4], volume: Option<i128>, is_filled: bool) {
        self.times.push(micros);
        self.prices.iter_mut().zip(prices).for_each(|(column, price)| column.push(price));
        self.volumes.push(volume.unwrap_or_default());
        self.known.push(volume.is_some());
        self.filled.push(is_filled);
    }

    pub(crate) fn finish(self, names: &Names, series: &Series) -> Result<RecordBatch, ArrowError> {
        let [symbols, intervals] = names.columns(series, self.times.len())?;
        let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(self.times).with_timezone("UTC"));
        let [open, high, low, close] = self.prices.map(Decimal128Array::from).map(numbers);
        let known = BooleanArray::from(self.known);
        let nulls = NullBuffer::new(known.values().clone());
        let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
        let volumes = numbers(Decimal128Array::new(self.volumes.into(), nulls))?;
        let flags: [ArrayRef; 2] = [Arc::new(known), Arc::new(BooleanArray::from(self.filled))];
        let [known, filled] = flags;
        let columns = vec![symbols, intervals, times, open?, high?, low?, close?, volumes, known, filled];
        RecordBatch::try_new(schema(), columns)
    }
}

fn numbers(array: Decimal128Array) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(array.with_precision_and_scale(PRECISION, SCALE)?))
}
