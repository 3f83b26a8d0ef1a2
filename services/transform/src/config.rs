//! The settings of the transform.

use std::path::PathBuf;

use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::topology::Topology;
use candlewick_shared::runtime::env::Env;
use candlewick_shared::runtime::objects::Scope;

/// The settings of the transform.
#[derive(Clone, Debug)]
pub struct Config {
    /// The objects it is for: `BUCKET`, `BYTES_IN_FLIGHT` (64 MiB).
    pub scope: Scope,
    /// The time it goes by: `CLOCK`.
    pub clock: Clock,
    /// The file with the watchlist, for how each instrument is cleaned: `WATCHLIST`. Without one all are cleaned alike.
    pub watchlist: Option<PathBuf>,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// The first setting that is missing or not of its form, by name.
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        let scope = Scope {
            bucket: env.bucket()?.to_owned(),
            prefix: Topology::built_in().prefixes.raw.clone(),
            bytes_in_flight: env.parsed_or("BYTES_IN_FLIGHT", 64 << 20)?,
        };
        Ok(Self { scope, clock: env.clock()?, watchlist: env.optional("WATCHLIST").map(PathBuf::from) })
    }
}
