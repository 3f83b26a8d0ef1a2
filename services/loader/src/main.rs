//! The loader service.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use candlewick_loader::config::Config;
use candlewick_loader::handler::Loader;
use candlewick_loader::schema;
use candlewick_shared::adapters::{aws::Aws, system_clock};
use candlewick_shared::runtime::env::Env;
use candlewick_shared::runtime::health::Health;
use candlewick_shared::runtime::lineage::Lineage;
use candlewick_shared::runtime::{database, objects::objects, service};
use tokio_util::sync::CancellationToken;
use tower::service_fn;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    service::run("loader", start).await
}

async fn start(env: Env, stop: CancellationToken) -> Result<()> {
    let config = Config::from_env(&env)?;
    let aws = Aws::from_env().await;
    let consumer = service::consumer("loader", "transformed", &env, &aws).await?;
    let pool = database::connect(&env, &aws, &config.database_url, config.connections).await?;
    schema::wait_for(&pool, &Health::of_this_service(), &stop).await?;
    let store = Arc::new(aws.store(&config.scope.bucket).within(config.memory.bodies().clone()));
    let lineage = Lineage::from_env(&env, store.clone())?;
    let loader = Loader::new(store, pool.clone(), system_clock::now(config.clock))
        .with_lineage(lineage)
        .keeping_history(config.history_days)
        .with_memory(config.memory);
    consumer.run(objects(config.scope, service_fn(move |event| loader.clone().handle(event))), stop).await;
    pool.close().await;
    Ok(())
}
