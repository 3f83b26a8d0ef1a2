//! Reads the objects ledger: the state of each object, and how it was cleaned.

use candlewick_shared::core::key::{ObjectPath, Series, TransformedKey};
use candlewick_shared::core::report::Report;
use candlewick_shared::ports::store::ObjectStore;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::query::page::{Page, Paged};

/// A transformed object of the objects ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LedgerObject {
    pub id: i64,
    pub key: String,
    /// The symbol of the instrument.
    pub symbol: String,
    /// The interval of the candles.
    pub interval: String,
    /// The entity tag of the loaded version.
    pub etag: Option<String>,
    /// The id of the loaded version, if the bucket is versioned.
    pub version_id: Option<String>,
    /// The key of the raw object from which it was made.
    pub raw_key: Option<String>,
    /// The entity tag of the raw object.
    pub raw_etag: Option<String>,
    /// When the raw object was written.
    #[schema(value_type = Option<String>)]
    pub raw_written: Option<Timestamp>,
    /// The run that fetched it.
    pub run: Option<String>,
    /// The trace in which it was fetched.
    pub trace_id: Option<String>,
    /// When the data was fetched from the source.
    #[schema(value_type = Option<String>)]
    pub fetched_at: Option<Timestamp>,
    /// When it was cleaned.
    #[schema(value_type = Option<String>)]
    pub transformed_at: Option<Timestamp>,
    /// When it was loaded.
    #[schema(value_type = Option<String>)]
    pub loaded_at: Option<Timestamp>,
    /// The number of candles in the object.
    pub rows_total: i64,
    /// The number of candles that the load added.
    pub rows_inserted: i64,
    /// The number of candles that the load changed.
    pub rows_updated: i64,
    /// The number of candles that the load left unchanged.
    pub rows_unchanged: i64,
    /// The number of candles of the previous version that the load removed.
    pub rows_removed: i64,
    /// The number of rows that cleaning quarantined.
    pub quarantined: Option<i64>,
    /// The number of candles that cleaning filled in.
    pub filled: Option<i64>,
    /// Why the newest version could not be loaded.
    pub error: Option<String>,
    /// The line of the error.
    pub error_line: Option<i64>,
    /// The column of the error.
    pub error_column: Option<String>,
}

/// The columns that [`object`] reads from `objects o left join quality q`.
pub(super) const COLUMNS: &str = "o.id, o.key, o.symbol, o.interval, o.etag, o.version_id, o.raw_key, o.raw_etag, o.run, o.trace_id,
    extract(epoch from o.raw_written)::float8 as raw_written, extract(epoch from o.fetched_at)::float8 as fetched_at,
    extract(epoch from o.transformed_at)::float8 as transformed_at, extract(epoch from o.loaded_at)::float8 as loaded_at,
    o.rows_total, o.rows_inserted, o.rows_updated, o.rows_unchanged, o.rows_removed, q.quarantined, q.filled,
    o.error, o.error_line, o.error_column";

const FROM: &str = "from objects o left join quality q on q.object_id = o.id";

