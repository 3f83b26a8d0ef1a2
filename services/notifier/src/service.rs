//! Runs the parts of the notifier concurrently.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::system_clock;
use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::ports::clock::Now;
use candlewick_shared::ports::notifier;
use candlewick_shared::runtime::consumer::Consumer;
use candlewick_shared::runtime::database;
use candlewick_shared::runtime::env::Env;
use candlewick_shared::runtime::layers::MessageService;
use futures::future::join_all;
use sqlx::PgPool;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tower::service_fn;

use crate::channel::discord::Discord;
use crate::channel::email::Email;
use crate::channel::pagerduty::PagerDuty;
use crate::channel::slack::Slack;
use crate::channel::sns::Sns;
use crate::channel::teams::Teams;
use crate::channel::telegram::Telegram;
use crate::channel::webhook::Webhook;
use crate::channel::{Channel, http};
use crate::config::{Channels, Config};
use crate::events::outbox as event_outbox;
use crate::events::relay::Relay;
use crate::events::sink::Sink;
use crate::facts::Sources;
use crate::heartbeat::Heartbeat;
use crate::intake::Intake;
use crate::plan::Pace;
use crate::sender::Sender;
use crate::sweep::Sweep;
use crate::{alerts, digest, events, outbox, planner};

/// The longest time between two plans, and the wait after an error.
const POLL: Duration = Duration::from_secs(20);

/// Enough for the messages handled at once, the channels, the planner, the sweep, and the relays of events with their listener.
const CONNECTIONS: u32 = 12;

pub struct NotifierService {
    pool: PgPool,
    channels: Vec<Arc<dyn Channel>>,
    sinks: Vec<Arc<dyn Sink>>,
    sweep: Sweep,
    heartbeat: Option<Heartbeat>,
    config: Config,
    now: Now,
    real_now: Now,
}

impl NotifierService {
    /// Connects to the database and opens the channels. `notifier` receives the alert about an invalid watchlist.
    pub async fn new(
        config: Config,
        env: Env,
        aws: &Aws,
        notifier: Arc<dyn notifier::Notifier>,
    ) -> anyhow::Result<Self> {
        let pool = database::connect(&env, aws, &config.database_url, CONNECTIONS).await?;
        let now = system_clock::now(config.clock);
        let real_now = system_clock::now(Clock::Real);
        let mut database = pool.acquire().await.context("connect to the database")?;
        alerts::settle_clock(&mut database, now()).await.context("settle the clock")?;
        drop(database);
        let http = http::client()?;
        let channels = open_channels(&config.channels, &http, aws)?;
        let names: Vec<_> = channels.iter().map(|channel| channel.name()).collect();
        tracing::info!("channels: {}", if names.is_empty() { "none".to_owned() } else { names.join(", ") });
        let sinks = config.sinks.open(&http, aws);
        register(&pool, &sinks).await?;
        let watchlist = config.watchlist.clone();
        let watchlist = watchlist.map(|at| Arc::new(WatchlistSource::new(at, |bucket| aws.store(bucket), notifier)));
        let sources = Sources { pool: pool.clone(), aws: aws.clone(), env, watchlist };
        let sweep = Sweep { sources, limits: config.limits, now: now.clone(), real_now: real_now.clone() };
        let heartbeat = config.heartbeat.clone().map(|url| {
            let pool = pool.clone();
            let now = real_now.clone();
            Heartbeat { http, url, pool, now }
        });
        Ok(Self { pool, channels, sinks, sweep, heartbeat, config, now, real_now })
    }

    /// Receives alerts, sweeps, plans and sends until `stop` is cancelled.
    pub async fn run(self, consumer: Consumer, stop: CancellationToken) {
        let (wake, woken) = mpsc::channel(1);
        let (fill, filled) = watch::channel(());
        let intake = Intake { pool: self.pool.clone(), now: self.real_now.clone(), wake: wake.clone() };
        let handler = MessageService::new(service_fn(move |delivery| intake.clone().handle(delivery)));
        let senders = self.channels.iter().map(|channel| {
            let pool = self.pool.clone();
            let channel = Arc::clone(channel);
            let now = self.real_now.clone();
            Sender { pool, channel, now, filled: filled.clone() }.run(stop.clone())
        });
        tokio::join!(
            consumer.run(handler, stop.clone()),
            self.sweep_until(&stop, &wake),
            self.plan_until(&stop, woken, &fill),
            join_all(senders),
            self.relay_until(&stop),
        );
        self.pool.close().await;
    }

