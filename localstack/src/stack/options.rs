//! The options of a local stack.

use std::path::PathBuf;

use candlewick_shared::core::clock::Clock;

use crate::emulator::Emulator;
use crate::ports::Wish;

/// The variables that contain the key of the real API or the path of a file with it.
pub const KEYS: [&str; 2] = ["TWELVEDATA_API_KEY", "TWELVEDATA_API_KEY_FILE"];

pub const BUCKET: &str = "candlewick";

#[derive(Clone, Debug)]
pub struct Options {
    /// The directory of the built service programs.
    pub programs: PathBuf,
    /// The directory of the programs of the owner's own consumers.
    pub consumer_programs: PathBuf,
    /// The setting `TOPOLOGY`, which the services get too.
    pub topology: Option<String>,
    /// The directory of the Python environments.
    pub python_home: PathBuf,
    pub watchlist: PathBuf,
    /// When the watchlist is refreshed: a cron pattern or `off`, and its time zone.
    pub schedule: (String, String),
    pub emulator: Emulator,
    pub emulator_port: Wish,
    pub postgres_port: Wish,
    pub dashboard_port: Wish,
    pub source: Source,
    /// Airflow, if it is to drive the refreshes.
    pub airflow: Option<AirflowOptions>,
}

/// Airflow next to the stack.
#[derive(Clone, Debug)]
pub struct AirflowOptions {
    pub port: Wish,
    /// The sources of the provider.
    pub provider: PathBuf,
    /// The symbols of the example DAG.
    pub symbols: Vec<String>,
}

/// Where candles come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// The simulator.
    Simulator {
        port: Wish,
        /// The time of the simulator and all services.
        clock: Clock,
    },
    /// The real API in real time. The key is in the environment.
    TwelveData {
        /// The URL of a proxy in front of the API; `None` for the API's own address.
        url: Option<String>,
    },
}
