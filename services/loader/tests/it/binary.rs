//! Compares binary rows with PostgreSQL's own text: values that are encoded here are decoded there unchanged, and the
//! other way round.

use candlewick_loader::binary::{self, COLUMNS, Frame};
use candlewick_loader::copy;
use candlewick_shared::core::candle::{Candle, CandleTime};
use candlewick_shared::core::decimal::Decimal;
use candlewick_shared::core::interval::Interval;
use libtest_mimic::Trial;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sqlx::Connection;
use tokio::runtime::Handle;

use crate::support::World;

pub fn trials() -> Vec<Trial> {
    trials![
        every_number_is_the_same_in_postgresql,
        a_time_is_the_same_in_postgresql,
        what_postgresql_sends_back_is_no_difference
    ]
}

/// Numbers of every length, with the decimal point in every position, including the boundaries of groups of four
/// digits.
fn decimal() -> impl Strategy<Value = Decimal> {
    let text = ("-?[0-9]{1,36}", 0..=36_i16).prop_map(|(digits, scale)| format!("{digits}e-{scale}"));
    let round = (1..10_000_i64, -12..12_i16).prop_map(|(digits, power)| format!("{digits}e{power}"));
    let parsed = |text: String| text.parse().ok();
    prop_oneof![text, round, Just("0".to_owned())].prop_filter_map("a decimal has at most 36 digits", parsed)
}

fn candle(at: usize, [open, high, low, close]: [Decimal; 4], volume: Option<Decimal>, is_filled: bool) -> Candle {
    Candle { time: CandleTime::from_seconds(at as i64 * 60), open, high, low, close, volume, is_filled }
}

fn candles() -> impl Strategy<Value = Vec<Candle>> {
    let parts = ([decimal(), decimal(), decimal(), decimal()], proptest::option::of(decimal()), any::<bool>());
    vec(parts, 0..40).prop_map(|all| {
        let parts = all.into_iter().enumerate();
        parts.map(|(at, (prices, volume, is_filled))| candle(at, prices, volume, is_filled)).collect()
    })
}

/// Tests a property with many inputs, from within a runtime.
fn tried<T: std::fmt::Debug>(inputs: impl Strategy<Value = T>, promise: impl AsyncFn(T)) {
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let held = |input| {
        tokio::task::block_in_place(|| Handle::current().block_on(promise(input)));
        Ok(())
    };
    TestRunner::new(config).run(&inputs, held).unwrap_or_else(|error| panic!("{error}"));
}

/// PostgreSQL's text of these candles after reading them in binary form.
async fn as_text(world: &World, candles: &[Candle]) -> Vec<String> {
    let mut connection = world.pool.acquire().await.unwrap();
    let mut transaction = connection.begin().await.unwrap();
    let create =
        "create temporary table rows (time timestamptz, open numeric, high numeric, low numeric, close numeric,
        volume numeric, is_filled boolean) on commit drop";
    sqlx::query(create).execute(&mut *transaction).await.unwrap();
    copy::candles_in(&mut transaction, "rows", &Frame::default(), candles).await.unwrap();
    let text =
        "select concat_ws(' ', extract(epoch from time)::bigint, open, high, low, close, coalesce(volume::text, '-'),
        is_filled::text) from rows order by time";
    sqlx::query_scalar(text).fetch_all(&mut *transaction).await.unwrap()
}

fn expected(candle: &Candle) -> String {
    let Candle { time, open, high, low, close, volume, is_filled } = candle;
    let volume = volume.map_or_else(|| "-".to_owned(), |volume| volume.to_string());
    format!("{} {open} {high} {low} {close} {volume} {is_filled}", time.seconds())
}

async fn every_number_is_the_same_in_postgresql(world: World) {
    let world = &world;
    tried(candles(), async |candles: Vec<Candle>| {
        let expected: Vec<_> = candles.iter().map(expected).collect();
        assert_eq!(as_text(world, &candles).await, expected);
    });
}

async fn a_time_is_the_same_in_postgresql(world: World) {
    let zero = Decimal::ZERO;
    for text in [
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00Z",
        "1999-12-31T23:59:00Z",
        "2000-01-01T00:00:00Z",
        "9998-12-31T00:00:00Z",
    ] {
        let time = CandleTime::parse(text, Interval::Min1, &jiff::tz::TimeZone::UTC).unwrap();
        let candle = Candle { time, ..candle(0, [zero; 4], None, false) };
        assert_eq!(as_text(&world, &[candle]).await, [expected(&candle)], "{text}");
        assert_eq!(binary::candle_time(binary::microseconds(time)), time);
    }
}

async fn what_postgresql_sends_back_is_no_difference(world: World) {
    world.run("insert into objects (key, symbol, interval) values ('a', 'A''B\\', '1min')").await;
    let object: i64 = sqlx::query_scalar("select id from objects").fetch_one(&world.pool).await.unwrap();
    let world = &world;
    tried(candles(), async |candles: Vec<Candle>| {
        let mut connection = world.pool.acquire().await.unwrap();
        world.run("delete from candles").await;
        let frame = Frame::default().text_before("A'B\\").text_before("1min").bigint_after(object);
        let table = format!("candles (symbol, interval, {COLUMNS}, object_id)");
        copy::candles_in(&mut connection, &table, &frame, &candles).await.unwrap();
        let same = copy::difference(&mut connection, object, &candles).await.unwrap();
        assert_eq!((same.rows.len(), same.removed.len(), same.unchanged), (0, 0, candles.len() as i64));
        let none = copy::difference(&mut connection, object, &[]).await.unwrap();
        assert_eq!((none.rows.len(), none.removed.len(), none.unchanged), (0, candles.len(), 0));
    });
}
