//! Waits until the server accepts connections, and creates the database.

use std::time::Duration;

use anyhow::{Context, bail};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

const RETRY_INTERVAL: Duration = Duration::from_millis(30);
/// The SQLSTATE of a refused password.
const INVALID_PASSWORD: &str = "28P01";

/// The result of one attempt to connect.
pub(super) enum Attempt {
    Connected(PgConnection),
    WrongPassword,
    NotYet(String),
}

pub(super) fn options(port: u16, user: &str, password: &str) -> PgConnectOptions {
    // Not `new`, which takes defaults from PGHOST and similar variables.
    let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port).username(user).password(password);
    options.database("postgres").ssl_mode(PgSslMode::Disable).disable_statement_logging()
}

/// Retries until the server accepts or refuses the password; `None` means refused. `last` receives the last error, for a caller
/// that gives up.
pub(super) async fn connect(options: &PgConnectOptions, last: &mut String) -> Option<PgConnection> {
    loop {
        match attempt(options).await {
            Attempt::Connected(connection) => return Some(connection),
            Attempt::WrongPassword => return None,
            Attempt::NotYet(reason) => *last = reason,
        }
        tokio::time::sleep(RETRY_INTERVAL).await;
    }
}

async fn attempt(options: &PgConnectOptions) -> Attempt {
    match PgConnection::connect_with(options).await {
        Ok(connection) => Attempt::Connected(connection),
        Err(error) if is_wrong_password(&error) => Attempt::WrongPassword,
        Err(error) => Attempt::NotYet(error.to_string()),
    }
}

fn is_wrong_password(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == INVALID_PASSWORD)
}

/// Creates the database if it does not exist.
pub(super) async fn ensure_database(mut connection: PgConnection, database: &str) -> anyhow::Result<()> {
    if !is_name(database) {
        bail!("database name {database:?} must consist of lower-case letters, digits and _, and start with a letter");
    }
    let found: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind(database)
        .fetch_optional(&mut connection)
        .await
        .context("look up database")?;
    if found.is_none() {
        // CREATE DATABASE takes no parameters, and the name was checked above.
        let create = AssertSqlSafe(format!("CREATE DATABASE {database}"));
        sqlx::query(create).execute(&mut connection).await.context("create database")?;
    }
    connection.close().await.context("close connection")
}

fn is_name(database: &str) -> bool {
    let lower = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    database.starts_with(|first: char| first.is_ascii_lowercase()) && database.chars().all(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_name_is_a_plain_identifier() {
        assert!(is_name("candlewick") && is_name("a_1"));
        assert!(!is_name("") && !is_name("1a") && !is_name("a;b") && !is_name("A") && !is_name("a\"b"));
    }
}
