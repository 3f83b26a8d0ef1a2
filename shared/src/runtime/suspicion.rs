//! Messages that may have killed their consumer: which they are, and what a copy of one says.
//!
//! A delivery that ended without a word to the queue cost its consumer the lease, the memory or the life. The queue only
//! counts deliveries, and after a restart nobody knows which of them ended well. So the first one that is unaccounted for puts
//! the message aside: a copy of it, with a count of its own, is worked on alone. What a copy costs, it cost by itself, and
//! messages that were only beside another one succeed.

use crate::ports::queue::{Attributes, Message, NewMessage};

/// What says of a copy how many consumers the message has cost.
pub const LOST: &str = "consumers-lost";

/// What says of a copy which message it is of.
pub const FIRST_ID: &str = "first-message-id";

/// How many consumers a message may cost before it is a dead letter, where a setting says nothing else.
pub const MOST_LOST: u32 = 3;

/// How a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Every delivery is accounted for.
    Ordinary,
    /// A delivery is not accounted for: perhaps it was in process when another message killed the consumer.
    Suspect,
    /// A copy that has cost so many consumers so far.
    Copy(u32),
    /// It has cost too many consumers.
    Killer(u32),
}

/// How a message stands of which this process gave back so many deliveries, and which may cost so many consumers.
#[must_use]
pub fn standing(message: &Message, given_back: u32, most_lost: u32) -> Standing {
    let unaccounted = message.receive_count.saturating_sub(1).saturating_sub(given_back);
    match message.attributes.get(LOST).and_then(|text| text.parse::<u32>().ok()) {
        None if unaccounted == 0 => Standing::Ordinary,
        None => Standing::Suspect,
        Some(lost) if lost.saturating_add(unaccounted) >= most_lost => {
            Standing::Killer(lost.saturating_add(unaccounted))
        }
        Some(lost) => Standing::Copy(lost.saturating_add(unaccounted)),
    }
}

/// The message as a copy that has cost so many consumers.
#[must_use]
pub fn copy(message: &Message, lost: u32) -> NewMessage {
    let mut attributes: Attributes = message.attributes.clone();
    attributes.insert(LOST.to_owned(), lost.to_string());
    attributes.insert(FIRST_ID.to_owned(), first_id(message).to_owned());
    NewMessage { body: message.body.clone(), attributes }
}

/// The id of the message, or of the one that it is a copy of.
#[must_use]
pub fn first_id(message: &Message) -> &str {
    message.attributes.get(FIRST_ID).map_or(&message.id, String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::queue::Receipt;

    fn message(receive_count: u32, lost: Option<u32>) -> Message {
        let attributes = lost.map(|lost| (LOST.to_owned(), lost.to_string())).into_iter().collect();
        Message {
            id: "1".to_owned(),
            receipt: Receipt("1".to_owned()),
            body: "x".to_owned(),
            receive_count,
            attributes,
        }
    }

    #[test]
    fn a_delivery_that_is_accounted_for_is_not_suspect() {
        assert_eq!(standing(&message(1, None), 0, MOST_LOST), Standing::Ordinary);
        assert_eq!(standing(&message(7, None), 6, MOST_LOST), Standing::Ordinary);
        assert_eq!(standing(&message(7, None), 5, MOST_LOST), Standing::Suspect);
    }

    #[test]
    fn a_copy_counts_for_itself() {
        let first = message(7, None);
        let copied = copy(&first, 1);
        assert_eq!((copied.attributes[LOST].as_str(), copied.attributes[FIRST_ID].as_str()), ("1", "1"));
        assert_eq!(standing(&message(1, Some(1)), 0, MOST_LOST), Standing::Copy(1));
        assert_eq!(standing(&message(2, Some(1)), 0, MOST_LOST), Standing::Copy(2));
        assert_eq!(standing(&message(3, Some(1)), 0, MOST_LOST), Standing::Killer(3));
        assert_eq!(standing(&message(3, Some(1)), 2, MOST_LOST), Standing::Copy(1));
    }
}
