//! The settings of ingest.

use std::path::PathBuf;

use anyhow::Context;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::runtime::env::Env;
use secrecy::SecretString;

/// The settings of ingest.
#[derive(Debug)]
pub struct Config {
    /// Where the API is: `TWELVEDATA_URL`, or its own address.
    pub url: String,
    /// The key to it: `TWELVEDATA_API_KEY`.
    pub key: SecretString,
    /// Where raw objects go: `BUCKET`.
    pub bucket: String,
    /// The file with the watchlist: `WATCHLIST`.
    pub watchlist: PathBuf,
    /// The time it goes by: `CLOCK`.
    pub clock: Clock,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// The first setting that is missing or not of its form, by name.
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        env.required("TWELVEDATA_API_KEY")?;
        Ok(Self {
            url: env.optional("TWELVEDATA_URL").unwrap_or("https://api.twelvedata.com").to_owned(),
            key: env.secret("TWELVEDATA_API_KEY").context("read TWELVEDATA_API_KEY")?,
            bucket: env.bucket()?.to_owned(),
            watchlist: env.required("WATCHLIST")?.into(),
            clock: env.clock()?,
        })
    }
}
