//! Turns candles into record batches.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Decimal128Array, RecordBatch, TimestampMicrosecondArray};
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
struct Columns {
    times: Vec<i64>,
    prices: [Vec<i128>; 4],
    volumes: Vec<Option<i128>>,
    filled: Vec<bool>,
}

/// Builds a batch of candles of one series.
///
/// # Errors
///
/// Returns [`BatchError::DoesNotFit`] for the first value with too many digits.
pub fn batch(names: &Names, series: &Series, candles: &[Candle]) -> Result<RecordBatch, BatchError> {
    let mut columns = Columns::with_capacity(candles.len());
    for candle in candles {
        columns.push(series, candle)?;
    }
    Ok(columns.finish(names, series)?)
}

impl Columns {
    fn with_capacity(rows: usize) -> Self {
        Self {
            times: Vec::with_capacity(rows),
            prices: [(); 4].map(|()| Vec::with_capacity(rows)),
            volumes: Vec::with_capacity(rows),
            filled: Vec::with_capacity(rows),
        }
    }

    fn push(&mut self, series: &Series, candle: &Candle) -> Result<(), DoesNotFit> {
        let does_not_fit = |column, value: String| DoesNotFit::new(column, value, candle.time, series.interval);
        let number = |column, number: Decimal| unscaled(number).ok_or_else(|| does_not_fit(column, number.to_string()));
        let seconds = candle.time.seconds();
        let micros = seconds.checked_mul(1_000_000).ok_or_else(|| does_not_fit("time", seconds.to_string()))?;
        let prices = [("open", candle.open), ("high", candle.high), ("low", candle.low), ("close", candle.close)];
        for (column, (name, price)) in self.prices.iter_mut().zip(prices) {
            column.push(number(name, price)?);
        }
        self.volumes.push(candle.volume.map(|volume| number("volume", volume)).transpose()?);
        self.times.push(micros);
        self.filled.push(candle.is_filled);
        Ok(())
    }

    fn finish(self, names: &Names, series: &Series) -> Result<RecordBatch, ArrowError> {
        let [symbols, intervals] = names.columns(series, self.times.len())?;
        let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(self.times).with_timezone("UTC"));
        let [open, high, low, close] = self.prices.map(Decimal128Array::from).map(numbers);
        let known = self.volumes.iter().map(|volume| Some(volume.is_some())).collect::<BooleanArray>();
        let volumes = numbers(Decimal128Array::from(self.volumes))?;
        let flags: [ArrayRef; 2] = [Arc::new(known), Arc::new(BooleanArray::from(self.filled))];
        let [known, filled] = flags;
        let columns = vec![symbols, intervals, times, open?, high?, low?, close?, volumes, known, filled];
        RecordBatch::try_new(schema(), columns)
    }
}

fn numbers(array: Decimal128Array) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(array.with_precision_and_scale(PRECISION, SCALE)?))
}
