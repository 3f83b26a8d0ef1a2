//! A PostgreSQL of the measurement's own.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use candlewick_localstack::ports::{Picker, Wish};
use candlewick_localstack::postgres::{Postgres, Settings, Source};
use candlewick_localstack::progress::silent;
use candlewick_localstack::python::Search;
use candlewick_localstack::state::StateDir;

pub async fn start(dir: &Path) -> Postgres {
    // The server's user must be able to enter.
    fs::set_permissions(dir, Permissions::from_mode(0o755)).unwrap();
    let settings = Settings {
        port: Picker::new().pick(&Wish::Any).unwrap(),
        database: "candles".to_owned(),
        source: Source::from_env().unwrap(),
        path: std::env::var_os("PATH").unwrap_or_default(),
        python_home: dir.to_owned(),
        python: Search::from_env(),
        patience: Duration::from_secs(60),
    };
    Postgres::start(&settings, &StateDir::open(dir).unwrap(), &silent()).await.unwrap()
}
