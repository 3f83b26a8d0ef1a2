//! `candlewick up`: everything on this machine.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

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

use crate::follow::{self, Stage, Stages};
use crate::place::{self, Place};
use crate::{build, reconcile, refresh, status, terminal, watch};

/// Starts everything on this machine, fetches the watchlist, and stays up: it fetches again whenever the schedule is due, and
/// reacts to what is dropped into raw/.
///
/// Ctrl-C stops all that it started. What it leaves in .local (the database, a copy of raw/) is what the next `up` starts
/// from. With TWELVEDATA_API_KEY (or TWELVEDATA_API_KEY_FILE) in the environment or in .env it asks the real API, at
/// TWELVEDATA_URL where that is set; otherwise a simulator, whose time begins in the evening of 2024-12-30, where its real candles end.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Fetch and load the watchlist, then stop; exit 1 if a series failed
    #[arg(long)]
    once: bool,
    /// The watchlist [default: watchlist.toml, beside Cargo.toml]
    #[arg(long, value_name = "FILE", env = "WATCHLIST")]
    watchlist: Option<PathBuf>,
    /// When the watchlist is fetched: minute, hour, day of the month, month, day of the week; or off
    #[arg(long, value_name = "CRON", env = "SCHEDULE", default_value = "30 17 * * *")]
    schedule: String,
    /// The time zone of the schedule
    #[arg(long, value_name = "ZONE", env = "SCHEDULE_TIMEZONE", default_value = "America/New_York")]
    schedule_timezone: String,
    /// What stands in for S3, SQS and SNS: localstack, ministack or moto (docs/emulators.md)
    #[arg(long, value_name = "NAME", env = "CANDLEWICK_EMULATOR", default_value_t)]
    emulator: Emulator,
    /// The port of the emulator, whichever it is [default: the last one, or any free one]
    #[arg(long, value_name = "PORT", env = "LOCALSTACK_PORT")]
    localstack_port: Option<u16>,
    /// The port of PostgreSQL [default: the last one, or any free one]
    #[arg(long, value_name = "PORT", env = "POSTGRES_PORT")]
    postgres_port: Option<u16>,
    /// The port of the dashboard [default: the last one, or any free one]
    #[arg(long, value_name = "PORT", env = "DASHBOARD_PORT")]
    dashboard_port: Option<u16>,
    /// The port of the simulator [default: the last one, or any free one]
    #[arg(long, value_name = "PORT", env = "SIMULATOR_PORT")]
    simulator_port: Option<u16>,
}

/// The moment that the simulator's time begins at: an hour after the last session of its real candles closed.
const SIMULATED_START: &str = "2024-12-30T22:00:00Z";

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let (options, watchlist) = options(place, &args)?;
    let state = StateDir::open(&place.state)?;
    let _lock = state.lock().await?;
    let own = std::env::current_exe().context("find this program")?;
    let watchdog = Watchdog::start(&own, ["--state".as_ref(), state.root().as_os_str(), "watchdog".as_ref()])?;
    leftovers::stop(&state).await.context("stop what an earlier run left")?;

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
    // A start that was broken off may have begun what the stack does not know of yet.
    leftovers::stop(&state).await.context("stop what is left")?;
    watchdog.dismiss().await?;
    progress.line("up", "stopped");
    ended
}

/// Waits for the end of the `up` that started it, and stops what that left if it was killed.
pub async fn watchdog(place: &Place) -> anyhow::Result<ExitCode> {
    watchdog::run(&StateDir::open(&place.state)?).await?;
    Ok(ExitCode::SUCCESS)
}

fn options(place: &Place, args: &Args) -> anyhow::Result<(Options, Watchlist)> {
    let path = args.watchlist.clone().unwrap_or_else(|| place.root.join("watchlist.toml"));
    let path = std::path::absolute(path).context("resolve the watchlist's path")?;
    let text = std::fs::read_to_string(&path).with_context(|| format!("read the watchlist {}", path.display()))?;
    let watchlist = text.parse().with_context(|| format!("read the watchlist {}", path.display()))?;
    let wish = |port: Option<u16>, setting: &str| {
        port.map_or(Wish::Any, |port| Wish::Demanded { port, setting: setting.to_owned() })
    };
    let schedule = schedule::from_settings(Some(&args.schedule), Some(&args.schedule_timezone));
    schedule.context("read --schedule and --schedule-timezone")?;
    let options = Options {
        schedule: (args.schedule.clone(), args.schedule_timezone.clone()),
        programs: build::programs()?,
        python_home: place.root.join(".local"),
        watchlist: path,
        emulator: args.emulator,
        emulator_port: wish(args.localstack_port, "--localstack-port"),
        postgres_port: wish(args.postgres_port, "--postgres-port"),
        dashboard_port: wish(args.dashboard_port, "--dashboard-port"),
        source: source(wish(args.simulator_port, "--simulator-port"))?,
    };
    Ok((options, watchlist))
}

