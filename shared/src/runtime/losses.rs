//! How many consumers a message has cost their lease, their memory or their life.
//!
//! A consumer that gives a message back sends it again as a new message, so that its receive count begins anew. A delivery that
//! the count shows and that nobody gave back ended without a word to the queue. The number of those goes with the message, and
//! is known after a restart and to every other consumer.

use crate::ports::queue::{Attributes, Message, NewMessage};

/// The attribute that says how many consumers the message has cost.
pub const LOST: &str = "consumers-lost";

/// The attribute that names the id under which the message was sent first.
pub const FIRST_ID: &str = "first-message-id";

/// The attribute that says how often the message was received under earlier ids.
pub const EARLIER: &str = "earlier-receives";

/// How many consumers a message may cost before it is a dead letter, where a setting says nothing else.
pub const MOST_LOST: u32 = 3;

/// How a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may be worked on together with others.
    Ordinary,
    /// It is to be sent again for its last chance. Whoever looks into the queue counts as a delivery too, so that the number
    /// alone does not condemn it.
    Suspect,
    /// It is worked on alone: if it costs one consumer more, no other message could be the cause.
    LastChance,
    /// It has cost too many consumers: so many.
    Killer(u32),
}

/// A message that was just received, of which so many earlier deliveries are accounted for, and how it stands if it may cost
/// so many consumers. Its losses and its receive count are brought up to date.
#[must_use]
pub fn account(mut message: Message, accounted: u32, most_lost: u32) -> (Message, Standing) {
    let unaccounted = message.receive_count.saturating_sub(1).saturating_sub(accounted);
    let standing = standing(number(&message, LOST), unaccounted, last_chance(most_lost));
    let lost = number(&message, LOST).saturating_add(unaccounted).min(last_chance(most_lost));
    if lost > 0 {
        message.attributes.insert(LOST.to_owned(), lost.to_string());
    }
    message.receive_count = message.receive_count.saturating_add(number(&message, EARLIER));
    (message, standing)
}

fn standing(known: u32, unaccounted: u32, last_chance: u32) -> Standing {
    match known.saturating_add(unaccounted) {
        lost if lost < last_chance => Standing::Ordinary,
        _ if known < last_chance => Standing::Suspect,
        _ if unaccounted == 0 => Standing::LastChance,
        lost => Standing::Killer(lost),
    }
}

/// How many consumers a message has cost that may cost one more. The first loss is never the last chance: it could be another
/// message's fault.
fn last_chance(most_lost: u32) -> u32 {
    most_lost.saturating_sub(1).max(1)
}

/// Whether a message that was accounted for is worked on alone.
#[must_use]
pub fn is_at_its_last_chance(message: &Message, most_lost: u32) -> bool {
    number(message, LOST) >= last_chance(most_lost)
}

/// Whether the message was received once since it was sent, the last time that it was.
#[must_use]
pub fn is_first_delivery(message: &Message) -> bool {
    message.receive_count <= number(message, EARLIER) + 1
}

/// The message as it is sent again by the consumer that gives it back.
#[must_use]
pub fn again(message: &Message) -> NewMessage {
    let mut attributes: Attributes = message.attributes.clone();
    attributes.insert(FIRST_ID.to_owned(), first_id(message).to_owned());
    attributes.insert(EARLIER.to_owned(), message.receive_count.to_string());
    NewMessage { body: message.body.clone(), attributes }
}

/// The id under which the message was sent first.
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

    fn standing_of(message: Message, accounted: u32) -> Standing {
        account(message, accounted, MOST_LOST).1
    }

    #[test]
    fn deliveries_that_nobody_accounts_for_cost_a_consumer_each() {
        assert_eq!(standing_of(message(1), 0), Standing::Ordinary);
        assert_eq!(standing_of(message(2), 0), Standing::Ordinary);
        assert_eq!(standing_of(message(3), 0), Standing::Suspect);
        assert_eq!(standing_of(message(4), 2), Standing::Ordinary);
        assert_eq!(standing_of(message(100), 0), Standing::Suspect, "the number alone condemns no message");
    }

    #[test]
    fn who_costs_a_consumer_at_its_last_chance_is_a_killer() {
        for deliveries in [3, 100] {
            let (suspect, _) = account(message(deliveries), 0, MOST_LOST);
            let last = || again(&suspect);
            assert_eq!(standing_of(delivered(last(), 1), 0), Standing::LastChance);
            assert!(is_at_its_last_chance(&account(delivered(last(), 1), 0, MOST_LOST).0, MOST_LOST));
            assert_eq!(standing_of(delivered(last(), 2), 1), Standing::LastChance, "it was given back");
            assert_eq!(standing_of(delivered(last(), 2), 0), Standing::Killer(3));
        }
    }

    #[test]
    fn the_first_loss_condemns_no_message_whatever_the_setting() {
        for most_lost in [0, 1, 2] {
            assert_eq!(account(message(1), 0, most_lost).1, Standing::Ordinary);
            assert_eq!(account(message(2), 0, most_lost).1, Standing::Suspect);
        }
    }

    #[test]
    fn what_is_given_back_costs_nothing_and_keeps_what_it_cost() {
        let (once, _) = account(message(3), 1, MOST_LOST);
        assert!(!is_first_delivery(&once));
        let (again, standing) = account(delivered(again(&once), 1), 0, MOST_LOST);
        assert_eq!(standing, Standing::Ordinary);
        assert_eq!((first_id(&again), again.attributes[LOST].as_str(), again.receive_count), ("1", "1", 4));
        assert!(is_first_delivery(&again));
    }
}
