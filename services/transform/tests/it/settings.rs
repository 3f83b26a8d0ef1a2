//! The watchlist's word on how an object is cleaned, and who hears of an object that was touched too much.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use candlewick_shared::core::alert::State;
use candlewick_shared::ports::notifier::{Alert, Kind, Notifier};
use candlewick_shared::runtime::outcome::{Outcome, Setback, Settled};
use candlewick_test_support::bucket::{self, Bucket};
use candlewick_transform::handler::Transform;

const RAW: &str = "raw/interval=1day/symbol=AAPL/candles.csv";
const CLEAN: &str = "transformed/interval=1day/symbol=AAPL/candles.csv";

/// The sessions around Thanksgiving, without the Friday's.
const GAP: &str = "date,open,high,low,close\n2024-11-27,1,1,1,1\n2024-12-02,2,2,2,2\n";

#[derive(Default)]
struct Heard(Mutex<Vec<Alert>>);

#[async_trait]
impl Notifier for Heard {
    async fn notify(&self, alert: Alert) {
        self.0.lock().unwrap().push(alert);
    }
}

/// Cleans the file with the gap by a watchlist, and returns what came of it, the clean CSV, and what was heard to be wrong.
async fn cleaned_by(watchlist: &str) -> (Outcome, Option<String>, Vec<Alert>) {
    cleaned_by_file(watchlist_file(watchlist)).await
}

async fn cleaned_by_file(path: PathBuf) -> (Outcome, Option<String>, Vec<Alert>) {
    let bucket = Bucket::default();
    let heard = Arc::new(Heard::default());
    bucket.drop_object(RAW, GAP, &[("fetched-at", "2024-12-30T22:00:00Z")]).await;
    let now = Arc::new(|| "2024-12-31T00:00:00Z".parse().unwrap());
    let transform = Transform::new(Arc::new(bucket.clone()), now).with_notifier(heard.clone());
    let source = Arc::new(WatchlistSource::file(path, heard.clone()));
    let outcome = transform.with_watchlist(Some(source)).handle(bucket::created(RAW)).await;
    let clean = if outcome.is_ok() { Some(bucket.text(CLEAN).await) } else { None };
    let mut alerts = heard.0.lock().unwrap().clone();
    alerts.retain(|alert| alert.state == State::Firing);
    (outcome, clean, alerts)
}

