//! The events of loads: each says exactly what its load changed, and a reader misses none.

use std::collections::{BTreeMap, BTreeSet};

use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::loaded_event::{EventCursor, LoadedEvent, Rows};
use candlewick_shared::core::metadata::TransformedMetadata;
use candlewick_shared::reads::loaded_events::{self, EventPage, EventsError, Selection};
use futures::{StreamExt, future::ready, stream};
use libtest_mimic::Trial;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Handle;

use crate::support::{FEBRUARY, JANUARY, MARCH, World, body, origin};

pub fn trials() -> Vec<Trial> {
    trials![
        an_event_says_what_its_load_changed,
        an_event_names_its_version_run_and_trace,
        an_event_waits_for_loads_that_began_before_it,
        a_reader_misses_no_load_of_many_at_once,
        events_are_read_in_pages_and_by_series,
        a_cursor_of_another_database_is_refused,
        a_delivery_for_each_sink_commits_with_the_load
    ]
}

const KEYS: [&str; 3] = [JANUARY, FEBRUARY, MARCH];

async fn page(world: &World, after: EventCursor, selection: &Selection, most: u32) -> EventPage {
    let mut database = world.owner.acquire().await.unwrap();
    loaded_events::after(&mut database, after, selection, most).await.unwrap()
}

async fn events(world: &World) -> Vec<LoadedEvent> {
    let page = page(world, EventCursor::default(), &Selection::default(), 1_000).await;
    page.events.into_iter().map(|(_, event)| event).collect()
}

fn time(minute: i64) -> String {
    CandleTime::from_seconds(minute * 60).display(Interval::Min1).to_string()
}

/// The candles of the table by minute: close and whether they are filled.
async fn table(world: &World) -> BTreeMap<i64, (String, bool)> {
    let query = "select (extract(epoch from time) / 60)::bigint, close::text, is_filled from candles";
    let rows: Vec<(i64, String, bool)> = sqlx::query_as(query).fetch_all(&world.owner).await.unwrap();
    rows.into_iter().map(|(minute, close, is_filled)| (minute, (close, is_filled))).collect()
}

/// A version of one of three objects, with the second of its raw object.
fn load() -> impl Strategy<Value = (usize, i64, BTreeMap<i64, u32>)> {
    (0..3_usize, 1..8_i64, btree_map(0..12_i64, prop_oneof![10..13_u32, Just(100_u32)], 0..10))
}

