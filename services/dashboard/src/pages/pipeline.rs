//! The pipeline as a page: the stages, the queues, and what went wrong.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use candlewick_shared::reads::runs::{self, RunProgress};
use jiff::Timestamp;

use crate::app::App;
use crate::figures;
use crate::pages::render::html;
use crate::pages::shell::Shell;
use crate::problem::Problem;
use crate::query::page::Paged;
use crate::read::alerts::{self, ShownAlert};
use crate::read::queues::{ShownLetter, WatchedQueue};
use crate::read::stages::{self, Stage};

/// The number of rows of each table; the API has all of them.
const ROWS: u32 = 25;

#[derive(Template)]
#[template(path = "pipeline.html")]
struct PipelinePage {
    shell: Shell,
    stages: Vec<Stage>,
    queues: Vec<WatchedQueue>,
    letters: Vec<ShownLetter>,
    /// Why the queues cannot be read.
    unreachable: Option<String>,
    runs: Vec<RunProgress>,
    alerts: Vec<ShownAlert>,
    now: Timestamp,
}

/// A number of seconds as text, with one decimal place below ten seconds.
fn lag(seconds: &Option<f64>) -> String {
    match seconds {
        None => "–".to_owned(),
        Some(seconds) if *seconds < 10.0 => format!("{seconds:.1} s"),
        Some(seconds) => figures::span(*seconds as i64),
    }
}

/// The stages, the queues, and what went wrong. The rest is shown even if the queues cannot be read.
pub async fn page(State(app): State<App>) -> Result<Response, Problem> {
    let (depths, letters) = tokio::join!(app.queues.depths(), app.queues.dead_letters());
    let unreachable = depths.as_ref().err().or(letters.as_ref().err()).map(ToString::to_string);
    let now = (app.now)();
    html(&PipelinePage {
        shell: Shell::of("pipeline"),
        stages: stages::all(&app.pool, now).await?,
        queues: depths.unwrap_or_default(),
        letters: letters.unwrap_or_default(),
        unreachable,
        runs: runs::newest(&app.pool, ROWS).await?,
        alerts: alerts::page(&app.pool, &Paged { limit: Some(ROWS), after: None }).await?.rows,
        now,
    })
}
