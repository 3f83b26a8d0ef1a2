//! The settings of ingest.

use anyhow::{Context, anyhow};
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::watchlist::Location;
use candlewick_shared::runtime::env::Env;
use secrecy::SecretString;

use crate::schedule::{self, Schedule};

/// The settings of ingest.
#[derive(Debug)]
pub struct Config {
    /// Where the API is: `TWELVEDATA_URL`, or its own address; without a key `SIMULATOR_URL`, where there is one.
    pub url: String,
    /// The key to it: `TWELVEDATA_API_KEY`. The simulator takes any.
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
        env.required("DATABASE_URL")?;
        let schedule = schedule::from_settings(env.optional("SCHEDULE"), env.optional("SCHEDULE_TIMEZONE"));
        let (url, key) = api(env)?;
        Ok(Self {
            url,
            key,
            bucket: env.bucket()?.to_owned(),
            watchlist: env.required("WATCHLIST")?.parse().context("read WATCHLIST")?,
            database_url: env.secret("DATABASE_URL").context("read DATABASE_URL")?,
            connections: env.parsed_or("SLOTS", 4)?,
            schedule: schedule.context("read SCHEDULE and SCHEDULE_TIMEZONE")?,
            clock: env.clock()?,
        })
    }
}

fn api(env: &Env) -> anyhow::Result<(String, SecretString)> {
    match (env.secret("TWELVEDATA_API_KEY"), env.optional("SIMULATOR_URL")) {
        (Some(key), _) => Ok((env.optional("TWELVEDATA_URL").unwrap_or("https://api.twelvedata.com").to_owned(), key)),
        (None, Some(simulator)) => Ok((simulator.to_owned(), SecretString::from("simulator"))),
        (None, None) => Err(anyhow!("TWELVEDATA_API_KEY is not set, and no SIMULATOR_URL either")),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn asked(variables: &[(&str, &str)]) -> anyhow::Result<(String, String)> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        api(&Env::from_variables(variables)).map(|(url, key)| (url, key.expose_secret().to_owned()))
    }

    #[test]
    fn a_key_goes_to_the_api_and_never_to_the_simulator() {
        let both = [("TWELVEDATA_API_KEY", "secret"), ("SIMULATOR_URL", "http://simulator:8460")];
        assert_eq!(asked(&both).unwrap(), ("https://api.twelvedata.com".to_owned(), "secret".to_owned()));
        let only_simulator = asked(&[("TWELVEDATA_API_KEY", ""), both[1]]).unwrap();
        assert_eq!(only_simulator, ("http://simulator:8460".to_owned(), "simulator".to_owned()));
        assert!(asked(&[]).unwrap_err().to_string().contains("TWELVEDATA_API_KEY"));
    }
}
