//! Reads the newest values of variables.

use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use serde::Serialize;
use sqlx::Row;
use sqlx::postgres::PgRow;
use utoipa::ToSchema;

use crate::app::App;
use crate::dashboards::span::Span;
use crate::dashboards::variable::{Column, NUMBERS, Variable};
use crate::figures;
use crate::indicators::Indicators;
use crate::problem::Problem;
use crate::query::candles::{Moment, Range, Take};
use crate::query::fields::{Field, Fields};
use crate::read::candles::reading::Reading;
use crate::read::candles::{rows, source};

/// A value: an exact decimal as text, or a computed number.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Value {
    Exact(String),
    Computed(f64),
}

impl Value {
    /// The value for people.
    pub fn shown(&self, column: &str) -> String {
        match self {
            Self::Exact(text) if column == Field::Volume.name() => figures::decimal(text, 0),
            Self::Exact(text) => figures::price(text),
            Self::Computed(number) => figures::rounded(*number),
        }
    }

    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Exact(text) => text.parse().ok(),
            Self::Computed(number) => Some(*number),
        }
    }
}

/// The values of a variable at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct At {
    /// Seconds since 1970.
    pub seconds: i64,
    pub values: Vec<Option<Value>>,
}

/// The newest values of a variable, in ascending order of their times.
#[derive(Clone, Debug, PartialEq)]
pub struct Newest {
    pub interval: Interval,
    /// The names of the columns: one for a field, three for some indicators, and five for whole candles.
    pub columns: Vec<String>,
    pub rows: Vec<At>,
}

impl Newest {
    /// A time in the format of the API.
    pub fn time(&self, at: &At) -> String {
        rows::text(at.seconds, self.interval)
    }
}

/// The newest values within a span, at most `most`; `None` if the store has no such series.
pub async fn within(app: &App, variable: &Variable, span: Span, most: usize) -> Result<Option<Newest>, Problem> {
    let last = newest(app, &Variable { series: variable.series.clone(), column: None }, 1).await?;
    let Some(last) = last.as_ref().and_then(|last| last.rows.first()) else { return Ok(None) };
    let first = CandleTime::from_seconds(last.seconds).date().and_then(|date| span.first(date));
    read(app, variable, Range::between(first.map(Moment::Day), None), most).await
}

/// The newest values, at most `most`; `None` if the store has no such series.
pub async fn newest(app: &App, variable: &Variable, most: usize) -> Result<Option<Newest>, Problem> {
    read(app, variable, Range::ALWAYS, most).await
}

async fn read(app: &App, variable: &Variable, range: Range, most: usize) -> Result<Option<Newest>, Problem> {
    let fields = fields(variable);
    let indicators = indicators(variable)?;
    let source = match source::find(&app.pool, &variable.series).await {
        Err(problem) if problem.status == 404 => return Ok(None),
        source => source?,
    };
    let columns = columns(&fields, &indicators);
    let asked: Fields = fields.iter().copied().collect();
    let mut reading = Reading::new(app, source, range, Take::Last(most), &asked, indicators).await?;
    let mut found = Vec::new();
    let mut values = Vec::new();
    loop {
        let _turn = reading.turn().await;
        let Some(part) = reading.next().await? else { break };
        for rows in part.chunks(rows::AT_A_TIME) {
            for row in rows {
                let candle = reading.candle(row, &mut values)?;
                found.push(At { seconds: candle.time, values: cells(row, &fields, candle.values)? });
            }
            tokio::task::yield_now().await;
        }
    }
    Ok(Some(Newest { interval: variable.series.interval, columns, rows: found }))
}

fn cells(row: &PgRow, fields: &[Field], computed: &[Option<f64>]) -> sqlx::Result<Vec<Option<Value>>> {
    let exact = fields.iter().map(|field| Ok(row.try_get::<Option<String>, _>(*field as usize)?.map(Value::Exact)));
    let computed = computed.iter().map(|value| Ok(value.map(Value::Computed)));
    exact.chain(computed).collect()
}

fn fields(variable: &Variable) -> Vec<Field> {
    match variable.column {
        None => NUMBERS.to_vec(),
        Some(Column::Field(field)) => vec![field],
        Some(Column::Indicator(_)) => Vec::new(),
    }
}

fn indicators(variable: &Variable) -> Result<Indicators, Problem> {
    match variable.column {
        Some(Column::Indicator(indicator)) => indicator.to_string().try_into().map_err(Problem::bad_request),
        _ => Ok(Indicators::default()),
    }
}

fn columns(fields: &[Field], indicators: &Indicators) -> Vec<String> {
    let fields = fields.iter().map(|field| field.name().to_owned());
    fields.chain(indicators.iter().flat_map(|indicator| indicator.columns())).collect()
}

/// A line of a chart: the values of a variable, in ascending order of their times.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Line {
    /// The variable as the document has it.
    #[schema(example = "AAPL 1day close")]
    pub variable: String,
    /// The symbol of the instrument.
    pub symbol: String,
    /// The interval of the candles.
    pub interval: String,
    /// Whether it is shorter than a day.
    pub is_intraday: bool,
    /// The time zone of the market.
    pub timezone: String,
    /// Whether the store has no such series.
    pub is_missing: bool,
    /// The names of the columns.
    #[schema(example = json!(["close"]))]
    pub columns: Vec<String>,
    /// Dates, or instants for intraday candles.
    pub time: Vec<String>,
    /// The values of each column.
    pub values: Vec<Vec<Option<Value>>>,
}

impl Line {
    /// The values of a variable as a line.
    pub fn of(variable: &Variable, timezone: Option<String>, newest: Option<Newest>) -> Self {
        let Series { symbol, interval } = &variable.series;
        let (columns, rows) = newest.as_ref().map_or((&[][..], &[][..]), |found| (&found.columns, &found.rows));
        let column = |at: usize| rows.iter().map(|row| row.values.get(at).cloned().flatten()).collect();
        Self {
            variable: variable.to_string(),
            symbol: symbol.to_string(),
            interval: interval.to_string(),
            is_intraday: interval.is_intraday(),
            timezone: timezone.unwrap_or_else(|| "UTC".to_owned()),
            is_missing: newest.is_none(),
            columns: columns.to_vec(),
            time: rows.iter().map(|row| rows::text(row.seconds, *interval)).collect(),
            values: (0..columns.len()).map(column).collect(),
        }
    }
}
