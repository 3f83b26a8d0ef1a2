//! Candles as CSV rows, sent in parts.

use anyhow::Context;
use axum::body::Bytes;
use candlewick_shared::core::interval::Interval;
use futures::{Stream, stream};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::json_columns::push_number;
use crate::indicators::Indicators;
use crate::problem::Problem;
use crate::query::fields::{Field, Fields};
use crate::read::candles::reading::Reading;
use crate::read::candles::rows;

/// Converts the candles of a reading to CSV rows.
pub(super) struct CsvRows {
    reading: Reading,
    interval: Interval,
    fields: Fields,
    header: Vec<String>,
}

impl CsvRows {
    pub(super) fn new(reading: Reading, interval: Interval, fields: Fields, indicators: &Indicators) -> Self {
        let names = fields.iter().map(|field| field.name().to_owned());
        let header = names.chain(indicators.iter().flat_map(|each| each.columns())).collect();
        Self { reading, interval, fields, header }
    }

    /// Reads the first part and returns the stream of all parts. If a later part cannot be read, the stream is aborted,
    /// so that no client takes the truncated file for a complete one.
    pub(super) async fn begin(mut self) -> Result<impl Stream<Item = anyhow::Result<Bytes>> + Send + use<>, Problem> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.header).map_err(|error| Problem::unavailable(format!("write CSV: {error}")))?;
        let header = writer.into_inner().map_err(|error| Problem::unavailable(format!("write CSV: {error}")))?;
        let first = self.next().await.map_err(|error| match error.downcast::<Problem>() {
            Ok(problem) => problem,
            Err(error) => Problem::unavailable(format!("write CSV: {error:#}")),
        })?;
        let begun = stream::iter([Ok(Bytes::from(header)), Ok(first.unwrap_or_default())]);
        let rest = stream::try_unfold(self, |mut rows| async move { Ok(rows.next().await?.map(|part| (part, rows))) });
        Ok(futures::StreamExt::chain(begun, rest))
    }

    async fn next(&mut self) -> anyhow::Result<Option<Bytes>> {
        let _turn = self.reading.turn().await;
        let Some(part) = self.reading.next().await? else { return Ok(None) };
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut values = Vec::new();
        for rows in part.chunks(rows::AT_A_TIME) {
            for row in rows {
                self.write(&mut writer, row, &mut values)?;
            }
            tokio::task::yield_now().await;
        }
        Ok(Some(writer.into_inner().context("write CSV")?.into()))
    }

    fn write(
        &mut self,
        writer: &mut csv::Writer<Vec<u8>>,
        row: &PgRow,
        values: &mut Vec<Option<f64>>,
    ) -> anyhow::Result<()> {
        let candle = self.reading.candle(row, values)?;
        for field in self.fields.iter() {
            write_field(writer, field, candle.row, candle.time, self.interval)?;
        }
        for value in candle.values {
            writer.write_field(value.map(number).unwrap_or_default())?;
        }
        Ok(writer.write_record(None::<&[u8]>)?)
    }
}

fn number(value: f64) -> String {
    let mut text = String::new();
    push_number(&mut text, value);
    text
}

/// Writes a cell, which is empty for an absent volume.
fn write_field(
    writer: &mut csv::Writer<Vec<u8>>,
    field: Field,
    row: &PgRow,
    time: i64,
    interval: Interval,
) -> anyhow::Result<()> {
    let text = match field {
        Field::Time => return Ok(writer.write_field(rows::text(time, interval))?),
        Field::IsFilled => {
            return Ok(writer.write_field(if row.try_get(field as usize)? { "true" } else { "false" })?);
        }
        _ => row.try_get::<Option<&str>, _>(field as usize)?,
    };
    Ok(writer.write_field(text.unwrap_or_default())?)
}
