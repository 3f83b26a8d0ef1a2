//! The settings of the transform.

use anyhow::Context;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::topology::Topology;
use candlewick_shared::core::watchlist::Location;
use candlewick_shared::runtime::env::Env;
use candlewick_shared::runtime::memory::Memory;
use candlewick_shared::runtime::objects::Scope;

#[derive(Clone, Debug)]
pub struct Config {
    /// The bucket, the prefix and the size limit of objects: `BUCKET`, `BYTES_IN_FLIGHT`.
    pub scope: Scope,
    /// The memory limit: `MEMORY_LIMIT`.
    pub memory: Memory,
    /// Whether `first-written` in an object's metadata is trusted: `TRUST_FIRST_WRITTEN`, which `up` sets for
    /// restored objects.
    pub trusts_first_written: bool,
    /// Whether to write the candles as Parquet too: `COLUMNAR`.
    pub writes_columns: bool,
    /// The real or a simulated clock: `CLOCK`.
    pub clock: Clock,
    /// The location of the watchlist with the cleaning settings of each instrument, a path or `s3://BUCKET/KEY`:
    /// `WATCHLIST`. Without it, all instruments have the default settings.
    pub watchlist: Option<Location>,
}

impl Config {
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        let memory = Memory::from_env(env)?;
        let scope = Scope {
            bucket: env.bucket()?.to_owned(),
            prefix: Topology::built_in().prefixes.raw.clone(),
            bytes_in_flight: memory.bytes_in_flight(env)?,
        };
        let watchlist = env.optional("WATCHLIST").map(str::parse).transpose().context("read WATCHLIST")?;
        let trusts_first_written = env.parsed_or("TRUST_FIRST_WRITTEN", false)?;
        let writes_columns = env.is_on("COLUMNAR", true)?;
        Ok(Self { scope, memory, trusts_first_written, writes_columns, clock: env.clock()?, watchlist })
    }
}
