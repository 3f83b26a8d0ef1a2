//! Builds dead letters within the limits of SQS, and the alerts about them.

use crate::core::alert::{Alert, Kind};
use crate::core::invisible::is_invisible;
use crate::core::message_subject::MessageSubject;
use crate::ports::queue::{Attributes, Message, NewMessage};
use crate::runtime::losses::RESEND_ATTRIBUTES;
use crate::runtime::outcome::Failure;

/// The largest message with its attributes in bytes: the limit of SQS before 2025, and still the default of a queue.
const MAX_BYTES: usize = 256 * 1024;

/// The longest reason in bytes. Longer texts belong in a log.
const MAX_REASON_BYTES: usize = 2_000;

/// The most attributes of a message that SQS accepts.
const MAX_ATTRIBUTES: usize = 10;

/// The bytes that SQS counts for an attribute in addition to its name and text: the name of its type, `String`.
const TYPE_BYTES: usize = 6;

/// The original message with the reason in its attributes. Redriving it sends the same body.
///
/// The body is never shortened. If it leaves no room for all attributes, the message's own attributes are dropped
/// first, and then the least informative reasons. Those of a message that was sent again mean nothing here.
#[must_use]
pub fn dead_letter(stage: &str, message: &Message, failure: &Failure) -> NewMessage {
    let mut letter = NewMessage { body: message.body.clone(), attributes: Attributes::new() };
    for (name, text) in reasons(stage, message, failure) {
        attach_truncated(&mut letter, name, &text);
    }
    for (name, text) in message.attributes.iter().filter(|(name, _)| !RESEND_ATTRIBUTES.contains(&name.as_str())) {
        attach_if_it_fits(&mut letter, name, text);
    }
    letter
}

/// The attributes that [`dead_letter`] adds.
const REASONS: [&str; 6] = ["class", "stage", "message-id", "attempts", "trace-id", "reason"];

/// The message as it was before it was given up, to send it back to its queue. As a new message it has all its tries
/// again.
#[must_use]
pub fn original(letter: &Message) -> NewMessage {
    let own = letter.attributes.iter().filter(|(name, _)| !REASONS.contains(&name.as_str()));
    let attributes = own.map(|(name, text)| (name.clone(), text.clone())).collect();
    NewMessage { body: letter.body.clone(), attributes }
}

/// The alert about a dead letter. A message that is buried again after a crash has the same cause, so the owner is
/// informed once.
#[must_use]
pub fn alert(stage: &str, message: &Message, failure: &Failure) -> Alert {
    let work = MessageSubject::of(&message.body);
    let kind = if stage == "ingest" { Kind::IngestFailed } else { Kind::DeadLetter };
    let subject = work.subject().unwrap_or_else(|| format!("message {}", message.id));
    Alert::new(kind, subject, &failure.message)
        .class(failure.class)
        .series(work.series)
        .key(work.key)
        .run(work.run)
        .traced(failure.trace_id.clone().or_else(|| trace_of(message)))
        .cause(format!("message {} receive {}", message.id, message.receive_count))
}

