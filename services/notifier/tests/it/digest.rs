//! One digest a day, also when all is well.

use candlewick_notifier::digest::{self, Schedule};
use jiff::tz::TimeZone;
use libtest_mimic::Trial;

use crate::support::{CHANNEL, World};

pub fn trials() -> Vec<Trial> {
    trials![a_day_has_one_digest_whatever_happens, a_digest_counts_the_last_day]
}

async fn queue(world: &World) {
    let schedule = Schedule { at: "08:00".parse().unwrap(), zone: TimeZone::UTC };
    let channels = [CHANNEL.to_owned()];
    digest::queue_due(&world.pool, &channels, &schedule, world.now(), world.now()).await.unwrap();
}

async fn a_day_has_one_digest_whatever_happens(world: World) {
    tokio::join!(queue(&world), queue(&world));
    queue(&world).await;
    assert_eq!(world.outbox().await, ["Candlewick: digest of 1970-01-12: all is well"]);
    world.raise("AAPL").await;
    world.pass(86_400);
    queue(&world).await;
    assert_eq!(world.outbox().await[1..], ["Candlewick: digest of 1970-01-13: 1 to fix"]);
}

async fn a_digest_counts_the_last_day(world: World) {
    world
        .run(
            "insert into objects (key, symbol, interval, loaded_at, rows_total, rows_inserted) values
            ('a', 'AAPL', '1day', to_timestamp(1000000 - 3600), 5, 5),
            ('b', 'SPY', '1day', to_timestamp(1000000 - 100000), 7, 7)",
        )
        .await;
    world
        .run(
            "insert into lost_candles (object_id, candles, of_candles, first_time, last_time, lost_at)
            select id, rows_total, 100, now(), now(), loaded_at from objects",
        )
        .await;
    queue(&world).await;
    let body = world.claim().await.unwrap().message.body;
    assert!(body.contains("Series in the store: 2\nLoaded in the last day: 1 objects; 5 candles new"), "{body}");
    assert!(body.contains("Real candles lost: 5\n"), "{body}");
}
