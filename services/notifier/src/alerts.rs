//! The table `alerts`: what is wrong, since when, and the last notification about it.

use anyhow::Context;
use candlewick_shared::adapters::database::ToSqlx;
use candlewick_shared::core::alert::{Alert, AlertEvent, Kind, State};
use candlewick_shared::core::key::Series;
use candlewick_shared::core::message_subject::path_of;
use candlewick_shared::reads;
use candlewick_shared::reads::alerts::AlertRow;
use jiff::Timestamp;
use sqlx::PgConnection;

use crate::plan::{Candidate, Due, Group, Notification};

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAlert {
    pub id: i64,
    /// The service that raised it.
    pub stage: String,
    pub alert: Alert,
    /// Since when it is firing, by `CLOCK`.
    pub raised_at: Timestamp,
    /// How often it was raised since then.
    pub occurrences: i64,
    /// Whether its object or series was loaded since it was raised.
    pub loaded_since: bool,
    /// Whether its series was loaded or unchanged after all, in its run or in a later one.
    pub renewed_since: bool,
    /// Since when it is in its state, in wall-clock time.
    pub changed_at: Timestamp,
    /// The last notification about it.
    pub notified: Option<Notification>,
}

/// Prevents other notifiers from planning or sweeping until the transaction ends.
pub async fn lock(database: &mut PgConnection) -> sqlx::Result<()> {
    let query = "select pg_advisory_xact_lock(hashtextextended('candlewick alerts', 0))";
    sqlx::query(query).execute(database).await.map(|_| ())
}

/// Records an event and applies it to its alert. Returns `false` if the event is recorded already. `now` is wall-clock time.
pub async fn record_event(database: &mut PgConnection, event: &AlertEvent, now: Timestamp) -> sqlx::Result<bool> {
    let query = "insert into alert_events (id, kind, stage, state, received_at)
        values ($1, $2, $3, $4, $5) on conflict do nothing";
    let query = sqlx::query(query)
        .bind(&event.id)
        .bind(event.alert.kind.as_str())
        .bind(&event.stage)
        .bind(event.alert.state.as_str())
        .bind(now.to_sqlx());
    let inserted = query.execute(&mut *database).await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    write(database, &event.stage, &event.alert, event.at, now).await?;
    Ok(true)
}

/// Messages may arrive in any order, so an event counts only if none of a later time was applied. An event that resolves an
/// alert that is not firing only records its time.
const WRITE: &str = "insert into alerts as known
    (kind, stage, class, subject, state, text, symbol, interval, key, run, trace_id,
     object_key, raised_at, last_at, resolved_at, occurrences, changed_at, loaded_before)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $14, $12, $12,
            case when $5 = 'resolved' then $12::timestamptz end, case when $5 = 'firing' then 1 else 0 end,
            $13,
            (select max(loaded_at) from objects where key = $14 or $14 is null and symbol = $7 and interval = $8))
    on conflict (kind, stage, class, subject) do update set
        state = excluded.state,
        text = case when excluded.state = 'firing' then excluded.text else known.text end,
        symbol = coalesce(excluded.symbol, known.symbol),
        interval = coalesce(excluded.interval, known.interval),
        key = coalesce(excluded.key, known.key),
        run = coalesce(excluded.run, known.run),
        trace_id = coalesce(excluded.trace_id, known.trace_id),
        object_key = coalesce(excluded.object_key, known.object_key),
        raised_at = case when known.state = 'resolved' and excluded.state = 'firing'
                         then excluded.raised_at else known.raised_at end,
        last_at = excluded.last_at,
        resolved_at = case when known.state = excluded.state then coalesce(known.resolved_at, excluded.resolved_at)
                           else excluded.resolved_at end,
        occurrences = case when known.state = 'resolved' and excluded.state = 'firing'
                           then 0 else known.occurrences end + excluded.occurrences,
        changed_at = case when known.state <> excluded.state then excluded.changed_at else known.changed_at end,
        loaded_before = case when excluded.state = 'firing' then excluded.loaded_before else known.loaded_before end
    where known.last_at <= excluded.last_at";

