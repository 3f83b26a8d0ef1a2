//! `candlewick dlq`: lists dead letters, sends them back or deletes them.

mod broken_row;
pub mod filter;
mod held;

use std::process::ExitCode;

use anyhow::{Context, bail};
use candlewick_shared::reads::dead_letters::{DeadLetter, LetterSummary};
use candlewick_shared::reads::queues;
use jiff::Timestamp;
use serde::Serialize;

use self::broken_row::BrokenRow;
use self::filter::Filter;
use self::held::{Action, HeldLetters};
use crate::place::{Deployment, Place};
use crate::{table, terminal};

/// Shows dead letters, sends them back to their queues, or deletes them.
///
/// A dead letter is a message that a service gave up, with a class and a reason. Needs the queues; `show` also needs
/// the bucket. Each command receives the letters that it reads, which hides them from others for up to two minutes.
/// None is lost, even if the command is interrupted.
///
/// Exit codes: 0 on success, 1 after an error.
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

/// Lists dead letters, queue by queue, oldest first.
///
/// The filters can be combined; a letter must match all of them.
///
/// JSON: {"letters": [{"id", "queue", "stage", "class", "reason", "keys", "symbol", "interval", "time", "attempts",
/// "trace_id", "message_id"}]}; unknown values are null.
///
/// Exit codes: 0 on success, also if no letter matches; 1 after an error.
#[derive(Debug, clap::Args)]
struct Choice {
    /// Only the letters with these ids, which `list` shows
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    filter: Filter,
    /// The most letters to read from each queue
    #[arg(long, value_name = "LETTERS", default_value_t = 10_000)]
    limit: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Shows one dead letter in full: its reason, its message, and the broken row as the object contains it now.
///
/// JSON: the fields of `list`, "body", and "broken": {"key", "line", "column", "row", "written_since"} or null.
///
/// Exit codes: 0 on success, 1 after an error or if there is no such letter.
#[derive(Debug, clap::Args)]
struct Show {
    /// The id of the letter, which `list` shows
    id: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Sends dead letters back to the queues that they came from, unchanged and with all their attempts available again.
///
/// Fix the cause first: a message that fails again becomes a dead letter again. A letter is deleted from the
/// dead-letter queue only after its message is in its original queue.
///
/// JSON: {"dry_run", "redriven": [letters as in `list`]}.
///
/// Exit codes: 0 on success, also if no letter matches; 1 after an error.
#[derive(Debug, clap::Args)]
struct Redrive {
    #[command(flatten)]
    choice: Choice,
    /// Show what would be sent back, and send nothing
    #[arg(long)]
    dry_run: bool,
}

/// Deletes dead letters for good; without --yes it only shows which ones it would delete.
///
/// The objects that the letters are about stay. As long as such an object is not processed, `reconcile` sends its
/// message again.
///
/// JSON: {"dry_run", "dropped": [letters as in `list`]}.
///
/// Exit codes: 0 on success, also if no letter matches; 1 after an error.
#[derive(Debug, clap::Args)]
struct Drop {
    #[command(flatten)]
    choice: Choice,
    /// Delete them
    #[arg(long)]
    yes: bool,
}

pub async fn run(place: &Place, args: Args) -> anyhow::Result<ExitCode> {
    let deployment = place.running().await?;
    match args.command {
        Command::List(choice) => list(&deployment, &choice).await?,
        Command::Show(args) => show(&deployment, &args).await?,
        Command::Redrive(Redrive { choice, dry_run }) => {
            let redriven = settle(&deployment, &choice, Action::SendBack, dry_run).await?;
            report(&Done::Redriven(redriven), dry_run, choice.json)?;
        }
        Command::Drop(Drop { choice, yes }) => {
            let dropped = settle(&deployment, &choice, Action::Delete, !yes).await?;
            report(&Done::Dropped(dropped), !yes, choice.json)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Choice {
    fn matches(&self, letter: &DeadLetter, now: Timestamp) -> bool {
        let is_named = self.ids.is_empty() || self.ids.contains(&letter.message.id);
        is_named && self.filter.matches(letter, now)
    }
}

/// The JSON of `list`.
#[derive(Serialize)]
struct Listed {
    letters: Vec<LetterSummary>,
}

async fn list(deployment: &Deployment, choice: &Choice) -> anyhow::Result<()> {
    let mut letters = Vec::new();
    let now = Timestamp::now();
    for role in queues::roles() {
        let held = HeldLetters::receive(deployment, role, choice.limit).await?;
        letters.extend(held.letters.iter().filter(|letter| choice.matches(letter, now)).map(DeadLetter::summary));
        held.give_back().await?;
    }
    if choice.json {
        return terminal::json(&Listed { letters });
    }
    if letters.is_empty() {
        terminal::result("no dead letters");
    } else {
        terminal::result(&letter_table(&letters));
    }
    Ok(())
}

/// The JSON of `show`.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    letter: LetterSummary,
    body: String,
    broken: Option<BrokenRow>,
}

async fn show(deployment: &Deployment, args: &Show) -> anyhow::Result<()> {
    let letter = find(deployment, &args.id).await?;
    let broken = broken_row::find(deployment, &letter).await?;
    let shown = Shown { letter: letter.summary(), body: letter.message.body.clone(), broken };
    if args.json { terminal::json(&shown) } else { print(&shown) }
}

async fn find(deployment: &Deployment, id: &str) -> anyhow::Result<DeadLetter> {
    for role in queues::roles() {
        let held = HeldLetters::receive(deployment, role, usize::MAX).await?;
        let found = held.letters.iter().find(|letter| letter.message.id == id).cloned();
        held.give_back().await?;
        if let Some(found) = found {
            return Ok(found);
        }
    }
    bail!(
        "no dead letter has the id {id}: `dlq list` shows the ids; a letter that another command holds is visible again within two minutes"
    )
}

fn print(shown: &Shown) -> anyhow::Result<()> {
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

/// The letters in the JSON of `redrive` or `drop`.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Done {
    Redriven(Vec<LetterSummary>),
    Dropped(Vec<LetterSummary>),
}

/// Applies an action to the chosen letters and returns them. A dry run only returns them.
///
/// All letters of a queue are received before the first is sent back, so one that fails again at once is not met twice.
async fn settle(
    deployment: &Deployment,
    choice: &Choice,
    action: Action,
    dry_run: bool,
) -> anyhow::Result<Vec<LetterSummary>> {
    let mut settled = Vec::new();
    for role in queues::roles() {
        let held = HeldLetters::receive(deployment, role, choice.limit).await?;
        let (chosen, others) = held.partition(|letter| choice.matches(letter, Timestamp::now()));
        others.give_back().await?;
        settled.extend(if dry_run { chosen.give_back().await? } else { chosen.settle(action).await? });
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

/// The most characters of a reason in the table. `dlq show` prints all of it.
const REASON_WIDTH: usize = 100;

/// A table with one row per dead letter.
fn letter_table(rows: &[LetterSummary]) -> String {
    let cells = |row: &LetterSummary| {
        let time = row.time.as_deref().and_then(|time| time.get(..19)).unwrap_or("-");
        let about = row.keys.first().map_or("-", String::as_str);
        [&row.id, time, &row.stage, &row.class, about, &shortened(&row.reason)].map(str::to_owned)
    };
    table::of(&["id", "time", "stage", "class", "about", "reason"], rows.iter().map(cells), &[])
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(REASON_WIDTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
