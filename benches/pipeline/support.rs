//! The measured system: LocalStack, PostgreSQL and the simulator, and the services when they are to run.

use candlewick_localstack::emulator::Emulator;
use candlewick_localstack::ports::Wish;
use candlewick_localstack::progress::silent;
use candlewick_localstack::stack::{BUCKET, Options, Running, Source, Stack};
use candlewick_localstack::state::StateDir;
use candlewick_shared::adapters::s3::S3Store;
use candlewick_shared::adapters::sqs::SqsQueue;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::ports::queue::Queue;
use candlewick_test_support::programs::{self, root};
use tempfile::TempDir;

use crate::processes::Processes;

/// The ten symbols that are refreshed.
const WATCHLIST: &str = "[defaults]\nintervals = [\"1day\"]\n[groups.ten]\nsymbols = [\"AAPL\", \"AMZN\", \"BRK.B\", \
                         \"GOOGL\", \"MSFT\", \"NVDA\", \"QQQ\", \"SPY\", \"BTC/USD\", \"EUR/USD\"]\n";

/// The measured system.
pub struct Environment {
    pub running: Running,
    pub state: StateDir,
    stack: Option<Stack>,
    _dir: TempDir,
}

impl Environment {
    pub async fn start() -> Self {
        let dir = tempfile::Builder::new().prefix("candlewick-bench-").tempdir().unwrap();
        let watchlist = dir.path().join("watchlist.toml");
        std::fs::write(&watchlist, WATCHLIST).unwrap();
        let start = "2024-12-30T22:00:00Z".parse().unwrap();
        let clock = Clock::Simulated { start, anchor: jiff::Timestamp::now(), rate: 1.0 };
        let options = Options {
            programs: programs::build(),
            consumer_programs: "target".into(),
            topology: None,
            python_home: root().join(".local"),
            watchlist,
            schedule: ("off".to_owned(), "UTC".to_owned()),
            emulator: Emulator::default(),
            emulator_port: Wish::Any,
            postgres_port: Wish::Any,
            dashboard_port: Wish::Any,
            airflow: None,
            source: Source::Simulator { port: Wish::Any, clock },
        };
        let state = StateDir::open(dir.path()).unwrap();
        let mut stack = Stack::new(options, state.clone(), silent());
        let running = stack.start_ground(std::future::ready(Ok(()))).await.unwrap();
        Self { running, state, stack: Some(stack), _dir: dir }
    }

    pub fn start_services(&mut self) {
        self.stack.as_mut().unwrap().start_services(&self.running).unwrap();
    }

    pub async fn stop_services(&mut self) {
        self.stack.as_mut().unwrap().stop_services().await;
    }

    pub async fn stop(mut self) {
        self.running.pool.close().await;
        self.stack.take().unwrap().stop().await;
    }

    /// The services that run.
    pub fn services(&self) -> Processes {
        Processes::named(&self.state, &["ingest", "transform", "loader"])
    }

    pub fn store(&self) -> S3Store {
        self.running.aws.store(BUCKET)
    }

    pub fn queue(&self, variable: &str) -> SqsQueue {
        self.running.aws.queue(self.running.addresses.get(variable).unwrap())
    }

    /// Waits until the queues have nothing left.
    pub async fn settle(&self) {
        for variable in ["INGEST_QUEUE_URL", "RAW_QUEUE_URL", "TRANSFORMED_QUEUE_URL"] {
            while !self.queue(variable).depth().await.unwrap().is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
    }
}