/// Raises or resolves an alert. `at` is by `CLOCK`, `now` in wall-clock time.
pub async fn write(
    database: &mut PgConnection,
    stage: &str,
    alert: &Alert,
    at: Timestamp,
    now: Timestamp,
) -> sqlx::Result<()> {
    let transformed_key = alert.key.as_deref().and_then(path_of).map(|path| path.transformed_key());
    let query = sqlx::query(WRITE)
        .bind(alert.kind.as_str())
        .bind(stage)
        .bind(&alert.class)
        .bind(&alert.subject)
        .bind(alert.state.as_str())
        .bind(&alert.text)
        .bind(alert.series.as_ref().map(|series| series.symbol.as_str()))
        .bind(alert.series.as_ref().map(|series| series.interval.as_str()))
        .bind(&alert.key)
        .bind(&alert.run)
        .bind(&alert.trace_id)
        .bind(at.to_sqlx())
        .bind(now.to_sqlx())
        .bind(transformed_key);
    query.execute(database).await.map(|_| ())
}

/// The alerts that are firing, or that the owner believes to be firing; the oldest first.
pub async fn open(database: &mut PgConnection) -> anyhow::Result<Vec<KnownAlert>> {
    parse(reads::alerts::open(database).await.context("read the alerts")?)
}

/// All alerts, including resolved ones; the oldest first.
pub async fn all(database: &mut PgConnection) -> anyhow::Result<Vec<KnownAlert>> {
    parse(reads::alerts::all(database).await.context("read the alerts")?)
}

fn parse(rows: Vec<AlertRow>) -> anyhow::Result<Vec<KnownAlert>> {
    rows.into_iter().map(KnownAlert::parse).collect()
}

fn state(text: &str) -> State {
    if text == State::Firing.as_str() { State::Firing } else { State::Resolved }
}

impl KnownAlert {
    fn parse(row: AlertRow) -> anyhow::Result<Self> {
        let series = row.symbol.zip(row.interval);
        let series = series
            .map(|(symbol, interval)| anyhow::Ok(Series { symbol: symbol.parse()?, interval: interval.parse()? }));
        let notified = row.told_state.zip(row.told_at);
        let alert = Alert::new(row.kind.parse::<Kind>()?, row.subject, row.text).class(row.class);
        let alert = alert.series(series.transpose()?).key(row.key).run(row.run).traced(row.trace_id);
        Ok(Self {
            id: row.id,
            stage: row.stage,
            alert: if state(&row.state) == State::Resolved { alert.resolved() } else { alert },
            raised_at: row.raised_at.0,
            occurrences: row.occurrences,
            loaded_since: row.loaded_since,
            renewed_since: row.renewed_since,
            changed_at: row.changed_at.0,
            notified: notified.map(|(told_state, at)| Notification { state: state(&told_state), at: at.0 }),
        })
    }

    /// The part of the alert that the plan needs.
    pub fn candidate(&self) -> Candidate {
        Candidate {
            id: self.id,
            group: Group { kind: self.alert.kind, stage: self.stage.clone() },
            state: self.alert.state,
            changed_at: self.changed_at,
            notified: self.notified,
        }
    }
}

/// Records a notification in its alerts. News is resolved by its notification.
pub async fn record_notified(database: &mut PgConnection, due: &Due, now: Timestamp) -> sqlx::Result<()> {
    let is_news = due.group.kind.is_news();
    let firing = if is_news { State::Resolved } else { State::Firing };
    for (ids, state) in [(&due.firing, firing), (&due.resolved, State::Resolved)] {
        let query = "update alerts set told_state = $2, told_at = $3,
            state = case when $4 then 'resolved' else state end where id = any($1)";
        sqlx::query(query)
            .bind(ids)
            .bind(state.as_str())
            .bind(now.to_sqlx())
            .bind(is_news)
            .execute(&mut *database)
            .await?;
    }
    Ok(())
}

/// Sets times in the future back to now. Simulated time restarts with each start of the stack, and events of an earlier start
/// would otherwise count as newer than any event now.
pub async fn settle_clock(database: &mut PgConnection, now: Timestamp) -> sqlx::Result<()> {
    let query = "update alerts set raised_at = least(raised_at, $1),
        last_at = $1 where last_at > $1";
    sqlx::query(query).bind(now.to_sqlx()).execute(database).await.map(|_| ())
}
