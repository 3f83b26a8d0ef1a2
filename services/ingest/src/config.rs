//! The settings of ingest.

use std::num::{NonZeroU32, NonZeroUsize};

use anyhow::Context;
use candlewick_shared::adapters::secrets::SecretSource;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::watchlist::Location;
use candlewick_shared::runtime::env::Env;
use candlewick_shared::runtime::outgoing;
use secrecy::SecretString;

use crate::credits::budget::Plan;
use crate::refresh::schedule::{self, Schedule};

/// The default concurrency. The larger plans allow twenty credits a second, and a request takes about a second.
const CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);

#[derive(Debug)]
pub struct Config {
    /// `TWELVEDATA_URL`, or the public API. If no key is set, `SIMULATOR_URL` takes precedence.
    pub url: String,
    /// `TWELVEDATA_API_KEY`, `TWELVEDATA_API_KEY_FILE` or `TWELVEDATA_API_KEY_SECRET`.
    pub key: SecretSource,
    /// The owner's limits: `TWELVEDATA_PLAN`, `TWELVEDATA_CREDITS_PER_MINUTE` and `TWELVEDATA_CREDITS_PER_DAY`. Limits that
    /// are not set come from the API.
    pub plan: Plan,
    /// `CONCURRENCY`: how many messages are handled at once.
    pub concurrency: usize,
    /// `BUCKET`.
    pub bucket: String,
    /// `WATCHLIST`: a path or `s3://BUCKET/KEY`.
    pub watchlist: Location,
    /// `DATABASE_URL`.
    pub database_url: SecretString,
    /// `SCHEDULE`, a cron pattern or `off`, in the time zone `SCHEDULE_TIMEZONE` (UTC). Without a schedule, something else must
    /// send the refresh messages.
    pub schedule: Option<Schedule>,
    /// `CLOCK`.
    pub clock: Clock,
}

impl Config {
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        let schedule = schedule::from_settings(env.optional("SCHEDULE"), env.optional("SCHEDULE_TIMEZONE"));
        let (url, key) = api(env)?;
        env.required("DATABASE_URL")?;
        Ok(Self {
            url,
            key,
            plan: plan(env)?,
            concurrency: env.parsed_or("CONCURRENCY", CONCURRENCY)?.get(),
            bucket: env.bucket()?.to_owned(),
            watchlist: env.required("WATCHLIST")?.parse().context("read WATCHLIST")?,
            database_url: env.secret("DATABASE_URL").context("read DATABASE_URL")?,
            schedule: schedule.context("read SCHEDULE and SCHEDULE_TIMEZONE")?,
            clock: env.clock()?,
        })
    }
}

/// The URL of the API and its key. The owner's key is never sent to the simulator.
fn api(env: &Env) -> anyhow::Result<(String, SecretSource)> {
    let is_set =
        ["", "_FILE", "_SECRET"].iter().any(|kind| env.optional(&format!("TWELVEDATA_API_KEY{kind}")).is_some());
    match env.optional("SIMULATOR_URL").filter(|_| !is_set) {
        Some(simulator) => Ok((simulator.to_owned(), SecretSource::Here(SecretString::from("simulator")))),
        None => {
            let url = env.optional("TWELVEDATA_URL").unwrap_or("https://api.twelvedata.com");
            // The key is sent to this address.
            outgoing::address("TWELVEDATA_URL", url)?;
            Ok((url.to_owned(), env.secret_source("TWELVEDATA_API_KEY")?))
        }
    }
}

fn plan(env: &Env) -> anyhow::Result<Plan> {
    let limit =
        |name| env.optional(name).map(|_| env.parsed_or(name, NonZeroU32::MIN).map(NonZeroU32::get)).transpose();
    let limits =
        Plan { per_minute: limit("TWELVEDATA_CREDITS_PER_MINUTE")?, per_day: limit("TWELVEDATA_CREDITS_PER_DAY")? };
    Ok(limits.and(env.parsed_or("TWELVEDATA_PLAN", Plan::default())?))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn api_with(variables: &[(&str, &str)]) -> anyhow::Result<(String, String)> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        match api(&Env::from_variables(variables))? {
            (url, SecretSource::Here(key)) => Ok((url, key.expose_secret().to_owned())),
            (url, elsewhere) => Ok((url, format!("{elsewhere:?}"))),
        }
    }

    #[test]
    fn the_key_is_sent_by_https_or_to_this_machine() {
        let with = |url| api_with(&[("TWELVEDATA_API_KEY", "secret"), ("TWELVEDATA_URL", url)]);
        assert!(with("https://proxy.example/td").is_ok() && with("http://127.0.0.1:8460").is_ok());
        let error = with("http://proxy.example/td").unwrap_err().to_string();
        assert!(error.contains("TWELVEDATA_URL") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn a_key_goes_to_the_api_and_never_to_the_simulator() {
        let both = [("TWELVEDATA_API_KEY", "secret"), ("SIMULATOR_URL", "http://simulator:8460")];
        assert_eq!(api_with(&both).unwrap(), ("https://api.twelvedata.com".to_owned(), "secret".to_owned()));
        let only_simulator = api_with(&[("TWELVEDATA_API_KEY", ""), both[1]]).unwrap();
        assert_eq!(only_simulator, ("http://simulator:8460".to_owned(), "simulator".to_owned()));
        let from_file = api_with(&[("TWELVEDATA_API_KEY_FILE", "/run/key"), both[1]]).unwrap();
        assert_eq!(from_file.0, "https://api.twelvedata.com");
        assert!(api_with(&[]).unwrap_err().to_string().contains("TWELVEDATA_API_KEY"));
    }

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
            ("CONCURRENCY", "0"),
        ] {
            let error = config(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }
}
