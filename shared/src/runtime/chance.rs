//! Random numbers that a simulation can repeat.

use std::cell::RefCell;

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

thread_local! {
    static SEEDED: RefCell<Option<StdRng>> = const { RefCell::new(None) };
}

/// From now on what is random on this thread follows from a seed. For simulations, which run on one thread.
pub fn repeat(seed: u64) {
    SEEDED.with_borrow_mut(|seeded| *seeded = Some(StdRng::seed_from_u64(seed)));
}

/// A random 64-bit number.
#[must_use]
pub fn next() -> u64 {
    SEEDED.with_borrow_mut(|seeded| seeded.as_mut().map_or_else(|| rand::rng().next_u64(), RngCore::next_u64))
}

/// A random number from 0 to 1.
#[must_use]
pub fn share() -> f64 {
    // 53 bits are what a float of this size holds.
    (next() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_two_seeds_differ() {
        let three = |seed| {
            repeat(seed);
            [next(), next(), next()]
        };
        assert_eq!(three(1), three(1));
        assert_ne!(three(1), three(2));
        assert!((0..1000).map(|_| share()).all(|share| (0.0..1.0).contains(&share)));
    }
}
