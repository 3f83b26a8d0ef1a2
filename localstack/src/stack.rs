//! The whole of Candlewick on one machine: what starts it in order, and stops it in the other.

mod addresses;
mod database_users;
mod simulator;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::postgres as database;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::topology::Topology;
use candlewick_shared::ports::store::ObjectStore;
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::addresses::Addresses;
use crate::emulator::{self, Emulator};
use crate::env_file;
use crate::ports::{Picker, Wish};
use crate::postgres::{self, Postgres};
use crate::process::{Exit, Process, Program, StopPlan};
use crate::progress::Reporter;
use crate::provision;
use crate::python::{Environment, Search};
use crate::raw_copy::{Follower, RawCopy};
use crate::state::StateDir;
use crate::supervise::{Backoff, Service};

/// The services that are started, in the order of a candle's way, the one that tells of what goes wrong on it, and the one that
/// shows it.
pub const SERVICES: [&str; 5] = ["ingest", "transform", "loader", "notifier", "dashboard"];

/// What the settings of the notifier begin with, which alone knows the ways to the owner.
const NOTIFIER_SETTINGS: [&str; 6] =
    ["ALERT_", "CALENDAR_HORIZON", "DIGEST_", "HEARTBEAT_URL", "STALE_AFTER", "SWEEP_"];

/// The settings of the dashboard, which alone knows what its callers must know.
const DASHBOARD_SETTINGS: [&str; 10] = [
    "DASHBOARD_CLIENTS",
    "DASHBOARD_CONNECTIONS",
    "DASHBOARD_EVENT_STREAMS",
    "DASHBOARD_EVENT_STREAMS_PER_ADDRESS",
    "DASHBOARD_PASSWORD",
    "DASHBOARD_REQUESTS_PER_SECOND",
    "DASHBOARD_REQUEST_TIMEOUT",
    "DASHBOARD_TOKEN",
    "DASHBOARD_TRUSTED_PROXIES",
    "STALE_AFTER",
];

/// What the services are given of the environment that the stack is started in.
const PASSED_ON: [&str; 8] = [
    "LOG_FORMAT",
    "MEMORY_LIMIT",
    "METRICS",
    "OPENLINEAGE",
    "OPENLINEAGE_URL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "RUST_LOG",
];

/// What tells where the key to the real API is, when it is asked: itself, or the file that has it.
pub const KEYS: [&str; 2] = ["TWELVEDATA_API_KEY", "TWELVEDATA_API_KEY_FILE"];

/// What limits what ingest spends.
const BUDGET: [&str; 3] = ["TWELVEDATA_PLAN", "TWELVEDATA_CREDITS_PER_MINUTE", "TWELVEDATA_CREDITS_PER_DAY"];

/// The queue that tells the copy of `raw/` what is written there. It exists on this machine only: in the cloud the bucket
/// keeps its objects, so neither `topology.json` nor Terraform has it.
const RAW_COPY_QUEUE: &str = "candlewick-raw-copy";

/// The name of the bucket.
pub const BUCKET: &str = "candlewick";

/// How the stack is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory of the built programs.
    pub programs: PathBuf,
    /// Where Python environments are kept.
    pub python_home: PathBuf,
    /// The file with the watchlist.
    pub watchlist: PathBuf,
    /// When the watchlist is fetched: a cron pattern (or `off`) and its time zone.
    pub schedule: (String, String),
    /// What stands in for AWS.
    pub emulator: Emulator,
    /// Its port.
    pub emulator_port: Wish,
    /// The port of PostgreSQL.
    pub postgres_port: Wish,
    /// The port of the dashboard.
    pub dashboard_port: Wish,
    /// Where candles come from.
    pub source: Source,
}

/// Where candles come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// The simulator, on this port, and the time that it and everything else goes by.
    Simulator {
        /// Its port.
        port: Wish,
        /// The time.
        clock: Clock,
    },
    /// The real API, in real time, with the key in the environment.
    TwelveData {
        /// Where it is, if not at its own address: a proxy in front of it.
        url: Option<String>,
    },
}

/// A stack that is being started, runs, or is being stopped. What has been started is known at every moment, so that it
/// can be stopped even when the start was broken off.
pub struct Stack {
    options: Options,
    state: StateDir,
    progress: Reporter,
    emulator: Option<emulator::Started>,
    postgres: Option<Postgres>,
    simulator: Option<Process>,
    services: Vec<Service>,
    copier: Option<(CancellationToken, JoinHandle<()>)>,
}

/// A stack that has all it needs: where it is, and the ways to it.
#[derive(Clone)]
pub struct Running {
    /// The addresses, as in the env file.
    pub addresses: Addresses,
    /// AWS, as the emulator has it.
    pub aws: Aws,
    /// The database, as its owner.
    pub pool: PgPool,
    /// Where each service that uses the database logs in, as a user of its own.
    databases: BTreeMap<&'static str, String>,
}

