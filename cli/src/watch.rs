//! Prints each load, each dead letter and each alert while the stack is up.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context;
use candlewick_localstack::progress::Reporter;
use candlewick_localstack::stack::Running;
use candlewick_notifier::alerts::KnownAlert;
use candlewick_shared::adapters::database::DbTime;
use candlewick_shared::core::alert::Kind;
use jiff::Timestamp;
use serde::Deserialize;
use sqlx::FromRow;
use sqlx::postgres::{PgListener, PgNotification};
use tokio::time::timeout;

use crate::{alerts, status};

/// The channel on which the database notifies of loads, runs and alerts.
const CHANNEL: &str = "candlewick";

/// How often dead letters are counted without a notification: SQS itself may move a message to the dead letters.
const POLL: Duration = Duration::from_secs(60);

/// How long notifications that follow each other are gathered.
const GATHER: Duration = Duration::from_millis(250);

/// The version of each object in the ledger that was last read, by key.
type Loads = BTreeMap<String, (Option<String>, Option<Timestamp>)>;

/// What the notices of a moment were about.
#[derive(Default)]
struct News {
    /// The objects that were loaded.
    keys: BTreeSet<String>,
    is_alert: bool,
    /// Notices may be missing, because the connection was lost.
    is_gap: bool,
}

/// A notice of the database; other kinds have no key.
#[derive(Deserialize)]
struct Notice {
    kind: String,
    key: Option<String>,
}

/// Says what happens until it is dropped. Returns only an error.
pub async fn watch(running: &Running, progress: &Reporter) -> anyhow::Result<Infallible> {
    let mut listener = PgListener::connect_with(&running.pool).await.context("listen to the database")?;
    listener.listen(CHANNEL).await.context("listen to the database")?;
    let mut loads = Loads::new();
    read_ledger(running, None, &mut loads).await?;
    let mut count = dead_letter_count(running).await?;
    let mut letters = letters(running).await?;
    let mut firing = BTreeSet::new();
    loop {
        let news = timeout(POLL, listen(&mut listener)).await.ok().transpose()?;
        let is_silent = news.is_none();
        let News { keys, is_alert, is_gap } = news.unwrap_or_default();
        if is_gap || !keys.is_empty() {
            let keys = (!is_gap).then_some(keys);
            let new = read_ledger(running, keys.as_ref(), &mut loads).await?;
            new.iter().for_each(|text| progress.line("loaded", text));
        }
        if !(is_alert || is_gap || is_silent) {
            continue;
        }
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

/// The next notice, and those that follow at once.
async fn listen(listener: &mut PgListener) -> anyhow::Result<News> {
    let mut news = News::default();
    news.take(listener.try_recv().await.context("listen to the database")?);
    let more = async {
        while let Ok(notice) = listener.try_recv().await {
            news.take(notice);
        }
    };
    let _ = timeout(GATHER, more).await;
    Ok(news)
}

impl News {
    fn take(&mut self, notice: Option<PgNotification>) {
        let Some(notice) = notice else {
            self.is_gap = true;
            return;
        };
        // A later version may have other kinds.
        if let Ok(Notice { kind, key }) = serde_json::from_str(notice.payload()) {
            self.is_alert |= kind == "alert";
            self.keys.extend(key.filter(|_| kind == "loaded"));
        }
    }
}

const LEDGER: &str = "select key, etag, loaded_at, symbol, interval, rows_total,
    rows_inserted, rows_updated, rows_removed from objects where etag is not null and ($1::text[] is null or key = any($1))";

/// Reads the ledger, or these objects of it, and returns what was loaded since it was last read.
async fn read_ledger(
    running: &Running,
    keys: Option<&BTreeSet<String>>,
    loads: &mut Loads,
) -> anyhow::Result<Vec<String>> {
    let keys: Option<Vec<&String>> = keys.map(|keys| keys.iter().collect());
    let rows: Vec<LoadedObject> =
        sqlx::query_as(LEDGER).bind(keys).fetch_all(&running.pool).await.context("read the ledger")?;
    let is_new = |row: &&LoadedObject| {
        let version = (row.etag.clone(), row.loaded_at.map(|time| time.0));
        loads.insert(row.key.clone(), version.clone()) != Some(version)
    };
    Ok(rows.iter().filter(is_new).map(LoadedObject::text).collect())
}

#[derive(FromRow)]
struct LoadedObject {
    key: String,
    etag: Option<String>,
    loaded_at: Option<DbTime>,
    symbol: String,
    interval: String,
    rows_total: i64,
    rows_inserted: i64,
    rows_updated: i64,
    rows_removed: i64,
}

impl LoadedObject {
    fn text(&self) -> String {
        let Self { symbol, interval, rows_total, rows_inserted, rows_updated, rows_removed, .. } = self;
        format!(
            "{symbol} {interval}: {rows_total} candles ({rows_inserted} new, {rows_updated} changed, {rows_removed} removed)"
        )
    }
}

async fn dead_letter_count(running: &Running) -> anyhow::Result<u64> {
    status::dead_letters(&running.aws, &running.addresses.env()).await
}

async fn letters(running: &Running) -> anyhow::Result<BTreeSet<String>> {
    let letters = status::letters(&running.aws, &running.addresses.env()).await?;
    Ok(letters.into_iter().map(|letter| format!("{}: {}", letter.stage, letter.reason)).collect())
}

/// Reads the alerts that are firing, without those about dead letters, which are already printed.
async fn firing_alerts(running: &Running) -> anyhow::Result<BTreeSet<String>> {
    let is_printed = |known: &KnownAlert| matches!(known.alert.kind, Kind::DeadLetter | Kind::IngestFailed);
    let open = alerts::read(&running.pool, false).await?;
    let text = |known: KnownAlert| format!("{}: {}: {}", known.alert.kind, known.alert.subject, known.alert.text);
    Ok(open.into_iter().filter(|known| !is_printed(known)).map(text).collect())
}
