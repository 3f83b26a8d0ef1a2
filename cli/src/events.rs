//! `candlewick events`: lists the events of loads, and follows them.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use candlewick_shared::adapters::notices;
use candlewick_shared::core::loaded_event::{EventCursor, Loaded, LoadedEvent};
use candlewick_shared::reads::loaded_events::{self, EventPage};
use serde::Serialize;
use sqlx::PgPool;
use tokio::time::Instant;

use crate::place::Place;
use crate::selection::Selection;
use crate::terminal;
use crate::wait::next_notice;

/// The longest time between two reads: an event appears when older loads are over, and one that fails has no notice.
const POLL: Duration = Duration::from_secs(5);

/// Lists what loads changed, one event per line, in the order in which they were committed.
///
/// An event is a load of one object: its series, its run, how many candles were added, changed and removed, and between
/// which times. docs/events.md describes the format, and the topics, buses and webhooks that can receive the events.
///
/// Needs the database, which keeps events for HISTORY_DAYS.
///
/// Exit codes: 0 on success, also if the reader of stdout has read enough; 1 after an error.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Go on with events as they happen, until the command is stopped
    #[arg(long)]
    follow: bool,
    /// Only events after this cursor, as --json prints it; 0 is before the first [default: 0, with --follow the newest]
    #[arg(long, value_name = "CURSOR")]
    after: Option<EventCursor>,
    #[command(flatten)]
    selection: Selection,
    /// Print JSON, one event per line: {"cursor": ..., "type": "candles.loaded", "id", "timestamp", "data": {...}}
    #[arg(long)]
    json: bool,
}

/// An event in the JSON of `events`.
#[derive(Serialize)]
struct Listed<'a> {
    cursor: EventCursor,
    #[serde(flatten)]
    event: &'a LoadedEvent,
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let pool = place.running().await?.pool().await?;
    // It listens before it reads, so that no notice between the two is missed.
    let mut listener = notices::listen(&pool).await.context("listen to the database")?;
    let mut cursor = first(&pool, &args).await?;
    let selection = loaded_events::Selection { symbol: args.selection.symbol, interval: args.selection.interval };
    while !terminal::has_failed() {
        let mut connection = pool.acquire().await.context("connect to the database")?;
        let page = loaded_events::after(&mut connection, cursor, &selection, loaded_events::MOST).await;
        let EventPage { events, next, is_more } = page.context("read the events")?;
        drop(connection);
        events.iter().try_for_each(|(cursor, event)| show(*cursor, event, args.json))?;
        cursor = next;
        if is_more {
            continue;
        }
        if !args.follow {
            break;
        }
        next_notice(&mut listener, Some(Instant::now() + POLL)).await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn first(pool: &PgPool, args: &Args) -> anyhow::Result<EventCursor> {
    if args.after.is_some() || !args.follow {
        return Ok(args.after.unwrap_or_default());
    }
    let mut database = pool.acquire().await.context("connect to the database")?;
    loaded_events::newest(&mut database).await.context("read the newest event")
}

fn show(cursor: EventCursor, event: &LoadedEvent, json: bool) -> anyhow::Result<()> {
    if json {
        return terminal::json_line(&Listed { cursor, event });
    }
    terminal::result(&line(event));
    Ok(())
}

/// An event in one line.
fn line(event: &LoadedEvent) -> String {
    let Loaded { symbol, interval, rows, from, to, run, .. } = &event.data;
    let time = event.timestamp.strftime("%Y-%m-%dT%H:%M:%SZ");
    let counts = format!(
        "{} added, {} changed, {} removed, {} unchanged",
        rows.added, rows.changed, rows.removed, rows.unchanged
    );
    let span = match (from, to) {
        (Some(from), Some(to)) => format!(", {from} to {to}"),
        _ => String::new(),
    };
    let run = run.as_ref().map(|run| format!("  run {run}")).unwrap_or_default();
    terminal::cell(&format!("{time}  {symbol} {interval}  {counts}{span}{run}"))
}

#[cfg(test)]
mod tests {
    use candlewick_shared::core::loaded_event::{Rows, TYPE, VERSION};

    use super::*;

    #[test]
    fn a_line_says_what_changed_and_between_which_times() {
        let rows = Rows { total: 1_260, added: 1, changed: 2, unchanged: 1_257, removed: 0 };
        let data = Loaded {
            symbol: "AAPL".to_owned(),
            interval: "1day".to_owned(),
            run: Some("r1".to_owned()),
            key: "transformed/x".to_owned(),
            etag: None,
            version_id: None,
            rows,
            from: Some("2024-12-26".to_owned()),
            to: Some("2024-12-30".to_owned()),
            trace_id: None,
        };
        let timestamp = "2024-12-30T22:00:00.5Z".parse().unwrap();
        let event = LoadedEvent { event_type: TYPE.to_owned(), version: VERSION, id: "e".to_owned(), timestamp, data };
        let expected = "2024-12-30T22:00:00Z  AAPL 1day  1 added, 2 changed, 0 removed, 1257 unchanged, \
            2024-12-26 to 2024-12-30  run r1";
        assert_eq!(line(&event), expected);
    }
}
