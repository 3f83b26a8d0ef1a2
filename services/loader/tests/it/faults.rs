//! Failures around the loader: rows and ledger are committed together or not at all, and an outage is not blamed on the
//! object.

use std::time::Duration;

use candlewick_loader::ledger::{self, HistoryDays};
use candlewick_shared::adapters::postgres;
use candlewick_shared::runtime::outcome::{Outcome, Setback, Settled};
use libtest_mimic::Trial;
use sqlx::postgres::PgPoolOptions;
use tokio::task::JoinHandle;

use crate::support::{FEBRUARY, JANUARY, World};

pub fn trials() -> Vec<Trial> {
    trials![
        the_ledger_commits_with_the_rows,
        a_version_that_cannot_commit_leaves_the_older_one_whole,
        two_loaders_at_once_end_with_the_newest_version,
        loaders_of_two_objects_of_a_series_wait_for_each_other,
        a_database_that_goes_away_is_an_outage,
        a_database_that_is_not_there_is_an_outage,
        a_primary_that_became_a_standby_is_an_outage,
        connections_to_a_former_primary_do_not_last,
        a_loader_that_is_given_up_leaves_nothing,
        a_copy_that_is_given_up_leaves_no_connection_behind,
        a_loader_that_vanished_holds_its_lock_for_minutes_at_the_most
    ]
}

/// Makes every commit of a loaded version fail, at the last moment.
const REFUSE: &str = "create function refuse() returns trigger language plpgsql as $$
    begin raise 'no commit today'; end $$;
    create constraint trigger refusal after update on objects deferrable initially deferred
        for each row execute function refuse()";

async fn the_ledger_commits_with_the_rows(world: World) {
    world.run(REFUSE).await;
    world.put_rows(JANUARY, 1, &[(1, 10)]).await;
    let outcome = world.deliver(JANUARY).await;
    let Err(Setback::Unclear { error, .. }) = outcome else { panic!("not unclear: {outcome:?}") };
    assert!(format!("{error:#}").contains("no commit today"), "{error:#}");
    assert_eq!(world.candles().await, []);
    assert_eq!(world.value("select count(*)::text from objects").await, "0");
    world.run("drop trigger refusal on objects").await;
    world.done(JANUARY).await;
    assert_eq!(world.candles().await, [(1, 10)]);
}

async fn a_version_that_cannot_commit_leaves_the_older_one_whole(world: World) {
    world.load_rows(JANUARY, 1, &[(1, 10), (2, 20)]).await;
    let ledger = "select objects::text from objects";
    let before = world.value(ledger).await;
    world.run(REFUSE).await;
    world.put_rows(JANUARY, 2, &[(2, 21), (3, 30)]).await;
    assert!(world.deliver(JANUARY).await.is_err());
    assert_eq!((world.candles().await, world.value(ledger).await), (vec![(1, 10), (2, 20)], before));
}

/// Delivers in a separate task, and waits until it is done or waits for a lock.
async fn deliver_beside(world: &World, key: &'static str) -> JoinHandle<Outcome> {
    let another = world.clone();
    let delivery = tokio::spawn(async move { another.deliver(key).await });
    let waiting = "select (count(*) > 0)::text from pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())";
    while !delivery.is_finished() && world.value(waiting).await == "false" {
        tokio::task::yield_now().await;
    }
    delivery
}

async fn two_loaders_at_once_end_with_the_newest_version(world: World) {
    world.put_rows(JANUARY, 1, &[(1, 10), (2, 20)]).await;
    let others = world.clone();
    let (sender, receiver) = tokio::sync::oneshot::channel();
    world.bucket.intrude_after_a_read(async move {
        others.put_rows(JANUARY, 2, &[(1, 11)]).await;
        let _ = sender.send(deliver_beside(&others, JANUARY).await);
    });
    world.done(JANUARY).await;
    assert_eq!(receiver.await.unwrap().await.unwrap().unwrap(), Settled::Done);
    assert_eq!(world.candles().await, [(1, 11)]);
    assert_eq!(world.counts(JANUARY).await, (1, 0, 1, 0, 1));
}

async fn loaders_of_two_objects_of_a_series_wait_for_each_other(world: World) {
    world.put_rows(JANUARY, 1, &[(1, 10), (2, 20)]).await;
    let others = world.clone();
    let (sender, receiver) = tokio::sync::oneshot::channel();
    world.bucket.intrude_after_a_read(async move {
        others.put_rows(FEBRUARY, 2, &[(1, 11)]).await;
        let _ = sender.send(deliver_beside(&others, FEBRUARY).await);
    });
    world.done(JANUARY).await;
    receiver.await.unwrap().await.unwrap().unwrap();
    assert_eq!(world.candles().await, [(1, 11), (2, 20)]);
    assert_eq!(world.shadowed().await, [(1, 10, JANUARY.to_owned())]);
}

