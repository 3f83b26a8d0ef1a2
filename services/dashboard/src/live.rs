//! What happens in the store, as it happens: one source, any number of listeners, and a memory for those who lost their
//! connection for a moment.

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

/// How many changes are remembered. Who missed more is told to look at everything again.
const REMEMBERED: usize = 512;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// An object was loaded, or could not be.
    Loaded {
        /// The instrument.
        symbol: String,
        /// The length of its candles.
        interval: String,
        /// The clean object.
        key: String,
    },
    /// A run began, went on or ended.
    Run {
        /// Its id.
        #[serde(default)]
        run: Option<String>,
    },
    /// The owner was told something.
    Alert {},
    /// Changes may have been missed: look at everything again.
    Resync {},
}

/// The name of a change: which life of the dashboard, and which of its changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeId {
    life: u32,
    number: u64,
}

impl ChangeId {
    /// A name that no change has.
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

/// A change with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its name.
    pub id: ChangeId,
    /// What happened.
    pub change: Change,
}

/// Where changes come in and go out.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
    /// When it is cancelled, every listener's stream ends.
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
    /// A hub at which nothing has happened yet, with seats for its listeners.
    pub fn new(seats: Places, stop: CancellationToken) -> Self {
        let (sender, _) = broadcast::channel(REMEMBERED);
        Self { inner: Arc::new(Inner { life: random(), seats, memory: Mutex::default(), sender }), stop }
    }

    /// A seat for a listener; `None` when all are taken, or as many as an address may have.
    pub fn seat(&self, address: IpAddr) -> Option<Place> {
        self.inner.seats.take(address)
    }

    /// Tells all listeners, now and when they come back.
    pub fn publish(&self, change: Change) {
        let mut memory = self.inner.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.last += 1;
        let event = Event { id: self.id(memory.last), change };
        memory.events.push_back(event.clone());
        if memory.events.len() > REMEMBERED {
            memory.events.pop_front();
        }
        // Nobody listening is no error.
        let _ = self.inner.sender.send(event);
    }

    /// What was missed behind a change, and all that comes. A stranger's change, or one too long ago, means to look at
    /// everything again. Both are taken under one lock, so that nothing falls between them.
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

    /// Whether every change behind this one is still remembered.
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
