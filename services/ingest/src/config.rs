//! The settings of ingest.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use anyhow::ensure;
use candlewick_shared::adapters::secrets::SecretSource;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::runtime::env::Env;

use crate::budget::Plan;

/// How many messages are in hand at once: the larger plans have twenty credits a second, and an answer takes about one.
const SLOTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);

/// How far back history reaches, in years.
const YEARS: i16 = 5;

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
    /// How far back history reaches, in years: `HISTORY_YEARS`.
    pub years: i16,
    /// How many messages are in hand at once: `SLOTS`.
    pub slots: usize,
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
        Ok(Self {
            key: env.secret_source("TWELVEDATA_API_KEY")?,
            url: env.optional("TWELVEDATA_URL").unwrap_or("https://api.twelvedata.com").to_owned(),
            plan: plan(env)?,
            years: years(env)?,
            slots: env.parsed_or("SLOTS", SLOTS)?.get(),
            bucket: env.bucket()?.to_owned(),
            watchlist: env.required("WATCHLIST")?.into(),
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

fn years(env: &Env) -> anyhow::Result<i16> {
    let years = env.parsed_or("HISTORY_YEARS", YEARS)?;
    ensure!((1..=100).contains(&years), "HISTORY_YEARS is {years}: choose 1 to 100");
    Ok(years)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> anyhow::Result<Config> {
        let least = [("TWELVEDATA_API_KEY", "k"), ("BUCKET", "b"), ("WATCHLIST", "w")];
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
            ("HISTORY_YEARS", "0"),
            ("SLOTS", "0"),
        ] {
            let error = config(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }
}
