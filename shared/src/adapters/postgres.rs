//! Connects to PostgreSQL and migrates the schema.

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

/// The migrations of the database schema, each applied once and in order.
static MIGRATIONS: Migrator = sqlx::migrate!();

/// How long a connection is used. After a failover the former primary keeps its connections and refuses every write on
/// them, so that only a new connection reaches the new primary.
const LONGEST_USE: Duration = Duration::from_secs(300);

/// Opens a pool and checks that the database answers.
///
/// # Errors
///
/// Returns an error if the URL is invalid, or if the database does not answer within ten seconds. No error contains the
/// password.
pub async fn connect(url: &str, connections: u32) -> anyhow::Result<PgPool> {
    open(options(url)?, connections).await
}

/// Opens a pool whose user logs in with IAM tokens, which are renewed until the pool is closed.
///
/// # Errors
///
/// Like [`open`]; also if the URL does not verify the server's name, or if there are no AWS credentials.
pub async fn open_with_iam(aws: &Aws, options: PgConnectOptions, connections: u32) -> anyhow::Result<PgPool> {
    let verified = matches!(options.get_ssl_mode(), PgSslMode::VerifyFull);
    ensure!(verified, "DATABASE_IAM sends a token to the server: DATABASE_URL must end in ?sslmode=verify-full");
    let login = IamLogin::new(aws, options)?;
    let pool = open(login.options().await?, connections).await?;
    login.renew(&pool);
    Ok(pool)
}

/// Parses the URL of a database.
///
/// # Errors
///
/// Returns an error if the text is not a PostgreSQL URL. The error does not contain the text.
pub fn options(url: &str) -> anyhow::Result<PgConnectOptions> {
    let invalid = || anyhow!("DATABASE_URL is not a PostgreSQL URL: write postgres://USER:PASSWORD@HOST:PORT/NAME");
    // sqlx accepts any scheme, and would speak PostgreSQL's protocol to a MySQL server.
    ensure!(url.starts_with("postgres://") || url.starts_with("postgresql://"), invalid());
    let options = PgConnectOptions::from_str(url).map_err(|_| invalid())?;
    Ok(options.application_name("candlewick"))
}

/// Opens a pool and checks that the database answers.
///
/// # Errors
///
/// Returns an error if the database does not answer within ten seconds. No error contains the password.
pub async fn open(options: PgConnectOptions, connections: u32) -> anyhow::Result<PgPool> {
    let address =
        format!("{}:{}/{}", options.get_host(), options.get_port(), options.get_database().unwrap_or_default());
    let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(Duration::from_secs(10));
    let pool = pool.max_lifetime(LONGEST_USE);
    let context = || format!("connect to PostgreSQL at {address} (is it running, and is DATABASE_URL right?)");
    first_connection(&options).await.with_context(context)?;
    pool.connect_with(options).await.map_err(|error| anyhow!(database::describe(&error))).with_context(context)
}

/// Connects once without the pool, because the pool retries a refused connection until its timeout.
async fn first_connection(options: &PgConnectOptions) -> anyhow::Result<()> {
    let connecting = timeout(Duration::from_secs(10), PgConnection::connect_with(options)).await;
    let described = |error: sqlx::Error| anyhow!(database::describe(&error));
    let mut connection = connecting.context("it did not answer within 10 s")?.map_err(described)?;
    let schema = sqlx::query_scalar("select current_schema()").fetch_one(&mut connection).await;
    let schema: Option<String> = schema.map_err(described)?;
    let _ = connection.close().await;
    match schema.as_deref() {
        None | Some("public") => Ok(()),
        Some(schema) => bail!(
            "its search_path selects the schema {schema}, but Candlewick's tables are in public: remove search_path from \
             DATABASE_URL or from the role's settings"
        ),
    }
}

/// Migrates the database to this program's schema. Concurrent migrations wait for each other.
///
/// # Errors
///
/// Returns an error if a migration fails, or if the database is newer than this program.
pub async fn migrate(pool: &PgPool) -> anyhow::Result<()> {
    MIGRATIONS.run(pool).await.context("migrate the database")
}

/// The version numbers of this program's migrations, in order.
#[must_use]
pub fn schema_steps() -> Vec<i64> {
    MIGRATIONS.iter().map(|step| step.version).collect()
}
