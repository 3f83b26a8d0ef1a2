//! `candlewick migrate`: brings a database to this version.

use std::process::ExitCode;

use candlewick_shared::adapters::postgres;
use candlewick_shared::adapters::postgres_users::{self, ServiceUser};
use candlewick_shared::runtime::env::Env;

use crate::terminal;

/// Brings the database at DATABASE_URL to this version's schema.
///
/// `candlewick up` does so by itself; a database elsewhere is migrated before its services run a new version. It can be
/// repeated. A password that is not in the URL is taken from PGPASSWORD.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A user that logs in with IAM, on RDS, and the group of the schema whose rights it has
    #[arg(long = "iam-user", value_name = "NAME=GROUP")]
    iam_users: Vec<ServiceUser>,
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let pool = postgres::connect(Env::of_process().required("DATABASE_URL")?, 1).await?;
    postgres::migrate(&pool).await?;
    postgres_users::allow_iam(&pool, &args.iam_users).await?;
    pool.close().await;
    terminal::result(&format!("the database is at this version, with {} users of IAM", args.iam_users.len()));
    Ok(ExitCode::SUCCESS)
}
