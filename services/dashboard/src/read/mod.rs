//! Queries the database, the bucket and the queues, with one module per subject. What other programs read too is in
//! `candlewick_shared::reads`.

pub mod alerts;
pub mod calendars;
pub mod candles;
pub mod changes;
pub mod credits;
pub mod dashboards;
pub mod health;
pub mod lineage;
pub mod load_candles;
pub mod objects;
pub mod overview;
pub mod quality;
pub mod queues;
pub mod runs;
pub mod stages;
pub mod tiles;
pub mod variables;

use anyhow::Context;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::runtime::database;
use candlewick_shared::runtime::env::Env;
use secrecy::SecretString;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;

/// The time limit of one statement.
const STATEMENT_TIMEOUT: &str = "8s";

/// Opens a read-only pool: every connection switches to the role that may only read.
pub async fn connect(env: &Env, aws: &Aws, url: &SecretString, connections: u32) -> anyhow::Result<PgPool> {
    database::connect_with(env, aws, url, connections, session)
        .await
        .context("connect as dashboard_readonly (is the database migrated?)")
}

/// The options of a read-only session.
pub fn session(options: PgConnectOptions) -> PgConnectOptions {
    options.application_name("candlewick-dashboard").options([
        ("role", "dashboard_readonly"),
        ("default_transaction_read_only", "on"),
        ("statement_timeout", STATEMENT_TIMEOUT),
    ])
}
