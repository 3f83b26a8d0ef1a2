//! What nobody says is found in the database, and so is that it is well again.

use std::sync::Arc;

use candlewick_notifier::conditions::Limits;
use candlewick_notifier::facts::Sources;
use candlewick_notifier::sweep::Sweep;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::log_notifier::LogNotifier;
use candlewick_shared::adapters::memory_store::MemoryStore;
use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use candlewick_shared::core::alert::{AlertEvent, Kind, State};
use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf};
use candlewick_shared::runtime::env::Env;
use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;

use crate::support::World;

pub fn trials() -> Vec<Trial> {
    trials![
        a_series_is_stale_until_its_candle_comes,
        what_the_reports_say_is_told_until_another_report_says_otherwise,
        a_dead_letter_is_over_when_its_object_was_loaded,
        a_series_that_was_fetched_again_is_well_again,
        a_calendar_near_its_end_is_told_of,
        nothing_is_said_twice_by_sweeping_twice,
        a_watchlist_in_the_bucket_is_looked_at_in_each_sweep,
        a_loss_is_judged_once_and_told,
        a_loss_waits_for_a_watchlist_that_is_broken,
        a_broken_watchlist_stops_only_what_needs_it
    ]
}

const RAW: &str = "raw/interval=1day/symbol=AAPL/candles.csv";

/// A transformed object of AAPL, with a candle of 2024-12-27, whose market is New York's.
const LOADED: &str = "insert into objects (key, symbol, interval, raw_key, raw_etag, loaded_at) values
        ('transformed/interval=1day/symbol=AAPL/candles.csv', 'AAPL', '1day',
         'raw/interval=1day/symbol=AAPL/candles.csv', 'v1', '2024-12-27T22:00Z');
    insert into instruments (symbol, calendar, updated_at) values ('AAPL', 'XNGS', now());
    insert into candles (symbol, interval, time, open, high, low, close, is_filled, object_id)
        select symbol, interval, '2024-12-27Z', 1, 1, 1, 1, false, id from objects;";

const WATCHLIST: &str = "[groups.all]\nsymbols = [\"AAPL\"]\n";

pub async fn sweep(world: &World, now: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), WATCHLIST).unwrap();
    let watchlist = WatchlistSource::file(file.path().to_owned(), Arc::new(LogNotifier));
    sweep_with(world, now, Arc::new(watchlist)).await.unwrap();
}

async fn sweep_with(world: &World, now: &str, watchlist: Arc<WatchlistSource>) -> anyhow::Result<()> {
    let sources = Sources {
        pool: world.pool.clone(),
        aws: Aws::at("http://127.0.0.1:1", "us-east-1", "x", "x").await,
        env: Env::default(),
        watchlist: Some(watchlist),
    };
    let now: Timestamp = now.parse().unwrap();
    let stale_after = SignedDuration::from_hours(26);
    let horizon = SignedDuration::from_hours(60 * 24);
    let limits = Limits { stale_after, horizon };
    let sweep = Sweep { sources, limits, now: Arc::new(move || now), real_now: world.clock() };
    sweep.sweep().await
}

/// The kinds and subjects of what is wrong.
pub async fn wrong(world: &World) -> Vec<(Kind, String)> {
    let firing = world.open().await.into_iter().filter(|known| known.alert.state == State::Firing);
    firing.map(|known| (known.alert.kind, known.alert.subject)).collect()
}

async fn a_series_is_stale_until_its_candle_comes(world: World) {
    world.run(LOADED).await;
    sweep(&world, "2024-12-31T22:00:00Z").await;
    assert_eq!(wrong(&world).await, []);
    sweep(&world, "2024-12-31T23:00:00Z").await;
    assert_eq!(wrong(&world).await, [(Kind::StaleSeries, "AAPL 1day".to_owned())]);
    assert!(world.open().await[0].alert.text.starts_with("the candle of 2024-12-30 is not in the store"));
    world
        .run("insert into candles select symbol, interval, '2024-12-30Z', 1, 1, 1, 1, 1, false, object_id from candles")
        .await;
    sweep(&world, "2024-12-31T23:01:00Z").await;
    assert_eq!(wrong(&world).await, []);
}

