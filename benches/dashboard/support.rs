//! The measured system: a PostgreSQL with the two series, and the dashboard on it.

use std::path::Path;
use std::time::Duration;

use candlewick_localstack::ports::{Picker, Wish};
use candlewick_localstack::postgres::Postgres;
use candlewick_localstack::process::{Process, Program, StopPlan};
use candlewick_localstack::state::StateDir;
use candlewick_shared::adapters::postgres;
use candlewick_test_support::{programs, server};
use sqlx::PgPool;
use tempfile::TempDir;

use crate::series;

/// The measured system.
pub struct Environment {
    pub postgres: Postgres,
    pub pool: PgPool,
    /// Where the dashboard is: `http://127.0.0.1:PORT`.
    pub dashboard: String,
    process: Process,
    dir: TempDir,
}

impl Environment {
    pub async fn start() -> Self {
        let programs = programs::build();
        let dir = tempfile::Builder::new().prefix("candlewick-bench-").tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        let [port, own_port] = ports();
        let postgres = server::postgres_at(&state, "candles", port).await;
        let pool = postgres::connect(&postgres.url(), 2).await.unwrap();
        postgres::migrate(&pool).await.unwrap();
        series::fill(&pool).await;
        let listen = format!("127.0.0.1:{own_port}");
        let process = start_dashboard(&programs, &state, &postgres.url(), &listen);
        let environment = Self { postgres, pool, dashboard: format!("http://{listen}"), process, dir };
        environment.until_ready().await;
        environment
    }

    async fn until_ready(&self) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        while reqwest::get(format!("{}/readyz", self.dashboard)).await.is_err() {
            assert!(self.process.exited().is_none(), "the dashboard ended: {:?}", self.process.last_lines(5));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A folder for what a measurement writes.
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    pub async fn stop(self) {
        self.process.stop().await;
        self.pool.close().await;
        self.postgres.process.stop().await;
    }
}

/// Two free ports; they are kept from others until both are picked.
fn ports() -> [u16; 2] {
    let mut picker = Picker::new();
    [0; 2].map(|_| picker.pick(&Wish::Any).unwrap())
}

/// It needs no bucket and no queue to show candles.
fn start_dashboard(programs: &Path, state: &StateDir, database: &str, listen: &str) -> Process {
    let settings = [
        ("DASHBOARD_LISTEN", listen),
        ("DASHBOARD_REQUESTS_PER_SECOND", "1000000"),
        ("DATABASE_URL", database),
        ("BUCKET", "none"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "none"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("RUST_LOG", "warn"),
    ];
    let program = Program::new("dashboard", programs.join("candlewick-dashboard")).clean_env();
    let program = settings.iter().fold(program, |program, (name, value)| program.env(name, value));
    Process::start(&program.stop_by(StopPlan::term(Duration::from_secs(15))), state).unwrap()
}
