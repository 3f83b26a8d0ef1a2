//! The environment of a run: the stack's LocalStack with a separate bucket and queues, a separate PostgreSQL, and
//! services that reach all of them over a bad network.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use candlewick_localstack::env_file::Settings;
use candlewick_localstack::ports::{Picker, Wish};
use candlewick_localstack::postgres::{self, Postgres};
use candlewick_localstack::process::{Program, StopPlan};
use candlewick_localstack::progress;
use candlewick_localstack::provision;
use candlewick_localstack::state::StateDir;
use candlewick_localstack::supervise::{Backoff, Service};
use candlewick_localstack::watchdog::{self, Watchdog};
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::postgres as database;
use candlewick_shared::adapters::postgres_users::{self, GROUPS, ServiceUser};
use candlewick_shared::adapters::s3::S3Store;
use candlewick_shared::adapters::sqs::SqsQueue;
use candlewick_shared::core::topology::{self, Topology};
use candlewick_test_support::server;
use sqlx::PgPool;
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::network::{Network, Way};
use super::plan::{PROCESSES, Plan};
use super::tally::Tally;
use crate::candlewick::program;
use crate::stack::Stack;

/// The lease of a message: shorter than much of the work, once that is delayed.
pub const LEASE: Duration = Duration::from_secs(2);

/// The argument that makes this program the watchdog of a run.
pub const WATCHDOG: &str = "--watch-over";

/// The environment of a run.
pub struct Environment {
    /// Cancelled when no more faults are to be injected.
    pub calm: CancellationToken,
    /// Counts the faults.
    pub tally: Arc<Tally>,
    /// The services' processes, in the order of the plan.
    pub services: Vec<Service>,
    /// The database server.
    pub postgres: Mutex<Postgres>,
    /// Connections to the database that only restarts of the server disturb.
    pub pool: PgPool,
    /// Clients of LocalStack over an undisturbed network.
    pub aws: Aws,
    /// The run's own bucket.
    pub bucket: String,
    queues: BTreeMap<String, String>,
    state: StateDir,
    watchdog: Watchdog,
    _networks: [Network; 3],
    _dir: TempDir,
}

impl Environment {
    /// Creates all resources and starts the services.
    pub async fn start(aws: Aws, addresses: &Settings, plan: &Plan, tally: Arc<Tally>) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("candlewick-faults-").tempdir().context("make a directory")?;
        // The server's user must be able to enter the directory, but a temporary directory is open only to its creator.
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).context("open the directory")?;
        let state = StateDir::open(dir.path())?;
        let arguments = [WATCHDOG.as_ref(), state.root().as_os_str()];
        let watchdog = Watchdog::start(&std::env::current_exe().context("find this test")?, arguments)?;
        let topology = own_topology(plan.seed);
        let queues = provision::provision(&aws, &plan.bucket(), &topology).await.context("make bucket and queues")?;
        // The picker reserves the port as long as it lives.
        let port = Picker::new().pick(&Wish::Any)?;
        let postgres = start_postgres(&state, port).await?;
        let pool = database::connect(&postgres.url(), 4).await?;
        database::migrate(&pool).await?;
        create_users(&pool).await?;
        let calm = CancellationToken::new();
        let way = |way, port| {
            Network::to((Ipv4Addr::LOCALHOST, port).into(), way, plan.seed, Arc::clone(&tally), calm.clone())
        };
        let localstack = port_of(addresses.get("AWS_ENDPOINT_URL").context("find LocalStack")?)?;
        let networks = [
            way(Way::S3, localstack).await?,
            way(Way::Sqs, localstack).await?,
            way(Way::Postgres, postgres.port).await?,
        ];
        let mut variables = variables(addresses, &networks);
        variables.insert("BUCKET".to_owned(), plan.bucket());
        variables.extend(queues.iter().map(|(role, url)| (topology::queue_url_variable(role), url.clone())));
        let database = |service: &str| user_url(service, networks[2].port, &postgres.database);
        let services = start_services(&state, &variables, database)?;
        let queues = queues.into_iter().collect();
        Ok(Self {
            calm,
            tally,
            services,
            postgres: Mutex::new(postgres),
            pool,
            aws,
            bucket: plan.bucket(),
            queues,
            state,
            watchdog,
            _networks: networks,
            _dir: dir,
        })
    }

    /// The bucket, over an undisturbed network.
    pub fn store(&self) -> S3Store {
        self.aws.store(&self.bucket)
    }

    /// The queue with a role, over an undisturbed network.
    pub fn queue(&self, role: &str) -> SqsQueue {
        self.aws.queue(&self.queues[role])
    }

    /// The URL of the dead-letter queue of the queue with a role.
    pub fn dead_letters(&self, role: &str) -> String {
        Topology::built_in().dead_letter_name(&self.queues[role])
    }

    /// The services' log files.
    pub fn logs(&self) -> impl Iterator<Item = PathBuf> {
        (0..PROCESSES.len()).map(|at| self.state.log(&process_name(at)))
    }

    /// How often the services have logged these words.
    pub fn logged(&self, words: &str) -> anyhow::Result<usize> {
        let mut count = 0;
        for log in self.logs() {
            let text = fs::read_to_string(&log).with_context(|| format!("read {}", log.display()))?;
            count += text.matches(words).count();
        }
        Ok(count)
    }

    /// Starts PostgreSQL again on the data of a stopped server.
    pub async fn start_postgres_again(&self, port: u16) -> anyhow::Result<Postgres> {
        start_postgres(&self.state, port).await
    }

    /// Stops everything that was started.
    pub async fn stop(self) {
        self.calm.cancel();
        for service in self.services {
            service.stop().await;
        }
        self.pool.close().await;
        self.postgres.into_inner().process.stop().await;
        let _ = self.watchdog.dismiss().await;
    }
}

