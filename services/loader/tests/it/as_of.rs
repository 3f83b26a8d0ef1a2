//! A series can be read as it was at a past moment, whatever was loaded since.

use candlewick_loader::ledger::HistoryDays;
use candlewick_shared::runtime::outcome::Settled;
use candlewick_test_support::bucket;
use jiff::{Timestamp, ToSpan};
use libtest_mimic::Trial;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::support::{FEBRUARY, FILLED, JANUARY, Rows, World};

/// The number of seeds; `CANDLEWICK_SEED` sets the first.
const SEEDS: u64 = 150;

/// The number of loads per seed.
const LOADS: i64 = 12;

pub fn trials() -> Vec<Trial> {
    trials![
        a_moment_reads_the_same_after_any_later_load,
        a_candle_that_goes_from_one_object_to_another_is_no_change,
        an_appended_candle_keeps_no_old_values,
        a_load_that_did_not_commit_leaves_no_history,
        a_moment_whose_history_is_forgotten_is_refused,
        a_reader_of_views_sees_the_moment_of_its_session
    ]
}

/// The moment of the n-th load.
fn moment(load: i64) -> Timestamp {
    "2024-12-01T00:00:00Z".parse::<Timestamp>().unwrap() + load.minutes()
}

const CANDLES: &str = "select coalesce(string_agg(concat_ws(' ', time, open, high, low, close, volume, is_filled), ', '
    order by time), '') from ";

/// The candles of a series, now or as of a moment, as text.
async fn text(world: &World, symbol: &str, as_of: Option<Timestamp>) -> String {
    let from = match as_of {
        Some(moment) => format!("candles_as_of('{symbol}', '1min', '{moment}')"),
        None => format!("candles where symbol = '{symbol}'"),
    };
    let sql = format!("{CANDLES} {from}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&world.owner).await.unwrap()
}

async fn load(world: &World, key: &str, written: i64, rows: Rows<'_>, number: i64) {
    world.put_rows(key, written, rows).await;
    world.loader_at(moment(number)).handle(bucket::created(key)).await.unwrap();
}

async fn a_moment_reads_the_same_after_any_later_load(world: World) {
    let first = std::env::var("CANDLEWICK_SEED").map_or(0, |seed| seed.parse().unwrap());
    for seed in first..first + SEEDS {
        let mut dice = StdRng::seed_from_u64(seed);
        let symbol = format!("S{seed}");
        let mut moments = Vec::new();
        for number in 1..=LOADS {
            let (key, rows) = random_object(&mut dice, &symbol);
            load(&world, &key, dice.random_range(1..5), &rows, number).await;
            moments.push((moment(number) + 30.seconds(), text(&world, &symbol, None).await));
            for (moment, expected) in &moments {
                let found = text(&world, &symbol, Some(*moment)).await;
                assert_eq!(found, *expected, "seed {seed}: as of {moment}, after load {number}");
            }
        }
        assert_eq!(text(&world, &symbol, Some(moment(0))).await, "", "seed {seed}: before the first load");
    }
}

/// A version of one of three objects that overlap, or of a fourth that overlaps no other.
fn random_object(dice: &mut StdRng, symbol: &str) -> (String, Vec<(i64, u32)>) {
    let month = dice.random_range(1..=4);
    let start = if month == 4 { 100 } else { 0 };
    let minutes: Vec<i64> = (start..start + 7).filter(|_| dice.random_bool(0.5)).collect();
    let mut close = || dice.random_range(1..4) + if dice.random_bool(0.3) { FILLED } else { 0 };
    let rows = minutes.into_iter().map(|minute| (minute, close())).collect();
    (format!("transformed/interval=1min/symbol={symbol}/2024-0{month}.csv"), rows)
}

async fn a_candle_that_goes_from_one_object_to_another_is_no_change(world: World) {
    load(&world, JANUARY, 1, &[(1, 5), (2, 6)], 1).await;
    load(&world, FEBRUARY, 2, &[(1, 5), (2, 7)], 2).await;
    assert_eq!(world.value("select count(*)::text from candle_history").await, "1");
    let found = text(&world, "AAPL", Some(moment(1))).await;
    assert!(found.contains("00:01:00+00 5 5 5 5 5 f") && found.contains("00:02:00+00 6 6 6 6 6 f"), "{found}");
}

async fn an_appended_candle_keeps_no_old_values(world: World) {
    load(&world, JANUARY, 1, &[(1, 5)], 1).await;
    load(&world, JANUARY, 2, &[(1, 5), (2, 6)], 2).await;
    load(&world, FEBRUARY, 3, &[(3, 7)], 3).await;
    let kept = "select (select count(*) from candle_history) || ' ' || (select count(*) from late_candles)";
    assert_eq!(world.value(kept).await, "0 0");
    assert!(!text(&world, "AAPL", Some(moment(1))).await.contains("00:02:00"));
}

async fn a_load_that_did_not_commit_leaves_no_history(world: World) {
    load(&world, JANUARY, 1, &[(1, 5)], 1).await;
    let mut transaction = world.owner.begin().await.unwrap();
    sqlx::query("update candles set close = 9").execute(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(world.value("select count(*)::text from candle_history").await, "0");
}

async fn a_moment_whose_history_is_forgotten_is_refused(world: World) {
    load(&world, JANUARY, 1, &[(1, 5)], 1).await;
    load(&world, JANUARY, 2, &[(1, 6)], 2).await;
    let later = moment(2) + (24 * 40).hours();
    world.put_rows(JANUARY, 3, &[(1, 7)]).await;
    let loader = world.loader_at(later).keeping_history(HistoryDays(30));
    assert_eq!(loader.handle(bucket::created(JANUARY)).await.unwrap(), Settled::Done);
    assert_eq!(world.value("select count(*)::text from candle_history").await, "1", "only what this load changed");
    let ask = format!("select count(*) from candles_as_of('AAPL', '1min', '{}')", moment(2));
    let refused = sqlx::query(sqlx::AssertSqlSafe(ask)).fetch_one(&world.owner).await.unwrap_err().to_string();
    assert!(refused.contains("the history of AAPL 1min begins at"), "{refused}");
    let found = text(&world, "AAPL", Some(later - 24.hours())).await;
    assert!(found.contains(" 6 6 6 6 6 f"), "{found}");
}

async fn a_reader_of_views_sees_the_moment_of_its_session(world: World) {
    load(&world, JANUARY, 1, &[(1, 5)], 1).await;
    load(&world, JANUARY, 2, &[(1, 6), (2, 6)], 2).await;
    let mut reader = world.owner.acquire().await.unwrap();
    sqlx::raw_sql("set role bi_readonly").execute(&mut *reader).await.unwrap();
    let ask = "select string_agg(close::text, ',' order by time) from bi_candles_as_of where symbol = 'AAPL'";
    let refused = sqlx::query_scalar::<_, String>(ask).fetch_one(&mut *reader).await.unwrap_err().to_string();
    assert!(refused.contains("no moment is given"), "{refused}");
    for (number, expected) in [(1, "5"), (2, "6,6")] {
        let set = format!("set candlewick.as_of = '{}'", moment(number));
        sqlx::raw_sql(sqlx::AssertSqlSafe(set)).execute(&mut *reader).await.unwrap();
        assert_eq!(sqlx::query_scalar::<_, String>(ask).fetch_one(&mut *reader).await.unwrap(), expected);
    }
    sqlx::raw_sql("reset role").execute(&mut *reader).await.unwrap();
}
