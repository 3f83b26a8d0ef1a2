//! The objects ledger (table `objects`): the loaded version of each transformed object, committed together with its rows.

use candlewick_shared::core::candle::Candle;
use candlewick_shared::core::clean_csv::CleanCandles;
use candlewick_shared::core::key::TransformedKey;
use candlewick_shared::core::metadata::{Instrument, TransformedMetadata};
use candlewick_shared::core::report::Report;
use candlewick_shared::ports::store::ObjectInfo;
use jiff::Timestamp;
use sqlx::query_builder::Separated;
use sqlx::{Encode, FromRow, PgConnection, Postgres, QueryBuilder, Type};

use crate::claim::{Before, Counts};
use crate::failure::{DatabaseError, DbContext, SqlTimestamp, ToSqlx};

/// The ledger entry of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The id by which candles refer to the object that owns them.
    pub id: i64,
    pub loaded: Option<Loaded>,
    /// Whether a newer version could not be loaded.
    pub has_failed: bool,
}

/// The loaded version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    pub etag: String,
    /// When its raw object was written, to the microsecond.
    pub raw_written: Timestamp,
    pub rows: i64,
}

/// How many days the changes of loads are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryDays(pub u16);

impl Default for HistoryDays {
    fn default() -> Self {
        Self(90)
    }
}

/// A version of an object, about to be loaded.
#[derive(Clone, Debug)]
pub struct Version<'a> {
    pub info: &'a ObjectInfo,
    /// Its metadata, if the transform wrote it.
    pub origin: Option<&'a TransformedMetadata>,
}

impl Version<'_> {
    /// When its raw object was written or, without one, when the object itself was.
    pub fn raw_written(&self) -> Timestamp {
        self.origin.map_or(self.info.last_modified, |origin| origin.raw_written)
    }

    /// What the table has of the object before this version is loaded.
    pub fn before(&self, entry: &Entry) -> Before {
        match &entry.loaded {
            None | Some(Loaded { rows: 0, .. }) => Before::Nothing,
            Some(loaded) if loaded.etag == self.info.etag => Before::SameContent,
            Some(_) => Before::OtherVersion,
        }
    }

    /// Whether this version is the loaded one. The same content written again is another version: it is newer, and may take
    /// back candles that another object claims too.
    pub fn is_loaded(&self, entry: &Entry) -> bool {
        let written = self.raw_written().as_microsecond();
        let same = |loaded: &Loaded| loaded.etag == self.info.etag && loaded.raw_written.as_microsecond() == written;
        entry.loaded.as_ref().is_some_and(same)
    }
}

const LOCK: &str = "select set_config('idle_in_transaction_session_timeout', '5min', true),
    set_config('candlewick.history_days', $2, true), pg_advisory_xact_lock(hashtextextended($1, 0))";

/// Locks the series for other loaders until the transaction ends.
///
/// The lock is on the series rather than the key, because objects of one series can claim the same candle. If a loader's
/// machine dies, the server would by default keep the connection, and with it the lock, for hours. The idle timeout ends such
/// a transaction after minutes. `history_days` says how long this load and what it changes are remembered.
pub async fn lock(
    database: &mut PgConnection,
    key: &TransformedKey,
    history_days: HistoryDays,
) -> Result<(), DatabaseError> {
    let query = sqlx::query(LOCK).bind(key.path.series.to_string()).bind(history_days.0.to_string());
    query.execute(database).await.db_context("lock the series").map(|_| ())
}

pub async fn find(database: &mut PgConnection, key: &TransformedKey) -> Result<Option<Entry>, DatabaseError> {
    let query = sqlx::query_as::<_, LedgerRow>(FIND).bind(key.to_string());
    Ok(query.fetch_optional(database).await.db_context("read the ledger")?.map(LedgerRow::entry))
}

const FIND: &str =
    "select id, etag, raw_written, rows_total, error is not null as has_failed from objects where key = $1";

#[derive(FromRow)]
struct LedgerRow {
    id: i64,
    etag: Option<String>,
    raw_written: Option<SqlTimestamp>,
    rows_total: Option<i64>,
    has_failed: bool,
}

impl LedgerRow {
    fn entry(self) -> Entry {
        let loaded = self.etag.zip(self.raw_written).map(|(etag, raw_written)| Loaded {
            etag,
            raw_written: raw_written.to_jiff(),
            rows: self.rows_total.unwrap_or_default(),
        });
        Entry { id: self.id, loaded, has_failed: self.has_failed }
    }
}

pub async fn find_or_insert(database: &mut PgConnection, key: &TransformedKey) -> Result<Entry, DatabaseError> {
    if let Some(entry) = find(&mut *database, key).await? {
        return Ok(entry);
    }
    let query = sqlx::query_scalar("insert into objects (key, symbol, interval) values ($1, $2, $3) returning id")
        .bind(key.to_string())
        .bind(key.path.series.symbol.as_str())
        .bind(key.path.series.interval.as_str());
    let id = query.fetch_one(database).await.db_context("insert a ledger entry")?;
    Ok(Entry { id, loaded: None, has_failed: false })
}

