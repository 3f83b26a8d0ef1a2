//! The ledger: what is known of each clean object, in the same transaction as its rows.

use candlewick_shared::core::clean_csv::CleanCandles;
use candlewick_shared::core::key::TransformedKey;
use candlewick_shared::core::metadata::{Instrument, TransformedMetadata};
use candlewick_shared::core::report::Report;
use candlewick_shared::ports::store::ObjectInfo;
use jiff::Timestamp;
use sqlx::{PgConnection, Row};

use crate::claim::{Before, Counts};
use crate::failure::{DatabaseError, During};

/// The ledger's row of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id, by which candles name their owner.
    pub id: i64,
    /// The version that is loaded; none where none is.
    pub loaded: Option<Loaded>,
    /// Whether a newer version could not be loaded.
    pub has_failed: bool,
}

/// The version of an object that is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Its entity tag.
    pub etag: String,
    /// When the raw object behind it was written, in microseconds since 1970.
    pub raw_written: i64,
    /// How many candles it has.
    pub rows: i64,
}

/// A version of an object, about to be loaded.
#[derive(Clone, Debug)]
pub struct Version<'a> {
    /// What stands beside it.
    pub info: &'a ObjectInfo,
    /// Where it came from, if the transform made it.
    pub origin: Option<&'a TransformedMetadata>,
}

impl Version<'_> {
    /// When the raw object behind it was written; where no raw object is behind it, when it was written itself.
    pub fn raw_written(&self) -> Timestamp {
        self.origin.map_or(self.info.last_modified, |origin| origin.raw_written)
    }

    /// What the table has of the object before this version of it.
    pub fn before(&self, entry: &Entry) -> Before {
        match &entry.loaded {
            None | Some(Loaded { rows: 0, .. }) => Before::Nothing,
            Some(loaded) if loaded.etag == self.info.etag => Before::TheSame,
            Some(_) => Before::Another,
        }
    }

    /// Whether it is the one that is loaded. The same content written again is another version: it is newer, and may have
    /// candles back that another object took from it.
    pub fn is_loaded(&self, entry: &Entry) -> bool {
        let same = |loaded: &Loaded| {
            (&loaded.etag, loaded.raw_written) == (&self.info.etag, self.raw_written().as_microsecond())
        };
        entry.loaded.as_ref().is_some_and(same)
    }
}

const LOCK: &str = "select set_config('idle_in_transaction_session_timeout', '5min', true),
    pg_advisory_xact_lock(hashtextextended($1, 0))";

/// Keeps all other loaders from this series until the transaction ends.
///
/// The lock is on the series and not on the key alone, because objects of one series can claim the same candle. A loader
/// whose machine is gone would hold it for as long as the server believes in the connection, hours by its defaults: from a
/// transaction in which nothing is asked for minutes the server takes it away.
pub async fn lock(database: &mut PgConnection, key: &TransformedKey) -> Result<(), DatabaseError> {
    let query = sqlx::query(LOCK).bind(key.path.series.to_string());
    query.execute(database).await.during("lock the series").map(|_| ())
}

/// The ledger's row of an object; none where it was never seen.
pub async fn find(database: &mut PgConnection, key: &TransformedKey) -> Result<Option<Entry>, DatabaseError> {
    let row = sqlx::query(FIND).bind(key.to_string()).fetch_optional(database).await.during("read the ledger")?;
    Ok(row.map(|row| {
        let loaded = row.get::<Option<String>, _>(1).zip(row.get(2));
        let loaded = loaded.map(|(etag, raw_written)| Loaded { etag, raw_written, rows: row.get(3) });
        Entry { id: row.get(0), loaded, has_failed: row.get(4) }
    }))
}

const FIND: &str = "select id, etag, round(extract(epoch from raw_written) * 1000000)::bigint, rows_total,
    error is not null
    from objects where key = $1";

/// The ledger's row of an object, made where there is none.
pub async fn find_or_make(database: &mut PgConnection, key: &TransformedKey) -> Result<Entry, DatabaseError> {
    if let Some(entry) = find(&mut *database, key).await? {
        return Ok(entry);
    }
    let query = sqlx::query_scalar("insert into objects (key, symbol, interval) values ($1, $2, $3) returning id")
        .bind(key.to_string())
        .bind(key.path.series.symbol.as_str())
        .bind(key.path.series.interval.as_str());
    let id = query.fetch_one(database).await.during("open a row of the ledger")?;
    Ok(Entry { id, loaded: None, has_failed: false })
}

const LOADED: &str = "update objects set
    etag = $2, version_id = $3, last_modified = to_timestamp($4), raw_written = to_timestamp($5), raw_key = $6,
    raw_etag = $7, run = $8, trace_id = $9, fetched_at = to_timestamp($10), transformed_at = to_timestamp($11),
    loaded_at = to_timestamp($12), rows_total = $13, rows_inserted = $14, rows_updated = $15, rows_unchanged = $16,
    rows_removed = $17, first_time = to_timestamp($18), last_time = to_timestamp($19),
    error = null, error_line = null, error_column = null
    where id = $1";

