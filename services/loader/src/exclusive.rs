//! Loads an object whose time span no other object of its series overlaps.

use sqlx::PgConnection;

use crate::binary::{COLUMNS, Frame};
use crate::claim::{Claim, Counts};
use crate::copy;
use crate::failure::{DatabaseError, DbContext, ToSqlx};
use crate::merge::{self, Written};
use crate::{inserted, lost, staging};

/// Copies the candles of an object that has no rows in the table yet.
pub async fn insert(database: &mut PgConnection, claim: Claim<'_>) -> Result<Counts, DatabaseError> {
    let series = &claim.key.path.series;
    let frame = Frame::default()
        .text_before(series.symbol.as_str())
        .text_before(series.interval.as_str())
        .bigint_after(claim.object);
    let table = format!("candles (symbol, interval, {COLUMNS}, object_id)");
    copy::candles_in(&mut *database, &table, &frame, claim.candles).await?;
    let inserted_from = match (claim.candles.first(), claim.candles.last()) {
        (Some(first), Some(last)) => inserted::record_span(database, claim, first.time, last.time).await?,
        _ => None,
    };
    Ok(Counts { inserted: claim.candles.len() as i64, inserted_from, ..Counts::default() })
}

/// Compares the object's rows with its new version and writes the difference.
pub async fn replace(database: &mut PgConnection, claim: Claim<'_>) -> Result<Counts, DatabaseError> {
    let difference = copy::difference(&mut *database, claim.object, claim.candles).await?;
    let lost = lost::before_replacing(&mut *database, claim, difference.losses).await?;
    let removed = difference.removed.len() as i64;
    if removed > 0 {
        let times: Vec<_> =
            difference.removed.iter().filter_map(|time| time.timestamp()).map(ToSqlx::to_sqlx).collect();
        claim.bound(REMOVE).bind(times).execute(&mut *database).await.db_context("remove missing candles")?;
    }
    let mut written = Written::default();
    if !difference.rows.is_empty() {
        staging::stage_rows(&mut *database, &difference.rows).await?;
        written = merge::write(database, claim).await?;
    }
    let Written { inserted, updated, inserted_from } = written;
    Ok(Counts { inserted, updated, unchanged: difference.unchanged, removed, lost, inserted_from })
}

const REMOVE: &str =
    "delete from candles c where c.symbol = $2 and c.interval = $3 and c.time = any($4) and c.object_id = $1";
