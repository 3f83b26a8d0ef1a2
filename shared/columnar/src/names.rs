//! Symbols and intervals as dictionary columns.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow_schema::ArrowError;
use candlewick_shared::core::key::Series;

/// The dictionaries of a file: all of its symbols and intervals. They are known before the first batch, because an
/// Arrow file has one dictionary for all of its batches.
#[derive(Clone, Debug)]
pub struct Names {
    symbols: Dictionary,
    intervals: Dictionary,
}

#[derive(Clone, Debug)]
struct Dictionary {
    values: Arc<StringArray>,
}

impl Names {
    /// Collects the names of the series of a file.
    #[must_use]
    pub fn of(series: &[Series]) -> Self {
        let symbols = series.iter().map(|series| series.symbol.as_str());
        let intervals = series.iter().map(|series| series.interval.as_str());
        Self { symbols: Dictionary::of(symbols), intervals: Dictionary::of(intervals) }
    }

    /// The columns symbol and interval of that many candles of a series.
    pub(crate) fn columns(&self, series: &Series, rows: usize) -> Result<[ArrayRef; 2], ArrowError> {
        let symbol = self.symbols.column(series.symbol.as_str(), rows)?;
        Ok([symbol, self.intervals.column(series.interval.as_str(), rows)?])
    }
}

impl Dictionary {
    fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut names: Vec<&str> = names.collect();
        names.sort_unstable();
        names.dedup();
        Self { values: Arc::new(StringArray::from(names)) }
    }

    fn column(&self, name: &str, rows: usize) -> Result<ArrayRef, ArrowError> {
        let found = self.values.iter().position(|value| value == Some(name));
        let key = found.and_then(|at| i32::try_from(at).ok());
        let key = key.ok_or_else(|| ArrowError::InvalidArgumentError(format!("{name} is no name of this file")))?;
        let keys = Int32Array::from_value(key, rows);
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::clone(&self.values) as ArrayRef)?))
    }
}
