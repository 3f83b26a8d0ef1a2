//! Installs the exporter of metrics.

use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::runtime::env::Env;

/// The recorder whose metrics `/metrics` shows.
static PROMETHEUS: OnceLock<PrometheusHandle> = OnceLock::new();

/// How often metrics are written for CloudWatch. A document of its format has room for 100 values of a histogram.
const EMF_INTERVAL: Duration = Duration::from_secs(1);

/// The upper bounds of histograms in seconds, from the time of a query to a message that waited for a day.
const BOUNDS: [f64; 16] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 600.0, 3600.0, 86400.0];

/// Installs the exporter that `METRICS` names: `prometheus` (the default), `emf` or `off`.
pub fn install(service: &'static str, env: &Env) -> anyhow::Result<()> {
    match env.optional("METRICS").unwrap_or("prometheus") {
        "prometheus" => prometheus(service),
        "emf" => emf(service),
        "off" => Ok(()),
        other => bail!("METRICS is {other:?}: write prometheus, emf or off"),
    }
}

fn prometheus(service: &'static str) -> anyhow::Result<()> {
    let builder = PrometheusBuilder::new()
        .add_global_label("service", service)
        .set_buckets_for_metric(Matcher::Suffix("seconds".to_owned()), &BOUNDS)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("duration".to_owned()), &BOUNDS));
    let recorder = builder.context("set the bounds of histograms")?.build_recorder();
    let _ = PROMETHEUS.set(recorder.handle());
    metrics::set_global_recorder(recorder).map_err(|_| anyhow!("a metrics recorder is already installed"))
}

fn emf(service: &'static str) -> anyhow::Result<()> {
    let builder = metrics_cloudwatch_embedded::Builder::new()
        .cloudwatch_namespace("Candlewick")
        .with_dimension("service", service)
        .with_auto_flush_interval(EMF_INTERVAL);
    builder.init().map(|_| ()).map_err(|error| anyhow!("open metrics for CloudWatch: {error}"))
}

/// The metrics in the text format of Prometheus, or `None` if they are exported elsewhere.
#[must_use]
pub fn render() -> Option<String> {
    PROMETHEUS.get().map(|handle| {
        handle.run_upkeep();
        handle.render()
    })
}