    /// Sends events to the sinks, if there are any.
    async fn relay_until(&self, stop: &CancellationToken) {
        if self.sinks.is_empty() {
            return;
        }
        let (loaded, noticed) = watch::channel(());
        let relays = self.sinks.iter().map(|sink| {
            let pool = self.pool.clone();
            let sink = Arc::clone(sink);
            let now = self.real_now.clone();
            Relay { pool, sink, now, loaded: noticed.clone() }.run(stop.clone())
        });
        tokio::join!(events::listen::listen(&self.pool, &loaded, stop), join_all(relays));
    }

    async fn sweep_until(&self, stop: &CancellationToken, wake: &mpsc::Sender<()>) {
        let every = Duration::try_from(self.config.sweep_every).unwrap_or(POLL);
        while !stop.is_cancelled() {
            match (self.sweep.sweep().await, &self.heartbeat) {
                (Ok(()), Some(heartbeat)) => heartbeat.beat().await,
                (Ok(()), None) => {}
                (Err(error), _) => tracing::warn!("the sweep failed, so no heartbeat is sent: {error:#}"),
            }
            let _ = wake.try_send(());
            let _ = tokio::time::timeout(every, stop.cancelled()).await;
        }
    }

    async fn plan_until(&self, stop: &CancellationToken, mut woken: mpsc::Receiver<()>, fill: &watch::Sender<()>) {
        let names: Vec<_> = self.channels.iter().map(|channel| channel.name().to_owned()).collect();
        while !stop.is_cancelled() {
            let wait = self.plan(&names, &self.config.pace).await.unwrap_or_else(|error| {
                tracing::warn!("failed to plan notifications: {error:#}; retrying in {POLL:.0?}");
                POLL
            });
            fill.send_replace(());
            tokio::select! {
                () = stop.cancelled() => {}
                _ = woken.recv() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Fills the outbox with what is due, and returns how long to wait before planning again.
    async fn plan(&self, channels: &[String], pace: &Pace) -> anyhow::Result<Duration> {
        let now = (self.real_now)();
        digest::queue_due(&self.pool, channels, &self.config.digest, (self.now)(), now).await?;
        let next = planner::queue_due(&self.pool, channels, pace, now).await?;
        Ok(next.map_or(POLL, |next| outbox::until(next, now).min(POLL)))
    }
}

async fn register(pool: &PgPool, sinks: &[Arc<dyn Sink>]) -> anyhow::Result<()> {
    let names: Vec<_> = sinks.iter().map(|sink| sink.name()).collect();
    let dropped = event_outbox::register(pool, &names).await.context("register the sinks of events")?;
    if dropped > 0 {
        tracing::warn!("dropped {dropped} events for sinks that the settings no longer name");
    }
    if !names.is_empty() {
        tracing::info!("events of loads go to: {}", names.join(", "));
    }
    Ok(())
}

fn open_channels(settings: &Channels, http: &reqwest::Client, aws: &Aws) -> anyhow::Result<Vec<Arc<dyn Channel>>> {
    let mut channels: Vec<Arc<dyn Channel>> = Vec::new();
    let http = || http.clone();
    if let Some(topic) = settings.sns.clone() {
        channels.push(Arc::new(Sns { client: aws_sdk_sns::Client::new(aws.config()), topic }));
    }
    if let Some(url) = settings.webhook.clone() {
        channels.push(Arc::new(Webhook { http: http(), url }));
    }
    if let Some(url) = settings.slack.clone() {
        channels.push(Arc::new(Slack { http: http(), url }));
    }
    if let Some(url) = settings.teams.clone() {
        channels.push(Arc::new(Teams { http: http(), url }));
    }
    if let Some(url) = settings.discord.clone() {
        channels.push(Arc::new(Discord { http: http(), url }));
    }
    if let Some((api, token, chat)) = &settings.telegram {
        channels.push(Arc::new(Telegram::new(http(), api, token, chat.clone())));
    }
    if let Some((events, routing_key)) = &settings.pagerduty {
        channels.push(Arc::new(PagerDuty::new(http(), events, routing_key.clone())));
    }
    if let Some((url, from, to)) = &settings.email {
        channels.push(Arc::new(Email::new(url, from, to)?));
    }
    Ok(channels)
}
