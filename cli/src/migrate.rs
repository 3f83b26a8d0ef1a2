//! `candlewick migrate`: migrates the database to this version's schema.

use std::process::ExitCode;

use candlewick_shared::adapters::postgres;
use candlewick_shared::adapters::postgres_users::{self, ServiceUser};
use candlewick_shared::runtime::env::Env;

use crate::terminal;

/// Migrates the database at DATABASE_URL to this version's schema.
///
/// Needs the owner's login in DATABASE_URL; a password that is not in the URL is read from PGPASSWORD. Run it before
/// services of a new version start. It can be repeated. `candlewick up` and `candlewick provision` migrate their
/// database themselves.
///
/// Exit codes: 0 on success, 1 after an error.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A database user that logs in with IAM on RDS, and the group of the schema whose rights it gets; can be repeated
    #[arg(long = "iam-user", value_name = "NAME=GROUP")]
    iam_users: Vec<ServiceUser>,
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let pool = postgres::connect(Env::of_process().required("DATABASE_URL")?, 1).await?;
    postgres::migrate(&pool).await?;
    postgres_users::allow_iam(&pool, &args.iam_users).await?;
    pool.close().await;
    terminal::result(&format!("the database is at this version, with {} IAM users", args.iam_users.len()));
    Ok(ExitCode::SUCCESS)
}
