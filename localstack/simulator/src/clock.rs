//! The simulated clock, set by the environment variable `CLOCK`.
//!
//! `START@ANCHOR*RATE` says that at the real time ANCHOR (seconds since 1970, a fraction is allowed) it was START (RFC
//! 3339) in the simulation, and that simulated time passes RATE times as fast since then (`*RATE` may be left out and
//! is then 1). Processes that are given the same text agree on the time.

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};

/// The environment variable.
pub const VARIABLE: &str = "CLOCK";

/// A clock: the real one, or one that is set off and runs at another rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clock {
    /// The machine's.
    Real,
    /// A simulated one.
    Simulated {
        /// The simulated time at the anchor.
        start: Timestamp,
        /// The real time of the anchor.
        anchor: Timestamp,
        /// Simulated seconds in a real one; positive.
        rate: f64,
    },
}

impl Clock {
    /// The clock that the environment asks for; the real one where the variable is absent or empty.
    ///
    /// # Errors
    /// Where the variable is malformed.
    pub fn from_environment() -> Result<Self> {
        match std::env::var(VARIABLE) {
            Ok(text) if !text.is_empty() => Self::parse(&text).with_context(|| format!("read {VARIABLE}={text}")),
            _ => Ok(Self::Real),
        }
    }

    /// Reads `START@ANCHOR*RATE`.
    ///
    /// # Errors
    /// Where a part is missing or malformed, or the rate is not positive.
    pub fn parse(text: &str) -> Result<Self> {
        let (start, rest) = text.split_once('@').context("find @ between start and anchor")?;
        let (anchor, rate) = rest.split_once('*').unwrap_or((rest, "1"));
        let start = start.parse().context("read start as RFC 3339")?;
        let anchor: f64 = anchor.parse().context("read anchor as seconds")?;
        let rate: f64 = rate.parse().context("read rate as a number")?;
        ensure!(rate > 0.0 && rate.is_finite(), "rate is not a positive number");
        let anchor = SignedDuration::try_from_secs_f64(anchor).context("read anchor as seconds")?;
        let anchor = Timestamp::from_duration(anchor).context("read anchor as an instant")?;
        Ok(Self::Simulated { start, anchor, rate })
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.at(Timestamp::now())
    }

    /// The time at a real instant.
    #[must_use]
    pub fn at(&self, real: Timestamp) -> Timestamp {
        match *self {
            Self::Real => real,
            Self::Simulated { start, anchor, rate } => {
                let passed = anchor.duration_until(real).as_secs_f64() * rate;
                let passed = SignedDuration::try_from_secs_f64(passed).unwrap_or(SignedDuration::MAX);
                start.saturating_add(passed).unwrap_or(start)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, real_seconds: i64) -> String {
        Clock::parse(text).unwrap().at(Timestamp::from_second(real_seconds).unwrap()).to_string()
    }

    #[test]
    fn time_passes_from_the_anchor_at_the_rate() {
        assert_eq!(at("2024-06-03T13:30:00Z@1000.5*60", 1001), "2024-06-03T13:30:30Z");
        assert_eq!(at("2024-06-03T13:30:00Z@1000", 1010), "2024-06-03T13:30:10Z");
        assert_eq!(at("2024-06-03T09:30:00-04:00@1000", 990), "2024-06-03T13:29:50Z");
    }

    #[test]
    fn a_malformed_clock_is_refused_with_the_reason() {
        for (text, reason) in [
            ("2024-06-03T13:30:00Z", "find @ between start and anchor"),
            ("June@1000", "read start as RFC 3339"),
            ("2024-06-03T13:30:00Z@soon", "read anchor as seconds"),
            ("2024-06-03T13:30:00Z@1000*0", "rate is not a positive number"),
            ("2024-06-03T13:30:00Z@1000*NaN", "rate is not a positive number"),
        ] {
            assert!(format!("{:#}", Clock::parse(text).unwrap_err()).starts_with(reason), "{text}");
        }
    }
}
