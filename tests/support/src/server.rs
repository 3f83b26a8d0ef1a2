//! The only server of a test run, with one database per test.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use candlewick_localstack::ports::{Picker, Wish};
use candlewick_localstack::postgres::{self as local_postgres, Postgres, Settings, Source};
use candlewick_localstack::progress::silent;
use candlewick_localstack::python::Search;
use candlewick_localstack::state::StateDir;
use candlewick_localstack::watchdog::{self, Watchdog};
use candlewick_shared::adapters::postgres;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor, PgPool};

use crate::programs::root;

/// The template of all other databases.
const TEMPLATE: &str = "template_candles";

static ADDRESS: OnceLock<String> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A server, and the resources that end with it.
pub struct Server {
    runtime: tokio::runtime::Runtime,
    postgres: Postgres,
    watchdog: Watchdog,
    _dir: tempfile::TempDir,
}

impl Server {
    /// Starts the server and creates the schema in its template.
    pub fn start() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (postgres, watchdog) = runtime.block_on(start(&StateDir::open(dir.path()).unwrap()));
        ADDRESS.set(postgres.url()).unwrap();
        Self { runtime, postgres, watchdog, _dir: dir }
    }

    /// Stops the server, even if clients are still connected.
    pub fn stop(self) {
        self.runtime.block_on(async {
            self.postgres.process.stop().await;
            self.watchdog.dismiss().await.unwrap();
        });
    }
}

async fn start(state: &StateDir) -> (Postgres, Watchdog) {
    let arguments = [crate::WATCHDOG.as_ref(), state.root().as_os_str()];
    let watchdog = Watchdog::start(&std::env::current_exe().unwrap(), arguments).unwrap();
    let postgres = postgres_at(state, TEMPLATE, free_port()).await;
    let pool = PgPool::connect(&postgres.url()).await.unwrap();
    postgres::migrate(&pool).await.unwrap();
    pool.close().await;
    (postgres, watchdog)
}

/// A free port. It is released again, so that a server can bind it.
#[must_use]
pub fn free_port() -> u16 {
    Picker::new().pick(&Wish::Any).unwrap()
}

/// A server on a port of this machine, with an empty database.
#[must_use]
pub fn settings(database: &str, port: u16) -> Settings {
    Settings {
        port,
        database: database.to_owned(),
        source: Source::from_env().unwrap(),
        path: std::env::var_os("PATH").unwrap_or_default(),
        python_home: root().join(".local"),
        python: Search::from_env(),
        patience: Duration::from_secs(60),
    }
}

/// Starts such a server. Its user must be able to enter the folder of the state, but a temporary directory is open only
/// to its creator.
pub async fn postgres_at(state: &StateDir, database: &str, port: u16) -> Postgres {
    fs::set_permissions(state.root(), Permissions::from_mode(0o755)).unwrap();
    local_postgres::start(&settings(database, port), state, &silent()).await.unwrap()
}

/// The main function of a watchdog: stops the server after a run that was killed.
pub fn watch_over(state: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _ = runtime.block_on(async { watchdog::run(&StateDir::open(state).unwrap()).await });
}

/// Creates an empty database with the schema.
pub async fn new_database() -> PgConnectOptions {
    let template: PgConnectOptions = ADDRESS.get().unwrap().parse().unwrap();
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let mut connection = template.clone().database("postgres").connect().await.unwrap();
    let create = format!("create database {name} template {TEMPLATE}");
    connection.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
    // These tests do not test crashes of the server, and waiting for disks would take most of their time.
    template.database(&name).options([("synchronous_commit", "off")])
}
