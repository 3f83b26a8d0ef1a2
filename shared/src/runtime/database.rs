//! The database that a service's settings name.

use secrecy::{ExposeSecret, SecretString};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;

use crate::adapters::aws::Aws;
use crate::adapters::postgres;
use crate::runtime::env::Env;

/// Opens a pool on the database at a URL, with the URL's password, or with IAM where `DATABASE_IAM` is `true`.
///
/// # Errors
/// As [`postgres::open_with_iam`], a URL that is none, or a `DATABASE_IAM` that is neither `true` nor `false`.
pub async fn connect(env: &Env, aws: &Aws, url: &SecretString, connections: u32) -> anyhow::Result<PgPool> {
    connect_with(env, aws, url, connections, |options| options).await
}

/// The same, with sessions that begin as `session` says: as a role, or with settings of their own.
///
/// # Errors
/// As [`connect`].
pub async fn connect_with(
    env: &Env,
    aws: &Aws,
    url: &SecretString,
    connections: u32,
    session: impl FnOnce(PgConnectOptions) -> PgConnectOptions,
) -> anyhow::Result<PgPool> {
    let options = session(postgres::options(url.expose_secret())?);
    if env.parsed_or("DATABASE_IAM", false)? {
        postgres::open_with_iam(aws, options, connections).await
    } else {
        postgres::open(options, connections).await
    }
}
