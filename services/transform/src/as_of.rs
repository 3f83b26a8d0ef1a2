//! The time at which a source returned the content of an object, which is the *now* of its cleaning.

use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::report::{AsOfFrom, Source};
use jiff::Timestamp;

/// The time at which a source returned the content of an object, and how that time is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf {
    /// In Candlewick's time, which may be simulated.
    pub at: Timestamp,
    pub from: AsOfFrom,
}

impl AsOf {
    /// The time in the object's metadata, otherwise the time at which the object was written, converted from the
    /// machine's clock.
    ///
    /// Objects that an earlier stack wrote are older than the start of a simulated clock, so they get that start.
    pub fn of(fetched_at: Option<Timestamp>, written: Timestamp, clock: &Clock) -> Self {
        match (fetched_at, clock) {
            (Some(at), _) => Self { at, from: AsOfFrom::Said },
            (None, Clock::Real) => Self { at: written, from: AsOfFrom::Written },
            (None, Clock::Simulated { start, .. }) => {
                Self { at: clock.at(written).max(*start), from: AsOfFrom::WrittenSimulated }
            }
        }
    }

    /// The source as a report describes it.
    pub fn source(self, key: String, etag: String) -> Source {
        Source { key, etag, as_of: self.at.to_string(), as_of_from: self.from }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn simulated() -> Clock {
        let start = at("2024-12-30T22:00:00Z");
        let anchor = at("2026-11-29T00:00:00Z");
        Clock::Simulated { start, anchor, rate: 60.0 }
    }

    #[test]
    fn what_is_said_goes_before_any_clock() {
        let said = at("2024-12-27T21:00:00Z");
        let as_of = AsOf::of(Some(said), at("2026-11-29T00:01:00Z"), &simulated());
        assert_eq!(as_of, AsOf { at: said, from: AsOfFrom::Said });
    }

    #[test]
    fn when_it_was_written_is_taken_to_a_simulated_clock() {
        let of = |written: &str, clock: &Clock| AsOf::of(None, at(written), clock);
        let real = of("2026-11-29T00:01:00Z", &Clock::Real);
        assert_eq!(real, AsOf { at: at("2026-11-29T00:01:00Z"), from: AsOfFrom::Written });
        let mapped = of("2026-11-29T00:01:00Z", &simulated());
        assert_eq!(mapped, AsOf { at: at("2024-12-30T23:00:00Z"), from: AsOfFrom::WrittenSimulated });
    }

    #[test]
    fn what_an_earlier_stack_wrote_is_not_before_the_start_of_the_simulation() {
        let as_of = AsOf::of(None, at("2026-11-27T00:00:00Z"), &simulated());
        assert_eq!(as_of.at, at("2024-12-30T22:00:00Z"));
    }
}
