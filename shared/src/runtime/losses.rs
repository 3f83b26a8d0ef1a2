//! Counts how many consumers each message has cost their lease, their memory or their life.
//!
//! A consumer that gives a message back sends it again as a new message, whose receive count starts over. A delivery
//! that the count shows and that nobody gave back therefore ended without the queue being informed. The number of such
//! deliveries travels with the message, so it survives a restart and every other consumer knows it.

use crate::ports::queue::{Attributes, Message, NewMessage};

/// The attribute with the number of consumers that the message has cost.
pub const LOST: &str = "consumers-lost";

/// The attribute with the id under which the message was first sent.
pub const FIRST_ID: &str = "first-message-id";

/// The attribute with the number of times that the message was received under earlier ids.
pub const EARLIER: &str = "earlier-receives";

/// How many consumers a message may cost before it becomes a dead letter, unless a setting says otherwise.
pub const MOST_LOST: u32 = 3;

/// How a message is treated because of what it has cost so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is processed together with others.
    Ordinary,
    /// It is sent again for its last chance. A receive by a person who browses the queue also counts as a delivery, so
    /// the number alone does not condemn a message.
    Suspect,
    /// It is processed exclusively: if it costs one more consumer, no other message can be the cause.
    LastChance,
    /// It has cost too many consumers: this many.
    Killer(u32),
}

/// Judges a message that was just received. `accounted` is the number of its earlier deliveries that are known to have
/// cost no consumer, and `most_lost` is the number of consumers that it may cost. Returns the message with its losses
/// and its receive count brought up to date.
#[must_use]
pub fn assess(mut message: Message, accounted: u32, most_lost: u32) -> (Message, Verdict) {
    let unaccounted = message.receive_count.saturating_sub(1).saturating_sub(accounted);
    let verdict = verdict(number(&message, LOST), unaccounted, last_chance(most_lost));
    let lost = number(&message, LOST).saturating_add(unaccounted).min(last_chance(most_lost));
    if lost > 0 {
        message.attributes.insert(LOST.to_owned(), lost.to_string());
    }
    message.receive_count = message.receive_count.saturating_add(number(&message, EARLIER));
    (message, verdict)
}

fn verdict(known: u32, unaccounted: u32, last_chance: u32) -> Verdict {
    match known.saturating_add(unaccounted) {
        lost if lost < last_chance => Verdict::Ordinary,
        _ if known < last_chance => Verdict::Suspect,
        _ if unaccounted == 0 => Verdict::LastChance,
        lost => Verdict::Killer(lost),
    }
}

/// The number of losses that leaves a message one last chance. The first loss is never the last chance, because another
/// message could be the cause.
fn last_chance(most_lost: u32) -> u32 {
    most_lost.saturating_sub(1).max(1)
}

/// Whether a message that was assessed has to be processed exclusively.
#[must_use]
pub fn is_at_its_last_chance(message: &Message, most_lost: u32) -> bool {
    number(message, LOST) >= last_chance(most_lost)
}

/// Whether this is the first delivery since the message was last sent.
#[must_use]
pub fn is_first_delivery(message: &Message) -> bool {
    message.receive_count <= number(message, EARLIER) + 1
}

/// The most attributes that SQS accepts, less those that a message gets when it is sent again.
const MOST_OWN_ATTRIBUTES: usize = 10 - RESEND_ATTRIBUTES.len();

/// The attributes of a message that was sent again.
pub const RESEND_ATTRIBUTES: [&str; 3] = [LOST, FIRST_ID, EARLIER];

/// The message as a consumer that gives it back sends it again. If its own attributes leave no room, the last ones are
/// dropped: a message that could not be sent again would never get its last chance.
#[must_use]
pub fn resent(message: &Message) -> NewMessage {
    let is_own = |name: &String| !RESEND_ATTRIBUTES.contains(&name.as_str());
    let too_many: Vec<_> = message.attributes.keys().filter(|name| is_own(name)).skip(MOST_OWN_ATTRIBUTES).collect();
    let mut attributes: Attributes = message.attributes.clone();
    attributes.retain(|name, _| !too_many.contains(&name));
    attributes.insert(FIRST_ID.to_owned(), first_id(message).to_owned());
    attributes.insert(EARLIER.to_owned(), message.receive_count.to_string());
    NewMessage { body: message.body.clone(), attributes }
}

