//! The health of Airflow, as it reports it itself.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::sleep;

use crate::http;

const POLL_INTERVAL: Duration = Duration::from_millis(250);
const PATH: &str = "/api/v2/monitor/health";
const PARTS: [&str; 4] = ["metadatabase", "scheduler", "dag_processor", "triggerer"];

/// Waits without limit until every part is healthy. `missing` receives what is not.
pub(super) async fn wait(port: u16, since: Timestamp, missing: &mut String) {
    loop {
        if let Some(health) = http::get(port, PATH).await.ok().and_then(|response| http::json(&response)) {
            let parts = unhealthy(&health, since);
            if parts.is_empty() {
                return;
            }
            *missing = format!("not healthy: {}", parts.join(", "));
        }
        sleep(POLL_INTERVAL).await;
    }
}

/// The parts that are not healthy. A sign of life from before `since` is that of an earlier run.
fn unhealthy(health: &Value, since: Timestamp) -> Vec<&'static str> {
    PARTS.into_iter().filter(|part| !is_healthy(&health[part], part, since)).collect()
}

fn is_healthy(part: &Value, name: &str, since: Timestamp) -> bool {
    let heartbeat = part[format!("latest_{name}_heartbeat")].as_str().and_then(|time| time.parse::<Timestamp>().ok());
    let is_recent = name == "metadatabase" || heartbeat.is_some_and(|time| time >= since);
    part["status"] == "healthy" && is_recent
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn health(scheduler: &str, heartbeat: &str) -> Value {
        json!({
            "metadatabase": {"status": "healthy"},
            "scheduler": {"status": scheduler, "latest_scheduler_heartbeat": heartbeat},
            "dag_processor": {"status": "healthy", "latest_dag_processor_heartbeat": "2024-12-30T22:00:09+00:00"},
            "triggerer": {"status": "healthy", "latest_triggerer_heartbeat": "2024-12-30T22:00:09.5Z"},
        })
    }

    #[test]
    fn it_is_healthy_when_all_parts_gave_a_sign_of_life_since_the_start() {
        let since: Timestamp = "2024-12-30T22:00:05Z".parse().unwrap();
        let none: [&str; 0] = [];
        assert_eq!(unhealthy(&health("healthy", "2024-12-30T22:00:06Z"), since), none);
        assert_eq!(unhealthy(&health("unhealthy", "2024-12-30T22:00:06Z"), since), ["scheduler"]);
        assert_eq!(unhealthy(&health("healthy", "2024-12-30T22:00:04Z"), since), ["scheduler"], "an earlier run's");
        assert_eq!(unhealthy(&json!({"detail": "not found"}), since), PARTS);
        assert_eq!(unhealthy(&json!(null), since), PARTS);
    }
}
