//! How a local stack is to be.

use std::path::PathBuf;

use candlewick_shared::core::clock::Clock;

use crate::emulator::Emulator;
use crate::ports::Wish;

/// The variables that hold the key of the real API, or name a file with it.
pub const KEYS: [&str; 2] = ["TWELVEDATA_API_KEY", "TWELVEDATA_API_KEY_FILE"];

/// The name of the bucket.
pub const BUCKET: &str = "candlewick";

/// How a local stack is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory of the built programs.
    pub programs: PathBuf,
    /// Where Python environments are kept.
    pub python_home: PathBuf,
    /// The file with the watchlist.
    pub watchlist: PathBuf,
    /// When the watchlist is fetched: a cron pattern (or `off`) and its time zone.
    pub schedule: (String, String),
    /// What stands in for AWS.
    pub emulator: Emulator,
    pub emulator_port: Wish,
    /// The port of PostgreSQL.
    pub postgres_port: Wish,
    /// The port of the dashboard.
    pub dashboard_port: Wish,
    /// Where candles come from.
    pub source: Source,
}

/// Where candles come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// The simulator, on this port, and the time that it and everything else goes by.
    Simulator {
        port: Wish,
        /// The time.
        clock: Clock,
    },
    /// The real API, in real time, with the key in the environment.
    TwelveData {
        /// Where it is, if not at its own address: a proxy in front of it.
        url: Option<String>,
    },
}
