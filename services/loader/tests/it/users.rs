//! Users that log in with IAM: what they may do, and that making them can be repeated.

use candlewick_shared::adapters::postgres_users::{IamUser, allow};
use libtest_mimic::Trial;
use sqlx::PgPool;

use crate::trial;
use crate::world::World;

pub fn trials() -> Vec<Trial> {
    vec![trial("users_of_iam_may_do_what_their_service_does", users_of_iam_may_do_what_their_service_does)]
}

async fn users_of_iam_may_do_what_their_service_does(world: World) {
    let users: [IamUser; 2] = ["iam_writer".parse().unwrap(), "iam_reader=bi_readonly".parse().unwrap()];
    let error = format!("{:#}", allow(&world.pool, &users).await.unwrap_err());
    assert!(error.contains("rds_iam"), "a server that is none of RDS is refused with a word on it: {error}");

    sqlx::query("create role rds_iam nologin").execute(&world.pool).await.unwrap();
    allow(&world.pool, &users).await.unwrap();
    allow(&world.pool, &users).await.unwrap();
    assert_eq!(privileges(&world.pool, "iam_writer", "candles").await, (true, true));
    assert_eq!(privileges(&world.pool, "iam_reader", "candles").await, (false, false));
    assert_eq!(privileges(&world.pool, "iam_reader", "bi_candles").await, (true, false));
}

/// Whether a user may read a table, and write to it.
async fn privileges(pool: &PgPool, user: &str, table: &str) -> (bool, bool) {
    let query = "select has_table_privilege($1, $2, 'select'), has_table_privilege($1, $2, 'insert, update, delete')";
    sqlx::query_as(query).bind(user).bind(table).fetch_one(pool).await.unwrap()
}
