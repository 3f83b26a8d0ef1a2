//! The two series: walks that are the same in every run. A price has five decimals and no pattern in them, so that packing
//! gains no more than it would with real ones.

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sqlx::PgPool;

/// Five years of sessions.
pub const DAYS: usize = 1_260;
/// Some 1,282 sessions of 390 minutes.
pub const MINUTES: usize = 500_000;

/// The first session of both.
const FIRST: Date = Date::constant(2020, 1, 2);

/// The minutes of a session, from 14:30 in UTC on.
const SESSION: i64 = 390;

/// Fills both series in, as the loader would.
pub async fn fill(pool: &PgPool) {
    let days: Vec<i64> = sessions().take(DAYS).collect();
    let minutes = sessions().flat_map(|day| (0..SESSION).map(move |minute| day + (870 + minute) * 60));
    insert(pool, "1day", &days).await;
    insert(pool, "1min", &minutes.take(MINUTES).collect::<Vec<_>>()).await;
    sqlx::raw_sql("vacuum analyze").execute(pool).await.unwrap();
}

/// The midnights of weekdays, in seconds since 1970.
fn sessions() -> impl Iterator<Item = i64> {
    let weekdays = FIRST
        .series(jiff::Span::new().days(1))
        .filter(|date| !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday));
    weekdays.map(|date| TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).map(Timestamp::as_second).unwrap())
}

async fn insert(pool: &PgPool, interval: &str, times: &[i64]) {
    let object = "insert into objects (key, symbol, interval, etag, raw_written, loaded_at, rows_total)
        values ($1, 'AAPL', $2, 'e1', now(), now(), $3) returning id";
    let id: i64 = sqlx::query_scalar(object)
        .bind(format!("transformed/interval={interval}/symbol=AAPL/candles.csv"))
        .bind(interval)
        .bind(times.len() as i64)
        .fetch_one(pool)
        .await
        .unwrap();
    let [open, high, low, close] = prices(times.len());
    let candles = "insert into candles (symbol, interval, time, open, high, low, close, volume, is_filled, object_id)
        select 'AAPL', $1, to_timestamp(t), o::numeric, h::numeric, l::numeric, c::numeric, 1000000 + t % 7919 * 1009, false, $7
        from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[]) as x (t, o, h, l, c)";
    let query = sqlx::query(candles).bind(interval).bind(times).bind(open).bind(high).bind(low).bind(close).bind(id);
    query.execute(pool).await.unwrap();
}

/// Open, high, low and close of each candle of a walk.
fn prices(count: usize) -> [Vec<String>; 4] {
    let mut random = StdRng::seed_from_u64(7);
    let mut columns = [const { Vec::new() }; 4];
    let mut last: i64 = 25_000_000;
    for _ in 0..count {
        let open = last;
        let close = (last + random.random_range(-200_000..=201_000)).max(1_000_000);
        let high = open.max(close) + random.random_range(0..100_000);
        let low = open.min(close) - random.random_range(0..100_000);
        for (column, price) in columns.iter_mut().zip([open, high, low, close]) {
            column.push(format!("{}.{:05}", price / 100_000, price % 100_000));
        }
        last = close;
    }
    columns
}
