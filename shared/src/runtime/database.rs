//! Connects to the database that a service's settings name.

use secrecy::{ExposeSecret, SecretString};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;

use crate::adapters::aws::Aws;
use crate::adapters::postgres;
use crate::runtime::env::Env;

/// Opens a pool on the database at `url`, with the password in the URL, or with IAM if `DATABASE_IAM` is `true`.
///
/// # Errors
///
/// Like [`postgres::open_with_iam`]; also if the URL is invalid, or if `DATABASE_IAM` is neither `true` nor `false`.
pub async fn connect(env: &Env, aws: &Aws, url: &SecretString, connections: u32) -> anyhow::Result<PgPool> {
    connect_with(env, aws, url, connections, |options| options).await
}

/// Like [`connect`], with connection options that `session` changes, for example to set a role.
///
/// # Errors
///
/// Like [`connect`].
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