async fn what_the_reports_say_is_told_until_another_report_says_otherwise(world: World) {
    world.run(LOADED).await;
    world
        .run(
            r#"insert into quality select id, 10, 10, 0, 0, '{
            "touched": {"quarantined": {"share": 0, "threshold": 0.01, "passed": false},
                        "filled": {"share": 0.5, "threshold": 0.05, "passed": true}},
            "gaps": [{"first": "2024-12-02", "last": "2024-12-09", "slots": 6, "fate": "too_long"},
                     {"first": "2024-11-29", "last": "2024-11-29", "slots": 1, "fate": "filled"}]}' from objects"#,
        )
        .await;
    sweep(&world, "2024-12-30T22:00:00Z").await;
    let expected = [(Kind::DirtyObject, "AAPL 1day".to_owned()), (Kind::LongGap, "AAPL 1day".to_owned())];
    assert_eq!(wrong(&world).await, expected);
    let open = world.open().await;
    assert!(open[0].alert.text.starts_with("50.00 % was filled, where 5.00 % is allowed"), "{}", open[0].alert.text);
    assert!(open[1].alert.text.contains("lacks 6 candles, 2024-12-02 to 2024-12-09"), "{}", open[1].alert.text);
    world
        .run("update quality set report = '{\"touched\": {}, \"gaps\": []}'; update objects set loaded_at = '2024-12-30T22:01Z'")
        .await;
    sweep(&world, "2024-12-30T22:02:00Z").await;
    assert_eq!(wrong(&world).await, []);
}

async fn raise(world: &World, key: Option<&str>) {
    let mut event = world.event("1", "AAPL");
    event.alert = event.alert.key(key.map(str::to_owned));
    world.deliver(&event).await.unwrap();
}

async fn a_dead_letter_is_over_when_its_object_was_loaded(world: World) {
    world.run(LOADED).await;
    raise(&world, Some(RAW)).await;
    sweep(&world, "2024-12-30T22:00:00Z").await;
    assert_eq!(wrong(&world).await.len(), 1, "what was loaded before is no repair");
    world.run("update objects set loaded_at = '2024-12-30T22:01Z'").await;
    sweep(&world, "2024-12-30T22:02:00Z").await;
    assert_eq!(wrong(&world).await, []);
}

async fn a_series_that_was_fetched_again_is_well_again(world: World) {
    raise(&world, None).await;
    sweep(&world, "2024-12-27T22:00:00Z").await;
    assert_eq!(wrong(&world).await.len(), 1);
    world.run(LOADED).await;
    sweep(&world, "2024-12-27T22:01:00Z").await;
    assert_eq!(wrong(&world).await, []);
}

async fn a_calendar_near_its_end_is_told_of(world: World) {
    world.run(LOADED).await;
    let last = *candlewick_shared::core::calendar::Calendar::for_mic("XNYS").unwrap().unwrap().coverage().end();
    let near = last.checked_sub(jiff::Span::new().days(59)).unwrap();
    sweep(&world, &format!("{near}T00:00:00Z")).await;
    let told = async || {
        let open = world.open().await;
        open.iter()
            .filter(|known| known.alert.kind == Kind::CalendarHorizon)
            .map(|known| known.alert.text.clone())
            .collect::<Vec<_>>()
    };
    let expected =
        format!("New York Stock Exchange ends on {last}: later candles are neither checked against it nor filled");
    assert_eq!(told().await.join("; "), expected);
    let nearer = last.checked_sub(jiff::Span::new().days(30)).unwrap();
    sweep(&world, &format!("{nearer}T00:00:00Z")).await;
    assert_eq!(
        told().await.join("; "),
        format!("{expected}; {expected}"),
        "reported again when half of the time is left"
    );
}

async fn nothing_is_said_twice_by_sweeping_twice(world: World) {
    world.run(LOADED).await;
    for minute in 0..3 {
        sweep(&world, &format!("2025-01-05T00:0{minute}:00Z")).await;
    }
    let open = world.open().await;
    assert_eq!((open.len(), open[0].occurrences), (1, 1));
    let resolved = AlertEvent {
        id: "by a stage".to_owned(),
        at: "2025-01-05T00:03:00Z".parse().unwrap(),
        stage: open[0].stage.clone(),
        alert: open[0].alert.clone().resolved(),
    };
    world.deliver(&resolved).await.unwrap();
    sweep(&world, "2025-01-05T00:04:00Z").await;
    assert_eq!(wrong(&world).await.len(), 1, "the sweep goes by how things are");
}