fn source(port: Wish) -> anyhow::Result<Source> {
    if KEYS.into_iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())) {
        let url = std::env::var("TWELVEDATA_URL").ok().filter(|url| !url.is_empty());
        return Ok(Source::TwelveData { url });
    }
    let anchor = Timestamp::from_second(Timestamp::now().as_second()).context("read the clock")?;
    let start = SIMULATED_START.parse().context("read the simulator's first moment")?;
    Ok(Source::Simulator { port, clock: Clock::Simulated { start, anchor, rate: 1.0 } })
}

fn stop_on_signals() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let mut hangup = signal(SignalKind::hangup()).context("listen for SIGHUP")?;
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
        told.cancel();
    });
    Ok(stop)
}

/// One `up`, from the first program to the last line.
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
            self.progress.line("raw copy", &format!("{restored} raw objects put back; they go their way again"));
        }
        let expected: BTreeSet<Series> = self.watchlist.series().collect();
        // Before any service is there: a schedule that looks for what it missed finds this run.
        self.refresh(&running, &expected).await?;
        stack.start_services(&running)?;
        let stages = tokio::select! {
            stages = follow::until_settled(&running, &expected, self.progress) => stages?,
            died = stack.died() => bail!(died),
        };
        self.show(&running, &stages).await?;
        if self.args.once {
            return once(&stages);
        }
        let reached = place::Running { env: running.addresses.env(), aws: running.aws.clone() };
        tokio::select! {
            failed = watch::watch(&running, self.progress) => failed.map(|never| match never {}),
            never = reconcile::keep(&reached, &running.pool, self.progress) => match never {},
            died = stack.died() => bail!(died),
        }
    }

    async fn build(&self) -> anyhow::Result<()> {
        self.progress.line("services", "building");
        build::build(&self.place.root).await?;
        self.progress.line("services", "built");
        Ok(())
    }

    /// Asks for the series that nobody fetched since the schedule was last due: what was fetched a moment ago costs no
    /// credits again.
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
            self.progress.line("refresh", &format!("all {} series are fresh already", expected.len()));
            return Ok(());
        }
        let asked = Refresh { fetched_before: Some(before), ..Refresh::default() };
        let run = refresh::send(&running.aws, &env, asked).await?;
        let run = Run { id: run, kind: RunKind::Manual, requested_at: now, is_whole: true };
        PostgresRuns::new(running.pool.clone()).announce(&run).await?;
        let fresh = expected.len() - due;
        self.progress.line("refresh", &format!("run {}: {due} series asked for, {fresh} fresh already", run.id));
        Ok(())
    }

    async fn show(&self, running: &Running, stages: &Stages) -> anyhow::Result<()> {
        let env = running.addresses.env();
        let series = status::series(&running.pool, &running.aws, &env).await?;
        terminal::result(&format!("\n{}\n", status::series_table(&series)));
        for (series, stage) in stages {
            if let Some(reason) = why_not_loaded(stage) {
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
        terminal::result(&format!("addresses    . {}", env.display()));
        terminal::result(&format!("logs         {}", logs.display()));
        terminal::result("metrics      /metrics at each …_HEALTH_URL of the addresses");
        if !self.args.once {
            terminal::result("\nup, and reacting. In another terminal:");
            terminal::result("  cargo run -- drop FILE --symbol AAPL --interval 1day");
            terminal::result("  cargo run -- status\nCtrl-C stops everything.\n");
        }
    }
}

/// When a refresh was last due: by the schedule, and without one a day ago.
fn last_due(env: &Env, now: Timestamp) -> anyhow::Result<Timestamp> {
    let schedule = schedule::from_settings(env.optional("SCHEDULE"), env.optional("SCHEDULE_TIMEZONE"));
    let schedule = schedule.context("read SCHEDULE and SCHEDULE_TIMEZONE")?;
    let a_day_ago = now.checked_sub(SignedDuration::from_hours(24)).context("go back a day")?;
    Ok(schedule.and_then(|schedule| schedule.newest(now)).unwrap_or(a_day_ago))
}

fn why_not_loaded(stage: &Stage) -> Option<&str> {
    match stage {
        Stage::Loaded => None,
        Stage::Failed(reason) => Some(reason),
        Stage::Asked => Some("nothing came of it; see logs/ingest.log"),
        Stage::Fetched => Some("it was fetched and not transformed; see logs/transform.log"),
        Stage::Transformed => Some("it was transformed and not loaded; see logs/loader.log"),
    }
}

fn once(stages: &Stages) -> anyhow::Result<ExitCode> {
    let failed = stages.values().filter(|stage| **stage != Stage::Loaded).count();
    if failed > 0 {
        bail!("{failed} of {} series are not loaded (the reasons stand above)", stages.len());
    }
    Ok(ExitCode::SUCCESS)
}
