//! The sinks that the settings name.

use std::sync::Arc;

use candlewick_shared::adapters::aws::Aws;
use reqwest::Client;
use secrecy::SecretString;

use super::event_bus::EventBus;
use super::signed_webhook::{SignedWebhook, SigningKey};
use super::sink::Sink;
use super::sns::Topic;

/// The sinks of the settings. Every sink that is set is used.
#[derive(Debug, Default)]
pub struct Sinks {
    /// `LOADED_SNS_TOPIC_ARN`.
    pub topic: Option<String>,
    /// `LOADED_EVENT_BUS`, a name or an ARN.
    pub event_bus: Option<String>,
    /// `LOADED_WEBHOOK_URL` and `LOADED_WEBHOOK_SECRET`.
    pub webhook: Option<(SecretString, SigningKey)>,
}

impl Sinks {
    pub fn open(&self, http: &Client, aws: &Aws) -> Vec<Arc<dyn Sink>> {
        let mut sinks: Vec<Arc<dyn Sink>> = Vec::new();
        if let Some(topic) = self.topic.clone() {
            sinks.push(Arc::new(Topic { client: aws_sdk_sns::Client::new(aws.config()), topic }));
        }
        if let Some(bus) = self.event_bus.clone() {
            sinks.push(Arc::new(EventBus { client: aws_sdk_eventbridge::Client::new(aws.config()), bus }));
        }
        if let Some((url, key)) = self.webhook.clone() {
            sinks.push(Arc::new(SignedWebhook { http: http.clone(), url, key }));
        }
        sinks
    }
}
