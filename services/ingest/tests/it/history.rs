//! What is asked for again, and what is not.

use candlewick_ingest::credits::budget::Plan;
use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf};
use candlewick_shared::runtime::outcome::{Setback, Settled};
use candlewick_simulator::faults::{Faults, Kind, Rule};
use candlewick_simulator::settings::Settings;

use crate::support::{KEY, PLENTY, World, deliver, fetch, fetch_in, world};

const DAILY: &str = "raw/interval=1day/symbol=AAPL/candles.csv";

/// The first dates of the windows of candles that the API was asked for.
async fn starts(world: &World) -> Vec<String> {
    let asked = world.asked("/time_series").await;
    asked.iter().map(|entry| entry["start_date"].as_str().unwrap()[..10].to_owned()).collect()
}

#[tokio::test]
async fn no_credit_is_spent_on_the_time_before_the_first_candle() {
    let world = world(Settings::default()).await;
    world.deliver(&fetch("AAPL", "1h")).await.unwrap();
    // The API has intraday candles since February 2020.
    assert_eq!(world.asked("/earliest_timestamp").await.len(), 1);
    let starts = starts(&world).await;
    assert_eq!((starts.len(), starts[0].as_str(), starts[58].as_str()), (59, "2020-02-01", "2024-12-01"));
}

#[tokio::test]
async fn a_day_later_only_what_is_open_is_asked_for() {
    let world = world(Settings::default()).await;
    world.deliver(&fetch("AAPL", "1h")).await.unwrap();
    for (now, expected) in [
        ("2024-12-31T22:00:30Z", &["2024-12-01"][..]),
        // There is no candle of January yet, which the API calls an error.
        ("2025-01-01T22:00:30Z", &["2024-12-01", "2025-01-01"]),
        ("2025-01-02T22:00:30Z", &["2024-12-01", "2025-01-01"]),
        ("2025-01-03T22:00:30Z", &["2025-01-01"]),
    ] {
        let next = world.at(now).await;
        next.deliver(&fetch_in(now, "AAPL", "1h")).await.unwrap();
        assert_eq!(
            (starts(&next).await, next.asked("/earliest_timestamp").await.len()),
            (expected.iter().map(|start| (*start).to_owned()).collect(), 0)
        );
    }
    let metadata = world.metadata("raw/interval=1h/symbol=AAPL/2024-12.csv").await;
    assert_eq!(metadata.run.as_deref(), Some("2025-01-02T22:00:30Z"), "a day after its end it was fetched for good");
}

#[tokio::test]
async fn the_watchlist_says_how_far_back_a_series_reaches() {
    let world = world(Settings::default()).await;
    world.reach_back("2024-10-15");
    world.deliver(&fetch("AAPL", "1h")).await.unwrap();
    assert_eq!(starts(&world).await, ["2024-10-01", "2024-11-01", "2024-12-01"]);
    world.deliver(&fetch("AAPL", "1day")).await.unwrap();
    assert_eq!(starts(&world).await[3], "2024-10-15");
    // Who makes it longer has the months fetched that it lacks.
    world.reach_back("2024-09-15");
    world.deliver(&fetch_in("run-2", "AAPL", "1h")).await.unwrap();
    assert_eq!(starts(&world).await[4..], ["2024-09-01", "2024-12-01"]);
}

#[tokio::test]
async fn while_the_watchlist_is_broken_no_credit_is_spent() {
    let world = world(Settings::default()).await;
    std::fs::write(&world.watchlist, "[groups.a]\nsymbol = [\"AAPL\"]\n").unwrap();
    let outcome = world.deliver(&fetch("AAPL", "1day")).await;
    assert!(matches!(outcome, Err(Setback::Later { .. })), "{outcome:?}");
    assert_eq!(starts(&world).await, [""; 0]);
    world.reach_back("1");
    world.deliver(&fetch("AAPL", "1day")).await.unwrap();
    assert_eq!(starts(&world).await, ["2023-12-30"]);
}

