//! The table of alerts: what is wrong, since when, and what the owner was told of it.

use anyhow::Context;
use candlewick_shared::adapters::database::{SqlTimestamp, ToSqlx};
use candlewick_shared::core::alert::{Alert, AlertEvent, Kind, State};
use candlewick_shared::core::key::Series;
use candlewick_shared::core::message_subject::path_of;
use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use crate::plan::{Due, Group, Standing, Told};

/// An alert as the table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub id: i64,
    /// The service that raised it.
    pub stage: String,
    /// What it says.
    pub alert: Alert,
    /// Since when it is wrong, by Candlewick's clock.
    pub raised_at: Timestamp,
    /// How often it was raised since.
    pub occurrences: i64,
    /// Whether an object that it is about was loaded since it was raised.
    pub loaded_since: bool,
    /// Whether its series ended loaded or unchanged in its run after all, or in one that began later.
    pub renewed_since: bool,
    /// Since when it is in its state, by the machine's clock.
    pub changed_at: Timestamp,
    /// What the owner was told last.
    pub told: Option<Told>,
}

/// Keeps other notifiers from deciding at the same time, until the transaction ends.
pub async fn lock(database: &mut PgConnection) -> sqlx::Result<()> {
    let query = "select pg_advisory_xact_lock(hashtextextended('candlewick alerts', 0))";
    sqlx::query(query).execute(database).await.map(|_| ())
}

/// Writes down an event, unless it is known, and says whether it is new. `now` is the machine's time.
pub async fn take_in(database: &mut PgConnection, event: &AlertEvent, now: Timestamp) -> sqlx::Result<bool> {
    let query = "insert into alert_events (id, kind, stage, state, received_at)
        values ($1, $2, $3, $4, $5) on conflict do nothing";
    let query = sqlx::query(query)
        .bind(&event.id)
        .bind(event.alert.kind.as_str())
        .bind(&event.stage)
        .bind(event.alert.state.as_str())
        .bind(now.to_sqlx());
    let seen = query.execute(&mut *database).await?;
    if seen.rows_affected() == 0 {
        return Ok(false);
    }
    write(database, &event.stage, &event.alert, event.at, now).await?;
    Ok(true)
}

/// The newest word on an alert counts, and its time decides which that is: messages overtake each other. That something is well
/// may be said when it was never wrong, or for the second time: that is kept for its time, and changes nothing else.
const WRITE: &str = "insert into alerts as known
    (kind, stage, class, subject, state, text, symbol, interval, key, run, trace_id,
     object_key, raised_at, last_at, resolved_at, occurrences, changed_at, loaded_before)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $14, $12, $12,
            case when $5 = 'resolved' then $12 end, case when $5 = 'firing' then 1 else 0 end,
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

/// Writes down what is said of an alert: `at` by Candlewick's clock, `now` by the machine's.
pub async fn write(
    database: &mut PgConnection,
    stage: &str,
    alert: &Alert,
    at: Timestamp,
    now: Timestamp,
) -> sqlx::Result<()> {
    let clean_key = alert.key.as_deref().and_then(path_of).map(|path| path.transformed_key());
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
        .bind(clean_key);
    query.execute(database).await.map(|_| ())
}

/// Runs are put in order by the machine's clock: the simulator's begins anew with each start of the stack.
const READ: &str = "select id, stage, kind, state, subject, class, text, symbol, interval, key, run, trace_id,
    raised_at, occurrences, changed_at, told_state, told_at,
    (select max(o.loaded_at) from objects o
     where case when object_key is null then (o.symbol, o.interval) = (a.symbol, a.interval)
           else o.key = object_key end) is distinct from loaded_before as loaded_since,
    exists (select from run_series s join runs r on r.id = s.run left join runs own on own.id = a.run
            where (s.symbol, s.interval) = (a.symbol, a.interval) and s.state in ('loaded', 'unchanged')
                and r.started_at + r.clock_lag >= coalesce(own.started_at + own.clock_lag, a.changed_at)) as renewed_since
    from alerts a where $1 and occurrences > 0 or state = 'firing' or told_state = 'firing' order by raised_at, id";

