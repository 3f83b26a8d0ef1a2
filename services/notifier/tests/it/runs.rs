//! What is given up fails in its run, and a later run that goes well ends the alert: with the book that ingest keeps.

use candlewick_shared::adapters::postgres_runs::PostgresRuns;
use candlewick_shared::core::alert::{AlertEvent, Kind};
use candlewick_shared::core::key::Series;
use candlewick_shared::core::run::{Run, RunKind};
use candlewick_shared::ports::runs::Runs;
use candlewick_shared::reads::runs::newest_ended;
use jiff::Timestamp;
use libtest_mimic::Trial;

use crate::support::World;
use crate::sweep::{sweep, wrong};

pub fn trials() -> Vec<Trial> {
    trials![
        what_is_given_up_fails_in_its_run_and_the_run_is_told_of,
        the_newest_run_is_the_one_that_ended_last_whatever_its_time,
        a_run_that_waited_for_the_watchlist_says_so_no_longer_when_it_goes_on,
        a_letter_without_a_run_fails_in_every_open_one,
        a_series_that_a_later_run_finds_unchanged_is_well_again,
        an_earlier_run_is_no_repair_whatever_its_time,
        a_dead_letter_is_not_over_because_the_source_had_nothing_new
    ]
}

const NOW: &str = "2024-12-30T22:00:00Z";

fn series(symbol: &str) -> Series {
    Series { symbol: symbol.parse().unwrap(), interval: "1day".parse().unwrap() }
}

/// Lays out a run of series that was asked for at a time.
async fn lay_out(world: &World, id: &str, requested_at: &str, symbols: &[&str]) -> PostgresRuns {
    let runs = PostgresRuns::new(world.pool.clone());
    let now = requested_at.parse::<Timestamp>().unwrap();
    let run = Run { id: id.to_owned(), kind: RunKind::Manual, requested_at: now, is_whole: true };
    assert!(runs.begin(&run, id, now).await.unwrap());
    let all: Vec<_> = symbols.iter().map(|symbol| series(symbol)).collect();
    runs.expect(id, &all).await.unwrap();
    runs.page_done(id, 0, true).await.unwrap();
    runs
}

/// A message about AAPL that was given up: of ingest, which names the run, or of another service.
async fn give_up(world: &World, kind: Kind, run: Option<&str>) {
    let event = world.event(&format!("{kind} of {run:?}"), "AAPL");
    let stage = if kind == Kind::IngestFailed { "ingest" } else { "transform" };
    let mut alert = event.alert.run(run.map(str::to_owned));
    alert.kind = kind;
    world.deliver(&AlertEvent { stage: stage.to_owned(), alert, ..event }).await.unwrap();
}

/// The run, the state and the reason of each series.
async fn states(world: &World) -> Vec<(String, String, Option<String>)> {
    let query = "select run || ' ' || symbol, state, reason from run_series order by 1";
    sqlx::query_as(query).fetch_all(&world.pool).await.unwrap()
}

fn state(series: &str, state: &str, reason: Option<&str>) -> (String, String, Option<String>) {
    (series.to_owned(), state.to_owned(), reason.map(str::to_owned))
}

/// The simulator's clock begins anew with each start of the stack, and a run of its former life has the later time.
async fn the_newest_run_is_the_one_that_ended_last_whatever_its_time(world: World) {
    for (id, requested_at, symbol) in [("of the former life", "2024-12-31T22:00:00Z", "SPY"), ("now", NOW, "AAPL")] {
        let runs = lay_out(&world, id, requested_at, &[symbol]).await;
        runs.failed(id, &series(symbol), "x").await.unwrap();
    }
    let newest = newest_ended(&world.pool).await.unwrap();
    assert_eq!(newest.unwrap().id, "now");
}

async fn a_run_that_waited_for_the_watchlist_says_so_no_longer_when_it_goes_on(world: World) {
    let runs = PostgresRuns::new(world.pool.clone());
    let now = NOW.parse().unwrap();
    let run = Run { id: "one".to_owned(), kind: RunKind::Manual, requested_at: now, is_whole: true };
    assert!(runs.begin(&run, "one", now).await.unwrap());
    runs.expect("one", &[series("AAPL")]).await.unwrap();
    runs.page_done("one", 0, false).await.unwrap();
    runs.waits("one", "mend the watchlist").await.unwrap();
    let error = async || -> Option<String> {
        sqlx::query_scalar("select error from runs where id = 'one'").fetch_one(&world.pool).await.unwrap()
    };
    assert_eq!(error().await.as_deref(), Some("mend the watchlist"));
    runs.expect("one", &[series("SPY")]).await.unwrap();
    assert_eq!(error().await, None, "the next page is being laid out");
}

