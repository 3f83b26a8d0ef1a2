//! The settings of the notifier.

use anyhow::{Context, bail, ensure};
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::watchlist::Location;
use candlewick_shared::runtime::env::Env;
use candlewick_shared::runtime::outgoing;
use jiff::SignedDuration;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret, SecretString};

use crate::channel::http::require_url;
use crate::channel::{email, pagerduty, telegram};
use crate::conditions::Limits;
use crate::digest::Schedule;
use crate::events::signed_webhook::SigningKey;
use crate::events::sinks::Sinks;
use crate::plan::Pace;

#[derive(Debug)]
pub struct Config {
    /// `DATABASE_URL`.
    pub database_url: SecretString,
    /// `WATCHLIST`: a path or `s3://BUCKET/KEY`. Without it no series counts as stale.
    pub watchlist: Option<Location>,
    /// `CLOCK`.
    pub clock: Clock,
    pub channels: Channels,
    pub sinks: Sinks,
    /// `HEARTBEAT_URL`.
    pub heartbeat: Option<SecretString>,
    /// `ALERT_GROUP_WAIT` (30s), `ALERT_GROUP_INTERVAL` (5m) and `ALERT_REPEAT_INTERVAL` (12h).
    pub pace: Pace,
    /// `STALE_AFTER` (26h) and `CALENDAR_HORIZON` (1440h, sixty days).
    pub limits: Limits,
    /// `DIGEST_AT` (08:00) and `DIGEST_ZONE` (UTC).
    pub digest: Schedule,
    /// `SWEEP_EVERY` (1m).
    pub sweep_every: SignedDuration,
}

/// The channels. Every channel that is set is used.
#[derive(Debug, Default)]
pub struct Channels {
    /// `ALERT_SNS_TOPIC_ARN`.
    pub sns: Option<String>,
    /// `ALERT_WEBHOOK_URL`.
    pub webhook: Option<SecretString>,
    /// `ALERT_SLACK_WEBHOOK_URL`.
    pub slack: Option<SecretString>,
    /// `ALERT_TEAMS_WEBHOOK_URL`.
    pub teams: Option<SecretString>,
    /// `ALERT_DISCORD_WEBHOOK_URL`.
    pub discord: Option<SecretString>,
    /// `ALERT_TELEGRAM_API_URL`, `ALERT_TELEGRAM_TOKEN` and `ALERT_TELEGRAM_CHAT`.
    pub telegram: Option<(String, SecretString, String)>,
    /// `ALERT_PAGERDUTY_URL` and `ALERT_PAGERDUTY_ROUTING_KEY`.
    pub pagerduty: Option<(String, SecretString)>,
    /// `ALERT_SMTP_URL`, `ALERT_EMAIL_FROM` and `ALERT_EMAIL_TO`.
    pub email: Option<(SecretString, String, String)>,
}

impl Config {
    /// Reads the settings. Each secret may be in a file instead, whose path is in `NAME_FILE`.
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        let database_url = secret(env, "DATABASE_URL")?;
        if database_url.is_none() {
            env.required("DATABASE_URL")?;
        }
        Ok(Self {
            database_url: database_url.context("read DATABASE_URL")?,
            watchlist: env.optional("WATCHLIST").map(str::parse).transpose().context("read WATCHLIST")?,
            clock: env.clock()?,
            channels: channels(env)?,
            sinks: sinks(env)?,
            heartbeat: address(env, "HEARTBEAT_URL")?,
            pace: pace(env)?,
            limits: Limits {
                stale_after: env.stale_after()?,
                horizon: env.span("CALENDAR_HORIZON", SignedDuration::from_hours(60 * 24))?,
            },
            digest: schedule(env)?,
            sweep_every: env.span("SWEEP_EVERY", SignedDuration::from_mins(1))?,
        })
    }
}

fn pace(env: &Env) -> anyhow::Result<Pace> {
    Ok(Pace {
        group_wait: env.span("ALERT_GROUP_WAIT", SignedDuration::from_secs(30))?,
        group_interval: env.span("ALERT_GROUP_INTERVAL", SignedDuration::from_mins(5))?,
        repeat_interval: env.span("ALERT_REPEAT_INTERVAL", SignedDuration::from_hours(12))?,
    })
}

fn schedule(env: &Env) -> anyhow::Result<Schedule> {
    let at = env.parsed_or("DIGEST_AT", Time::constant(8, 0, 0, 0)).context("write DIGEST_AT like 08:00")?;
    let zone = env.optional("DIGEST_ZONE").unwrap_or("UTC");
    let zone = TimeZone::get(zone).with_context(|| format!("DIGEST_ZONE is {zone:?}: write it like Europe/Berlin"))?;
    Ok(Schedule { at, zone })
}

