//! The settings of the dashboard.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::{Context, ensure};
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::watchlist::Location;
use candlewick_shared::runtime::env::Env;
use jiff::SignedDuration;
use secrecy::SecretString;

use crate::auth::Secrets;
use crate::headers::FrameAncestors;
use crate::places::Places;

/// The settings of the dashboard.
#[derive(Debug)]
pub struct Config {
    /// The address to listen on: `DASHBOARD_LISTEN` (127.0.0.1:8470).
    pub listen: SocketAddr,
    /// The guards in front of every page: `DASHBOARD_TOKEN`, `DASHBOARD_PASSWORD`, `DASHBOARD_WRITE_TOKEN`,
    /// `DASHBOARD_REQUESTS_PER_SECOND` (50), `DASHBOARD_REQUEST_TIMEOUT` (20s), `DASHBOARD_TRUSTED_PROXIES` (0),
    /// `DASHBOARD_FRAME_ANCESTORS` (nobody).
    pub guard: Guard,
    /// The number of simultaneous connections: `DASHBOARD_CLIENTS` (512). One address may use a quarter of them, unless
    /// all clients come through a trusted proxy.
    pub clients: Places,
    /// The number of simultaneous event streams, in total and per address: `DASHBOARD_EVENT_STREAMS` (256),
    /// `DASHBOARD_EVENT_STREAMS_PER_ADDRESS` (32).
    pub event_streams: Places,
    /// The URL of the database: `DATABASE_URL`.
    pub database_url: SecretString,
    /// The size of the connection pool: `DASHBOARD_CONNECTIONS` (8).
    pub connections: u32,
    /// The bucket of the objects: `BUCKET`.
    pub bucket: String,
    /// The watchlist, a path or `s3://BUCKET/KEY`: `WATCHLIST`.
    pub watchlist: Option<Location>,
    /// How long after the end of its slot a candle may take to arrive: `STALE_AFTER` (26h).
    pub stale_after: SignedDuration,
    /// The token that saving a dashboard takes: `DASHBOARD_EDIT_TOKEN`. Without one, nobody can save.
    pub edit_token: Option<SecretString>,
    /// The clock: `CLOCK`.
    pub clock: Clock,
}

/// The guards in front of every page.
#[derive(Clone, Debug)]
pub struct Guard {
    /// The accepted secrets; `None` if every user of this machine may read the dashboard.
    pub secrets: Option<Secrets>,
    /// The token for requests of runs. Without one, nobody can request them.
    pub write_token: Option<SecretString>,
    /// The average number of requests per second that one address may make.
    pub requests_per_second: NonZeroU32,
    /// How long a response may take to start. An event stream starts well within that time.
    pub patience: Duration,
    /// The number of the owner's proxies in front of the dashboard.
    pub trusted_proxies: usize,
    /// The sites whose pages may frame shared dashboards.
    pub frame_ancestors: FrameAncestors,
}

/// The minimum length of secrets if the dashboard is reachable from other machines.
const LEAST_OF_A_TOKEN: usize = 16;
const LEAST_OF_A_PASSWORD: usize = 8;

impl Config {
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        env.required("DATABASE_URL")?;
        let listen = env.parsed_or("DASHBOARD_LISTEN", SocketAddr::from((Ipv4Addr::LOCALHOST, 8470)))?;
        let secrets = Secrets::new(env.secret("DASHBOARD_TOKEN"), env.secret("DASHBOARD_PASSWORD"));
        ensure!(
            secrets.is_some() || listen.ip().is_loopback(),
            "DASHBOARD_LISTEN is {listen}, which others can reach: set DASHBOARD_TOKEN or DASHBOARD_PASSWORD, or listen \
             on 127.0.0.1"
        );
        if !listen.ip().is_loopback() {
            require_length(env, "DASHBOARD_TOKEN", LEAST_OF_A_TOKEN)?;
            require_length(env, "DASHBOARD_PASSWORD", LEAST_OF_A_PASSWORD)?;
            require_length(env, "DASHBOARD_EDIT_TOKEN", LEAST_OF_A_TOKEN)?;
            require_length(env, "DASHBOARD_WRITE_TOKEN", LEAST_OF_A_TOKEN)?;
        }
        let write_token = env.secret("DASHBOARD_WRITE_TOKEN");
        let is_shared = ["DASHBOARD_TOKEN", "DASHBOARD_PASSWORD"]
            .iter()
            .any(|name| write_token.is_some() && env.optional(name) == env.optional("DASHBOARD_WRITE_TOKEN"));
        ensure!(!is_shared, "DASHBOARD_WRITE_TOKEN is the secret of those who only read: choose another one");
        let secrets = secrets.map(|secrets| secrets.with_writers(write_token.clone()));
        let trusted_proxies = env.parsed_or("DASHBOARD_TRUSTED_PROXIES", 0)?;
        let requests_per_second = env.parsed_or("DASHBOARD_REQUESTS_PER_SECOND", NonZeroU32::MIN.saturating_add(49))?;
        let patience = env.span("DASHBOARD_REQUEST_TIMEOUT", SignedDuration::from_secs(20))?.unsigned_abs();
        let frame_ancestors = env.optional("DASHBOARD_FRAME_ANCESTORS").unwrap_or_default();
        let frame_ancestors = frame_ancestors.parse().context("read DASHBOARD_FRAME_ANCESTORS")?;
        Ok(Self {
            listen,
            guard: Guard { secrets, write_token, requests_per_second, patience, trusted_proxies, frame_ancestors },
            clients: clients(env, trusted_proxies)?,
            event_streams: Places::new(
                env.parsed_or("DASHBOARD_EVENT_STREAMS", 256)?,
                env.parsed_or("DASHBOARD_EVENT_STREAMS_PER_ADDRESS", 32)?,
            ),
            database_url: env.secret("DATABASE_URL").context("read DATABASE_URL")?,
            connections: env.parsed_or("DASHBOARD_CONNECTIONS", 8)?,
            bucket: env.bucket()?.to_owned(),
            watchlist: env.optional("WATCHLIST").map(str::parse).transpose().context("read WATCHLIST")?,
            stale_after: env.stale_after()?,
            edit_token: env.secret("DASHBOARD_EDIT_TOKEN"),
            clock: env.clock()?,
        })
    }
}

