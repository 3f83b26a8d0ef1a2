//! Objects of one series that claim the same candle: the newest real one has it.

use libtest_mimic::Trial;

use crate::support::{FEBRUARY, FILLED, JANUARY, MARCH, World};

pub fn trials() -> Vec<Trial> {
    trials![
        the_newer_object_wins_in_either_order,
        in_the_same_second_the_larger_key_is_the_newer,
        what_a_newer_object_gives_up_the_older_one_has,
        claims_wait_three_deep,
        an_older_object_loaded_again_does_not_steal,
        the_same_content_written_again_makes_an_object_the_newest,
        an_object_that_grows_older_gives_way,
        an_object_between_two_others_takes_what_it_may,
        a_filled_candle_of_a_newer_object_replaces_no_real_one
    ]
}

fn owned(rows: &[(i64, u32, &str)]) -> Vec<(i64, u32, String)> {
    rows.iter().map(|(minute, close, key)| (*minute, *close, (*key).to_owned())).collect()
}

async fn the_newer_object_wins_in_either_order(world: World) {
    world.put_rows(JANUARY, 1, &[(1, 10), (2, 20), (3, 30)]).await;
    world.put_rows(FEBRUARY, 2, &[(2, 21), (3, 31), (4, 41)]).await;
    let expected = owned(&[(1, 10, JANUARY), (2, 21, FEBRUARY), (3, 31, FEBRUARY), (4, 41, FEBRUARY)]);
    for order in [[JANUARY, FEBRUARY], [FEBRUARY, JANUARY]] {
        world.empty().await;
        for key in order {
            world.done(key).await;
        }
        assert_eq!(world.table().await, expected, "{order:?}");
        assert_eq!(world.shadowed().await, owned(&[(2, 20, JANUARY), (3, 30, JANUARY)]), "{order:?}");
    }
}

async fn in_the_same_second_the_larger_key_is_the_newer(world: World) {
    for order in [[JANUARY, FEBRUARY], [FEBRUARY, JANUARY]] {
        world.empty().await;
        for key in order {
            world.load_rows(key, 1, &[(1, if key == FEBRUARY { 11 } else { 10 })]).await;
        }
        assert_eq!(world.candles().await, [(1, 11)], "{order:?}");
    }
}

async fn what_a_newer_object_gives_up_the_older_one_has(world: World) {
    world.load_rows(JANUARY, 1, &[(1, 10), (2, 20)]).await;
    world.load_rows(FEBRUARY, 2, &[(1, 11), (2, 21)]).await;
    world.load_rows(FEBRUARY, 3, &[(2, 22)]).await;
    assert_eq!(world.table().await, owned(&[(1, 10, JANUARY), (2, 22, FEBRUARY)]));
    assert_eq!(world.counts(FEBRUARY).await, (1, 0, 1, 0, 1));
    world.load_rows(FEBRUARY, 4, &[]).await;
    assert_eq!(world.table().await, owned(&[(1, 10, JANUARY), (2, 20, JANUARY)]));
    assert_eq!(world.shadowed().await, []);
}

async fn claims_wait_three_deep(world: World) {
    world.load_rows(FEBRUARY, 2, &[(1, 12)]).await;
    world.load_rows(JANUARY, 1, &[(1, 11)]).await;
    world.load_rows(MARCH, 3, &[(1, 13)]).await;
    assert_eq!(world.table().await, owned(&[(1, 13, MARCH)]));
    assert_eq!(world.shadowed().await, owned(&[(1, 11, JANUARY), (1, 12, FEBRUARY)]));
    world.load_rows(MARCH, 4, &[]).await;
    assert_eq!(world.table().await, owned(&[(1, 12, FEBRUARY)]));
    world.load_rows(FEBRUARY, 5, &[]).await;
    assert_eq!(world.table().await, owned(&[(1, 11, JANUARY)]));
    world.load_rows(JANUARY, 6, &[]).await;
    assert_eq!((world.table().await, world.shadowed().await), (vec![], vec![]));
}