impl Stack {
    /// A stack of which nothing is started yet.
    #[must_use]
    pub fn new(options: Options, state: StateDir, progress: Reporter) -> Self {
        let (emulator, postgres, simulator, copier) = (None, None, None, None);
        Self { options, state, progress, emulator, postgres, simulator, services: Vec::new(), copier }
    }

    /// Starts what the services need: the emulator and PostgreSQL at once, while `build` builds the programs; then the
    /// simulator. Makes bucket and queues, brings the database to its schema, and writes every address to the env file.
    ///
    /// # Errors
    /// The first thing that does not start, and why.
    pub async fn start_ground(&mut self, build: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<Running> {
        let ports = self.pick_ports()?;
        let (emulator, postgres) = (self.emulator_settings(ports.emulator), self.postgres_settings(ports.postgres)?);
        let (progress, state) = (self.progress.clone(), self.state.clone());
        let emulator = start_emulator(&self.options.python_home, &emulator, &state, &progress);
        let postgres = async { Ok(Postgres::start(&postgres, &state, &progress).await?) };
        let (emulator, postgres, built) = tokio::join!(emulator, postgres, build);
        // What did start is kept before any error is looked at, so that it is stopped.
        let emulator = emulator.map(|up| self.emulator = Some(up));
        let postgres: anyhow::Result<()> = postgres.map(|up| self.postgres = Some(up));
        emulator.and(postgres).and(built)?;
        let addresses = self.start_simulator(&ports).await?;
        self.provision(addresses).await
    }

    fn pick_ports(&self) -> anyhow::Result<addresses::Ports> {
        let last = env_file::read(&self.state.env_file()).ok().flatten().unwrap_or_default();
        addresses::pick(&mut Picker::new(), &self.options, &last)
    }

    fn emulator_settings(&self, port: u16) -> emulator::Settings {
        let services = ["s3", "sqs", "sns"].map(str::to_owned).to_vec();
        emulator::Settings { emulator: self.options.emulator, port, services, patience: Duration::from_secs(90) }
    }

    fn postgres_settings(&self, port: u16) -> anyhow::Result<postgres::Settings> {
        Ok(postgres::Settings {
            port,
            database: "candlewick".to_owned(),
            source: postgres::Source::from_env()?,
            path: std::env::var_os("PATH").unwrap_or_default(),
            python_home: self.options.python_home.clone(),
            python: Search::from_env(),
            patience: Duration::from_secs(60),
        })
    }

    async fn start_simulator(&mut self, ports: &addresses::Ports) -> anyhow::Result<Addresses> {
        let (emulator, postgres) = (self.emulator.as_ref(), self.postgres.as_ref());
        let (emulator, postgres) = emulator.zip(postgres).context("find the emulator and PostgreSQL")?;
        let addresses = Addresses::new(&emulator.endpoint, postgres.url(), &self.options, ports);
        if let Some(port) = ports.simulator {
            let clock = addresses.get("CLOCK").unwrap_or_default().to_owned();
            let process = simulator::start(&self.options.programs, port, &clock, &self.state).await?;
            self.progress.line("simulator", &format!("ready on http://127.0.0.1:{port}"));
            self.simulator = Some(process);
        }
        Ok(addresses)
    }

    async fn provision(&self, mut addresses: Addresses) -> anyhow::Result<Running> {
        let aws = addresses.aws().await?;
        let topology = Topology::built_in();
        let queues = provision::provision(&aws, BUCKET, topology).await.context("make bucket and queues")?;
        addresses.add_queues(&queues, topology);
        emulator::check(self.options.emulator, &aws).await?;
        self.progress
            .line(self.options.emulator.name(), &format!("has bucket {BUCKET} and {} queues", queues.len() * 2));
        let pool = database::connect(addresses.env().required("DATABASE_URL")?, 4).await?;
        database::migrate(&pool).await?;
        self.progress.line("postgres", "has the schema of this version");
        let databases = database_users::create(&pool, addresses.env().required("DATABASE_URL")?).await?;
        env_file::write(&self.state.env_file(), addresses.settings())?;
        Ok(Running { addresses, aws, pool, databases })
    }

    /// Starts the services, and has each started again when it dies.
    ///
    /// # Errors
    /// A program that cannot be started at all.
    pub fn start_services(&mut self, running: &Running) -> anyhow::Result<()> {
        for name in SERVICES {
            let program = self.service_program(name, running)?;
            let (state, progress) = (self.state.clone(), self.progress.clone());
            let service = Service::start(program, state, Backoff::default(), progress, CancellationToken::new())?;
            self.services.push(service);
        }
        self.progress.line("services", &format!("{} started", SERVICES.join(", ")));
        Ok(())
    }

    fn service_program(&self, name: &str, running: &Running) -> anyhow::Result<Program> {
        let path = self.options.programs.join(format!("candlewick-{name}"));
        let mut program = Program::new(name, path).clean_env().stop_by(StopPlan::term(Duration::from_secs(25)));
        // The owner's login is for the operator alone.
        for (variable, value) in running.addresses.settings().iter().filter(|(name, _)| *name != "DATABASE_URL") {
            program = program.env(variable, value);
        }
        if let Some(url) = running.databases.get(name) {
            program = program.env("DATABASE_URL", url);
        }
        if let Some(url) = running.addresses.get(&addresses::health_variable(name)) {
            program = program.env("HEALTH_LISTEN", url.trim_start_matches("http://"));
        }
        // Whatever the machine has: several programs share it with everything else.
        program = program.env("MEMORY_LIMIT", "1GiB");
        for variable in PASSED_ON {
            if let Ok(value) = std::env::var(variable) {
                program = program.env(variable, value);
            }
        }
        // Only the one service that asks the API is given the key.
        if name == "ingest" {
            let simulated = ("TWELVEDATA_API_KEY".to_owned(), "simulator".into());
            let key = match self.options.source {
                Source::Simulator { .. } => vec![simulated],
                Source::TwelveData { .. } => inherited(&KEYS),
            };
            program = key
                .into_iter()
                .chain(inherited(&BUDGET))
                .fold(program, |program, (name, value)| program.env(name, value));
        }
        if name == "notifier" {
            program = notifier_settings().fold(program, |program, (name, value)| program.env(name, value));
        }
        if name == "dashboard" {
            program = inherited(&DASHBOARD_SETTINGS)
                .into_iter()
                .fold(program, |program, (name, value)| program.env(name, value));
        }
        Ok(program)
    }

    /// Puts back what the emulator forgot, and from then on keeps a copy of what is written under `raw/`. Returns how many
    /// objects were put back.
    ///
    /// # Errors
    /// A copy that cannot be read, or an emulator that does not take it.
    pub async fn restore_raw(&mut self, running: &Running) -> anyhow::Result<usize> {
        let prefix = &Topology::built_in().prefixes.raw;
        let mut copy = RawCopy::open(&self.state.root().join("raw"), prefix)?;
        let store: Arc<dyn ObjectStore> = Arc::new(running.aws.store(BUCKET));
        let restored = copy.restore(&*store).await?;
        let events = provision::subscribe(&running.aws, BUCKET, RAW_COPY_QUEUE, prefix).await?;
        let follower = Follower::new(copy, store, Arc::new(running.aws.queue(&events)), self.progress.clone());
        let stop = CancellationToken::new();
        let task = tokio::spawn(follower.run(stop.clone()));
        self.copier = Some((stop, task));
        Ok(restored)
    }

    /// Waits until something dies that nothing starts again, and says what.
    pub async fn died(&self) -> String {
        let wait = |name: &'static str, process: Option<Process>| async move {
            match process {
                Some(process) => (name, process.wait().await),
                None => std::future::pending::<(&str, Exit)>().await,
            }
        };
        let (name, exit) = tokio::select! {
            died = wait(self.options.emulator.title(), self.emulator.as_ref().map(|up| up.process.clone())) => died,
            died = wait("PostgreSQL", self.postgres.as_ref().map(|up| up.process.clone())) => died,
            died = wait("the simulator", self.simulator.clone()) => died,
        };
        format!("{name} died ({exit}); its log is in {}", self.state.root().join("logs").display())
    }

