//! `candlewick up`: runs everything on this machine.

mod airflow;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::watchlist;
use anyhow::{Context, bail};
use candlewick_ingest::refresh::{freshness, schedule};
use candlewick_localstack::emulator::Emulator;
use candlewick_localstack::ports::Wish;
use candlewick_localstack::process::leftovers;
use candlewick_localstack::progress::Reporter;
use candlewick_localstack::stack::{BUCKET, KEYS, Options, Running, Source, Stack};
use candlewick_localstack::state::StateDir;
use candlewick_localstack::watchdog::{self, Watchdog};
use candlewick_shared::adapters::postgres_runs::PostgresRuns;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::ingest_message::Refresh;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::run::{Run, RunKind};
use candlewick_shared::core::watchlist::Watchlist;
use candlewick_shared::runtime::env::Env;
use jiff::{SignedDuration, Timestamp};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use self::airflow::Airflow;
use crate::follow::{self, SeriesState, SeriesStates};
use crate::place::{self, Place};
use crate::{build, reconcile, refresh, status, terminal, watch};

/// Starts everything on this machine, fetches the watchlist, and stays up.
///
/// It then fetches again whenever the schedule is due, and processes files that are put into raw/. Ctrl-C stops
/// everything that it started. The next `up` continues from the data in .local (the database and a copy of raw/).
///
/// With TWELVEDATA_API_KEY or TWELVEDATA_API_KEY_FILE in the environment or in .env it uses the real API, at
/// TWELVEDATA_URL if that is set. Otherwise it uses a simulator, whose clock starts in the evening of 2024-12-30, where
/// its recorded candles end.
///
/// Needs Rust's cargo, Python 3.11 or newer, and this checkout. Only one `up` can run per state directory.
///
/// Exit codes: 0 if it was stopped, or with --once if every series is loaded; 1 after an error, or with --once if a
/// series is not loaded or it was stopped early.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Fetch and load the watchlist, then stop; exit with 1 if a series is not loaded
    #[arg(long)]
    once: bool,
    /// The watchlist [default: watchlist.toml next to Cargo.toml]
    #[arg(long, value_name = "FILE", env = "WATCHLIST")]
    watchlist: Option<PathBuf>,
    /// When to fetch the watchlist: minute, hour, day of the month, month, day of the week; or off
    #[arg(long, value_name = "CRON", env = "SCHEDULE", default_value = "30 17 * * *")]
    schedule: String,
    /// The time zone of the schedule
    #[arg(long, value_name = "ZONE", env = "SCHEDULE_TIMEZONE", default_value = "America/New_York")]
    schedule_timezone: String,
    /// The emulator of S3, SQS and SNS: localstack, ministack or moto (see docs/emulators.md)
    #[arg(long, value_name = "NAME", env = "CANDLEWICK_EMULATOR", default_value_t)]
    emulator: Emulator,
    /// The directory of the programs of your own consumers [default: that of this program]
    #[arg(long, value_name = "DIR", env = "CANDLEWICK_CONSUMERS")]
    consumers: Option<PathBuf>,
    /// The topology, with consumers of your own: the path of a file like topology.json, or its text
    #[arg(long, value_name = "FILE", env = "TOPOLOGY")]
    topology: Option<String>,
    /// The port of the emulator, whichever one it is [default: the last port used, or any free port]
    #[arg(long, value_name = "PORT", env = "LOCALSTACK_PORT")]
    localstack_port: Option<u16>,
    /// The port of PostgreSQL [default: the last port used, or any free port]
    #[arg(long, value_name = "PORT", env = "POSTGRES_PORT")]
    postgres_port: Option<u16>,
    /// The port of the dashboard [default: the last port used, or any free port]
    #[arg(long, value_name = "PORT", env = "DASHBOARD_PORT")]
    dashboard_port: Option<u16>,
    /// The port of the simulator [default: the last port used, or any free port]
    #[arg(long, value_name = "PORT", env = "SIMULATOR_PORT")]
    simulator_port: Option<u16>,
    #[command(flatten)]
    airflow: Airflow,
}

