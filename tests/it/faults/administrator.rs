//! Does to the database what administrators do by mistake: revokes rights, drops tables and schemas, sets timeouts.

use std::time::Duration;

use anyhow::bail;
use candlewick_shared::adapters::database::describe;
use sqlx::PgPool;
use tokio::time::{Instant, sleep};

use super::plan::Plan;
use super::support::Environment;
use super::traffic::until;

/// How long a mistake lasts if no service notices it. A service that met an outage may wait for half a minute.
const LONGEST: Duration = Duration::from_secs(45);

/// How long a change may be refused, by a server that restarts or by locks. It only bounds failures.
const PATIENCE: Duration = Duration::from_secs(60);

/// A mistake, which is corrected as soon as a service has noticed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    RevokedRights,
    DroppedTable,
    DroppedSchema,
    StatementTimeout,
}

/// Renamed tables and schemas are as absent as dropped ones, and can come back with their rows.
const RENAME_SCHEMA: &str = "do $$ begin
        if to_regnamespace('away') is null then alter schema public rename to away; end if; end $$";
const RENAME_SCHEMA_BACK: &str = "do $$ begin
        if to_regnamespace('away') is not null then alter schema away rename to public; end if; end $$";

/// A setting of a role is that of its next sessions, so the present ones are ended.
const SET_TIMEOUT: &str = "alter role candlewick_loader set statement_timeout = '1ms'";
const RESET_TIMEOUT: &str = "alter role candlewick_loader reset statement_timeout";
const END_SESSIONS: &str = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'candlewick_loader'";

impl Mistake {
    pub const ALL: [Self; 4] = [Self::RevokedRights, Self::DroppedTable, Self::DroppedSchema, Self::StatementTimeout];

    /// The name of this kind of fault.
    pub fn kind(self) -> &'static str {
        match self {
            Self::RevokedRights => "revoked rights",
            Self::DroppedTable => "dropped table",
            Self::DroppedSchema => "dropped schema",
            Self::StatementTimeout => "statement timeout",
        }
    }

    /// What a service logs when it notices the mistake.
    fn words(self) -> &'static str {
        match self {
            Self::RevokedRights => "SQLSTATE 42501",
            Self::DroppedTable | Self::DroppedSchema => "SQLSTATE 42P01",
            Self::StatementTimeout => "SQLSTATE 57014",
        }
    }

    /// Statements that make the mistake. They may be repeated. Every message of the loader needs the table `objects`.
    fn made(self) -> &'static [&'static str] {
        match self {
            Self::RevokedRights => &["revoke select on objects from loader_service"],
            Self::DroppedTable => &["alter table if exists objects rename to objects_away"],
            Self::DroppedSchema => &[RENAME_SCHEMA],
            Self::StatementTimeout => &[SET_TIMEOUT, END_SESSIONS],
        }
    }

    /// Statements that correct it. They may be repeated.
    fn corrected(self) -> &'static [&'static str] {
        match self {
            Self::RevokedRights => &["grant select on objects to loader_service"],
            Self::DroppedTable => &["alter table if exists objects_away rename to objects"],
            Self::DroppedSchema => &[RENAME_SCHEMA_BACK],
            Self::StatementTimeout => &[RESET_TIMEOUT, END_SESSIONS],
        }
    }

    pub async fn make(self, pool: &PgPool) -> anyhow::Result<()> {
        insist(pool, self.made()).await
    }

    pub async fn correct(self, pool: &PgPool) -> anyhow::Result<()> {
        insist(pool, self.corrected()).await
    }
}

/// Makes the planned mistakes one after another. A mistake that no service notices is not counted.
pub async fn err(environment: &Environment, plan: &Plan) -> anyhow::Result<()> {
    let start = Instant::now();
    for (at, mistake) in &plan.mistakes {
        until(start, *at).await;
        let before = environment.logged(mistake.words())?;
        mistake.make(&environment.pool).await?;
        let is_noticed = until_noticed(environment, *mistake, before).await?;
        mistake.correct(&environment.pool).await?;
        environment.tally.add(mistake.kind(), is_noticed.into());
    }
    Ok(())
}

async fn until_noticed(environment: &Environment, mistake: Mistake, before: usize) -> anyhow::Result<bool> {
    let start = Instant::now();
    while start.elapsed() < LONGEST {
        if environment.logged(mistake.words())? > before {
            return Ok(true);
        }
        sleep(Duration::from_millis(100)).await;
    }
    Ok(false)
}

/// Executes statements, each until it succeeds, because the server may be restarting and the services hold locks.
async fn insist(pool: &PgPool, statements: &'static [&'static str]) -> anyhow::Result<()> {
    let start = Instant::now();
    for statement in statements {
        while let Err(error) = execute(pool, statement).await {
            if start.elapsed() > PATIENCE {
                bail!("{statement}: {}", describe(&error));
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

/// Waits only briefly for a lock: until it gets it, everybody else waits behind it.
async fn execute(pool: &PgPool, statement: &'static str) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    sqlx::query("set local lock_timeout = '1s'").execute(&mut *transaction).await?;
    sqlx::raw_sql(statement).execute(&mut *transaction).await?;
    transaction.commit().await
}
