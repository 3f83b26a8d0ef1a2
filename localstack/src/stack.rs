//! The whole of Candlewick on one machine: what starts it in order, and stops it in the other.

mod addresses;
mod airflow;
mod database_users;
mod options;
mod simulator;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::postgres as database;
use candlewick_shared::core::topology::Topology;
use candlewick_shared::ports::store::ObjectStore;
use candlewick_shared::runtime::env::Env;
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::addresses::Addresses;
pub use self::options::{AirflowOptions, BUCKET, KEYS, Options, Source};
use crate::airflow::Airflow;
use crate::emulator;
use crate::env_file;
use crate::ports::Picker;
use crate::postgres::{self, Postgres};
use crate::process::{Exit, Process, Program, StopPlan};
use crate::progress::Reporter;
use crate::provision;
use crate::python::{self, Search};
use crate::raw_copy::RawCopy;
use crate::raw_copy::follower::Follower;
use crate::state::StateDir;
use crate::supervise::{Backoff, Service};

/// What a service gets from the environment besides its settings: variables that libraries read.
const LIBRARY_VARIABLES: [&str; 2] = ["OTEL_EXPORTER_OTLP_HEADERS", "RUST_LOG"];

/// Settings that are not taken from the environment: they mean nothing on one machine, or the options decide them.
const NOT_INHERITED: [&str; 4] = ["CLOCK", "DATABASE_IAM", "ECS_AGENT_URI", "SIMULATOR_URL"];

/// The queue of the copy of `raw/`. It exists on this machine only: in the cloud the bucket keeps its objects, so neither
/// `topology.json` nor Terraform has it.
const RAW_COPY_QUEUE: &str = "candlewick-raw-copy";

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
    airflow: Vec<Service>,
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
    /// With what Airflow requests runs from the dashboard.
    write_token: Option<SecretString>,
}

impl Stack {
    /// A stack that is not started yet.
    pub fn new(options: Options, state: StateDir, progress: Reporter) -> Self {
        Self {
            options,
            state,
            progress,
            emulator: None,
            postgres: None,
            simulator: None,
            services: Vec::new(),
            airflow: Vec::new(),
            copier: None,
        }
    }