/// Every alert that is wrong, or that the owner believes to be wrong; the oldest first.
pub async fn open(database: &mut PgConnection) -> anyhow::Result<Vec<Known>> {
    read(database, false).await
}

/// Every alert, also what is over; the oldest first.
pub async fn all(database: &mut PgConnection) -> anyhow::Result<Vec<Known>> {
    read(database, true).await
}

async fn read(database: &mut PgConnection, all: bool) -> anyhow::Result<Vec<Known>> {
    let rows = sqlx::query(READ).bind(all).fetch_all(database).await.context("read the alerts")?;
    rows.iter().map(known).collect()
}

fn known(row: &PgRow) -> anyhow::Result<Known> {
    let text = |column: &str| row.try_get::<String, _>(column).with_context(|| format!("read alerts.{column}"));
    let optional = |column: &str| row.try_get::<Option<String>, _>(column).ok().flatten();
    let series = optional("symbol").zip(optional("interval"));
    let series =
        series.map(|(symbol, interval)| anyhow::Ok(Series { symbol: symbol.parse()?, interval: interval.parse()? }));
    let told = optional("told_state").zip(row.try_get::<Option<SqlTimestamp>, _>("told_at")?);
    let alert = Alert::new(text("kind")?.parse::<Kind>()?, text("subject")?, text("text")?);
    let alert = alert.class(text("class")?).series(series.transpose()?).key(optional("key"));
    let alert = alert.run(optional("run")).traced(optional("trace_id"));
    Ok(Known {
        id: row.try_get("id")?,
        stage: text("stage")?,
        alert: if text("state")? == State::Resolved.as_str() { alert.resolved() } else { alert },
        raised_at: row.try_get::<SqlTimestamp, _>("raised_at")?.to_jiff(),
        occurrences: row.try_get("occurrences")?,
        loaded_since: row.try_get("loaded_since")?,
        renewed_since: row.try_get("renewed_since")?,
        changed_at: row.try_get::<SqlTimestamp, _>("changed_at")?.to_jiff(),
        told: told.map(|(state, at)| Told { state: told_state(&state), at: at.to_jiff() }),
    })
}

fn told_state(text: &str) -> State {
    if text == State::Firing.as_str() { State::Firing } else { State::Resolved }
}

impl Known {
    /// What the plan needs to know of it.
    pub fn standing(&self) -> Standing {
        Standing {
            id: self.id,
            group: Group { kind: self.alert.kind, stage: self.stage.clone() },
            state: self.alert.state,
            changed_at: self.changed_at,
            told: self.told,
        }
    }
}

/// Notes what the owner is told. News is over once it is told.
pub async fn tell(database: &mut PgConnection, due: &Due, now: Timestamp) -> sqlx::Result<()> {
    let over = if due.group.kind.is_news() { State::Resolved } else { State::Firing };
    for (ids, state) in [(&due.firing, over), (&due.resolved, State::Resolved)] {
        let query = "update alerts set told_state = $2, told_at = $3,
            state = case when $4 then 'resolved' else state end where id = any($1)";
        let is_over = due.group.kind.is_news();
        sqlx::query(query)
            .bind(ids)
            .bind(state.as_str())
            .bind(now.to_sqlx())
            .bind(is_over)
            .execute(&mut *database)
            .await?;
    }
    Ok(())
}

/// Brings times that lie in the future back to now. The simulator's clock begins anew with each start of the stack, and what
/// was said in its former life would otherwise count as newer than anything said now.
pub async fn settle_clock(database: &mut PgConnection, now: Timestamp) -> sqlx::Result<()> {
    let query = "update alerts set raised_at = least(raised_at, $1),
        last_at = $1 where last_at > $1";
    sqlx::query(query).bind(now.to_sqlx()).execute(database).await.map(|_| ())
}
