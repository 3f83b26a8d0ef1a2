//! What a person sees while the stack is up: each object that is loaded, each message that is given up, each alert.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context;
use candlewick_localstack::progress::Reporter;
use candlewick_localstack::stack::Running;
use candlewick_notifier::alerts::Known;
use candlewick_shared::core::alert::Kind;
use serde::Deserialize;
use sqlx::Row;
use sqlx::postgres::{PgListener, PgNotification, PgRow};
use tokio::time::timeout;

use crate::{alerts, dead_letters, status};

/// The channel on which the database tells of loads, runs and alerts.
const CHANNEL: &str = "candlewick";

/// How often dead letters are counted although the database said nothing: a queue may move a message by itself.
const LOOK: Duration = Duration::from_secs(60);

/// For how long notices are gathered before anything is read.
const GATHER: Duration = Duration::from_millis(250);

/// The version of each object in the ledger that was last read, by key.
type Loads = BTreeMap<String, (Option<String>, Option<i64>)>;

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
///
/// # Errors
/// A queue or a database that does not answer.
pub async fn watch(running: &Running, progress: &Reporter) -> anyhow::Result<Infallible> {
    let mut listener = PgListener::connect_with(&running.pool).await.context("listen to the database")?;
    listener.listen(CHANNEL).await.context("listen to the database")?;
    let mut loads = Loads::new();
    read_ledger(running, None, &mut loads).await?;
    let (mut count, mut letters) = (dead(running).await?, letters(running).await?);
    let mut wrong = BTreeSet::new();
    loop {
        let news = timeout(LOOK, listen(&mut listener)).await.ok().transpose()?;
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
        // A kind of a later version is none of ours.
        if let Ok(Notice { kind, key }) = serde_json::from_str(notice.payload()) {
            self.is_alert |= kind == "alert";
            self.keys.extend(key.filter(|_| kind == "loaded"));
        }
    }
}

const LEDGER: &str = "select key, etag, (extract(epoch from loaded_at) * 1e6)::bigint, symbol, interval, rows_total,
    rows_inserted, rows_updated, rows_removed from objects where etag is not null and ($1::text[] is null or key = any($1))";

/// Reads the ledger, or these objects of it, and returns what was loaded since it was last read.
async fn read_ledger(
    running: &Running,
    keys: Option<&BTreeSet<String>>,
    loads: &mut Loads,
) -> anyhow::Result<Vec<String>> {
    let keys: Option<Vec<&String>> = keys.map(|keys| keys.iter().collect());
    let rows = sqlx::query(LEDGER).bind(keys).fetch_all(&running.pool).await.context("read the ledger")?;
    let is_new = |row: &&PgRow| {
        let version = (row.get(1), row.get(2));
        loads.insert(row.get(0), version.clone()) != Some(version)
    };
    Ok(rows.iter().filter(is_new).map(told).collect())
}

fn told(row: &PgRow) -> String {
    let (symbol, interval): (String, String) = (row.get(3), row.get(4));
    let [total, inserted, updated, removed] = [5, 6, 7, 8].map(|column| row.get::<i64, _>(column));
    format!("{symbol} {interval}: {total} candles ({inserted} new, {updated} changed, {removed} removed)")
}

/// How many dead letters there are.
async fn dead(running: &Running) -> anyhow::Result<u64> {
    status::dead_letters(&running.aws, &running.addresses.env()).await
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
