//! Waits for the end of a run, and shows how far it is.

use std::process::ExitCode;

use anyhow::Context;
use candlewick_shared::adapters::notices;
use candlewick_shared::reads::runs::{self, RunProgress, UnloadedSeries};
use jiff::SignedDuration;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::time::{Instant, timeout_at};

use crate::terminal::{self, Bar};

/// The exit code if the time is over before the run ends.
const TIME_OVER: u8 = 2;

/// Waits until a run has ended, or the time is over. A run that no service has begun yet is waited for too.
///
/// Returns what became of it, or `None` if the time is over.
pub async fn until_ended(
    pool: &PgPool,
    run: &str,
    timeout: Option<SignedDuration>,
) -> anyhow::Result<Option<RunProgress>> {
    // It listens before it reads, so that no notice between the two is missed.
    let mut listener = notices::listen(pool).await.context("listen to the database")?;
    let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout.unsigned_abs()));
    let mut bar = Bar::new();
    loop {
        let found = runs::one(pool, run).await.context("read the run")?;
        bar.show(&found.as_ref().map_or_else(|| format!("run {run}: waiting for ingest"), progress));
        match found {
            Some(ended) if ended.is_ended() => return Ok(Some(ended)),
            _ if !next_notice(&mut listener, end).await? => return Ok(None),
            _ => {}
        }
    }
}

/// Waits for a notice of the database; false if the time is over. A lost connection counts as one, because notices may be
/// missing then.
pub async fn next_notice(listener: &mut PgListener, end: Option<Instant>) -> anyhow::Result<bool> {
    let notice = listener.try_recv();
    match end {
        None => drop(notice.await.context("listen to the database")?),
        Some(end) => match timeout_at(end, notice).await {
            Ok(notice) => drop(notice.context("listen to the database")?),
            Err(_) => return Ok(false),
        },
    }
    // One look is enough for all notices that arrived together.
    while listener.next_buffered().is_some() {}
    Ok(true)
}

/// The exit code of a command that waited for a run.
pub fn exit_code(ended: Option<&RunProgress>) -> ExitCode {
    match ended {
        None => ExitCode::from(TIME_OVER),
        Some(run) if run.is_success() => ExitCode::SUCCESS,
        Some(_) => ExitCode::FAILURE,
    }
}

/// Says on stderr what became of a run, with the reason of each series that failed.
pub async fn tell(pool: &PgPool, run: &str, ended: Option<&RunProgress>) -> anyhow::Result<()> {
    let Some(ended) = ended else {
        terminal::progress(&format!("run {run} goes on: the time to wait is over"));
        return Ok(());
    };
    if let Some(error) = &ended.error {
        terminal::progress(&format!("run {run}: {error}"));
    }
    for series in runs::unloaded(pool, run).await.context("read the series of the run")? {
        terminal::progress(&of_series(&series));
    }
    Ok(())
}

fn of_series(series: &UnloadedSeries) -> String {
    let UnloadedSeries { symbol, interval, state, reason } = series;
    let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{symbol} {interval} {state}{reason}")
}

/// How far a run is, in one line.
fn progress(run: &RunProgress) -> String {
    const WIDTH: i64 = 24;
    let settled = run.settled();
    let filled = if run.expected > 0 { settled * WIDTH / run.expected } else { 0 };
    let cells: String = (0..WIDTH).map(|cell| if cell < filled { '#' } else { '.' }).collect();
    let waits = run.error.as_ref().filter(|_| !run.is_ended()).map(|error| format!(", waiting: {error}"));
    let failed = if run.failed > 0 { format!(", {} failed", run.failed) } else { String::new() };
    format!(
        "run {} [{cells}] {settled} of {} series: {} fetched, {} loaded{failed}{}",
        run.id,
        run.expected,
        run.fetched,
        run.loaded,
        waits.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(settled: [i64; 4], state: &str) -> RunProgress {
        let [loaded, unchanged, superseded, failed] = settled;
        let id = "r".to_owned();
        let state = state.to_owned();
        RunProgress {
            id,
            state,
            expected: 8,
            fetched: 7,
            loaded,
            unchanged,
            superseded,
            failed,
            ..RunProgress::default()
        }
    }

    #[test]
    fn the_bar_is_as_long_as_the_run_is_far() {
        let text = progress(&run([2, 1, 0, 1], "running"));
        assert_eq!(text, "run r [############............] 4 of 8 series: 7 fetched, 2 loaded, 1 failed");
        assert!(progress(&RunProgress::default()).contains("0 of 0 series"));
    }

    #[test]
    fn the_exit_code_says_what_became_of_it() {
        let code = |settled, state| format!("{:?}", exit_code(Some(&run(settled, state))));
        let expected = |code: u8| format!("{:?}", ExitCode::from(code));
        assert_eq!(code([4, 2, 2, 0], "ended"), expected(0));
        assert_eq!(code([7, 0, 0, 1], "ended"), expected(1));
        assert_eq!(code([0, 0, 0, 0], "failed"), expected(1));
        assert_eq!(format!("{:?}", exit_code(None)), expected(2));
    }
}
