//! What each database role may do: the loader's own tests run as its role (world.rs), and these tests compare all roles
//! with a list.

use std::collections::BTreeMap;

use candlewick_shared::adapters::postgres;
use candlewick_shared::adapters::postgres_users::{GROUPS, ServiceUser, allow_iam, allow_password};
use libtest_mimic::Trial;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Executor, PgPool};

use crate::support::World;

pub fn trials() -> Vec<Trial> {
    trials![
        users_of_iam_have_the_rights_of_their_group,
        each_role_may_do_what_it_needs_with_each_table_and_no_more,
        a_service_logs_in_with_its_password_and_changes_no_schema,
        nobody_but_the_loader_makes_temporary_tables
    ]
}

async fn users_of_iam_have_the_rights_of_their_group(world: World) {
    let users: [ServiceUser; 2] =
        ["iam_writer=loader_service".parse().unwrap(), "iam_reader=bi_readonly".parse().unwrap()];
    let error = format!("{:#}", allow_iam(&world.owner, &users).await.unwrap_err());
    assert!(error.contains("rds_iam"), "{error}");

    sqlx::query("create role rds_iam nologin").execute(&world.owner).await.unwrap();
    allow_iam(&world.owner, &users).await.unwrap();
    allow_iam(&world.owner, &users).await.unwrap();
    assert_eq!(rights(&world.owner, "iam_writer", "candles").await, "rw");
    assert_eq!(rights(&world.owner, "iam_reader", "candles").await, "");
    assert_eq!(rights(&world.owner, "iam_reader", "bi_candles").await, "r");
}

/// The rights of `ingest_service`, `loader_service`, `notifier_service`, `dashboard_readonly` and `bi_readonly`: read
/// (`r`), some kind of write (`w`), or both (`rw`). A migration that creates a table adds it here.
const RIGHTS: [(&str, [&str; 5]); 24] = [
    ("_sqlx_migrations", ["", "", "", "", ""]),
    ("alert_deliveries", ["", "", "rw", "", ""]),
    ("alert_events", ["", "", "rw", "r", ""]),
    ("alerts", ["", "", "rw", "r", ""]),
    ("bi_candles", ["", "", "", "r", "r"]),
    ("bi_candles_as_of", ["", "", "", "r", "r"]),
    ("bi_series", ["", "", "", "r", "r"]),
    ("candle_history", ["", "rw", "", "r", ""]),
    ("candles", ["", "rw", "r", "r", ""]),
    ("credits", ["rw", "", "", "r", ""]),
    ("event_deliveries", ["", "w", "rw", "r", ""]),
    ("event_sinks", ["", "r", "rw", "r", ""]),
    ("history_begins", ["", "rw", "", "r", ""]),
    ("instruments", ["", "rw", "r", "r", ""]),
    ("late_candles", ["", "rw", "", "r", ""]),
    ("loads", ["", "rw", "r", "r", ""]),
    ("lost_candles", ["", "rw", "rw", "r", ""]),
    ("objects", ["r", "rw", "r", "r", ""]),
    ("quality", ["", "rw", "r", "r", ""]),
    ("run_objects", ["rw", "rw", "rw", "r", ""]),
    ("run_progress", ["r", "r", "r", "r", ""]),
    ("run_series", ["rw", "rw", "rw", "r", ""]),
    ("runs", ["rw", "rw", "rw", "r", ""]),
    ("shadowed_candles", ["", "rw", "", "r", ""]),
];

async fn each_role_may_do_what_it_needs_with_each_table_and_no_more(world: World) {
    let tables = "select relname::text from pg_class where relnamespace = 'public'::regnamespace
        and relkind in ('r', 'v', 'm', 'p') order by 1";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&world.owner).await.unwrap();
    let roles: Vec<_> = GROUPS.iter().map(|(_, group)| *group).chain(["bi_readonly"]).collect();
    let mut found = BTreeMap::new();
    for table in tables {
        let mut all = Vec::new();
        for role in &roles {
            all.push(rights(&world.owner, role, &table).await);
        }
        found.insert(table, all);
    }
    let wanted = RIGHTS.map(|(table, rights)| (table.to_owned(), rights.map(str::to_owned).to_vec()));
    assert_eq!(found, BTreeMap::from(wanted));
}

async fn a_service_logs_in_with_its_password_and_changes_no_schema(world: World) {
    let password = "it's a \"password\" \\ $$; drop table candles";
    let user = ServiceUser::of_service("notifier").unwrap();
    allow_password(&world.owner, &user, &"the one before".into()).await.unwrap();
    allow_password(&world.owner, &user, &password.into()).await.unwrap();
    let login = (*world.owner.connect_options()).clone().username(user.name()).password(password);
    let pool = PgPoolOptions::new().max_connections(1).connect_with(login).await.unwrap();
    pool.execute("select count(*) from candles").await.unwrap();
    for refused in [
        "delete from candles",
        "set role none; update candles set close = 1",
        "set role loader_service",
        "create table mine (a int)",
        "create function mine() returns int language sql as 'select 1'",
        "alter table alerts add column mine int",
        "drop table alerts",
        "truncate candles",
        "update _sqlx_migrations set version = 0",
        "insert into objects (key, symbol, interval) values ('k', 's', '1day')",
    ] {
        assert!(pool.execute(refused).await.is_err(), "{refused}");
    }
}

/// Rights on a database are not copied from its template, so this database is migrated itself.
async fn nobody_but_the_loader_makes_temporary_tables(world: World) {
    world.owner.execute("create database unmigrated template template0").await.unwrap();
    let login = (*world.owner.connect_options()).clone().database("unmigrated");
    let fresh = PgPoolOptions::new().max_connections(1).connect_with(login).await.unwrap();
    postgres::migrate(&fresh).await.unwrap();
    for (role, may) in [("loader_service", true), ("ingest_service", false), ("bi_readonly", false)] {
        let query = "select has_database_privilege($1, current_database(), 'temporary')";
        let found: bool = sqlx::query_scalar(query).bind(role).fetch_one(&fresh).await.unwrap();
        assert_eq!(found, may, "{role}");
    }
}

/// Whether a role may read a table, and write to it in any way.
async fn rights(owner: &PgPool, role: &str, table: &str) -> String {
    let query = "select has_table_privilege($1, $2, 'select'),
        has_table_privilege($1, $2, 'insert, update, delete, truncate, references, trigger')";
    let query = sqlx::query_as(query).bind(role).bind(table);
    let (reads, writes): (bool, bool) = query.fetch_one(owner).await.unwrap();
    [(reads, "r"), (writes, "w")].iter().filter(|(may, _)| *may).map(|(_, letter)| *letter).collect()
}
