//! `candlewick dlq`: the dead letters, and what becomes of them.

mod broken_row;
mod hands;

use std::process::ExitCode;

use anyhow::{Context, bail};
use candlewick_shared::core::topology::Topology;
use jiff::Timestamp;
use serde::Serialize;

use self::broken_row::BrokenRow;
use self::hands::{InHand, Way};
use crate::dead_letters::DeadLetter;
use crate::dead_letters::filter::Filter;
use crate::dead_letters::letter::Summary;
use crate::place::{Place, Running};
use crate::{table, terminal};

/// Shows the dead letters, and sends them back or drops them.
///
/// A dead letter is a message that could never be settled, with its class and its reason. A look hides letters from others
/// for as long as it goes on, at most two minutes, and loses none.
///
/// Exit code: 0 when it is done, 1 after an error.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    List(Choice),
    Show(Show),
    Redrive(Redrive),
    Drop(Drop),
}

/// Lists dead letters, the oldest of each queue first.
///
/// JSON: {"letters": [{"id", "queue", "stage", "class", "reason", "keys", "symbol", "interval", "time", "attempts",
/// "trace_id", "message_id"}]}; what is not known is null.
#[derive(Debug, clap::Args)]
struct Choice {
    /// Only these letters, by the ids that `list` shows
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    filter: Filter,
    /// How many letters of each queue are looked at
    #[arg(long, value_name = "LETTERS", default_value_t = 10_000)]
    limit: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Shows a dead letter whole: its reason, its message, and the row that broke, as it stands in the object now.
///
/// JSON: what `list` has of it, "body", and "broken": {"key", "line", "column", "row", "written_since"} or null.
#[derive(Debug, clap::Args)]
struct Show {
    /// The letter's id, which `list` shows
    id: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Sends dead letters back to where they came from, as they were, with all their tries before them.
///
/// A letter leaves the dead-letter queue only when its message stands in its queue again. Mend what broke first: what is
/// still broken comes back with its reason. JSON: {"dry_run", "redriven": [letters as in `list`]}.
#[derive(Debug, clap::Args)]
struct Redrive {
    #[command(flatten)]
    choice: Choice,
    /// Tell what would be sent back, and send nothing
    #[arg(long)]
    dry_run: bool,
}

/// Deletes dead letters for good; without --yes it tells which they would be.
///
/// The object that a letter is about stays. While it stands there unmended, `reconcile` brings it up again.
/// JSON: {"dry_run", "dropped": [letters as in `list`]}.
#[derive(Debug, clap::Args)]
struct Drop {
    #[command(flatten)]
    choice: Choice,
    /// Delete them
    #[arg(long)]
    yes: bool,
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let running = place.running().await?;
    match args.command {
        Command::List(choice) => list(&running, &choice).await?,
        Command::Show(args) => show(&running, &args).await?,
        Command::Redrive(Redrive { choice, dry_run }) => {
            let redriven = settle(&running, &choice, Way::SendBack, dry_run).await?;
            report(&Done::Redriven(redriven), dry_run, choice.json)?;
        }
        Command::Drop(Drop { choice, yes }) => {
            let dropped = settle(&running, &choice, Way::Delete, !yes).await?;
            report(&Done::Dropped(dropped), !yes, choice.json)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Choice {
    fn has(&self, letter: &DeadLetter, now: Timestamp) -> bool {
        let is_named = self.ids.is_empty() || self.ids.contains(&letter.message.id);
        is_named && self.filter.has(letter, now)
    }
}

/// What `list` prints.
#[derive(Serialize)]
struct Listed {
    letters: Vec<Summary>,
}

async fn list(running: &Running, choice: &Choice) -> anyhow::Result<()> {
    let mut letters = Vec::new();
    let now = Timestamp::now();
    for role in Topology::built_in().queues.keys() {
        let hand = InHand::take(running, role, choice.limit).await?;
        letters.extend(hand.letters.iter().filter(|letter| choice.has(letter, now)).map(DeadLetter::summary));
        hand.give_back().await?;
    }
    if choice.json {
        return terminal::json(&Listed { letters });
    }
    if letters.is_empty() {
        terminal::result("no such dead letters");
    } else {
        terminal::result(&letter_table(&letters));
    }
    Ok(())
}

/// What `show` prints.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    letter: Summary,
    body: String,
    broken: Option<BrokenRow>,
}

async fn show(running: &Running, args: &Show) -> anyhow::Result<()> {
    let letter = find(running, &args.id).await?;
    let broken = broken_row::find(running, &letter).await?;
    let shown = Shown { letter: letter.summary(), body: letter.message.body.clone(), broken };
    if args.json { terminal::json(&shown) } else { tell(&shown) }
}

async fn find(running: &Running, id: &str) -> anyhow::Result<DeadLetter> {
    for role in Topology::built_in().queues.keys() {
        let hand = InHand::take(running, role, usize::MAX).await?;
        let found = hand.letters.iter().find(|letter| letter.message.id == id).cloned();
        hand.give_back().await?;
        if let Some(found) = found {
            return Ok(found);
        }
    }
    bail!(
        "no dead letter has the id {id}: `dlq list` shows those there are; one that another look has in hand is back within two minutes"
    )
}

fn tell(shown: &Shown) -> anyhow::Result<()> {
    let letter = serde_json::to_value(&shown.letter).context("write a letter")?;
    for (name, value) in letter.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        terminal::result(&format!("{name:<11} {text}"));
    }
    terminal::result(&format!("{:<11} {}", "body", shown.body));
    if let Some(broken) = &shown.broken {
        terminal::result(&format!("\n{broken}"));
    }
    Ok(())
}

/// What `redrive` and `drop` print.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Done {
    Redriven(Vec<Summary>),
    Dropped(Vec<Summary>),
}

/// Sends back, or deletes, the letters that are meant; in a dry run they stay, and are told all the same.
///
/// All letters of a queue are taken in hand before the first is sent back: one that fails again at once is not met twice.
async fn settle(running: &Running, choice: &Choice, way: Way, dry_run: bool) -> anyhow::Result<Vec<Summary>> {
    let mut settled = Vec::new();
    for role in Topology::built_in().queues.keys() {
        let hand = InHand::take(running, role, choice.limit).await?;
        let (meant, others) = hand.part(|letter| choice.has(letter, Timestamp::now()));
        others.give_back().await?;
        settled.extend(if dry_run { meant.give_back().await? } else { meant.settle(way).await? });
    }
    Ok(settled)
}

fn report(done: &Done, dry_run: bool, json: bool) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Report<'a> {
        dry_run: bool,
        #[serde(flatten)]
        done: &'a Done,
    }
    if json {
        return terminal::json(&Report { dry_run, done });
    }
    let (letters, did, next) = match done {
        Done::Redriven(letters) => (letters, "sent back", "leave --dry-run out"),
        Done::Dropped(letters) => (letters, "dropped", "add --yes"),
    };
    if !letters.is_empty() {
        terminal::result(&letter_table(letters));
    }
    let end = if dry_run { format!("would be {did}; to do it, {next}") } else { did.to_owned() };
    terminal::result(&format!("{} dead letters {end}", letters.len()));
    Ok(())
}

/// The width of a reason in the table. `dlq show` prints all of it.
const REASON_WIDTH: usize = 100;

/// A table with one row per dead letter.
fn letter_table(rows: &[Summary]) -> String {
    let mut text = table::empty(&["id", "time", "stage", "class", "about", "reason"]);
    for row in rows {
        let time = row.time.as_deref().and_then(|time| time.get(..19)).unwrap_or("-");
        let about = row.keys.first().map_or("-", String::as_str);
        let cells = [&row.id, time, &row.stage, &row.class, about, &shortened(&row.reason)];
        text.add_row(cells.map(terminal::cell));
    }
    text.to_string()
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(REASON_WIDTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
