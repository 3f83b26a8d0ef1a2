//! Reads the age, throughput and latency of each stage.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::{PgPool, Row};
use utoipa::ToSchema;

use super::objects::timestamp;

/// A stage of the pipeline, measured by the objects in the objects ledger.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Stage {
    /// The name of the stage: `ingest`, `transform`, `loader`.
    pub stage: &'static str,
    /// When it last finished an object.
    #[schema(value_type = Option<String>)]
    pub last: Option<Timestamp>,
    /// How many seconds ago that was.
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

/// The columns of the times at which a stage and the previous stage finish.
const STAGES: [(&str, &str, &str); 3] = [
    ("ingest", "fetched_at", "fetched_at"),
    ("transform", "transformed_at", "fetched_at"),
    ("loader", "loaded_at", "transformed_at"),
];

/// The column names are constants; external values are bound.
fn sql((_, finished, before): &(&str, &str, &str)) -> String {
    let lag = format!("extract(epoch from {finished} - {before})");
    format!(
        "select extract(epoch from max({finished}))::float8 as last,
                count(*) filter (where {finished} > to_timestamp($1) - interval '1 hour') as objects_hour,
                count(*) filter (where {finished} > to_timestamp($1) - interval '1 day') as objects_day,
                coalesce(sum(rows_total) filter (where {finished} > to_timestamp($1) - interval '1 day'), 0)::bigint
                    as candles_day,
                percentile_cont(0.5) within group (order by {lag})
                    filter (where {finished} > to_timestamp($1) - interval '1 day')::float8 as median,
                percentile_cont(0.95) within group (order by {lag})
                    filter (where {finished} > to_timestamp($1) - interval '1 day')::float8 as p95
         from objects"
    )
}

/// Every stage, in the order in which candles pass through them.
pub async fn all(pool: &PgPool, now: Timestamp) -> sqlx::Result<Vec<Stage>> {
    let mut stages = Vec::new();
    for stage in &STAGES {
        let query =
            sqlx::query(sqlx::AssertSqlSafe(sql(stage))).bind(now.as_microsecond() as f64 / 1e6).fetch_one(pool);
        let row = query.await?;
        let last = timestamp(&row, "last")?;
        let is_first = stage.1 == stage.2;
        stages.push(Stage {
            stage: stage.0,
            last,
            age_seconds: last.map(|last| (now.as_second() - last.as_second()).max(0)),
            objects_hour: row.try_get("objects_hour")?,
            objects_day: row.try_get("objects_day")?,
            candles_day: row.try_get("candles_day")?,
            lag_median_seconds: row.try_get::<Option<f64>, _>("median")?.filter(|_| !is_first),
            lag_p95_seconds: row.try_get::<Option<f64>, _>("p95")?.filter(|_| !is_first),
        });
    }
    Ok(stages)
}
