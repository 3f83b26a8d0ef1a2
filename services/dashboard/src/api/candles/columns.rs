//! Candles in columns: Parquet and Arrow streams, sent in parts.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use arrow_schema::{DataType, Field as Column, Schema, SchemaRef};
use axum::body::Bytes;
use candlewick_columnar::batch::{BatchError, batch};
use candlewick_columnar::encode::{Encoder, Form};
use candlewick_columnar::names::Names;
use candlewick_columnar::schema::schema;
use candlewick_shared::core::candle::{Candle, CandleTime};
use candlewick_shared::core::decimal::Decimal;
use candlewick_shared::core::key::Series;
use futures::{Stream, StreamExt, stream};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::indicators::Indicators;
use crate::problem::Problem;
use crate::query::fields::{Field, Fields};
use crate::read::candles::reading::Reading;
use crate::read::candles::rows::AT_A_TIME;

/// The candles of several series, one series after the other, in one encoding.
pub(super) struct Columns {
    readings: VecDeque<(Series, Reading)>,
    names: Names,
    /// The positions of the wanted columns in the schema of candles.
    places: Vec<usize>,
    /// The schema with the wanted columns and those of the indicators.
    schema: SchemaRef,
    encoder: Option<Encoder>,
}

impl Columns {
    pub(super) fn new(
        form: Form,
        readings: Vec<(Series, Reading)>,
        fields: &Fields,
        indicators: &Indicators,
    ) -> Result<Self, Problem> {
        let series: Vec<_> = readings.iter().map(|(series, _)| series.clone()).collect();
        let places = places(fields);
        let candles = schema().fields().clone();
        let own = places.iter().map(|place| Arc::clone(&candles[*place]));
        let more = indicators.iter().flat_map(|each| each.columns());
        let more = more.map(|name| Arc::new(Column::new(name, DataType::Float64, true)));
        let schema = Arc::new(Schema::new(own.chain(more).collect::<Vec<_>>()));
        let encoder = Encoder::new(form, &schema, &[]).map_err(failed)?;
        Ok(Self { readings: readings.into(), names: Names::of(&series), places, schema, encoder: Some(encoder) })
    }

    /// Reads the first part and returns the stream of all parts. If a later part cannot be read, the stream is aborted,
    /// so that no client takes the truncated file for a complete one.
    pub(super) async fn begin(mut self) -> Result<impl Stream<Item = Result<Bytes, Problem>> + Send + use<>, Problem> {
        let first = self.next().await?;
        let rest =
            stream::try_unfold(
                self,
                |mut columns| async move { Ok(columns.next().await?.map(|part| (part, columns))) },
            );
        Ok(stream::iter([Ok(first.unwrap_or_default())]).chain(rest))
    }

    /// The next bytes, which may be none; `None` after the last.
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        while let Some((series, reading)) = self.readings.front_mut() {
            let _turn = reading.turn().await;
            let Some(rows) = reading.next().await? else {
                self.readings.pop_front();
                continue;
            };
            let batch = part(&self.names, series, reading, &rows, &self.places, &self.schema).await?;
            let Some(encoder) = &mut self.encoder else { return Ok(None) };
            return encoder.push(&batch).map(|bytes| Some(bytes.into())).map_err(failed);
        }
        let Some(encoder) = self.encoder.take() else { return Ok(None) };
        encoder.finish().map(|bytes| Some(bytes.into())).map_err(failed)
    }
}

/// Symbol, interval, and the fields in the order of the schema. The volume brings `has_volume` with it.
fn places(fields: &Fields) -> Vec<usize> {
    let is_wanted = |name: &str| match name {
        "symbol" | "interval" => true,
        "has_volume" => fields.place(Field::Volume).is_some(),
        _ => fields.iter().any(|field| field.name() == name),
    };
    let schema = schema();
    let wanted = schema.fields().iter().enumerate().filter(|(_, column)| is_wanted(column.name()));
    wanted.map(|(place, _)| place).collect()
}

async fn part(
    names: &Names,
    series: &Series,
    reading: &mut Reading,
    rows: &[PgRow],
    places: &[usize],
    schema: &SchemaRef,
) -> Result<RecordBatch, Problem> {
    let mut candles = Vec::with_capacity(rows.len());
    let mut more = vec![Vec::with_capacity(rows.len()); schema.fields().len() - places.len()];
    let mut values = Vec::new();
    for rows in rows.chunks(AT_A_TIME) {
        for row in rows {
            let found = reading.candle(row, &mut values)?;
            candles.push(candle(found.row, found.time)?);
            more.iter_mut().zip(found.values).for_each(|(column, value)| column.push(*value));
        }
        tokio::task::yield_now().await;
    }
    let own = batch(names, series, &candles).map_err(too_long)?;
    let own = places.iter().map(|place| Arc::clone(own.column(*place)));
    let more = more.into_iter().map(|column| Arc::new(Float64Array::from(column)) as ArrayRef);
    RecordBatch::try_new(Arc::clone(schema), own.chain(more).collect()).map_err(failed)
}

/// The candle in a row. A column that was not read is zero, and is not sent.
fn candle(row: &PgRow, time: i64) -> Result<Candle, Problem> {
    let number = |field: Field| {
        let text = row.try_get::<Option<&str>, _>(field as usize)?;
        text.map(str::parse::<Decimal>).transpose().map_err(failed)
    };
    let price = |field| Ok::<_, Problem>(number(field)?.unwrap_or(Decimal::ZERO));
    Ok(Candle {
        time: CandleTime::from_seconds(time),
        open: price(Field::Open)?,
        high: price(Field::High)?,
        low: price(Field::Low)?,
        close: price(Field::Close)?,
        volume: number(Field::Volume)?,
        is_filled: row.try_get::<Option<bool>, _>(Field::IsFilled as usize)?.unwrap_or(false),
    })
}

fn too_long(error: BatchError) -> Problem {
    match error {
        BatchError::DoesNotFit(value) => Problem::bad_request(format!("{value}; ask for candles.csv")),
        BatchError::Arrow(error) => failed(error),
    }
}

fn failed(error: impl std::error::Error) -> Problem {
    Problem::unavailable(format!("write columns: {error}"))
}