async fn a_watchlist_in_the_bucket_is_looked_at_in_each_sweep(world: World) {
    world.run(LOADED).await;
    let location = || "s3://b/config/watchlist.toml".parse().unwrap();
    let store = MemoryStore::default();
    let body = WATCHLIST.into();
    let object = NewObject { body, content_type: "text/plain", metadata: Metadata::new() };
    store.put("config/watchlist.toml", object, PutIf::Always).await.unwrap();
    let there = WatchlistSource::new(location(), |_| store, Arc::new(LogNotifier));
    sweep_with(&world, "2024-12-31T23:00:00Z", Arc::new(there)).await.unwrap();
    assert_eq!(wrong(&world).await, [(Kind::StaleSeries, "AAPL 1day".to_owned())]);
}

/// It is unknown then which series should be fresh: their alerts stay as they are, and no new ones are raised. The rest is judged.
async fn a_broken_watchlist_stops_only_what_needs_it(world: World) {
    world.run(LOADED).await;
    sweep(&world, "2024-12-31T23:00:00Z").await;
    let mut expected = vec![(Kind::StaleSeries, "AAPL 1day".to_owned())];
    assert_eq!(wrong(&world).await, expected);
    world
        .run(
            "insert into runs (id, kind, requested_at, is_whole, ended_at, failed, expected)
                values ('one', 'manual', '2024-12-31T22:00Z', true, '2024-12-31T22:10Z', 1, 2)",
        )
        .await;
    let location = "s3://b/config/watchlist.toml".parse().unwrap();
    let absent = WatchlistSource::new(location, |_| MemoryStore::default(), Arc::new(LogNotifier));
    sweep_with(&world, "2024-12-31T23:01:00Z", Arc::new(absent)).await.unwrap();
    expected.push((Kind::RunFailed, "the newest run".to_owned()));
    assert_eq!(wrong(&world).await, expected);
}

/// Half of AAPL's ten candles are gone, and one of a hundred.
const LOST: &str =
    "insert into lost_candles (object_id, source, raw_key, raw_etag_before, candles, of_candles, first_time,
        last_time, lost_at)
    select id, 'drop', raw_key, 'v0', candles, of_candles, '2024-01-02Z', '2024-01-08Z', '2024-12-27T22:00Z'
    from objects, (values (5, 10), (1, 100)) lost (candles, of_candles)";

async fn losses(world: &World) -> Vec<(String, i64)> {
    let lost = world.open().await.into_iter().filter(|known| known.alert.kind == Kind::CandlesLost);
    lost.map(|known| (known.alert.text, known.occurrences)).collect()
}

async fn a_loss_is_judged_once_and_told(world: World) {
    world.run(LOADED).await;
    world.run(LOST).await;
    tokio::join!(sweep(&world, "2024-12-27T22:01:00Z"), sweep(&world, "2024-12-27T22:01:00Z"));
    sweep(&world, "2024-12-27T22:02:00Z").await;
    let told = losses(&world).await;
    assert!(told[0].0.starts_with("5 of 10 real candles (50.00 %, where 5.00 % is allowed) are gone, 2024-01-02 to"));
    assert_eq!((told.len(), told[0].1), (1, 1), "an allowed loss raises no alert, and no loss raises two");
    world.run(LOST).await;
    sweep(&world, "2024-12-27T22:03:00Z").await;
    let told = losses(&world).await;
    assert_eq!((told.len(), told[0].1, told[0].0.matches("5 of 10").count()), (1, 2, 2), "{told:?}");
}

async fn a_loss_waits_for_a_watchlist_that_is_broken(world: World) {
    world.run(LOADED).await;
    world.run(LOST).await;
    let location = "s3://b/config/watchlist.toml".parse().unwrap();
    let absent = WatchlistSource::new(location, |_| MemoryStore::default(), Arc::new(LogNotifier));
    sweep_with(&world, "2024-12-27T22:01:00Z", Arc::new(absent)).await.unwrap();
    assert_eq!(losses(&world).await, []);
    sweep(&world, "2024-12-27T22:02:00Z").await;
    assert_eq!(losses(&world).await.len(), 1);
}