/// Notes that a version is loaded.
pub async fn loaded(
    database: &mut PgConnection,
    entry: &Entry,
    version: &Version<'_>,
    candles: &CleanCandles,
    counts: Counts,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let info = version.info;
    let origin = version.origin;
    let time =
        |candle: Option<&candlewick_shared::core::candle::Candle>| candle.map(|candle| candle.time.seconds() as f64);
    let query = sqlx::query(LOADED)
        .bind(entry.id)
        .bind(&info.etag)
        .bind(&info.version_id)
        .bind(seconds(info.last_modified))
        .bind(seconds(version.raw_written()))
        .bind(origin.map(|origin| &origin.raw_key))
        .bind(origin.map(|origin| &origin.raw_etag))
        .bind(origin.and_then(|origin| origin.run.as_ref()))
        .bind(origin.and_then(|origin| origin.traceparent).map(|trace| trace.trace_id()))
        .bind(origin.and_then(|origin| origin.fetched_at).map(seconds))
        .bind(origin.and_then(|origin| origin.transformed_at).map(seconds))
        .bind(seconds(now))
        .bind(candles.candles.len() as i64)
        .bind(counts.inserted)
        .bind(counts.updated)
        .bind(counts.unchanged)
        .bind(counts.removed)
        .bind(time(candles.candles.first()))
        .bind(time(candles.candles.last()));
    query.execute(database).await.during("write the ledger").map(|_| ())
}

/// Seconds since 1970, as `to_timestamp` takes them; a microsecond is the finest that PostgreSQL keeps.
fn seconds(time: Timestamp) -> f64 {
    time.as_microsecond() as f64 / 1e6
}

/// Notes that the newest version is the loaded one again, after one that could not be loaded.
pub async fn mended(database: &mut PgConnection, entry: &Entry) -> Result<(), DatabaseError> {
    let mend = "update objects set error = null, error_line = null, error_column = null where id = $1";
    sqlx::query(mend).bind(entry.id).execute(database).await.during("clear the failure in the ledger").map(|_| ())
}

/// Notes why the newest version could not be loaded, and in which line and column of it where that can be said; what an
/// older one left in the table stays.
pub async fn failed(
    database: &mut PgConnection,
    entry: &Entry,
    reason: &str,
    place: Option<(u64, &'static str)>,
) -> Result<(), DatabaseError> {
    let query = sqlx::query("update objects set error = $2, error_line = $3, error_column = $4 where id = $1")
        .bind(entry.id)
        .bind(reason)
        .bind(place.map(|(line, _)| line as i64))
        .bind(place.map(|(_, column)| column));
    query.execute(database).await.during("note the failure in the ledger").map(|_| ())
}

const QUALITY: &str = "insert into quality (object_id, rows_read, kept, filled, quarantined, report)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (object_id) do update set rows_read = excluded.rows_read, kept = excluded.kept, filled = excluded.filled,
        quarantined = excluded.quarantined, report = excluded.report
    where quality.report is distinct from excluded.report";

/// Keeps the report on an object's cleaning.
pub async fn report(database: &mut PgConnection, entry: &Entry, report: &Report) -> Result<(), DatabaseError> {
    let rows = &report.rows;
    let query = sqlx::query(QUALITY)
        .bind(entry.id)
        .bind(rows.read as i64)
        .bind(rows.kept as i64)
        .bind(rows.filled as i64)
        .bind(rows.quarantined_total() as i64)
        .bind(sqlx::types::Json(report));
    query.execute(database).await.during("keep the report").map(|_| ())
}

const INSTRUMENT: &str = "insert into instruments (symbol, instrument_type, currency, calendar, timezone, updated_at)
    values ($1, $2, $3, $4, $5, to_timestamp($6))
    on conflict (symbol) do update set instrument_type = excluded.instrument_type, currency = excluded.currency,
        calendar = excluded.calendar, timezone = excluded.timezone, updated_at = excluded.updated_at
    where (instruments.instrument_type, instruments.currency, instruments.calendar, instruments.timezone)
        is distinct from (excluded.instrument_type, excluded.currency, excluded.calendar, excluded.timezone)";

/// Keeps what a source says about an instrument; a source that says nothing changes nothing.
pub async fn instrument(
    database: &mut PgConnection,
    key: &TransformedKey,
    instrument: &Instrument,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    if *instrument == Instrument::default() {
        return Ok(());
    }
    let query = sqlx::query(INSTRUMENT)
        .bind(key.path.series.symbol.as_str())
        .bind(&instrument.instrument_type)
        .bind(&instrument.currency)
        .bind(&instrument.calendar)
        .bind(&instrument.timezone)
        .bind(seconds(now));
    query.execute(database).await.during("keep what is known of the instrument").map(|_| ())
}
