//! Alerts to the owner: the only module that queries the table of alerts.

use candlewick_shared::core::alert::Kind;
use candlewick_shared::core::symbol::Symbol;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use utoipa::ToSchema;

use super::objects::timestamp;
use crate::query::page::{Page, Paged};

/// An alert to the owner, firing or resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Alert {
    pub id: i64,
    /// The kind of the alert: `dead_letter`.
    pub kind: String,
    /// The service that raised it.
    pub stage: String,
    /// `firing` while the problem lasts, `resolved` after that.
    pub state: String,
    /// What it affects.
    pub subject: String,
    /// What happened, and what to do next.
    pub text: String,
    /// The commands to run next; null if the kind is unknown.
    pub next: Option<String>,
    /// The symbol of the affected series.
    pub symbol: Option<String>,
    /// The interval of the affected series.
    pub interval: Option<String>,
    /// The id of the affected object in the objects ledger.
    pub object_id: Option<i64>,
    /// The trace in which it was raised.
    pub trace_id: Option<String>,
    /// How often it was raised since it was last resolved.
    pub occurrences: i64,
    /// When the problem started.
    #[schema(value_type = Option<String>)]
    pub raised_at: Option<Timestamp>,
    /// When it was last raised.
    #[schema(value_type = Option<String>)]
    pub last_at: Option<Timestamp>,
    /// When it was resolved.
    #[schema(value_type = Option<String>)]
    pub resolved_at: Option<Timestamp>,
}

const ALERTS: &str = "select a.id, a.kind, a.stage, a.state, a.subject, a.text, a.trace_id, a.occurrences, a.symbol, a.interval,
        o.id as object_id, extract(epoch from a.raised_at)::float8 as raised_at, extract(epoch from a.last_at)::float8 as last_at,
        extract(epoch from a.resolved_at)::float8 as resolved_at
    from alerts a left join objects o on o.key = coalesce(a.object_key, a.key)
    where ($1::bigint is null or a.id < $1) and ($2::text is null or a.state = $2) and (a.state = 'firing' or a.occurrences > 0) order by a.id desc limit $3";

/// A page of alerts, newest first.
pub async fn page(pool: &PgPool, paged: &Paged) -> sqlx::Result<Page<Alert>> {
    let query = sqlx::query(ALERTS).bind(paged.after).bind(None::<&str>).bind(i64::from(paged.limit()) + 1);
    let rows = query.fetch_all(pool).await?;
    Ok(Page::of(rows.iter().map(alert).collect::<sqlx::Result<_>>()?, paged, |alert: &Alert| alert.id))
}

/// The firing alerts, newest first.
pub async fn firing(pool: &PgPool, most: u32) -> sqlx::Result<Vec<Alert>> {
    let query = sqlx::query(ALERTS).bind(None::<i64>).bind("firing").bind(i64::from(most));
    query.fetch_all(pool).await?.iter().map(alert).collect()
}

fn alert(row: &PgRow) -> sqlx::Result<Alert> {
    let kind: String = row.try_get("kind")?;
    let stage: String = row.try_get("stage")?;
    let symbol: Option<String> = row.try_get("symbol")?;
    Ok(Alert {
        id: row.try_get("id")?,
        next: next_step(&kind, &stage, symbol.as_deref()),
        kind,
        stage,
        symbol,
        interval: row.try_get("interval")?,
        object_id: row.try_get("object_id")?,
        state: row.try_get("state")?,
        subject: row.try_get("subject")?,
        text: row.try_get("text")?,
        trace_id: row.try_get("trace_id")?,
        occurrences: row.try_get("occurrences")?,
        raised_at: timestamp(row, "raised_at")?,
        last_at: timestamp(row, "last_at")?,
        resolved_at: timestamp(row, "resolved_at")?,
    })
}

fn next_step(kind: &str, stage: &str, symbol: Option<&str>) -> Option<String> {
    let symbol = symbol.and_then(|symbol| symbol.parse::<Symbol>().ok());
    kind.parse::<Kind>().ok().map(|kind| kind.next_step(stage, symbol.as_ref()))
}
