//! What goes wrong around the loader: rows and ledger stand or fall together, and an outage is nobody's fault.

use std::time::Duration;

use candlewick_shared::runtime::outcome::{Outcome, Setback, Settled};
use libtest_mimic::Trial;
use sqlx::postgres::PgPoolOptions;
use tokio::task::JoinHandle;

use crate::trial;
use crate::world::{FEBRUARY, JANUARY, World};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("the_ledger_commits_with_the_rows", the_ledger_commits_with_the_rows),
        trial("a_version_that_cannot_commit_leaves_the_older_one_whole", a_version_that_cannot_commit),
        trial("two_loaders_at_once_end_with_the_newest_version", two_loaders_at_once),
        trial("loaders_of_two_objects_of_a_series_wait_for_each_other", loaders_of_two_objects),
        trial("a_database_that_goes_away_is_an_outage", a_database_that_goes_away_is_an_outage),
        trial("a_database_that_is_not_there_is_an_outage", a_database_that_is_not_there_is_an_outage),
        trial("a_loader_that_is_given_up_leaves_nothing", a_loader_that_is_given_up_leaves_nothing),
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
    let Err(Setback::Retry(error)) = outcome else { panic!("no retry: {outcome:?}") };
    assert!(format!("{error:#}").contains("no commit today"), "{error:#}");
    assert_eq!(world.candles().await, []);
    assert_eq!(world.value("select count(*)::text from objects").await, "0");
    world.run("drop trigger refusal on objects").await;
    world.done(JANUARY).await;
    assert_eq!(world.candles().await, [(1, 10)]);
}

async fn a_version_that_cannot_commit(world: World) {
    world.load_rows(JANUARY, 1, &[(1, 10), (2, 20)]).await;
    let ledger = "select objects::text from objects";
    let before = world.value(ledger).await;
    world.run(REFUSE).await;
    world.put_rows(JANUARY, 2, &[(2, 21), (3, 30)]).await;
    assert!(world.deliver(JANUARY).await.is_err());
    assert_eq!((world.candles().await, world.value(ledger).await), (vec![(1, 10), (2, 20)], before));
}

/// Delivers on a task of its own, and waits until that is done or waits for a lock.
async fn deliver_beside(world: &World, key: &'static str) -> JoinHandle<Outcome> {
    let beside = world.clone();
    let delivery = tokio::spawn(async move { beside.deliver(key).await });
    let waiting = "select (count(*) > 0)::text from pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())";
    while !delivery.is_finished() && world.value(waiting).await == "false" {
        tokio::task::yield_now().await;
    }
    delivery
}

async fn two_loaders_at_once(world: World) {
    world.put_rows(JANUARY, 1, &[(1, 10), (2, 20)]).await;
    let (others, (sender, receiver)) = (world.clone(), tokio::sync::oneshot::channel());
    world.bucket.intrude_after_a_read(async move {
        others.put_rows(JANUARY, 2, &[(1, 11)]).await;
        let _ = sender.send(deliver_beside(&others, JANUARY).await);
    });
    world.done(JANUARY).await;
    assert_eq!(receiver.await.unwrap().await.unwrap().unwrap(), Settled::Done);
    assert_eq!(world.candles().await, [(1, 11)]);
    assert_eq!(world.counts(JANUARY).await, (1, 0, 1, 0, 1));
}

async fn loaders_of_two_objects(world: World) {
    world.put_rows(JANUARY, 1, &[(1, 10), (2, 20)]).await;
    let (others, (sender, receiver)) = (world.clone(), tokio::sync::oneshot::channel());
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

/// The connection that works is ended from outside, as an operator or a failover ends it.
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

/// A lost lease drops the work where it stands.
async fn a_loader_that_is_given_up_leaves_nothing(world: World) {
    world.put_rows(JANUARY, 1, &[(1, 10)]).await;
    world.bucket.intrude_after_a_read(std::future::pending());
    let given_up = tokio::time::timeout(Duration::from_millis(200), world.deliver(JANUARY)).await;
    assert!(given_up.is_err());
    assert_eq!(world.value("select count(*)::text from objects").await, "0");
    world.done(JANUARY).await;
    assert_eq!(world.candles().await, [(1, 10)]);
}
