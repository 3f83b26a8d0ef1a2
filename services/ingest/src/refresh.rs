//! Answers a refresh message with one message per series, a page of the watchlist at a time.
//!
//! Each refresh message covers one page and sends the message for the next one, so neither messages nor memory grow with
//! the watchlist. The steps are ordered so that a crash between any two of them loses nothing: first the run records which
//! series it expects, then the messages are sent, then the page is marked as done.

pub mod cron;
pub mod freshness;
pub mod page;
pub mod schedule;

use anyhow::Context;
use candlewick_shared::adapters::watchlist_source::NoWatchlist;
use candlewick_shared::core::ingest_message::{IngestMessage, Refresh};
use candlewick_shared::core::key::Series;
use candlewick_shared::core::run::Run;
use candlewick_shared::core::watchlist::Watchlist;
use candlewick_shared::ports::queue::{NewMessage, Queue};
use candlewick_shared::runtime::outcome::{Failure, Outcome, Setback, Settled};

use crate::context::{Ingest, WATCHLIST_RETRY};
use crate::refresh::page::{PAGE, Page};

/// Handles one refresh message. `message` is its id.
pub async fn handle(ingest: &Ingest, request: &Refresh, message: &str) -> Outcome {
    if request.replace && request.symbols.is_empty() {
        return Err(Failure::new("bad_message", "a refresh with `replace` must name its symbols").into());
    }
    let run = request.run(message, (ingest.now)());
    if !is_next(ingest, &run, request, message).await? {
        return Ok(Settled::Superseded(format!("page {} of run {} was already sent", request.number(), run.id)));
    }
    let page = read_page(ingest, &run, request).await?;
    send_page(ingest, &run, request, page).await?;
    Ok(Settled::Done)
}

/// Whether this page is still to be sent and, for the first page, whether this message is the one that starts the run.
async fn is_next(ingest: &Ingest, run: &Run, request: &Refresh, message: &str) -> Result<bool, Setback> {
    if request.page.is_none() && !ingest.runs.begin(run, message, (ingest.now)()).await? {
        return Ok(false);
    }
    Ok(ingest.runs.pages(&run.id).await?.is_some_and(|done| done <= request.number()))
}

/// The page of the current watchlist. While the watchlist is invalid the run waits and records why.
async fn read_page(ingest: &Ingest, run: &Run, request: &Refresh) -> Result<Page, Setback> {
    match ingest.watchlist.read().await {
        Ok(watchlist) => page_of(ingest, run, request, &watchlist).await,
        Err(broken @ (NoWatchlist::Broken { .. } | NoWatchlist::BadCalendar(_))) => {
            let reason = broken.to_string();
            ingest.runs.waits(&run.id, &reason).await?;
            Err(Setback::Later { wait: WATCHLIST_RETRY, reason: format!("run {}: {reason}", run.id) })
        }
        Err(unreachable) => Err(unreachable.into()),
    }
}

async fn page_of(ingest: &Ingest, run: &Run, request: &Refresh, watchlist: &Watchlist) -> Result<Page, Setback> {
    match page::page(watchlist, request, PAGE) {
        Ok(page) => Ok(page),
        Err(symbol) => {
            let reason = format!("{symbol} is not on the watchlist: add it, and refresh again");
            ingest.runs.give_up(&run.id, &reason).await?;
            Err(Failure::new("unknown_symbol", reason).into())
        }
    }
}

async fn send_page(ingest: &Ingest, run: &Run, request: &Refresh, page: Page) -> Result<(), Setback> {
    let next = page.series.last().filter(|_| !page.is_last).map(|last| request.next(&run.id, last));
    let due = due(ingest, request, page.series).await?;
    let count = due.len();
    ingest.runs.expect(&run.id, &due).await?;
    let fetches = page::messages(due, &run.id, request.replace);
    send(ingest, fetches.into_iter().chain(next.map(IngestMessage::Refresh))).await?;
    ingest.runs.page_done(&run.id, request.number(), page.is_last).await?;
    tracing::info!(run = run.id, page = request.number(), series = count, is_last = page.is_last, "sent a page");
    Ok(())
}

/// The series of a page that were not fetched since the time that the refresh names.
async fn due(ingest: &Ingest, request: &Refresh, series: Vec<Series>) -> Result<Vec<Series>, Setback> {
    let Some(before) = request.fetched_before else { return Ok(series) };
    let mut due = Vec::new();
    for series in series {
        if freshness::is_due(ingest.store.as_ref(), &series, before, (ingest.now)()).await? {
            due.push(series);
        }
    }
    Ok(due)
}

/// Sends messages in order. The next page comes last: it must not exist before all of this page does.
async fn send(ingest: &Ingest, messages: impl Iterator<Item = IngestMessage>) -> Result<(), Setback> {
    let bodies: Result<Vec<_>, _> = messages.map(|message| serde_json::to_string(&message)).collect();
    let bodies = bodies.context("write messages")?.into_iter();
    let messages: Vec<_> = bodies.map(|body| NewMessage { body, ..NewMessage::default() }).collect();
    Ok(ingest.queue.send(&messages).await?)
}
