//! The settings of the transform.

use anyhow::Context;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::topology::Topology;
use candlewick_shared::core::watchlist::Location;
use candlewick_shared::runtime::env::Env;
use candlewick_shared::runtime::memory::Memory;
use candlewick_shared::runtime::objects::Scope;

/// The settings of the transform.
#[derive(Clone, Debug)]
pub struct Config {
    /// The objects it is for: `BUCKET`, `BYTES_IN_FLIGHT`.
    pub scope: Scope,
    /// What it may take: `MEMORY_LIMIT`.
    pub memory: Memory,
    /// Whether `first-written` beside an object is believed: `TRUST_FIRST_WRITTEN`, which `up` sets for what it puts back.
    pub trusts_first_written: bool,
    /// The time it goes by: `CLOCK`.
    pub clock: Clock,
    /// Where the watchlist is, for how each instrument is cleaned, a path or `s3://BUCKET/KEY`: `WATCHLIST`. Without one all are cleaned alike.
    pub watchlist: Option<Location>,
}

impl Config {
    /// Reads the settings.
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        let memory = Memory::from_env(env)?;
        let scope = Scope {
            bucket: env.bucket()?.to_owned(),
            prefix: Topology::built_in().prefixes.raw.clone(),
            bytes_in_flight: memory.bytes_in_flight(env)?,
        };
        let watchlist = env.optional("WATCHLIST").map(str::parse).transpose().context("read WATCHLIST")?;
        let trusts_first_written = env.parsed_or("TRUST_FIRST_WRITTEN", false)?;
        Ok(Self { scope, memory, trusts_first_written, clock: env.clock()?, watchlist })
    }
}
