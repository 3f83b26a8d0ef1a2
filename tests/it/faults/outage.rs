//! An outage that lasts until the owner is informed, and the alerts that must be over in the end.

use std::time::Duration;

use anyhow::{Context, ensure};
use futures::future::try_join_all;
use sqlx::PgPool;
use tokio::time::{Instant, sleep};

use super::administrator::Mistake;
use super::plan::Plan;
use super::support::Environment;
use super::{tally, traffic};

/// How long it may take until the owner is informed. It only bounds failures; it is no performance limit.
const PATIENCE: Duration = Duration::from_secs(180);

/// Revokes the loader's rights, and grants them again when the alert is raised. Meanwhile more objects are written.
pub async fn outlast(environment: &Environment, plan: &Plan) -> anyhow::Result<()> {
    Mistake::RevokedRights.make(&environment.pool).await?;
    let start = Instant::now();
    try_join_all(plan.late.iter().map(|file| traffic::write(environment, file, start))).await?;
    while !is_raised(&environment.pool).await? {
        let known = known(&environment.pool).await?;
        ensure!(start.elapsed() < PATIENCE, "no alert that the loader receives nothing, but these: {known:#?}");
        sleep(Duration::from_millis(200)).await;
    }
    Mistake::RevokedRights.correct(&environment.pool).await?;
    environment.tally.add(tally::OUTAGE, 1);
    Ok(())
}

/// The stage, the state and the text of each alert about an outage.
type Known = (String, String, String);

async fn known(pool: &PgPool) -> anyhow::Result<Vec<Known>> {
    let query = "select stage, state, text from alerts where kind = 'outage'";
    sqlx::query_as(query).fetch_all(pool).await.context("read the alerts")
}

/// Whether the alert is raised. An earlier outage may have raised it, which lasts if nothing has succeeded since.
async fn is_raised(pool: &PgPool) -> anyhow::Result<bool> {
    let says = |text: &str| text.contains(" since ") && text.contains("are waiting");
    let known = known(pool).await?;
    Ok(known.iter().any(|(stage, state, text)| stage == "loader" && state == "firing" && says(text)))
}

/// No alert says that a stage receives nothing.
pub async fn is_over(pool: &PgPool) -> anyhow::Result<()> {
    let known = known(pool).await?;
    let firing: Vec<_> = known.iter().filter(|(_, state, _)| state == "firing").collect();
    ensure!(firing.is_empty(), "outages that are over and were not resolved: {firing:?}");
    Ok(())
}
