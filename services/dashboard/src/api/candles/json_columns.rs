//! Candles as JSON columns, written as they are read: only the text of a candle is kept in memory.

use std::fmt::Write;

use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use serde_json::json;
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::indicators::Indicators;
use crate::query::fields::{Field, Fields};
use crate::read::candles::rows;
use crate::read::candles::source::Source;

/// The columns so far, as JSON text.
pub(super) struct JsonColumns {
    head: String,
    interval: Interval,
    columns: Vec<(Field, String)>,
    indicators: Vec<(String, String)>,
    count: usize,
    first: i64,
    last: i64,
}

impl JsonColumns {
    pub(super) fn new(source: &Source, fields: &Fields, indicators: &Indicators) -> Self {
        let series = &source.series;
        let mut head = format!("{{\"symbol\":{},\"interval\":\"{}\"", json!(series.symbol.as_str()), series.interval);
        if source.is_derived() {
            let _ = write!(head, ",\"derived_from\":\"{}\"", source.stored);
        }
        Self {
            head,
            interval: series.interval,
            columns: fields.iter().map(|field| (field, String::new())).collect(),
            indicators: indicators.iter().flat_map(|each| each.columns()).map(|name| (name, String::new())).collect(),
            count: 0,
            first: 0,
            last: 0,
        }
    }

    pub(super) fn push(&mut self, row: &PgRow, time: i64, values: &[Option<f64>]) -> sqlx::Result<()> {
        for (field, column) in &mut self.columns {
            push_field(column, *field, row, time, self.interval, self.count)?;
        }
        for ((_, column), value) in self.indicators.iter_mut().zip(values) {
            comma(column);
            match value {
                Some(value) => push_number(column, *value),
                None => column.push_str("null"),
            }
        }
        if self.count == 0 {
            self.first = time;
        }
        self.last = time;
        self.count += 1;
        Ok(())
    }

    /// The complete document for candles that were taken from one end of a range, which may have more.
    pub(super) fn finish(self, is_from_end: bool, is_more: bool) -> String {
        let edge = |is_there: bool, time: i64| is_there.then(|| rows::text(time, self.interval));
        let next = json!(edge(is_more && !is_from_end && self.count > 0, self.last));
        let mut tail = format!("\"merged\":1,\"in_range\":null,\"next\":{next}");
        if is_from_end {
            let _ = write!(tail, ",\"previous\":{}", json!(edge(is_more && self.count > 0, self.first)));
        }
        self.put_together(&tail)
    }

    /// The complete document for merged candles.
    pub(super) fn finish_merged(self, merged: i64, in_range: i64) -> String {
        self.put_together(&format!("\"merged\":{merged},\"in_range\":{in_range},\"next\":null"))
    }

    fn put_together(self, tail: &str) -> String {
        let mut all = self.head;
        for (field, column) in &self.columns {
            let name = if *field == Field::IsFilled { "filled" } else { field.name() };
            let _ = write!(all, ",\"{name}\":[{column}]");
        }
        if !self.indicators.is_empty() {
            let columns = self.indicators.iter().map(|(name, column)| format!("\"{name}\":[{column}]"));
            let _ = write!(all, ",\"indicators\":{{{}}}", columns.collect::<Vec<_>>().join(","));
        }
        let _ = write!(all, ",{tail}}}");
        all
    }
}

fn comma(column: &mut String) {
    if !column.is_empty() {
        column.push(',');
    }
}

fn push_field(
    column: &mut String,
    field: Field,
    row: &PgRow,
    time: i64,
    interval: Interval,
    place: usize,
) -> sqlx::Result<()> {
    if field == Field::IsFilled {
        if row.try_get::<bool, _>(field as usize)? {
            comma(column);
            let _ = write!(column, "{place}");
        }
        return Ok(());
    }
    comma(column);
    if field == Field::Time {
        let _ = write!(column, "\"{}\"", CandleTime::from_seconds(time).display(interval));
        return Ok(());
    }
    // The text of a decimal has no characters that JSON would escape.
    match row.try_get::<Option<&str>, _>(field as usize)? {
        Some(text) => column.extend(["\"", text, "\""]),
        None => column.push_str("null"),
    }
    Ok(())
}

/// Writes twelve significant digits: later digits are rounding errors of the floats.
pub(super) fn push_number(text: &mut String, value: f64) {
    let rounded: f64 = format!("{value:.11e}").parse().unwrap_or(value);
    let _ = write!(text, "{rounded}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_twelve_digits_and_no_exponent() {
        let written = |value: f64| {
            let mut text = String::new();
            push_number(&mut text, value);
            text
        };
        assert_eq!(written(1.0 / 3.0), "0.333333333333");
        assert_eq!(written(0.1 + 0.2), "0.3");
        assert_eq!(written(1.23e-7), "0.000000123");
        assert_eq!(written(98_626_643.25), "98626643.25");
    }
}
