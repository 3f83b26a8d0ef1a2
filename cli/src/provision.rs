//! `candlewick provision`: makes what the services stand on.

use std::process::ExitCode;

use anyhow::Context;
use candlewick_localstack::provision;
use candlewick_shared::adapters::postgres;
use candlewick_shared::adapters::postgres_users::{self, GROUPS, ServiceUser};
use candlewick_shared::core::topology::Topology;
use candlewick_shared::runtime::env::Env;
use sqlx::PgPool;

use crate::place::Place;
use crate::terminal;

/// Makes the bucket, the queues and the notifications of topology.json, and brings the database to its schema.
///
/// For a LocalStack and a PostgreSQL that something else started, such as `docker compose`: `up` does it by itself, and on
/// AWS Terraform does. The environment says where they are (AWS_ENDPOINT_URL, BUCKET, DATABASE_URL). A password in
/// INGEST_DATABASE_PASSWORD, LOADER_…, NOTIFIER_… or DASHBOARD_DATABASE_PASSWORD creates the database user of that service
/// (candlewick_loader), which has the rights of its service only. It can be run again at any time.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub async fn run(place: &Place, _: Args) -> anyhow::Result<ExitCode> {
    let running = place.running().await?;
    let bucket = running.env.bucket()?;
    let topology = Topology::built_in();
    let queues = provision::provision(&running.aws, bucket, topology).await.context("make bucket and queues")?;
    terminal::result(&format!("bucket {bucket} and {} queues are there", queues.len() * 2));
    let pool = running.pool().await?;
    postgres::migrate(&pool).await?;
    terminal::result("the database has the schema of this version");
    let users = create_users(&pool, &running.env).await?;
    if !users.is_empty() {
        terminal::result(&format!("the database has the users {}", users.join(", ")));
    }
    Ok(ExitCode::SUCCESS)
}

/// Creates the users whose passwords the environment has, and returns their names.
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
