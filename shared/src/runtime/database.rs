//! The database that a service's settings name.

use secrecy::{ExposeSecret, SecretString};
use sqlx::PgPool;

use crate::adapters::aws::Aws;
use crate::adapters::postgres;
use crate::runtime::env::Env;

/// Opens a pool on the database at a URL, with the URL's password, or with IAM where `DATABASE_IAM` is `true`.
///
/// # Errors
/// As [`postgres::connect_with_iam`], or a `DATABASE_IAM` that is neither `true` nor `false`.
pub async fn connect(env: &Env, aws: &Aws, url: &SecretString, connections: u32) -> anyhow::Result<PgPool> {
    if env.parsed_or("DATABASE_IAM", false)? {
        postgres::connect_with_iam(aws, url.expose_secret(), connections).await
    } else {
        postgres::connect(url.expose_secret(), connections).await
    }
}