fn assert_outage(outcome: &Outcome) {
    assert!(matches!(outcome, Err(Setback::Down(_))), "{outcome:?}");
}

/// The working connection is terminated from outside, as by an operator or a failover.
async fn a_database_that_goes_away_is_an_outage(world: World) {
    world.put_rows(JANUARY, 1, &[(1, 10)]).await;
    let others = world.clone();
    world.bucket.intrude_after_a_read(async move {
        let end = "select count(pg_terminate_backend(pid))::text from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()";
        others.value(end).await;
    });
    assert_outage(&world.deliver(JANUARY).await);
    world.done(JANUARY).await;
    assert_eq!(world.candles().await, [(1, 10)]);
}

async fn a_database_that_is_not_there_is_an_outage(world: World) {
    world.put_rows(JANUARY, 1, &[(1, 10)]).await;
    let nowhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let options = world.pool.connect_options().as_ref().clone().port(nowhere.port());
    let pool = PgPoolOptions::new().acquire_timeout(Duration::from_millis(300)).connect_lazy_with(options);
    let away = World { pool, ..world.clone() };
    assert_outage(&away.deliver(JANUARY).await);
    world.pool.close().await;
    assert_outage(&world.deliver(JANUARY).await);
}

/// After a failover, the address may still lead to the former primary, which no longer accepts writes.
async fn a_primary_that_became_a_standby_is_an_outage(world: World) {
    world.put_rows(JANUARY, 1, &[(1, 10)]).await;
    let read_only = "do $$ begin
        execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$";
    world.run(read_only).await;
    assert_outage(&with_connections(&world, 1).await.deliver(JANUARY).await);
}

async fn connections_to_a_former_primary_do_not_last(world: World) {
    let options = world.owner.connect_options().as_ref().clone();
    let pool = postgres::open(options, 1).await.unwrap();
    assert!(pool.options().get_max_lifetime().is_some_and(|longest| longest <= Duration::from_secs(300)));
}

/// The same world with its own pool.
async fn with_connections(world: &World, most: u32) -> World {
    let options = world.pool.connect_options().as_ref().clone();
    let pool = PgPoolOptions::new().max_connections(most).connect_with(options).await.unwrap();
    World { pool, ..world.clone() }
}

/// A lost lease drops the work wherever it is.
async fn a_loader_that_is_given_up_leaves_nothing(world: World) {
    world.put_rows(JANUARY, 1, &[(1, 10)]).await;
    world.bucket.intrude_after_a_read(std::future::pending());
    let given_up = tokio::time::timeout(Duration::from_millis(200), world.deliver(JANUARY)).await;
    assert!(given_up.is_err());
    assert_eq!(world.value("select count(*)::text from objects").await, "0");
    world.done(JANUARY).await;
    assert_eq!(world.candles().await, [(1, 10)]);
}

/// Drops a copy in either direction while the server makes it wait. The next user of the pool's only connection must
/// not read the server's response to that copy.
async fn a_copy_that_is_given_up_leaves_no_connection_behind(world: World) {
    let alone = with_connections(&world, 1).await;
    for second in 1..=3 {
        world.put_rows(JANUARY, second, &[(1, second as u32), (second + 1, 20)]).await;
        give_up_a_copy(&world, &alone).await;
        assert_eq!(alone.deliver(JANUARY).await.unwrap(), Settled::Done);
        assert_eq!(world.candles().await, [(1, second as u32), (second + 1, 20)]);
        assert!(alone.superseded(JANUARY).await.contains("already loaded"));
    }
}

/// Delivers January and drops the delivery as soon as its copy waits for the table, which is unlocked afterwards.
async fn give_up_a_copy(world: &World, alone: &World) {
    let mut holder = world.pool.begin().await.unwrap();
    sqlx::raw_sql("lock table candles in access exclusive mode").execute(&mut *holder).await.unwrap();
    let another = alone.clone();
    let delivery = tokio::spawn(async move { another.deliver(JANUARY).await });
    let waiting = "select (count(*) > 0)::text from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and query like 'copy%'";
    while world.value(waiting).await == "false" {
        tokio::task::yield_now().await;
    }
    delivery.abort();
    assert!(delivery.await.unwrap_err().is_cancelled());
    holder.rollback().await.unwrap();
}

/// The server does not notice that a machine has vanished: it must find the transaction idle.
async fn a_loader_that_vanished_holds_its_lock_for_minutes_at_the_most(world: World) {
    let mut transaction = world.pool.begin().await.unwrap();
    ledger::lock(&mut transaction, &JANUARY.parse().unwrap(), HistoryDays::default()).await.unwrap();
    let limit = sqlx::query_scalar("show idle_in_transaction_session_timeout").fetch_one(&mut *transaction);
    assert_eq!(limit.await.ok(), Some("5min".to_owned()));
}
