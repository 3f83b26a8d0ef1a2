//! Reads the lineage of a candle: API call, raw object, transformed object, load and row.

use candlewick_shared::adapters::database::{DbTime, instant};
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::metadata::RawMetadata;
use candlewick_shared::ports::store::ObjectStore;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::{FromRow, PgPool};
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::read::objects::{LedgerObject, objects};

/// The lineage of a candle.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Lineage)]
pub struct CandleLineage {
    pub candle: TracedCandle,
    /// The object from which it was loaded, with the times of every step.
    pub object: LedgerObject,
    /// The current raw object in the bucket; null if the bucket cannot be read or no longer has the object.
    pub raw: Option<RawNow>,
    /// The keys of older objects that claim the same candle.
    pub shadowed: Vec<String>,
}

/// A candle of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Candle)]
pub struct TracedCandle {
    /// A date, or an instant for intraday candles.
    pub time: String,
    /// The first price.
    pub open: String,
    /// The highest price.
    pub high: String,
    /// The lowest price.
    pub low: String,
    /// The last price.
    pub close: String,
    /// The traded volume; null if the instrument has no volume.
    pub volume: Option<String>,
    /// Whether cleaning filled it in.
    pub is_filled: bool,
}

/// The current version of a raw object in the bucket.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RawNow {
    /// The entity tag of the object.
    pub etag: String,
    /// The version of the object, if the bucket is versioned.
    pub version_id: Option<String>,
    /// The size in bytes.
    pub size: u64,
    /// When it was written.
    #[schema(value_type = String)]
    pub last_modified: Timestamp,
    /// Whether it is still the version from which the candle was made.
    pub is_the_source: bool,
    /// The source that wrote it: `twelvedata`; null for a dropped file.
    pub source: Option<String>,
    /// The SHA-256 digest that its writer recorded.
    pub sha256: Option<String>,
}

const CANDLE: &str = objects!(
    "select c.time, c.open::text as open, c.high::text as high, c.low::text as low, c.close::text as close,
        c.volume::text as volume, c.is_filled,
        array(select s.key from shadowed_candles x join objects s on s.id = x.object_id
              where (x.symbol, x.interval, x.time) = (c.symbol, c.interval, c.time) order by s.key) as shadowed, ",
    "from candles c join objects o on o.id = c.object_id left join quality q on q.object_id = o.id
    where c.symbol = $1 and c.interval = $2 and c.time = $3"
);

#[derive(FromRow)]
struct LineageRow {
    time: DbTime,
    open: String,
    high: String,
    low: String,
    close: String,
    volume: Option<String>,
    is_filled: bool,
    shadowed: Vec<String>,
    #[sqlx(flatten)]
    object: LedgerObject,
}

/// The lineage of the candle at a time; `None` if there is no such candle.
pub async fn of(
    pool: &PgPool,
    store: &dyn ObjectStore,
    series: &Series,
    time: i64,
) -> Result<Option<CandleLineage>, Problem> {
    let query = sqlx::query_as(CANDLE).bind(series.symbol.as_str()).bind(series.interval.as_str()).bind(instant(time));
    let Some(row): Option<LineageRow> = query.fetch_optional(pool).await? else { return Ok(None) };
    let raw = raw_now(store, &row.object).await;
    Ok(Some(row.lineage(series.interval, raw)))
}

impl LineageRow {
    fn lineage(self, interval: Interval, raw: Option<RawNow>) -> CandleLineage {
        let Self { time, open, high, low, close, volume, is_filled, shadowed, object } = self;
        let time = CandleTime::from_seconds(time.0.as_second()).display(interval).to_string();
        CandleLineage {
            candle: TracedCandle { time, open, high, low, close, volume, is_filled },
            object,
            raw,
            shadowed,
        }
    }
}

async fn raw_now(store: &dyn ObjectStore, object: &LedgerObject) -> Option<RawNow> {
    let key = object.raw_key.as_deref()?;
    let info = store.head(key).await.inspect_err(|error| tracing::warn!("look at a raw object: {error}")).ok()??;
    let metadata = RawMetadata::read(&info.metadata).unwrap_or_default();
    Some(RawNow {
        is_the_source: object.raw_etag.as_deref() == Some(info.etag.as_str()),
        etag: info.etag,
        version_id: info.version_id,
        size: info.size,
        last_modified: info.last_modified,
        source: metadata.source,
        sha256: metadata.sha256,
    })
}
