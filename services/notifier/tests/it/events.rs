//! Events of loads reach each sink at least once, and those of a series in their order.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use candlewick_notifier::channel::http;
use candlewick_notifier::events::outbox;
use candlewick_notifier::events::relay::Relay;
use candlewick_notifier::events::signed_webhook::{SignedWebhook, SigningKey};
use candlewick_notifier::events::sink::Sink;
use candlewick_notifier::events::{event_bus::EventBus, listen, sns::Topic};
use candlewick_notifier::outbox::CLAIM;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::core::loaded_event::LoadedEvent;
use libtest_mimic::Trial;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::sinks;
use crate::support::World;

pub fn trials() -> Vec<Trial> {
    trials![
        each_sink_gets_each_event_once_and_a_series_in_order,
        a_sink_that_is_not_registered_gets_nothing,
        a_refused_event_holds_back_its_series_and_no_other,
        a_relay_that_dies_is_replaced_and_the_copy_has_the_same_id,
        relays_at_once_send_each_event_once_and_in_order,
        what_waits_for_a_removed_sink_is_dropped,
        an_event_is_tried_for_as_long_as_its_load_is_kept,
        a_load_wakes_the_relay,
        a_webhook_gets_a_signed_event,
        a_redirect_is_not_followed_and_no_address_is_shown,
        a_topic_gets_attributes_to_filter_by,
        a_bus_gets_an_event_that_rules_can_match
    ]
}

const SINK: &str = "webhook";

/// A sink that remembers what it took, and refuses the events of one symbol.
#[derive(Default)]
struct Remembers {
    taken: Mutex<Vec<LoadedEvent>>,
    refused: Mutex<Option<&'static str>>,
}

impl Remembers {
    /// The symbols and loaded rows of what was taken.
    fn taken(&self) -> Vec<(String, i64)> {
        let taken = self.taken.lock().unwrap();
        taken.iter().map(|event| (event.data.symbol.clone(), event.data.rows.total)).collect()
    }

    fn refuse(&self, symbol: Option<&'static str>) {
        *self.refused.lock().unwrap() = symbol;
    }
}

#[async_trait]
impl Sink for Remembers {
    fn name(&self) -> &'static str {
        SINK
    }

    async fn send(&self, event: &LoadedEvent) -> anyhow::Result<()> {
        tokio::task::yield_now().await;
        let refused = *self.refused.lock().unwrap();
        anyhow::ensure!(refused != Some(event.data.symbol.as_str()), "the server answered 503");
        self.taken.lock().unwrap().push(event.clone());
        Ok(())
    }
}

/// Loads a version of a series with as many rows.
async fn load(world: &World, symbol: &str, rows: i64) {
    let key = format!("transformed/interval=1day/symbol={symbol}/candles.csv");
    let insert = "insert into objects (key, symbol, interval) values ($1, $2, '1day') on conflict do nothing";
    sqlx::query(insert).bind(&key).bind(symbol).execute(&world.owner).await.unwrap();
    let update = "update objects set loaded_at = '2024-12-30T22:00:41Z', etag = 'e' || $2, rows_total = $2,
        rows_inserted = $2, rows_updated = 0, rows_unchanged = 0, rows_removed = 0, inserted_from = '2024-12-01',
        last_time = '2024-12-30' where key = $1";
    sqlx::query(update).bind(&key).bind(rows).execute(&world.owner).await.unwrap();
}

fn relay(world: &World, sink: &Arc<impl Sink + 'static>) -> Relay {
    let (_, loaded) = watch::channel(());
    Relay { pool: world.pool.clone(), sink: Arc::clone(sink) as Arc<dyn Sink>, now: world.clock(), loaded }
}

async fn send(relay: &Relay) -> Duration {
    relay.send_due(&CancellationToken::new()).await.unwrap()
}

/// The deliveries are dated by the machine's clock, so the relays' clock starts there.
async fn register(world: &World, sinks: &[&str]) -> i64 {
    world.run("alter table event_deliveries alter column next_at set default to_timestamp(0)").await;
    outbox::register(&world.pool, sinks).await.unwrap()
}

async fn waiting(world: &World) -> Vec<(String, i64, Option<String>)> {
    let rows = outbox::waiting(&mut world.pool.acquire().await.unwrap()).await.unwrap();
    rows.into_iter().map(|waiting| (waiting.sink, waiting.events, waiting.error)).collect()
}

async fn each_sink_gets_each_event_once_and_a_series_in_order(world: World) {
    register(&world, &["sns", SINK]).await;
    for rows in 1..=3 {
        load(&world, "AAPL", rows).await;
        load(&world, "MSFT", rows).await;
    }
    let sink = Arc::new(Remembers::default());
    send(&relay(&world, &sink)).await;
    send(&relay(&world, &sink)).await;
    let of = |symbol: &str| -> Vec<_> {
        sink.taken().into_iter().filter(|(taken, _)| taken == symbol).map(|(_, rows)| rows).collect()
    };
    assert_eq!((of("AAPL"), of("MSFT")), (vec![1, 2, 3], vec![1, 2, 3]));
    assert_eq!(waiting(&world).await, [("sns".to_owned(), 6, None)]);
}

