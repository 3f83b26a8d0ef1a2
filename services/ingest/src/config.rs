//! The settings of ingest.

use std::num::{NonZeroU32, NonZeroUsize};

use anyhow::Context;
use candlewick_shared::adapters::secrets::SecretSource;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::watchlist::Location;
use candlewick_shared::runtime::env::Env;
use secrecy::SecretString;

use crate::budget::Plan;
use crate::schedule::{self, Schedule};

/// How many messages are in hand at once: the larger plans have twenty credits a second, and an answer takes about one.
const SLOTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);

/// The settings of ingest.
#[derive(Debug)]
pub struct Config {
    /// Where the API is: `TWELVEDATA_URL`, or its own address.
    pub url: String,
    /// Where the key to it is: `TWELVEDATA_API_KEY`, `TWELVEDATA_API_KEY_FILE` or `TWELVEDATA_API_KEY_SECRET`.
    pub key: SecretSource,
    /// What may be spent of the API's plan: `TWELVEDATA_PLAN`, `TWELVEDATA_CREDITS_PER_MINUTE` and
    /// `TWELVEDATA_CREDITS_PER_DAY`. What is not set is the API's to tell.
    pub plan: Plan,
    /// How many messages are in hand at once: `SLOTS`.
    pub slots: usize,
    /// Where raw objects go: `BUCKET`.
    pub bucket: String,
    /// Where the watchlist is, a path or `s3://BUCKET/KEY`: `WATCHLIST`.
    pub watchlist: Location,
    /// Where the book of runs is: `DATABASE_URL`.
    pub database_url: SecretString,
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
        Ok(Self {
            key: env.secret_source("TWELVEDATA_API_KEY")?,
            url: env.optional("TWELVEDATA_URL").unwrap_or("https://api.twelvedata.com").to_owned(),
            plan: plan(env)?,
            slots: env.parsed_or("SLOTS", SLOTS)?.get(),
            bucket: env.bucket()?.to_owned(),
            watchlist: env.required("WATCHLIST")?.parse().context("read WATCHLIST")?,
            database_url: env.secret("DATABASE_URL").context("read DATABASE_URL")?,
            schedule: schedule.context("read SCHEDULE and SCHEDULE_TIMEZONE")?,
            clock: env.clock()?,
        })
    }
}

fn plan(env: &Env) -> anyhow::Result<Plan> {
    let limit =
        |name| env.optional(name).map(|_| env.parsed_or(name, NonZeroU32::MIN).map(NonZeroU32::get)).transpose();
    let own =
        Plan { per_minute: limit("TWELVEDATA_CREDITS_PER_MINUTE")?, per_day: limit("TWELVEDATA_CREDITS_PER_DAY")? };
    Ok(own.and(env.parsed_or("TWELVEDATA_PLAN", Plan::default())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> anyhow::Result<Config> {
        let least = [("TWELVEDATA_API_KEY", "k"), ("BUCKET", "b"), ("WATCHLIST", "w"), ("DATABASE_URL", "d")];
        let all = least.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::from_env(&Env::from_variables(all.collect()))
    }

    #[test]
    fn what_is_set_of_a_plan_is_the_tighter() {
        let plan = |variables: &[(&str, &str)]| config(variables).unwrap().plan;
        assert_eq!(plan(&[]), Plan::default());
        assert_eq!(plan(&[("TWELVEDATA_PLAN", "free")]), Plan::FREE);
        let half = plan(&[("TWELVEDATA_PLAN", "grow"), ("TWELVEDATA_CREDITS_PER_MINUTE", "180")]);
        assert_eq!(half, Plan { per_minute: Some(180), per_day: None });
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        for (name, value) in [
            ("TWELVEDATA_PLAN", "gold"),
            ("TWELVEDATA_CREDITS_PER_MINUTE", "0"),
            ("TWELVEDATA_CREDITS_PER_DAY", "many"),
            ("SLOTS", "0"),
        ] {
            let error = config(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }
}
