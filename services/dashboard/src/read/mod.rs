//! What is asked of the database, of the bucket and of the queues: one file a subject, SQL nowhere else.

pub mod alerts;
pub mod calendars;
pub mod candles;
pub mod lineage;
pub mod objects;
pub mod overview;
pub mod quality;
pub mod queues;
pub mod runs;
pub mod stages;

use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// How long one question to the database may take.
const STATEMENT_TIMEOUT: &str = "8s";

/// Opens a pool in which nothing can be written: every connection takes on the role that may only read.
///
/// # Errors
/// A URL that is none, a database that does not answer within ten seconds, or one that has no such role.
pub async fn connect(url: &SecretString, connections: u32) -> anyhow::Result<PgPool> {
    let options = PgConnectOptions::from_str(url.expose_secret()).map_err(|_| {
        anyhow::anyhow!("DATABASE_URL is no PostgreSQL URL: write postgres://USER:PASSWORD@HOST:PORT/NAME")
    })?;
    pool(options, connections)
        .await
        .context("connect to PostgreSQL as dashboard_readonly (is it running, migrated, and DATABASE_URL right?)")
}

/// The same, from options.
///
/// # Errors
/// The database's.
pub async fn pool(options: PgConnectOptions, connections: u32) -> sqlx::Result<PgPool> {
    let options = options.application_name("candlewick-dashboard").options([
        ("role", "dashboard_readonly"),
        ("default_transaction_read_only", "on"),
        ("statement_timeout", STATEMENT_TIMEOUT),
    ]);
    let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(Duration::from_secs(10));
    pool.connect_with(options).await
}
