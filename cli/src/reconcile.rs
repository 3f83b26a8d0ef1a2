//! `candlewick reconcile`: finds the objects that nobody was told of, and tells.

mod decide;
mod look;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use candlewick_localstack::progress::Reporter;
use candlewick_shared::core::topology::{Topology, queue_url_variable};
use candlewick_shared::ports::notifier::{Alert, Kind};
use candlewick_shared::ports::queue::Queue;
use candlewick_shared::ports::store::ObjectInfo;
use candlewick_shared::runtime::service;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sqlx::PgPool;

use self::decide::{Gap, Verdict};
use self::look::Request;
use crate::dead_letters::{self, DeadLetter};
use crate::place::{Place, Running};
use crate::selection::Selection;
use crate::{events, moment, terminal};

/// How old an object must be before its message counts as lost, in seconds, unless somebody says otherwise.
const GRACE_SECONDS: i64 = 600;

/// How often `up` reconciles.
const EVERY: Duration = Duration::from_secs(600);

/// How many letters of a dead-letter queue are looked at for objects that were given up already.
const MOST_LETTERS: usize = 100_000;

/// Finds the objects that are not cleaned or not loaded although nobody gave them up, and sends their S3 events again.
///
/// It compares raw/ with the clean objects and what stands beside them, and the clean objects with the database's ledger.
/// Notifications get lost; run it on a schedule, and each loss lasts no longer than that. It does no harm at any time.
///
/// Left alone are objects that are younger than --older-than, whose messages may still be on their way; those that a dead
/// letter is about; and all of a stage whose queue has as many messages as it misses objects, because they are probably in
/// there.
///
/// Exit code: 0 when it is done, whether anything was missing or not; 1 after an error.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Only objects that were written longer ago, such as 0s, 10m, 2h, by the store's clock
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = moment::seconds)]
    older_than: i64,
    /// Send even where the queue has as many messages as objects are missing
    #[arg(long)]
    regardless: bool,
    /// Tell what is missing, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON: {"dry_run", "raw": compared, "transformed": compared, "missing": [{"key", "gap", "verdict"}], "sent"};
    /// a verdict is send, given_up or in_queue
    #[arg(long)]
    json: bool,
}

/// What was compared, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    dry_run: bool,
    /// How many raw objects were compared.
    raw: u64,
    /// How many clean objects were compared.
    transformed: u64,
    /// What is missing.
    missing: Vec<Missing>,
    /// How many messages were sent.
    sent: u64,
}

/// An object that is not cleaned, or not loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Missing {
    key: String,
    gap: Gap,
    verdict: Verdict,
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let running = place.running().await?;
    let pool = running.pool().await?;
    let Args { selection, older_than, regardless, dry_run, json } = args;
    let before = Timestamp::now().saturating_sub(SignedDuration::from_secs(older_than)).context("reckon the time")?;
    let reconciled = reconcile(&running, &pool, &Request { selection, before, regardless, dry_run }).await;
    tell(&running, &reconciled).await?;
    let reconciled = reconciled?;
    if json {
        terminal::json(&reconciled)?;
    } else {
        terminal::result(&reconciled.told());
    }
    Ok(ExitCode::SUCCESS)
}

/// Reconciles now and then, for as long as it is let, and tells of what was lost. What is down now is asked again later.
pub async fn keep(running: &Running, pool: &PgPool, progress: &Reporter) -> Infallible {
    loop {
        tokio::time::sleep(EVERY).await;
        let grace = SignedDuration::from_secs(GRACE_SECONDS);
        let before = Timestamp::now().saturating_sub(grace).unwrap_or(Timestamp::MIN);
        let request = Request { selection: Selection::default(), before, regardless: false, dry_run: false };
        let reconciled = reconcile(running, pool, &request).await;
        if let Err(error) = tell(running, &reconciled).await {
            progress.line("reconcile", &format!("the alert was not sent: {error:#}"));
        }
        match reconciled {
            Ok(Reconciled { sent: 0, .. }) => {}
            Ok(reconciled) => progress.line("reconcile", &format!("{} lost messages sent again", reconciled.sent)),
            Err(error) => progress.line("reconcile", &format!("not done: {error:#}")),
        }
    }
}

