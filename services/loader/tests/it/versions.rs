//! One object and its versions.

use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::runtime::outcome::Settled;
use libtest_mimic::Trial;

use crate::support::{FEBRUARY, JANUARY, World};

pub fn trials() -> Vec<Trial> {
    trials![
        rows_equal_the_object_value_for_value,
        an_instrument_without_volume_has_null_and_not_nought,
        loaded_twice_is_one_row_set_and_one_ledger,
        a_new_version_touches_only_rows_that_differ,
        an_object_of_no_candles_empties_its_part,
        the_same_content_written_again_touches_no_row,
        two_objects_of_a_series_side_by_side_leave_each_other_alone
    ]
}

const DAYS: &str = "transformed/interval=1day/symbol=BTC%2FUSD/candles.csv";

const EVERY_KIND: &str = "symbol,interval,time,open,high,low,close,volume,has_volume,is_filled\n\
    BTC/USD,1day,1969-12-31,0.1,123456789012345678901234567890.123456,0.00000001,257.83,0,true,false\n\
    BTC/USD,1day,2024-02-29,257.83,258.7,253.06,255.5900001,42355300.00012,true,false\n\
    BTC/USD,1day,2024-03-01,255.5900001,255.5900001,255.5900001,255.5900001,0,true,true\n";

/// The table in the format of transformed CSV, from PostgreSQL's own text of each value.
const AS_CSV: &str =
    "select string_agg(concat_ws(',', symbol, interval, to_char(time at time zone 'UTC', 'YYYY-MM-DD'),
    open, high, low, close, coalesce(volume, 0), (volume is not null)::text, is_filled::text) || E'\\n', '' order by time) from candles";

async fn rows_equal_the_object_value_for_value(world: World) {
    world.put(DAYS, EVERY_KIND, Metadata::new()).await;
    world.done(DAYS).await;
    let (_, rows) = EVERY_KIND.split_once('\n').unwrap();
    assert_eq!(world.value(AS_CSV).await, rows);
    let ledger = "select concat_ws(' ', symbol, interval, rows_total, first_time at time zone 'UTC',
        last_time at time zone 'UTC', etag is not null) from objects";
    assert_eq!(world.value(ledger).await, "BTC/USD 1day 3 1969-12-31 00:00:00 2024-03-01 00:00:00 t");
}

async fn an_instrument_without_volume_has_null_and_not_nought(world: World) {
    let body = "symbol,interval,time,open,high,low,close,volume,has_volume,is_filled\n\
        BTC/USD,1day,2024-02-29,1,2,1,2,0,false,false\n";
    world.put(DAYS, body, Metadata::new()).await;
    world.done(DAYS).await;
    assert_eq!(world.value("select count(*)::text from candles where volume is null").await, "1");
}

/// The complete objects ledger.
const LEDGER: &str = "select string_agg(objects::text, E'\\n' order by key) from objects";

/// The physical location and the writing transaction of each row: both change when a row is rewritten.
const PLACES: &str = "select string_agg(concat_ws(' ', time, ctid, xmin), E'\\n' order by time) from candles";

async fn loaded_twice_is_one_row_set_and_one_ledger(world: World) {
    world.load_rows(JANUARY, 1, &[(1, 10), (2, 20)]).await;
    let before = (world.value(PLACES).await, world.value(LEDGER).await);
    assert!(world.superseded(JANUARY).await.contains("already loaded"));
    assert_eq!((world.value(PLACES).await, world.value(LEDGER).await), before);
    assert_eq!(world.candles().await, [(1, 10), (2, 20)]);
}

async fn a_new_version_touches_only_rows_that_differ(world: World) {
    world.load_rows(JANUARY, 1, &[(1, 10), (2, 20), (3, 30), (5, 50)]).await;
    assert_eq!(world.counts(JANUARY).await, (4, 4, 0, 0, 0));
    let before = world.value(PLACES).await;
    world.load_rows(JANUARY, 2, &[(1, 10), (2, 21), (4, 40), (5, 50), (6, 60)]).await;
    assert_eq!(world.counts(JANUARY).await, (5, 2, 1, 2, 1));
    assert_eq!(world.candles().await, [(1, 10), (2, 21), (4, 40), (5, 50), (6, 60)]);
    let after = world.value(PLACES).await;
    let kept: Vec<_> = after.lines().filter(|line| before.contains(line)).collect();
    assert_eq!(kept.len(), 2, "only the minutes 1 and 5 lie where they lay:\n{before}\n\n{after}");
}

async fn an_object_of_no_candles_empties_its_part(world: World) {
    world.load_rows(JANUARY, 1, &[(1, 10), (2, 20)]).await;
    world.load_rows(JANUARY, 2, &[]).await;
    assert_eq!((world.candles().await, world.counts(JANUARY).await), (vec![], (0, 0, 0, 0, 2)));
    world.load_rows(JANUARY, 3, &[(1, 10)]).await;
    assert_eq!((world.candles().await, world.counts(JANUARY).await), (vec![(1, 10)], (1, 1, 0, 0, 0)));
}

async fn the_same_content_written_again_touches_no_row(world: World) {
    world.load_rows(JANUARY, 1, &[(1, 10), (2, 20)]).await;
    let before = world.value(PLACES).await;
    world.put_rows(JANUARY, 2, &[(1, 10), (2, 20)]).await;
    world.deliver(JANUARY).await.unwrap();
    assert_eq!(world.value(PLACES).await, before);
}

async fn two_objects_of_a_series_side_by_side_leave_each_other_alone(world: World) {
    world.load_rows(JANUARY, 1, &[(1, 10), (2, 20)]).await;
    world.load_rows(FEBRUARY, 2, &[(3, 30), (4, 40)]).await;
    world.load_rows(JANUARY, 3, &[(1, 11)]).await;
    assert_eq!(world.candles().await, [(1, 11), (3, 30), (4, 40)]);
    world.put_rows(FEBRUARY, 4, &[(4, 41)]).await;
    assert_eq!(world.deliver(FEBRUARY).await.unwrap(), Settled::Done);
    assert_eq!((world.candles().await, world.counts(FEBRUARY).await), (vec![(1, 11), (4, 41)], (1, 0, 1, 0, 1)));
}
