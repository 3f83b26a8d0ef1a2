//! Tests each row of the table of `core::blame` for PostgreSQL, with the errors of a real server.

use std::time::Duration;

use candlewick_shared::adapters::database::{DatabaseError, DbContext};
use candlewick_shared::core::blame::Blame::{self, Dependency, Evidence, Message, Try};
use libtest_mimic::Trial;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::World;

pub fn trials() -> Vec<Trial> {
    trials![
        every_row_for_postgres_has_a_test,
        each_error_of_a_statement_is_whose_failure_the_table_says,
        each_error_of_a_login_is_an_outage,
        a_table_that_somebody_holds_is_an_outage,
        an_error_is_one_sentence_without_lines_of_the_servers_source
    ]
}

/// Statements that provoke an error, with the expected code and blame.
const STATEMENTS: [(&str, &str, Blame); 14] = [
    ("select * from absent", "42P01", Dependency),
    ("select absent from objects", "42703", Dependency),
    ("select absent()", "42883", Dependency),
    ("select null::absent", "42704", Dependency),
    ("create table absent.t ()", "3F000", Dependency),
    ("set role bi_readonly; select * from objects", "42501", Dependency),
    ("begin read only; create table t ()", "25006", Dependency),
    ("set statement_timeout = 1; select pg_sleep(10)", "57014", Evidence("statement_timeout")),
    ("select 1 / 0", "22012", Message("refused_by_database")),
    ("select 99999999999::int", "22003", Message("refused_by_database")),
    ("insert into objects default values", "23502", Try),
    ("selec", "42601", Evidence("gave_up")),
    ("do $$ begin raise 'of its own'; end $$", "P0001", Evidence("gave_up")),
    ("select lo_get(1)", "42704", Dependency),
];

/// Errors that cannot be provoked on a shared server are raised by name.
const RAISED: [(&str, Blame); 16] = [
    ("08000", Dependency),
    ("08006", Dependency),
    ("25P03", Dependency),
    ("28000", Dependency),
    ("3D000", Dependency),
    ("40001", Try),
    ("40P01", Try),
    ("53100", Dependency),
    ("53200", Dependency),
    ("53300", Dependency),
    ("55000", Dependency),
    ("55006", Dependency),
    ("57P01", Dependency),
    ("57P03", Dependency),
    ("58030", Dependency),
    ("XX000", Evidence("gave_up")),
];

async fn every_row_for_postgres_has_a_test(_: World) {
    let code = include_str!("../../../../shared/src/core/blame.rs");
    let table = code.split("const POSTGRES: ").nth(1).and_then(|rest| rest.split("];").next()).unwrap();
    let rows = table.lines().filter_map(|line| line.trim().strip_prefix("(\"")?.split('"').next());
    let rows: Vec<_> = rows.map(|code| code.trim_end_matches('*')).collect();
    assert!(rows.len() > 20, "the table was not read: {rows:?}");
    let tested = || STATEMENTS.iter().map(|(_, code, _)| *code).chain(RAISED.map(|(code, _)| code)).chain(["55P03"]);
    let untested: Vec<_> = rows.into_iter().filter(|row| !tested().any(|code| code.starts_with(row))).collect();
    assert_eq!(untested, Vec::<&str>::new());
}

async fn error_of(connection: &mut PgConnection, sql: &str) -> DatabaseError {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.db_context("try").unwrap_err()
}

async fn each_error_of_a_statement_is_whose_failure_the_table_says(world: World) {
    let raised = RAISED.map(|(code, blame)| (format!("do $$ begin raise sqlstate '{code}'; end $$"), code, blame));
    let statements = STATEMENTS.map(|(sql, code, blame)| (sql.to_owned(), code, blame));
    for (sql, code, blame) in statements.into_iter().chain(raised) {
        let mut connection = PgConnection::connect_with(&world.pool.connect_options()).await.unwrap();
        let error = error_of(&mut connection, &sql).await;
        assert!(error.to_string().contains(code), "{sql}: {error}");
        assert_eq!(error.blame(), blame, "{sql}: {error}");
    }
}

async fn each_error_of_a_login_is_an_outage(world: World) {
    let name = world.value("select current_database()").await;
    world.run("drop role if exists nobody_logs_in; create role nobody_logs_in nologin password 'x'").await;
    let right = (*world.owner.connect_options()).clone();
    let wrong = [
        (right.clone().database("absent"), "3D000"),
        (right.clone().username("nobody_logs_in").password("x"), "28000"),
        (right.clone().username("nobody_at_all").password("x"), "28"),
    ];
    for (options, code) in wrong {
        let error = PgConnection::connect_with(&options).await.db_context("connect").map(drop).unwrap_err();
        assert!(error.to_string().contains(code), "{error}");
        assert_eq!(error.blame(), Dependency, "{error}");
    }
    let mut other = PgConnection::connect_with(&right.clone().database("postgres")).await.unwrap();
    let closed = format!("alter database \"{name}\" allow_connections false");
    sqlx::raw_sql(AssertSqlSafe(closed)).execute(&mut other).await.unwrap();
    let error = PgConnection::connect_with(&right).await.db_context("connect").map(drop).unwrap_err();
    assert!(error.to_string().contains("55000") && error.blame() == Dependency, "{error}");
}

async fn a_table_that_somebody_holds_is_an_outage(world: World) {
    let mut holder = world.pool.acquire().await.unwrap();
    sqlx::raw_sql("begin; lock table candles").execute(&mut *holder).await.unwrap();
    let mut waiting = world.pool.acquire().await.unwrap();
    let error = error_of(&mut waiting, "set lock_timeout = 1; select count(*) from candles").await;
    assert!(error.to_string().contains("55P03") && error.blame() == Dependency, "{error}");
    drop(holder);
    tokio::time::timeout(Duration::from_secs(20), world.value("select count(*)::text from objects")).await.unwrap();
}

async fn an_error_is_one_sentence_without_lines_of_the_servers_source(world: World) {
    let mut connection = world.pool.acquire().await.unwrap();
    let error = anyhow::Error::from(error_of(&mut connection, "select * from absent").await);
    let words = format!("{error:#}");
    assert_eq!(words, "try: relation \"absent\" does not exist (SQLSTATE 42P01)");
}
