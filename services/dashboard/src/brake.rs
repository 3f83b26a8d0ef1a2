//! Slows down attempts to guess secrets: each address may fail a few times, and regains attempts slowly.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The number of failed logins that an address may have in a row.
const MOST: u32 = 10;

/// How long it takes to regain one attempt: some 8,600 a day.
const ONE_MORE_AFTER: Duration = Duration::from_secs(10);

/// How many addresses are remembered. Beyond that, those that failed longest ago are forgotten.
const MOST_ADDRESSES: usize = 10_000;

/// The failed logins of each address.
#[derive(Debug, Default)]
pub struct Brake {
    /// When the last failure of an address will be forgiven.
    forgiven_at: Mutex<HashMap<IpAddr, Instant>>,
}

impl Brake {
    /// How long an address must wait before it may try another secret; `None` if it need not wait.
    pub fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let forgiven_at = self.forgiven_at.lock().unwrap_or_else(PoisonError::into_inner);
        let owed = forgiven_at.get(&address)?.saturating_duration_since(now);
        // The limit must leave room for one more failure.
        owed.checked_sub(ONE_MORE_AFTER * (MOST - 1)).filter(|wait| !wait.is_zero())
    }

    /// Records a failed login.
    pub fn failed(&self, address: IpAddr, now: Instant) {
        let mut forgiven_at = self.forgiven_at.lock().unwrap_or_else(PoisonError::into_inner);
        if forgiven_at.len() >= MOST_ADDRESSES && !forgiven_at.contains_key(&address) {
            forget(&mut forgiven_at, now);
        }
        let last = forgiven_at.entry(address).or_insert(now);
        *last = (*last).max(now) + ONE_MORE_AFTER;
    }
}

/// Frees memory: drops the forgiven entries, and if too many remain, the half that would be forgiven first.
fn forget(forgiven_at: &mut HashMap<IpAddr, Instant>, now: Instant) {
    forgiven_at.retain(|_, at| *at > now);
    if forgiven_at.len() < MOST_ADDRESSES {
        return;
    }
    let mut times: Vec<_> = forgiven_at.values().copied().collect();
    let middle = times.len() / 2;
    let (_, &mut middle, _) = times.select_nth_unstable(middle);
    forgiven_at.retain(|_, at| *at > middle);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_fail_a_few_times_and_then_waits() {
        let brake = Brake::default();
        let now = Instant::now();
        let other = [10, 0, 0, 2].into();
        let one = [10, 0, 0, 1].into();
        for _ in 0..MOST {
            assert_eq!(brake.wait(one, now), None);
            brake.failed(one, now);
        }
        assert_eq!(brake.wait(one, now), Some(ONE_MORE_AFTER));
        assert_eq!(brake.wait(other, now), None);
        let later = now + ONE_MORE_AFTER;
        assert_eq!(brake.wait(one, later), None);
        brake.failed(one, later);
        assert!(brake.wait(one, later).is_some(), "one failure came back, and no more");
        assert_eq!(brake.wait(one, later + ONE_MORE_AFTER * MOST), None);
    }

    #[test]
    fn the_memory_is_bounded() {
        let brake = Brake::default();
        let now = Instant::now();
        for number in 0..3 * MOST_ADDRESSES as u32 {
            brake.failed(IpAddr::V4(number.into()), now + Duration::from_millis(u64::from(number)));
        }
        assert!(brake.forgiven_at.lock().unwrap().len() <= MOST_ADDRESSES);
    }
}
