//! The connection to PostgreSQL.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::time::timeout;

use crate::adapters::aws::Aws;
use crate::adapters::database;
use crate::adapters::postgres_iam::IamLogin;

/// The database schema, as steps that are applied once and in order.
static MIGRATIONS: Migrator = sqlx::migrate!();

/// Opens a pool and makes sure that the database answers.
///
/// # Errors
/// A URL that is none, or a database that does not answer within ten seconds; no error carries the password.
pub async fn connect(url: &str, connections: u32) -> anyhow::Result<PgPool> {
    open(options(url)?, connections).await
}

/// Opens a pool whose user logs in with IAM, by tokens that are renewed until the pool is closed.
///
/// # Errors
/// As [`open`], a URL that does not ask for a server whose name is verified, or credentials that cannot be had.
pub async fn open_with_iam(aws: &Aws, options: PgConnectOptions, connections: u32) -> anyhow::Result<PgPool> {
    let verified = matches!(options.get_ssl_mode(), PgSslMode::VerifyFull);
    ensure!(verified, "DATABASE_IAM sends a token to the server: DATABASE_URL must end in ?sslmode=verify-full");
    let login = IamLogin::new(aws, options)?;
    let pool = open(login.options().await?, connections).await?;
    login.keep(&pool);
    Ok(pool)
}

/// What a URL says of a connection.
///
/// # Errors
/// A URL that is none; the error does not show it.
pub fn options(url: &str) -> anyhow::Result<PgConnectOptions> {
    let no_url = || anyhow!("DATABASE_URL is no PostgreSQL URL: write postgres://USER:PASSWORD@HOST:PORT/NAME");
    // sqlx takes any scheme, and would ask a MySQL server in PostgreSQL's words.
    ensure!(url.starts_with("postgres://") || url.starts_with("postgresql://"), no_url());
    let options = PgConnectOptions::from_str(url).map_err(|_| no_url())?;
    Ok(options.application_name("candlewick"))
}

/// Opens a pool and makes sure that the database answers.
///
/// # Errors
/// A database that does not answer within ten seconds; no error carries the password.
pub async fn open(options: PgConnectOptions, connections: u32) -> anyhow::Result<PgPool> {
    let address =
        format!("{}:{}/{}", options.get_host(), options.get_port(), options.get_database().unwrap_or_default());
    let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(Duration::from_secs(10));
    let context = || format!("connect to PostgreSQL at {address} (is it running, and DATABASE_URL right?)");
    first_connection(&options).await.with_context(context)?;
    pool.connect_with(options).await.map_err(|error| anyhow!(database::words(&error))).with_context(context)
}

/// Connects once without the pool, which would try a refused connection again for as long as it waits for any.
async fn first_connection(options: &PgConnectOptions) -> anyhow::Result<()> {
    let connecting = timeout(Duration::from_secs(10), PgConnection::connect_with(options)).await;
    let said = |error: sqlx::Error| anyhow!(database::words(&error));
    let mut connection = connecting.context("it did not answer within 10 s")?.map_err(said)?;
    let schema = sqlx::query_scalar("select current_schema()").fetch_one(&mut connection).await;
    let schema: Option<String> = schema.map_err(said)?;
    let _ = connection.close().await;
    match schema.as_deref() {
        None | Some("public") => Ok(()),
        Some(schema) => bail!(
            "its search_path leads to schema {schema}, and Candlewick keeps its tables in public: take search_path out of \
             DATABASE_URL, or out of the role's settings"
        ),
    }
}

/// Brings the database to this program's schema. Two that migrate at once wait for each other.
///
/// # Errors
/// A migration that fails, or a database that is newer than this program.
pub async fn migrate(pool: &PgPool) -> anyhow::Result<()> {
    MIGRATIONS.run(pool).await.context("migrate the database")
}

/// The steps of this program's schema, by their numbers.
#[must_use]
pub fn schema_steps() -> Vec<i64> {
    MIGRATIONS.iter().map(|step| step.version).collect()
}
