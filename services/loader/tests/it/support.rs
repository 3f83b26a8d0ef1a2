//! A bucket, a database, and a loader between them.

use std::sync::Arc;
use std::time::Duration;

use candlewick_loader::handler::Loader;
use candlewick_shared::core::candle::{Candle, CandleTime};
use candlewick_shared::core::clean_csv::{self, CleanCandles};
use candlewick_shared::core::key::TransformedKey;
use candlewick_shared::core::metadata::{Metadata, TransformedMetadata};
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf};
use candlewick_shared::runtime::outcome::{Failure, Outcome, Setback, Settled};
use candlewick_test_support::bucket::{self, Bucket};
use candlewick_test_support::server;
use jiff::Timestamp;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

pub const JANUARY: &str = "transformed/interval=1min/symbol=AAPL/2024-01.csv";
pub const FEBRUARY: &str = "transformed/interval=1min/symbol=AAPL/2024-02.csv";
pub const MARCH: &str = "transformed/interval=1min/symbol=AAPL/2024-03.csv";

/// A bucket, a database, and a loader between them.
#[derive(Clone)]
pub struct World {
    pub bucket: Bucket,
    /// The database, as its owner.
    pub owner: PgPool,
    /// The same database with the loader's rights.
    pub pool: PgPool,
    /// The same database with the rights of ingest.
    pub ingest: PgPool,
}

/// The counts of a version in the ledger: total, inserted, updated, unchanged and removed rows.
pub type Counts = (i64, i64, i64, i64, i64);

/// The minute, close and file of a claim.
pub type Claim = (i64, u32, String);

/// Candles as pairs of minute and close.
pub type Rows<'a> = &'a [(i64, u32)];

impl World {
    pub async fn new() -> Self {
        let options = PgPoolOptions::new().max_connections(5).acquire_timeout(Duration::from_secs(5));
        let database = server::new_database().await;
        let owner = options.clone().max_connections(2).connect_lazy_with(database.clone());
        let role = |role: &str| database.clone().options([("role", role)]);
        let ingest = options.clone().max_connections(2).connect_lazy_with(role("ingest_service"));
        let pool = options.connect_with(role("loader_service")).await.unwrap();
        Self { bucket: Bucket::default(), owner, pool, ingest }
    }

    pub fn loader(&self) -> Loader {
        self.loader_at("2024-12-31T00:00:00Z".parse().unwrap())
    }

    /// A loader whose clock shows a moment.
    pub fn loader_at(&self, now: Timestamp) -> Loader {
        Loader::new(Arc::new(self.bucket.clone()), self.pool.clone(), Arc::new(move || now))
    }

    pub async fn deliver(&self, key: &str) -> Outcome {
        self.loader().handle(bucket::created(key)).await
    }

    pub async fn done(&self, key: &str) {
        assert_eq!(self.deliver(key).await.unwrap(), Settled::Done);
    }

    pub async fn failure(&self, key: &str) -> Failure {
        match self.deliver(key).await {
            Err(Setback::Permanent(failure)) => failure,
            other => panic!("no permanent failure: {other:?}"),
        }
    }

    pub async fn superseded(&self, key: &str) -> String {
        match self.deliver(key).await {
            Ok(Settled::Superseded(why)) => why,
            other => panic!("not superseded: {other:?}"),
        }
    }

    pub async fn put(&self, key: &str, body: impl Into<Vec<u8>>, metadata: Metadata) {
        self.bucket.inner.put(key, NewObject::csv(body.into(), metadata), PutIf::Always).await.unwrap();
    }

    /// Puts a transformed object whose raw object was written at a given second.
    pub async fn put_rows(&self, key: &str, written: i64, rows: Rows<'_>) {
        self.put(key, body(key, rows), origin(written).write()).await;
    }

    pub async fn load_rows(&self, key: &str, written: i64, rows: Rows<'_>) {
        self.put_rows(key, written, rows).await;
        self.done(key).await;
    }

    /// The minute, close and owning file of each candle.
    pub async fn table(&self) -> Vec<Claim> {
        self.claims("candles", "").await
    }

    /// The same for each shadowed claim.
    pub async fn shadowed(&self) -> Vec<Claim> {
        self.claims("shadowed_candles", "").await
    }

    /// The candles and shadowed claims of one symbol.
    pub async fn claims_of(&self, symbol: &str) -> (Vec<Claim>, Vec<Claim>) {
        (self.claims("candles", symbol).await, self.claims("shadowed_candles", symbol).await)
    }

    async fn claims(&self, table: &str, symbol: &str) -> Vec<Claim> {
        let of_symbol = if symbol.is_empty() { String::new() } else { format!("symbol={symbol}/") };
        let query = format!(
            "select (extract(epoch from c.time) / 60)::bigint, close::text, o.key
             from {table} c join objects o on o.id = c.object_id where strpos(o.key, '{of_symbol}') > 0 order by 1, 3"
        );
        let rows: Vec<(i64, String, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(query)).fetch_all(&self.pool).await.unwrap();
        rows.into_iter().map(|(minute, close, key)| (minute, close.parse().unwrap(), key)).collect()
    }

    /// The minute and close of each candle.
    pub async fn candles(&self) -> Vec<(i64, u32)> {
        self.table().await.into_iter().map(|(minute, close, _)| (minute, close)).collect()
    }

    pub async fn counts(&self, key: &str) -> Counts {
        let query =
            "select rows_total, rows_inserted, rows_updated, rows_unchanged, rows_removed from objects where key = $1";
        sqlx::query_as(query).bind(key).fetch_one(&self.pool).await.unwrap()
    }

    /// Deletes all objects and candles from the database.
    pub async fn empty(&self) {
        self.run("delete from shadowed_candles; delete from candles; delete from objects").await;
    }

    /// The single value of a query, which must exist.
    pub async fn value(&self, sql: &'static str) -> String {
        sqlx::query_scalar(sql).fetch_one(&self.owner).await.unwrap()
    }

    pub async fn run(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.owner).await.unwrap();
    }
}

/// Transformed CSV of an intraday series.
pub fn body(key: &str, rows: Rows<'_>) -> Vec<u8> {
    let key: TransformedKey = key.parse().unwrap();
    let candles = rows.iter().map(|(minute, close)| candle(*minute, *close)).collect();
    clean_csv::write(&key.path.series, &CleanCandles { candles }).unwrap()
}

/// Candles with a close from this on are filled.
pub const FILLED: u32 = 100;

fn candle(minute: i64, close: u32) -> Candle {
    let is_filled = close >= FILLED;
    let close = close.to_string().parse().unwrap();
    let time = CandleTime::from_seconds(minute * 60);
    Candle { time, open: close, high: close, low: close, close, volume: Some(close), is_filled }
}

/// The metadata of a transformed object whose raw object was written at a given second.
pub fn origin(written: i64) -> TransformedMetadata {
    let written = Timestamp::from_second(written).unwrap();
    TransformedMetadata::of("raw/file.csv".to_owned(), "raw-etag".to_owned(), written)
}
