//! Files that somebody drops over what was fetched: what the API lacks of them stays at the next refresh, and the owner hears of it.

use std::sync::Arc;

use candlewick_shared::core::alert::State;
use candlewick_shared::core::event::{EventKind, ObjectEvent};
use candlewick_shared::core::key::RawKey;
use candlewick_shared::core::metadata::{DROPPED, Metadata};
use candlewick_shared::ports::notifier::Kind;
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf};
use candlewick_shared::runtime::outcome::{Outcome, Settled};
use candlewick_transform::handler::Transform;
use serde_json::json;

use crate::shrinking::{LATER, SHORT, WHOLE, asking, marks, reach_back, set_time};
use crate::support::{NOW, World, fetch_in, replace_in};
use crate::vendor::{Vendor, answer, candle, meta};

const RAW: &str = "raw/interval=1day/symbol=ABC/candles.csv";
const MONTH: &str = "raw/interval=1h/symbol=ABC/2024-11.csv";

/// Has the transform look at a raw object.
async fn transform(world: &World, key: &str) -> Outcome {
    let store = Arc::clone(&world.store) as Arc<dyn ObjectStore>;
    let event = ObjectEvent {
        kind: EventKind::Created,
        bucket: "candlewick".to_owned(),
        key: key.to_owned(),
        size: None,
        etag: None,
        version_id: None,
        time: None,
    };
    Transform::new(store, Arc::clone(&world.now)).handle(event).await
}

/// Drops a file, and has it cleaned.
async fn drop_file(world: &World, key: &str, text: impl Into<Vec<u8>>) -> Outcome {
    let entries = [("source", DROPPED), ("fetched-at", LATER[0])];
    let metadata: Metadata = entries.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let object = NewObject::csv(text.into(), metadata);
    world.store.put(key, object, PutIf::Always).await.unwrap();
    transform(world, key).await
}

/// ABC after a first day with a whole answer, cleaned, on the second day.
async fn after_a_whole_answer() -> (Vendor, World) {
    let (vendor, mut world) = asking(NOW).await;
    vendor.says(200, WHOLE);
    refresh(&world, "run-1", "1day").await;
    transform(&world, RAW).await.unwrap();
    set_time(&mut world, LATER[0]);
    vendor.times_asked();
    (vendor, world)
}

async fn refresh(world: &World, run: &str, interval: &str) {
    assert_eq!(world.deliver(&fetch_in(run, "ABC", interval)).await.unwrap(), Settled::Done);
}

/// The real candles of the transformed object.
async fn clean(world: &World, raw: &str) -> Vec<String> {
    transform(world, raw).await.unwrap();
    let key: RawKey = raw.parse().unwrap();
    let mut rows = world.lines(&key.path.transformed_key()).await;
    rows.retain(|row| row.ends_with(",false"));
    rows
}

fn told(world: &World, kind: Kind, state: State) -> Vec<String> {
    world.heard.told(kind, state).into_iter().map(|alert| alert.text).collect()
}

/// A file in a form of its own, with days that the API has, one that it has not, and one from before its history.
const FILE: &str = "Date;Open;High;Low;Close;Vol\r\n20190102;1;2;1;1.5;9\r\n2024-12-27;118.1;120;117;119.5;1018\r\n\
    2024-11-29 00:00;99;100.5;98;100;-\r\n";

#[tokio::test]
async fn what_a_file_has_and_the_answer_lacks_stays_and_is_told_once() {
    let (vendor, mut world) = after_a_whole_answer().await;
    drop_file(&world, RAW, FILE).await.unwrap();
    refresh(&world, "run-2", "1day").await;
    assert_eq!(vendor.times_asked(), 2, "asked again");
    let of_the_file = [("2024-11-29".to_owned(), LATER[0].to_owned()), ("2019-01-02".to_owned(), LATER[0].to_owned())];
    assert_eq!(marks(&world, RAW).await, of_the_file);
    let rows = clean(&world, RAW).await;
    assert_eq!(rows.len(), 22);
    assert_eq!(rows[0], "ABC,1day,2019-01-02,1,2,1,1.5,9,true,false");
    assert!(rows.contains(&"ABC,1day,2024-11-29,99,100.5,98,100,0,false,false".to_owned()), "{rows:?}");
    let words = told(&world, Kind::HistoryShrank, State::Firing).join("\n");
    assert!(words.contains("does not give the candle of 2024-11-29 of a dropped file"), "{words}");
    set_time(&mut world, LATER[1]);
    refresh(&world, "run-3", "1day").await;
    assert_eq!(told(&world, Kind::HistoryShrank, State::Firing).len(), 1);
    world.deliver(&replace_in("run-4", "ABC", "1day")).await.unwrap();
    assert_eq!(marks(&world, RAW).await, [], "the owner has only what the API gives");
    assert_eq!(told(&world, Kind::HistoryShrank, State::Resolved).len(), 1);
}

#[tokio::test]
async fn a_gzipped_file_beside_what_was_fetched_is_such_a_file() {
    let (_vendor, world) = after_a_whole_answer().await;
    let gzipped = format!("{RAW}.gz");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, FILE.as_bytes()).unwrap();
    drop_file(&world, &gzipped, encoder.finish().unwrap()).await.unwrap();
    assert_eq!(clean(&world, &gzipped).await.len(), 3);
    refresh(&world, "run-2", "1day").await;
    let rows = clean(&world, RAW).await;
    assert_eq!(rows.len(), 22, "{rows:?}");
}

