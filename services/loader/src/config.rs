//! The settings of the loader.

use anyhow::Context;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::topology::Topology;
use candlewick_shared::runtime::env::Env;
use candlewick_shared::runtime::memory::Memory;
use candlewick_shared::runtime::objects::Scope;
use candlewick_shared::runtime::policy::CONCURRENCY;
use secrecy::SecretString;

use crate::ledger::HistoryDays;

#[derive(Debug)]
pub struct Config {
    /// `BUCKET` and `BYTES_IN_FLIGHT`.
    pub scope: Scope,
    /// `MEMORY_LIMIT`.
    pub memory: Memory,
    /// `DATABASE_URL`.
    pub database_url: SecretString,
    /// `CONCURRENCY`: each message in progress uses one connection.
    pub connections: u32,
    /// `CLOCK`.
    pub clock: Clock,
    /// `HISTORY_DAYS`.
    pub history_days: HistoryDays,
}

impl Config {
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        env.required("DATABASE_URL")?;
        let memory = Memory::from_env(env)?;
        let scope = Scope {
            bucket: env.bucket()?.to_owned(),
            prefix: Topology::built_in().prefixes.transformed.clone(),
            bytes_in_flight: memory.bytes_in_flight(env)?,
        };
        let database_url = env.secret("DATABASE_URL").context("read DATABASE_URL")?;
        let connections =
            u32::try_from(env.parsed_or("CONCURRENCY", CONCURRENCY)?.get()).context("read CONCURRENCY")?;
        let history_days = HistoryDays(env.parsed_or("HISTORY_DAYS", HistoryDays::default().0)?);
        Ok(Self { scope, memory, database_url, connections, clock: env.clock()?, history_days })
    }
}
