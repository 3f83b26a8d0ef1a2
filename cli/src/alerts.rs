//! `candlewick alerts`: lists what is wrong and messages that were not delivered.

use std::fmt::Write;
use std::process::ExitCode;

use anyhow::Context;
use candlewick_notifier::alerts::{self, KnownAlert};
use candlewick_notifier::message::next_step;
use candlewick_shared::core::alert::State;
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::{FromRow, PgPool};

use crate::place::Place;
use crate::terminal;

/// Shows what is wrong, since when, where to look, and what to do next.
///
/// Also shows notifications that could not be delivered to you. Needs the database.
///
/// Exit codes: 0 if the alerts were read, whether anything is wrong or not; 1 after an error.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Include alerts that are over
    #[arg(long)]
    all: bool,
    /// Print JSON: {"alerts": [...], "undelivered": [...]}, with times in RFC 3339
    #[arg(long)]
    json: bool,
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let pool = place.running().await?.pool().await?;
    let alerts = read(&pool, args.all).await?;
    let undelivered = undelivered(&pool).await?;
    if args.json {
        let alerts: Vec<_> = alerts.iter().map(entry).collect();
        terminal::json(&json!({"alerts": alerts, "undelivered": undelivered}))?;
    } else {
        terminal::result(listing(&alerts, &undelivered).trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the alerts that are firing, or with `all` also those that are over.
pub async fn read(pool: &PgPool, all: bool) -> anyhow::Result<Vec<KnownAlert>> {
    let mut database = pool.acquire().await.context("connect to the database")?;
    let known = if all { alerts::all(&mut database).await? } else { alerts::open(&mut database).await? };
    Ok(known.into_iter().filter(|known| all || known.alert.state == State::Firing).collect())
}

/// A notification that did not reach the owner.
#[derive(Debug, FromRow, Serialize)]
struct Undelivered {
    channel: String,
    subject: String,
    attempts: i32,
    given_up: bool,
    error: Option<String>,
}

const UNDELIVERED: &str = "select channel, subject, attempts, given_up_at is not null as given_up, error
    from alert_deliveries where sent_at is null and attempts > 0 order by id";

async fn undelivered(pool: &PgPool) -> anyhow::Result<Vec<Undelivered>> {
    sqlx::query_as(UNDELIVERED).fetch_all(pool).await.context("read the outbox")
}

fn entry(known: &KnownAlert) -> Value {
    let mut entry = json!(known.alert);
    if let Value::Object(fields) = &mut entry {
        fields.insert("stage".to_owned(), json!(known.stage));
        fields.insert("severity".to_owned(), json!(known.alert.kind.severity().as_str()));
        fields.insert("since".to_owned(), json!(known.raised_at));
        fields.insert("occurrences".to_owned(), json!(known.occurrences));
        fields.insert("told".to_owned(), json!(known.notified.map(|notified| notified.state)));
        fields.insert("next".to_owned(), json!(next_step(known.alert.kind, known)));
    }
    entry
}

fn listing(alerts: &[KnownAlert], undelivered: &[Undelivered]) -> String {
    let mut text = if alerts.is_empty() { "nothing is wrong\n".to_owned() } else { String::new() };
    for known in alerts {
        let _ = writeln!(text, "{}", paragraph(known));
    }
    for Undelivered { channel, subject, attempts, given_up, error } in undelivered {
        let fate = if *given_up { "given up" } else { "not delivered yet" };
        let error = error.as_deref().unwrap_or("not known yet");
        let _ = writeln!(text, "{fate} by {channel} after {attempts} attempts: {subject}: {error}");
    }
    text
}

fn paragraph(known: &KnownAlert) -> String {
    let alert = &known.alert;
    let state = if alert.state == State::Resolved { "over" } else { alert.kind.severity().as_str() };
    let class = if alert.class.is_empty() { String::new() } else { format!(" ({})", alert.class) };
    let since = known.raised_at.strftime("%Y-%m-%d %H:%M UTC");
    let mut text =
        format!("{state:<7} {}  {}{class}, since {since}\n        {}", alert.kind, alert.subject, alert.text);
    for (name, value) in [("key", &alert.key), ("run", &alert.run), ("trace", &alert.trace_id)] {
        if let Some(value) = value {
            let _ = write!(text, "\n        {name}: {value}");
        }
    }
    if alert.state == State::Firing {
        let _ = write!(text, "\n        next: {}", next_step(alert.kind, known));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use candlewick_shared::core::alert::{Alert, Kind};

    use super::*;

    fn known() -> KnownAlert {
        let at = "2024-12-30T22:01:00Z".parse().unwrap();
        let alert = Alert::new(Kind::DeadLetter, "AAPL 1day", "line 3").class("bad").key(Some("raw/x".to_owned()));
        let stage = "transform".to_owned();
        let notified = None;
        KnownAlert {
            id: 1,
            stage,
            alert,
            raised_at: at,
            occurrences: 2,
            loaded_since: false,
            renewed_since: false,
            changed_at: at,
            notified,
        }
    }

    #[test]
    fn an_alert_says_what_since_when_where_and_what_next() {
        let text = listing(&[known()], &[]);
        let expected =
            "error   dead_letter  AAPL 1day (bad), since 2024-12-30 22:01 UTC\n        line 3\n        key: raw/x\n";
        assert!(text.starts_with(expected) && text.contains("        next: "), "{text}");
    }

    #[test]
    fn what_did_not_reach_the_owner_is_said_even_when_nothing_is_wrong() {
        let lost = Undelivered {
            channel: "slack".to_owned(),
            subject: "x".to_owned(),
            attempts: 16,
            given_up: true,
            error: Some("404".to_owned()),
        };
        let text = listing(&[], &[lost]);
        assert!(
            text.contains("nothing is wrong") && text.contains("given up by slack after 16 attempts: x: 404"),
            "{text}"
        );
    }

    #[test]
    fn json_has_what_programs_ask_for() {
        let entry = entry(&known());
        assert_eq!((entry["kind"].as_str(), entry["severity"].as_str()), (Some("dead_letter"), Some("error")));
        assert_eq!((entry["since"].as_str(), entry["told"].is_null()), (Some("2024-12-30T22:01:00Z"), true));
    }
}
