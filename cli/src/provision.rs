//! `candlewick provision`: creates the bucket, the queues and the schema that the services need.

use std::process::ExitCode;

use anyhow::Context;
use candlewick_localstack::{airflow, provision};
use candlewick_shared::adapters::postgres;
use candlewick_shared::adapters::postgres_users::{self, GROUPS, ServiceUser};
use candlewick_shared::core::topology::Topology;
use candlewick_shared::runtime::env::Env;
use sqlx::PgPool;

use crate::place::Place;
use crate::terminal;

/// Creates the bucket, queues and notifications of topology.json, and migrates the database.
///
/// It is for an AWS emulator and a PostgreSQL that something else started, such as `docker compose`. `up` does the same
/// by itself, and on AWS Terraform does.
///
/// Needs AWS_ENDPOINT_URL, BUCKET and DATABASE_URL in the environment. If INGEST_DATABASE_PASSWORD, LOADER_…,
/// NOTIFIER_… or DASHBOARD_DATABASE_PASSWORD is set, it also creates the database user of that service (for example
/// candlewick_loader), with only the rights that the service needs. AIRFLOW_DATABASE_PASSWORD creates a database for
/// Airflow, and its owner. It can be run again at any time.
///
/// Exit codes: 0 on success, 1 after an error.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub async fn run(place: &Place, _: Args) -> anyhow::Result<ExitCode> {
    let deployment = place.running().await?;
    let bucket = deployment.env.bucket()?;
    let topology = Topology::current();
    let queues =
        provision::provision(&deployment.aws, bucket, topology).await.context("create the bucket and the queues")?;
    terminal::result(&format!("bucket {bucket} and {} queues exist", queues.len() * 2));
    let pool = deployment.pool().await?;
    postgres::migrate(&pool).await?;
    terminal::result("the database has the schema of this version");
    let users = create_users(&pool, &deployment.env).await?;
    if !users.is_empty() {
        terminal::result(&format!("the database has the users {}", users.join(", ")));
    }
    if let Some(password) = deployment.env.secret("AIRFLOW_DATABASE_PASSWORD") {
        airflow::ensure_database(&pool, &password).await?;
        terminal::result("the database airflow exists");
    }
    Ok(ExitCode::SUCCESS)
}

/// Creates the users whose passwords are in the environment. Returns their names.
async fn create_users(pool: &PgPool, env: &Env) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for (service, _) in GROUPS {
        let password = env.secret(&format!("{}_DATABASE_PASSWORD", service.to_uppercase()));
        let Some((user, password)) = ServiceUser::of_service(service).zip(password) else { continue };
        postgres_users::allow_password(pool, &user, &password).await?;
        names.push(user.name().to_owned());
    }
    Ok(names)
}
