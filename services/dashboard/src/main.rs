//! The dashboard service.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use candlewick_dashboard::app::App;
use candlewick_dashboard::config::Config;
use candlewick_dashboard::live::{Hub, listen};
use candlewick_dashboard::read::queues::SqsQueues;
use candlewick_dashboard::{read, router, server};
use candlewick_shared::adapters::{aws::Aws, system_clock};
use candlewick_shared::runtime::{env::Env, service};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> ExitCode {
    service::run("dashboard", start).await
}

async fn start(env: Env, stop: CancellationToken) -> Result<()> {
    let config = Config::from_env(&env)?;
    let aws = Aws::from_env().await;
    let pool = read::connect(&config.database_url, config.connections).await?;
    let hub = Hub::new(stop.clone());
    let listening = tokio::spawn(listen::listen(pool.clone(), hub.clone(), stop.clone()));
    let app = App {
        pool: pool.clone(),
        store: Arc::new(aws.store(&config.bucket)),
        queues: SqsQueues::watched(aws, &env),
        now: system_clock::now(config.clock),
        watchlist: config.watchlist,
        sla: config.sla,
        hub,
    };
    server::serve(config.listen, router::router(app, &config.guard), stop).await?;
    listening.await?;
    pool.close().await;
    Ok(())
}
