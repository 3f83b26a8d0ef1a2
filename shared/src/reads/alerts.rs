//! The alerts to the owner.

use serde::Serialize;
use sqlx::{FromRow, PgExecutor};
use utoipa::ToSchema;

use crate::adapters::database::DbTime;

/// A row of the table `alerts`.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, Serialize, ToSchema)]
pub struct AlertRow {
    /// The id of the alert.
    pub id: i64,
    /// The kind of the alert: `dead_letter`.
    pub kind: String,
    /// The service that raised it.
    pub stage: String,
    /// `firing` while the problem lasts, `resolved` after that.
    pub state: String,
    /// What it affects.
    pub subject: String,
    /// The class of failure within the kind; empty if the kind has no classes.
    #[serde(skip)]
    pub class: String,
    /// What happened, and what to do next.
    pub text: String,
    /// The symbol of the affected series.
    pub symbol: Option<String>,
    /// The interval of the affected series.
    pub interval: Option<String>,
    /// The key of the affected object.
    #[serde(skip)]
    pub key: Option<String>,
    /// The run during which it was raised.
    #[serde(skip)]
    pub run: Option<String>,
    /// The id of the affected object in the objects ledger.
    pub object_id: Option<i64>,
    /// The trace in which it was raised.
    pub trace_id: Option<String>,
    /// How often it was raised since it was last resolved.
    pub occurrences: i64,
    /// When the problem started, by Candlewick's clock.
    #[schema(value_type = String)]
    pub raised_at: DbTime,
    /// When it was last raised, by Candlewick's clock.
    #[schema(value_type = String)]
    pub last_at: DbTime,
    /// When it was resolved, by Candlewick's clock.
    #[schema(value_type = Option<String>)]
    pub resolved_at: Option<DbTime>,
    /// Since when it is in its state, in wall-clock time.
    #[serde(skip)]
    pub changed_at: DbTime,
    /// The state that the owner was last notified of.
    #[serde(skip)]
    pub told_state: Option<String>,
    /// When the owner was last notified, in wall-clock time.
    #[serde(skip)]
    pub told_at: Option<DbTime>,
    /// Whether its object or series was loaded since it was raised.
    #[serde(skip)]
    pub loaded_since: bool,
    /// Whether its series was loaded or unchanged after all, in its run or in a later one.
    #[serde(skip)]
    pub renewed_since: bool,
}

/// A query for alerts, given what comes after its FROM clause. Runs are ordered in wall-clock time, because simulated
/// time restarts with each start of the stack.
macro_rules! alerts {
    ($rest:literal) => {
        concat!(
            "select a.id, a.kind, a.stage, a.state, a.subject, a.class, a.text, a.symbol, a.interval, a.key, a.run,
                a.trace_id, a.occurrences, a.raised_at, a.last_at, a.resolved_at, a.changed_at, a.told_state, a.told_at,
                (select o.id from objects o where o.key = coalesce(a.object_key, a.key)) as object_id,
                (select max(o.loaded_at) from objects o
                 where case when a.object_key is null then (o.symbol, o.interval) = (a.symbol, a.interval)
                       else o.key = a.object_key end) is distinct from a.loaded_before as loaded_since,
                exists (select from run_series s join runs r on r.id = s.run left join runs own on own.id = a.run
                        where (s.symbol, s.interval) = (a.symbol, a.interval) and s.state in ('loaded', 'unchanged')
                            and r.started_at + r.clock_lag >= coalesce(own.started_at + own.clock_lag, a.changed_at))
                    as renewed_since
            from alerts a ",
            $rest
        )
    };
}

const OPEN: &str = alerts!("where a.state = 'firing' or a.told_state = 'firing' order by a.raised_at, a.id");

const ALL: &str =
    alerts!("where a.occurrences > 0 or a.state = 'firing' or a.told_state = 'firing' order by a.raised_at, a.id");

const PAGE: &str = alerts!(
    "where ($1::bigint is null or a.id < $1) and (a.state = 'firing' or a.occurrences > 0 and not $2)
    order by a.id desc limit $3"
);

/// The alerts that are firing, or that the owner believes to be firing; the oldest first.
///
/// # Errors
///
/// Returns an error if the database does not answer or rejects the query.
pub async fn open(database: impl PgExecutor<'_>) -> sqlx::Result<Vec<AlertRow>> {
    sqlx::query_as(OPEN).fetch_all(database).await
}

/// All alerts, including resolved ones; the oldest first.
///
/// # Errors
///
/// Returns an error if the database does not answer or rejects the query.
pub async fn all(database: impl PgExecutor<'_>) -> sqlx::Result<Vec<AlertRow>> {
    sqlx::query_as(ALL).fetch_all(database).await
}

/// Up to `most` alerts with ids below `after`, or only the firing ones; the newest first.
///
/// # Errors
///
/// Returns an error if the database does not answer or rejects the query.
pub async fn page(
    database: impl PgExecutor<'_>,
    after: Option<i64>,
    only_firing: bool,
    most: i64,
) -> sqlx::Result<Vec<AlertRow>> {
    sqlx::query_as(PAGE).bind(after).bind(only_firing).bind(most).fetch_all(database).await
}
