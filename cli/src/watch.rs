//! Prints each load, each dead letter and each alert while the stack is up.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context;
use candlewick_localstack::progress::Reporter;
use candlewick_localstack::stack::Running;
use candlewick_notifier::alerts::Known;
use candlewick_shared::adapters::database::SqlTimestamp;
use candlewick_shared::core::alert::Kind;
use jiff::Timestamp;
use sqlx::Row;
use sqlx::postgres::PgListener;
use tokio::time::timeout;

use crate::{alerts, dead_letters, status};

/// The channel on which the database notifies of loads, runs and alerts.
const CHANNEL: &str = "candlewick";

/// How often everything is read again without a notification: SQS itself may move a message to the dead letters.
const POLL: Duration = Duration::from_secs(30);

/// How long notifications that follow each other are gathered.
const GATHER: Duration = Duration::from_millis(250);

/// Key, ETag and time of a load, which identify it.
type Load = (String, Option<String>, Option<Timestamp>);

/// Prints what happens until it is dropped. Returns only after an error.
pub async fn watch(running: &Running, progress: &Reporter) -> anyhow::Result<Infallible> {
    let mut loads: BTreeSet<Load> = ledger(running).await?.into_iter().map(|(load, _)| load).collect();
    let mut count = dead_letter_count(running).await?;
    let mut letters = letters(running).await?;
    let mut firing = BTreeSet::new();
    let mut listener = PgListener::connect_with(&running.pool).await.context("listen to the database")?;
    listener.listen(CHANNEL).await.context("listen to the database")?;
    loop {
        if let Ok(notice) = timeout(POLL, listener.recv()).await {
            notice.context("listen to the database")?;
            let more = async { while listener.recv().await.is_ok() {} };
            let _ = timeout(GATHER, more).await;
        }
        let now = ledger(running).await?;
        now.iter().filter(|(load, _)| !loads.contains(load)).for_each(|(_, text)| progress.line("loaded", text));
        loads = now.into_iter().map(|(load, _)| load).collect();
        let new_count = dead_letter_count(running).await?;
        if new_count != count {
            let now = self::letters(running).await?;
            now.difference(&letters).for_each(|letter| progress.line("failed", letter));
            count = new_count;
            letters = now;
        }
        let now = firing_alerts(running).await?;
        now.difference(&firing).for_each(|alert| progress.line("alert", alert));
        firing.difference(&now).for_each(|alert| progress.line("resolved", alert));
        firing = now;
    }
}

const LEDGER: &str = "select key, etag, loaded_at, symbol, interval, rows_total,
    rows_inserted, rows_updated, rows_removed from objects where etag is not null";

async fn ledger(running: &Running) -> anyhow::Result<Vec<(Load, String)>> {
    let rows = sqlx::query(LEDGER).fetch_all(&running.pool).await.context("read the objects ledger")?;
    Ok(rows.iter().map(|row| ((row.get(0), row.get(1), loaded_at(row)), load_text(row))).collect())
}

fn loaded_at(row: &sqlx::postgres::PgRow) -> Option<Timestamp> {
    row.get::<Option<SqlTimestamp>, _>(2).map(SqlTimestamp::to_jiff)
}

fn load_text(row: &sqlx::postgres::PgRow) -> String {
    let symbol: String = row.get(3);
    let interval: String = row.get(4);
    let [total, inserted, updated, removed] = [5, 6, 7, 8].map(|column| row.get::<i64, _>(column));
    format!("{symbol} {interval}: {total} candles ({inserted} new, {updated} changed, {removed} removed)")
}

async fn dead_letter_count(running: &Running) -> anyhow::Result<u64> {
    Ok(status::messages(&running.aws, &running.addresses.env()).await?.1)
}

async fn letters(running: &Running) -> anyhow::Result<BTreeSet<String>> {
    let letters = dead_letters::browse(&running.aws, &running.addresses.env()).await?;
    Ok(letters.into_iter().map(|letter| format!("{}: {}", letter.stage, letter.reason)).collect())
}

/// Reads the alerts that are firing, without those about dead letters, which are already printed.
async fn firing_alerts(running: &Running) -> anyhow::Result<BTreeSet<String>> {
    let is_printed = |known: &Known| matches!(known.alert.kind, Kind::DeadLetter | Kind::IngestFailed);
    let open = alerts::read(&running.pool, false).await?;
    let text = |known: Known| format!("{}: {}: {}", known.alert.kind, known.alert.subject, known.alert.text);
    Ok(open.into_iter().filter(|known| !is_printed(known)).map(text).collect())
}