async fn an_event_says_what_its_load_changed(world: World) {
    let handle = Handle::current();
    let run = move || {
        let mut runner = TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
        let world = &world;
        runner
            .run(&vec(load(), 1..8), |loads| {
                handle.block_on(async {
                    world.empty().await;
                    for (at, second, rows) in &loads {
                        check_load(world, KEYS[*at], *second, rows).await;
                    }
                });
                Ok(())
            })
            .unwrap();
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

async fn check_load(world: &World, key: &str, second: i64, rows: &BTreeMap<i64, u32>) {
    let before = table(world).await;
    let known = events(world).await.len();
    let rows: Vec<_> = rows.iter().map(|(minute, close)| (*minute, *close)).collect();
    world.put(key, body(key, &rows), origin(second).write()).await;
    world.deliver(key).await.unwrap();
    let after = table(world).await;
    let told = events(world).await;
    let minutes: BTreeSet<_> = before.keys().chain(after.keys()).copied().collect();
    let changed: Vec<_> = minutes.into_iter().filter(|minute| before.get(minute) != after.get(minute)).collect();
    // A version that is loaded already is no load.
    let Some(event) = told.get(known) else {
        assert!(changed.is_empty() && told.len() == known, "a load without an event");
        return;
    };
    let expected = (changed.first().map(|minute| time(*minute)), changed.last().map(|minute| time(*minute)));
    assert_eq!((event.data.from.clone(), event.data.to.clone()), expected, "{before:?} {after:?}");
    let added = changed.iter().filter(|minute| !before.contains_key(minute)).count() as i64;
    assert!(event.data.rows.added >= added, "{before:?} {after:?} {:?}", event.data.rows);
}

async fn an_event_names_its_version_run_and_trace(world: World) {
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap();
    let metadata = TransformedMetadata { run: Some("r1".to_owned()), traceparent: Some(trace), ..origin(1) };
    world.put(JANUARY, body(JANUARY, &[(1, 10), (2, 10)]), metadata.write()).await;
    world.done(JANUARY).await;
    let event = events(&world).await.remove(0);
    let data = &event.data;
    assert_eq!((data.symbol.as_str(), data.interval.as_str(), data.key.as_str()), ("AAPL", "1min", JANUARY));
    assert_eq!((data.run.as_deref(), data.trace_id.as_deref()), (Some("r1"), Some("0af7651916cd43dd8448eb211c80319c")));
    let rows = Rows { total: 2, added: 2, ..Rows::default() };
    assert_eq!((data.rows, event.timestamp.to_string().as_str()), (rows, "2024-12-31T00:00:00Z"));
    let info = world.bucket.object(JANUARY).await.info;
    assert_eq!((data.etag.as_ref(), data.version_id.as_ref()), (Some(&info.etag), info.version_id.as_ref()));
    assert_eq!(events(&world).await[0].id, event.id, "the id stays");
}

async fn an_event_waits_for_loads_that_began_before_it(world: World) {
    world.load_rows(JANUARY, 1, &[(1, 10)]).await;
    for is_committed in [true, false] {
        let begun = loaded_events::newest(&mut world.owner.acquire().await.unwrap()).await.unwrap();
        let mut older = world.pool.begin().await.unwrap();
        sqlx::query("select current_load()").execute(&mut *older).await.unwrap();
        world.load_rows(FEBRUARY, if is_committed { 2 } else { 3 }, &[(2, 10)]).await;
        let first = page(&world, begun, &Selection::default(), 10).await;
        assert_eq!((first.events.len(), first.next), (0, begun), "the older load could still commit");
        if is_committed {
            older.commit().await.unwrap()
        } else {
            older.rollback().await.unwrap()
        }
        let second = page(&world, first.next, &Selection::default(), 10).await;
        assert_eq!(second.events.iter().map(|(_, event)| event.data.key.as_str()).collect::<Vec<_>>(), [FEBRUARY]);
        let last = page(&world, second.next, &Selection::default(), 10).await;
        assert!(last.events.is_empty() && last.next == second.next);
    }
}

/// Many loads at once, some of them failing, and a reader that follows.
async fn a_reader_misses_no_load_of_many_at_once(world: World) {
    const LOADS: i64 = 60;
    let load = |at: i64| {
        let world = &world;
        async move {
            let key = format!("transformed/interval=1min/symbol=S{}/2024-01.csv", at % 7);
            world.put_rows(&key, at + 1, &[(at, 10)]).await;
            world.deliver(&key).await.is_ok()
        }
    };
    let is_over = std::cell::Cell::new(false);
    let loads = async {
        let done = stream::iter((0..LOADS).map(load)).buffer_unordered(4).filter(|done| ready(*done)).count().await;
        is_over.set(true);
        done
    };
    let follow = async {
        let mut cursor = EventCursor::default();
        let mut read = Vec::new();
        loop {
            let was_over = is_over.get();
            let EventPage { events, next, .. } = page(&world, cursor, &Selection::default(), 3).await;
            let is_end = was_over && events.is_empty();
            read.extend(events.into_iter().map(|(cursor, _)| cursor.0));
            cursor = next;
            if is_end {
                return read;
            }
        }
    };
    let (done, read) = tokio::join!(loads, follow);
    let all: Vec<i64> = sqlx::query_scalar("select id from loads order by id").fetch_all(&world.owner).await.unwrap();
    assert!(done > 7 && read == all, "{done} loads, {} read of {}", read.len(), all.len());
}

async fn events_are_read_in_pages_and_by_series(world: World) {
    const OTHER: &str = "transformed/interval=1min/symbol=MSFT/2024-01.csv";
    for second in 1..=3 {
        world.load_rows(JANUARY, second, &[(second, 10)]).await;
        world.load_rows(OTHER, second, &[(second, 10)]).await;
    }
    let whole = events(&world).await;
    let mut cursor = EventCursor::default();
    let mut read = Vec::new();
    loop {
        let EventPage { events, next, is_more } = page(&world, cursor, &Selection::default(), 1).await;
        read.extend(events.into_iter().map(|(_, event)| event));
        cursor = next;
        if !is_more {
            break;
        }
    }
    assert_eq!((read.len(), &read), (6, &whole));
    let of_one = Selection { symbol: Some("MSFT".parse().unwrap()), interval: Some(Interval::Min1) };
    let page = page(&world, EventCursor::default(), &of_one, 10).await;
    let seconds: Vec<_> =
        page.events.iter().map(|(_, event)| (event.data.symbol.as_str(), event.data.to.clone())).collect();
    assert_eq!(seconds, [1, 2, 3].map(|minute| ("MSFT", Some(time(minute)))));
    assert_eq!(loaded_events::newest(&mut world.owner.acquire().await.unwrap()).await.unwrap(), page.next);
}

async fn a_cursor_of_another_database_is_refused(world: World) {
    world.load_rows(JANUARY, 1, &[(1, 10)]).await;
    let mut database = world.owner.acquire().await.unwrap();
    let error = loaded_events::after(&mut database, EventCursor(99), &Selection::default(), 1).await.unwrap_err();
    assert!(matches!(error, EventsError::Foreign(..)) && error.to_string().contains("begin with 0"), "{error}");
}

async fn a_delivery_for_each_sink_commits_with_the_load(world: World) {
    world.load_rows(JANUARY, 1, &[(1, 10)]).await;
    world.run("insert into event_sinks values ('sns'), ('webhook')").await;
    world.load_rows(JANUARY, 2, &[(1, 11)]).await;
    let waiting =
        "select string_agg(sink || ' ' || symbol || ' ' || interval, ', ' order by sink) from event_deliveries";
    assert_eq!(world.value(waiting).await, "sns AAPL 1min, webhook AAPL 1min");
    world
        .run(
            "create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
        create trigger refuse before insert on quality for each row execute function refuse()",
        )
        .await;
    let report = TransformedMetadata { report: Some(Box::default()), ..origin(3) };
    world.put(JANUARY, body(JANUARY, &[(1, 12)]), report.write()).await;
    world.deliver(JANUARY).await.unwrap_err();
    assert_eq!(world.value("select count(*)::text from event_deliveries").await, "2");
    assert_eq!(events(&world).await.len(), 2);
}