    /// Stops the services; what is in hand is finished or given back. They can be started again.
    pub async fn stop_services(&mut self) {
        let services = std::mem::take(&mut self.services);
        futures::future::join_all(services.into_iter().map(Service::stop)).await;
    }

    /// Stops everything that was started, the last first: services finish what is in hand, the copy of `raw/` is completed,
    /// then what they stood on goes.
    pub async fn stop(mut self) {
        self.stop_services().await;
        if let Some((stop, task)) = self.copier.take() {
            stop.cancel();
            let _ = task.await;
        }
        let rest = [self.simulator, self.emulator.map(|up| up.process), self.postgres.map(|up| up.process)];
        futures::future::join_all(rest.into_iter().flatten().map(|process| async move { process.stop().await })).await;
    }
}

/// Variables of this process, where they are set.
fn inherited(names: &[&str]) -> Vec<(String, std::ffi::OsString)> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var_os(name)?))).collect()
}

/// The settings of the notifier in this process's environment.
fn notifier_settings() -> impl Iterator<Item = (String, String)> {
    std::env::vars().filter(|(name, _)| NOTIFIER_SETTINGS.iter().any(|start| name.starts_with(start)))
}

async fn start_emulator(
    home: &std::path::Path,
    settings: &emulator::Settings,
    state: &StateDir,
    progress: &Reporter,
) -> anyhow::Result<emulator::Started> {
    let requirements = settings.emulator.requirements();
    let environment = Environment::ensure(home, requirements, &Search::from_env(), progress).await?;
    emulator::Started::start(&environment, settings, state, progress).await
}
