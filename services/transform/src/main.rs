//! The transform service.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use candlewick_shared::adapters::{aws::Aws, system_clock, watchlist_source::WatchlistSource};
use candlewick_shared::runtime::env::Env;
use candlewick_shared::runtime::lineage::Lineage;
use candlewick_shared::runtime::{objects::objects, service};
use candlewick_transform::config::Config;
use candlewick_transform::handler::Transform;
use tokio_util::sync::CancellationToken;
use tower::service_fn;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    service::run("transform", start).await
}

async fn start(env: Env, stop: CancellationToken) -> Result<()> {
    let config = Config::from_env(&env)?;
    let aws = Aws::from_env().await;
    let consumer = service::consumer("transform", "raw", &env, &aws).await?;
    let store = Arc::new(aws.store(&config.scope.bucket).within(config.memory.bodies().clone()));
    let lineage = Lineage::from_env(&env, store.clone())?;
    let notifier = Arc::clone(&consumer.notifier);
    let watchlist = config.watchlist.map(|at| Arc::new(WatchlistSource::new(at, |bucket| aws.store(bucket), notifier)));
    let transform = Transform::new(store, system_clock::now(config.clock)).with_clock(config.clock);
    let transform = transform.writing_columns(config.writes_columns);
    let transform = transform.with_memory(config.memory).trusting_first_written(config.trusts_first_written);
    let transform =
        transform.with_watchlist(watchlist).with_lineage(lineage).with_notifier(Arc::clone(&consumer.notifier));
    let handler = objects(config.scope, service_fn(move |event| transform.clone().handle(event)));
    consumer.run(handler, stop).await;
    Ok(())
}