async fn a_sink_that_is_not_registered_gets_nothing(world: World) {
    load(&world, "AAPL", 1).await;
    register(&world, &[SINK]).await;
    let sink = Arc::new(Remembers::default());
    send(&relay(&world, &sink)).await;
    assert!(sink.taken().is_empty() && waiting(&world).await.is_empty());
}

async fn a_refused_event_holds_back_its_series_and_no_other(world: World) {
    register(&world, &[SINK]).await;
    for rows in 1..=2 {
        load(&world, "AAPL", rows).await;
        load(&world, "MSFT", rows).await;
    }
    let sink = Arc::new(Remembers::default());
    sink.refuse(Some("AAPL"));
    let wait = send(&relay(&world, &sink)).await;
    assert_eq!(sink.taken(), [("MSFT".to_owned(), 1), ("MSFT".to_owned(), 2)]);
    assert!(wait <= Duration::from_secs(2), "{wait:?}");
    assert_eq!(waiting(&world).await, [(SINK.to_owned(), 2, Some("the server answered 503".to_owned()))]);
    sink.refuse(None);
    send(&relay(&world, &sink)).await;
    assert_eq!(sink.taken().len(), 2, "the wait is not over");
    world.pass(3);
    send(&relay(&world, &sink)).await;
    assert_eq!(sink.taken()[2..], [("AAPL".to_owned(), 1), ("AAPL".to_owned(), 2)]);
}

async fn a_relay_that_dies_is_replaced_and_the_copy_has_the_same_id(world: World) {
    register(&world, &[SINK]).await;
    load(&world, "AAPL", 1).await;
    load(&world, "AAPL", 2).await;
    let claimed = outbox::claim(&world.pool, SINK, world.now()).await.unwrap();
    assert_eq!(claimed.len(), 1, "the second event of the series waits for the first");
    world.pass(CLAIM.as_secs() - 1);
    assert!(outbox::claim(&world.pool, SINK, world.now()).await.unwrap().is_empty());
    world.pass(1);
    let again = outbox::claim(&world.pool, SINK, world.now()).await.unwrap();
    assert_eq!((&again[0].event, again[0].attempt), (&claimed[0].event, 2));
}

async fn relays_at_once_send_each_event_once_and_in_order(world: World) {
    register(&world, &[SINK]).await;
    for at in 0..40 {
        load(&world, &format!("S{}", at % 4), at).await;
    }
    let sink = Arc::new(Remembers::default());
    let relays = [0, 1, 2].map(|_| relay(&world, &sink));
    // A relay ends when nothing is due, which may be because another one holds the series.
    while !waiting(&world).await.is_empty() {
        let [one, two, three] = &relays;
        tokio::join!(send(one), send(two), send(three));
    }
    let taken = sink.taken();
    let distinct: BTreeSet<_> = taken.iter().collect();
    assert_eq!((taken.len(), distinct.len()), (40, 40));
    for symbol in ["S0", "S1", "S2", "S3"] {
        let rows: Vec<_> = taken.iter().filter(|(taken, _)| taken == symbol).map(|(_, rows)| *rows).collect();
        assert!(rows.is_sorted(), "{symbol}: {rows:?}");
    }
}

async fn what_waits_for_a_removed_sink_is_dropped(world: World) {
    register(&world, &["sns", SINK]).await;
    load(&world, "AAPL", 1).await;
    assert_eq!(register(&world, &[SINK]).await, 1);
    assert_eq!(waiting(&world).await, [(SINK.to_owned(), 1, None)]);
    assert_eq!(register(&world, &[SINK]).await, 0);
    load(&world, "AAPL", 2).await;
    assert_eq!(waiting(&world).await, [(SINK.to_owned(), 2, None)]);
}

async fn an_event_is_tried_for_as_long_as_its_load_is_kept(world: World) {
    register(&world, &[SINK]).await;
    load(&world, "AAPL", 1).await;
    let sink = Arc::new(Remembers::default());
    sink.refuse(Some("AAPL"));
    for _ in 0..200 {
        send(&relay(&world, &sink)).await;
        world.pass(900);
    }
    assert_eq!(waiting(&world).await.len(), 1);
    sink.refuse(None);
    send(&relay(&world, &sink)).await;
    assert_eq!(sink.taken().len(), 1);
}

async fn a_load_wakes_the_relay(world: World) {
    register(&world, &[SINK]).await;
    let (loaded, mut noticed) = watch::channel(());
    let stop = CancellationToken::new();
    let listening = listen::listen(&world.pool, &loaded, &stop);
    let awaited = async {
        noticed.changed().await.unwrap();
        load(&world, "AAPL", 1).await;
        noticed.changed().await.unwrap();
        stop.cancel();
    };
    tokio::join!(listening, awaited);
}

