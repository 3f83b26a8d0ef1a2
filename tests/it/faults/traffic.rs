//! The work during the faults: objects, in all their versions, and messages.

use std::time::Duration;

use anyhow::Context;
use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::ports::queue::{NewMessage, Queue};
use candlewick_shared::ports::store::{NewObject, ObjectStore, PutIf};
use futures::future::{try_join_all, try_join3};
use tokio::time::{Instant, sleep, sleep_until};

use super::objects::{File, LEFTOVERS, Version};
use super::plan::{FAILING, Plan};
use super::support::Environment;
use super::tally;

/// The maximum duration of the faults.
const LONGEST: Duration = Duration::from_secs(90);

/// Writes everything at the planned times, and continues until no more faults are injected.
pub async fn send(environment: &Environment, plan: &Plan) -> anyhow::Result<()> {
    let start = Instant::now();
    let files = try_join_all(plan.files.iter().map(|file| write(environment, file, start)));
    let messages = plan.messages.iter().map(|(at, queue, body)| send_one(environment, start + *at, queue, body));
    let tools = plan.files.iter().step_by(7).zip(LEFTOVERS.iter().cycle());
    let left = try_join_all(tools.map(|(file, name)| leave(environment, file, name, start)));
    try_join3(files, try_join_all(messages), left).await?;
    sleep_until(start + FAILING).await;
    until_faults_met_work(environment, plan, start + LONGEST).await
}

/// Waits until half of the objects are loaded and the network has failed in every way. A slow machine or emulator needs
/// longer for that, and faults that end before the work has started show nothing.
async fn until_faults_met_work(environment: &Environment, plan: &Plan, longest: Instant) -> anyhow::Result<()> {
    let half = i64::try_from(plan.files.len() / 2)?;
    let loaded = "select count(*) from objects where etag is not null";
    while Instant::now() < longest {
        // PostgreSQL may be restarting.
        let loaded = sqlx::query_scalar::<_, i64>(loaded).fetch_one(&environment.pool).await;
        if loaded.is_ok_and(|loaded| loaded >= half) && environment.tally.has_every_fault_of_the_network() {
            break;
        }
        sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}

pub async fn write(environment: &Environment, file: &File, start: Instant) -> anyhow::Result<()> {
    let store = environment.store();
    for version in &file.versions {
        sleep_until(start + version.at).await;
        if file.is_archived() {
            archive(environment, file, version).await?;
            continue;
        }
        let object = NewObject::csv(version.body.bytes(), version.metadata.clone());
        store.put(&file.key, object, PutIf::Always).await.context("write an object")?;
    }
    environment.tally.add("archived object", file.is_archived().into());
    environment.tally.add("object overwritten in flight", file.versions.len() as u64 - 1);
    environment.tally.add("broken object", file.broken.is_some().into());
    environment.tally.add("huge object", file.is_huge().into());
    environment.tally.add("starving object", file.is_starving().into());
    environment.tally.add(tally::ODD_KEY, file.has_odd_key().into());
    environment.tally.add(tally::ODD_ROW, file.versions.iter().map(|version| version.odd_rows).sum());
    Ok(())
}

async fn archive(environment: &Environment, file: &File, version: &Version) -> anyhow::Result<()> {
    let put =
        environment.aws.s3().put_object().bucket(&environment.bucket).key(&file.key).body(version.body.bytes().into());
    put.set_storage_class(Some("GLACIER".into())).send().await.context("archive an object").map(|_| ())
}

/// Writes the leftovers of tools next to some of the files.
async fn leave(environment: &Environment, file: &File, name: &str, start: Instant) -> anyhow::Result<()> {
    sleep_until(start + file.versions[0].at).await;
    let folder = file.key.rsplit_once('/').map_or("", |(folder, _)| folder);
    let object = NewObject::csv(Vec::new(), Metadata::new());
    environment.store().put(&format!("{folder}/{name}"), object, PutIf::Always).await.context("leave an object")?;
    environment.tally.add("leftover of a tool", 1);
    Ok(())
}

async fn send_one(environment: &Environment, at: Instant, queue: &str, body: &str) -> anyhow::Result<()> {
    sleep_until(at).await;
    let message = NewMessage { body: body.to_owned(), attributes: Metadata::new() };
    environment.queue(queue).send(&[message]).await.context("send a message")?;
    environment.tally.add("invalid message, or one about nothing", u64::from(!body.contains("\"fetch\"")));
    environment.tally.add(tally::ODD_MESSAGE, u64::from(body.contains('\u{202e}')));
    Ok(())
}

/// Waits for a moment of the plan.
pub async fn until(start: Instant, at: Duration) {
    sleep_until(start + at).await;
}