fn channels(env: &Env) -> anyhow::Result<Channels> {
    Ok(Channels {
        sns: env.optional("ALERT_SNS_TOPIC_ARN").map(str::to_owned),
        webhook: address(env, "ALERT_WEBHOOK_URL")?,
        slack: address(env, "ALERT_SLACK_WEBHOOK_URL")?,
        teams: address(env, "ALERT_TEAMS_WEBHOOK_URL")?,
        discord: address(env, "ALERT_DISCORD_WEBHOOK_URL")?,
        telegram: telegram(env)?,
        pagerduty: pagerduty(env)?,
        email: email(env)?,
    })
}

fn sinks(env: &Env) -> anyhow::Result<Sinks> {
    Ok(Sinks {
        topic: env.optional("LOADED_SNS_TOPIC_ARN").map(str::to_owned),
        event_bus: env.optional("LOADED_EVENT_BUS").map(str::to_owned),
        webhook: signed_webhook(env)?,
    })
}

fn signed_webhook(env: &Env) -> anyhow::Result<Option<(SecretString, SigningKey)>> {
    let key = secret(env, "LOADED_WEBHOOK_SECRET")?;
    match (address(env, "LOADED_WEBHOOK_URL")?, key) {
        (None, _) => Ok(None),
        (Some(_), None) => {
            bail!("LOADED_WEBHOOK_URL is set: set LOADED_WEBHOOK_SECRET too (whsec_ and 32 bytes in base64)")
        }
        (Some(url), Some(key)) => Ok(Some((url, SigningKey::parse(&key).context("read LOADED_WEBHOOK_SECRET")?))),
    }
}

fn telegram(env: &Env) -> anyhow::Result<Option<(String, SecretString, String)>> {
    match (secret(env, "ALERT_TELEGRAM_TOKEN")?, env.optional("ALERT_TELEGRAM_CHAT")) {
        (None, _) => Ok(None),
        (Some(_), None) => bail!("ALERT_TELEGRAM_TOKEN is set: set ALERT_TELEGRAM_CHAT too"),
        (Some(token), Some(chat)) => {
            // The token becomes part of a URL.
            let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_');
            ensure!(
                token.expose_secret().chars().all(is_token),
                "ALERT_TELEGRAM_TOKEN contains a character that no token has"
            );
            Ok(Some((service(env, "ALERT_TELEGRAM_API_URL", telegram::API)?, token, chat.to_owned())))
        }
    }
}

fn pagerduty(env: &Env) -> anyhow::Result<Option<(String, SecretString)>> {
    let Some(key) = secret(env, "ALERT_PAGERDUTY_ROUTING_KEY")? else { return Ok(None) };
    Ok(Some((service(env, "ALERT_PAGERDUTY_URL", pagerduty::EVENTS)?, key)))
}

/// The address of a service: the setting `name`, or the public default.
fn service(env: &Env, name: &str, default: &str) -> anyhow::Result<String> {
    let url = env.optional(name).unwrap_or(default);
    outgoing::address(name, url)?;
    Ok(url.to_owned())
}

fn email(env: &Env) -> anyhow::Result<Option<(SecretString, String, String)>> {
    let from = env.optional("ALERT_EMAIL_FROM");
    let to = env.optional("ALERT_EMAIL_TO");
    match (secret(env, "ALERT_SMTP_URL")?, from, to) {
        (None, _, _) => Ok(None),
        (Some(url), Some(from), Some(to)) => {
            email::require_tls(&url)?;
            Ok(Some((url, from.to_owned(), to.to_owned())))
        }
        (Some(_), _, _) => bail!("ALERT_SMTP_URL is set: set ALERT_EMAIL_FROM and ALERT_EMAIL_TO too"),
    }
}

fn address(env: &Env, name: &str) -> anyhow::Result<Option<SecretString>> {
    let url = secret(env, name)?;
    url.iter().try_for_each(|url| require_url(name, url))?;
    Ok(url)
}

