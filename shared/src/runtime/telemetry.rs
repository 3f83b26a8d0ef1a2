//! The logs, traces and metrics of a service.
//!
//! Logs go to standard error as lines of text, or as JSON if `LOG_FORMAT` is `json`; `RUST_LOG` selects them. Spans go
//! to the OTLP collector over HTTP at `OTEL_EXPORTER_OTLP_ENDPOINT`, if that is set. `METRICS` selects whether metrics
//! are kept for Prometheus or written to standard output for CloudWatch.

mod metrics;
mod otlp;

use anyhow::Context as _;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

pub use self::metrics::render;
use crate::core::trace::TraceParent;
use crate::runtime::env::Env;

/// The exporters of logs, traces and metrics.
#[derive(Debug, Default)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Installs the exporters for the whole process.
    ///
    /// # Errors
    ///
    /// Returns an error if a setting is invalid. Logs work nevertheless, so that the error can be logged.
    pub fn start(service: &'static str, env: &Env) -> anyhow::Result<Self> {
        let traces =
            env.optional("OTEL_EXPORTER_OTLP_ENDPOINT").map(|endpoint| otlp::provider(service, endpoint)).transpose();
        let exported = traces.as_ref().ok().and_then(Option::as_ref).map(|provider| {
            tracing_opentelemetry::layer().with_tracer(provider.tracer("candlewick")).with_filter(own_spans())
        });
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        tracing_subscriber::registry().with(exported).with(log_layer(env).with_filter(filter)).init();
        metrics::install(service, env)?;
        Ok(Self { traces: traces.context("prepare the exporter for OTEL_EXPORTER_OTLP_ENDPOINT")? })
    }

    /// Sends the remaining spans. This blocks until the collector has answered, for a few seconds at most.
    pub fn stop(self) {
        if let Some(Err(error)) = self.traces.map(|traces| traces.shutdown()) {
            tracing::warn!("some spans were not sent: {error}");
        }
    }
}

/// The spans that are exported: those of Candlewick from level `info`, independent of what is logged.
fn own_spans() -> tracing_subscriber::filter::FilterFn {
    tracing_subscriber::filter::filter_fn(|metadata| {
        metadata.is_span() && *metadata.level() <= tracing::Level::INFO && metadata.target().starts_with("candlewick")
    })
}

fn log_layer<S>(env: &Env) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    if env.optional("LOG_FORMAT") == Some("json") { layer.json().boxed() } else { layer.with_ansi(false).boxed() }
}

/// Makes a span that has not been entered continue the trace of a candle, and links it to the current span, which is
/// that of the message and may be about several candles. Without such a trace it remains a child of the current span.
#[must_use]
pub fn follow(span: Span, parent: Option<TraceParent>) -> Span {
    if let Some(parent) = parent {
        let current = Span::current().context().span().span_context().clone();
        // This fails only if nothing is exported, and then the trace is not needed.
        let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(context_of(parent)));
        if current.is_valid() {
            span.add_link(current);
        }
    }
    span
}

/// The current span, as the parent of the next service's span. `None` if nothing is exported.
#[must_use]
pub fn current() -> Option<TraceParent> {
    let context = Span::current().context();
    let context = context.span().span_context().clone();
    TraceParent::new(
        u128::from_be_bytes(context.trace_id().to_bytes()),
        u64::from_be_bytes(context.span_id().to_bytes()),
    )
}

fn context_of(parent: TraceParent) -> SpanContext {
    let trace = TraceId::from(parent.trace());
    let span = SpanId::from(parent.span());
    SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::default())
}