#[tokio::test]
async fn a_missing_month_is_asked_for_and_one_of_another_hand_is_not_taken_for_it() {
    let world = world(Settings::default()).await;
    world.deliver(&fetch("AAPL", "1h")).await.unwrap();
    let [gone, dropped] = ["2022-03", "2022-04"].map(|month| format!("raw/interval=1h/symbol=AAPL/{month}.csv"));
    world.store.remove(&gone);
    let object = NewObject::csv(b"datetime,open,high,low,close\n".to_vec(), Metadata::new());
    world.store.put(&dropped, object, PutIf::Always).await.unwrap();
    let next = world.at("2024-12-31T22:00:30Z").await;
    next.deliver(&fetch_in("run-2", "AAPL", "1h")).await.unwrap();
    // The month before what is missing is asked for once more: a split since then would show in it.
    assert_eq!(starts(&next).await, ["2022-02-01", "2022-03-01", "2022-04-01", "2024-12-01"]);
    assert!(next.lines(&gone).await.len() > 100 && next.lines(&dropped).await.len() > 100);
}

#[tokio::test]
async fn a_month_with_no_candle_is_asked_for_once_in_a_calendar_month() {
    let kind = Kind::EmptyValues;
    let path = Some("/time_series".to_owned());
    let rule = Rule { kind, path, times: Some(1), symbol: None, probability: 1.0, delay_ms: 0, code: None };
    let faults = Faults { rules: vec![rule], ..Faults::default() };
    let world = world(Settings { faults, ..Settings::default() }).await;
    world.deliver(&fetch("AAPL", "1h")).await.unwrap();
    assert_eq!((starts(&world).await.len(), world.store.keys().len()), (59, 58));
    for (now, expected) in [
        ("2024-12-31T22:00:30Z", &["2024-12-01"][..]),
        ("2024-12-31T23:00:30Z", &["2024-12-01"]),
        // The first object of a new month knows of none, and what was wrongly said to be empty comes all the same.
        ("2025-01-03T22:00:30Z", &["2020-02-01", "2024-12-01", "2025-01-01"]),
    ] {
        let next = world.at(now).await;
        next.deliver(&fetch_in(now, "AAPL", "1h")).await.unwrap();
        assert_eq!(starts(&next).await, expected, "{now}");
    }
    assert_eq!(world.store.keys().len(), 60);
}

#[tokio::test]
async fn whoever_is_broken_off_goes_on_where_it_was_and_asks_for_nothing_twice() {
    let world = world(Settings::default()).await;
    // The API says what was used of the same minute before.
    for (per_minute, fetched) in [(10, 9), (20, 19), (30, 29)] {
        let plan = Plan { per_minute: Some(per_minute), per_day: None };
        let outcome = deliver(world.ingest(plan, KEY), &fetch("AAPL", "1h")).await;
        let Err(Setback::Later { wait, reason }) = outcome else { panic!("not later: {outcome:?}") };
        assert!(wait.as_secs() == 31 && reason.contains("credits of this minute"), "{wait:?} {reason}");
        assert_eq!(world.store.keys().len(), fetched);
    }
    assert_eq!(deliver(world.ingest(PLENTY, KEY), &fetch("AAPL", "1h")).await.unwrap(), Settled::Done);
    let mut starts = starts(&world).await;
    assert_eq!((starts.len(), world.asked("/earliest_timestamp").await.len()), (59, 1));
    starts.dedup();
    assert_eq!(starts.len(), 59, "each once, and in their order");
}

#[tokio::test]
async fn a_message_that_comes_again_after_its_work_costs_nothing() {
    for interval in ["1day", "1h"] {
        let world = world(Settings::default()).await;
        world.deliver(&fetch("AAPL", interval)).await.unwrap();
        let asked = world.asked("/time_series").await.len();
        let keys = world.store.keys();
        world.deliver(&fetch("AAPL", interval)).await.unwrap();
        assert_eq!((world.asked("/time_series").await.len(), world.store.keys()), (asked, keys));
    }
}

