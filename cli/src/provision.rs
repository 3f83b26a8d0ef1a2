//! `candlewick provision`: makes what the services stand on.

use std::process::ExitCode;

use anyhow::Context;
use candlewick_localstack::provision;
use candlewick_shared::adapters::postgres;
use candlewick_shared::core::topology::Topology;

use crate::place::Place;
use crate::terminal;

/// Makes the bucket, the queues and the notifications of topology.json, and brings the database to its schema.
///
/// For a LocalStack and a PostgreSQL that something else started, such as `docker compose`: `up` does it by itself, and on
/// AWS Terraform does. The environment says where they are (AWS_ENDPOINT_URL, BUCKET, DATABASE_URL). It can be run again
/// at any time.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub async fn run(place: &Place, _: Args) -> anyhow::Result<ExitCode> {
    let running = place.running().await?;
    let (bucket, topology) = (running.env.bucket()?, Topology::built_in());
    let queues = provision::provision(&running.aws, bucket, topology).await.context("make bucket and queues")?;
    terminal::result(&format!("bucket {bucket} and {} queues are there", queues.len() * 2));
    postgres::migrate(&running.pool().await?).await?;
    terminal::result("the database has the schema of this version");
    Ok(ExitCode::SUCCESS)
}
