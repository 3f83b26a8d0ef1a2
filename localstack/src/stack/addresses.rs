//! The addresses and settings of a running stack, which are the content of the env file.

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
    pub(super) airflow: Option<u16>,
    /// The port of each service's health server, by service.
    pub(super) health: BTreeMap<&'static str, u16>,
}

/// Picks the ports: the requested ones, otherwise those of the last run if they are free, otherwise any.
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
    let airflow = options.airflow.as_ref().map(|own| picker.pick(&remembered(&own.port, "AIRFLOW_URL"))).transpose()?;
    let mut health = BTreeMap::new();
    let topology = Topology::current();
    for service in topology.services.keys().chain(topology.consumers.keys()) {
        let port = picker.pick(&remembered(&Wish::Any, &health_variable(service)))?;
        health.insert(service.as_str(), port);
    }
    Ok(Ports { emulator, postgres, dashboard, simulator, airflow, health })
}

/// Returns the name of the variable with the URL of a service's health server, such as `LOADER_HEALTH_URL`.
pub fn health_variable(service: &str) -> String {
    format!("{}_HEALTH_URL", service.to_uppercase())
}

/// Returns the port of a URL if it contains one.
fn port_of(url: &str) -> Option<u16> {
    let authority = url.split("//").nth(1)?.split('/').next()?;
    authority.rsplit(':').next()?.parse().ok()
}

/// The addresses and settings of a running stack, by variable name.
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
        // Version 1 of the AWS CLI and boto3 read this variable instead.
        set("AWS_DEFAULT_REGION", "us-east-1".to_owned());
        // Emulators accept any credentials, but require some.
        set("AWS_ACCESS_KEY_ID", "test".to_owned());
        set("AWS_SECRET_ACCESS_KEY", "test".to_owned());
        set("BUCKET", BUCKET.to_owned());
        set("DATABASE_URL", database);
        set("DASHBOARD_LISTEN", format!("127.0.0.1:{}", ports.dashboard));
        set("DASHBOARD_URL", format!("http://127.0.0.1:{}", ports.dashboard));
        // Restored objects keep the time at which they were first written.
        set("TRUST_FIRST_WRITTEN", "true".to_owned());
        set("WATCHLIST", options.watchlist.display().to_string());
        set("SCHEDULE", options.schedule.0.clone());
        set("SCHEDULE_TIMEZONE", options.schedule.1.clone());
        if let Some(topology) = &options.topology {
            set("TOPOLOGY", topology.clone());
        }
        if let Some(port) = ports.airflow {
            set("AIRFLOW_URL", format!("http://127.0.0.1:{port}"));
        }
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

    pub fn get(&self, variable: &str) -> Option<&str> {
        self.settings.get(variable).map(String::as_str)
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Creates AWS clients for the emulator.
    pub(super) async fn aws(&self) -> anyhow::Result<Aws> {
        let env = self.env();
        let id = env.required("AWS_ACCESS_KEY_ID")?;
        let secret = env.required("AWS_SECRET_ACCESS_KEY")?;
        Ok(Aws::at(env.required("AWS_ENDPOINT_URL")?, env.required("AWS_REGION")?, id, secret).await)
    }

    /// Returns the settings as the environment of a service.
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
            consumer_programs: "target".into(),
            topology: None,
            python_home: ".local".into(),
            watchlist: "watchlist.toml".into(),
            schedule: ("off".to_owned(), "UTC".to_owned()),
            emulator: Emulator::default(),
            emulator_port: Wish::Any,
            postgres_port: Wish::Any,
            dashboard_port: Wish::Any,
            source,
            airflow: None,
        };
        let simulator = matches!(options.source, Source::Simulator { .. }).then_some(8460);
        let ports = Ports { emulator: 1, postgres: 2, dashboard: 3, simulator, airflow: None, health: BTreeMap::new() };
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
