//! The expected final state of the database.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use candlewick_shared::core::candle::{Candle, CandleTime};
use candlewick_shared::core::decimal::Decimal;
use candlewick_shared::core::report::Report;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};

use super::check::Clean;

/// The identity of a candle: symbol, interval and time.
type Place = (String, String, CandleTime);

/// A candle, and the key of the object that has it.
type Owned = (Candle, String);

const CANDLES: &str = "select c.symbol, c.interval, extract(epoch from c.time)::bigint, c.open::text, c.high::text,
    c.low::text, c.close::text, c.volume::text, c.is_filled, o.key from candles c join objects o on o.id = c.object_id";

/// `candles` is the union of the transformed objects, value for value: of two that claim a candle, the newer has it,
/// and the claim of the other is shadowed.
pub async fn is_the_union(pool: &PgPool, clean: &[Clean]) -> anyhow::Result<()> {
    let union = union(clean);
    let rows = sqlx::query(CANDLES).fetch_all(pool).await.context("read the candles")?;
    let table: BTreeMap<Place, Owned> = rows.iter().map(row).collect::<anyhow::Result<_>>()?;
    let differs = |place: &&Place| table.get(*place) != union.get(*place);
    if let Some(place) = union.keys().chain(table.keys()).find(differs) {
        let is = table.get(place);
        let should = union.get(place);
        anyhow::bail!("{place:?} is {is:?} in the table, and should be {should:?}");
    }
    let claims: usize = clean.iter().map(|object| object.candles.len()).sum();
    let shadowed: i64 = sqlx::query_scalar("select count(*) from shadowed_candles").fetch_one(pool).await?;
    ensure!(shadowed as usize == claims - union.len(), "{shadowed} claims wait, of {claims} for {}", union.len());
    Ok(())
}

fn union(clean: &[Clean]) -> BTreeMap<Place, Owned> {
    let mut oldest_first: Vec<_> =
        clean.iter().map(|object| (object.raw_written, object.key.to_string(), object)).collect();
    oldest_first.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    let mut union = BTreeMap::new();
    for (_, key, object) in oldest_first {
        let series = &object.key.path.series;
        for candle in &object.candles {
            let place = (series.symbol.to_string(), series.interval.to_string(), candle.time);
            union.insert(place, (*candle, key.clone()));
        }
    }
    union
}

fn row(row: &PgRow) -> anyhow::Result<(Place, Owned)> {
    let decimal = |at| anyhow::Ok(Decimal::parse(row.try_get::<String, _>(at)?.as_bytes())?);
    let volume: Option<String> = row.try_get(7)?;
    let candle = Candle {
        time: CandleTime::from_seconds(row.try_get(2)?),
        open: decimal(3)?,
        high: decimal(4)?,
        low: decimal(5)?,
        close: decimal(6)?,
        volume: volume.map(|text| Decimal::parse(text.as_bytes())).transpose()?,
        is_filled: row.try_get(8)?,
    };
    Ok(((row.try_get(0)?, row.try_get(1)?, candle.time), (candle, row.try_get(9)?)))
}

const LEDGER: &str = "select etag, extract(epoch from raw_written)::bigint, rows_total, error, q.report
    from objects left join quality q on q.object_id = objects.id where key = $1";

/// The ledger records the loaded version of each transformed object, and its cleaning report.
pub async fn ledger_is_right(pool: &PgPool, clean: &[Clean]) -> anyhow::Result<()> {
    for object in clean {
        let key = object.key.to_string();
        let row = sqlx::query(LEDGER).bind(&key).fetch_one(pool).await.with_context(|| format!("find {key}"))?;
        let version: (String, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let expected = (object.etag.clone(), object.raw_written.as_second(), object.candles.len() as i64);
        ensure!(version == expected, "the ledger says {version:?} of {key}, not {expected:?}");
        let error: Option<String> = row.try_get(3)?;
        ensure!(error.is_none(), "the ledger says of {key}: {error:?}");
        let report: Option<sqlx::types::Json<Report>> = row.try_get(4)?;
        ensure!(report.is_some_and(|kept| kept.0 == object.report), "the report on {key} is not the one that is kept");
    }
    Ok(())
}