/// Tells the owner that nobody looks for lost notifications, for example because a listing fails, or that it is over.
async fn tell(running: &Running, outcome: &anyhow::Result<Reconciled>) -> anyhow::Result<()> {
    if running.env.optional(&queue_url_variable("alerts")).is_none() {
        return Ok(());
    }
    let notifier = service::notifier("reconcile", &running.env, &running.aws)?;
    let about = |text: &str| Alert::new(Kind::Outage, "reconcile", text);
    let alert = match outcome {
        Ok(_) => about("lost notifications are looked for again").resolved(),
        Err(error) => about(&format!("lost notifications are not looked for: {error:#}")),
    };
    notifier.notify(alert).await;
    Ok(())
}

/// Compares, and sends what is missing.
pub async fn reconcile(running: &Running, pool: &PgPool, request: &Request) -> anyhow::Result<Reconciled> {
    let looked = look::look(running, pool, request).await?;
    let mut reconciled = Reconciled {
        dry_run: request.dry_run,
        raw: looked.raw,
        transformed: looked.transformed,
        ..Reconciled::default()
    };
    let mut to_send: Vec<ObjectInfo> = Vec::new();
    for (role, gaps) in by_role(looked.gaps)? {
        let judged = judge(running, role, gaps, request.regardless).await?;
        for (object, gap, verdict) in judged {
            reconciled.missing.push(Missing { key: object.key.clone(), gap, verdict });
            to_send.extend((verdict == Verdict::Send).then_some(object));
        }
    }
    if !request.dry_run {
        reconciled.sent = events::send(running, &to_send).await?.values().sum();
    }
    Ok(reconciled)
}

type Gaps = Vec<(ObjectInfo, Gap)>;

fn by_role(gaps: Gaps) -> anyhow::Result<BTreeMap<&'static str, Gaps>> {
    let mut all: BTreeMap<&str, Gaps> = BTreeMap::new();
    for (object, gap) in gaps {
        let role = Topology::built_in().role_of_key(&object.key);
        all.entry(role.with_context(|| format!("find the queue that hears of {}", object.key))?)
            .or_default()
            .push((object, gap));
    }
    Ok(all)
}

async fn judge(
    running: &Running,
    role: &str,
    gaps: Gaps,
    regardless: bool,
) -> anyhow::Result<Vec<(ObjectInfo, Gap, Verdict)>> {
    let depth = running.aws.queue(running.env.queue_url(role)?).depth().await?;
    let messages = if regardless { 0 } else { depth.waiting + depth.in_flight + depth.delayed };
    let given_up = decide::given_up(&letters(running, role).await?);
    let objects: Vec<_> = gaps.iter().map(|(object, _)| object).collect();
    let verdicts = decide::verdicts(&objects, &given_up, messages);
    Ok(gaps.into_iter().zip(verdicts).map(|((object, gap), verdict)| (object, gap, verdict)).collect())
}

/// The dead letters of a queue, which stay where they are.
async fn letters(running: &Running, role: &str) -> anyhow::Result<Vec<DeadLetter>> {
    let letters = dead_letters::take(&running.aws, &running.env, role, MOST_LETTERS).await?;
    dead_letters::give_back(&running.aws, &running.env, role, letters.iter()).await?;
    Ok(letters)
}

impl Reconciled {
    fn told(&self) -> String {
        let line =
            |missing: &Missing| format!("{}: {}; {}\n", missing.key, missing.gap, missing.verdict.told(self.dry_run));
        let lines: String = self.missing.iter().map(line).collect();
        let compared = format!("{} raw and {} clean objects compared", self.raw, self.transformed);
        format!("{lines}{compared}, {} missing, {} messages sent", self.missing.len(), self.sent)
    }
}
