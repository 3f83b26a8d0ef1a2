//! What a person sees while the stack is up: each object that is loaded, each message that is given up, each alert.

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

/// The channel on which the database tells of loads, runs and alerts.
const CHANNEL: &str = "candlewick";

/// When it is looked again although the database told nothing: a queue may move a message by itself.
const LOOK: Duration = Duration::from_secs(30);

/// For how long what comes together is one look.
const GATHER: Duration = Duration::from_millis(250);

/// An object as the ledger has it, for telling one load from the next.
type Load = (String, Option<String>, Option<Timestamp>);

/// Tells of what happens, for as long as it is let. Returns only an error.
pub async fn watch(running: &Running, progress: &Reporter) -> anyhow::Result<Infallible> {
    let mut loads: BTreeSet<Load> = ledger(running).await?.into_iter().map(|(load, _)| load).collect();
    let mut count = dead(running).await?;
    let mut letters = letters(running).await?;
    let mut wrong = BTreeSet::new();
    let mut told = PgListener::connect_with(&running.pool).await.context("listen to the database")?;
    told.listen(CHANNEL).await.context("listen to the database")?;
    loop {
        if let Ok(notice) = timeout(LOOK, told.recv()).await {
            notice.context("listen to the database")?;
            let more = async { while told.recv().await.is_ok() {} };
            let _ = timeout(GATHER, more).await;
        }
        let now = ledger(running).await?;
        now.iter().filter(|(load, _)| !loads.contains(load)).for_each(|(_, text)| progress.line("loaded", text));
        loads = now.into_iter().map(|(load, _)| load).collect();
        let dead = dead(running).await?;
        if dead != count {
            let now = self::letters(running).await?;
            now.difference(&letters).for_each(|letter| progress.line("failed", letter));
            (count, letters) = (dead, now);
        }
        let now = self::wrong(running).await?;
        now.difference(&wrong).for_each(|alert| progress.line("alert", alert));
        wrong.difference(&now).for_each(|alert| progress.line("resolved", alert));
        wrong = now;
    }
}

const LEDGER: &str = "select key, etag, loaded_at, symbol, interval, rows_total,
    rows_inserted, rows_updated, rows_removed from objects where etag is not null";

async fn ledger(running: &Running) -> anyhow::Result<Vec<(Load, String)>> {
    let rows = sqlx::query(LEDGER).fetch_all(&running.pool).await.context("read the ledger")?;
    Ok(rows.iter().map(|row| ((row.get(0), row.get(1), loaded_at(row)), told(row))).collect())
}

fn loaded_at(row: &sqlx::postgres::PgRow) -> Option<Timestamp> {
    row.get::<Option<SqlTimestamp>, _>(2).map(SqlTimestamp::to_jiff)
}

fn told(row: &sqlx::postgres::PgRow) -> String {
    let (symbol, interval): (String, String) = (row.get(3), row.get(4));
    let [total, inserted, updated, removed] = [5, 6, 7, 8].map(|column| row.get::<i64, _>(column));
    format!("{symbol} {interval}: {total} candles ({inserted} new, {updated} changed, {removed} removed)")
}

/// How many dead letters there are.
async fn dead(running: &Running) -> anyhow::Result<u64> {
    Ok(status::messages(&running.aws, &running.addresses.env()).await?.1)
}

async fn letters(running: &Running) -> anyhow::Result<BTreeSet<String>> {
    let letters = dead_letters::look(&running.aws, &running.addresses.env()).await?;
    Ok(letters.into_iter().map(|letter| format!("{}: {}", letter.stage, letter.reason)).collect())
}

/// What is wrong, but for messages that were given up: those are told of already, and sooner.
async fn wrong(running: &Running) -> anyhow::Result<BTreeSet<String>> {
    let is_told = |known: &Known| matches!(known.alert.kind, Kind::DeadLetter | Kind::IngestFailed);
    let open = alerts::read(&running.pool, false).await?;
    let told = |known: Known| format!("{}: {}: {}", known.alert.kind, known.alert.subject, known.alert.text);
    Ok(open.into_iter().filter(|known| !is_told(known)).map(told).collect())
}
