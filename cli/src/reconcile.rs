//! `candlewick reconcile`: finds objects whose messages were lost, and sends the messages again.

mod decide;
mod scan;

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use candlewick_localstack::progress::Reporter;
use candlewick_shared::core::topology::queue_url_variable;
use candlewick_shared::ports::notifier::{Alert, Kind};
use candlewick_shared::ports::queue::Queue;
use candlewick_shared::ports::store::ObjectInfo;
use candlewick_shared::reads::dead_letters::{self, DeadLetter};
use candlewick_shared::runtime::service;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sqlx::PgPool;

use self::decide::{Gap, Verdict};
use self::scan::Request;
use crate::place::{Deployment, Place};
use crate::selection::Selection;
use crate::{moment, s3_events, terminal};

/// How old an object must be before `up` considers its message lost, in seconds. Equal to the default of --older-than.
const GRACE_SECONDS: i64 = 600;

/// How often `up` reconciles.
const EVERY: Duration = Duration::from_secs(600);

/// The most letters of each dead-letter queue that are read to find objects that were given up.
const MOST_LETTERS: usize = 100_000;

/// Finds objects that were never cleaned or loaded because their message was lost, and sends their S3 events again.
///
/// It compares the raw objects with the transformed objects and their Parquet, and the transformed objects with the
/// objects ledger in the database. With COLUMNAR=off it does not look for Parquet. S3 notifications can get lost: run it on a schedule, so that a loss lasts no longer than the interval. It
/// can run at any time without harm. `candlewick up` runs it every ten minutes.
///
/// It skips objects younger than --older-than, because their messages may still be on the way, and objects that a dead
/// letter is about. It skips a stage if its queue has at least as many messages as objects are missing, because their
/// messages are probably in the queue; --regardless turns this off.
///
/// Needs the bucket, the queues and the database. If an alerts queue is set, a failure raises an alert, and the next
/// success ends it.
///
/// Exit codes: 0 on success, whether anything was missing or not; 1 after an error.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Only objects written longer ago than this, such as 0s, 10m or 2h, by the clock of S3
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = moment::seconds)]
    older_than: i64,
    /// Send even if the queue has as many messages as objects are missing
    #[arg(long)]
    regardless: bool,
    /// Show what is missing, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON: {"dry_run", "raw": objects compared, "transformed": objects compared, "missing": [{"key", "gap",
    /// "verdict"}], "sent": messages}; gap is never_cleaned, cleaned_before, no_columns, never_loaded or loaded_before;
    /// verdict is send, given_up or in_queue
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    dry_run: bool,
    /// Raw objects compared.
    raw: u64,
    /// Transformed objects compared.
    transformed: u64,
    missing: Vec<Missing>,
    /// Messages sent.
    sent: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Missing {
    key: String,
    gap: Gap,
    verdict: Verdict,
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let deployment = place.running().await?;
    let pool = deployment.pool().await?;
    let Args { selection, older_than, regardless, dry_run, json } = args;
    let before = Timestamp::now().saturating_sub(SignedDuration::from_secs(older_than)).context("compute the time")?;
    let reconciled = reconcile(&deployment, &pool, &Request { selection, before, regardless, dry_run }).await;
    report_outcome(&deployment, &reconciled).await?;
    let reconciled = reconciled?;
    if json {
        terminal::json(&reconciled)?;
    } else {
        terminal::result(&reconciled.summary());
    }
    Ok(ExitCode::SUCCESS)
}

/// Reconciles periodically until it is dropped, and reports what was lost. After an error it goes on with the next
/// round.
pub async fn run_periodically(deployment: &Deployment, pool: &PgPool, progress: &Reporter) -> Infallible {
    loop {
        tokio::time::sleep(EVERY).await;
        let grace = SignedDuration::from_secs(GRACE_SECONDS);
        let before = Timestamp::now().saturating_sub(grace).unwrap_or(Timestamp::MIN);
        let request = Request { selection: Selection::default(), before, regardless: false, dry_run: false };
        let reconciled = reconcile(deployment, pool, &request).await;
        if let Err(error) = report_outcome(deployment, &reconciled).await {
            progress.line("reconcile", &format!("the alert was not sent: {error:#}"));
        }
        match reconciled {
            Ok(Reconciled { sent: 0, .. }) => {}
            Ok(reconciled) => progress.line("reconcile", &format!("sent {} lost messages again", reconciled.sent)),
            Err(error) => progress.line("reconcile", &format!("failed: {error:#}")),
        }
    }
}

