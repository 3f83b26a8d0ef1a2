//! Runs a PostgreSQL server from installed programs or, if there are none, from a wheel of PyPI.

mod account;
mod binaries;
mod cluster;
mod error;
mod ready;
mod running;
mod server;
mod settings;

pub use self::error::PostgresError;
pub use self::running::Postgres;
pub use self::server::start;
pub use self::settings::{REQUIREMENTS, ROLE, Settings, Source, UnknownSource};
