//! The ingest service.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use candlewick_ingest::client::Client;
use candlewick_ingest::config::Config;
use candlewick_ingest::{cron, handler::Ingest};
use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use candlewick_shared::adapters::{aws::Aws, postgres, postgres_runs::PostgresRuns, system_clock};
use candlewick_shared::runtime::{env::Env, layers::MessageService, service};
use secrecy::ExposeSecret;
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
    let pool = postgres::connect(config.database_url.expose_secret(), config.connections).await?;
    let notifier = Arc::clone(&consumer.notifier);
    let ingest = Ingest {
        client: Client::new(&config.url, config.key)?,
        store: Arc::new(aws.store(&config.bucket)),
        queue: Arc::clone(&consumer.queue),
        watchlist: Arc::new(WatchlistSource::new(config.watchlist, |bucket| aws.store(bucket), notifier)),
        runs: Arc::new(PostgresRuns::new(pool)),
        now: system_clock::now(config.clock),
    };
    let cron = cron::start(config.schedule, config.clock, &ingest, stop.clone());
    consumer.run(MessageService::new(service_fn(move |delivery| ingest.clone().handle(delivery))), stop).await;
    Ok(cron.await?)
}
