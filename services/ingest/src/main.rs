//! The ingest service.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use candlewick_ingest::client::Client;
use candlewick_ingest::config::Config;
use candlewick_ingest::handler::Ingest;
use candlewick_shared::adapters::{aws::Aws, system_clock};
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
    let consumer = service::consumer("ingest", "ingest", &env, &aws).await?;
    let ingest = Ingest {
        client: Client::new(&config.url, config.key)?,
        store: Arc::new(aws.store(&config.bucket)),
        queue: Arc::clone(&consumer.queue),
        watchlist: config.watchlist,
        now: system_clock::now(config.clock),
    };
    let handler = service_fn(move |delivery| ingest.clone().handle(delivery));
    consumer.run(MessageService::new(handler), stop).await;
    Ok(())
}
