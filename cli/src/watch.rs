//! Prints each load, each dead letter and each alert while the stack is up.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context;
use candlewick_localstack::progress::Reporter;
use candlewick_localstack::stack::Running;
use candlewick_notifier::alerts::KnownAlert;
use candlewick_shared::adapters::database::DbTime;
use candlewick_shared::adapters::notices;
use candlewick_shared::core::alert::Kind;
use candlewick_shared::reads::dead_letters::DeadLetter;
use jiff::Timestamp;
use serde::Deserialize;
use sqlx::FromRow;
use sqlx::postgres::{PgListener, PgNotification};
use tokio::time::timeout;

use crate::{alerts, status};

/// How often dead letters are read without a notification: SQS itself may move a message to the dead letters.
const POLL: Duration = Duration::from_secs(60);

/// How long notifications that follow each other are gathered.
const GATHER: Duration = Duration::from_millis(250);

/// The version of each object in the ledger that was last read, by key.
type Loads = BTreeMap<String, (Option<String>, Option<Timestamp>)>;

/// The dead letters that were read since the start.
#[derive(Default)]
struct Letters {
    /// Their message ids. They are never forgotten: a letter that another program holds for a moment is not read then.
    known: BTreeSet<String>,
}

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
    let mut listener = notices::listen(&running.pool).await.context("listen to the database")?;
    let mut loads = Loads::new();
    read_ledger(running, None, &mut loads).await?;
    let mut letters = Letters::default();
    letters.take(read_letters(running).await?);
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
        let new = letters.take(read_letters(running).await?);
        new.iter().for_each(|text| progress.line("failed", text));
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

/// Reads the dead letters. Reading takes several calls for each queue, so empty queues are only counted.
async fn read_letters(running: &Running) -> anyhow::Result<Vec<DeadLetter>> {
    let env = running.addresses.env();
    match status::dead_letters(&running.aws, &env).await? {
        0 => Ok(Vec::new()),
        _ => status::letters(&running.aws, &env).await,
    }
}

impl Letters {
    /// Takes the letters that were read now, and returns a line for each new one. Counts are not compared, because one letter
    /// may arrive while another is redriven.
    fn take(&mut self, now: Vec<DeadLetter>) -> Vec<String> {
        let new = now.into_iter().filter(|letter| self.known.insert(letter.message.id.clone()));
        new.map(|letter| format!("{}: {}", letter.stage, letter.reason)).collect()
    }
}

/// Reads the alerts that are firing, without those about dead letters, which are already printed.
async fn firing_alerts(running: &Running) -> anyhow::Result<BTreeSet<String>> {
    let is_printed = |known: &KnownAlert| matches!(known.alert.kind, Kind::DeadLetter | Kind::IngestFailed);
    let open = alerts::read(&running.pool, false).await?;
    let text = |known: KnownAlert| format!("{}: {}: {}", known.alert.kind, known.alert.subject, known.alert.text);
    Ok(open.into_iter().filter(|known| !is_printed(known)).map(text).collect())
}

#[cfg(test)]
mod tests {
    use candlewick_shared::adapters::sqs_browse::Held;
    use candlewick_shared::ports::queue::{Message, Receipt};

    use super::*;

    fn dead(id: &str, reason: &str) -> DeadLetter {
        let attributes = [("stage", "loader"), ("reason", reason)];
        let attributes = attributes.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        let receipt = Receipt("receipt".to_owned());
        let message = Message { id: id.to_owned(), receipt, body: "x".to_owned(), receive_count: 1, attributes };
        DeadLetter::read("raw", Held { message, sent: None })
    }

    #[test]
    fn a_letter_that_takes_the_place_of_another_is_printed() {
        let mut letters = Letters::default();
        assert_eq!(letters.take(vec![dead("1", "line 3"), dead("2", "line 3")]), ["loader: line 3", "loader: line 3"]);
        assert_eq!(letters.take(vec![dead("2", "line 3"), dead("3", "line 4")]), ["loader: line 4"]);
        assert_eq!(letters.take(vec![dead("2", "line 3"), dead("3", "line 4")]).len(), 0);
    }
}
