//! What the owner was told: the one place that knows the alerts' table.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::{PgPool, Row};
use utoipa::ToSchema;

use super::objects::timestamp;
use crate::query::page::{Page, Paged};

/// Something the owner should know, open or well again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Alert {
    /// Its id.
    pub id: i64,
    /// What kind of thing it is: `dead_letter`.
    pub kind: String,
    /// The service that raised it.
    pub stage: String,
    /// `firing` while it is wrong, `resolved` once it is well again.
    pub state: String,
    /// What it affects.
    pub subject: String,
    /// What happened, and what to do next.
    pub text: String,
    /// The trace it belongs to.
    pub trace_id: Option<String>,
    /// How often it was raised since it was last well.
    pub occurrences: i64,
    /// Since when it is wrong.
    #[schema(value_type = Option<String>)]
    pub raised_at: Option<Timestamp>,
    /// When it was last raised.
    #[schema(value_type = Option<String>)]
    pub last_at: Option<Timestamp>,
    /// Since when it is well again.
    #[schema(value_type = Option<String>)]
    pub resolved_at: Option<Timestamp>,
}

const ALERTS: &str = "select id, kind, stage, state, subject, text, trace_id, occurrences,
        extract(epoch from raised_at)::float8 as raised_at, extract(epoch from last_at)::float8 as last_at,
        extract(epoch from resolved_at)::float8 as resolved_at
    from alerts where $1::bigint is null or id < $1 order by id desc limit $2";

/// A page of what the owner was told, the newest first.
///
/// # Errors
/// The database's.
pub async fn page(pool: &PgPool, paged: &Paged) -> sqlx::Result<Page<Alert>> {
    let rows = sqlx::query(ALERTS).bind(paged.after).bind(i64::from(paged.limit()) + 1).fetch_all(pool).await?;
    let alert = |row: &sqlx::postgres::PgRow| {
        Ok(Alert {
            id: row.try_get("id")?,
            kind: row.try_get("kind")?,
            stage: row.try_get("stage")?,
            state: row.try_get("state")?,
            subject: row.try_get("subject")?,
            text: row.try_get("text")?,
            trace_id: row.try_get("trace_id")?,
            occurrences: row.try_get("occurrences")?,
            raised_at: timestamp(row, "raised_at")?,
            last_at: timestamp(row, "last_at")?,
            resolved_at: timestamp(row, "resolved_at")?,
        })
    };
    Ok(Page::of(rows.iter().map(alert).collect::<sqlx::Result<_>>()?, paged, |alert: &Alert| alert.id))
}
