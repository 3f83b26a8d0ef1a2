//! The settings of ingest.

use anyhow::Context;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::watchlist::Location;
use candlewick_shared::runtime::env::Env;
use secrecy::SecretString;

use crate::schedule::{self, Schedule};

/// The settings of ingest.
#[derive(Debug)]
pub struct Config {
    /// Where the API is: `TWELVEDATA_URL`, or its own address.
    pub url: String,
    /// The key to it: `TWELVEDATA_API_KEY`.
    pub key: SecretString,
    /// Where raw objects go: `BUCKET`.
    pub bucket: String,
    /// Where the watchlist is, a path or `s3://BUCKET/KEY`: `WATCHLIST`.
    pub watchlist: Location,
    /// Where the book of runs is: `DATABASE_URL`.
    pub database_url: SecretString,
    /// How many connections to it are held, one for each slot (`SLOTS`).
    pub connections: u32,
    /// When a refresh is due, a cron pattern or `off`: `SCHEDULE`; in the time zone `SCHEDULE_TIMEZONE` (UTC). Without one
    /// somebody else must send the message.
    pub schedule: Option<Schedule>,
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
        env.required("DATABASE_URL")?;
        let schedule = schedule::from_settings(env.optional("SCHEDULE"), env.optional("SCHEDULE_TIMEZONE"));
        Ok(Self {
            url: env.optional("TWELVEDATA_URL").unwrap_or("https://api.twelvedata.com").to_owned(),
            key: env.secret("TWELVEDATA_API_KEY").context("read TWELVEDATA_API_KEY")?,
            bucket: env.bucket()?.to_owned(),
            watchlist: env.required("WATCHLIST")?.parse().context("read WATCHLIST")?,
            database_url: env.secret("DATABASE_URL").context("read DATABASE_URL")?,
            connections: env.parsed_or("SLOTS", 4)?,
            schedule: schedule.context("read SCHEDULE and SCHEDULE_TIMEZONE")?,
            clock: env.clock()?,
        })
    }
}