async fn what_is_given_up_fails_in_its_run_and_the_run_is_told_of(world: World) {
    let runs = lay_out(&world, "one", NOW, &["AAPL", "SPY"]).await;
    give_up(&world, Kind::IngestFailed, Some("one")).await;
    let failed = state("one AAPL", "failed", Some("line 3"));
    assert_eq!(states(&world).await, [failed, state("one SPY", "expected", None)]);
    sweep(&world, NOW).await;
    let given_up = || (Kind::IngestFailed, "AAPL 1day".to_owned());
    assert_eq!(wrong(&world).await, [given_up()], "a run that is not over has not failed");
    runs.fetched("one", &series("SPY"), &[]).await.unwrap();
    sweep(&world, NOW).await;
    assert_eq!(wrong(&world).await, [given_up(), (Kind::RunFailed, "the newest run".to_owned())]);
    let open = world.open().await;
    assert_eq!(open[1].alert.text, "run one ended, and 1 of its 2 series failed");
    let runs = lay_out(&world, "two", "2024-12-30T22:10:00Z", &["SPY"]).await;
    runs.fetched("two", &series("SPY"), &[]).await.unwrap();
    sweep(&world, "2024-12-30T22:11:00Z").await;
    assert_eq!(
        wrong(&world).await,
        [(Kind::IngestFailed, "AAPL 1day".to_owned())],
        "the other run had not this series"
    );
}

async fn a_letter_without_a_run_fails_in_every_open_one(world: World) {
    lay_out(&world, "one", NOW, &["AAPL", "SPY"]).await;
    lay_out(&world, "two", NOW, &["AAPL"]).await;
    give_up(&world, Kind::DeadLetter, None).await;
    let failed = |run| state(run, "failed", Some("line 3"));
    assert_eq!(states(&world).await, [failed("one AAPL"), state("one SPY", "expected", None), failed("two AAPL")]);
}

async fn a_series_that_a_later_run_finds_unchanged_is_well_again(world: World) {
    lay_out(&world, "one", NOW, &["AAPL", "SPY"]).await;
    give_up(&world, Kind::IngestFailed, Some("one")).await;
    let runs = lay_out(&world, "two", "2024-12-30T22:10:00Z", &["AAPL"]).await;
    sweep(&world, "2024-12-30T22:11:00Z").await;
    assert_eq!(wrong(&world).await, [(Kind::IngestFailed, "AAPL 1day".to_owned())], "the later run has not ended");
    runs.fetched("two", &series("AAPL"), &[]).await.unwrap();
    sweep(&world, "2024-12-30T22:12:00Z").await;
    assert_eq!(wrong(&world).await, []);
}

/// The simulator's clock begins anew with the stack, so that an earlier run may have been asked for at a later time.
async fn an_earlier_run_is_no_repair_whatever_its_time(world: World) {
    let runs = lay_out(&world, "former", "2024-12-31T09:00:00Z", &["AAPL"]).await;
    runs.fetched("former", &series("AAPL"), &[]).await.unwrap();
    lay_out(&world, "one", NOW, &["AAPL", "SPY"]).await;
    give_up(&world, Kind::IngestFailed, Some("one")).await;
    sweep(&world, NOW).await;
    assert_eq!(wrong(&world).await, [(Kind::IngestFailed, "AAPL 1day".to_owned())]);
}

async fn a_dead_letter_is_not_over_because_the_source_had_nothing_new(world: World) {
    give_up(&world, Kind::DeadLetter, None).await;
    let runs = lay_out(&world, "one", NOW, &["AAPL"]).await;
    runs.fetched("one", &series("AAPL"), &[]).await.unwrap();
    sweep(&world, NOW).await;
    assert_eq!(wrong(&world).await, [(Kind::DeadLetter, "AAPL 1day".to_owned())]);
}
