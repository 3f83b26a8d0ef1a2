//! Reads the objects ledger: the state of each object, and how it was cleaned.

use candlewick_shared::adapters::database::DbTime;
use candlewick_shared::core::key::{ObjectPath, Series, TransformedKey};
use candlewick_shared::core::report::Report;
use candlewick_shared::ports::store::ObjectStore;
use serde::Serialize;
use sqlx::{FromRow, PgPool};
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::query::page::{Page, Paged};

/// A transformed object of the objects ledger.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, Serialize, ToSchema)]
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
    pub raw_written: Option<DbTime>,
    /// The run that fetched it.
    pub run: Option<String>,
    /// The trace in which it was fetched.
    pub trace_id: Option<String>,
    /// When the data was fetched from the source.
    #[schema(value_type = Option<String>)]
    pub fetched_at: Option<DbTime>,
    /// When it was cleaned.
    #[schema(value_type = Option<String>)]
    pub transformed_at: Option<DbTime>,
    /// When it was loaded.
    #[schema(value_type = Option<String>)]
    pub loaded_at: Option<DbTime>,
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

/// A query for [`LedgerObject`] with other columns before its own, given what comes after.
macro_rules! objects {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            "o.id, o.key, o.symbol, o.interval, o.etag, o.version_id, o.raw_key, o.raw_etag, o.raw_written, o.run,
            o.trace_id, o.fetched_at, o.transformed_at, o.loaded_at, o.rows_total, o.rows_inserted, o.rows_updated,
            o.rows_unchanged, o.rows_removed, q.quarantined, q.filled, o.error, o.error_line, o.error_column ",
            $after
        )
    };
}
pub(super) use objects;

const PAGE: &str = objects!(
    "select ",
    "from objects o left join quality q on q.object_id = o.id
    where ($1::text is null or (o.symbol = $1 and o.interval = $2)) and ($3::bigint is null or o.id < $3)
    order by o.id desc limit $4"
);

const ONE: &str = objects!("select ", "from objects o left join quality q on q.object_id = o.id where o.id = $1");

/// A page of the objects ledger, newest ids first, optionally of one series.
pub async fn page(pool: &PgPool, series: Option<&Series>, paged: &Paged) -> sqlx::Result<Page<LedgerObject>> {
    let query = sqlx::query_as(PAGE)
        .bind(series.map(|series| series.symbol.as_str()))
        .bind(series.map(|series| series.interval.as_str()))
        .bind(paged.after)
        .bind(paged.one_more());
    Ok(Page::of(query.fetch_all(pool).await?, paged, |object: &LedgerObject| object.id))
}

pub async fn one(pool: &PgPool, id: i64) -> sqlx::Result<Option<LedgerObject>> {
    sqlx::query_as(ONE).bind(id).fetch_optional(pool).await
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
        Problem::unavailable("the bucket does not answer; the quarantined rows are in it")
    })?;
    let Some(found) = found else { return Ok(Page { rows: Vec::new(), next: None }) };
    let follows = |row: &Result<QuarantinedRow, csv::Error>| {
        row.as_ref().map_or(true, |row| paged.after.is_none_or(|after| row.line as i64 > after))
    };
    let mut reader = csv::Reader::from_reader(&found.body[..]);
    let rows: Result<Vec<QuarantinedRow>, _> =
        reader.deserialize().filter(follows).take(paged.limit() as usize + 1).collect();
    let rows = rows.map_err(|error| Problem::unavailable(format!("the quarantine cannot be read: {error}")))?;
    Ok(Page::of(rows, paged, |row| row.line as i64))
}
