//! Lays a run out: from the message that asks for it to a message for each of its series.
//!
//! A message of a refresh is answered with those of one page, and with the message for the next page: no message, and
//! nothing in memory, grows with the watchlist but the list itself. What is done is noted in an order in which a death at
//! any moment loses nothing: first what the run expects, then the messages, then that the page is done.

use std::time::Duration;

use anyhow::Context;
use candlewick_shared::adapters::watchlist_source::NoWatchlist;
use candlewick_shared::core::ingest_message::{IngestMessage, Refresh};
use candlewick_shared::core::key::Series;
use candlewick_shared::core::run::Run;
use candlewick_shared::ports::queue::{NewMessage, Queue};
use candlewick_shared::runtime::outcome::{Failure, Outcome, Setback, Settled};

use crate::due;
use crate::handler::Ingest;
use crate::refresh::{self, PAGE, Part};

/// How long a run, or a series of it, waits for somebody to mend the watchlist, before it looks again.
pub(crate) const MEND: Duration = Duration::from_secs(300);

impl Ingest {
    /// Answers a message of a refresh.
    pub(crate) async fn lay_out(&self, asked: &Refresh, message: &str) -> Outcome {
        if asked.replace && asked.symbols.is_empty() {
            return Err(Failure::new("bad_message", "`replace` must name the symbols that it is meant for").into());
        }
        let run = asked.run(message, (self.now)());
        if !self.is_to_be_laid_out(&run, asked, message).await? {
            return Ok(Settled::Superseded(format!("page {} of run {} is laid out already", asked.number(), run.id)));
        }
        let part = self.part(&run, asked).await?;
        self.ask(&run, asked, part).await?;
        Ok(Settled::Done)
    }

    /// Whether nobody has done this page, and, of the first one, whether this message is the one to begin the run.
    async fn is_to_be_laid_out(&self, run: &Run, asked: &Refresh, message: &str) -> Result<bool, Setback> {
        if asked.page.is_none() && !self.runs.begin(run, message, (self.now)()).await? {
            return Ok(false);
        }
        Ok(self.runs.pages(&run.id).await?.is_some_and(|done| done <= asked.number()))
    }

    /// The page of the watchlist as it stands now. While that is broken the run waits, and says so.
    async fn part(&self, run: &Run, asked: &Refresh) -> Result<Part, Setback> {
        let watchlist = match self.watchlist.read().await {
            Ok(watchlist) => watchlist,
            Err(broken @ NoWatchlist::Broken { .. }) => {
                let reason = broken.to_string();
                self.runs.waits(&run.id, &reason).await?;
                return Err(Setback::Later { wait: MEND, reason: format!("run {}: {reason}", run.id) });
            }
            Err(unreachable) => return Err(unreachable.into()),
        };
        match refresh::part(&watchlist, asked, PAGE) {
            Ok(part) => Ok(part),
            Err(symbol) => {
                let reason = format!("{symbol} is not on the watchlist: add it, and refresh again");
                self.runs.give_up(&run.id, &reason).await?;
                Err(Failure::new("unknown_symbol", reason).into())
            }
        }
    }

    async fn ask(&self, run: &Run, asked: &Refresh, part: Part) -> Result<(), Setback> {
        let next = part.series.last().filter(|_| !part.is_last).map(|last| asked.next(&run.id, last));
        let due = self.due(asked, part.series).await?;
        let count = due.len();
        self.runs.expect(&run.id, &due).await?;
        let fetches = refresh::messages(due, &run.id, asked.replace);
        self.send(fetches.into_iter().chain(next.map(IngestMessage::Refresh))).await?;
        self.runs.page_done(&run.id, asked.number(), part.is_last).await?;
        tracing::info!(run = run.id, page = asked.number(), series = count, is_last = part.is_last, "asked for a page");
        Ok(())
    }

    /// What of a page was not fetched since the time that the refresh names.
    async fn due(&self, asked: &Refresh, series: Vec<Series>) -> Result<Vec<Series>, Setback> {
        let Some(before) = asked.fetched_before else { return Ok(series) };
        let mut due = Vec::new();
        for series in series {
            if due::is_due(self.store.as_ref(), &series, before, (self.now)()).await? {
                due.push(series);
            }
        }
        Ok(due)
    }

    /// The next page goes last: it is there only when all of this page is.
    async fn send(&self, messages: impl Iterator<Item = IngestMessage>) -> Result<(), Setback> {
        let bodies: Result<Vec<_>, _> = messages.map(|message| serde_json::to_string(&message)).collect();
        let bodies = bodies.context("write messages")?.into_iter();
        let messages: Vec<_> = bodies.map(|body| NewMessage { body, ..NewMessage::default() }).collect();
        Ok(self.queue.send(&messages).await?)
    }
}