#[tokio::test]
async fn a_month_of_minutes_takes_as_many_answers_as_it_needs_and_later_only_its_end() {
    const DECEMBER: &str = "raw/interval=1min/symbol=AAPL/2024-12.csv";
    let world = world(Settings::default()).await;
    world.reach_back("1");
    world.deliver(&fetch("AAPL", "1min")).await.unwrap();
    let november = world.lines("raw/interval=1min/symbol=AAPL/2024-11.csv").await;
    // Twenty sessions of 390 minutes, but for the one of three hours and a half after Thanksgiving.
    assert_eq!(november.len(), 19 * 390 + 210);
    let mut times: Vec<_> = november.iter().map(|line| &line[..19]).collect();
    times.sort_unstable();
    times.dedup();
    assert_eq!((times.len(), times[0]), (november.len(), "2024-11-01 13:30:00"));
    let before = world.lines(DECEMBER).await;

    let next = world.at("2024-12-31T22:00:30Z").await;
    next.deliver(&fetch_in("run-2", "AAPL", "1min")).await.unwrap();
    assert_eq!(starts(&next).await, ["2024-12-29"], "from the day before the last candle");
    let after = next.lines(DECEMBER).await;
    assert_eq!(after.len(), before.len() + 390);
    assert_eq!(after[390..], before[..], "what was there is there, newest first");
}

#[tokio::test]
async fn a_changed_past_candle_is_updated_and_counted() {
    let world = world(Settings::default()).await;
    world.deliver(&fetch("AAPL", "1day")).await.unwrap();
    let object = world.object(DAILY).await;
    let right = String::from_utf8(object.body.to_vec()).unwrap();
    let line = right.lines().find(|line| line.starts_with("2024-11-29")).unwrap().to_owned();
    let wrong = right.replace(&line, "2024-11-29,1,1,1,1,1");
    let wrong = NewObject::csv(wrong.into_bytes(), object.info.metadata.clone());
    world.store.put(DAILY, wrong, PutIf::Always).await.unwrap();
    world.deliver(&fetch_in("run-2", "AAPL", "1day")).await.unwrap();
    let object = world.object(DAILY).await;
    assert_eq!(object.info.metadata.get("changed-candles").map(String::as_str), Some("1"));
    assert_eq!(String::from_utf8(object.body.to_vec()).unwrap(), right);
    assert_eq!(world.heard.kinds(), [], "one correction is no split");
    world.deliver(&fetch_in("run-3", "AAPL", "1day")).await.unwrap();
    assert_eq!(world.object(DAILY).await.info.metadata.get("changed-candles"), None);
}

#[tokio::test]
async fn months_that_the_source_forgets_for_once_are_as_they_were() {
    for (interval, kind, again) in [("1day", Kind::Short, 2), ("1h", Kind::Holes, 2), ("1h", Kind::EmptyValues, 2)] {
        let world = world(Settings::default()).await;
        world.deliver(&fetch("AAPL", interval)).await.unwrap();
        let before = world.store.keys().len();
        let next = world.at("2024-12-31T22:00:30Z").await;
        let rule = serde_json::json!({"kind": kind, "path": "/time_series", "times": 1});
        next.set("faults", serde_json::json!({"rules": [rule]})).await;
        next.deliver(&fetch_in("run-2", "AAPL", interval)).await.unwrap();
        assert_eq!(
            (next.asked("/time_series").await.len(), next.heard.kinds()),
            (again, vec![]),
            "{interval} {kind:?}"
        );
        assert_eq!(next.store.keys().len(), before);
        for key in next.store.keys().iter().filter(|key| key.contains("1h")) {
            let lines = next.lines(key).await;
            assert!(lines.iter().all(|line| line.split(',').count() == 6), "{key}");
        }
    }
}
