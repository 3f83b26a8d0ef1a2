//! Builds the service from its settings.

use std::sync::Arc;
use std::time::Duration;

use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::postgres_credits::PostgresCredits;
use candlewick_shared::adapters::postgres_runs::PostgresRuns;
use candlewick_shared::adapters::system_clock;
use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use candlewick_shared::runtime::backoff::Backoff;
use candlewick_shared::runtime::consumer::Consumer;
use candlewick_shared::runtime::database;
use candlewick_shared::runtime::env::Env;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::context::Ingest;
use crate::credits::metered_queue::MeteredQueue;
use crate::credits::pool::CreditPool;
use crate::credits::recorder;
use crate::fetch::client::Client;

/// Retries span 20 to 25 minutes in all, because each attempt costs a credit and API trouble outlasts the trouble of a queue.
const RETRY: Backoff = Backoff { first: Duration::from_secs(10), most: Duration::from_secs(600) };
const ATTEMPTS: u32 = 8;

/// How long to wait before repeating a request whose answer lacked candles. The vendor's servers agree within seconds, and the
/// waiting message counts against the concurrency limit.
const PAUSE: Duration = Duration::from_secs(20);

/// Fewer connections than concurrent messages are enough: the statements are short, and updates of one run exclude each other
/// anyway.
const CONNECTIONS: u32 = 4;

/// Builds the context of the handler, and makes the consumer receive only as many messages as there are credits.
pub async fn assemble(
    config: Config,
    env: &Env,
    aws: &Aws,
    consumer: &mut Consumer,
    stop: CancellationToken,
) -> anyhow::Result<Ingest> {
    let client = Client::new(&config.url, &config.key.read(aws).await?)?;
    let now = system_clock::now(config.clock);
    let notifier = Arc::clone(&consumer.notifier);
    let credits = CreditPool::new(config.plan, Arc::clone(&now), config.clock, Arc::clone(&notifier));
    let queue = Arc::new(MeteredQueue::new(Arc::clone(&consumer.queue), client.clone(), credits.clone()));
    consumer.queue = queue.clone();
    consumer.policy.concurrency = config.concurrency;
    consumer.policy.retry = RETRY;
    consumer.policy.attempts = ATTEMPTS;
    let store = Arc::new(aws.store(&config.bucket));
    let open = |bucket: &str| aws.store(bucket);
    let watchlist = Arc::new(WatchlistSource::new(config.watchlist, open, Arc::clone(&notifier)));
    let pool = database::connect(env, aws, &config.database_url, CONNECTIONS).await?;
    tokio::spawn(recorder::record(credits, PostgresCredits::new(pool.clone()), stop));
    let runs = Arc::new(PostgresRuns::new(pool));
    Ok(Ingest { client, store, queue, notifier, watchlist, runs, pause: PAUSE, now })
}
