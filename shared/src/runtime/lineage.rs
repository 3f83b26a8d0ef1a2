//! Where lineage is told: beside the reports, to a server, both, or nowhere.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::core::lineage::{RunEvent, Work};
use crate::core::metadata::Metadata;
use crate::ports::store::{NewObject, ObjectStore, PutIf};
use crate::runtime::env::Env;
use crate::runtime::outgoing;

/// How long a server of lineage may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tells what was made of what. Nothing waits for it and nothing fails by it: what cannot be told is logged.
#[derive(Clone, Default)]
pub struct Lineage {
    bucket: String,
    objects: Option<Arc<dyn ObjectStore>>,
    server: Option<(reqwest::Client, String)>,
}

impl Lineage {
    /// As the settings say: `OPENLINEAGE` is `objects` or `off` (the default), `OPENLINEAGE_URL` the address of a server.
    ///
    /// # Errors
    /// A setting that is not of its form.
    pub fn from_env(env: &Env, store: Arc<dyn ObjectStore>) -> anyhow::Result<Self> {
        let objects = match env.optional("OPENLINEAGE").unwrap_or("off") {
            "objects" => Some(store),
            "off" => None,
            other => bail!("OPENLINEAGE is {other:?}: write objects or off"),
        };
        let server = env.optional("OPENLINEAGE_URL").map(server).transpose()?;
        Ok(Self { bucket: format!("s3://{}", env.bucket()?), objects, server })
    }

    /// The namespace of the objects of the bucket.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Tells of a piece of work; `beside` is the key of the report on it.
    pub async fn tell(&self, work: &Work<'_>, beside: &str) {
        if self.objects.is_none() && self.server.is_none() {
            return;
        }
        let events = work.events();
        let (kept, sent) = tokio::join!(self.keep(work.job, &events, beside), self.send(&events));
        if let Err(error) = kept.and(sent) {
            tracing::warn!(beside, "lineage is not told: {error:#}");
        }
    }

    /// Writes the events as JSON lines.
    async fn keep(&self, job: &str, events: &[RunEvent], beside: &str) -> anyhow::Result<()> {
        let Some(store) = &self.objects else { return Ok(()) };
        let mut lines = Vec::new();
        for event in events {
            serde_json::to_writer(&mut lines, event).context("write the event")?;
            lines.push(b'\n');
        }
        let key = format!("{}.{job}.openlineage.jsonl", beside.trim_end_matches(".json"));
        store
            .put(&key, NewObject::json(lines, Metadata::new()), PutIf::Always)
            .await
            .map(|_| ())
            .context("keep the events")
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
    Ok((outgoing::client(PATIENCE)?, format!("{}/api/v1/lineage", url.trim_end_matches('/'))))
}
