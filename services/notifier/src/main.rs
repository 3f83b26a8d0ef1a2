//! The notifier service.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use candlewick_notifier::config::Config;
use candlewick_notifier::service::NotifierService;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::runtime::env::Env;
use candlewick_shared::runtime::service;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> ExitCode {
    service::run("notifier", start).await
}

async fn start(env: Env, stop: CancellationToken) -> Result<()> {
    let config = Config::from_env(&env)?;
    let aws = Aws::from_env().await;
    let consumer = service::consumer("notifier", "alerts", &env, &aws).await?;
    let notifier = NotifierService::new(config, env, &aws, Arc::clone(&consumer.notifier)).await?;
    notifier.run(consumer, stop).await;
    Ok(())
}