/// The reasons, the most informative first.
fn reasons(stage: &str, message: &Message, failure: &Failure) -> [(&'static str, String); 6] {
    [
        ("class", failure.class.to_owned()),
        ("stage", stage.to_owned()),
        ("message-id", message.id.clone()),
        ("attempts", message.receive_count.to_string()),
        ("trace-id", failure.trace_id.clone().or_else(|| trace_of(message)).unwrap_or_default()),
        ("reason", readable(&failure.message)),
    ]
}

/// The id of the trace that the message names, in an attribute or in its body.
fn trace_of(message: &Message) -> Option<String> {
    let body =
        || serde_json::from_str::<serde_json::Value>(&message.body).ok()?["traceparent"].as_str().map(str::to_owned);
    let text = message.attributes.get("traceparent").cloned().or_else(body)?;
    Some(text.parse::<crate::core::trace::TraceParent>().ok()?.trace_id())
}

fn attach_truncated(letter: &mut NewMessage, name: &str, text: &str) {
    let room = room(letter).saturating_sub(name.len() + TYPE_BYTES);
    let text = &text[..text.floor_char_boundary(room.min(MAX_REASON_BYTES))];
    attach_if_it_fits(letter, name, text);
}

fn attach_if_it_fits(letter: &mut NewMessage, name: &str, text: &str) {
    let fits = name.len() + text.len() + TYPE_BYTES <= room(letter) && letter.attributes.len() < MAX_ATTRIBUTES;
    if fits && !text.is_empty() && !letter.attributes.contains_key(name) {
        letter.attributes.insert(name.to_owned(), text.to_owned());
    }
}

fn room(letter: &NewMessage) -> usize {
    let attributes = letter.attributes.iter().map(|(name, text)| name.len() + text.len() + TYPE_BYTES);
    MAX_BYTES.saturating_sub(letter.body.len() + attributes.sum::<usize>())
}

/// Replaces by spaces the characters that SQS rejects, control characters that would break a line of a table, and those
/// that would make it look like another text.
fn readable(text: &str) -> String {
    let is_taken = |c: char| !c.is_control() && !is_invisible(c) && !matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars().map(|c| if is_taken(c) { c } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ports::queue::Receipt;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    fn message(body: &str, attributes: &[(&str, &str)]) -> Message {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        Message {
            id: "id-1".to_owned(),
            receipt: Receipt("receipt".to_owned()),
            body: body.to_owned(),
            receive_count: 3,
            attributes: attributes.iter().map(owned).collect(),
        }
    }

    fn weight(letter: &NewMessage) -> usize {
        letter.body.len() + letter.attributes.iter().map(|(name, text)| name.len() + text.len() + 6).sum::<usize>()
    }

    #[test]
    fn it_is_the_message_with_the_reason_beside_it() {
        let letter =
            dead_letter("load", &message("body", &[]), &Failure::new("bad", "line 3").traced(Some(TRACE.into())));
        let expected = [
            ("attempts", "3"),
            ("class", "bad"),
            ("message-id", "id-1"),
            ("reason", "line 3"),
            ("stage", "load"),
            ("trace-id", TRACE),
        ];
        assert_eq!(letter.body, "body");
        assert!(letter.attributes.iter().map(|(name, text)| (name.as_str(), text.as_str())).eq(expected));
    }

    #[test]
    fn what_the_message_carried_stays_and_gives_way_to_the_reason() {
        let many: Vec<_> = (0..10).map(|at| format!("own-{at}")).collect();
        let mut own: Vec<_> = many.iter().map(|name| (name.as_str(), "x")).collect();
        own[9] = ("class", "an older one");
        let letter = dead_letter("load", &message("body", &own), &Failure::new("bad", "why"));
        assert_eq!((letter.attributes.len(), letter.attributes["class"].as_str()), (10, "bad"));
        assert_eq!(letter.attributes["own-0"], "x");
    }

    #[test]
    fn the_original_has_what_the_message_carried_and_nothing_of_the_reasons() {
        let given = message("body", &[("own", "x")]);
        let letter = dead_letter("load", &given, &Failure::new("bad", "why").traced(Some(TRACE.into())));
        let buried = Message { attributes: letter.attributes, body: letter.body, ..given.clone() };
        assert_eq!(original(&buried), NewMessage { body: given.body, attributes: given.attributes });
    }

    #[test]
    fn the_trace_is_that_of_the_message_where_the_failure_names_none() {
        let traceparent = format!("00-{TRACE}-b7ad6b7169203331-01");
        let body = serde_json::json!({"traceparent": traceparent}).to_string();
        for message in [message(&body, &[]), message("x", &[("traceparent", &traceparent)])] {
            assert_eq!(dead_letter("load", &message, &Failure::new("bad", "why")).attributes["trace-id"], TRACE);
        }
    }

    #[test]
    fn the_owner_hears_what_it_affects_and_where_to_look() {
        let body = format!(
            r#"{{"kind":"fetch","run":"r","symbol":"AAPL","interval":"1day","traceparent":"00-{TRACE}-b7ad6b7169203331-01"}}"#
        );
        let alert = super::alert("ingest", &message(&body, &[]), &Failure::new("plan", "no"));
        assert_eq!(
            (alert.kind, alert.subject.as_str(), alert.class.as_str()),
            (Kind::IngestFailed, "AAPL 1day", "plan")
        );
        assert_eq!((alert.run.as_deref(), alert.trace_id.as_deref()), (Some("r"), Some(TRACE)));
        let alert = super::alert("loader", &message("x", &[]), &Failure::new("bad_message", "no"));
        assert_eq!((alert.kind, alert.subject.as_str()), (Kind::DeadLetter, "message id-1"));
    }

    #[test]
    fn a_body_that_leaves_no_room_goes_whole() {
        let body = "x".repeat(MAX_BYTES);
        let letter = dead_letter("load", &message(&body, &[("own", "x")]), &Failure::new("bad", "why"));
        assert_eq!((letter.body.len(), letter.attributes.len()), (MAX_BYTES, 0));
    }

    proptest! {
        #[test]
        fn it_is_always_such_as_sqs_takes(
            reason in proptest::collection::vec(any::<char>(), 1..40),
            left in 0_usize..4_000,
            own in "[a-z]{0,9}",
        ) {
            let body = "x".repeat(MAX_BYTES - left);
            let reason = reason.into_iter().collect::<String>().repeat(50);
            let letter = dead_letter("load", &message(&body, &[("own", &own)]), &Failure::new("bad", reason));
            prop_assert!(left < 200 || letter.attributes.contains_key("reason"), "{letter:?}");
            prop_assert!(weight(&letter) <= MAX_BYTES);
            for text in letter.attributes.values() {
                let is_taken = |c| matches!(c, ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
                prop_assert!(!text.is_empty() && text.chars().all(is_taken), "{text:?}");
                prop_assert!(!text.contains(is_invisible), "{text:?}");
            }
        }
    }
}
