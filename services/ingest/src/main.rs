//! The ingest service.

use std::process::ExitCode;

use anyhow::Result;
use candlewick_ingest::assemble::assemble;
use candlewick_ingest::config::Config;
use candlewick_ingest::handler::handle;
use candlewick_ingest::refresh::cron;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::runtime::env::Env;
use candlewick_shared::runtime::layers::MessageService;
use candlewick_shared::runtime::service;
use tokio_util::sync::CancellationToken;
use tower::service_fn;

#[tokio::main]
async fn main() -> ExitCode {
    service::run("ingest", start).await
}

async fn start(env: Env, stop: CancellationToken) -> Result<()> {
    let mut config = Config::from_env(&env)?;
    let schedule = config.schedule.take();
    let clock = config.clock;
    let aws = Aws::from_env().await;
    let mut consumer = service::consumer("ingest", "ingest", &env, &aws).await?;
    let ingest = assemble(config, &env, &aws, &mut consumer, stop.clone()).await?;
    let cron = cron::start(schedule, clock, &ingest, stop.clone());
    consumer.run(MessageService::new(service_fn(move |delivery| handle(ingest.clone(), delivery))), stop).await;
    Ok(cron.await?)
}
