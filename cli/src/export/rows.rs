//! Reads the rows of a series from the database, as lines of clean CSV.

use anyhow::Context;
use bytes::Bytes;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use futures::stream::BoxStream;
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::PgConnection;

/// The first and the last day of an export, in UTC and inclusive.
pub struct Range {
    pub from: Option<Date>,
    pub to: Option<Date>,
    /// The past moment whose candles are exported.
    pub as_of: Option<Timestamp>,
}

/// Begins to read the rows of a series. The connection is in a transaction.
pub async fn read<'a>(
    database: &'a mut PgConnection,
    series: &Series,
    range: &Range,
) -> anyhow::Result<BoxStream<'a, sqlx::Result<Bytes>>> {
    set_bounds(database, series, range).await.context("set what to export")?;
    database.copy_out_raw(&copy(series.interval, view(range))).await.context("start reading candles")
}

/// `copy` takes no parameters, so they are passed as settings of the transaction instead of becoming part of the SQL.
async fn set_bounds(database: &mut PgConnection, series: &Series, range: &Range) -> sqlx::Result<()> {
    let date = |date: Option<Date>, open: &str| date.map_or_else(|| open.to_owned(), |date| date.to_string());
    let settings = [
        ("candlewick.symbol", series.symbol.to_string()),
        ("candlewick.interval", series.interval.to_string()),
        ("candlewick.from", date(range.from, "-infinity")),
        ("candlewick.to", date(range.to, "infinity")),
        ("candlewick.as_of", range.as_of.map(|moment| moment.to_string()).unwrap_or_default()),
    ];
    for (name, value) in settings {
        let query = sqlx::query("select set_config($1, $2, true)").bind(name).bind(value);
        query.execute(&mut *database).await?;
    }
    Ok(())
}

fn view(range: &Range) -> &'static str {
    if range.as_of.is_some() { "bi_candles_as_of" } else { "bi_candles" }
}

fn copy(interval: Interval, view: &str) -> String {
    let form = if interval.is_intraday() { r#"YYYY-MM-DD"T"HH24:MI:SS"Z""# } else { "YYYY-MM-DD" };
    format!(
        "copy (select symbol, interval, to_char(time at time zone 'UTC', '{form}') as time, open, high, low, close,
            coalesce(volume, 0) as volume, (volume is not null)::text as has_volume, is_filled::text
        from {view} c
        where symbol = current_setting('candlewick.symbol') and interval = current_setting('candlewick.interval')
            and time >= current_setting('candlewick.from')::timestamp at time zone 'UTC'
            and time < (current_setting('candlewick.to')::date + 1)::timestamp at time zone 'UTC'
        order by c.time) to stdout (format csv)"
    )
}
