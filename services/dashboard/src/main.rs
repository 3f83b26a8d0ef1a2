//! The dashboard service.

use std::process::ExitCode;

use anyhow::Result;
use candlewick_dashboard::app::App;
use candlewick_dashboard::config::Config;
use candlewick_dashboard::connection::Patience;
use candlewick_dashboard::live::{Hub, listen};
use candlewick_dashboard::router;
use candlewick_dashboard::server::{self, Limits};
use candlewick_shared::runtime::{env::Env, service};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> ExitCode {
    service::run("dashboard", start).await
}

async fn start(env: Env, stop: CancellationToken) -> Result<()> {
    let config = Config::from_env(&env)?;
    let hub = Hub::new(config.event_streams.clone(), stop.clone());
    let app = App::connect(&config, &env, hub.clone()).await?;
    let pool = app.pool.clone();
    let listening = tokio::spawn(listen::listen(pool.clone(), hub, stop.clone()));
    let limits = Limits { places: config.clients.clone(), patience: Patience::default() };
    server::serve(config.listen, router::router(app, &config.guard), limits, stop).await?;
    listening.await?;
    pool.close().await;
    Ok(())
}
