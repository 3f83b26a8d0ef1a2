//! The expectations, progress and end of runs, by the functions of the database and with all kinds of concurrency.

use std::collections::BTreeMap;

use candlewick_shared::adapters::postgres_runs::{self, PostgresRuns};
use candlewick_shared::core::key::{ObjectPath, Series, TransformedKey};
use candlewick_shared::core::metadata::TransformedMetadata;
use candlewick_shared::core::run::{Run, RunKind};
use candlewick_shared::ports::runs::{Runs, RunsError, Written};
use candlewick_shared::runtime::outcome::Setback;
use jiff::Timestamp;
use libtest_mimic::Trial;
use sqlx::postgres::PgListener;

use crate::support::{FEBRUARY, JANUARY, World, body, origin};

pub fn trials() -> Vec<Trial> {
    trials![
        a_run_ends_with_its_last_series_and_tells_of_it,
        a_run_does_not_end_before_its_last_page,
        a_run_of_nothing_ends_at_once,
        a_run_is_begun_by_one_message_however_often_that_comes,
        a_run_that_was_given_up_can_be_begun_again,
        the_loader_may_be_done_before_ingest_says_what_it_wrote,
        a_newer_object_ends_the_wait_for_the_older_one,
        a_newer_object_that_is_still_on_its_way_is_waited_for,
        a_file_of_somebodys_own_ends_the_wait_too,
        what_fails_without_a_run_fails_in_every_open_one,
        what_is_loaded_after_all_counts_as_loaded,
        the_last_ones_at_once_end_the_run_once,
        whatever_comes_twice_changes_nothing,
        the_loader_tells_the_run_in_the_transaction_that_loads,
        an_object_that_cannot_be_loaded_fails_its_series,
        the_newest_run_of_all_is_found,
        a_book_that_is_away_is_an_outage
    ]
}

/// A book of runs in a world.
struct Book {
    runs: PostgresRuns,
    world: World,
}

const AAPL: &str = "AAPL";
const MSFT: &str = "MSFT";

