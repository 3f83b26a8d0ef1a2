//! A loader that starts before its tables exist.

use std::time::Duration;

use candlewick_loader::schema;
use candlewick_shared::adapters::postgres;
use candlewick_shared::runtime::health::Health;
use libtest_mimic::Trial;
use tokio_util::sync::CancellationToken;

use crate::support::World;

pub fn trials() -> Vec<Trial> {
    trials![it_waits_for_its_tables_and_says_so]
}

async fn it_waits_for_its_tables_and_says_so(world: World) {
    world.run("drop schema public cascade; create schema public").await;
    let health = Health::default();
    let stop = CancellationToken::new();
    let waiting = tokio::spawn({
        let pool = world.pool.clone();
        let health = health.clone();
        let stop = stop.clone();
        async move { schema::wait_for(&pool, &health, &stop).await }
    });
    let said = async {
        while !health.readiness().1.contains("candlewick migrate") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), said).await.unwrap();
    assert!(!health.readiness().0);
    postgres::migrate(&world.owner).await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap().unwrap().unwrap();
    assert!(health.readiness().0);
}
