//! Limits resources, such as connections and event streams, in total and per address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Limits the number of places in total and per address.
#[derive(Clone, Debug)]
pub struct Places {
    most: usize,
    most_of_an_address: usize,
    taken: Arc<Mutex<Taken>>,
    freed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A place that is held until it is dropped.
#[derive(Debug)]
pub struct Place {
    address: IpAddr,
    taken: Arc<Mutex<Taken>>,
    freed: Arc<Notify>,
}

impl Places {
    /// At most `most` places. One address may hold at most `most_of_an_address` of them.
    pub fn new(most: usize, most_of_an_address: usize) -> Self {
        Self { most, most_of_an_address, taken: Arc::default(), freed: Arc::default() }
    }

    /// Waits for a free place for an address.
    pub async fn wait(&self, address: IpAddr) -> Place {
        loop {
            // Registers for wake-ups first, so that a place that is freed before the wait is not missed.
            let freed = self.freed.notified();
            if let Some(place) = self.take(address) {
                return place;
            }
            freed.await;
        }
    }

    /// A place for an address; `None` if all are taken or the address has its maximum.
    pub fn take(&self, address: IpAddr) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.by_address.get(&address).copied().unwrap_or_default();
        if taken.all >= self.most || own >= self.most_of_an_address {
            return None;
        }
        taken.all += 1;
        taken.by_address.insert(address, own + 1);
        Some(Place { address, taken: Arc::clone(&self.taken), freed: Arc::clone(&self.freed) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(own) = taken.by_address.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                taken.by_address.remove(&self.address);
            }
        }
        drop(taken);
        self.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_gets_the_place_that_becomes_free() {
        let one = [10, 0, 0, 1].into();
        let other = [10, 0, 0, 2].into();
        let places = Places::new(2, 1);
        let held = places.take(one).unwrap();
        let waiting = tokio::spawn({
            let places = places.clone();
            async move { places.wait(one).await }
        });
        tokio::task::yield_now().await;
        drop(places.take(other).unwrap());
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "that place was another address's");
        drop(held);
        waiting.await.unwrap();
    }

    #[test]
    fn one_address_cannot_take_all_places_and_gives_them_back() {
        let one = [10, 0, 0, 1].into();
        let other = [10, 0, 0, 2].into();
        let places = Places::new(3, 2);
        let mut held: Vec<_> = (0..2).map(|_| places.take(one).unwrap()).collect();
        assert!(places.take(one).is_none());
        let others = places.take(other).unwrap();
        assert!(places.take(other).is_none(), "there are more than three in all");
        held.pop();
        drop(others);
        assert!(places.take(one).is_some());
        held.clear();
        assert!(places.taken.lock().unwrap().by_address.is_empty(), "the memory grows with every address");
    }
}