/// The id under which the message was first sent.
#[must_use]
pub fn first_id(message: &Message) -> &str {
    message.attributes.get(FIRST_ID).map_or(&message.id, String::as_str)
}

fn number(message: &Message, name: &str) -> u32 {
    message.attributes.get(name).and_then(|text| text.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::queue::Receipt;

    fn message(receive_count: u32) -> Message {
        Message {
            id: "1".to_owned(),
            receipt: Receipt("1".to_owned()),
            body: "x".to_owned(),
            receive_count,
            attributes: Attributes::new(),
        }
    }

    /// The message as the queue delivers it after it was sent again.
    fn delivered(sent: NewMessage, receive_count: u32) -> Message {
        Message { id: "2".to_owned(), attributes: sent.attributes, ..message(receive_count) }
    }

    fn verdict_of(message: Message, accounted: u32) -> Verdict {
        assess(message, accounted, MOST_LOST).1
    }

    #[test]
    fn deliveries_that_nobody_accounts_for_cost_a_consumer_each() {
        assert_eq!(verdict_of(message(1), 0), Verdict::Ordinary);
        assert_eq!(verdict_of(message(2), 0), Verdict::Ordinary);
        assert_eq!(verdict_of(message(3), 0), Verdict::Suspect);
        assert_eq!(verdict_of(message(4), 2), Verdict::Ordinary);
        assert_eq!(verdict_of(message(100), 0), Verdict::Suspect, "the number alone condemns no message");
    }

    #[test]
    fn who_costs_a_consumer_at_its_last_chance_is_a_killer() {
        for deliveries in [3, 100] {
            let (suspect, _) = assess(message(deliveries), 0, MOST_LOST);
            let last = || resent(&suspect);
            assert_eq!(verdict_of(delivered(last(), 1), 0), Verdict::LastChance);
            assert!(is_at_its_last_chance(&assess(delivered(last(), 1), 0, MOST_LOST).0, MOST_LOST));
            assert_eq!(verdict_of(delivered(last(), 2), 1), Verdict::LastChance, "it was given back");
            assert_eq!(verdict_of(delivered(last(), 2), 0), Verdict::Killer(3));
        }
    }

    #[test]
    fn the_first_loss_condemns_no_message_whatever_the_setting() {
        for most_lost in [0, 1, 2] {
            assert_eq!(assess(message(1), 0, most_lost).1, Verdict::Ordinary);
            assert_eq!(assess(message(2), 0, most_lost).1, Verdict::Suspect);
        }
    }

    #[test]
    fn what_is_given_back_costs_nothing_and_keeps_what_it_cost() {
        let (once, _) = assess(message(3), 1, MOST_LOST);
        assert!(!is_first_delivery(&once));
        let (again, verdict) = assess(delivered(resent(&once), 1), 0, MOST_LOST);
        assert_eq!(verdict, Verdict::Ordinary);
        assert_eq!((first_id(&again), again.attributes[LOST].as_str(), again.receive_count), ("1", "1", 4));
        assert!(is_first_delivery(&again));
    }

    #[test]
    fn what_is_sent_again_has_no_more_attributes_than_sqs_takes() {
        let own = (0..10).map(|at| (format!("own-{at}"), "x".to_owned())).collect();
        let (suspect, verdict) = assess(Message { attributes: own, ..message(3) }, 0, MOST_LOST);
        assert_eq!((verdict, resent(&suspect).attributes.len()), (Verdict::Suspect, 10));
        let (last, verdict) = assess(delivered(resent(&suspect), 1), 0, MOST_LOST);
        assert_eq!((verdict, resent(&last).attributes.len()), (Verdict::LastChance, 10));
        assert!(last.attributes.contains_key("own-0"));
    }
}