fn require_length(env: &Env, name: &str, least: usize) -> anyhow::Result<()> {
    let is_short = env.optional(name).is_some_and(|secret| secret.chars().count() < least);
    ensure!(
        !is_short,
        "{name} is shorter than {least} characters, and others can try it: openssl rand -hex 24 makes a long one"
    );
    Ok(())
}

fn clients(env: &Env, trusted_proxies: usize) -> anyhow::Result<Places> {
    let most: usize = env.parsed_or("DASHBOARD_CLIENTS", 512)?;
    // All clients of a proxy share its address.
    Ok(Places::new(most, if trusted_proxies > 0 { most } else { most.div_ceil(4) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(more: &[(&str, &str)]) -> anyhow::Result<Config> {
        let base = [("DATABASE_URL", "postgres://u:p@h/d"), ("BUCKET", "b")];
        let variables = base.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::from_env(&Env::from_variables(variables.collect()))
    }

    #[test]
    fn without_a_secret_it_listens_to_its_own_machine_only() {
        let error = config(&[("DASHBOARD_LISTEN", "0.0.0.0:80")]).unwrap_err().to_string();
        assert!(error.contains("DASHBOARD_TOKEN"), "{error}");
        assert!(config(&[("DASHBOARD_LISTEN", "[::1]:80")]).unwrap().guard.secrets.is_none());
        assert!(config(&[("DASHBOARD_LISTEN", "0.0.0.0:80"), ("DASHBOARD_TOKEN", "0123456789abcdef")]).is_ok());
    }

    #[test]
    fn a_secret_that_others_can_try_is_long() {
        for (name, short) in [
            ("DASHBOARD_TOKEN", "0123456789"),
            ("DASHBOARD_PASSWORD", "hunter2"),
            ("DASHBOARD_WRITE_TOKEN", "123456"),
            ("DASHBOARD_EDIT_TOKEN", "0123456789"),
        ] {
            let long = if name == "DASHBOARD_TOKEN" { "DASHBOARD_PASSWORD" } else { "DASHBOARD_TOKEN" };
            let set = [("DASHBOARD_LISTEN", "0.0.0.0:80"), (long, "0123456789abcdef"), (name, short)];
            let error = config(&set).unwrap_err().to_string();
            assert!(error.contains(name) && !error.contains(short), "{error}");
            assert!(config(&[(name, short)]).is_ok(), "on this machine alone nobody else tries");
        }
    }

    #[test]
    fn a_secret_for_reading_is_refused_as_the_write_token() {
        let both = |name| config(&[(name, "0123456789abcdef"), ("DASHBOARD_WRITE_TOKEN", "0123456789abcdef")]);
        for name in ["DASHBOARD_TOKEN", "DASHBOARD_PASSWORD"] {
            assert!(both(name).unwrap_err().to_string().contains("DASHBOARD_WRITE_TOKEN"));
        }
        let alone = config(&[("DASHBOARD_WRITE_TOKEN", "0123456789abcdef")]).unwrap().guard;
        assert!(alone.secrets.is_none() && alone.write_token.is_some());
    }

    #[test]
    fn settings_are_read_in_the_forms_that_people_write() {
        let set = [
            ("WATCHLIST", "s3://b/config/watchlist.toml"),
            ("STALE_AFTER", "3h"),
            ("DASHBOARD_EVENT_STREAMS", "1"),
            ("DASHBOARD_TRUSTED_PROXIES", "1"),
        ];
        let config = config(&set).unwrap();
        let object = Location::Object { bucket: "b".to_owned(), key: "config/watchlist.toml".to_owned() };
        assert_eq!((config.watchlist, config.stale_after.as_hours()), (Some(object), 3));
        let _one = config.event_streams.take(config.listen.ip()).unwrap();
        let second = config.event_streams.take(config.listen.ip());
        assert!(second.is_none());
        assert_eq!(config.guard.trusted_proxies, 1);
        assert_eq!(config.guard.patience, Duration::from_secs(20));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (name, value) in [
            ("WATCHLIST", "s3://b"),
            ("STALE_AFTER", "26"),
            ("DASHBOARD_EVENT_STREAMS", "many"),
            ("DASHBOARD_TRUSTED_PROXIES", "-1"),
            ("DASHBOARD_REQUEST_TIMEOUT", "0s"),
            ("DASHBOARD_FRAME_ANCESTORS", "https://wiki.example; script-src *"),
        ] {
            let error = format!("{:#}", config(&[(name, value)]).unwrap_err());
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn no_secret_is_shown() {
        let set = [
            ("DASHBOARD_TOKEN", "open-sesame"),
            ("DASHBOARD_PASSWORD", "hush"),
            ("DASHBOARD_WRITE_TOKEN", "write!"),
            ("DASHBOARD_EDIT_TOKEN", "open-sesame-too"),
        ];
        let config = config(&set).unwrap();
        let shown = format!("{config:?}");
        assert!(
            !shown.contains("write!") && !shown.contains("sesame") && !shown.contains("hush") && !shown.contains("u:p"),
            "{shown}"
        );
    }
}
