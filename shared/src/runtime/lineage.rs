//! Sends lineage events to objects next to the reports, to a server, to both or to neither.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::core::lineage::{LineageEvent, RunEvent};
use crate::core::metadata::Metadata;
use crate::ports::store::{NewObject, ObjectStore, PutIf};
use crate::runtime::env::Env;
use crate::runtime::outgoing;

/// How long a lineage server may take to answer an event.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Sends lineage events. A failure is logged and affects nothing else.
#[derive(Clone, Default)]
pub struct Lineage {
    bucket: String,
    objects: Option<Arc<dyn ObjectStore>>,
    server: Option<(reqwest::Client, String)>,
}

impl Lineage {
    /// Reads the settings `OPENLINEAGE` (`objects` or `off`, the default) and `OPENLINEAGE_URL` (a server's address).
    ///
    /// # Errors
    ///
    /// Returns an error if a setting is invalid.
    pub fn from_env(env: &Env, store: Arc<dyn ObjectStore>) -> anyhow::Result<Self> {
        let objects = match env.optional("OPENLINEAGE").unwrap_or("off") {
            "objects" => Some(store),
            "off" => None,
            other => bail!("OPENLINEAGE is {other:?}: write objects or off"),
        };
        let server = env.optional("OPENLINEAGE_URL").map(server).transpose()?;
        Ok(Self { bucket: format!("s3://{}", env.bucket()?), objects, server })
    }

    /// The namespace of the bucket's objects.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Sends the events of a piece of work. `report` is the key of its report.
    pub async fn report(&self, event: &LineageEvent<'_>, report: &str) {
        if self.objects.is_none() && self.server.is_none() {
            return;
        }
        let events = event.events();
        let (stored, sent) = tokio::join!(self.store(event.job, &events, report), self.send(&events));
        if let Err(error) = stored.and(sent) {
            tracing::warn!(report, "lineage was not reported: {error:#}");
        }
    }

    /// Writes the events as JSON lines.
    async fn store(&self, job: &str, events: &[RunEvent], report: &str) -> anyhow::Result<()> {
        let Some(store) = &self.objects else { return Ok(()) };
        let mut lines = Vec::new();
        for event in events {
            serde_json::to_writer(&mut lines, event).context("write the event")?;
            lines.push(b'\n');
        }
        let key = format!("{}.{job}.openlineage.jsonl", report.trim_end_matches(".json"));
        store
            .put(&key, NewObject::json(lines, Metadata::new()), PutIf::Always)
            .await
            .map(|_| ())
            .context("store the events")
    }

    async fn send(&self, events: &[RunEvent]) -> anyhow::Result<()> {
        let Some((client, url)) = &self.server else { return Ok(()) };
        for event in events {
            let answer = client.post(url).json(event).send().await.map_err(reqwest::Error::without_url);
            let status = answer.context("send an event to OPENLINEAGE_URL")?.status();
            ensure!(status.is_success(), "OPENLINEAGE_URL answered {status} to an event");
        }
        Ok(())
    }
}

fn server(url: &str) -> anyhow::Result<(reqwest::Client, String)> {
    outgoing::address("OPENLINEAGE_URL", url)?;
    Ok((outgoing::client(TIMEOUT)?, format!("{}/api/v1/lineage", url.trim_end_matches('/'))))
}
