//! Sends spans to a collector: OTLP over HTTP, in protobuf.

use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry::KeyValue;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;

use crate::runtime::outgoing;

/// How long the collector may take to accept a batch.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The provider that exports finished spans. OpenTelemetry itself reads `OTEL_EXPORTER_OTLP_HEADERS` and its other
/// variables.
pub fn provider(service: &'static str, endpoint: &str) -> anyhow::Result<SdkTracerProvider> {
    endpoint.parse::<reqwest::Url>().with_context(|| format!("read the URL {endpoint:?}"))?;
    let client = OnRuntime { client: outgoing::client(TIMEOUT)?, runtime: Handle::current() };
    let exporter =
        SpanExporter::builder().with_http().with_http_client(client).build().context("build the exporter")?;
    let resource = Resource::builder()
        .with_service_name(format!("candlewick-{service}"))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// The exporter runs on its own thread outside of the runtime, but the client needs the runtime, so requests are
/// spawned on it.
#[derive(Debug)]
struct OnRuntime {
    client: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for OnRuntime {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sending = self.runtime.spawn(async move {
            let response = client.execute(request.try_into()?).await?;
            let mut answer = Response::builder().status(response.status());
            for (name, value) in response.headers() {
                answer = answer.header(name, value);
            }
            Ok(answer.body(response.bytes().await?)?)
        });
        sending.await?
    }
}
