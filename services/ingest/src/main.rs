//! The ingest service.

use std::process::ExitCode;

use anyhow::Result;
use candlewick_ingest::assemble::assemble;
use candlewick_ingest::config::Config;
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
    let config = Config::from_env(&env)?;
    let aws = Aws::from_env().await;
    let mut consumer = service::consumer("ingest", "ingest", &env, &aws).await?;
    let ingest = assemble(config, &aws, &mut consumer).await?;
    let handler = service_fn(move |delivery| ingest.clone().handle(delivery));
    consumer.run(MessageService::new(handler), stop).await;
    Ok(())
}
