//! Puts the service together.

use std::sync::Arc;
use std::time::Duration;

use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::postgres_runs::PostgresRuns;
use candlewick_shared::adapters::system_clock;
use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use candlewick_shared::runtime::backoff::Backoff;
use candlewick_shared::runtime::consumer::Consumer;
use candlewick_shared::runtime::database;
use candlewick_shared::runtime::env::Env;

use crate::config::Config;
use crate::context::Ingest;
use crate::credits::metered_queue::MeteredQueue;
use crate::credits::pool::CreditPool;
use crate::fetch::client::Client;

/// How long a series waits after an answer that was none, and how often it is asked for: for 20 to 25 minutes together,
/// because each try costs a credit, and what an API suffers from lasts longer than what a queue does.
const RETRY: Backoff = Backoff { first: Duration::from_secs(10), most: Duration::from_secs(600) };
const ATTEMPTS: u32 = 8;

/// How long to wait before an answer that lacks candles is asked for again: what a vendor's servers tell each other takes
/// seconds, and meanwhile the message has one of the slots.
const PAUSE: Duration = Duration::from_secs(20);

/// How many connections to the book of runs are held, whatever the slots: what is asked of it is short, and the marks of one
/// run wait for each other in any case.
const CONNECTIONS: u32 = 4;

/// The handler, and the consumer made such that it receives only what there are credits for.
pub async fn assemble(config: Config, env: &Env, aws: &Aws, consumer: &mut Consumer) -> anyhow::Result<Ingest> {
    let client = Client::new(&config.url, &config.key.read(aws).await?)?;
    let now = system_clock::now(config.clock);
    let notifier = Arc::clone(&consumer.notifier);
    let pool = CreditPool::new(config.plan, Arc::clone(&now), config.clock, Arc::clone(&notifier));
    let queue = Arc::new(MeteredQueue::new(Arc::clone(&consumer.queue), client.clone(), pool));
    consumer.queue = queue.clone();
    (consumer.policy.concurrency, consumer.policy.retry, consumer.policy.attempts) =
        (config.concurrency, RETRY, ATTEMPTS);
    let store = Arc::new(aws.store(&config.bucket));
    let open = |bucket: &str| aws.store(bucket);
    let watchlist = Arc::new(WatchlistSource::new(config.watchlist, open, Arc::clone(&notifier)));
    let pool = database::connect(env, aws, &config.database_url, CONNECTIONS).await?;
    let runs = Arc::new(PostgresRuns::new(pool));
    Ok(Ingest { client, store, queue, notifier, watchlist, runs, pause: PAUSE, now })
}