/// A page of the objects ledger, newest ids first, optionally of one series.
pub async fn page(pool: &PgPool, series: Option<&Series>, paged: &Paged) -> sqlx::Result<Page<LedgerObject>> {
    let query = format!(
        "select {COLUMNS} {FROM}
         where ($1::text is null or (o.symbol = $1 and o.interval = $2)) and ($3::bigint is null or o.id < $3)
         order by o.id desc limit $4"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(series.map(|series| series.symbol.as_str()))
        .bind(series.map(|series| series.interval.as_str()))
        .bind(paged.after)
        .bind(i64::from(paged.limit()) + 1);
    let rows = query.fetch_all(pool).await?;
    Ok(Page::of(rows.iter().map(object).collect::<sqlx::Result<_>>()?, paged, |object: &LedgerObject| object.id))
}

pub async fn one(pool: &PgPool, id: i64) -> sqlx::Result<Option<LedgerObject>> {
    let query = format!("select {COLUMNS} {FROM} where o.id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(query)).bind(id).fetch_optional(pool).await?;
    row.as_ref().map(object).transpose()
}

pub(super) fn object(row: &PgRow) -> sqlx::Result<LedgerObject> {
    Ok(LedgerObject {
        id: row.try_get("id")?,
        key: row.try_get("key")?,
        symbol: row.try_get("symbol")?,
        interval: row.try_get("interval")?,
        etag: row.try_get("etag")?,
        version_id: row.try_get("version_id")?,
        raw_key: row.try_get("raw_key")?,
        raw_etag: row.try_get("raw_etag")?,
        raw_written: timestamp(row, "raw_written")?,
        run: row.try_get("run")?,
        trace_id: row.try_get("trace_id")?,
        fetched_at: timestamp(row, "fetched_at")?,
        transformed_at: timestamp(row, "transformed_at")?,
        loaded_at: timestamp(row, "loaded_at")?,
        rows_total: row.try_get("rows_total")?,
        rows_inserted: row.try_get("rows_inserted")?,
        rows_updated: row.try_get("rows_updated")?,
        rows_unchanged: row.try_get("rows_unchanged")?,
        rows_removed: row.try_get("rows_removed")?,
        quarantined: row.try_get("quarantined")?,
        filled: row.try_get("filled")?,
        error: row.try_get("error")?,
        error_line: row.try_get("error_line")?,
        error_column: row.try_get("error_column")?,
    })
}

/// A time that the database returns in seconds since 1970, rounded to its resolution of a microsecond.
pub(super) fn timestamp(row: &PgRow, column: &str) -> sqlx::Result<Option<Timestamp>> {
    let seconds: Option<f64> = row.try_get(column)?;
    Ok(seconds.and_then(|seconds| Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok()))
}

/// The cleaning report of an object, as stored by the loader.
pub async fn report(pool: &PgPool, id: i64) -> sqlx::Result<Option<Report>> {
    let query = sqlx::query_scalar("select report from quality where object_id = $1").bind(id);
    Ok(query.fetch_optional(pool).await?.map(|sqlx::types::Json(report)| report))
}

/// A row that cleaning quarantined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize, ToSchema)]
pub struct QuarantinedRow {
    /// The line in the raw object; the header is line 1.
    pub line: u64,
    /// The invalid column.
    pub column: String,
    /// Why the column is invalid.
    pub reason: String,
    /// The original row.
    pub row: String,
}

/// The quarantined rows of an object after a line, read from the bucket. An object without such rows has no quarantine
/// of its own; one at its key is a leftover.
pub async fn quarantined(
    store: &dyn ObjectStore,
    object: &LedgerObject,
    paged: &Paged,
) -> Result<Page<QuarantinedRow>, Problem> {
    if object.quarantined == Some(0) {
        return Ok(Page { rows: Vec::new(), next: None });
    }
    let key: TransformedKey = object.key.parse().map_err(|_| Problem::not_found("the object has no quarantine"))?;
    let found = store.get(&ObjectPath::quarantine_key(&key.path)).await.map_err(|error| {
        tracing::error!("{error}");
        Problem::unavailable("the bucket does not answer; the rows that were set aside are there")
    })?;
    let Some(found) = found else { return Ok(Page { rows: Vec::new(), next: None }) };
    let behind = |row: &Result<QuarantinedRow, csv::Error>| {
        row.as_ref().map_or(true, |row| paged.after.is_none_or(|after| row.line as i64 > after))
    };
    let mut reader = csv::Reader::from_reader(&found.body[..]);
    let rows: Result<Vec<QuarantinedRow>, _> =
        reader.deserialize().filter(behind).take(paged.limit() as usize + 1).collect();
    let rows = rows.map_err(|error| Problem::unavailable(format!("the quarantine cannot be read: {error}")))?;
    Ok(Page::of(rows, paged, |row| row.line as i64))
}
