//! What a running service tells about itself: logs, traces and metrics.
//!
//! Logs go to standard error: lines for people, or JSON where `LOG_FORMAT` is `json`; `RUST_LOG` chooses what is logged. Spans
//! go to a collector of OTLP over HTTP at `OTEL_EXPORTER_OTLP_ENDPOINT`, and nowhere where that is not set. Metrics are kept
//! for Prometheus, or written to standard output for CloudWatch: `METRICS`.

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

/// The way of logs, traces and metrics out of the process.
#[derive(Debug, Default)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Opens it for the whole process.
    ///
    /// # Errors
    /// A setting that is not of its form. Logs work from then on all the same, so that the error can be told.
    pub fn start(service: &'static str, env: &Env) -> anyhow::Result<Self> {
        let traces =
            env.optional("OTEL_EXPORTER_OTLP_ENDPOINT").map(|endpoint| otlp::provider(service, endpoint)).transpose();
        let exported = traces.as_ref().ok().and_then(Option::as_ref).map(|provider| {
            tracing_opentelemetry::layer().with_tracer(provider.tracer("candlewick")).with_filter(own_spans())
        });
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        tracing_subscriber::registry().with(exported).with(log_layer(env).with_filter(filter)).init();
        metrics::install(service, env)?;
        Ok(Self { traces: traces.context("open the way to the collector of OTEL_EXPORTER_OTLP_ENDPOINT")? })
    }

    /// Sends what has not been sent. It blocks for as long as the collector takes, a few seconds at the most.
    pub fn stop(self) {
        if let Some(Err(error)) = self.traces.map(|traces| traces.shutdown()) {
            tracing::warn!("some spans were not sent: {error}");
        }
    }
}

/// The spans that are exported: our own, from `info` on, whatever is logged.
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

/// Makes a span that has not been entered go on with the trace of a candle, and links it to the span that is current: that of
/// the message, which may be about several candles. Where there is no trace to go on with, it stays a child of the latter.
#[must_use]
pub fn follow(span: Span, parent: Option<TraceParent>) -> Span {
    if let Some(parent) = parent {
        let current = Span::current().context().span().span_context().clone();
        // It fails only where nothing is exported, and then nobody misses the trace.
        let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(context_of(parent)));
        if current.is_valid() {
            span.add_link(current);
        }
    }
    span
}

/// The current span as the parent of what comes after it in another service; none where nothing is exported.
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
    let (trace, span) = (TraceId::from(parent.trace()), SpanId::from(parent.span()));
    SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::default())
}