#[tokio::test]
async fn a_file_that_was_given_up_takes_nothing_away_at_the_next_refresh() {
    let (vendor, world) = after_a_whole_answer().await;
    assert!(drop_file(&world, RAW, "date,open,high,low,close\n").await.is_err());
    vendor.says(200, SHORT);
    refresh(&world, "run-2", "1day").await;
    assert_eq!((world.lines(RAW).await.len(), marks(&world, RAW).await.len()), (20, 18));
    let words = told(&world, Kind::HistoryShrank, State::Firing).join("\n");
    assert!(words.contains("no longer gives 18 candles"), "{words}");
}

/// A vendor with hours of November and December, which lacks those that begin so.
fn has_hours(vendor: &Vendor, lacks: &'static str) {
    let hours: Vec<_> = ["2024-11-26", "2024-11-27", "2024-12-27"]
        .iter()
        .flat_map(|day| (14..20).map(move |hour| format!("{day} {hour}:30:00")))
        .filter(|hour| lacks.is_empty() || !hour.starts_with(lacks))
        .collect();
    vendor.answers(move |asked| {
        if asked["path"] == "/earliest_timestamp" {
            return (200, json!({"datetime": "2024-11-26"}).to_string());
        }
        let bound = |name: &str| asked[name].replace('T', " ");
        let is_given = |hour: &&String| **hour >= bound("start_date") && **hour < bound("end_date");
        let values: Vec<_> = hours.iter().rev().filter(is_given).map(|hour| candle(hour, 100.0)).collect();
        if values.is_empty() {
            return (404, json!({"code": 404, "message": "Data not found", "status": "error"}).to_string());
        }
        (200, answer(&meta("ABC", "1h"), &values))
    });
}

async fn with_hours() -> (Vendor, World) {
    let (vendor, world) = asking(NOW).await;
    reach_back(&world, "2024-11-25");
    has_hours(&vendor, "");
    refresh(&world, "run-1", "1h").await;
    assert_eq!(clean(&world, MONTH).await.len(), 12);
    (vendor, world)
}

#[tokio::test]
async fn a_file_of_a_month_stays_where_the_source_has_nothing() {
    let (vendor, mut world) = with_hours().await;
    let file = "time,open,high,low,close\n2024-11-26T14:30:00Z,101,102,101,102\n2024-11-25T15:30:00Z,101,102,101,102\n";
    drop_file(&world, MONTH, file).await.unwrap();
    has_hours(&vendor, "2024-11-26");
    set_time(&mut world, LATER[0]);
    refresh(&world, "run-2", "1h").await;
    let marked: Vec<_> = marks(&world, MONTH).await.into_iter().map(|(time, _)| time).collect();
    assert_eq!(marked, ["2024-11-26 14:30:00", "2024-11-25 15:30:00"]);
    assert_eq!(clean(&world, MONTH).await.len(), 8);
    // Nothing at all of the month: it stays as it is, and the others are fetched.
    drop_file(&world, MONTH, file).await.unwrap();
    has_hours(&vendor, "2024-11");
    set_time(&mut world, LATER[1]);
    refresh(&world, "run-3", "1h").await;
    assert_eq!(clean(&world, MONTH).await.len(), 2);
    assert_eq!(world.metadata("raw/interval=1h/symbol=ABC/2024-12.csv").await.run.as_deref(), Some("run-3"));
}

#[tokio::test]
async fn the_owner_can_accept_that_a_month_is_empty() {
    let (vendor, mut world) = with_hours().await;
    has_hours(&vendor, "2024-11");
    set_time(&mut world, LATER[0]);
    vendor.times_asked();
    let accepted = world.deliver(&replace_in("run-2", "ABC", "1h")).await.unwrap();
    assert_eq!((accepted, vendor.times_asked()), (Settled::Done, 3), "of the empty month it is asked twice");
    assert_eq!((world.lines(MONTH).await.len(), world.metadata(MONTH).await.is_emptied), (0, true));
    assert_eq!(clean(&world, MONTH).await.len(), 0, "the store has none of it any more");
    let december = "raw/interval=1h/symbol=ABC/2024-12.csv";
    assert_eq!((world.lines(december).await.len(), world.metadata(december).await.is_emptied), (6, false));
    // It has them again.
    has_hours(&vendor, "");
    set_time(&mut world, LATER[1]);
    world.deliver(&replace_in("run-3", "ABC", "1h")).await.unwrap();
    assert_eq!(clean(&world, MONTH).await.len(), 12);
}

#[tokio::test]
async fn a_series_of_which_there_is_nothing_is_not_replaced_by_that() {
    let (vendor, world) = after_a_whole_answer().await;
    vendor.says(200, r#"{"meta":{},"values":[],"status":"ok"}"#);
    let settled = world.deliver(&replace_in("run-2", "ABC", "1day")).await.unwrap();
    let Settled::Superseded(why) = settled else { panic!("{settled:?}") };
    assert!(why.starts_with("no_data: ABC 1day") && why.contains("not one candle to replace"), "{why}");
    assert_eq!(world.lines(RAW).await.len(), 20);
}