/// Where the simulator's clock starts: an hour after the close of its last recorded session.
const SIMULATED_START: &str = "2024-12-30T22:00:00Z";

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let (options, watchlist) = options(place, &args).await?;
    let state = StateDir::open(&place.state)?;
    let _lock = state.lock().await?;
    let own = std::env::current_exe().context("find this program")?;
    let watchdog = Watchdog::start(&own, ["--state".as_ref(), state.root().as_os_str(), "watchdog".as_ref()])?;
    leftovers::stop(&state).await.context("stop the programs that an earlier run left running")?;

    let progress = terminal::reporter();
    let stop = stop_on_signals()?;
    let mut stack = Stack::new(options, state.clone(), progress.clone());
    let session = Session { place, args: &args, watchlist: &watchlist, state: &state, progress: &progress };
    let ended = tokio::select! {
        ended = session.run(&mut stack) => ended,
        () = stop.cancelled() => Ok(if args.once { ExitCode::FAILURE } else { ExitCode::SUCCESS }),
    };
    progress.line("up", "stopping");
    stack.stop().await;
    // An interrupted start may have started programs that the stack does not know yet.
    leftovers::stop(&state).await.context("stop the remaining programs")?;
    watchdog.dismiss().await?;
    progress.line("up", "stopped");
    ended
}

/// Waits for the `up` that started it to end. If `up` was killed, it stops the programs that `up` left running.
pub async fn watchdog(place: &Place) -> anyhow::Result<ExitCode> {
    watchdog::run(&StateDir::open(&place.state)?).await?;
    Ok(ExitCode::SUCCESS)
}

async fn options(place: &Place, args: &Args) -> anyhow::Result<(Options, Watchlist)> {
    let path = args.watchlist.clone().unwrap_or_else(|| place.root.join("watchlist.toml"));
    let path = std::path::absolute(path).context("resolve the watchlist's path")?;
    let watchlist = watchlist::of_file(&path).await?;
    let wish = |port: Option<u16>, setting: &str| {
        port.map_or(Wish::Any, |port| Wish::Demanded { port, setting: setting.to_owned() })
    };
    let schedule = schedule::from_settings(Some(&args.schedule), Some(&args.schedule_timezone));
    schedule.context("read --schedule and --schedule-timezone")?;
    let options = Options {
        schedule: (args.airflow.schedule(&args.schedule).to_owned(), args.schedule_timezone.clone()),
        consumer_programs: args.consumers.clone().map_or_else(build::programs, Ok)?,
        topology: args.topology.as_deref().map(absolute).transpose()?,
        programs: build::programs()?,
        python_home: place.root.join(".local"),
        watchlist: path,
        emulator: args.emulator,
        emulator_port: wish(args.localstack_port, "--localstack-port"),
        postgres_port: wish(args.postgres_port, "--postgres-port"),
        dashboard_port: wish(args.dashboard_port, "--dashboard-port"),
        source: source(wish(args.simulator_port, "--simulator-port"))?,
        airflow: args.airflow.options(place, &watchlist),
    };
    Ok((options, watchlist))
}

/// The services run in another directory. The setting may also be the text of a topology.
fn absolute(topology: &str) -> anyhow::Result<String> {
    if topology.trim_start().starts_with('{') {
        return Ok(topology.to_owned());
    }
    let path = std::path::absolute(topology).context("resolve the path of TOPOLOGY")?;
    Ok(path.display().to_string())
}

fn source(port: Wish) -> anyhow::Result<Source> {
    if KEYS.into_iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())) {
        let url = Env::of_process().optional("TWELVEDATA_URL").map(str::to_owned);
        return Ok(Source::TwelveData { url });
    }
    let anchor = Timestamp::from_second(Timestamp::now().as_second()).context("read the clock")?;
    let start = SIMULATED_START.parse().context("parse the simulator's start time")?;
    Ok(Source::Simulator { port, clock: Clock::Simulated { start, anchor, rate: 1.0 } })
}

fn stop_on_signals() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let mut hangup = signal(SignalKind::hangup()).context("listen for SIGHUP")?;
    let stopped = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
        stopped.cancel();
    });
    Ok(stop)
}

struct Session<'a> {
    place: &'a Place,
    args: &'a Args,
    watchlist: &'a Watchlist,
    state: &'a StateDir,
    progress: &'a Reporter,
}

