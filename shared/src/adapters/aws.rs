//! Clients of AWS, or of a compatible server at `AWS_ENDPOINT_URL`.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_sqs::config::Credentials;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

use crate::adapters::s3::S3Store;
use crate::adapters::sqs::SqsQueue;

/// Clients that share one configuration and one connection pool.
#[derive(Clone, Debug)]
pub struct Aws {
    config: SdkConfig,
}

impl Aws {
    /// Reads the region, credentials and endpoint from where every AWS program finds them. Calls no service yet.
    pub async fn from_env() -> Self {
        Self { config: loader().load().await }
    }

    /// An AWS-compatible server at its own address, with its own region and credentials.
    pub async fn at(endpoint: &str, region: &str, key_id: &str, secret: &str) -> Self {
        let credentials = Credentials::new(key_id, secret, None, None, "settings");
        let loader = loader().credentials_provider(credentials).region(Region::new(region.to_owned()));
        Self { config: loader.endpoint_url(endpoint).load().await }
    }

    /// Like [`Self::from_env`], but in the given region.
    pub async fn in_region(region: &str) -> Self {
        Self { config: loader().region(Region::new(region.to_owned())).load().await }
    }

    /// The shared configuration, to build clients of other services.
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// A client of S3. With a custom endpoint it puts the bucket into the path, because emulators have no host name for
    /// each bucket.
    #[must_use]
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let path_style = self.config.endpoint_url().is_some();
        let builder = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(path_style);
        aws_sdk_s3::Client::from_conf(builder.build())
    }

    /// A client of SQS with the shared configuration.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    /// A client of Secrets Manager with the shared configuration.
    #[must_use]
    pub fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.config)
    }

    /// The object store in the bucket with this name.
    #[must_use]
    pub fn store(&self, bucket: &str) -> S3Store {
        S3Store::new(self.s3(), bucket)
    }

    /// The SQS queue at this URL.
    #[must_use]
    pub fn queue(&self, url: &str) -> SqsQueue {
        SqsQueue::new(self.sqs(), url)
    }
}

fn loader() -> ConfigLoader {
    let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(client)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(timeouts())
        .stalled_stream_protection(stalled_streams())
}

/// Bodies are read at once and completely, so a body that makes no progress has stalled in the network and not here.
/// The grace period lets a short interruption pass without losing what has already arrived.
fn stalled_streams() -> StalledStreamProtectionConfig {
    StalledStreamProtectionConfig::enabled().grace_period(Duration::from_secs(20)).build()
}

/// An attempt must outlast a long poll of 20 s. A server that does not accept a connection within a few seconds is
/// down.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(60))
        .build()
}
