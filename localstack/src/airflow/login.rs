//! Airflow's database, which belongs to a user of its own: Airflow and the code of DAGs can read no candles there.

use anyhow::{Context, ensure};
use rand::distr::{Alphanumeric, SampleString};
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgPool;

const PASSWORD_LENGTH: usize = 32;

/// Creates the user if it does not exist, and sets its password, which was bound and is quoted by the server.
const USER: &str = "do $$ begin
    if not exists (select from pg_roles where rolname = 'airflow') then create role airflow login; end if;
    execute format('alter role airflow password %L', current_setting('candlewick.password'));
end $$";

/// A new password or token of letters and digits.
pub(super) fn secret() -> SecretString {
    Alphanumeric.sample_string(&mut rand::rng(), PASSWORD_LENGTH).into()
}

/// Creates the database, and a user with a new password. Returns the address for SQLAlchemy.
pub(super) async fn create(pool: &PgPool) -> anyhow::Result<SecretString> {
    let password = secret();
    ensure_database(pool, &password).await?;
    let server = pool.connect_options();
    let host = server.get_host();
    let port = server.get_port();
    Ok(format!("postgresql+psycopg2://airflow:{}@{host}:{port}/airflow", password.expose_secret()).into())
}

/// Creates the database `airflow` if it does not exist, and its owner, or gives the owner this password.
pub async fn ensure_database(pool: &PgPool, password: &SecretString) -> anyhow::Result<()> {
    ensure!(!password.expose_secret().is_empty(), "the password of Airflow's database is empty");
    let mut transaction = pool.begin().await.context("begin a transaction")?;
    let bind = sqlx::query("select set_config('candlewick.password', $1, true)").bind(password.expose_secret());
    bind.execute(&mut *transaction).await.context("pass on a password")?;
    sqlx::raw_sql(USER).execute(&mut *transaction).await.context("create the user of Airflow's database")?;
    transaction.commit().await.context("commit the user of Airflow's database")?;
    let found: Option<i32> = sqlx::query_scalar("select 1 from pg_database where datname = 'airflow'")
        .fetch_optional(pool)
        .await
        .context("look up Airflow's database")?;
    if found.is_none() {
        // A database cannot be created within a transaction.
        sqlx::raw_sql("create database airflow owner airflow")
            .execute(pool)
            .await
            .context("create Airflow's database")?;
    }
    Ok(())
}
