//! The state that all handlers share.

use std::sync::Arc;

use anyhow::Context;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::log_notifier::LogNotifier;
use candlewick_shared::adapters::system_clock;
use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use candlewick_shared::core::calendar::calendars::Calendars;
use candlewick_shared::core::watchlist::Watchlist;
use candlewick_shared::ports::clock::Now;
use candlewick_shared::ports::queue::Queue;
use candlewick_shared::ports::store::ObjectStore;
use candlewick_shared::runtime::env::Env;
use jiff::SignedDuration;
use sqlx::PgPool;

use crate::answers::Answers;
use crate::config::Config;
use crate::dashboards::files::Files;
use crate::editing::Dashboards;
use crate::live::Hub;
use crate::problem::Problem;
use crate::read;
use crate::read::queues::{Queues, SqsQueues};
use crate::turns::Turns;

/// The state that all handlers share.
#[derive(Clone)]
pub struct App {
    /// A pool of read-only connections to the database.
    pub pool: PgPool,
    pub store: Arc<dyn ObjectStore>,
    pub queues: Arc<dyn Queues>,
    /// The queue of ingest, if the settings name it.
    pub ingest: Option<Arc<dyn Queue>>,
    pub now: Now,
    /// The watchlist, if the settings name one.
    pub watchlist: Option<Arc<WatchlistSource>>,
    /// The owner's dashboards.
    pub dashboards: Arc<Dashboards>,
    /// How long after the end of its slot a candle may take to arrive.
    pub stale_after: SignedDuration,
    /// Publishes changes in the store to listeners.
    pub hub: Hub,
    /// Large reads take turns.
    pub turns: Turns,
    /// Recent responses with candles.
    pub answers: Answers,
}

impl App {
    /// Connects to the services that the settings name.
    pub async fn connect(config: &Config, env: &Env, hub: Hub) -> anyhow::Result<Self> {
        let aws = Aws::from_env().await;
        let pool =
            read::connect(env, &aws, &config.database_url, config.connections).await.context("open the store")?;
        // Other services alert the owner about a broken watchlist; the dashboard only shows it.
        let files = config.watchlist.as_ref().map(|at| Files::of(at, |bucket| Arc::new(aws.store(bucket))));
        let dashboards = Arc::new(Dashboards::new(files, config.edit_token.clone()));
        let watchlist = config.watchlist.clone();
        let watchlist = watchlist.map(|at| WatchlistSource::new(at, |bucket| aws.store(bucket), Arc::new(LogNotifier)));
        let ingest = env.queue_url("ingest").ok().map(|url| Arc::new(aws.queue(url)) as Arc<dyn Queue>);
        Ok(Self {
            pool,
            store: Arc::new(aws.store(&config.bucket)),
            ingest,
            queues: SqsQueues::watched(aws, env),
            now: system_clock::now(config.clock),
            watchlist: watchlist.map(Arc::new),
            dashboards,
            stale_after: config.stale_after,
            hub,
            turns: Turns::default(),
            answers: Answers::default(),
        })
    }

    /// The current watchlist; `None` if the settings name none.
    pub async fn watchlist(&self) -> Result<Option<Arc<Watchlist>>, Problem> {
        let Some(source) = &self.watchlist else { return Ok(None) };
        let read = source.read().await.map(Some);
        read.map_err(|error| Problem::unavailable(error.to_string()))
    }

    /// The calendars that exist, with those of the owner. While they or the watchlist are invalid, charts are drawn by
    /// the compiled-in ones.
    pub async fn calendars(&self) -> Calendars {
        let watchlist = self.watchlist().await.ok().flatten();
        watchlist.map(|watchlist| watchlist.calendars().clone()).unwrap_or_default()
    }
}
