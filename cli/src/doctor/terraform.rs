//! Reads addresses from the output of `terraform output -json`.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use candlewick_shared::core::topology::{Topology, dead_letter_url_variable, queue_url_variable};
use serde::Deserialize;

/// An output of Terraform. Its `type` is ignored.
#[derive(Deserialize)]
struct Output<T> {
    value: T,
}

/// The outputs that are used. All others are ignored.
#[derive(Deserialize)]
struct Outputs {
    bucket: Output<String>,
    region: Output<String>,
    queue_urls: Output<BTreeMap<String, String>>,
    dead_letter_queue_urls: Output<BTreeMap<String, String>>,
    alerts_topic_arn: Option<Output<Option<String>>>,
    database_endpoint: Option<Output<Option<String>>>,
}

/// Converts outputs to settings, by variable name. The maps of queues may be keyed by role or by name.
pub fn addresses(text: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let outputs: Outputs = serde_json::from_str(text).context("read JSON")?;
    let mut all =
        BTreeMap::from([("BUCKET".to_owned(), outputs.bucket.value), ("AWS_REGION".to_owned(), outputs.region.value)]);
    for (queue, url) in outputs.queue_urls.value {
        all.insert(queue_url_variable(role_of(&queue)?), url);
    }
    for (queue, url) in outputs.dead_letter_queue_urls.value {
        all.insert(dead_letter_url_variable(role_of(&queue)?), url);
    }
    let optional = [("ALERTS_TOPIC_ARN", outputs.alerts_topic_arn), ("DATABASE_ENDPOINT", outputs.database_endpoint)];
    for (variable, output) in optional {
        all.extend(output.and_then(|output| output.value).map(|value| (variable.to_owned(), value)));
    }
    Ok(all)
}

fn role_of(queue: &str) -> anyhow::Result<&'static str> {
    let mut queues = Topology::current().queues.iter();
    match queues.find(|(role, known)| *role == queue || known.name == queue) {
        Some((role, _)) => Ok(role),
        None => bail!(
            "the topology has no queue {queue:?}: apply the Terraform of this version, or set TOPOLOGY if it is that of a consumer of your own"
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn outputs_become_settings() {
        let url = |name: &str| json!({"value": {name: format!("https://q/1/{name}")}, "type": ["map", "string"]});
        let text = json!({
            "bucket": {"value": "mine", "type": "string", "sensitive": false}, "region": {"value": "eu-west-1"},
            "queue_urls": url("raw"), "dead_letter_queue_urls": url("candlewick-raw"),
            "alerts_topic_arn": {"value": null}, "database_endpoint": {"value": "db:5432"}, "dashboard": {"value": 1}
        });
        let addresses = addresses(&text.to_string()).unwrap();
        let expected = [
            ("AWS_REGION", "eu-west-1"),
            ("BUCKET", "mine"),
            ("DATABASE_ENDPOINT", "db:5432"),
            ("RAW_DLQ_URL", "https://q/1/candlewick-raw"),
            ("RAW_QUEUE_URL", "https://q/1/raw"),
        ];
        assert!(addresses.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(expected), "{addresses:?}");
    }

    #[test]
    fn what_is_missing_or_strange_is_named() {
        let error = |text: &str| format!("{:#}", addresses(text).unwrap_err());
        assert!(error("{}").contains("bucket"));
        assert!(error("Warning: no outputs").contains("read JSON"));
        let strange = json!({"bucket": {"value": "b"}, "region": {"value": "r"},
            "queue_urls": {"value": {"stranger": "u"}}, "dead_letter_queue_urls": {"value": {}}});
        assert!(error(&strange.to_string()).contains("stranger"));
    }
}
