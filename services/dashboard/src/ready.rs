//! Readiness: whether the database answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::PgPool;
use tokio::sync::Mutex;

use crate::problem::Problem;

/// How long a result is cached, because anyone may poll as often as they like.
const FRESH: Duration = Duration::from_secs(1);

/// The readiness with its cached result.
#[derive(Clone)]
pub struct Readiness {
    pool: PgPool,
    last: Arc<Mutex<Option<(Instant, bool)>>>,
}

impl Readiness {
    pub fn of(pool: PgPool) -> Self {
        Self { pool, last: Arc::default() }
    }

    /// Whether the database answers. Concurrent callers share one query.
    pub async fn ask(&self) -> Result<&'static str, Problem> {
        let mut last = self.last.lock().await;
        let is_ready = match *last {
            Some((at, is_ready)) if at.elapsed() < FRESH => is_ready,
            _ => self.ask_database().await,
        };
        if last.is_none_or(|(at, _)| at.elapsed() >= FRESH) {
            *last = Some((Instant::now(), is_ready));
        }
        is_ready.then_some("ready").ok_or_else(|| Problem::unavailable("the database does not answer"))
    }

    async fn ask_database(&self) -> bool {
        let answer = sqlx::query("select 1").execute(&self.pool).await;
        answer.inspect_err(|error| tracing::error!("ask the database whether it answers: {error}")).is_ok()
    }
}
