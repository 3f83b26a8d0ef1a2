//! The conditions that must hold in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use candlewick_shared::adapters::sqs_browse;
use candlewick_shared::core::candle::Candle;
use candlewick_shared::core::clean_csv;
use candlewick_shared::core::event::{self, Notification};
use candlewick_shared::core::invisible::is_invisible;
use candlewick_shared::core::key::{ObjectPath, RawKey, TransformedKey};
use candlewick_shared::core::leftover::is_leftover;
use candlewick_shared::core::metadata::TransformedMetadata;
use candlewick_shared::core::report::Report;
use candlewick_shared::ports::queue::{Message, Queue};
use candlewick_shared::ports::store::{Object, ObjectInfo, ObjectStore};
use futures::future::try_join_all;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::plan::Plan;
use super::support::Environment;
use super::{database, objects::File, outage};

/// The queues that must be empty in the end.
const ROLES: [&str; 4] = ["alerts", "ingest", "raw", "transformed"];

/// How long the services may take to finish the remaining work. It only bounds failures; it is no performance limit.
const PATIENCE: Duration = Duration::from_secs(400);

/// The number of objects that are read concurrently.
const AT_ONCE: usize = 4;

/// A correct transformed object.
pub struct Clean {
    pub key: TransformedKey,
    pub etag: String,
    /// When its raw object was written.
    pub raw_written: Timestamp,
    /// The candles, ascending.
    pub candles: Vec<Candle>,
    /// The cleaning report.
    pub report: Report,
}

/// Waits until all work is done and every condition holds. Returns how long that took.
pub async fn until_whole(environment: &Environment, plan: &Plan) -> anyhow::Result<Duration> {
    let start = Instant::now();
    let mut seen = Vec::new();
    loop {
        let Err(error) = is_quiet_and_whole(environment, plan).await else { return Ok(start.elapsed()) };
        let words = format!("{error:#}");
        if start.elapsed() > PATIENCE {
            return Err(error.context(format!("it never came to this; on the way:\n{}", seen.join("\n"))));
        }
        // The depth of a queue changes all the time, so only the name of the queue identifies the problem.
        let kind = words.split(':').next().unwrap_or_default();
        if !seen.last().is_some_and(|last: &String| last.contains(kind)) {
            seen.push(format!("{:>5.1?}  {words}", start.elapsed()));
        }
        sleep(Duration::from_millis(500)).await;
    }
}

async fn is_quiet_and_whole(environment: &Environment, plan: &Plan) -> anyhow::Result<()> {
    nothing_is_in_flight(environment).await?;
    is_whole(environment, plan).await?;
    nothing_is_in_flight(environment).await
}

async fn nothing_is_in_flight(environment: &Environment) -> anyhow::Result<()> {
    for role in ROLES {
        let depth = environment.queue(role).depth().await?;
        ensure!(depth.is_empty(), "queue {role} is not empty: {depth:?}");
    }
    Ok(())
}

async fn is_whole(environment: &Environment, plan: &Plan) -> anyhow::Result<()> {
    dead_letters_are_those_of_broken_objects(environment, plan).await?;
    outage::is_over(&environment.pool).await?;
    logs_have_no_control_characters(environment)?;
    let raw = newest_raw_objects(environment, plan).await?;
    let clean = clean_objects(environment, plan, &raw).await?;
    ensure!(clean.len() == raw.len(), "{} transformed objects of {} raw ones", clean.len(), raw.len());
    database::is_the_union(&environment.pool, &clean).await?;
    database::ledger_is_right(&environment.pool, &clean).await
}

/// Keys, cells and messages have some, which would act on the terminal of a reader of the logs.
fn logs_have_no_control_characters(environment: &Environment) -> anyhow::Result<()> {
    for log in environment.logs() {
        let text = std::fs::read_to_string(&log).with_context(|| format!("read {}", log.display()))?;
        let is_odd = |line: &&str| line.contains(|c: char| c.is_control() && c != '\t' || is_invisible(c));
        if let Some(line) = text.lines().find(is_odd) {
            bail!("a line of a log with control characters: {line:?}");
        }
    }
    Ok(())
}

/// The raw object from which each transformed object must be made: the newer of a plain and a gzipped one.
async fn newest_raw_objects(
    environment: &Environment,
    plan: &Plan,
) -> anyhow::Result<BTreeMap<ObjectPath, ObjectInfo>> {
    let broken: BTreeSet<_> = plan.objects().filter(|file| file.broken.is_some()).map(|file| &file.key).collect();
    let mut newest: BTreeMap<ObjectPath, ObjectInfo> = BTreeMap::new();
    for info in environment.store().list("raw/").await? {
        if broken.contains(&info.key) || is_leftover(&info.key) {
            continue;
        }
        let RawKey { path, .. } = info.key.parse()?;
        let is_newer = |known: &ObjectInfo| (known.last_modified, &known.key) < (info.last_modified, &info.key);
        if newest.get(&path).is_none_or(is_newer) {
            newest.insert(path, info);
        }
    }
    for file in plan.objects().filter(|file| file.broken.is_none()) {
        let RawKey { path, .. } = file.key.parse()?;
        ensure!(newest.contains_key(&path), "{} is gone", file.key);
    }
    Ok(newest)
}