async fn an_older_object_loaded_again_does_not_steal(world: World) {
    world.load_rows(JANUARY, 1, &[(1, 10), (2, 20)]).await;
    world.load_rows(FEBRUARY, 3, &[(1, 11)]).await;
    world.superseded(JANUARY).await;
    assert_eq!(world.candles().await, [(1, 11), (2, 20)]);
    world.load_rows(JANUARY, 2, &[(1, 12), (2, 22)]).await;
    assert_eq!(world.candles().await, [(1, 11), (2, 22)]);
    assert_eq!(world.shadowed().await, owned(&[(1, 12, JANUARY)]));
    assert_eq!(world.counts(JANUARY).await, (2, 0, 1, 1, 0));
}

async fn the_same_content_written_again_makes_an_object_the_newest(world: World) {
    world.load_rows(JANUARY, 1, &[(1, 10)]).await;
    world.load_rows(FEBRUARY, 2, &[(1, 11)]).await;
    world.put_rows(JANUARY, 3, &[(1, 10)]).await;
    world.deliver(JANUARY).await.unwrap();
    assert_eq!(world.table().await, owned(&[(1, 10, JANUARY)]));
    assert_eq!(world.shadowed().await, owned(&[(1, 11, FEBRUARY)]));
}

async fn an_object_that_grows_older_gives_way(world: World) {
    world.load_rows(JANUARY, 5, &[(1, 10), (2, 20)]).await;
    world.load_rows(FEBRUARY, 2, &[(1, 11)]).await;
    assert_eq!(world.candles().await, [(1, 10), (2, 20)]);
    world.put_rows(JANUARY, 1, &[(1, 10), (2, 21)]).await;
    world.deliver(JANUARY).await.unwrap();
    assert_eq!(world.table().await, owned(&[(1, 11, FEBRUARY), (2, 21, JANUARY)]));
    assert_eq!(world.shadowed().await, owned(&[(1, 10, JANUARY)]));
}

async fn an_object_between_two_others_takes_what_it_may(world: World) {
    world.load_rows(JANUARY, 1, &[(1, 11), (2, 12)]).await;
    world.load_rows(MARCH, 3, &[(2, 32), (3, 33)]).await;
    world.load_rows(FEBRUARY, 2, &[(1, 21), (2, 22), (3, 23)]).await;
    assert_eq!(world.table().await, owned(&[(1, 21, FEBRUARY), (2, 32, MARCH), (3, 33, MARCH)]));
    assert_eq!(world.counts(FEBRUARY).await, (3, 1, 0, 2, 0));
    world.load_rows(MARCH, 4, &[]).await;
    assert_eq!(world.table().await, owned(&[(1, 21, FEBRUARY), (2, 22, FEBRUARY), (3, 23, FEBRUARY)]));
}

async fn a_filled_candle_of_a_newer_object_replaces_no_real_one(world: World) {
    let filled = FILLED + 2;
    for order in [[JANUARY, FEBRUARY], [FEBRUARY, JANUARY]] {
        world.empty().await;
        world.put_rows(JANUARY, 1, &[(1, 10), (2, 20), (3, 30)]).await;
        world.put_rows(FEBRUARY, 2, &[(1, 11), (2, filled), (3, 31)]).await;
        for key in order {
            world.done(key).await;
        }
        assert_eq!(world.table().await, owned(&[(1, 11, FEBRUARY), (2, 20, JANUARY), (3, 31, FEBRUARY)]), "{order:?}");
        let shadowed = [(1, 10, JANUARY), (2, filled, FEBRUARY), (3, 30, JANUARY)];
        assert_eq!(world.shadowed().await, owned(&shadowed), "{order:?}");
    }
    // What is the older object's own becomes the newer one's where it is filled in both.
    world.load_rows(JANUARY, 3, &[(1, 10), (2, FILLED)]).await;
    let expected = [(1, 10, JANUARY), (2, FILLED, JANUARY), (3, 31, FEBRUARY)];
    assert_eq!(world.table().await, owned(&expected));
    world.load_rows(FEBRUARY, 4, &[(1, filled), (2, 21)]).await;
    assert_eq!(world.table().await, owned(&[(1, 10, JANUARY), (2, 21, FEBRUARY)]));
    world.load_rows(JANUARY, 5, &[]).await;
    assert_eq!(world.table().await, owned(&[(1, filled, FEBRUARY), (2, 21, FEBRUARY)]));
}