    /// Starts what the services need: the emulator and PostgreSQL at once, while `build` builds the programs; then the
    /// simulator. Makes bucket and queues, brings the database to its schema, and writes every address to the env file.
    pub async fn start_ground(&mut self, build: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<Running> {
        let ports = self.pick_ports()?;
        let emulator = self.emulator_settings(ports.emulator);
        let postgres = self.postgres_settings(ports.postgres)?;
        let progress = self.progress.clone();
        let state = self.state.clone();
        let emulator = start_emulator(&self.options.python_home, &emulator, &state, &progress);
        let postgres = async { Ok(postgres::start(&postgres, &state, &progress).await?) };
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
        let has_bus = self.inherited("notifier").any(|(name, value)| name == "LOADED_EVENT_BUS" && !value.is_empty());
        let needs_events = has_bus || !Topology::current().consumers.is_empty();
        let services = ["s3", "sqs", "sns"].into_iter().chain(needs_events.then_some("events"));
        let services = services.map(str::to_owned).collect();
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
        let emulator = self.emulator.as_ref();
        let postgres = self.postgres.as_ref();
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
        let topology = Topology::current();
        let queues = provision::provision(&aws, BUCKET, topology).await.context("make bucket and queues")?;
        addresses.add_queues(&queues, topology);
        emulator::check(self.options.emulator, &aws).await?;
        self.progress
            .line(self.options.emulator.name(), &format!("has bucket {BUCKET} and {} queues", queues.len() * 2));
        let pool = database::connect(addresses.env().required("DATABASE_URL")?, 4).await?;
        database::migrate(&pool).await?;
        self.progress.line("postgres", "has the schema of this version");
        let databases = database_users::create(&pool, addresses.env().required("DATABASE_URL")?).await?;
        let write_token = self.options.airflow.as_ref();
        let write_token = write_token.map(|_| airflow::write_token(&Env::of_process(), &self.state)).transpose()?;
        env_file::write(&self.state.env_file(), addresses.settings())?;
        Ok(Running { addresses, aws, pool, databases, write_token })
    }

    /// Starts the services, and has each started again when it dies.
    pub fn start_services(&mut self, running: &Running) -> anyhow::Result<()> {
        let services: Vec<_> = Topology::current().services.keys().map(String::as_str).collect();
        for name in &services {
            let service = self.supervised(self.service_program(name, &self.options.programs, running))?;
            self.services.push(service);
        }
        self.progress.line("services", &format!("{} started", services.join(", ")));
        self.start_consumers(running)
    }

    /// Starts the owner's consumers that are programs here. Others read their queues from elsewhere.
    fn start_consumers(&mut self, running: &Running) -> anyhow::Result<()> {
        for name in Topology::current().consumers.keys() {
            let programs = &self.options.consumer_programs;
            let path = program_path(programs, name);
            if path.is_file() {
                let consumer = self.supervised(self.service_program(name, programs, running))?;
                self.services.push(consumer);
                self.progress.line("consumers", &format!("{name} started"));
            } else {
                let told = format!("{name} has a queue, and no program {}: start it yourself", path.display());
                self.progress.line("consumers", &told);
            }
        }
        Ok(())
    }

    /// Installs and prepares Airflow, if it is wanted. Nothing of it is left running if this is broken off.
    pub async fn prepare_airflow(&self, running: &Running) -> anyhow::Result<Option<Airflow>> {
        let Some((own, token)) = self.options.airflow.as_ref().zip(running.write_token.clone()) else {
            return Ok(None);
        };
        let settings = airflow::settings(&self.options, own, &running.addresses.env(), token)?;
        Airflow::prepare(&settings, &running.pool, &self.state, &self.progress).await.map(Some)
    }

    /// Starts Airflow's programs, and has each started again when it dies.
    pub fn start_airflow(&mut self, airflow: &Airflow) -> anyhow::Result<()> {
        for program in airflow.programs() {
            let service = self.supervised(program)?;
            self.airflow.push(service);
        }
        Ok(())
    }

    fn supervised(&self, program: Program) -> anyhow::Result<Service> {
        let progress = self.progress.clone();
        Service::start(program, self.state.clone(), Backoff::default(), progress, CancellationToken::new())
    }

    fn service_program(&self, name: &str, programs: &Path, running: &Running) -> Program {
        let path = program_path(programs, name);
        let mut program = Program::new(name, path).clean_env().stop_by(StopPlan::term(Duration::from_secs(25)));
        // Several programs share the machine's memory with everything else.
        program = program.env("MEMORY_LIMIT", "1GiB");
        program = self.inherited(name).fold(program, |program, (variable, value)| program.env(variable, value));
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
        if let Some(token) = running.write_token.as_ref().filter(|_| name == "dashboard") {
            program = program.env(airflow::WRITE_TOKEN, token.expose_secret());
        }
        // Only ingest asks the API, so only ingest gets the key.
        if name == "ingest" && matches!(self.options.source, Source::Simulator { .. }) {
            program = program.env("TWELVEDATA_API_KEY", "simulator");
        }
        program
    }

    /// The settings of a service in this process's environment. Addresses of the stack itself replace them.
    fn inherited(&self, service: &str) -> impl Iterator<Item = (OsString, OsString)> {
        let topology = Topology::current();
        let settings = topology.settings_of(service).map(|(name, _)| name);
        // A consumer's own settings begin with its name.
        let own = topology.consumers.contains_key(service).then(|| format!("{}_", service.to_ascii_uppercase()));
        let is_simulated = matches!(self.options.source, Source::Simulator { .. });
        let settings: Vec<_> = settings.filter(|name| !NOT_INHERITED.contains(name)).chain(LIBRARY_VARIABLES).collect();
        std::env::vars_os().filter(move |(variable, _)| {
            let Some(variable) = variable.to_str() else { return false };
            let name = variable.strip_suffix("_FILE").unwrap_or(variable);
            let is_own = own.as_ref().is_some_and(|own| name.starts_with(own));
            (is_own || settings.contains(&name)) && !(is_simulated && KEYS.contains(&variable))
        })
    }

    /// Puts back what the emulator forgot, and from then on keeps a copy of what is written under `raw/`. Returns how many
    /// objects were put back.
    pub async fn restore_raw(&mut self, running: &Running) -> anyhow::Result<usize> {
        let prefix = &Topology::current().prefixes.raw;
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

    /// Stops the services; messages in process are finished or given back. They can be started again.
    pub async fn stop_services(&mut self) {
        let services = std::mem::take(&mut self.services);
        futures::future::join_all(services.into_iter().map(Service::stop)).await;
    }

    /// Stops everything that was started, the last first: Airflow, which would request more; services finish their messages, the copy of `raw/` is completed,
    /// then what they stood on goes.
    pub async fn stop(mut self) {
        let airflow = std::mem::take(&mut self.airflow);
        futures::future::join_all(airflow.into_iter().map(Service::stop)).await;
        self.stop_services().await;
        if let Some((stop, task)) = self.copier.take() {
            stop.cancel();
            let _ = task.await;
        }
        let rest = [self.simulator, self.emulator.map(|up| up.process), self.postgres.map(|up| up.process)];
        futures::future::join_all(rest.into_iter().flatten().map(|process| async move { process.stop().await })).await;
    }
}

fn program_path(programs: &Path, service: &str) -> PathBuf {
    programs.join(format!("candlewick-{service}"))
}

async fn start_emulator(
    home: &Path,
    settings: &emulator::Settings,
    state: &StateDir,
    progress: &Reporter,
) -> anyhow::Result<emulator::Started> {
    let requirements = emulator::requirements(settings.emulator);
    let environment = python::ensure(home, requirements, &Search::from_env(), progress).await?;
    emulator::Started::start(&environment, settings, state, progress).await
}