async fn clean_objects(
    environment: &Environment,
    plan: &Plan,
    raw: &BTreeMap<ObjectPath, ObjectInfo>,
) -> anyhow::Result<Vec<Clean>> {
    let files: BTreeMap<_, _> = plan.objects().map(|file| (file.key.as_str(), file)).collect();
    let all: Vec<_> = raw.iter().collect();
    let mut clean = Vec::new();
    for some in all.chunks(AT_ONCE) {
        let read = some
            .iter()
            .map(|(path, info)| clean_object(environment, path, info, files.get(info.key.as_str()).copied()));
        clean.extend(try_join_all(read).await?);
    }
    Ok(clean)
}

/// The transformed object of a raw object. It must be made from exactly that object, with a report that accounts for
/// every row.
async fn clean_object(
    environment: &Environment,
    path: &ObjectPath,
    raw: &ObjectInfo,
    file: Option<&File>,
) -> anyhow::Result<Clean> {
    let object = get(environment, &path.transformed_key()).await?;
    let origin =
        TransformedMetadata::read(&object.info.metadata)?.context("find where a transformed object came from")?;
    let report = report(environment, path, &origin).await?;
    let quarantined = quarantined(environment, path, &origin).await?;
    let key = &object.info.key;
    ensure!(
        (&origin.raw_key, &origin.raw_etag) == (&raw.key, &raw.etag),
        "{key} is made from another object than {raw:?}"
    );
    ensure!(origin.raw_written == raw.last_modified, "{key} says {} of {raw:?}", origin.raw_written);
    let candles = clean_csv::read(&object.body, &path.series).with_context(|| format!("read {key}"))?.candles;
    ensure!(
        report.source.etag == raw.etag,
        "the report of {key}, which is made from {raw:?}, is about another object: {:?}",
        report.source
    );
    let rows = &report.rows;
    ensure!(rows.accounted_for() == rows.read && rows.written == candles.len() as u64, "{key}: {rows:?}");
    ensure!(rows.quarantined_total() == quarantined, "{key}: {quarantined} rows in quarantine, {rows:?}");
    if let Some(version) = file.and_then(|file| file.versions.last()) {
        ensure!(candles == version.candles && rows.read == version.rows, "{key} is not what was written last");
    }
    let etag = object.info.etag.clone();
    Ok(Clean { key: TransformedKey { path: path.clone() }, etag, raw_written: origin.raw_written, candles, report })
}

/// The report that belongs to a transformed object. Its object must be the one that the metadata names, if any.
async fn report(environment: &Environment, path: &ObjectPath, origin: &TransformedMetadata) -> anyhow::Result<Report> {
    let Some(etag) = &origin.report_etag else {
        return Ok(*origin.report.clone().context("find a report in the metadata")?);
    };
    let object = get(environment, &path.report_key()).await?;
    ensure!(*etag == object.info.etag, "{} is of another cleaning", object.info.key);
    Ok(serde_json::from_slice(&object.body)?)
}

/// The number of rows in the quarantine that belongs to a transformed object.
async fn quarantined(
    environment: &Environment,
    path: &ObjectPath,
    origin: &TransformedMetadata,
) -> anyhow::Result<u64> {
    let Some(etag) = &origin.quarantine_etag else { return Ok(0) };
    let object = get(environment, &path.quarantine_key()).await?;
    ensure!(*etag == object.info.etag, "{} is of another cleaning", object.info.key);
    Ok(csv::Reader::from_reader(&object.body[..]).records().count() as u64)
}

async fn get(environment: &Environment, key: &str) -> anyhow::Result<Object> {
    environment.store().get(key).await?.with_context(|| format!("find {key}"))
}

/// The subject and the class of a dead letter.
struct Found {
    queue: &'static str,
    about: String,
    class: String,
    reason: String,
}

/// Exactly the broken objects have dead letters. An object may have several, if a service was killed at the wrong
/// moment.
async fn dead_letters_are_those_of_broken_objects(environment: &Environment, plan: &Plan) -> anyhow::Result<()> {
    let mut missing: BTreeMap<_, _> =
        plan.letters().map(|letter| ((letter.queue, letter.about.clone()), letter)).collect();
    let expected = missing.clone();
    for queue in ROLES {
        for found in letters(environment, queue).await? {
            let Found { queue, about, class, reason } = found;
            let Some(letter) = expected.get(&(queue, about.clone())) else {
                bail!("a dead letter of {queue} that should not be: {about}: {class}: {reason}");
            };
            ensure!(class == letter.class && reason.contains(letter.words), "{about}: {class}: {reason}");
            missing.remove(&(queue, about));
        }
    }
    ensure!(missing.is_empty(), "no dead letter of {missing:?}");
    Ok(())
}

async fn letters(environment: &Environment, queue: &'static str) -> anyhow::Result<Vec<Found>> {
    let messages = sqs_browse::browse(&environment.aws.sqs(), &environment.dead_letters(queue), 1000).await?;
    Ok(messages.into_iter().map(|message| found(queue, message)).collect())
}

fn found(queue: &'static str, message: Message) -> Found {
    let attribute = |name: &str| message.attributes.get(name).cloned().unwrap_or_default();
    let class = attribute("class");
    let reason = attribute("reason");
    let about = match event::parse(&message.body) {
        Ok(Notification::Objects(objects)) if objects.len() == 1 => objects[0].key.clone(),
        _ => message.body,
    };
    Found { queue, about, class, reason }
}
