use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::Command;

use candlewick_localstack::postgres::{self, Postgres, PostgresError, Settings, Source};
use candlewick_localstack::process::leftovers::{self, Outcome};
use candlewick_localstack::process::{Exit, Signal, Stopped};
use candlewick_localstack::progress::silent;
use candlewick_localstack::python::Search;
use candlewick_localstack::state::StateDir;
use sqlx::{Connection, PgConnection};

use crate::support::{PATIENCE, all, free_port, heard, python_home, state};

fn settings(source: Source) -> Settings {
    Settings {
        port: free_port(),
        database: "candlewick".into(),
        source,
        path: std::env::var_os("PATH").unwrap(),
        python_home: python_home(),
        python: Search::from_env(),
        patience: PATIENCE,
    }
}

async fn start(settings: &Settings, state: &StateDir) -> Postgres {
    postgres::start(settings, state, &silent()).await.unwrap()
}

async fn connect(postgres: &Postgres) -> PgConnection {
    PgConnection::connect(&postgres.url()).await.unwrap()
}

async fn count(postgres: &Postgres) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM kept").fetch_one(&mut connect(postgres).await).await.unwrap()
}

async fn keep_a_row(postgres: &Postgres) {
    let mut connection = connect(postgres).await;
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept VALUES (1)")
        .execute(&mut connection)
        .await
        .unwrap();
}

#[tokio::test]
async fn data_outlives_a_stop_a_kill_and_a_run_that_never_stopped_it() {
    let (_guard, state) = state();
    let settings = settings(Source::System);
    let postgres = start(&settings, &state).await;
    keep_a_row(&postgres).await;
    // An open connection must not hold up the stop.
    let _open = connect(&postgres).await;
    assert_eq!(postgres.process.stop().await, Stopped::Asked(Exit::Code(0)));
    let log = fs::read_to_string(postgres.process.log()).unwrap();
    assert!(log.contains("received fast shutdown request") && !log.contains("received immediate"), "{log}");

    let postgres = start(&settings, &state).await;
    assert_eq!(count(&postgres).await, 1);
    keep_a_row(&postgres).await;
    postgres.process.signal(Signal::SIGKILL).unwrap();
    assert_eq!(postgres.process.wait().await, Exit::Signal(9));

    let postgres = start(&settings, &state).await;
    assert_eq!(count(&postgres).await, 2);
    let stopped = leftovers::stop(&state).await.unwrap();
    assert_eq!((stopped[0].pid, stopped[0].outcome), (postgres.process.pid(), Outcome::Asked));

    let postgres = start(&settings, &state).await;
    assert_eq!(count(&postgres).await, 2);
    postgres.process.stop().await;
}

/// Root can try this out by being somebody else; for others the test above is it.
#[test]
fn an_ordinary_user_has_a_server_too() {
    let Some(nobody) = nix::unistd::User::from_name("nobody").unwrap().filter(|_| nix::unistd::geteuid().is_root())
    else {
        return;
    };
    let test = "postgres::data_outlives_a_stop_a_kill_and_a_run_that_never_stopped_it";
    let mut this = Command::new(std::env::current_exe().unwrap());
    this.args(["--exact", test]).uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw()).current_dir("/");
    // An error means that the build lies where only root can go.
    let Ok(output) = this.output() else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test]
async fn what_it_keeps_is_private_and_its_password_shows_nowhere() {
    let (_guard, state) = state();
    let settings = settings(Source::System);
    let postgres = start(&settings, &state).await;
    let home = postgres.data.parent().unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(home), mode(&home.join("password"))), (0o700, 0o600));
    let password = fs::read_to_string(home.join("password")).unwrap();
    assert!(!format!("{postgres:?}").contains(password.trim()));
    let log = fs::read_to_string(postgres.process.log()).unwrap();
    assert!(!log.contains(password.trim()));
    postgres.process.stop().await;

    fs::write(home.join("password"), "another\n").unwrap();
    let error = postgres::start(&settings, &state, &silent()).await.unwrap_err();
    assert!(matches!(error, PostgresError::WrongPassword { .. }), "{error}");
    assert_eq!(leftovers::alive(&state).unwrap(), [], "a server that can't be used is stopped");
}

#[tokio::test]
async fn data_of_another_major_version_is_refused_with_both_named() {
    let (_guard, state) = state();
    let settings = settings(Source::System);
    let postgres = start(&settings, &state).await;
    postgres.process.stop().await;
    fs::write(postgres.data.join("PG_VERSION"), "9\n").unwrap();
    let error = postgres::start(&settings, &state, &silent()).await.unwrap_err().to_string();
    assert!(error.contains("made by PostgreSQL 9") && error.contains(&postgres.version), "{error}");
}

#[tokio::test]
async fn a_port_that_is_taken_shows_in_the_error() {
    let (_guard, state) = state();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let settings = Settings { port: taken.local_addr().unwrap().port(), ..settings(Source::System) };
    let error = postgres::start(&settings, &state, &silent()).await.unwrap_err();
    assert!(matches!(error, PostgresError::Died { .. }), "{error}");
    assert!(error.to_string().contains("Address already in use"), "{error}");
}

#[tokio::test]
async fn the_wheel_serves_where_the_machine_has_nothing() {
    let (_guard, state) = state();
    let settings = settings(Source::Wheel);
    let postgres = start(&settings, &state).await;
    assert!(postgres.version.starts_with("18."), "{}", postgres.version);
    keep_a_row(&postgres).await;
    assert_eq!(count(&postgres).await, 1);
    assert_eq!(postgres.process.stop().await, Stopped::Asked(Exit::Code(0)));
}

/// Like a clone under /root. Only root can fail to be somebody else, so for others there is nothing to see.
#[tokio::test]
async fn where_the_servers_user_cannot_go_the_data_lies_under_var_tmp_and_is_found_again() {
    let (guard, state) = state();
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    fs::set_permissions(guard.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let settings = settings(Source::System);
    let (progress, lines) = heard();
    let postgres = postgres::start(&settings, &state, &progress).await.unwrap();
    keep_a_row(&postgres).await;
    postgres.process.stop().await;
    assert!(postgres.data.starts_with("/var/tmp"), "{}", postgres.data.display());
    assert!(all(lines).contains("so the data is in /var/tmp/candlewick-"));
    let home = postgres.data.parent().unwrap().metadata().unwrap();
    assert_eq!((home.mode() & 0o777, home.uid() == 0), (0o700, false));

    let postgres = start(&settings, &state).await;
    assert_eq!(count(&postgres).await, 1);
    postgres.process.stop().await;
    fs::remove_dir_all(postgres.data.parent().unwrap().parent().unwrap()).unwrap();
    let postgres = start(&settings, &state).await;
    postgres.process.stop().await;
    fs::remove_dir_all(postgres.data.parent().unwrap().parent().unwrap()).unwrap();
}
