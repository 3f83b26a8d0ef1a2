//! Publishes changes in the store from one source to any number of listeners, and remembers recent changes for
//! listeners that reconnect.

pub mod listen;

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use rand::random;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::places::{Place, Places};

/// How many changes are remembered. A listener that missed more gets a resync.
const REMEMBERED: usize = 512;

/// A change in the store.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// An object was loaded or could not be loaded.
    Loaded {
        symbol: String,
        interval: String,
        /// The key of the transformed object.
        key: String,
    },
    /// A run started, made progress or ended.
    Run {
        #[serde(default)]
        run: Option<String>,
    },
    /// An alert was sent to the owner.
    Alert {},
    /// Changes may have been missed: reload everything.
    Resync {},
}

/// The id of a change: the process of the dashboard, and a number within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeId {
    life: u32,
    number: u64,
}

impl ChangeId {
    /// An id that no change has.
    pub const STRANGE: Self = Self { life: 0, number: u64::MAX };
}

impl fmt::Display for ChangeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:08x}-{}", self.life, self.number)
    }
}

impl FromStr for ChangeId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (life, number) = text.split_once('-').ok_or(())?;
        let life = u32::from_str_radix(life, 16).map_err(|_| ())?;
        Ok(Self { life, number: number.parse().map_err(|_| ())? })
    }
}

/// A change with its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub id: ChangeId,
    pub change: Change,
}

/// Receives changes and sends them to listeners.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
    /// Cancelling it ends the streams of all listeners.
    pub stop: CancellationToken,
}

struct Inner {
    life: u32,
    seats: Places,
    memory: Mutex<Memory>,
    sender: broadcast::Sender<Event>,
}

#[derive(Default)]
struct Memory {
    last: u64,
    events: VecDeque<Event>,
}

impl Hub {
    /// A hub without changes, with seats for its listeners.
    pub fn new(seats: Places, stop: CancellationToken) -> Self {
        let (sender, _) = broadcast::channel(REMEMBERED);
        Self { inner: Arc::new(Inner { life: random(), seats, memory: Mutex::default(), sender }), stop }
    }

    /// A seat for a listener; `None` if all are taken or the address has its maximum.
    pub fn seat(&self, address: IpAddr) -> Option<Place> {
        self.inner.seats.take(address)
    }

    /// Sends a change to all listeners, including those that reconnect later.
    pub fn publish(&self, change: Change) {
        let mut memory = self.inner.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.last += 1;
        let event = Event { id: self.id(memory.last), change };
        memory.events.push_back(event.clone());
        if memory.events.len() > REMEMBERED {
            memory.events.pop_front();
        }
        // It is no error if nobody listens.
        let _ = self.inner.sender.send(event);
    }

    /// The changes after `seen`, and a receiver for new ones. An id of another process, or one that is too old, results
    /// in a resync. Both are taken under one lock, so that no change is lost between them.
    pub fn subscribe(&self, seen: Option<ChangeId>) -> (Vec<Event>, broadcast::Receiver<Event>) {
        let memory = self.inner.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = self.inner.sender.subscribe();
        let missed = match seen {
            None => Vec::new(),
            Some(seen) if self.remembers(&memory, seen) => {
                memory.events.iter().filter(|event| event.id.number > seen.number).cloned().collect()
            }
            Some(_) => vec![Event { id: self.id(memory.last), change: Change::Resync {} }],
        };
        (missed, receiver)
    }

    /// Whether all changes after `seen` are still remembered.
    fn remembers(&self, memory: &Memory, seen: ChangeId) -> bool {
        let oldest = memory.events.front().map_or(memory.last + 1, |event| event.id.number);
        seen.life == self.inner.life && seen.number.saturating_add(1) >= oldest && seen.number <= memory.last
    }

    fn id(&self, number: u64) -> ChangeId {
        ChangeId { life: self.inner.life, number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(changes: usize) -> Hub {
        let hub = Hub::new(Places::new(1, 1), CancellationToken::new());
        (0..changes).for_each(|_| hub.publish(Change::Alert {}));
        hub
    }

    fn missed(hub: &Hub, behind: u64) -> Vec<u64> {
        hub.subscribe(Some(hub.id(behind))).0.iter().map(|event| event.id.number).collect()
    }

    #[test]
    fn who_comes_back_gets_what_they_missed() {
        let hub = hub(3);
        assert_eq!((missed(&hub, 1), missed(&hub, 3)), (vec![2, 3], vec![]));
        assert!(hub.subscribe(None).0.is_empty());
    }

    #[test]
    fn who_missed_more_than_is_remembered_looks_at_everything_again() {
        let hub = hub(REMEMBERED + 2);
        assert_eq!(missed(&hub, 2).len(), REMEMBERED);
        assert_eq!(hub.subscribe(Some(hub.id(1))).0.len(), 1);
        assert_eq!(hub.subscribe(Some(hub.id(1))).0[0].change, Change::Resync {});
    }

    #[test]
    fn a_change_of_another_life_is_not_taken_for_one_of_this() {
        let hub = hub(3);
        let stranger = ChangeId { life: hub.inner.life.wrapping_add(1), number: 2 };
        assert_eq!(hub.subscribe(Some(stranger)).0[0].change, Change::Resync {});
        assert_eq!(stranger.to_string().parse(), Ok(stranger));
    }

    #[test]
    fn notices_of_the_database_are_read_and_others_refused() {
        let loaded = r#"{"kind":"loaded","symbol":"AAPL","interval":"1day","key":"transformed/x","more":1}"#;
        assert!(matches!(serde_json::from_str(loaded), Ok(Change::Loaded { .. })));
        assert!(matches!(serde_json::from_str(r#"{"kind":"run","run":"r","state":"ended"}"#), Ok(Change::Run { .. })));
        assert!(serde_json::from_str::<Change>(r#"{"kind":"else"}"#).is_err());
    }
}
