//! Loads an object whose time span no other object of its series overlaps.

use sqlx::PgConnection;

use crate::binary::{COLUMNS, Frame};
use crate::claim::{Claim, Counts};
use crate::copy;
use crate::failure::{DatabaseError, DbContext, ToSqlx};
use crate::{lost, merge, staging};

/// Copies the candles of an object that has no rows in the table yet.
pub async fn insert(database: &mut PgConnection, claim: Claim<'_>) -> Result<Counts, DatabaseError> {
    let series = &claim.key.path.series;
    let frame = Frame::default()
        .text_before(series.symbol.as_str())
        .text_before(series.interval.as_str())
        .bigint_after(claim.object);
    let table = format!("candles (symbol, interval, {COLUMNS}, object_id)");
    copy::candles_in(database, &table, &frame, claim.candles).await?;
    Ok(Counts { inserted: claim.candles.len() as i64, ..Counts::default() })
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
    let mut inserted = 0;
    let mut updated = 0;
    if !difference.rows.is_empty() {
        staging::stage_rows(&mut *database, &difference.rows).await?;
        (inserted, updated) = merge::write(database, claim).await?;
    }
    Ok(Counts { inserted, updated, unchanged: difference.unchanged, removed, lost })
}

const REMOVE: &str =
    "delete from candles c where c.symbol = $2 and c.interval = $3 and c.time = any($4) and c.object_id = $1";