impl Session<'_> {
    async fn run(&self, stack: &mut Stack) -> anyhow::Result<ExitCode> {
        let running = stack.start_ground(self.build()).await?;
        let restored = stack.restore_raw(&running).await?;
        if restored > 0 {
            self.progress.line("raw copy", &format!("restored {restored} raw objects; they are processed again"));
        }
        let expected: BTreeSet<Series> = self.watchlist.series().collect();
        // Requested before any service starts, so that a schedule that catches up on missed refreshes finds this run.
        self.refresh(&running, &expected).await?;
        stack.start_services(&running)?;
        let states = tokio::select! {
            states = follow::until_settled(&running, &expected, self.progress) => states?,
            died = stack.died() => bail!(died),
        };
        self.args.airflow.start(stack, &running, self.progress).await?;
        self.show(&running, &states).await?;
        if self.args.once {
            return once(&states);
        }
        let deployment = place::Deployment { env: running.addresses.env(), aws: running.aws.clone() };
        tokio::select! {
            failed = watch::watch(&running, self.progress) => failed.map(|never| match never {}),
            never = reconcile::run_periodically(&deployment, &running.pool, self.progress) => match never {},
            died = stack.died() => bail!(died),
        }
    }

    async fn build(&self) -> anyhow::Result<()> {
        self.progress.line("services", "building");
        let install = self.args.airflow.install(self.place, self.progress);
        let ((), ()) = tokio::try_join!(build::build(&self.place.root), install)?;
        self.progress.line("services", "built");
        Ok(())
    }

    /// Requests the series that were not fetched since the schedule was last due, so that a restart costs no credits
    /// for fresh series.
    async fn refresh(&self, running: &Running, expected: &BTreeSet<Series>) -> anyhow::Result<()> {
        let env = running.addresses.env();
        let now = env.clock()?.at(Timestamp::now());
        let before = last_due(&env, now)?;
        let store = running.aws.store(BUCKET);
        let mut due = 0;
        for series in expected {
            due += usize::from(freshness::is_due(&store, series, before, now).await?);
        }
        if due == 0 {
            self.progress.line("refresh", &format!("all {} series are already fresh", expected.len()));
            return Ok(());
        }
        let request = Refresh { fetched_before: Some(before), ..Refresh::default() };
        let run = refresh::send(&running.aws, &env, request).await?;
        let run = Run { id: run, kind: RunKind::Manual, requested_at: now, is_whole: true };
        PostgresRuns::new(running.pool.clone()).announce(&run).await?;
        let fresh = expected.len() - due;
        self.progress.line("refresh", &format!("run {}: requested {due} series, {fresh} are already fresh", run.id));
        Ok(())
    }

    async fn show(&self, running: &Running, states: &SeriesStates) -> anyhow::Result<()> {
        let env = running.addresses.env();
        let series = status::all_series(&running.pool, &running.aws, &env).await?;
        terminal::result(&format!("\n{}\n", status::series_table(&series)));
        for (series, state) in states {
            if let Some(reason) = why_not_loaded(state) {
                terminal::result(&format!("{series} is not loaded: {reason}"));
            }
        }
        self.show_addresses(running);
        Ok(())
    }

    fn show_addresses(&self, running: &Running) {
        let address = |variable| running.addresses.get(variable).unwrap_or("https://api.twelvedata.com (the real API)");
        let env = self.state.env_file();
        let logs = self.state.root().join("logs");
        terminal::result(&format!("dashboard    {}", address("DASHBOARD_URL")));
        terminal::result(&format!("S3, SQS      {}", address("AWS_ENDPOINT_URL")));
        terminal::result(&format!("PostgreSQL   {}", address("DATABASE_URL")));
        terminal::result(&format!("TwelveData   {}", address("TWELVEDATA_URL")));
        self.args.airflow.show(running, self.state);
        terminal::result(&format!("addresses    . {}", env.display()));
        terminal::result(&format!("logs         {}", logs.display()));
        terminal::result("metrics      /metrics at each …_HEALTH_URL in the file of addresses");
        if !self.args.once {
            terminal::result("\nCandlewick is up. In another terminal:");
            terminal::result("  cargo run -- drop FILE --symbol AAPL --interval 1day");
            terminal::result("  cargo run -- status\nCtrl-C stops everything.\n");
        }
    }
}

/// When a refresh was last due by the schedule, or a day ago if there is no schedule.
fn last_due(env: &Env, now: Timestamp) -> anyhow::Result<Timestamp> {
    let schedule = schedule::from_settings(env.optional("SCHEDULE"), env.optional("SCHEDULE_TIMEZONE"));
    let schedule = schedule.context("read SCHEDULE and SCHEDULE_TIMEZONE")?;
    let a_day_ago = now.checked_sub(SignedDuration::from_hours(24)).context("subtract a day")?;
    Ok(schedule.and_then(|schedule| schedule.newest(now)).unwrap_or(a_day_ago))
}

fn why_not_loaded(state: &SeriesState) -> Option<&str> {
    match state {
        SeriesState::Loaded => None,
        SeriesState::Failed(reason) => Some(reason),
        SeriesState::Requested => Some("it was requested and not fetched; see logs/ingest.log"),
        SeriesState::Fetched => Some("it was fetched and not transformed; see logs/transform.log"),
        SeriesState::Transformed => Some("it was transformed and not loaded; see logs/loader.log"),
    }
}

fn once(states: &SeriesStates) -> anyhow::Result<ExitCode> {
    let failed = states.values().filter(|state| **state != SeriesState::Loaded).count();
    if failed > 0 {
        bail!("{failed} of {} series are not loaded (see the reasons above)", states.len());
    }
    Ok(ExitCode::SUCCESS)
}
