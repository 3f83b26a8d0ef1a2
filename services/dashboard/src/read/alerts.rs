//! Alerts to the owner, with the commands to run next.

use candlewick_shared::core::alert::Kind;
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::reads::alerts::{self, AlertRow};
use serde::Serialize;
use sqlx::PgPool;
use utoipa::ToSchema;

use crate::query::page::{Page, Paged};

/// An alert to the owner, firing or resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Alert)]
pub struct ShownAlert {
    #[serde(flatten)]
    pub row: AlertRow,
    /// The commands to run next; null if the kind is unknown.
    pub next: Option<String>,
}

impl From<AlertRow> for ShownAlert {
    fn from(row: AlertRow) -> Self {
        let symbol = row.symbol.as_ref().and_then(|symbol| symbol.parse::<Symbol>().ok());
        let next = row.kind.parse::<Kind>().ok().map(|kind| kind.next_step(&row.stage, symbol.as_ref()));
        Self { row, next }
    }
}

/// A page of alerts, newest first.
pub async fn page(pool: &PgPool, paged: &Paged) -> sqlx::Result<Page<ShownAlert>> {
    let rows = alerts::page(pool, paged.after, false, paged.one_more()).await?;
    Ok(Page::of(rows.into_iter().map(ShownAlert::from).collect(), paged, |alert| alert.row.id))
}

/// The firing alerts, newest first.
pub async fn firing(pool: &PgPool, most: u32) -> sqlx::Result<Vec<ShownAlert>> {
    let rows = alerts::page(pool, None, true, i64::from(most)).await?;
    Ok(rows.into_iter().map(ShownAlert::from).collect())
}