/// An event of a load of AAPL.
async fn event(world: &World) -> LoadedEvent {
    register(world, &[SINK]).await;
    load(world, "AAPL", 1).await;
    outbox::claim(&world.pool, SINK, world.now()).await.unwrap().remove(0).event
}

fn key() -> SigningKey {
    SigningKey::parse(&"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()).unwrap()
}

async fn a_webhook_gets_a_signed_event(world: World) {
    let event = event(&world).await;
    let (url, taken) = sinks::server(204, None, "").await;
    SignedWebhook { http: http::client().unwrap(), url: url.into(), key: key() }.send(&event).await.unwrap();
    let taken = taken.lock().unwrap().remove(0);
    let header = |name: &str| taken.headers[name].to_str().unwrap().to_owned();
    let second: i64 = header("webhook-timestamp").parse().unwrap();
    let now = jiff::Timestamp::now().as_second();
    assert!((now - 60..=now).contains(&second), "{second}");
    assert_eq!((header("webhook-id"), header("content-type")), (event.id.clone(), "application/json".to_owned()));
    assert_eq!(header("webhook-signature"), key().sign(&event.id, second, &taken.body).unwrap());
    let body: Value = serde_json::from_str(&taken.body).unwrap();
    let rows = json!({"total": 1, "added": 1, "changed": 0, "unchanged": 0, "removed": 0});
    let data = json!({"symbol": "AAPL", "interval": "1day", "run": null, "etag": "e1", "version_id": null, "rows": rows,
        "key": "transformed/interval=1day/symbol=AAPL/candles.csv", "from": "2024-12-01", "to": "2024-12-30", "trace_id": null});
    let expected = json!({"type": "candles.loaded", "version": 1, "id": event.id, "timestamp": "2024-12-30T22:00:41Z", "data": data});
    assert_eq!(body, expected);
}

async fn a_redirect_is_not_followed_and_no_address_is_shown(world: World) {
    let event = event(&world).await;
    let (elsewhere, followed) = sinks::server(200, None, "").await;
    let (url, _) = sinks::server(307, Some(("location", elsewhere)), "").await;
    for url in [format!("{url}/s3cret"), "http://127.0.0.1:1/s3cret".to_owned()] {
        let webhook = SignedWebhook { http: http::client().unwrap(), url: url.into(), key: key() };
        let error = format!("{:#}", webhook.send(&event).await.unwrap_err());
        assert!(!error.contains("s3cret"), "{error}");
    }
    assert!(followed.lock().unwrap().is_empty());
}

async fn a_topic_gets_attributes_to_filter_by(world: World) {
    let event = event(&world).await;
    let answer = "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";
    let (endpoint, taken) = sinks::server(200, None, answer).await;
    let aws = Aws::at(&endpoint, "us-east-1", "test", "test").await;
    let client = aws_sdk_sns::Client::new(aws.config());
    let topic = "arn:aws:sns:us-east-1:000000000000:loaded.fifo".to_owned();
    Topic { client, topic: topic.clone() }.send(&event).await.unwrap();
    let sent: Vec<(String, String)> = serde_urlencoded::from_str(&taken.lock().unwrap()[0].body).unwrap();
    let value = |name: &str| sent.iter().find(|(sent, _)| sent == name).map(|(_, value)| value.as_str());
    assert_eq!(serde_json::from_str::<LoadedEvent>(value("Message").unwrap()).unwrap(), event);
    assert_eq!((value("TopicArn"), value("MessageGroupId")), (Some(topic.as_str()), Some("AAPL/1day")));
    assert_eq!(value("MessageDeduplicationId"), Some(event.id.as_str()));
    let names = ["type", "symbol", "interval"].map(|name| sent.iter().any(|(_, value)| value == name));
    assert_eq!(names, [true; 3], "{sent:?}");
}

async fn a_bus_gets_an_event_that_rules_can_match(world: World) {
    let event = event(&world).await;
    let (endpoint, taken) = sinks::server(200, None, r#"{"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}"#).await;
    let bus = |endpoint: String| async move {
        let aws = Aws::at(&endpoint, "us-east-1", "test", "test").await;
        EventBus { client: aws_sdk_eventbridge::Client::new(aws.config()), bus: "default".to_owned() }
    };
    bus(endpoint).await.send(&event).await.unwrap();
    let body: Value = serde_json::from_str(&taken.lock().unwrap()[0].body).unwrap();
    let entry = &body["Entries"][0];
    let text = |name: &str| entry[name].as_str().unwrap();
    assert_eq!((text("Source"), text("DetailType"), text("EventBusName")), ("candlewick", "candles.loaded", "default"));
    assert_eq!(serde_json::from_str::<LoadedEvent>(text("Detail")).unwrap(), event);
    let refusal = r#"{"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}]}"#;
    let (endpoint, _) = sinks::server(200, None, refusal).await;
    let error = format!("{:#}", bus(endpoint).await.send(&event).await.unwrap_err());
    assert!(error.contains("ThrottlingException Rate exceeded"), "{error}");
}