fn series(symbol: &str) -> Series {
    Series { symbol: symbol.parse().unwrap(), interval: "1min".parse().unwrap() }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn key(symbol: &str) -> TransformedKey {
    format!("transformed/interval=1min/symbol={symbol}/2024-01.csv").parse().unwrap()
}

fn written(symbol: &str, second: i64) -> Written {
    let path: ObjectPath = key(symbol).path;
    Written { path, fetched_at: at(second) }
}

impl Book {
    fn of(world: &World) -> Self {
        Self { runs: PostgresRuns::new(world.ingest.clone()), world: world.clone() }
    }

    async fn begin(&self, id: &str, message: &str) -> bool {
        let run = Run { id: id.to_owned(), kind: RunKind::Manual, requested_at: at(1), is_whole: true };
        self.runs.begin(&run, message, at(1)).await.unwrap()
    }

    /// Starts a run, lays it out in one page, and returns.
    async fn lay_out(&self, run: &str, symbols: &[&str]) {
        assert!(self.begin(run, "m").await);
        let all: Vec<_> = symbols.iter().map(|symbol| series(symbol)).collect();
        self.runs.expect(run, &all).await.unwrap();
        self.runs.page_done(run, 0, true).await.unwrap();
    }

    async fn fetched(&self, run: &str, symbol: &str, second: i64) {
        self.runs.fetched(run, &series(symbol), &[written(symbol, second)]).await.unwrap();
    }

    async fn loaded(&self, run: Option<&str>, symbol: &str, second: Option<i64>) {
        let mut connection = self.world.pool.acquire().await.unwrap();
        postgres_runs::loaded(&mut connection, run, &key(symbol), second.map(at)).await.unwrap();
    }

    async fn fails(&self, run: Option<&str>, symbol: &str) {
        let mut connection = self.world.pool.acquire().await.unwrap();
        postgres_runs::failed(&mut connection, run, &series(symbol), "no candles").await.unwrap();
    }

    /// Whether a run has ended, and its counts: expected, fetched, loaded, unchanged, superseded, failed.
    async fn counts(&self, run: &str) -> (bool, [i64; 6]) {
        let sql = "select ended_at is not null, expected, fetched, loaded, unchanged, superseded, failed
            from run_progress where id = $1";
        let row: (bool, i64, i64, i64, i64, i64, i64) =
            sqlx::query_as(sql).bind(run).fetch_one(&self.world.pool).await.unwrap();
        (row.0, [row.1, row.2, row.3, row.4, row.5, row.6])
    }

    async fn state(&self, run: &str, symbol: &str) -> String {
        let sql = "select state from run_series where run = $1 and symbol = $2";
        sqlx::query_scalar(sql).bind(run).bind(symbol).fetch_one(&self.world.pool).await.unwrap()
    }
}

async fn a_run_ends_with_its_last_series_and_tells_of_it(world: World) {
    let mut listener = PgListener::connect_with(&world.pool).await.unwrap();
    listener.listen("candlewick").await.unwrap();
    let book = Book::of(&world);
    book.lay_out("r", &[AAPL, MSFT, "SPY"]).await;
    book.fetched("r", AAPL, 10).await;
    book.runs.fetched("r", &series(MSFT), &[]).await.unwrap();
    assert_eq!(book.counts("r").await, (false, [3, 2, 0, 1, 0, 0]));
    book.loaded(Some("r"), AAPL, Some(10)).await;
    assert_eq!(book.counts("r").await, (false, [3, 2, 1, 1, 0, 0]));
    book.runs.failed("r", &series("SPY"), "unknown_symbol: SPY").await.unwrap();
    assert_eq!(book.counts("r").await, (true, [3, 2, 1, 1, 0, 1]));
    let step = serde_json::json!({"kind": "run", "run": "r"});
    let mut told = next_notice(&mut listener).await;
    while told == step {
        told = next_notice(&mut listener).await;
    }
    let expected = serde_json::json!({"kind": "run", "run": "r", "expected": 3, "fetched": 2, "loaded": 1,
        "unchanged": 1, "superseded": 0, "failed": 1});
    assert_eq!(told, expected);
    assert_eq!(world.value("select reason from run_series where state = 'failed'").await, "unknown_symbol: SPY");
    assert_eq!(world.value("select count(*)::text from run_objects").await, "0", "they go with the end");
    // The run uses the clock with which it was started.
    assert_eq!(
        world.value("select (ended_at < 'epoch'::timestamptz + interval '1 hour')::text from runs").await,
        "true"
    );
}

async fn next_notice(listener: &mut PgListener) -> serde_json::Value {
    serde_json::from_str(listener.recv().await.unwrap().payload()).unwrap()
}

async fn a_run_does_not_end_before_its_last_page(world: World) {
    let book = Book::of(&world);
    book.begin("r", "m").await;
    book.runs.expect("r", &[series(AAPL)]).await.unwrap();
    book.runs.page_done("r", 0, false).await.unwrap();
    book.runs.fetched("r", &series(AAPL), &[]).await.unwrap();
    assert_eq!(book.counts("r").await, (false, [1, 1, 0, 1, 0, 0]));
    assert_eq!(book.runs.pages("r").await.unwrap(), Some(1));
    book.runs.page_done("r", 1, true).await.unwrap();
    assert_eq!(book.counts("r").await, (true, [1, 1, 0, 1, 0, 0]));
    assert_eq!(book.runs.pages("r").await.unwrap(), None);
}

async fn a_run_of_nothing_ends_at_once(world: World) {
    let book = Book::of(&world);
    book.lay_out("r", &[]).await;
    assert_eq!(book.counts("r").await, (true, [0; 6]));
}

async fn a_run_is_begun_by_one_message_however_often_that_comes(world: World) {
    let book = Book::of(&world);
    assert!(book.begin("r", "m1").await && book.begin("r", "m1").await, "delivered again");
    assert!(!book.begin("r", "m2").await, "sent again");
    book.runs.page_done("r", 0, true).await.unwrap();
    assert!(!book.begin("r", "m1").await, "the run has ended");
    let run = Run { id: "announced".to_owned(), kind: RunKind::Manual, requested_at: at(1), is_whole: true };
    book.runs.announce(&run).await.unwrap();
    assert!(book.begin("announced", "m1").await && !book.begin("announced", "m2").await);
}

async fn a_run_that_was_given_up_can_be_begun_again(world: World) {
    let book = Book::of(&world);
    book.begin("r", "m1").await;
    book.runs.waits("r", "the list is broken").await.unwrap();
    assert_eq!(world.value("select error from runs").await, "the list is broken");
    book.runs.give_up("r", "no such symbol").await.unwrap();
    assert_eq!(book.counts("r").await, (true, [0; 6]));
    assert!(book.begin("r", "m2").await, "somebody mended it and sent the letter again");
    book.runs.expect("r", &[series(AAPL)]).await.unwrap();
    book.runs.page_done("r", 0, true).await.unwrap();
    assert_eq!(book.counts("r").await, (false, [1, 0, 0, 0, 0, 0]));
    assert_eq!(world.value("select (error is null)::text from runs").await, "true");
}

async fn the_loader_may_be_done_before_ingest_says_what_it_wrote(world: World) {
    let book = Book::of(&world);
    book.lay_out("r", &[AAPL]).await;
    book.loaded(Some("r"), AAPL, Some(10)).await;
    assert_eq!(book.counts("r").await, (false, [1, 0, 0, 0, 0, 0]), "ingest may have more to write");
    book.fetched("r", AAPL, 10).await;
    assert_eq!(book.counts("r").await, (true, [1, 1, 1, 0, 0, 0]));
}

async fn a_newer_object_ends_the_wait_for_the_older_one(world: World) {
    let book = Book::of(&world);
    book.lay_out("old", &[AAPL]).await;
    book.lay_out("new", &[AAPL]).await;
    book.fetched("old", AAPL, 10).await;
    book.fetched("new", AAPL, 20).await;
    book.loaded(Some("new"), AAPL, Some(20)).await;
    assert_eq!(book.counts("new").await, (true, [1, 1, 1, 0, 0, 0]));
    assert_eq!(book.counts("old").await, (true, [1, 1, 0, 0, 1, 0]));
}

async fn a_newer_object_that_is_still_on_its_way_is_waited_for(world: World) {
    let book = Book::of(&world);
    book.lay_out("old", &[AAPL]).await;
    book.lay_out("new", &[AAPL]).await;
    book.fetched("old", AAPL, 10).await;
    book.fetched("new", AAPL, 20).await;
    book.loaded(Some("old"), AAPL, Some(10)).await;
    assert_eq!(book.counts("old").await, (true, [1, 1, 1, 0, 0, 0]));
    assert_eq!(book.counts("new").await, (false, [1, 1, 0, 0, 0, 0]));
}

async fn a_file_of_somebodys_own_ends_the_wait_too(world: World) {
    let book = Book::of(&world);
    book.lay_out("r", &[AAPL]).await;
    book.fetched("r", AAPL, 10).await;
    book.loaded(None, AAPL, None).await;
    assert_eq!(book.counts("r").await, (true, [1, 1, 0, 0, 1, 0]));
}

async fn what_fails_without_a_run_fails_in_every_open_one(world: World) {
    let book = Book::of(&world);
    book.lay_out("one", &[AAPL]).await;
    book.lay_out("two", &[AAPL, MSFT]).await;
    book.lay_out("three", &[MSFT]).await;
    book.fails(None, AAPL).await;
    assert_eq!(book.counts("one").await, (true, [1, 0, 0, 0, 0, 1]));
    assert_eq!(book.counts("two").await, (false, [2, 0, 0, 0, 0, 1]));
    assert_eq!(book.counts("three").await, (false, [1, 0, 0, 0, 0, 0]));
    book.fails(Some("two"), MSFT).await;
    assert!(book.counts("two").await.0 && !book.counts("three").await.0);
}

async fn what_is_loaded_after_all_counts_as_loaded(world: World) {
    let book = Book::of(&world);
    book.lay_out("r", &[AAPL, MSFT]).await;
    book.fetched("r", AAPL, 10).await;
    book.fails(None, AAPL).await;
    assert_eq!(book.state("r", AAPL).await, "failed");
    book.loaded(Some("r"), AAPL, Some(10)).await;
    assert_eq!(book.state("r", AAPL).await, "loaded");
    book.fails(Some("r"), AAPL).await;
    assert_eq!(book.state("r", AAPL).await, "loaded", "what is loaded cannot fail");
}

/// Every series is fetched, loaded or failed by its own task, all at once; every run must still end.
async fn the_last_ones_at_once_end_the_run_once(world: World) {
    let book = Book::of(&world);
    for round in 0..20 {
        let run = format!("r{round}");
        let symbols: Vec<_> = (0..8).map(|at| format!("S{at}")).collect();
        book.lay_out(&run, &symbols.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let mut tasks = tokio::task::JoinSet::new();
        for (at, symbol) in symbols.into_iter().enumerate() {
            let book = Book::of(&world);
            let run = run.clone();
            if at % 4 == 3 {
                tasks.spawn(async move { book.fails(Some(&run), &symbol).await });
            } else {
                let other = Book::of(&world);
                let own = run.clone();
                let named = symbol.clone();
                tasks.spawn(async move { book.fetched(&run, &symbol, round).await });
                tasks.spawn(async move { other.loaded(Some(&own), &named, Some(round)).await });
            }
        }
        tasks.join_all().await;
        assert_eq!(book.counts(&run).await, (true, [8, 6, 6, 0, 0, 2]), "round {round}");
    }
}

async fn whatever_comes_twice_changes_nothing(world: World) {
    let book = Book::of(&world);
    book.lay_out("r", &[AAPL, MSFT]).await;
    for _ in 0..2 {
        book.runs.expect("r", &[series(AAPL), series(MSFT)]).await.unwrap();
        book.runs.page_done("r", 0, true).await.unwrap();
        book.fetched("r", AAPL, 10).await;
        book.loaded(Some("r"), AAPL, Some(10)).await;
    }
    assert_eq!(book.counts("r").await, (false, [2, 1, 1, 0, 0, 0]));
    for _ in 0..2 {
        book.fails(Some("r"), MSFT).await;
        book.fetched("r", AAPL, 10).await;
        book.loaded(Some("r"), AAPL, Some(10)).await;
    }
    let once = world.value("select runs::text from runs").await;
    book.loaded(Some("r"), MSFT, Some(11)).await;
    book.fails(None, AAPL).await;
    book.runs.page_done("r", 0, true).await.unwrap();
    assert_eq!(
        (book.counts("r").await, world.value("select runs::text from runs").await),
        ((true, [2, 1, 1, 0, 0, 1]), once)
    );
    assert!(book.runs.is_fetched("r", &series(AAPL)).await.unwrap());
    assert!(!book.runs.is_fetched("r", &series(MSFT)).await.unwrap(), "what failed may be tried again");
}

fn of_run(run: &str, second: i64) -> TransformedMetadata {
    TransformedMetadata { run: Some(run.to_owned()), fetched_at: Some(at(second)), ..origin(second) }
}

async fn the_loader_tells_the_run_in_the_transaction_that_loads(world: World) {
    let book = Book::of(&world);
    book.lay_out("r", &[AAPL]).await;
    let paths = [JANUARY, FEBRUARY].map(|key| key.parse::<TransformedKey>().unwrap().path);
    let all = paths.map(|path| Written { path, fetched_at: at(10) });
    book.runs.fetched("r", &series(AAPL), &all).await.unwrap();
    for (key, minute) in [(JANUARY, 1), (FEBRUARY, 2)] {
        assert!(!book.counts("r").await.0);
        world.put(key, body(key, &[(minute, 10)]), of_run("r", 10).write()).await;
        world.done(key).await;
        // The message is delivered again, and the version is already loaded.
        world.superseded(key).await;
    }
    assert_eq!(book.counts("r").await, (true, [1, 1, 1, 0, 0, 0]));
    assert_eq!(world.value("select string_agg(distinct run, ' ') from objects").await, "r");
}

async fn an_object_that_cannot_be_loaded_fails_its_series(world: World) {
    let book = Book::of(&world);
    book.lay_out("r", &[AAPL]).await;
    book.fetched("r", AAPL, 10).await;
    world.put(JANUARY, "no candles", of_run("r", 10).write()).await;
    world.failure(JANUARY).await;
    assert_eq!(book.counts("r").await, (true, [1, 1, 0, 0, 0, 1]));
    let reasons: BTreeMap<String, String> = BTreeMap::from_iter(
        sqlx::query_as::<_, (String, String)>("select symbol, reason from run_series")
            .fetch_all(&world.pool)
            .await
            .unwrap(),
    );
    assert!(reasons[AAPL].contains("2024-01.csv"), "{reasons:?}");
}

async fn the_newest_run_of_all_is_found(world: World) {
    let book = Book::of(&world);
    assert_eq!(book.runs.newest_whole(at(100)).await.unwrap(), None);
    for (id, second, is_whole) in [("a", 10, true), ("b", 20, false), ("c", 30, true), ("d", 200, true)] {
        let run = Run { id: id.to_owned(), kind: RunKind::Scheduled, requested_at: at(second), is_whole };
        book.runs.announce(&run).await.unwrap();
    }
    assert_eq!(book.runs.newest_whole(at(100)).await.unwrap(), Some(at(30)));
}

async fn a_book_that_is_away_is_an_outage(world: World) {
    let book = Book::of(&world);
    world.ingest.close().await;
    let error = book.runs.pages("r").await.unwrap_err();
    assert!(matches!(error, RunsError::Down(_)), "{error}");
    assert!(matches!(Setback::from(error), Setback::Down(_)));
}