/// Raises an alert if reconciling failed, or resolves it after a success.
async fn report_outcome(deployment: &Deployment, outcome: &anyhow::Result<Reconciled>) -> anyhow::Result<()> {
    if deployment.env.optional(&queue_url_variable("alerts")).is_none() {
        return Ok(());
    }
    let notifier = service::notifier("reconcile", &deployment.env, &deployment.aws)?;
    let about = |text: &str| Alert::new(Kind::Outage, "reconcile", text);
    let alert = match outcome {
        Ok(_) => about("reconcile searches for lost notifications again").resolved(),
        Err(error) => about(&format!("reconcile cannot search for lost notifications: {error:#}")),
    };
    notifier.notify(alert).await;
    Ok(())
}

/// Compares the stages and sends the missing messages.
pub async fn reconcile(deployment: &Deployment, pool: &PgPool, request: &Request) -> anyhow::Result<Reconciled> {
    let scanned = scan::scan(deployment, pool, request).await?;
    let mut reconciled = Reconciled {
        dry_run: request.dry_run,
        raw: scanned.raw,
        transformed: scanned.transformed,
        ..Reconciled::default()
    };
    let mut to_send: Vec<ObjectInfo> = Vec::new();
    for (role, gaps) in s3_events::by_role(scanned.gaps, |(object, _)| &object.key)? {
        let judged = judge(deployment, role, gaps, request.regardless).await?;
        for (object, gap, verdict) in judged {
            reconciled.missing.push(Missing { key: object.key.clone(), gap, verdict });
            to_send.extend((verdict == Verdict::Send).then_some(object));
        }
    }
    if !request.dry_run {
        reconciled.sent = s3_events::send(deployment, &to_send).await?.values().sum();
    }
    Ok(reconciled)
}

type Gaps = Vec<(ObjectInfo, Gap)>;

async fn judge(
    deployment: &Deployment,
    role: &str,
    gaps: Gaps,
    regardless: bool,
) -> anyhow::Result<Vec<(ObjectInfo, Gap, Verdict)>> {
    let depth = deployment.aws.queue(deployment.env.queue_url(role)?).depth().await?;
    let messages = if regardless { 0 } else { depth.waiting + depth.in_flight + depth.delayed };
    let given_up = decide::given_up(&letters(deployment, role).await?);
    let objects: Vec<_> = gaps.iter().map(|(object, _)| object).collect();
    let verdicts = decide::verdicts(&objects, &given_up, messages);
    Ok(gaps.into_iter().zip(verdicts).map(|((object, gap), verdict)| (object, gap, verdict)).collect())
}

/// Reads the dead letters of a queue and leaves them there.
async fn letters(deployment: &Deployment, role: &str) -> anyhow::Result<Vec<DeadLetter>> {
    let letters = dead_letters::hold(&deployment.aws, &deployment.env, role, MOST_LETTERS).await?;
    dead_letters::give_back(&deployment.aws, &deployment.env, role, letters.iter()).await?;
    Ok(letters)
}

impl Reconciled {
    fn summary(&self) -> String {
        let line =
            |missing: &Missing| format!("{}: {}; {}\n", missing.key, missing.gap, missing.verdict.text(self.dry_run));
        let lines: String = self.missing.iter().map(line).collect();
        let compared = format!("{} raw and {} transformed objects compared", self.raw, self.transformed);
        format!("{lines}{compared}, {} missing, {} messages sent", self.missing.len(), self.sent)
    }
}
