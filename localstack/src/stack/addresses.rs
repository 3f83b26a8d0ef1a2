//! Where everything is: the content of the env file.

use std::collections::BTreeMap;

use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::core::topology::{self, Topology};
use candlewick_shared::runtime::env::Env;

use super::options::{BUCKET, Options, Source};
use crate::env_file::Settings;
use crate::ports::{Picker, Wish};
use crate::provision::QueueUrls;

/// The ports of one run.
#[derive(Clone, Debug)]
pub(super) struct Ports {
    pub(super) emulator: u16,
    pub(super) postgres: u16,
    pub(super) dashboard: u16,
    pub(super) simulator: Option<u16>,
    /// Where each service serves its health.
    pub(super) health: BTreeMap<&'static str, u16>,
}

/// Picks the ports: those that were demanded, else those of the last run if they are free, else any.
pub(super) fn pick(picker: &mut Picker, options: &Options, last: &Settings) -> anyhow::Result<Ports> {
    let remembered = |wish: &Wish, variable: &str| match (wish, last.get(variable).and_then(|url| port_of(url))) {
        (Wish::Any, Some(port)) => Wish::Remembered(port),
        _ => wish.clone(),
    };
    let emulator = picker.pick(&remembered(&options.emulator_port, "AWS_ENDPOINT_URL"))?;
    let postgres = picker.pick(&remembered(&options.postgres_port, "DATABASE_URL"))?;
    let dashboard = picker.pick(&remembered(&options.dashboard_port, "DASHBOARD_URL"))?;
    let simulator = match &options.source {
        Source::Simulator { port, .. } => Some(picker.pick(&remembered(port, "TWELVEDATA_URL"))?),
        Source::TwelveData { .. } => None,
    };
    let mut health = BTreeMap::new();
    for service in Topology::built_in().services.keys() {
        let port = picker.pick(&remembered(&Wish::Any, &health_variable(service)))?;
        health.insert(service.as_str(), port);
    }
    Ok(Ports { emulator, postgres, dashboard, simulator, health })
}

/// The variable with the address at which a service tells its health: `LOADER_HEALTH_URL`.
pub fn health_variable(service: &str) -> String {
    format!("{}_HEALTH_URL", service.to_uppercase())
}

/// The port in a URL that names one.
fn port_of(url: &str) -> Option<u16> {
    let authority = url.split("//").nth(1)?.split('/').next()?;
    authority.rsplit(':').next()?.parse().ok()
}

/// Every address and setting of a running stack, by the name of its variable.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    settings: Settings,
}

impl Addresses {
    pub(super) fn new(emulator: &str, database: String, options: &Options, ports: &Ports) -> Self {
        let mut settings = Settings::new();
        let mut set = |name: &str, value: String| settings.insert(name.to_owned(), value);
        set("AWS_ENDPOINT_URL", emulator.to_owned());
        set("AWS_REGION", "us-east-1".to_owned());
        // The AWS CLI of version 1 and boto3 read this one instead.
        set("AWS_DEFAULT_REGION", "us-east-1".to_owned());
        // An emulator takes any credentials, and wants some.
        set("AWS_ACCESS_KEY_ID", "test".to_owned());
        set("AWS_SECRET_ACCESS_KEY", "test".to_owned());
        set("BUCKET", BUCKET.to_owned());
        set("DATABASE_URL", database);
        set("DASHBOARD_LISTEN", format!("127.0.0.1:{}", ports.dashboard));
        set("DASHBOARD_URL", format!("http://127.0.0.1:{}", ports.dashboard));
        // What was put back is as old as when it was first written.
        set("TRUST_FIRST_WRITTEN", "true".to_owned());
        set("WATCHLIST", options.watchlist.display().to_string());
        set("SCHEDULE", options.schedule.0.clone());
        set("SCHEDULE_TIMEZONE", options.schedule.1.clone());
        for (service, port) in &ports.health {
            set(&health_variable(service), format!("http://127.0.0.1:{port}"));
        }
        match (&options.source, ports.simulator) {
            (Source::Simulator { clock, .. }, Some(port)) => {
                set("TWELVEDATA_URL", format!("http://127.0.0.1:{port}"));
                set("CLOCK", clock.to_string());
            }
            (Source::TwelveData { url: Some(url) }, _) => drop(set("TWELVEDATA_URL", url.clone())),
            _ => {}
        }
        Self { settings }
    }

    pub(super) fn add_queues(&mut self, urls: &QueueUrls, topology: &Topology) {
        for (role, url) in urls {
            let variable = topology::queue_url_variable(role);
            self.settings.insert(variable.replace("_QUEUE_URL", "_DLQ_URL"), topology.dead_letter_name(url));
            self.settings.insert(variable, url.clone());
        }
    }

    /// One of them.
    pub fn get(&self, variable: &str) -> Option<&str> {
        self.settings.get(variable).map(String::as_str)
    }

    /// All of them.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The way to the emulator.
    pub(super) async fn aws(&self) -> anyhow::Result<Aws> {
        let env = self.env();
        let id = env.required("AWS_ACCESS_KEY_ID")?;
        let secret = env.required("AWS_SECRET_ACCESS_KEY")?;
        Ok(Aws::at(env.required("AWS_ENDPOINT_URL")?, env.required("AWS_REGION")?, id, secret).await)
    }

    /// All of them, as a service sees them.
    pub fn env(&self) -> Env {
        Env::from_variables(self.settings.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::Emulator;

    fn addresses(source: Source) -> Addresses {
        let options = Options {
            programs: "target".into(),
            python_home: ".local".into(),
            watchlist: "watchlist.toml".into(),
            schedule: ("off".to_owned(), "UTC".to_owned()),
            emulator: Emulator::default(),
            emulator_port: Wish::Any,
            postgres_port: Wish::Any,
            dashboard_port: Wish::Any,
            source,
        };
        let simulator = matches!(options.source, Source::Simulator { .. }).then_some(8460);
        let ports = Ports { emulator: 1, postgres: 2, dashboard: 3, simulator, health: BTreeMap::new() };
        Addresses::new("http://127.0.0.1:1", "postgres://127.0.0.1:2".to_owned(), &options, &ports)
    }

    #[test]
    fn the_api_is_where_the_owner_says() {
        let proxy = Some("https://proxy.example/twelvedata".to_owned());
        assert_eq!(addresses(Source::TwelveData { url: proxy.clone() }).get("TWELVEDATA_URL"), proxy.as_deref());
        assert_eq!(addresses(Source::TwelveData { url: None }).get("TWELVEDATA_URL"), None);
        let simulator =
            addresses(Source::Simulator { port: Wish::Any, clock: candlewick_shared::core::clock::Clock::Real });
        assert_eq!(simulator.get("TWELVEDATA_URL"), Some("http://127.0.0.1:8460"));
    }

    #[test]
    fn the_port_of_an_address_is_found_again() {
        assert_eq!(port_of("http://127.0.0.1:4566"), Some(4566));
        assert_eq!(port_of("postgres://candlewick:p%3Aw@127.0.0.1:5432/candlewick"), Some(5432));
        assert_eq!(port_of("https://api.twelvedata.com"), None);
    }
}