/// Reads a secret from its variable, or from the file that `NAME_FILE` names.
fn secret(env: &Env, name: &str) -> anyhow::Result<Option<SecretString>> {
    let file = format!("{name}_FILE");
    match (env.secret(name), env.optional(&file)) {
        (Some(_), Some(_)) => bail!("{name} and {file} are both set: remove one of them"),
        (Some(secret), None) => Ok(Some(secret)),
        (None, None) => Ok(None),
        (None, Some(path)) => {
            let text: SecretString =
                std::fs::read_to_string(path).with_context(|| format!("read {file} {path}"))?.into();
            Ok(Some(text.expose_secret().trim().into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn config(variables: &[(&str, &str)]) -> anyhow::Result<Config> {
        let all = [("DATABASE_URL", "postgres://x")].iter().chain(variables);
        Config::from_env(&Env::from_variables(all.map(|(name, value)| ((*name).into(), (*value).into())).collect()))
    }

    fn error(variables: &[(&str, &str)]) -> String {
        format!("{:#}", config(variables).unwrap_err())
    }

    #[test]
    fn where_nothing_is_said_there_is_no_channel_and_the_usual_pace() {
        let config = config(&[]).unwrap();
        assert!(config.channels.sns.is_none() && config.channels.webhook.is_none() && config.channels.email.is_none());
        assert_eq!((config.pace.group_wait.as_secs(), config.digest.at.to_string().as_str()), (30, "08:00:00"));
    }

    #[test]
    fn settings_are_read_in_the_forms_that_people_write() {
        let set = [("ALERT_REPEAT_INTERVAL", "4h"), ("DIGEST_AT", "07:30"), ("DIGEST_ZONE", "Europe/Berlin")];
        let config = config(&[&set[..], &[("WATCHLIST", "s3://b/config/watchlist.toml")]].concat()).unwrap();
        assert_eq!((config.pace.repeat_interval.as_hours(), config.digest.at.minute()), (4, 30));
        let object = Location::Object { bucket: "b".to_owned(), key: "config/watchlist.toml".to_owned() };
        assert_eq!(config.watchlist, Some(object));
    }

    #[test]
    fn a_secret_may_stand_in_a_file() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "https://hooks.example/T0/s3cret").unwrap();
        let path = file.path().to_str().unwrap();
        let config = config(&[("ALERT_SLACK_WEBHOOK_URL_FILE", path)]).unwrap();
        assert_eq!(config.channels.slack.unwrap().expose_secret(), "https://hooks.example/T0/s3cret");
    }

    #[test]
    fn what_is_wrong_is_named_and_no_secret_is_shown() {
        for (set, words) in [
            (&[("ALERT_WEBHOOK_URL", "s3cret")][..], "ALERT_WEBHOOK_URL is not an address"),
            (&[("ALERT_WEBHOOK_URL", "http://hooks.example/s3cret")], "ALERT_WEBHOOK_URL begins with http://"),
            (&[("ALERT_TEAMS_WEBHOOK_URL", "http://10.0.0.1/s3cret")], "ALERT_TEAMS_WEBHOOK_URL begins with http://"),
            (&[("HEARTBEAT_URL", "http://hc.example/s3cret")], "HEARTBEAT_URL begins with http://"),
            (&[("ALERT_TELEGRAM_TOKEN", "1:s3cret")], "ALERT_TELEGRAM_CHAT"),
            (&[("ALERT_TELEGRAM_TOKEN", "1:s3cret/../x"), ("ALERT_TELEGRAM_CHAT", "1")], "that no token has"),
            (
                &[("ALERT_PAGERDUTY_ROUTING_KEY", "s3cret"), ("ALERT_PAGERDUTY_URL", "http://a.example")],
                "ALERT_PAGERDUTY_URL",
            ),
            (
                &[
                    ("ALERT_SMTP_URL", "smtp://u:s3cret@h"),
                    ("ALERT_EMAIL_FROM", "a@b.example"),
                    ("ALERT_EMAIL_TO", "a@b.example"),
                ],
                "in plain text",
            ),
            (&[("ALERT_WEBHOOK_URL", "https://a/s3cret"), ("ALERT_WEBHOOK_URL_FILE", "/x")], "both set"),
            (&[("ALERT_SMTP_URL", "smtps://u:s3cret@h")], "ALERT_EMAIL_FROM"),
            (&[("LOADED_WEBHOOK_URL", "http://hooks.example/s3cret")], "LOADED_WEBHOOK_URL begins with http://"),
            (&[("LOADED_WEBHOOK_URL", "https://hooks.example/s3cret")], "set LOADED_WEBHOOK_SECRET too"),
            (
                &[("LOADED_WEBHOOK_URL", "https://hooks.example/s3cret"), ("LOADED_WEBHOOK_SECRET", "whsec_s3cret")],
                "read LOADED_WEBHOOK_SECRET: it ",
            ),
            (&[("ALERT_GROUP_WAIT", "soon")], "like 30s"),
            (&[("SWEEP_EVERY", "0s")], "must be longer than zero"),
            (&[("DIGEST_ZONE", "Mars")], "Europe/Berlin"),
            (&[("WATCHLIST", "s3://b")], "read WATCHLIST"),
            (&[("HEARTBEAT_URL_FILE", "/nowhere/s")], "read HEARTBEAT_URL_FILE /nowhere/s"),
        ] {
            let error = error(set);
            assert!(error.contains(words) && !error.contains("s3cret"), "{error}");
        }
    }
}