/// A file of its own for each call: tests run at the same time.
fn watchlist_file(text: &str) -> PathBuf {
    static FILES: AtomicU32 = AtomicU32::new(0);
    let name = format!("watchlist-{}-{}.toml", std::process::id(), FILES.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn watchlist(settings: &str) -> String {
    format!("[groups.stocks]\nsymbols = [\"AAPL\"]\n[instruments.AAPL]\n{settings}\n")
}

#[tokio::test]
async fn an_object_is_cleaned_as_its_instruments_table_says() {
    let (_, clean, _) = cleaned_by(&watchlist("calendar = \"XNYS\"\nmax_filled = 1.0")).await;
    assert!(clean.unwrap().contains("AAPL,1day,2024-11-29,1,1,1,1,0,false,true"));
    let (_, clean, _) = cleaned_by(&watchlist("calendar = \"XNYS\"\nmax_fill = 0")).await;
    assert!(!clean.unwrap().contains(",true\n"));
}

/// The compiled-in calendar expects a session on the day after Thanksgiving, and the owner's file has none.
#[tokio::test]
async fn a_calendar_beside_the_watchlist_says_which_slots_are_vacant() {
    let folder = std::env::temp_dir().join(format!("candlewick-own-{}", std::process::id()));
    let calendars = folder.join("config/calendars");
    std::fs::create_dir_all(&calendars).unwrap();
    let file = folder.join("watchlist.toml");
    std::fs::write(&file, watchlist("calendar = \"XNYS\"\nmax_filled = 1.0")).unwrap();
    let own = include_str!("../../../../shared/calendars/XNYS.toml");
    let own = own.replace("2024-11-29, ", "").replace("2024-11-28, ", "2024-11-28, 2024-11-29, ");
    std::fs::write(calendars.join("XNYS.toml"), own).unwrap();
    let (_, clean, _) = cleaned_by_file(file.clone()).await;
    assert!(!clean.unwrap().contains(",true\n"));
    std::fs::write(calendars.join("XNYS.toml"), "code = 1").unwrap();
    let (outcome, _, alerts) = cleaned_by_file(file).await;
    let Err(Setback::Down(error)) = outcome else { panic!("it does not wait: {outcome:?}") };
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(format!("{error:#}").contains("config/calendars/XNYS.toml: line 1"), "{error:#}");
    assert!(matches!(&alerts[..], [alert] if alert.text.contains("XNYS.toml")), "{alerts:?}");
}

#[tokio::test]
async fn an_object_that_was_touched_too_much_is_loaded_and_heard_of() {
    let (outcome, clean, alerts) = cleaned_by(&watchlist("calendar = \"XNYS\"\nmax_filled = 0.1")).await;
    assert_eq!(outcome.unwrap(), Settled::Done);
    assert!(clean.unwrap().contains("2024-11-29"));
    let [alert] = &alerts[..] else { panic!("not one alert: {alerts:?}") };
    assert_eq!((alert.kind, alert.subject.as_str(), alert.class.as_str()), (Kind::DirtyObject, "AAPL 1day", "filled"));
    assert!(alert.text.contains("33.33 %") && alert.text.contains("reports/"), "{}", alert.text);
}

#[tokio::test]
async fn an_object_within_its_thresholds_is_not_heard_of() {
    let (outcome, _, alerts) = cleaned_by(&watchlist("calendar = \"XNYS\"\nmax_filled = 0.5")).await;
    assert_eq!((outcome.unwrap(), alerts), (Settled::Done, vec![]));
}

#[tokio::test]
async fn a_broken_watchlist_is_heard_of_and_costs_no_message() {
    let (outcome, _, alerts) = cleaned_by("[groups.stocks]\nsymbol = [\"AAPL\"]\n").await;
    let Err(Setback::Down(error)) = outcome else { panic!("it does not wait: {outcome:?}") };
    assert!(format!("{error:#}").contains("fix the watchlist"), "{error:#}");
    let [alert] = &alerts[..] else { panic!("not one alert: {alerts:?}") };
    assert!(alert.kind == Kind::BadWatchlist && alert.text.contains("line 2, groups.stocks.symbol"), "{alert:?}");
}

/// Cleans an hour by a format with a time zone, and returns the time of its candle.
async fn hour_of(metadata: &[(&str, &str)]) -> String {
    const HOUR: &str = "raw/interval=1h/symbol=AAPL/2024-11.csv";
    let path = watchlist_file(&(watchlist("") + "[formats.mine]\ntimezone = \"Asia/Tokyo\"\nstamped = \"end\"\n"));
    let bucket = Bucket::default();
    let metadata = [&[("fetched-at", "2024-12-30T22:00:00Z"), ("format", "mine")], metadata].concat();
    bucket.drop_object(HOUR, "date,open,high,low,close\n2024-11-27 10:00,1,1,1,1\n", &metadata).await;
    let now = Arc::new(|| "2024-12-31T00:00:00Z".parse().unwrap());
    let source = Arc::new(WatchlistSource::file(path, Arc::new(Heard::default())));
    let transform = Transform::new(Arc::new(bucket.clone()), now).with_watchlist(Some(source));
    transform.handle(bucket::created(HOUR)).await.unwrap();
    let clean = bucket.text("transformed/interval=1h/symbol=AAPL/2024-11.csv").await;
    clean.lines().nth(1).and_then(|line| line.split(',').nth(2)).unwrap().to_owned()
}

#[tokio::test]
async fn what_is_said_of_an_object_goes_before_its_format() {
    assert_eq!(hour_of(&[]).await, "2024-11-27T00:00:00Z");
    assert_eq!(hour_of(&[("timezone", "America/New_York")]).await, "2024-11-27T14:00:00Z");
    assert_eq!(hour_of(&[("stamped", "start")]).await, "2024-11-27T01:00:00Z");
}