/// The main function of a watchdog: stops the processes of a run that was killed.
pub fn watch_over(state: &Path) -> anyhow::Result<()> {
    let state = StateDir::open(state)?;
    tokio::runtime::Runtime::new().context("start a runtime")?.block_on(watchdog::run(&state)).map(|_| ())
}

/// The topology, with the run's own queues.
fn own_topology(seed: u64) -> Topology {
    let mut topology = Topology::built_in().clone();
    for (role, queue) in &mut topology.queues {
        queue.name = format!("faults-{seed}-{role}");
    }
    topology
}

async fn start_postgres(state: &StateDir, port: u16) -> anyhow::Result<Postgres> {
    Ok(postgres::start(&server::settings("faults", port), state, &progress::silent()).await?)
}

fn port_of(url: &str) -> anyhow::Result<u16> {
    url.rsplit(':').next().and_then(|port| port.parse().ok()).with_context(|| format!("find the port of {url}"))
}

/// The password of the services' database users.
const PASSWORD: &str = "of-a-service";

/// Creates the services' database users, which have no more rights than in the cloud.
async fn create_users(pool: &PgPool) -> anyhow::Result<()> {
    for user in GROUPS.iter().filter_map(|(service, _)| ServiceUser::of_service(service)) {
        postgres_users::allow_password(pool, &user, &PASSWORD.into()).await?;
    }
    Ok(())
}

/// The database as a service's user reaches it through the network.
fn user_url(service: &str, port: u16, database: &str) -> String {
    format!("postgres://candlewick_{service}:{PASSWORD}@127.0.0.1:{port}/{database}")
}

/// The services' settings: those of the stack, with changes for this run.
fn variables(addresses: &Settings, [s3, sqs, _]: &[Network; 3]) -> Settings {
    let mut variables = addresses.clone();
    variables.extend([
        ("AWS_ENDPOINT_URL".to_owned(), format!("http://127.0.0.1:{}", s3.port)),
        ("AWS_ENDPOINT_URL_SQS".to_owned(), format!("http://127.0.0.1:{}", sqs.port)),
        ("LEASE_SECONDS".to_owned(), LEASE.as_secs().to_string()),
        // What the containers of docker-compose.yml have.
        ("MEMORY_LIMIT".to_owned(), "192MiB".to_owned()),
        // Consumers die and deliveries are lost by plan here, and no message is to blame for it.
        ("CONSUMERS_LOST".to_owned(), "12".to_owned()),
        ("TWELVEDATA_API_KEY".to_owned(), "simulator".to_owned()),
        ("WATCHLIST".to_owned(), Stack::get().watchlist().display().to_string()),
    ]);
    variables
}

fn process_name(at: usize) -> String {
    format!("{}-{at}", PROCESSES[at])
}

fn start_services(
    state: &StateDir,
    variables: &Settings,
    database: impl Fn(&str) -> String,
) -> anyhow::Result<Vec<Service>> {
    let soon = Backoff { first: Duration::from_millis(100), limit: Duration::from_secs(1), ..Backoff::default() };
    let start = |(at, service): (usize, &&str)| {
        let path = program(&format!("candlewick-{service}"));
        let plan = StopPlan::term(Duration::from_secs(25));
        let named = Program::new(process_name(at), path).clean_env().stop_by(plan);
        let told = variables.iter().fold(named, |program, (name, value)| program.env(name, value));
        let told = told.env("DATABASE_URL", database(service));
        Service::start(told, state.clone(), soon, progress::silent(), CancellationToken::new())
    };
    PROCESSES.iter().enumerate().map(start).collect()
}
