//! Reads the age, throughput and latency of each stage.

use candlewick_shared::adapters::database::{DbTime, ToSqlx};
use jiff::Timestamp;
use serde::Serialize;
use sqlx::{FromRow, PgPool};
use utoipa::ToSchema;

/// A stage of the pipeline, measured by the objects in the objects ledger.
#[derive(Clone, Debug, PartialEq, FromRow, Serialize, ToSchema)]
pub struct Stage {
    /// The name of the stage: `ingest`, `transform`, `loader`.
    #[sqlx(skip)]
    pub stage: &'static str,
    /// When it last finished an object.
    #[schema(value_type = Option<String>)]
    pub last: Option<DbTime>,
    /// How many seconds ago that was.
    #[sqlx(skip)]
    pub age_seconds: Option<i64>,
    /// The number of objects that it finished in the last hour.
    pub objects_hour: i64,
    /// The number of objects that it finished in the last day.
    pub objects_day: i64,
    /// The number of candles in the objects of the last day.
    pub candles_day: i64,
    /// The median latency after the previous stage, in seconds, over the last day.
    pub lag_median_seconds: Option<f64>,
    /// The 95th percentile of that latency.
    pub lag_p95_seconds: Option<f64>,
}

/// The objects of a stage, by the columns of the times at which it and the previous stage finish.
macro_rules! stage {
    ($finished:literal, $before:literal) => {
        concat!(
            "select max(",
            $finished,
            ") as last,
                count(*) filter (where ",
            $finished,
            " > $1::timestamptz - interval '1 hour') as objects_hour,
                count(*) filter (where ",
            $finished,
            " > $1::timestamptz - interval '1 day') as objects_day,
                coalesce(sum(rows_total) filter (where ",
            $finished,
            " > $1::timestamptz - interval '1 day'), 0)::bigint as candles_day,
                percentile_cont(0.5) within group (order by extract(epoch from ",
            $finished,
            " - ",
            $before,
            "))
                    filter (where ",
            $finished,
            " > $1::timestamptz - interval '1 day')::float8 as lag_median_seconds,
                percentile_cont(0.95) within group (order by extract(epoch from ",
            $finished,
            " - ",
            $before,
            "))
                    filter (where ",
            $finished,
            " > $1::timestamptz - interval '1 day')::float8 as lag_p95_seconds
            from objects"
        )
    };
}

/// The first stage has no stage before it, and therefore no latency.
const INGEST: &str = stage!("fetched_at", "null::timestamptz");

const TRANSFORM: &str = stage!("transformed_at", "fetched_at");

const LOADER: &str = stage!("loaded_at", "transformed_at");

/// Every stage, in the order in which candles pass through them.
pub async fn all(pool: &PgPool, now: Timestamp) -> sqlx::Result<Vec<Stage>> {
    let mut stages = Vec::new();
    for (stage, query) in [("ingest", INGEST), ("transform", TRANSFORM), ("loader", LOADER)] {
        let found: Stage = sqlx::query_as(query).bind(now.to_sqlx()).fetch_one(pool).await?;
        let age_seconds = found.last.map(|last| (now.as_second() - last.0.as_second()).max(0));
        stages.push(Stage { stage, age_seconds, ..found });
    }
    Ok(stages)
}
