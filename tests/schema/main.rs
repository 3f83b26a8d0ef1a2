//! Every SQL statement of the programs against the schema that the migrations make.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod statements;

use std::process::ExitCode;

use candlewick_test_support::{run, server, trial};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

use crate::statements::{Source, Statement};

fn main() -> ExitCode {
    run(vec![
        trial("every_statement_fits_the_schema", every_statement_fits_the_schema),
        trial("a_wrong_column_is_found_in_each_form_of_a_statement", a_wrong_column_is_found),
        trial("a_statement_that_the_scan_cannot_read_is_found", an_unreadable_statement_is_found),
    ])
}

/// Where the programs' code is.
const FOLDERS: [&str; 4] = ["shared/src", "services", "cli/src", "localstack/src"];

/// The beginnings of statements that cannot be prepared as they are, and the tests that execute them.
const EXECUTED: [(&str, &str); 1] =
    [("update objects set error = null, error_line = null, error_column = null, ", "services/loader/tests/it")];

/// What takes the place of a placeholder. The dashboard's tests execute these statements with real columns.
const PLACEHOLDERS: [(&str, &str); 3] = [("{COLUMNS}", "null, null"), ("{CANDLES}", "candles"), ("{ORDER}", "asc")];

async fn every_statement_fits_the_schema() {
    let sources: Vec<_> = FOLDERS.into_iter().flat_map(Source::below).collect();
    let statements = statements::of(&sources).unwrap();
    let (executed, prepared): (Vec<_>, Vec<_>) = statements.into_iter().partition(is_executed);
    assert_eq!(executed.len(), EXECUTED.len(), "EXECUTED names a statement that is gone: {executed:?}");
    assert!(prepared.len() > 60, "only {} statements were found", prepared.len());
    let problems = problems(&prepared).await;
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn is_executed(statement: &Statement) -> bool {
    EXECUTED.iter().any(|(beginning, _)| statement.text.starts_with(beginning))
}

/// Prepares each statement and returns what the server says about those that it rejects.
async fn problems(statements: &[Statement]) -> Vec<String> {
    let options: PgConnectOptions = server::new_database().await;
    let mut database = options.connect().await.unwrap();
    for statement in statements.iter().filter(|statement| statement.makes_temporary_table()) {
        // Without a transaction, a table that is dropped at its end would be gone at once.
        execute(&mut database, statement.text.replace(" on commit drop", "")).await.unwrap();
    }
    let mut problems = Vec::new();
    for Statement { place, text } in statements.iter().filter(|statement| !statement.makes_temporary_table()) {
        let text = PLACEHOLDERS.iter().fold(text.clone(), |text, (name, value)| text.replace(name, value));
        if let Err(error) = execute(&mut database, format!("prepare statement as {text}")).await {
            problems.push(format!("{place}: {error}\n{text}\n"));
        } else {
            execute(&mut database, "deallocate statement".to_owned()).await.unwrap();
        }
    }
    problems
}

async fn execute(database: &mut PgConnection, sql: String) -> sqlx::Result<()> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(database).await.map(|_| ())
}

fn source(text: &str) -> Vec<Source> {
    vec![Source { place: "a.rs".to_owned(), text: text.to_owned() }]
}

async fn a_wrong_column_is_found() {
    let forms = [
        r#"const A: &str = "select open, no_such_column from candles";"#,
        r#"fn a() { query("select no_such_column from candles").run() }"#,
        r#"fn a() { let sql = "update objects set no_such_column = $1 where id = $2"; }"#,
        r#"fn a() { for sql in ["delete from loads where no_such_column = $1"] {} }"#,
        r#"const A: &str = concat!("select ", "no_such_column from candles");"#,
        r#"macro_rules! rows { ($rest:literal) => { concat!("select open from candles ", $rest) }; }
           const A: &str = rows!("where no_such_column = $1");"#,
        r#"macro_rules! condition { () => { "no_such_column = 1" }; }
           fn a() { run(concat!("select open from candles where ", condition!())) }"#,
        r#"const A: &str = "with x as (select time from candles) select no_such_column from x";"#,
        r#"const A: &str = "insert into loads (no_such_column) values ($1)";"#,
    ];
    for form in forms {
        let statements = statements::of(&source(form)).unwrap();
        assert_eq!(statements.len(), 1, "{form}: {statements:?}");
        let problems = problems(&statements).await;
        assert!(problems.len() == 1 && problems[0].contains("no_such_column"), "{form}: {problems:?}");
    }
    let right = r#"const A: &str = "select open from candles where symbol = $1";"#;
    assert_eq!(problems(&statements::of(&source(right)).unwrap()).await, [] as [String; 0]);
}

async fn an_unreadable_statement_is_found() {
    let unreadable = [
        r#"fn a() { format!("select {column} from candles") }"#,
        r#"fn a() { unknown!(a => "select open from candles") }"#,
        r#"const A: &str = concat!("select ", absent!(), " from candles");"#,
    ];
    for text in unreadable {
        assert!(statements::of(&source(text)).is_err(), "{text}");
    }
}