/// Records that a version is loaded.
pub async fn record_loaded(
    database: &mut PgConnection,
    entry: &Entry,
    version: &Version<'_>,
    candles: &CleanCandles,
    counts: Counts,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let mut update = QueryBuilder::new("update objects set error = null, error_line = null, error_column = null, ");
    let mut columns = update.separated(", ");
    set_version(&mut columns, version);
    set_content(&mut columns, candles, counts);
    set(&mut columns, "loaded_at = ", now.to_sqlx());
    update.push(" where id = ").push_bind(entry.id);
    update.build().execute(database).await.db_context("write the ledger").map(|_| ())
}

type Columns<'q, 'a> = Separated<'q, Postgres, &'static str>;

/// Sets one column, so that its name is next to its value.
fn set<'a, T>(columns: &mut Columns<'_, 'a>, column: &'static str, value: T)
where
    T: 'a + Encode<'a, Postgres> + Type<Postgres>,
{
    columns.push(column).push_bind_unseparated(value);
}

fn set_version<'a>(columns: &mut Columns<'_, 'a>, version: &Version<'a>) {
    let info = version.info;
    let origin = version.origin;
    set(columns, "etag = ", &info.etag);
    set(columns, "version_id = ", &info.version_id);
    set(columns, "last_modified = ", info.last_modified.to_sqlx());
    set(columns, "raw_written = ", version.raw_written().to_sqlx());
    set(columns, "raw_key = ", origin.map(|origin| &origin.raw_key));
    set(columns, "raw_etag = ", origin.map(|origin| &origin.raw_etag));
    set(columns, "run = ", origin.and_then(|origin| origin.run.as_ref()));
    set(columns, "trace_id = ", origin.and_then(|origin| origin.traceparent).map(|trace| trace.trace_id()));
    set(columns, "fetched_at = ", origin.and_then(|origin| origin.fetched_at).map(ToSqlx::to_sqlx));
    set(columns, "transformed_at = ", origin.and_then(|origin| origin.transformed_at).map(ToSqlx::to_sqlx));
}

fn set_content(columns: &mut Columns<'_, '_>, candles: &CleanCandles, counts: Counts) {
    let time = |candle: Option<&Candle>| candle.and_then(|candle| candle.time.timestamp()).map(ToSqlx::to_sqlx);
    set(columns, "rows_total = ", candles.candles.len() as i64);
    set(columns, "rows_inserted = ", counts.inserted);
    set(columns, "rows_updated = ", counts.updated);
    set(columns, "rows_unchanged = ", counts.unchanged);
    set(columns, "rows_removed = ", counts.removed);
    set(columns, "first_time = ", time(candles.candles.first()));
    set(columns, "last_time = ", time(candles.candles.last()));
    set(columns, "inserted_from = coalesce(", counts.inserted_from);
    columns.push_unseparated(", 'infinity')");
}

/// Clears the recorded error: the newest version is the loaded one again.
pub async fn clear_error(database: &mut PgConnection, entry: &Entry) -> Result<(), DatabaseError> {
    let query = "update objects set error = null, error_line = null, error_column = null where id = $1";
    sqlx::query(query).bind(entry.id).execute(database).await.db_context("clear the error in the ledger").map(|_| ())
}

/// Records why the newest version could not be loaded and, if known, in which line and column. The rows of the older version
/// stay.
pub async fn record_error(
    database: &mut PgConnection,
    entry: &Entry,
    reason: &str,
    position: Option<(u64, &'static str)>,
) -> Result<(), DatabaseError> {
    let query = sqlx::query("update objects set error = $2, error_line = $3, error_column = $4 where id = $1")
        .bind(entry.id)
        .bind(reason)
        .bind(position.map(|(line, _)| line as i64))
        .bind(position.map(|(_, column)| column));
    query.execute(database).await.db_context("record the error in the ledger").map(|_| ())
}

const QUALITY: &str = "insert into quality (object_id, rows_read, kept, filled, quarantined, report)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (object_id) do update set rows_read = excluded.rows_read, kept = excluded.kept, filled = excluded.filled,
        quarantined = excluded.quarantined, report = excluded.report
    where quality.report is distinct from excluded.report";

/// Stores the cleaning report of an object.
pub async fn store_report(database: &mut PgConnection, entry: &Entry, report: &Report) -> Result<(), DatabaseError> {
    let rows = &report.rows;
    let query = sqlx::query(QUALITY)
        .bind(entry.id)
        .bind(rows.read as i64)
        .bind(rows.kept as i64)
        .bind(rows.filled as i64)
        .bind(rows.quarantined_total() as i64)
        .bind(sqlx::types::Json(report));
    query.execute(database).await.db_context("store the report").map(|_| ())
}

const INSTRUMENT: &str = "insert into instruments (symbol, instrument_type, currency, calendar, timezone, updated_at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (symbol) do update set instrument_type = excluded.instrument_type, currency = excluded.currency,
        calendar = excluded.calendar, timezone = excluded.timezone, updated_at = excluded.updated_at
    where (instruments.instrument_type, instruments.currency, instruments.calendar, instruments.timezone)
        is distinct from (excluded.instrument_type, excluded.currency, excluded.calendar, excluded.timezone)";

/// Stores what the source says about the instrument, if it says anything.
pub async fn store_instrument(
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
        .bind(now.to_sqlx());
    query.execute(database).await.db_context("store the instrument").map(|_| ())
}
